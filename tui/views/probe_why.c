/* Why the first model says what it says: each token with what it adds beneath it. Computed on a worker once nobody types any more; typing on ends it. */
#include "tui/views/probe_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 7, /* columns of a token, at least */ WIDEST = 24 };

static struct probe_why *why_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->why;
}

/* ── computing ── */

static void order_free(void *order)
{
    struct bt_explain_spec *how = order;
    if (how) free((char *)how->target);
    free(how);
}

static void *order(const struct view *v)
{
    const struct bt_explain_spec *how = &why_of(v)->how;
    struct bt_explain_spec *copy = malloc(sizeof *copy);
    if (!copy) return NULL;
    *copy = *how;
    copy->target = bt_strdup(how->target);
    copy->together = PROBE_TOGETHER;
    if (copy->target || !how->target) return copy;
    order_free(copy);
    return NULL;
}

static void *run(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace)
{
    struct bt_explain_spec how = *(const struct bt_explain_spec *)order;
    how.cancel = &pace->stop;
    how.progress = probe_pace_progress;
    how.ctx = pace;
    return probe_explain(c, w, &how);
}

static void result_free(void *result)
{
    probe_explained_free(result);
}

static const struct probe_work_ops work = {
    .order = order, .order_free = order_free, .run = run, .result_free = result_free};

void probe_why_open(struct probe_view *s)
{
    s->why.work = (struct probe_work){.ops = &work, .due = true};
    s->why.how.method = BT_EXPLAIN_INTEGRATED;
}

/* ── keys ── */

static void changed(struct view *v)
{
    struct probe_view *s = v->state;
    probe_work_changed(&s->why.work, false);
    if (s->below != BELOW_WHY) probe_below_show(v, BELOW_WHY);
    v->focus = PROBE_KEPT;
    app_redraw(v->app);
    probe_below_go(v);
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
    const struct probe_explained *found = w->work.found;
    const struct bt_explanation *x = found ? found->x : NULL;
    if (x && ((struct probe_view *)v->state)->below == BELOW_WHY && w->how.method == BT_EXPLAIN_ATTENTION) {
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
    const struct probe_work *w = &s->why.work;
    const struct probe_explained *found = w->found;
    int done, all;
    if (probe_work_progress(w, &done, &all)) {
        if (all)
            sheet_print(d, ROLE_DIM, 1, "explaining: %d of %d …", done, all);
        else
            sheet_print(d, ROLE_DIM, 1, "explaining …");
    } else if (!found) {
        sheet_print(d, ROLE_DIM, 1, "%s", "A text is explained here as soon as nobody types.");
    }
    if (!found) return;
    if (found->error) {
        sheet_wrap(d, ROLE_BAD, 1, found->error, strlen(found->error));
        return;
    }
    tell_head(d, found);
    tell_tokens(d, found);
}

static void draw(struct view *v, struct rect r)
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
    if (w->work.found && (w->work.due || w->work.job)) term_shade(t, in, ROLE_DIM);
}

static bool act(struct view *v, int action, int count)
{
    if (action == ACT_ENTER) {
        v->focus = PROBE_TEXT;
        return true;
    }
    return sheet_act(&why_of(v)->sheet, action, count);
}

static void mouse(struct view *v, const struct event *e)
{
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
        sheet_scroll(&why_of(v)->sheet, e->button == MOUSE_WHEEL_UP ? -1 : 1);
}

static void hints(const struct view *v, struct bt_str *out)
{
    (void)v;
    bt_str_add(out, "i type  E method  t target  o logit/prob.  w words  e kept");
}

const struct probe_below_ops probe_below_why = {.draw = draw, .act = act, .mouse = mouse, .hints = hints};

void probe_why_free(struct probe_view *s)
{
    probe_work_free(&s->why.work);
    sheet_free(&s->why.sheet);
    free((char *)s->why.how.target);
}
