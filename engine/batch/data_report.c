#include <bertty/data_report.h>

#include "base/pool.h"
#include "batch/input_index.h"
#include "batch/lengths.h"
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_TASK = 512 };

struct work {
    const struct bt_data_spec *spec;
    const struct bt_tokenizer *tokenizer;
    size_t max_length;
    struct bt_data_report *r;
    struct bt__input_index index;
    size_t *inputs, *with_label; /* [n_files] of the file that is looked at, in each one before it */
    struct bt__pool *pool;
    struct bt_error *err;
};

static enum bt_status no_memory(const struct work *w)
{
    return bt_fail(w->err, BT_NOMEM, "no memory for the report");
}

/* ── labels ── */

struct labels {
    struct bt_label_count *label;
    size_t n, cap;
    uint32_t *slot; /* [slots] 1 + index; 0: free */
    size_t slots;
};

static uint32_t *label_slot(const struct labels *l, const char *text, size_t n)
{
    size_t i = (size_t)bt__hash_bytes(text, n, 0) & (l->slots - 1);
    while (l->slot[i] && strcmp(l->label[l->slot[i] - 1].label, text) != 0) i = (i + 1) & (l->slots - 1);
    return &l->slot[i];
}

static bool more_labels(struct labels *l)
{
    size_t cap = l->cap ? l->cap * 2 : 64;
    struct bt_label_count *more = realloc(l->label, cap * sizeof *more);
    if (more) l->label = more;
    uint32_t *slot = more ? calloc(cap * 2, sizeof *slot) : NULL;
    if (!slot) return false;
    free(l->slot);
    l->slot = slot;
    l->slots = cap * 2;
    l->cap = cap;
    for (size_t i = 0; i < l->n; i++)
        *label_slot(l, l->label[i].label, strlen(l->label[i].label)) = (uint32_t)i + 1;
    return true;
}

static bool count_label(struct labels *l, const struct bt_example *e)
{
    if (l->n == l->cap && !more_labels(l)) return false;
    uint32_t *slot = label_slot(l, e->label, e->label_n);
    if (!*slot) {
        char *label = bt_strdup(e->label);
        if (!label) return false;
        l->label[l->n++] = (struct bt_label_count){.label = label};
        *slot = (uint32_t)l->n;
    }
    l->label[*slot - 1].rows++;
    return true;
}

static int most_frequent_first(const void *a, const void *b)
{
    const struct bt_label_count *x = a, *y = b;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return strcmp(x->label, y->label);
}

static enum bt_status count_labels(const struct work *w, const struct bt_examples *ex,
                                   struct bt_file_report *f)
{
    struct labels l = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < bt_examples_count(ex); i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        if (e->label) ok = count_label(&l, e);
    }
    free(l.slot);
    f->label = l.label;
    f->n_labels = l.n;
    if (l.n) qsort(l.label, l.n, sizeof *l.label, most_frequent_first);
    return ok ? BT_OK : no_memory(w);
}

/* ── lengths ── */

static size_t code_points(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)p[i] & 0xc0) != 0x80;
    return count;
}

static uint32_t clamp(size_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

struct tokens {
    const struct bt_tokenizer *tokenizer;
    const struct bt_examples *ex;
    int32_t unk;
    uint32_t *length;            /* [rows] */
    struct bt_encoding *scratch; /* [threads] */
    size_t *unknown, *pieces;    /* [threads] */
    bool *failed;                /* [threads] */
};

static size_t count_pieces(const struct tokens *k, const char *text, size_t n, int thread)
{
    struct bt_encoding *e = &k->scratch[thread];
    if (bt_tokenizer_ids(k->tokenizer, text, n, e, NULL)) {
        k->failed[thread] = true;
        return 0;
    }
    for (size_t i = 0; i < e->n; i++) k->unknown[thread] += e->ids[i] == k->unk;
    k->pieces[thread] += e->n;
    return e->n;
}

static void tokenize_some(void *ctx, int item, int thread)
{
    const struct tokens *k = ctx;
    size_t from = (size_t)item * ROWS_A_TASK, n = bt_examples_count(k->ex);
    for (size_t i = from; i < n && i < from + ROWS_A_TASK; i++) {
        const struct bt_example *e = bt_examples_at(k->ex, i);
        size_t length = 2 + count_pieces(k, e->text, e->text_n, thread);
        if (e->pair) length += 1 + count_pieces(k, e->pair, e->pair_n, thread);
        k->length[i] = clamp(length);
    }
}

static bool tokenize(const struct work *w, struct tokens *k, struct bt_file_report *f)
{
    size_t threads = (size_t)bt__pool_threads(w->pool), n = bt_examples_count(k->ex);
    bool ok = true;
    k->scratch = calloc(threads, sizeof *k->scratch);
    k->unknown = calloc(threads, sizeof *k->unknown);
    k->pieces = calloc(threads, sizeof *k->pieces);
    k->failed = calloc(threads, sizeof *k->failed);
    if (k->scratch && k->unknown && k->pieces && k->failed)
        bt__pool_run(w->pool, (int)((n + ROWS_A_TASK - 1) / ROWS_A_TASK), tokenize_some, k);
    else
        ok = false;
    for (size_t i = 0; ok && i < threads; i++) {
        f->unknown += k->unknown[i];
        f->total_pieces += k->pieces[i];
        ok = !k->failed[i];
    }
    for (size_t i = 0; k->scratch && i < threads; i++) bt_encoding_free(&k->scratch[i]);
    free(k->scratch);
    free(k->unknown);
    free(k->pieces);
    free(k->failed);
    return ok;
}

static enum bt_status measure(const struct work *w, const struct bt_examples *ex, struct bt_file_report *f)
{
    size_t n = bt_examples_count(ex);
    uint32_t *length = calloc(n + 1, sizeof *length), *scratch = calloc(n + 1, sizeof *scratch);
    bool ok = length && scratch;
    for (size_t i = 0; ok && i < n; i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        f->empty_texts += strspn(e->text, " \t\r\n") == e->text_n;
        length[i] = clamp(code_points(e->text, e->text_n) + (e->pair ? code_points(e->pair, e->pair_n) : 0));
    }
    if (ok) bt__lengths(&f->characters, length, n, scratch);
    if (ok && w->tokenizer) {
        struct tokens k = {.tokenizer = w->tokenizer, .ex = ex, .length = length};
        k.unk = bt_tokenizer_special(w->tokenizer, BT_UNK);
        ok = tokenize(w, &k, f);
        for (size_t i = 0; ok && i < n; i++) f->truncated += w->max_length && length[i] > w->max_length;
        if (ok) bt__lengths(&f->pieces, length, n, scratch);
    }
    free(length);
    free(scratch);
    return ok ? BT_OK : no_memory(w);
}

/* ── duplicates and overlap ── */

static enum bt_status compare_inputs(struct work *w, const struct bt_examples *ex, uint32_t file,
                                     struct bt_file_report *f)
{
    struct bt__input_seen seen;
    for (size_t i = 0; i < bt_examples_count(ex); i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        if (!bt__input_add(&w->index, e, file, &seen)) return no_memory(w);
        f->duplicates += seen.duplicate;
        f->conflicts += seen.new_conflict;
        for (uint32_t at = w->index.input[seen.at].earlier; at; at = w->index.input[at - 1].earlier) {
            const struct bt__input *other = &w->index.input[at - 1];
            w->inputs[other->file]++;
            w->with_label[other->file] += bt__input_has_label(&w->index, other, e);
        }
    }
    return BT_OK;
}

static enum bt_status keep_overlaps(struct work *w, size_t file)
{
    struct bt_data_report *r = w->r;
    for (size_t i = 0; i < file; i++) {
        if (w->inputs[i] == 0) continue;
        struct bt_overlap *more = realloc(r->overlap, (r->n_overlaps + 1) * sizeof *more);
        if (!more) return no_memory(w);
        r->overlap = more;
        more[r->n_overlaps++] = (struct bt_overlap){
            .first = i, .second = file, .inputs = w->inputs[i], .with_label = w->with_label[i]};
        w->inputs[i] = w->with_label[i] = 0;
    }
    return BT_OK;
}

/* ── files ── */

static enum bt_status report_file(struct work *w, size_t i)
{
    struct bt_file_report *f = &w->r->file[i];
    struct bt_data_spec one = *w->spec;
    struct bt_examples *ex;
    one.files = &w->spec->files[i];
    one.n_files = 1;
    enum bt_status st = bt_examples_load(&one, &ex, w->err);
    if (st) return st;
    f->path = bt_strdup(w->spec->files[i]);
    f->rows = bt_examples_count(ex);
    f->invalid_utf8 = bt_examples_invalid_utf8(ex);
    if (!f->path) st = no_memory(w);
    if (!st) st = count_labels(w, ex, f);
    if (!st) st = compare_inputs(w, ex, (uint32_t)i, f);
    if (!st) st = keep_overlaps(w, i);
    if (!st) st = measure(w, ex, f);
    bt_examples_free(ex);
    return st;
}

static enum bt_status report(struct work *w)
{
    size_t n = w->spec->n_files;
    w->r->file = calloc(n + 1, sizeof *w->r->file);
    w->inputs = calloc(n + 1, sizeof *w->inputs);
    w->with_label = calloc(n + 1, sizeof *w->with_label);
    if (!w->r->file || !w->inputs || !w->with_label) return no_memory(w);
    w->r->n_files = n;
    enum bt_status st = w->tokenizer ? bt__pool_create(0, &w->pool, w->err) : BT_OK;
    for (size_t i = 0; !st && i < n; i++) st = report_file(w, i);
    return st;
}

enum bt_status bt_data_report(const struct bt_data_spec *spec, const struct bt_tokenizer *tokenizer,
                              size_t max_length, struct bt_data_report **out, struct bt_error *err)
{
    struct work w = {.spec = spec, .tokenizer = tokenizer, .max_length = max_length, .err = err};
    *out = NULL;
    w.r = calloc(1, sizeof *w.r);
    enum bt_status st = w.r ? report(&w) : no_memory(&w);
    bt__pool_free(w.pool);
    bt__input_index_free(&w.index);
    free(w.inputs);
    free(w.with_label);
    if (st)
        bt_data_report_free(w.r);
    else
        *out = w.r;
    return st;
}

void bt_data_report_free(struct bt_data_report *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n_files; i++) {
        for (size_t k = 0; k < r->file[i].n_labels; k++) free(r->file[i].label[k].label);
        free(r->file[i].label);
        free(r->file[i].path);
    }
    free(r->file);
    free(r->overlap);
    free(r);
}
