/* What the values would lead to, and the launch. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── prediction ── */

static const double QUIET_S = 0.4; /* so long must nothing have been changed */

void exp_check_clear(struct exp_check *c)
{
    bt_check_free(c->result);
    free(c->fault);
    *c = (struct exp_check){.fault_field = FORM_NO_FIELD};
}

struct checking {
    struct view *v;
    struct bt_experiment *x;
    uint64_t version;
    struct bt_check *result;
    enum bt_status status;
    struct bt_error err;
};

static void run_check(void *ctx, const atomic_bool *cancel)
{
    struct checking *c = ctx;
    if (atomic_load(cancel)) return;
    c->status = bt_check(c->x, true, &c->result, &c->err);
}

/* The option that a message is about. */
static size_t field_of(const char *text)
{
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        const char *at = strstr(text, o[i].key);
        size_t n = strlen(o[i].key);
        if (at && (at == text || at[-1] == ' ') && (at[n] == ':' || at[n] == ' ' || !at[n])) return i;
    }
    return FORM_NO_FIELD;
}

/* "x.yaml:9: data.train_file: no such file" at its field: what the screen shows already goes. */
static const char *said_of(const struct checking *c, size_t field)
{
    const char *p = c->err.text, *path = c->x->path,
               *key = field == FORM_NO_FIELD ? NULL : bt_options(NULL)[field].key;
    size_t n = path ? strlen(path) : 0;
    if (!key) return p;
    if (n && strncmp(p, path, n) == 0) {
        p += n;
        if (p[0] == ':' && p[1] != ' ') p += 1 + strspn(p + 1, "0123456789");
        p += strspn(p, ": ");
    }
    n = strlen(key);
    return strncmp(p, key, n) == 0 && strncmp(p + n, ": ", 2) == 0 ? p + n + 2 : c->err.text;
}

static void checked(void *ctx, bool cancelled)
{
    struct checking *c = ctx;
    struct exp_view *s = exp_of(c->v);
    if (!cancelled && c->version == form_version(s->form)) {
        bt_check_free(s->check.result);
        free(s->check.fault);
        s->check.result = c->result;
        c->result = NULL;
        s->check.fault_field = c->status ? field_of(c->err.text) : FORM_NO_FIELD;
        s->check.fault = c->status ? bt_strdup(said_of(c, s->check.fault_field)) : NULL;
        s->check.version = c->version;
        app_redraw(c->v->app);
    }
    bt_check_free(c->result);
    bt_experiment_free(c->x);
    free(c);
}

void exp_check_tick(struct view *v, double now)
{
    struct exp_view *s = exp_of(v);
    uint64_t version = form_version(s->form);
    if (version != s->check.seen) {
        s->check.seen = version;
        s->check.seen_at = now;
    }
    if (!s->ready || version == s->check.version || now - s->check.seen_at < QUIET_S ||
        form_faults(s->form) || app_pending(v->app, &s->check))
        return;
    struct checking *c = calloc(1, sizeof *c);
    if (!c) return;
    c->v = v;
    c->version = version;
    struct app_task t = {.run = run_check, .done = checked, .ctx = c, .owner = &s->check};
    if (bt_experiment_copy(form_values(s->form), &c->x, NULL) == BT_OK && app_submit(v->app, &t)) {
        app_redraw(v->app);
        return;
    }
    checked(c, true);
}

/* ── launch ── */

struct launch {
    struct view *v;
    char *experiment; /* path */
    bool temporary;   /* the file is ours and goes away */
    char *text;       /* of a temporary file */
    size_t n;
    char *runs_dir;
    char **set;
    size_t n_set;
    char *dir;
    uint64_t version;
    enum bt_status status;
    struct bt_error err;
};

static void launch_free(struct launch *l)
{
    for (size_t i = 0; i < l->n_set; i++) free(l->set[i]);
    free(l->set);
    free(l->experiment);
    free(l->text);
    free(l->runs_dir);
    free(l->dir);
    free(l);
}

static void run_launch(void *ctx, const atomic_bool *cancel)
{
    struct launch *l = ctx;
    (void)cancel;
    if (l->temporary) l->status = bt_file_replace(l->experiment, l->text, l->n, &l->err);
    struct bt_launch how = {.experiment = l->experiment,
                            .set = (const char *const *)l->set,
                            .n_set = l->n_set,
                            .runs_dir = l->runs_dir};
    if (!l->status) l->status = bt_run_launch(&how, &l->dir, &l->err);
    if (l->temporary) unlink(l->experiment);
}

void exp_say_failed_launch(struct view *v, const struct bt_error *err)
{
    size_t field = field_of(err->text);
    if (field != FORM_NO_FIELD && !exp_of(v)->edit) exp_go_to(v, field);
    app_say_error(v->app, err);
}

static void launched(void *ctx, bool cancelled)
{
    struct launch *l = ctx;
    struct app *a = l->v->app;
    if (!cancelled && l->status) {
        exp_say_failed_launch(l->v, &l->err);
    } else if (!cancelled) {
        exp_of(l->v)->launched = l->version;
        app_choose_run(a, l->dir);
        app_refresh(a);
        if (app_in_front(a, l->v)) app_open(a, VIEW_CHARTS, NULL);
        app_say(a, ROLE_GOOD, "%s launched; it goes on when you leave", bt_path_base(l->dir));
    }
    launch_free(l);
}

/* Values that are not in the saved file go along one by one. */
static bool add_changes(struct launch *l, const struct form *f)
{
    const struct bt_option *o = bt_options(NULL);
    l->set = calloc(BT_OPTIONS, sizeof *l->set);
    for (size_t i = 0; l->set && i < BT_OPTIONS; i++) {
        struct bt_str text = {.data = NULL};
        if (bt_experiment_equal(form_values(f), form_saved_values(f), &o[i])) continue;
        bt_str_addf(&text, "%s=", o[i].key);
        bt_experiment_get(form_values(f), &o[i], &text);
        if (!(l->set[l->n_set] = bt_str_take(&text))) return false;
        l->n_set++;
    }
    return l->set != NULL;
}

static struct launch *prepare(struct view *v)
{
    const struct form *f = exp_of(v)->form;
    struct launch *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    const char *text = form_text(f, &l->n);
    bool fine = true;
    l->v = v;
    l->version = form_version(f);
    l->temporary = !form_path(f);
    l->experiment = l->temporary ? exp_state_path("launch", text) : bt_strdup(form_path(f));
    if (l->temporary)
        l->text = bt_strndup(text, l->n);
    else
        fine = add_changes(l, f);
    if (!form_values(f)->set[BT_OPTION_run_output_dir]) l->runs_dir = bt_strdup(app_runs_dir(v->app));
    if (fine && l->experiment && (l->text || !l->temporary)) return l;
    launch_free(l);
    return NULL;
}

/* Nothing that is known to be wrong is launched. */
bool exp_fit_to_launch(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (form_faults(s->form)) {
        struct form_fault fault = form_fault(s->form, 0);
        if (fault.field != FORM_NO_FIELD) {
            exp_go_to(v, fault.field);
            app_say(v->app, ROLE_BAD, "%s: %s", bt_options(NULL)[fault.field].key, fault.text);
        } else {
            app_say(v->app, ROLE_BAD, "%s", fault.text);
        }
        return false;
    }
    if (s->check.fault && s->check.version == form_version(s->form)) {
        exp_go_to(v, s->check.fault_field);
        app_say(v->app, ROLE_BAD, "not launched: %s", s->check.fault);
        return false;
    }
    return true;
}

void exp_launch(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (!s->ready || !exp_fit_to_launch(v)) return;
    struct launch *l = prepare(v);
    struct app_task t = {.run = run_launch, .done = launched, .ctx = l, .owner = v->state};
    if (l && l->n_set)
        app_say(v->app, ROLE_TEXT, "launching with %zu unsaved change%s …", l->n_set,
                l->n_set == 1 ? "" : "s");
    else
        app_say(v->app, ROLE_TEXT, "launching …");
    if (l && app_submit(v->app, &t)) return;
    if (l) launch_free(l);
    app_say(v->app, ROLE_BAD, "no memory");
}
