#include "tui/commands/cli_rows.h"

#include "tui/commands/cli.h"
#include <bertty/json.h>
#include <bertty/row_order.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_BYTES = 8 << 20 };
static const size_t MOST_BYTES = (size_t)4 << 30; /* of memory to sort in */

struct work {
    struct bt_table *t;
    const char *path;
    const struct cli_rows *how;
    struct bt_row_filter *filter;
    struct bt_row_order *order;
    ptrdiff_t column; /* sorted by */
    struct bt_encoding encoding;
    struct bt_row row;
    struct bt_str line;
    size_t matching, printed;
};

/* ── one row ── */

static void tell_row(struct work *w, size_t row)
{
    struct bt_str *s = &w->line;
    bt_str_clear(s);
    bt_str_addf(s, "%zu", row + 1);
    for (size_t i = 0; i < w->row.n; i++) {
        bt_str_addc(s, '\t');
        bt_text_clean(s, w->row.cell[i], w->row.cell_n[i]);
    }
    cli_data(bt_str_text(s), s->len);
}

static void json_row(struct work *w, size_t row)
{
    struct bt_json_writer j = BT_JSON_WRITER(&w->line);
    size_t columns = bt_table_columns(w->t);
    bt_str_clear(&w->line);
    bt_jw_object(&j);
    bt_jw_kint(&j, "row", (int64_t)row + 1);
    bt_jw_kint(&j, "line", (int64_t)w->row.line);
    bt_jw_key(&j, "cells");
    bt_jw_object(&j);
    for (size_t i = 0; i < w->row.n; i++) {
        char *beyond = i < columns ? NULL : bt_strfmt("%zu", i + 1);
        bt_jw_key(&j, i < columns ? bt_table_column(w->t, i) : beyond ? beyond : "");
        bt_jw_textn(&j, w->row.cell[i], w->row.cell_n[i]);
        free(beyond);
    }
    bt_jw_end_object(&j);
    bt_jw_end_object(&j);
    cli_json(&w->line);
}

static enum bt_status print_row(struct work *w, size_t row, struct bt_error *err)
{
    if (w->how->limit >= 0 && w->printed >= (size_t)w->how->limit) return BT_OK;
    enum bt_status st = bt_table_row(w->t, row, &w->row, err);
    if (st && st != BT_INVALID) return st;
    w->printed++;
    (w->how->json ? json_row : tell_row)(w, row);
    return BT_OK;
}

/* Printed, or kept until all are known. */
static enum bt_status take_row(struct work *w, size_t row, struct bt_error *err)
{
    w->matching++;
    if (!w->order) return print_row(w, row, err);
    enum bt_status st = bt_table_row(w->t, row, &w->row, err);
    if (st && st != BT_INVALID) return st;
    bool there = !st && (size_t)w->column < w->row.n;
    return bt_row_order_add(w->order, row, there ? w->row.cell[w->column] : "",
                            there ? w->row.cell_n[w->column] : 0, err);
}

/* ── all of them ── */

static size_t count_pieces(void *ctx, const char *text, size_t n)
{
    struct work *w = ctx;
    bool ok = bt_tokenizer_ids(w->how->tokenizer, text, n, &w->encoding, NULL) == BT_OK;
    return ok ? w->encoding.n : 0;
}

static enum bt_status prepare(struct work *w, struct bt_error *err)
{
    const struct cli_rows *how = w->how;
    enum bt_status st = how->filter ? bt_row_filter_parse(how->filter, w->t, &w->filter, NULL, err) : BT_OK;
    if (st) return st;
    if (w->filter && bt_row_filter_needs_pieces(w->filter) && !how->tokenizer)
        return bt_fail(err, BT_INVALID, "filter: pieces() needs a --model");
    if (w->filter) bt_row_filter_pieces(w->filter, count_pieces, w);
    if (!how->sort) return BT_OK;
    w->column = bt_table_find_column(w->t, how->sort);
    if (w->column < 0) return bt_fail(err, BT_NOTFOUND, "%s: no column %s to sort by", w->path, how->sort);
    w->order = bt_row_order_create(how->reversed, MOST_BYTES);
    return w->order ? BT_OK : bt_fail(err, BT_NOMEM, "no memory to sort");
}

static enum bt_status interrupted(struct bt_error *err)
{
    return cli_interrupted() ? bt_fail(err, BT_CANCELLED, "interrupted") : BT_OK;
}

static enum bt_status scan(struct work *w, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (bool done = false; !done && !st;) {
        st = bt_table_scan(w->t, SLICE_BYTES, NULL, &done, err);
        if (!st) st = interrupted(err);
        cli_progress("reading %s: %.0f %%", w->path, bt_table_progress(w->t) * 100);
    }
    return st;
}

static enum bt_status look(struct work *w, struct bt_error *err)
{
    const struct bt_table_query q = {.filter = w->filter, .needle = "", .column = -1};
    size_t rows = bt_table_rows(w->t), row = 0;
    enum bt_status st = BT_OK;
    while (row < rows && !st && !cli_output_gone()) {
        st = w->filter ? bt_table_search(w->t, &q, row, false, SLICE_BYTES, NULL, &row, err) : BT_OK;
        bool found = st == BT_OK;
        if (found) st = take_row(w, row++, err);
        if (st == BT_NOTFOUND) st = BT_OK;
        if (!st && (!found || row % 1024 == 0)) st = interrupted(err);
        if (!found) cli_progress("looking: %.0f %%", 100.0 * (double)row / (double)rows);
    }
    return st;
}

static enum bt_status print_sorted(struct work *w, struct bt_error *err)
{
    double progress = 0;
    size_t n = 0;
    enum bt_status st = BT_OK;
    while (!st && progress < 1) {
        st = bt_row_order_sort(w->order, NULL, &progress, err);
        if (!st) st = interrupted(err);
    }
    uint32_t *row = st ? NULL : bt_row_order_take(w->order, &n);
    for (size_t i = 0; i < n && !st && !cli_output_gone(); i++) st = print_row(w, row[i], err);
    if (!st && !row) st = bt_fail(err, BT_NOMEM, "no memory to sort");
    free(row);
    return st;
}

static void tell_sum(struct work *w)
{
    struct bt_json_writer j = BT_JSON_WRITER(&w->line);
    size_t gave_up = w->filter ? bt_row_filter_gave_up(w->filter) : 0;
    if (gave_up) cli_warn("the expression took too long on %zu texts, which count as not matching", gave_up);
    if (!w->how->json) {
        cli_line("%zu of %zu rows", w->matching, bt_table_rows(w->t));
        return;
    }
    bt_str_clear(&w->line);
    bt_jw_object(&j);
    bt_jw_ktext(&j, "file", w->path);
    bt_jw_kint(&j, "rows", (int64_t)bt_table_rows(w->t));
    bt_jw_kint(&j, "matching", (int64_t)w->matching);
    bt_jw_kint(&j, "gave_up", (int64_t)gave_up);
    bt_jw_end_object(&j);
    cli_json(&w->line);
}

int cli_rows(struct bt_table *t, const char *path, const struct cli_rows *how)
{
    struct work w = {.t = t, .path = path, .how = how};
    struct bt_error err = {.status = BT_OK};
    cli_catch_interrupts();
    enum bt_status st = prepare(&w, &err);
    if (!st) st = scan(&w, &err);
    if (!st) st = look(&w, &err);
    if (!st && w.order) st = print_sorted(&w, &err);
    cli_progress(NULL);
    if (!st) tell_sum(&w);
    bt_row_filter_free(w.filter);
    bt_row_order_free(w.order);
    bt_encoding_free(&w.encoding);
    bt_row_free(&w.row);
    bt_str_free(&w.line);
    return st ? cli_fail(&err) : CLI_DONE;
}
