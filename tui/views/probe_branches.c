/* The tree of the texts that were asked: each with what differs from the one that it was made of, in the text and in the answer. Enter goes to one. */
#include "tui/views/probe_view.h"

#include "tui/empty.h"
#include <stdlib.h>
#include <string.h>

enum { REST = 2 /* ticks without a key, then a text counts as asked */, LEAST = 3 /* lines of the list */ };

static struct probe_branches *branches_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->branches;
}

/* ── what was asked ── */

/* The node under the cursor; −1: there is none. */
static int node_at(const struct probe_branches *w, size_t row)
{
    return row < w->n_order && w->order[row].node < w->tree.n ? w->order[row].node : -1;
}

static void put_in_order(struct probe_branches *w)
{
    struct probe_branch *order = calloc((size_t)w->tree.n + 1, sizeof *order);
    if (!order || !probe_tree_order(&w->tree, order)) {
        free(order);
        order = NULL;
    }
    free(w->order);
    w->order = order;
    w->n_order = order ? (size_t)w->tree.n : 0;
    list_resize(&w->list, w->n_order);
    for (size_t i = 0; i < w->n_order; i++)
        if (w->order[i].node == w->tree.at) w->list.cursor = i;
    list_resize(&w->list, w->n_order); /* the cursor is in sight */
}

void probe_branches_changed(struct probe_view *s, bool typing)
{
    s->branches.wait = typing ? REST : 0;
    s->branches.due = true;
}

void probe_branches_tick(struct view *v)
{
    struct probe_view *s = v->state;
    struct probe_branches *w = &s->branches;
    const struct probe_answer *a = s->found && s->found->n ? &s->found->answer[0] : NULL;
    if (w->wait > 0) w->wait--;
    if (!w->due || w->wait || s->busy || s->stale || !a || a->error || !a->tokens) return;
    w->due = false;
    if (!probe_tree_note(&w->tree, s->found->text, s->found->pair, a, s->dir[0])) {
        app_say(v->app, ROLE_BAD, "no memory to note the text");
        return;
    }
    put_in_order(w);
    if (s->below == BELOW_TREE) app_redraw(v->app);
}

/* ── drawing ── */

static const struct list_column columns[] = {{.title = "", .min = 1, .max = 1},
                                             {.title = "text", .min = 16},
                                             {.title = "answer", .min = 14, .max = 34, .drop = 1}};
enum { HERE, TEXT, ANSWER };

static void add_text(struct bt_str *out, const struct probe_tree *t, const struct probe_node *x)
{
    const struct probe_node *p = x->parent >= 0 ? &t->node[x->parent] : NULL;
    const size_t before = out->len;
    if (!p) {
        bt_str_addf(out, "%s%s%s", x->text, x->pair ? " / " : "", x->pair ? x->pair : "");
        return;
    }
    probe_words_changed(p->text, x->text, out);
    struct bt_str pair = {0};
    probe_words_changed(p->pair ? p->pair : "", x->pair ? x->pair : "", &pair);
    if (pair.len) bt_str_addf(out, "%s/ %s", out->len > before ? " " : "", bt_str_text(&pair));
    if (out->len == before) bt_str_add(out, "(blanks)");
    bt_str_free(&pair);
}

static void add_answer(struct bt_str *out, const struct probe_tree *t, const struct probe_node *x)
{
    if (x->parent >= 0 && probe_answer_changed(&t->node[x->parent], x, out)) return;
    bt_str_add(out, x->said ? x->said : "");
    for (int i = 0; i < x->n; i++)
        if (x->label && strcmp(x->name[i], x->label) == 0) {
            bt_str_addf(out, " %.4f", x->score[i]);
            return;
        }
}

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct probe_branches *w = ctx;
    const int i = node_at(w, row);
    if (i < 0) return;
    const struct probe_node *x = &w->tree.node[i];
    if (i == w->tree.at) *role = ROLE_MARK;
    if (column == HERE) bt_str_add(out, i == w->tree.at ? "▸" : " ");
    for (int d = 0; column == TEXT && d < w->order[row].depth && d < 12; d++) bt_str_add(out, "  ");
    if (column == TEXT) add_text(out, &w->tree, x);
    if (column == ANSWER) add_answer(out, &w->tree, x);
}

static struct list_look look(const struct view *v)
{
    return (struct list_look){.column = columns,
                              .n_columns = 3,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = cell,
                              .ctx = branches_of(v)};
}

/* The whole text of the node under the cursor with what changed in it, and its answer. */
static void tell(const struct probe_branches *w, struct sheet *d)
{
    const int i = node_at(w, w->list.cursor);
    if (i < 0) return;
    const struct probe_node *x = &w->tree.node[i], *p = x->parent >= 0 ? &w->tree.node[x->parent] : x;
    struct bt_str line = {0};
    probe_words_marked(p->text, x->text, &line);
    sheet_wrap(d, ROLE_TEXT, 1, bt_str_text(&line), line.len);
    bt_str_clear(&line);
    probe_words_marked(p->pair ? p->pair : "", x->pair ? x->pair : "", &line);
    if (line.len) sheet_wrap(d, ROLE_TEXT, 1, bt_str_text(&line), line.len);
    bt_str_clear(&line);
    add_answer(&line, &w->tree, x);
    if (x->run && x->step >= 0) bt_str_addf(&line, ", step %lld", (long long)x->step);
    sheet_wrap(d, ROLE_DIM, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void draw(struct view *v, struct rect r)
{
    static const struct empty none = {
        .role = ROLE_TEXT,
        .missing = "No text has been asked yet.",
        .advice = {"Each that is becomes a line here, beneath the one that it was made of."}};
    struct probe_branches *w = branches_of(v);
    struct term *t = app_term(v->app);
    const struct rect in = term_box(t, r, "Edits", v->focus == PROBE_KEPT);
    if (!w->n_order) {
        empty_draw(t, in, &none);
        return;
    }
    const struct list_look how = look(v);
    sheet_begin(&w->sheet, in.w - 1);
    tell(w, &w->sheet);
    int under = sheet_rows(&w->sheet) < in.h / 2 ? sheet_rows(&w->sheet) : in.h / 2;
    if (in.h - under < LEAST) under = in.h > LEAST ? in.h - LEAST : 0;
    list_draw(t, (struct rect){.y = in.y, .x = in.x, .h = in.h - under, .w = in.w}, &w->list, &how);
    w->sheet.top = 0;
    if (under)
        sheet_draw(&w->sheet, t, (struct rect){.y = in.y + in.h - under, .x = in.x, .h = under, .w = in.w});
}

/* ── keys ── */

void probe_branches_show(struct view *v)
{
    probe_below_show(v, BELOW_TREE);
    v->focus = PROBE_KEPT;
}

/* The text of the node under the cursor; NULL: there is none. */
static const char *chosen(const struct view *v)
{
    const struct probe_branches *w = branches_of(v);
    const int i = node_at(w, w->list.cursor);
    return i < 0 ? NULL : w->tree.node[i].text;
}

static bool act(struct view *v, int action, int count)
{
    struct probe_branches *w = branches_of(v);
    const int i = node_at(w, w->list.cursor);
    if (action != ACT_ENTER) return list_act(&w->list, action, count);
    if (i < 0) return true;
    w->tree.at = i; /* an edit before the answer has come is one of this text too */
    probe_take_text(v, w->tree.node[i].text, w->tree.node[i].pair);
    return true;
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_branches *w = branches_of(v);
    const struct list_look how = look(v);
    bool activated = false;
    int title = -1;
    if (w->n_order && list_mouse(&w->list, e, &how, &activated, &title) && activated) act(v, ACT_ENTER, 1);
}

static void hints(const struct view *v, struct bt_str *out)
{
    (void)v;
    bt_str_add(out, "i type  Enter go to this text  e explain  v variants  b kept");
}

const struct probe_below_ops probe_below_tree = {
    .draw = draw, .act = act, .mouse = mouse, .hints = hints, .copied = chosen};

/* ── coming and going ── */

void probe_branches_open(struct probe_view *s)
{
    s->branches.tree.at = -1;
}

void probe_branches_free(struct probe_view *s)
{
    probe_tree_free(&s->branches.tree);
    sheet_free(&s->branches.sheet);
    free(s->branches.order);
}

void probe_branches_keep(const struct view *v, struct bt_json_writer *w)
{
    probe_tree_keep(&branches_of(v)->tree, w);
}

void probe_branches_restore(struct view *v, const struct bt_json *kept)
{
    struct probe_branches *w = branches_of(v);
    probe_tree_restore(&w->tree, kept);
    put_in_order(w);
}
