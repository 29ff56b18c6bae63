/* A word's vectors in the text and in a kept one, layer by layer: what contextual means. */
#include "tui/views/probe_view.h"

#include "tui/signed_bar.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct probe_context *context_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->context;
}

/* ── computing ── */

/* The other text: the kept one under the cursor. */
struct order {
    char *text, *pair, *word; /* pair, word may be NULL */
};

static void order_free(void *order)
{
    struct order *o = order;
    if (!o) return;
    free(o->text);
    free(o->pair);
    free(o->word);
    free(o);
}

static const struct probe_kept *other(const struct view *v)
{
    const struct probe_view *s = v->state;
    return s->list.cursor < s->n_kept ? &s->kept[s->list.cursor] : NULL;
}

static void *order(const struct view *v)
{
    const struct probe_kept *k = other(v);
    struct order *o = k ? calloc(1, sizeof *o) : NULL;
    if (!o) return NULL;
    *o = (struct order){
        .text = bt_strdup(k->text), .pair = bt_strdup(k->pair), .word = bt_strdup(context_of(v)->word)};
    if (o->text) return o;
    order_free(o);
    return NULL;
}

static void *run(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace)
{
    const struct order *o = order;
    struct probe_layers *x = probe_layers(c, w, o->text, o->pair, o->word);
    if (x && !atomic_load(&pace->stop)) return x;
    probe_layers_free(x);
    return NULL;
}

static void result_free(void *result)
{
    probe_layers_free(result);
}

static const struct probe_work_ops work = {
    .order = order, .order_free = order_free, .run = run, .result_free = result_free};

/* ── keys ── */

static void word_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct probe_context *w = context_of(v);
    const struct probe_layers *x = w->work.found;
    if (!x || index < 0 || (size_t)index >= x->n) return;
    free(w->word);
    w->word = bt_strdup(x->word[index]);
    probe_work_changed(&w->work, false);
    probe_below_go(v);
}

static bool choose_word(struct view *v)
{
    const struct probe_layers *x = context_of(v)->work.found;
    if (x && x->n) app_choose(v->app, "Word", (const char *const *)x->word, x->n, word_chosen, v);
    return true;
}

/* ── drawing ── */

static const struct list_column columns[] = {{.title = "layer", .min = 5, .max = 5, .right = true},
                                             {.title = "cosine", .min = 6, .max = 6, .right = true},
                                             {.title = "others", .min = 6, .max = 6, .right = true},
                                             {.title = "", .min = 12, .max = 12, .drop = 1},
                                             {.title = "nearest there", .min = 14}};
enum { LAYER, COSINE, USUAL, BAR, NEAREST, BAR_COLUMNS = 12 };

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct probe_layers *x = ctx;
    const struct bt_context_layer *c = &x->layer[row];
    if (column == LAYER) bt_str_addf(out, row ? "%zu" : "words", row);
    if (column == COSINE) bt_str_addf(out, "%.3f", c->cosine);
    if (column == USUAL && !isnan(c->usual)) bt_str_addf(out, "%.3f", c->usual);
    if (column == BAR) signed_bar(out, fmax(0.0, c->cosine), BAR_COLUMNS, true);
    if (column == NEAREST) bt_str_addf(out, "%s %.3f", x->nearest[row], c->nearest_cosine);
    if (column == USUAL) *role = ROLE_DIM;
    if (column == COSINE) *role = ROLE_ACCENT;
}

static struct list_look look(const struct view *v, struct probe_layers *x)
{
    return (struct list_look){.column = columns,
                              .n_columns = 5,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = cell,
                              .ctx = x};
}

static void tell(const struct view *v, struct sheet *d)
{
    const struct probe_layers *x = context_of(v)->work.found;
    const struct probe_kept *k = other(v);
    if (!k) {
        static const char how[] = "Keep a text with Enter, then type another one that has a word of it: the "
                                  "vectors of that word in both are "
                                  "compared here, layer by layer.";
        sheet_wrap(d, ROLE_DIM, 1, how, strlen(how));
        return;
    }
    sheet_wrap(d, ROLE_DIM, 1, k->text, strlen(k->text));
    if (x && x->error) sheet_wrap(d, ROLE_BAD, 1, x->error, strlen(x->error));
    if (!x || x->error) return;
    if (x->n)
        sheet_print(d, ROLE_TEXT, 1, "“%s” here and there", x->word[x->chosen]);
    else
        sheet_print(d, ROLE_WARN, 1, "%s", "The two texts have no word in common.");
}

static void draw(struct view *v, struct rect r)
{
    struct probe_context *w = context_of(v);
    struct term *t = app_term(v->app);
    struct probe_layers *x = w->work.found;
    const struct rect in = term_box(t, r, "A word in two texts", v->focus == PROBE_KEPT);
    sheet_begin(&w->sheet, in.w - 1);
    tell(v, &w->sheet);
    const int rows = sheet_rows(&w->sheet), head = rows < in.h ? rows : in.h;
    sheet_draw(&w->sheet, t, (struct rect){.y = in.y, .x = in.x, .h = head, .w = in.w});
    if (!other(v) || !x || x->error || !x->n || head == in.h) return;
    const struct list_look how = look(v, x);
    list_resize(&w->list, (size_t)x->layers + 1);
    list_draw(t, (struct rect){.y = in.y + head, .x = in.x, .h = in.h - head, .w = in.w}, &w->list, &how);
    if (w->work.due || w->work.job) term_shade(t, in, ROLE_DIM);
}

static bool act(struct view *v, int action, int count)
{
    return action == ACT_ENTER ? choose_word(v) : list_act(&context_of(v)->list, action, count);
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_context *w = context_of(v);
    struct probe_layers *x = w->work.found;
    bool activated = false;
    int title = -1;
    if (!x || x->error || !x->n) return;
    const struct list_look how = look(v, x);
    if (list_mouse(&w->list, e, &how, &activated, &title) && activated) choose_word(v);
}

static void hints(const struct view *v, struct bt_str *out)
{
    (void)v;
    bt_str_add(out, "i type  Enter another word  L kept texts: the one under the cursor is compared with");
}

const struct probe_below_ops probe_below_context = {.draw = draw, .act = act, .mouse = mouse, .hints = hints};

void probe_context_open(struct probe_view *s)
{
    s->context.work = (struct probe_work){.ops = &work, .due = true};
}

void probe_context_free(struct probe_view *s)
{
    probe_work_free(&s->context.work);
    sheet_free(&s->context.sheet);
    free(s->context.word);
}
