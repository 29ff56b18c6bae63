#include "dataset/table.h"

#include "dataset/formats.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 128 << 10 };

/* ── opening ── */

/* A file that is one JSON value has no records to find: its questions are loaded. */
static enum bt_status hold(struct bt_table *t, const char *path, struct bt_error *err)
{
    const struct bt_data_spec spec = {
        .files = &path, .n_files = 1, .dialect = {.format = BT_DATA_SQUAD}, .kind = BT_EXAMPLE_QUESTION};
    enum bt_status st = bt_examples_load(&spec, &t->held, err);
    if (st) return st;
    atomic_store(&t->rows, bt_examples_count(t->held));
    atomic_store(&t->complete, true);
    return BT_OK;
}

/* As many as the file can need: a row takes a byte or more. */
static size_t blocks_of(uint64_t bytes)
{
    const uint64_t most = bytes / ((uint64_t)BT__STRIDE * BT__BLOCK) + 1;
    return most < BT__BLOCKS ? (size_t)most : BT__BLOCKS;
}

/* spec NULL: as the dialect says, whatever the examples are. */
static enum bt_status prepare(struct bt_table *t, const char *path, const struct bt_data_spec *spec,
                              const struct bt_data_dialect *dialect, struct bt_error *err)
{
    enum bt_status st = bt__source_open(path, &t->scan, err);
    if (!st) st = bt__source_share(&t->scan, READ_BYTES, &t->read, err);
    if (!st && spec) st = bt__head_of_spec(&t->scan, spec, &t->head, err);
    if (!st && !spec) st = bt__head_read(&t->scan, BT__EXAMPLE_ANY, dialect, NULL, 0, &t->head, err);
    if (st) return st;
    t->csv = bt__csv_create(t->head.dialect.delimiter);
    t->blocks = blocks_of(t->scan.limit);
    t->block = calloc(t->blocks, sizeof *t->block);
    if (!t->csv || !t->block) return bt_fail(err, BT_NOMEM, "%s: no memory for its index", path);
    if (t->head.dialect.format == BT_DATA_SQUAD) return hold(t, path, err);
    st = bt_table_scan(t, BT__PAGE, NULL, &(bool){false}, err);
    return st == BT_INVALID && bt_table_rows(t) ? BT_OK : st; /* the next scan says it; these rows are good */
}

static enum bt_status open_table(const char *path, const struct bt_data_spec *spec,
                                 const struct bt_data_dialect *dialect, struct bt_table **out,
                                 struct bt_error *err)
{
    *out = NULL;
    struct bt_table *t = calloc(1, sizeof *t);
    if (!t) return bt_fail(err, BT_NOMEM, "%s: no memory for its index", path);
    enum bt_status st = prepare(t, path, spec, dialect, err);
    if (st)
        bt_table_free(t);
    else
        *out = t;
    return st;
}

enum bt_status bt_table_open(const char *path, const struct bt_data_dialect *dialect, struct bt_table **out,
                             struct bt_error *err)
{
    return open_table(path, NULL, dialect, out, err);
}

enum bt_status bt_table_open_as(const char *path, const struct bt_data_spec *spec, struct bt_table **out,
                                struct bt_error *err)
{
    return open_table(path, spec, NULL, out, err);
}

void bt_table_free(struct bt_table *t)
{
    if (!t) return;
    for (size_t i = 0; t->block && i < t->blocks && t->block[i]; i++) free(t->block[i]);
    free(t->block);
    bt__csv_free(t->csv);
    bt_examples_free(t->held);
    bt__head_free(&t->head);
    bt__source_close(&t->find);
    bt__source_close(&t->read);
    bt__source_close(&t->scan);
    free(t);
}

const struct bt_data_dialect *bt_table_dialect(const struct bt_table *t)
{
    return &t->head.dialect;
}

const char *bt_table_label_first(const struct bt_table *t)
{
    return t->head.label_first[0] ? t->head.label_first : NULL;
}

size_t bt_table_columns(const struct bt_table *t)
{
    return t->head.n;
}

const char *bt_table_column(const struct bt_table *t, size_t i)
{
    return t->head.name[i];
}

ptrdiff_t bt_table_find_column(const struct bt_table *t, const char *name)
{
    return bt__head_column(&t->head, name);
}

/* ── finding rows ── */

static enum bt_status keep_mark(struct bt_table *t, size_t row, struct bt_error *err)
{
    size_t mark = row / BT__STRIDE, block = mark / BT__BLOCK;
    const struct bt__source *s = &t->scan;
    if (block >= t->blocks)
        return bt_fail(err, BT_UNSUPPORTED, "%s:%zu: more rows than can be kept", s->path, s->line);
    if (!t->block[block]) t->block[block] = malloc(BT__BLOCK * sizeof **t->block);
    if (!t->block[block]) return bt_fail(err, BT_NOMEM, "%s: no memory for its index", s->path);
    t->block[block][mark % BT__BLOCK] = (struct bt__mark){.offset = bt__source_offset(s), .line = s->line};
    return BT_OK;
}

static void publish(struct bt_table *t, size_t rows)
{
    atomic_store_explicit(&t->known, bt__source_offset(&t->scan), memory_order_relaxed);
    atomic_store_explicit(&t->rows, rows, memory_order_release);
}

/* Where the next stretch of the index begins. */
static enum bt_status begin_stretch(struct bt_table *t, size_t rows, const atomic_bool *cancel,
                                    struct bt_error *err)
{
    enum bt_status st = keep_mark(t, rows, err);
    if (st) return st;
    publish(t, rows);
    if (cancel && atomic_load_explicit(cancel, memory_order_relaxed))
        return bt_fail(err, BT_CANCELLED, "%s: cancelled", t->scan.path);
    return BT_OK;
}

enum bt_status bt_table_scan(struct bt_table *t, size_t max_bytes, const atomic_bool *cancel, bool *done,
                             struct bt_error *err)
{
    struct bt__record rec;
    enum bt_status st = BT_OK;
    uint64_t from = bt__source_offset(&t->scan);
    size_t rows = atomic_load_explicit(&t->rows, memory_order_relaxed), marked = SIZE_MAX;
    *done = atomic_load(&t->complete);
    while (!*done && (!max_bytes || bt__source_offset(&t->scan) - from < max_bytes)) {
        if (rows % BT__STRIDE == 0 && rows != marked && (st = begin_stretch(t, rows, cancel, err))) break;
        marked = rows;
        size_t passed =
            bt__source_skip(&t->scan, &t->head.dialect, BT__STRIDE - rows % BT__STRIDE, UINT64_MAX, false);
        rows += passed;
        if (passed) continue;
        if ((st = bt__source_next(&t->scan, &t->head.dialect, &rec, err))) break;
        rows++;
    }
    publish(t, rows);
    if (st != BT_NOTFOUND) return st;
    *done = true;
    atomic_store(&t->complete, true);
    return BT_OK;
}

size_t bt_table_rows(const struct bt_table *t)
{
    return atomic_load_explicit(&t->rows, memory_order_acquire);
}

double bt_table_progress(const struct bt_table *t)
{
    if (bt_table_complete(t) || t->scan.limit == 0) return 1;
    return (double)atomic_load_explicit(&t->known, memory_order_relaxed) / (double)t->scan.limit;
}

bool bt_table_complete(const struct bt_table *t)
{
    return atomic_load(&t->complete);
}

/* ── one row ── */

void bt__table_seek(const struct bt_table *t, struct bt__source *s, size_t *at, size_t row)
{
    s->limit = atomic_load_explicit(&t->known, memory_order_relaxed);
    s->end = s->base + s->n >= s->limit;
    if (row >= *at && row / BT__STRIDE == *at / BT__STRIDE && *at > 0) return;
    size_t mark = row / BT__STRIDE;
    const struct bt__mark *m = &t->block[mark / BT__BLOCK][mark % BT__BLOCK];
    bt__source_seek(s, m->offset, m->line);
    *at = mark * BT__STRIDE;
}

static enum bt_status json_cells(struct bt_table *t, const struct bt__record *rec, struct bt_row *r,
                                 struct bt_error *err)
{
    bool repaired;
    struct bt_str text = {0};
    struct bt_json *root = bt__json_record(t->scan.path, rec, &repaired, err);
    if (!root) return BT_INVALID;
    bt__row_begin(r);
    r->line = rec->line;
    for (size_t i = 0; i < t->head.n; i++) {
        bt_str_clear(&text);
        bt__json_text(bt_json_get(root, t->head.name[i]), &text);
        bt__row_cell(r, bt_str_text(&text), text.len);
        if (text.failed) r->text.failed = true;
    }
    bt_str_free(&text);
    bt_json_free(root);
    if (bt__row_end(r)) return BT_OK;
    return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", t->scan.path, rec->line);
}

enum bt_status bt__table_cells(struct bt_table *t, const struct bt__record *rec, struct bt_row *r,
                               struct bt_error *err)
{
    const struct bt_data_dialect *d = &t->head.dialect;
    const struct bt__format *f = bt__format_of(d->format);
    enum bt_status st = f->cells                     ? f->cells(&t->head, t->scan.path, rec, r, err)
                        : d->format == BT_DATA_JSONL ? json_cells(t, rec, r, err)
                                                     : bt__cells_split(d, t->csv, t->scan.path, rec, r, err);
    if (st != BT_INVALID) return st;
    bt__row_begin(r);
    r->line = rec->line;
    bt__row_cell(r, rec->data, rec->n);
    if (bt__row_end(r)) return BT_INVALID;
    return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", t->scan.path, rec->line);
}

/* The columns of questions: id, question, context, answers. */
enum { HELD_CONTEXT = 2 };

static void mark_answer(const struct bt_example *x, struct bt_row *r)
{
    size_t at = 0;
    int32_t code_point;
    if (x->parts == 0 || x->part[0].at < 0) return;
    for (int64_t i = 0; i < x->part[0].at && at < x->pair_n; i++)
        at += bt_utf8_decode(x->pair + at, x->pair_n - at, &code_point);
    if (x->part[0].n > x->pair_n - at) return;
    r->mark_cell = HELD_CONTEXT;
    r->mark = at;
    r->mark_n = x->part[0].n;
}

enum bt_status bt__table_held(const struct bt_table *t, size_t row, struct bt_row *r, struct bt_error *err)
{
    const struct bt_example *x = bt_examples_at(t->held, row);
    struct bt_str answers = {0};
    for (size_t i = 0; i < x->parts; i++) {
        if (i) bt_str_add(&answers, " | ");
        bt_str_addn(&answers, x->part[i].text, x->part[i].n);
    }
    bt__row_begin(r);
    r->line = x->line;
    bt__row_cell(r, x->id ? x->id : "", x->id ? strlen(x->id) : 0);
    bt__row_cell(r, x->text, x->text_n);
    bt__row_cell(r, x->pair, x->pair_n);
    bt__row_cell(r, bt_str_text(&answers), answers.len);
    mark_answer(x, r);
    bool ok = !answers.failed && bt__row_end(r);
    bt_str_free(&answers);
    return ok ? BT_OK : bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", t->scan.path, x->line);
}

enum bt_status bt_table_row(struct bt_table *t, size_t row, struct bt_row *r, struct bt_error *err)
{
    struct bt__record rec;
    size_t rows = bt_table_rows(t);
    if (row >= rows)
        return bt_fail(err, BT_NOTFOUND, "%s: no row %zu: %zu are known", t->scan.path, row + 1, rows);
    if (t->held) return bt__table_held(t, row, r, err);
    bt__table_seek(t, &t->read, &t->read_row, row);
    while (t->read_row <= row) {
        t->read_row += bt__source_skip(&t->read, &t->head.dialect, row - t->read_row, UINT64_MAX, false);
        enum bt_status st = bt__source_next(&t->read, &t->head.dialect, &rec, err);
        if (st) {
            t->read_row = SIZE_MAX; /* the place is lost: seek next time */
            return st != BT_NOTFOUND ? st
                                     : bt_fail(err, BT_DAMAGED,
                                               "%s: row %zu is gone: the file was changed while it was open",
                                               t->scan.path, row + 1);
        }
        t->read_row++;
    }
    return bt__table_cells(t, &rec, r, err);
}
