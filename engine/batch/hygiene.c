#include "batch/hygiene.h"

#include "dataset/watch.h"
#include <stdlib.h>
#include <string.h>

/* ── rows ── */

struct rows {
    size_t *row, n, cap;
};

static bool add_row(struct rows *r, size_t row)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        size_t *more = realloc(r->row, cap * sizeof *more);
        if (!more) return false;
        r->row = more;
        r->cap = cap;
    }
    r->row[r->n++] = row;
    return true;
}

/* What is found in one file. */
struct found {
    struct rows duplicates, conflicts;
    struct rows *overlap, *same; /* [files before it] */
    size_t files, conflicting;
    uint32_t *input; /* [rows] each row's */
};

static bool begin(struct found *f, size_t files, size_t rows)
{
    *f = (struct found){.files = files};
    f->overlap = calloc(files + 1, sizeof *f->overlap);
    f->same = calloc(files + 1, sizeof *f->same);
    f->input = calloc(rows + 1, sizeof *f->input);
    return f->overlap && f->same && f->input;
}

static void end(struct found *f)
{
    for (size_t i = 0; i < f->files; i++) {
        if (f->overlap) free(f->overlap[i].row);
        if (f->same) free(f->same[i].row);
    }
    free(f->duplicates.row);
    free(f->conflicts.row);
    free(f->overlap);
    free(f->same);
    free(f->input);
}

/* ── looking ── */

static bool look_at(struct bt__hygiene *x, struct found *f, const struct bt_example *e, size_t row)
{
    struct bt__input_seen seen;
    if (!bt__input_add(&x->index, e, (uint32_t)f->files, &seen)) return false;
    f->input[row] = seen.at;
    f->conflicting += seen.new_conflict;
    bool ok = !seen.duplicate || add_row(&f->duplicates, row);
    for (uint32_t at = x->index.input[seen.at].earlier; at && ok; at = x->index.input[at - 1].earlier) {
        const struct bt__input *other = &x->index.input[at - 1];
        ok = add_row(&f->overlap[other->file], row);
        if (ok && bt__input_has_label(&x->index, other, e)) ok = add_row(&f->same[other->file], row);
    }
    return ok;
}

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory to compare the inputs");
}

static enum bt_status look(struct bt__hygiene *x, struct found *f, const struct bt_data_spec *spec,
                           const struct bt_examples *ex, struct bt_error *err)
{
    size_t rows = bt_examples_count(ex);
    for (size_t i = 0; i < rows; i++) {
        enum bt_status st = bt__watch_row(spec, "comparing", spec->files[0], i, rows, err);
        if (st) return st;
        if (!look_at(x, f, bt_examples_at(ex, i), i)) return no_memory(err);
    }
    for (size_t i = 0; i < rows; i++)
        if (x->index.input[f->input[i]].conflict && !add_row(&f->conflicts, i)) return no_memory(err);
    return BT_OK;
}

/* Takes the rows over. */
static void keep(struct bt_hygiene *h, enum bt_hygiene_kind kind, size_t file, size_t other, size_t count,
                 struct rows *r)
{
    h->count[h->n++] = (struct bt_hygiene_count){
        .kind = kind, .file = file, .other = other, .count = count, .row = r->row, .n = r->n};
    *r = (struct rows){.n = 0};
}

static bool keep_all(struct bt_hygiene *h, struct found *f, size_t rows)
{
    size_t file = f->files;
    struct bt_hygiene_count *count = realloc(h->count, (h->n + 2 + 2 * file) * sizeof *count);
    if (count) h->count = count;
    size_t *of = realloc(h->rows, (file + 1) * sizeof *of);
    if (of) h->rows = of;
    if (!count || !of) return false;
    h->rows[file] = rows;
    h->n_files = file + 1;
    keep(h, BT_HYGIENE_DUPLICATES, file, 0, f->duplicates.n, &f->duplicates);
    keep(h, BT_HYGIENE_CONFLICTS, file, 0, f->conflicting, &f->conflicts);
    for (size_t i = 0; i < file; i++) {
        keep(h, BT_HYGIENE_OVERLAP, file, i, f->overlap[i].n, &f->overlap[i]);
        keep(h, BT_HYGIENE_SAME_LABEL, file, i, f->same[i].n, &f->same[i]);
    }
    return true;
}

enum bt_status bt__hygiene_add(struct bt__hygiene *x, const struct bt_data_spec *spec,
                               const struct bt_examples *ex, size_t *first, struct bt_error *err)
{
    struct found f;
    size_t rows = bt_examples_count(ex);
    if (!x->h) x->h = calloc(1, sizeof *x->h);
    if (!x->h) return no_memory(err);
    *first = x->h->n;
    enum bt_status st = begin(&f, x->h->n_files, rows) ? look(x, &f, spec, ex, err) : no_memory(err);
    if (!st && !keep_all(x->h, &f, rows)) st = no_memory(err);
    end(&f);
    return st;
}

void bt__hygiene_end(struct bt__hygiene *x)
{
    bt__input_index_free(&x->index);
    bt_hygiene_free(x->h);
    x->h = NULL;
}

/* ── all files ── */

static enum bt_status add_file(struct bt__hygiene *x, const struct bt_data_spec *spec, size_t i,
                               struct bt_error *err)
{
    struct bt_data_spec one = *spec;
    struct bt_examples *ex;
    size_t first;
    one.files = &spec->files[i];
    one.n_files = 1;
    enum bt_status st = bt_examples_load(&one, &ex, err);
    if (st) return st;
    st = bt__hygiene_add(x, &one, ex, &first, err);
    bt_examples_free(ex);
    return st;
}

enum bt_status bt_hygiene_find(const struct bt_data_spec *spec, struct bt_hygiene **out, struct bt_error *err)
{
    struct bt__hygiene x = {.index = {.kind = spec->kind}};
    enum bt_status st = BT_OK;
    *out = NULL;
    for (size_t i = 0; i < spec->n_files && !st; i++) st = add_file(&x, spec, i, err);
    if (!st) {
        *out = x.h;
        x.h = NULL;
    }
    bt__hygiene_end(&x);
    return st;
}

void bt_hygiene_free(struct bt_hygiene *h)
{
    if (!h) return;
    for (size_t i = 0; i < h->n; i++) free(h->count[i].row);
    free(h->count);
    free(h->rows);
    free(h);
}
