#include "dataset/cells.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

void bt__row_begin(struct bt_row *r)
{
    r->n = 0;
    r->mark_cell = r->mark = r->mark_n = 0;
    bt_str_clear(&r->text);
}

static bool more_cells(struct bt_row *r)
{
    size_t cap = r->cap ? r->cap * 2 : 16;
    char **cell = realloc(r->cell, cap * sizeof *cell);
    if (cell) r->cell = cell;
    size_t *cell_n = cell ? realloc(r->cell_n, cap * sizeof *cell_n) : NULL;
    if (!cell_n) return false;
    r->cell_n = cell_n;
    r->cap = cap;
    return true;
}

void bt__row_cell(struct bt_row *r, const char *bytes, size_t n)
{
    if (r->n >= BT__CELLS_MAX || (r->n == r->cap && !more_cells(r))) {
        r->text.failed = true;
        return;
    }
    r->cell_n[r->n++] = n;
    bt_str_addn(&r->text, bytes, n);
    bt_str_addc(&r->text, '\0');
}

bool bt__row_end(struct bt_row *r)
{
    if (r->text.failed) return false;
    char *at = r->text.data;
    for (size_t i = 0; i < r->n; i++) {
        r->cell[i] = at;
        at += r->cell_n[i] + 1;
    }
    return true;
}

void bt_row_free(struct bt_row *r)
{
    free(r->cell);
    free(r->cell_n);
    bt_str_free(&r->text);
    *r = (struct bt_row){0};
}

static void split(const char *p, size_t n, char delimiter, struct bt_row *r)
{
    const char *end = p + n, *stop;
    while ((stop = memchr(p, delimiter, (size_t)(end - p)))) {
        bt__row_cell(r, p, (size_t)(stop - p));
        p = stop + 1;
    }
    bt__row_cell(r, p, (size_t)(end - p));
}

enum bt_status bt__cells_split(const struct bt_data_dialect *d, struct bt__csv *csv, const char *path,
                               const struct bt__record *rec, struct bt_row *r, struct bt_error *err)
{
    bool ok = true;
    bt__row_begin(r);
    r->line = rec->line;
    if (rec->open)
        return bt_fail(err, BT_INVALID, "%s:%zu: a quote opens a cell here and is never closed", path,
                       rec->open);
    if (d->quoting == 1 && memchr(rec->data, '"', rec->n))
        ok = bt__csv_cells(csv, rec->data, rec->n, r);
    else
        split(rec->data, rec->n, d->delimiter, r);
    if (r->n >= BT__CELLS_MAX)
        return bt_fail(err, BT_INVALID, "%s:%zu: more than %d columns", path, rec->line, BT__CELLS_MAX - 1);
    if (!ok || !bt__row_end(r))
        return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", path, rec->line);
    return BT_OK;
}

bool bt__utf8_repair(struct bt_str *out, const char *bytes, size_t n)
{
    bool repaired = false;
    for (;;) {
        size_t good = bt_utf8_valid(bytes, n);
        bt_str_addn(out, bytes, good);
        if (good == n) return repaired;
        bt_str_addn(out, "\xef\xbf\xbd", 3);
        repaired = true;
        bytes += good + 1;
        n -= good + 1;
    }
}
