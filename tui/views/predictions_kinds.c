/* The columns of each kind of rows: what stands in them and what they are sorted by. */
#include "tui/views/predictions_spans.h"
#include "tui/views/predictions_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 2000 /* bytes in a cell */ };

typedef void cell_fn(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                     enum role *role);

struct column {
    struct list_column look;
    cell_fn *cell;         /* NULL: no more columns */
    enum pred_order order; /* PRED_ORDERS: it is not sorted by this */
    bool of_example;       /* missing where the texts cannot be had */
};

/* ── cells ── */

static bool wrong_row(const struct pred_view *s, const struct bt_prediction *r)
{
    return pred_wrong(s->p, &s->facts, r);
}

static void row_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                     enum role *role)
{
    (void)s;
    (void)role;
    bt_str_addf(out, "%" PRId64, r->id);
}

static void gold_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                      enum role *role)
{
    (void)s;
    if (r->gold_text)
        bt_str_add(out, r->gold_text);
    else
        bt_str_add(out, r->judged ? "(none)" : "-");
    if (!r->gold_text || !*r->gold_text) *role = ROLE_DIM;
}

static void predicted_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                           enum role *role)
{
    bool wrong = wrong_row(s, r);
    const char *text = r->predicted_text ? r->predicted_text : "";
    bt_str_addf(out, "%s%s", wrong ? "✗ " : "  ", *text ? text : "(none)");
    if (wrong) *role = ROLE_BAD;
}

static void p_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                   enum role *role)
{
    (void)s;
    (void)role;
    if (!isnan(r->p)) bt_str_addf(out, "%.3f", (double)r->p);
}

static void margin_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                        enum role *role)
{
    (void)role;
    bt_str_addf(out, "%.3f", (double)pred_margin(s->p, r));
}

static void loss_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                      enum role *role)
{
    (void)s;
    (void)role;
    if (!isnan(r->loss)) bt_str_addf(out, "%.3f", (double)r->loss);
}

static void add_part(struct bt_str *out, const char *text, size_t n, const char *before)
{
    if (!text) return;
    bt_str_add(out, before);
    bt_str_addn(out, text, n < MOST_TEXT ? n : MOST_TEXT);
}

/* "#odd #check ✎ " before the text. */
static void add_tags(struct bt_str *out, const struct bt_notes *n)
{
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(out, "#%s ", n->tag[i]);
    if (n && n->note) bt_str_add(out, "✎ ");
}

static void text_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                      enum role *role)
{
    const struct bt_example *x = pred_example(s->p, s->texts ? s->texts->examples : NULL, r);
    (void)role;
    add_tags(out, bt_row_notes_of(&s->notes, r->id));
    if (!x) return;
    bool aspect = s->texts->kind == BT_EXAMPLE_ASPECT; /* it tells rows of one sentence apart */
    if (aspect && x->pair) bt_str_addf(out, "⟦%s⟧ ", x->pair);
    add_part(out, x->text, x->text_n, "");
    if (s->p->kind != BT_ROWS_ANSWERS && !aspect) add_part(out, x->pair, x->pair_n, " | ");
    for (uint32_t i = 0; s->p->kind == BT_ROWS_LABELS && i < x->parts; i++)
        add_part(out, x->part[i].text, x->part[i].n, i ? " / " : " | ");
}

static void gold_number(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                        enum role *role)
{
    (void)s;
    (void)role;
    if (!isnan(r->gold_value)) bt_str_addf(out, "%.4g", r->gold_value);
}

static void number_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                        enum role *role)
{
    (void)s;
    (void)role;
    bt_str_addf(out, "%.4g", r->value);
}

static void error_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                       enum role *role)
{
    double error = r->value - r->gold_value;
    if (!isnan(error)) bt_str_addf(out, "%+.3f", error);
    if (wrong_row(s, r)) *role = ROLE_BAD;
}

static void mistakes_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                          enum role *role)
{
    unsigned n = s->facts.mistakes[r - s->p->row];
    bool wrong = wrong_row(s, r);
    if (n || wrong) bt_str_addf(out, "✗ %u", n);
    if (wrong) *role = ROLE_BAD;
}

static void f1_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                    enum role *role)
{
    (void)s;
    if (r->judged && !isnan(r->quality))
        bt_str_addf(out, "%s%3.0f", r->correct ? "  " : "✗ ", 100 * r->quality);
    if (r->judged && !r->correct) *role = ROLE_BAD;
}

static void set_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                     enum role *role)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    (void)role;
    pred_mark_set(out, bt_json_get(v, "gold_labels"), bt_json_get(v, "labels"));
    bt_json_free(v);
}

/* The sentence with what the model found. */
static void tags_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                      enum role *role)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    struct pred_entity *said = NULL;
    struct pred_marked m = {.n = 0};
    size_t n = 0;
    (void)role;
    if (pred_entities(bt_json_get(v, "tags"), &said, &n))
        pred_mark_entities(&m, bt_json_get(v, "tokens"), said, n, NULL, 0, false);
    bt_str_addn(out, bt_str_text(&m.text), m.text.len);
    pred_marked_free(&m);
    free(said);
    bt_json_free(v);
}

static void masks_cell(const struct pred_view *s, const struct bt_prediction *r, struct bt_str *out,
                       enum role *role)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    (void)role;
    bt_str_addf(out, "%" PRId64 " of %" PRId64, bt_json_int(bt_json_get(v, "right"), 0),
                bt_json_int(bt_json_get(v, "masked"), 0));
    bt_json_free(v);
}

/* ── the table ── */

#define ROW                                                                                                  \
    {                                                                                                        \
        .look = {.title = "row", .min = 6, .max = 9, .right = true}, .cell = row_cell, .order = PRED_BY_ROW  \
    }
#define CONFIDENCE                                                                                           \
    {                                                                                                        \
        .look = {.title = "conf.", .min = 7, .max = 7, .right = true, .drop = 2}, .cell = p_cell,            \
        .order = PRED_BY_CONFIDENCE                                                                          \
    }
#define LOSS                                                                                                 \
    {                                                                                                        \
        .look = {.title = "loss", .min = 7, .max = 7, .right = true, .drop = 1}, .cell = loss_cell,          \
        .order = PRED_BY_LOSS                                                                                \
    }
#define TEXT(name)                                                                                           \
    {                                                                                                        \
        .look = {.title = name, .min = 30}, .cell = text_cell, .order = PRED_ORDERS, .of_example = true      \
    }

static const struct column table[][PRED_COLUMNS] = {
    [BT_ROWS_LABELS] =
        {ROW,
         {.look = {.title = "gold", .min = 6, .max = 14}, .cell = gold_cell, .order = PRED_ORDERS},
         {.look = {.title = "predicted", .min = 9, .max = 16}, .cell = predicted_cell, .order = PRED_ORDERS},
         {.look = {.title = "conf.", .min = 7, .max = 7, .right = true},
          .cell = p_cell,
          .order = PRED_BY_CONFIDENCE},
         {.look = {.title = "margin", .min = 8, .max = 8, .right = true, .drop = 2},
          .cell = margin_cell,
          .order = PRED_BY_MARGIN},
         LOSS,
         TEXT("text")},
    [BT_ROWS_SETS] =
        {ROW,
         {.look = {.title = "wrong", .min = 7, .max = 7}, .cell = mistakes_cell, .order = PRED_BY_MISTAKES},
         {.look = {.title = "labels +extra −missing", .min = 24}, .cell = set_cell, .order = PRED_ORDERS},
         CONFIDENCE,
         LOSS,
         TEXT("text")},
    [BT_ROWS_NUMBERS] = {ROW,
                         {.look = {.title = "gold", .min = 8, .max = 9, .right = true},
                          .cell = gold_number,
                          .order = PRED_BY_GOLD},
                         {.look = {.title = "predicted", .min = 10, .max = 11, .right = true},
                          .cell = number_cell,
                          .order = PRED_BY_VALUE},
                         {.look = {.title = "error", .min = 9, .max = 9, .right = true},
                          .cell = error_cell,
                          .order = PRED_BY_ERROR},
                         TEXT("text")},
    [BT_ROWS_TAGS] =
        {ROW,
         {.look = {.title = "wrong", .min = 7, .max = 7}, .cell = mistakes_cell, .order = PRED_BY_MISTAKES},
         CONFIDENCE,
         LOSS,
         {.look = {.title = "sentence, as tagged", .min = 30}, .cell = tags_cell, .order = PRED_ORDERS}},
    [BT_ROWS_ANSWERS] =
        {ROW,
         {.look = {.title = "F1", .min = 6, .max = 6, .right = true},
          .cell = f1_cell,
          .order = PRED_BY_QUALITY},
         {.look = {.title = "gold", .min = 10, .max = 22}, .cell = gold_cell, .order = PRED_ORDERS},
         {.look = {.title = "predicted", .min = 12, .max = 24}, .cell = predicted_cell, .order = PRED_ORDERS},
         CONFIDENCE,
         TEXT("question")},
    [BT_ROWS_MASKS] = {ROW,
                       {.look = {.title = "right", .min = 10, .max = 12},
                        .cell = masks_cell,
                        .order = PRED_BY_MISTAKES},
                       LOSS,
                       TEXT("text")},
};

static int columns_of(enum bt_rows_kind kind)
{
    int n = 0;
    while (n < PRED_COLUMNS && table[kind][n].cell) n++;
    return n;
}

enum pred_order pred_column_order(enum bt_rows_kind kind, int column)
{
    return column < columns_of(kind) ? table[kind][column].order : PRED_ORDERS;
}

enum pred_order pred_first_order(enum bt_rows_kind kind)
{
    return kind == BT_ROWS_NUMBERS ? PRED_BY_ERROR : PRED_BY_ROW;
}

/* Labels' loss comes before confidence and margin: the order that the eye of somebody who looks for bad rows wants. */
enum pred_order pred_next_order(enum bt_rows_kind kind, enum pred_order now, int by)
{
    enum pred_order all[PRED_COLUMNS];
    int n = 0, at = 0;
    for (int o = 0; o < PRED_ORDERS; o++)
        for (int k = 0; k < columns_of(kind); k++)
            if ((int)table[kind][k].order == o) all[n++] = (enum pred_order)o;
    for (int k = 0; k < n; k++)
        if (all[k] == now) at = k;
    return all[(at + by % n + n) % n];
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct pred_view *s = ctx;
    table[s->p->kind][column].cell(s, &s->p->row[s->index[i]], out, role);
}

static bool descends(const struct pred_query *q)
{
    bool worst_is_most =
        q->order == PRED_BY_LOSS || q->order == PRED_BY_ERROR || q->order == PRED_BY_MISTAKES;
    return worst_is_most != q->reversed;
}

/* Long labels are told apart before the text gets the rest. */
static void fit_labels(const struct pred_view *s, const struct column *c, struct list_column *look)
{
    enum { LONG = 9, LEAST_TEXT = 18 };
    int width = pred_label_width(s, 14);
    if (c->cell == text_cell && width > LONG) look->min = LEAST_TEXT;
    if (c->cell == predicted_cell) width += 2;
    if (c->cell == gold_cell || c->cell == predicted_cell)
        look->min = width < look->min ? look->min : width < look->max ? width : look->max;
}

struct list_look pred_look(const struct view *v)
{
    struct pred_view *s = v->state;
    int n = 0, sorted = -1;
    for (int k = 0; k < columns_of(s->p->kind); k++) {
        const struct column *c = &table[s->p->kind][k];
        if (c->of_example && s->texts && !s->texts->examples) continue; /* the last one */
        s->column[n] = c->look;
        if (s->p->kind == BT_ROWS_LABELS) fit_labels(s, c, &s->column[n]);
        if (c->order == s->query.order) sorted = n;
        n++;
    }
    return (struct list_look){.column = s->column,
                              .n_columns = n,
                              .sorted = sorted,
                              .descending = descends(&s->query),
                              .focused = v->focus == PRED_LIST,
                              .cell = cell,
                              .ctx = s};
}
