/* Texts that were kept: newest first, each once. */
#include "tui/views/probe_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 200 };

static void clear(struct probe_kept *k)
{
    free(k->text);
    free(k->pair);
    free(k->label);
}

void probe_kept_free(struct probe_view *s)
{
    for (size_t i = 0; i < s->n_kept; i++) clear(&s->kept[i]);
    free(s->kept);
    s->kept = NULL;
    s->n_kept = 0;
}

static void drop(struct probe_view *s, size_t i)
{
    clear(&s->kept[i]);
    memmove(s->kept + i, s->kept + i + 1, (s->n_kept - i - 1) * sizeof *s->kept);
    s->n_kept--;
    list_resize(&s->list, s->n_kept);
}

static bool same(const struct probe_kept *k, const char *text, const char *pair)
{
    return strcmp(k->text, text) == 0 && !k->pair == !pair && (!pair || strcmp(k->pair, pair) == 0);
}

static struct probe_kept make(const struct probe_view *s, const char *text, const char *pair)
{
    struct probe_kept k = {
        .text = bt_strdup(text), .pair = bt_strdup(pair), .step = -1, .score = (double)NAN};
    const struct probe_answer *a = s->found && s->found->n ? &s->found->answer[0] : NULL;
    if (a && !a->error && !s->stale) {
        struct bt_str said = {0};
        k.label = probe_answer_text(a, &said) ? bt_str_take(&said) : NULL;
        bt_str_free(&said);
        for (int i = a->n; i-- > 0;)
            if (a->said[i].chosen) k.score = a->said[i].label ? a->said[i].score : (double)NAN;
        k.step = a->step;
    }
    return k;
}

void probe_keep(struct view *v)
{
    struct probe_view *s = v->state;
    const char *text = edit_text(s->text), *pair = s->pair_shown ? edit_text(s->pair) : NULL;
    if (!*text && !(pair && *pair)) return;
    for (size_t i = 0; i < s->n_kept; i++)
        if (same(&s->kept[i], text, pair)) {
            drop(s, i);
            break;
        }
    if (s->n_kept == MOST) drop(s, MOST - 1);
    struct probe_kept *more = realloc(s->kept, (s->n_kept + 1) * sizeof *more);
    struct probe_kept k = more ? make(s, text, pair) : (struct probe_kept){.text = NULL};
    if (more) s->kept = more;
    if (!k.text) {
        app_say(v->app, ROLE_BAD, "no memory to keep the text");
        return;
    }
    memmove(s->kept + 1, s->kept, s->n_kept * sizeof *s->kept);
    s->kept[0] = k;
    s->n_kept++;
    list_resize(&s->list, s->n_kept);
    s->list.cursor = s->list.top = 0;
    app_say(v->app, ROLE_TEXT, "kept; Esc leaves the text for those that are kept");
}

static void put_back(struct view *v)
{
    struct probe_view *s = v->state;
    if (s->list.cursor < s->n_kept)
        probe_take_text(v, s->kept[s->list.cursor].text, s->kept[s->list.cursor].pair);
    v->focus = PROBE_TEXT;
}

void probe_kept_drop(struct view *v)
{
    struct probe_view *s = v->state;
    if (s->list.cursor < s->n_kept) drop(s, s->list.cursor);
}

/* ── the pane ── */

static const struct list_column columns[] = {{.title = "label", .min = 8, .max = 14},
                                             {.title = "p", .min = 6, .max = 6, .right = true},
                                             {.title = "step", .min = 5, .max = 7, .right = true, .drop = 1},
                                             {.title = "text", .min = 10}};
enum { LABEL, P, STEP, TEXT };

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct probe_kept *k = &((const struct probe_view *)ctx)->kept[row];
    (void)role;
    if (column == LABEL) bt_str_add(out, k->label ? k->label : "-");
    if (column == P && k->label && !isnan(k->score)) bt_str_addf(out, "%.4f", k->score);
    if (column == STEP && k->label) bt_str_addf(out, "%lld", (long long)k->step);
    if (column == TEXT) bt_str_addf(out, "%s%s%s", k->text, k->pair ? " / " : "", k->pair ? k->pair : "");
}

static struct list_look look_of(const struct view *v)
{
    return (struct list_look){.column = columns,
                              .n_columns = 4,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = cell,
                              .ctx = v->state};
}

static void draw(struct view *v, struct rect r)
{
    struct probe_view *s = v->state;
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, r, "Kept", v->focus == PROBE_KEPT);
    struct list_look look = look_of(v);
    if (s->n_kept)
        list_draw(t, in, &s->list, &look);
    else
        term_print(t, in, 0, 1, ROLE_DIM, "%s", "Enter keeps a text and its answer here.");
}

static bool act(struct view *v, int action, int count)
{
    if (action != ACT_ENTER) return list_act(&((struct probe_view *)v->state)->list, action, count);
    put_back(v);
    return true;
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_view *s = v->state;
    const struct list_look look = look_of(v);
    bool activated = false;
    int title = -1;
    if (s->n_kept && list_mouse(&s->list, e, &look, &activated, &title) && activated) put_back(v);
}

static void hints(const struct view *v, struct bt_str *out)
{
    (void)v;
    bt_str_add(out, "i type  Enter take this text  e explain  v variants  f flip  c checkpoint  m runs");
}

static const char *copied(const struct view *v)
{
    const struct probe_view *s = v->state;
    return s->list.cursor < s->n_kept ? s->kept[s->list.cursor].text : NULL;
}

const struct probe_below_ops probe_below_kept = {
    .draw = draw, .act = act, .mouse = mouse, .hints = hints, .copied = copied};
