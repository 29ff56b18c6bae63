/* The filter's prompt, and what is read of all runs for it. */
#include "tui/views/runs_view.h"

#include <stdlib.h>
#include <string.h>

static const double AGAIN_S = 2.0; /* between two looks at what the files of the runs say */

/* ── what is known ── */

static unsigned needed(const struct runs_view *s)
{
    unsigned all = BT_FACTS_SETTINGS | BT_FACTS_FIGURES;
    unsigned fold = s->folded ? BT_FACTS_SETTINGS : 0;
    return s->asking ? all : fold | (s->filter ? bt_run_filter_need(s->filter) : 0);
}

bool runs_known(const struct runs_view *s)
{
    return !s->filter || !(bt_run_filter_need(s->filter) & ~s->known_need);
}

struct reading {
    struct view *v;
    struct bt_facts_wish *wish; /* [n]; owns the texts */
    size_t n;
    const struct bt_facts *previous; /* stays as it is until we are done */
    unsigned need;
    uint64_t version;
    struct bt_facts *facts;
};

static void reading_free(struct reading *r)
{
    for (size_t i = 0; r->wish && i < r->n; i++) free((char *)(uintptr_t)r->wish[i].dir);
    free(r->wish);
    bt_facts_free(r->facts);
    free(r);
}

static void read_known(void *ctx, const atomic_bool *cancel)
{
    struct reading *r = ctx;
    (void)bt_facts_read(r->wish, r->n, r->previous, cancel, &r->facts, NULL);
}

/* A name that no run has is told once the runs are known. */
static void check_names(struct view *v)
{
    struct runs_view *s = runs_of(v);
    struct bt_error err = {.status = BT_OK};
    if (!s->filter || !runs_known(s) || bt_run_filter_check(s->filter, s->known, &err) == BT_OK) return;
    if (!s->asking) app_say_error(v->app, &err);
    free(s->filter_fault);
    s->filter_fault = s->asking ? bt_strdup(err.text) : NULL;
}

static void known_read(void *ctx, bool cancelled)
{
    struct reading *r = ctx;
    struct runs_view *s = runs_of(r->v);
    if (!cancelled && r->facts) {
        bool first = !runs_known(s);
        bt_facts_free(s->known);
        s->known = r->facts;
        s->known_need |= r->need; /* what is known besides stays */
        s->read_need = r->need;
        s->known_version = r->version;
        r->facts = NULL;
        if (first) check_names(r->v);
        runs_refresh(r->v);
        app_redraw(r->v->app);
    }
    reading_free(r);
}

/* Rows whose curves are on the screen: their figures are read, whatever the filter needs. */
static size_t in_sight(const struct runs_view *s, size_t *end)
{
    size_t page = s->list.page > 0 ? (size_t)s->list.page : 0;
    *end = s->list.top + page < s->list.n ? s->list.top + page : s->list.n;
    return s->curves ? s->list.top : *end;
}

static bool missing(const struct view *v, unsigned need)
{
    const struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    bool found = need & ~s->read_need;
    size_t end;
    for (size_t i = 0; need && i < list->n && !found; i++) /* a run that has just begun */
        found = !bt_facts_known(s->known, list->run[i].dir, need);
    for (size_t i = in_sight(s, &end); i < end && !found; i++)
        found = s->row[i] < list->n && !bt_facts_known(s->known, list->run[s->row[i]].dir, BT_FACTS_FIGURES);
    return found;
}

/* NULL: no memory. */
static struct reading *reading_new(struct view *v, unsigned need)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    struct reading *r = calloc(1, sizeof *r);
    size_t end;
    if (!r) return NULL;
    *r = (struct reading){.v = v,
                          .wish = calloc(list->n + 1, sizeof *r->wish),
                          .previous = s->known,
                          .need = need,
                          .version = app_runs_version(v->app)};
    bool fine = r->wish != NULL;
    for (size_t i = 0; fine && i < list->n; i++) {
        r->wish[r->n++] = (struct bt_facts_wish){.dir = bt_strdup(list->run[i].dir), .need = need};
        fine = r->wish[i].dir != NULL;
    }
    for (size_t i = in_sight(s, &end); fine && i < end; i++)
        if (s->row[i] < r->n) r->wish[s->row[i]].need |= BT_FACTS_FIGURES;
    if (fine) return r;
    reading_free(r);
    return NULL;
}

void runs_known_tick(struct view *v, double now)
{
    struct runs_view *s = runs_of(v);
    unsigned need = needed(s);
    s->now = now;
    runs_update(v);
    bool old = app_runs_version(v->app) != s->known_version && now - s->known_at >= AGAIN_S;
    bool asked = need || s->curves;
    if (!asked || !(old || missing(v, need)) || app_pending(v->app, &s->known)) return;
    struct reading *r = reading_new(v, need);
    s->known_at = now;
    struct app_task t = {.run = read_known, .done = known_read, .ctx = r, .owner = &s->known};
    if (r && !app_submit(v->app, &t)) reading_free(r);
}

/* ── the prompt ── */

void runs_set_filter(struct view *v, const char *text)
{
    struct runs_view *s = runs_of(v);
    struct bt_run_filter *fresh = NULL;
    struct bt_error err = {.status = BT_OK};
    free(s->filter_fault);
    s->filter_fault = NULL;
    bool ready = bt_run_filter_parse(text, &fresh, &err) == BT_OK;
    bool known = ready && !(bt_run_filter_need(fresh) & ~s->known_need);
    if (ready && (!known || bt_run_filter_check(fresh, s->known, &err) == BT_OK)) {
        bt_run_filter_free(s->filter);
        s->filter = fresh;
        free(s->filter_text);
        s->filter_text = text[strspn(text, " ")] ? bt_strdup(text) : NULL;
        runs_known_tick(v, s->now);
        runs_refresh(v);
    } else {
        bt_run_filter_free(fresh);
        s->filter_fault = bt_strdup(err.text); /* the last good one stays */
    }
    app_redraw(v->app);
}

static void filter_changed(void *ctx, const char *text)
{
    runs_set_filter(ctx, text);
}

static void filter_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    s->asking = false;
    runs_set_filter(v, text ? text : "");
    if (s->filter_fault) app_say(v->app, ROLE_BAD, "%s", s->filter_fault);
    free(s->filter_fault);
    s->filter_fault = NULL;
}

static void filter_complete(void *ctx, const char *before, struct bt_str *out)
{
    struct view *v = ctx;
    bt_run_filter_complete(before, app_runs(v->app), runs_of(v)->known, out);
}

void runs_ask_filter(struct view *v)
{
    struct runs_view *s = runs_of(v);
    struct app_prompt p = {.what = "filter: ",
                           .initial = s->filter_text,
                           .history = "runs-filter",
                           .done = filter_done,
                           .changed = filter_changed,
                           .complete = filter_complete,
                           .ctx = v};
    s->asking = true;
    runs_known_tick(v, s->now);
    app_ask(v->app, &p);
}
