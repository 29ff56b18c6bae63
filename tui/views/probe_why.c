/* Why the first model says what it says: each token with what it adds beneath it. Computed on a worker once nobody types any more; typing on ends it. */
#include "tui/views/probe_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAUSE = 2,      /* ticks without a key */
    TOGETHER = 256, /* tokens computed at once: an answer to the next key waits no longer than these take */
    CELL = 7,       /* columns of a token, at least */
    WIDEST = 24
};

struct why_job {
    struct view *view;
    struct probe_cache *cache;
    struct probe_wish *wish;
    struct bt_explain_spec how;
    char *target;
    atomic_bool stop; /* something else is asked */
    atomic_int done, all;
    const atomic_bool *cancelled; /* by the workbench */
    struct probe_explained *found;
};

static struct probe_why *why_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->why;
}

/* ── computing ── */

static void job_free(struct why_job *j)
{
    probe_wish_free(j->wish);
    probe_explained_free(j->found);
    free(j->target);
    free(j);
}

static void job_progress(void *ctx, int done, int all)
{
    struct why_job *j = ctx;
    if (atomic_load(j->cancelled)) atomic_store(&j->stop, true);
    atomic_store(&j->done, done);
    atomic_store(&j->all, all);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct why_job *j = ctx;
    j->cancelled = cancel;
    if (atomic_load(cancel)) return;
    j->found = probe_explain(j->cache, j->wish, &j->how);
}

static void job_done(void *ctx, bool cancelled)
{
    struct why_job *j = ctx;
    struct view *v = j->view;
    struct probe_why *w = why_of(v);
    w->job = NULL;
    if (!cancelled && !atomic_load(&j->stop) && j->found) {
        struct probe_explained *old = w->found;
        w->found = j->found;
        j->found = old;
        app_redraw(v->app);
    }
    job_free(j);
    if (!cancelled) probe_why_go(v);
}

static struct why_job *job_new(struct view *v)
{
    const struct probe_view *s = v->state;
    struct why_job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct why_job){.view = v,
                          .cache = s->cache,
                          .wish = probe_wish_of(v),
                          .how = s->why.how,
                          .target = bt_strdup(s->why.how.target)};
    atomic_init(&j->stop, false);
    atomic_init(&j->done, 0);
    atomic_init(&j->all, 0);
    j->how.target = j->target;
    j->how.together = TOGETHER;
    j->how.cancel = &j->stop;
    j->how.progress = job_progress;
    j->how.ctx = j;
    if (j->wish && (j->target || !s->why.how.target)) return j;
    job_free(j);
    return NULL;
}

void probe_why_go(struct view *v)
{
    struct probe_view *s = v->state;
    struct probe_why *w = &s->why;
    if (!w->on || !w->due || w->wait > 0 || w->job || s->busy || s->stale) return;
    if (!s->found || !s->found->n || s->found->answer[0].error || !s->found->answer[0].tokens) return;
    struct why_job *j = job_new(v);
    if (!j) return;
    const struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = v};
    w->due = false;
    w->job = j;
    if (!app_submit(v->app, &task)) {
        w->job = NULL;
        job_free(j);
    }
    app_redraw(v->app);
}

void probe_why_changed(struct probe_view *s, bool typing)
{
    s->why.due = true;
    s->why.wait = typing ? PAUSE : 0;
    if (s->why.job) atomic_store(&s->why.job->stop, true);
}

void probe_why_tick(struct view *v)
{
    struct probe_why *w = why_of(v);
    if (w->wait > 0) w->wait--;
    if (w->job && w->on) app_redraw(v->app); /* its progress */
    probe_why_go(v);
}

/* ── keys ── */

static void changed(struct view *v)
{
    struct probe_view *s = v->state;
    if (!s->why.on) s->why.sheet.top = 0;
    s->why.on = true;
    v->focus = PROBE_KEPT;
    probe_why_changed(s, false);
    app_redraw(v->app);
    probe_why_go(v);
}

void probe_why_toggle(struct view *v)
{
    struct probe_why *w = why_of(v);
    if (!w->on) {
        changed(v);
        return;
    }
    w->on = false;
    if (w->job) atomic_store(&w->job->stop, true);
    w->due = true;
}

static void method_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    if (index < 0 || index >= BT_EXPLAIN_METHODS) return;
    why_of(v)->how.method = (enum bt_explain_method)index;
    why_of(v)->how.layer = why_of(v)->how.head = 0;
    changed(v);
}

void probe_why_method(struct view *v)
{
    app_choose(v->app, "Explain by", bt_explain_methods, BT_EXPLAIN_METHODS, method_chosen, v);
}

/* The n-th name that can be asked for. */
static const char *name_at(const struct probe_answer *a, int index)
{
    for (int i = 0; i < a->n; i++)
        if (a->said[i].label && *a->said[i].label && index-- == 0) return a->said[i].label;
    return NULL;
}

static void target_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    const struct probe_view *s = v->state;
    struct probe_why *w = why_of(v);
    if (index < 0 || !s->found || !s->found->n) return;
    const char *name = index ? name_at(&s->found->answer[0], index - 1) : NULL;
    char *copy = bt_strdup(name);
    free((char *)w->how.target);
    w->how.target = copy;
    changed(v);
}

void probe_why_target(struct view *v)
{
    const struct probe_view *s = v->state;
    const struct probe_answer *a = s->found && s->found->n ? &s->found->answer[0] : NULL;
    const bool tags = a && a->task == BT_TYPE_NER;
    size_t n = 1;
    const char **item = calloc((a ? (size_t)a->n : 0) + 1, sizeof *item);
    if (item) item[0] = "what the model decides for";
    for (const char *name; item && a && !tags && (name = name_at(a, (int)n - 1)); n++) item[n] = name;
    if (tags || n == 1)
        app_say(v->app, ROLE_TEXT,
                tags ? "the tag of the first entity's first word is explained"
                     : "there is nothing to choose: see what is explained with e");
    else if (item)
        app_choose(v->app, "Explain", item, n, target_chosen, v);
    free(item);
}

void probe_why_words(struct view *v)
{
    struct probe_why *w = why_of(v);
    w->how.words = !w->how.words;
    changed(v);
}

void probe_why_of(struct view *v)
{
    struct probe_why *w = why_of(v);
    w->how.of = w->how.of == BT_EXPLAIN_LOGIT ? BT_EXPLAIN_PROBABILITY : BT_EXPLAIN_LOGIT;
    changed(v);
}

/* The layers go from 1 to the last, the heads from 0, their mean. Another method becomes attention. */
void probe_why_look(struct view *v, int layers, int heads)
{
    struct probe_why *w = why_of(v);
    const struct bt_explanation *x = w->found ? w->found->x : NULL;
    if (x && w->on && w->how.method == BT_EXPLAIN_ATTENTION) {
        const int last = x->layers, layer = (w->how.layer ? w->how.layer : last) + layers;
        w->how.layer = layer < 1 ? last : layer > last ? 1 : layer;
        w->how.head = (w->how.head + heads + x->heads + 1) % (x->heads + 1);
    }
    w->how.method = BT_EXPLAIN_ATTENTION;
    changed(v);
}

/* ── drawing ── */

static bool is_share(const struct probe_explained *e)
{
    return e->method == BT_EXPLAIN_ATTENTION || e->method == BT_EXPLAIN_ROLLOUT;
}

/* [CLS] and [SEP], where attention rests, do not count. */
static double largest(const struct bt_explanation *x)
{
    double most = 0.0;
    for (size_t i = 0; i < x->n; i++)
        if (!x->item[i].special) most = fmax(most, fabs(x->item[i].score));
    return most;
}

static int cell_width(const struct bt_explained *e)
{
    const int w = bt_text_width(e->text, strlen(e->text));
    return (w < CELL ? CELL : w > WIDEST ? WIDEST : w) + 1;
}

static enum role role_of(const struct bt_explained *e, double share)
{
    if (e->special || fabs(share) < 0.1) return ROLE_DIM;
    return share > 0.0 ? ROLE_GOOD : ROLE_BAD;
}

/* What small scores are multiplied by, so that they can be read: a power of ten, which the head names. */
static double unit_of(double most)
{
    return most > 0.0 && most < 0.01 ? pow(10.0, floor(log10(most))) : 1.0;
}

/* "+0.90▇": the sign tells for or against, the block how much of the largest. */
static void number(struct bt_str *out, double score, double most, bool sign)
{
    static const char *const block[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double share = most > 0.0 ? fmin(fabs(score) / most, 1.0) : 0.0, unit = unit_of(most);
    const int decimals = most >= 10.0 ? 1 : most >= 0.1 || unit < 1.0 ? 2 : 3;
    bt_str_clear(out);
    bt_str_addf(out, sign ? "%+.*f" : "%.*f", decimals, score / unit);
    bt_str_add(out, block[(int)(share * 8.0 + 0.5)]);
}

static void tell_head(struct sheet *d, const struct probe_explained *e)
{
    const struct bt_explanation *x = e->x;
    sheet_print(d, ROLE_MARK, 1, "%s of %s: %.4f", x->probability ? "probability" : "logit", x->target,
                x->value);
    struct bt_str how = {0};
    bt_str_add(&how, bt_explain_methods[e->method]);
    if (e->method == BT_EXPLAIN_INTEGRATED && isnan(x->error))
        bt_str_add(&how, ": the text is what it starts from, nothing differs");
    else if (e->method == BT_EXPLAIN_INTEGRATED)
        bt_str_addf(&how, ", %d steps, completeness error %.2f %%%s", x->steps, 100.0 * x->error,
                    x->capped ? ": no more steps are taken" : "");
    if (e->method == BT_EXPLAIN_ATTENTION) {
        bt_str_addf(&how, " of layer %d of %d, ", x->layer, x->layers);
        if (x->head)
            bt_str_addf(&how, "head %d of %d", x->head, x->heads);
        else
            bt_str_addf(&how, "mean of %d heads", x->heads);
    }
    if (unit_of(largest(x)) < 1.0) bt_str_addf(&how, "; scores in %.0e", unit_of(largest(x)));
    if (x->windows > 1) bt_str_addf(&how, "; window %d of %d", x->window, x->windows);
    if (x->truncated) bt_str_addf(&how, "; cut to %d tokens", x->tokens);
    sheet_wrap(d, x->capped ? ROLE_WARN : ROLE_DIM, 1, bt_str_text(&how), how.len);
    bt_str_free(&how);
}

static void put(struct sheet *d, bool first, enum role role, int at, const char *text, int width)
{
    struct bt_str fit = {0};
    bt_text_fit(&fit, text, strlen(text), width);
    if (first)
        sheet_print(d, role, at, "%s", bt_str_text(&fit));
    else
        sheet_join(d, role, at, "%s", bt_str_text(&fit));
    bt_str_free(&fit);
}

/* Tokens [from, to) in a line, and beneath it what each adds. */
static void tell_line(struct sheet *d, const struct bt_explanation *x, size_t from, size_t to, bool sign)
{
    const double most = largest(x);
    struct bt_str text = {0};
    for (int row = 0; row < 2; row++)
        for (size_t i = from, at = 1; i < to; at += (size_t)cell_width(&x->item[i]), i++) {
            const struct bt_explained *e = &x->item[i];
            const enum role role = role_of(e, most > 0.0 ? e->score / most : 0.0);
            if (row == 1) number(&text, e->score, most, sign);
            put(d, i == from,
                row == 1     ? role
                : e->special ? ROLE_DIM
                             : ROLE_TEXT,
                (int)at, row == 1 ? bt_str_text(&text) : e->text, cell_width(e) - 1);
        }
    bt_str_free(&text);
}

static void tell_tokens(struct sheet *d, const struct probe_explained *e)
{
    const struct bt_explanation *x = e->x;
    for (size_t from = 0, to; from < x->n; from = to) {
        int width = 1;
        for (to = from; to < x->n; to++) {
            if (to > from && width + cell_width(&x->item[to]) > d->width) break;
            width += cell_width(&x->item[to]);
        }
        tell_line(d, x, from, to, !is_share(e));
    }
}

static void tell(struct probe_view *s, struct sheet *d)
{
    const struct probe_why *w = &s->why;
    if (w->job && !atomic_load(&w->job->stop)) {
        const int all = atomic_load(&w->job->all);
        if (all)
            sheet_print(d, ROLE_DIM, 1, "explaining: %d of %d …", atomic_load(&w->job->done), all);
        else
            sheet_print(d, ROLE_DIM, 1, "explaining …");
    } else if (!w->found) {
        sheet_print(d, ROLE_DIM, 1, "%s", "A text is explained here as soon as nobody types.");
    }
    if (!w->found) return;
    if (w->found->error) {
        sheet_wrap(d, ROLE_BAD, 1, w->found->error, strlen(w->found->error));
        return;
    }
    tell_head(d, w->found);
    tell_tokens(d, w->found);
}

void probe_why_draw(struct view *v, struct rect r)
{
    struct probe_view *s = v->state;
    struct probe_why *w = &s->why;
    struct term *t = app_term(v->app);
    const struct rect in = term_box(t, r, "Explanation", v->focus == PROBE_KEPT);
    const int top = w->sheet.top;
    sheet_begin(&w->sheet, in.w - 1);
    tell(s, &w->sheet);
    w->sheet.top = top;
    sheet_draw(&w->sheet, t, in);
    if (w->found && (w->due || w->job)) term_shade(t, in, ROLE_DIM);
}

void probe_why_free(struct probe_view *s)
{
    probe_explained_free(s->why.found);
    sheet_free(&s->why.sheet);
    free((char *)s->why.how.target);
}
