#include "tui/views/predictions_filter.h"

#include <bertty/row_filter.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROW, GOLD, PREDICTED, CORRECT, CONFIDENCE, MARGIN, LOSS, F1, ERROR, TEXT, PAIR, TAGS, NOTE, COLUMNS };
static const char *const names[COLUMNS] = {[ROW] = "row",
                                           [GOLD] = "gold",
                                           [PREDICTED] = "predicted",
                                           [CORRECT] = "correct",
                                           [CONFIDENCE] = "confidence",
                                           [MARGIN] = "margin",
                                           [LOSS] = "loss",
                                           [F1] = "f1",
                                           [ERROR] = "error",
                                           [TEXT] = "text",
                                           [PAIR] = "pair",
                                           [TAGS] = "tags",
                                           [NOTE] = "note"};

static enum bt_status parse(const char *expression, struct bt_row_filter **f, struct bt_error *err)
{
    enum bt_status status = bt_row_filter_parse_names(expression, names, COLUMNS, f, NULL, err);
    if (status || !bt_row_filter_needs_pieces(*f)) return status;
    bt_row_filter_free(*f);
    *f = NULL;
    return bt_fail(err, BT_INVALID,
                   "filter: found pieces(), expected length(): predictions have no word pieces");
}

enum bt_status pred_filter_check(const char *expression, struct bt_error *err)
{
    struct bt_row_filter *f;
    enum bt_status status = parse(expression, &f, err);
    bt_row_filter_free(f);
    return status;
}

static void put_text(struct bt_filter_cells *c, size_t column, const char *text)
{
    bt_filter_cells_text(c, column, text, text ? strlen(text) : 0);
}

static void fill(struct bt_filter_cells *c, const struct bt_predictions *p, const struct bt_prediction *r)
{
    bt_filter_cells_number(c, ROW, (double)r->id);
    put_text(c, GOLD, r->gold_text);
    put_text(c, PREDICTED, r->predicted_text);
    bt_filter_cells_number(c, CORRECT, r->judged ? (double)r->correct : (double)NAN);
    bt_filter_cells_number(c, CONFIDENCE, (double)r->p);
    bt_filter_cells_number(c, MARGIN, r->scores ? (double)pred_margin(p, r) : (double)NAN);
    bt_filter_cells_number(c, LOSS, (double)r->loss);
    bt_filter_cells_number(c, F1, r->quality);
    bt_filter_cells_number(c, ERROR, r->value - r->gold_value);
}

static void fill_notes(struct bt_filter_cells *c, const struct bt_notes *n, struct bt_str *tags)
{
    bt_str_clear(tags);
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(tags, "%s%s", i ? " " : "", n->tag[i]);
    bt_filter_cells_text(c, TAGS, bt_str_text(tags), tags->len);
    put_text(c, NOTE, n ? n->note : NULL);
}

enum bt_status pred_filter_make(const char *expression, const struct bt_predictions *p,
                                const struct bt_examples *texts, const struct bt_row_notes *notes, bool **in,
                                struct bt_error *err)
{
    struct bt_row_filter *f;
    struct bt_filter_cells c;
    struct bt_str words = {0}, tags = {0};
    enum bt_status status = parse(expression, &f, err);
    *in = status ? NULL : calloc(p->n + 1, sizeof **in);
    if (!status && !*in) status = bt_fail(err, BT_NOMEM, "no memory for a filter");
    if (!status) bt_filter_cells_for(&c, f, COLUMNS);
    for (size_t i = 0; !status && i < p->n; i++) {
        fill(&c, p, &p->row[i]);
        fill_notes(&c, bt_row_notes_of(notes, p->row[i].id), &tags);
        bt_filter_cells_example(&c, TEXT, PAIR, pred_example(p, texts, &p->row[i]), p->kind == BT_ROWS_TAGS,
                                &words);
        (*in)[i] = bt_filter_cells_hold(&c);
    }
    bt_str_free(&words);
    bt_str_free(&tags);
    bt_row_filter_free(f);
    return status;
}
