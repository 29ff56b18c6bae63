#include <bertty/data_report.h>
#include <bertty/text.h>

#include "base/pool.h"
#include "batch/hygiene.h"
#include "batch/label_counts.h"
#include "batch/lengths.h"
#include "batch/tag_scheme.h"
#include "dataset/watch.h"
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_TASK = 512, TASKS_AT_ONCE = 16, ODD_TOLD = 5 };

struct work {
    const struct bt_data_spec *spec;
    const struct bt_tokenizer *tokenizer;
    size_t max_length;
    struct bt_data_report *r;
    struct bt__hygiene hygiene;
    struct bt__pool *pool;
    struct bt_error *err;
};

static enum bt_status no_memory(const struct work *w)
{
    return bt_fail(w->err, BT_NOMEM, "no memory for the report");
}

/* Takes the text; false without memory. */
static bool add_odd(struct bt_file_report *f, char *text)
{
    char **more = realloc(f->odd, (f->n_odd + 1) * sizeof *more);
    if (more) f->odd = more;
    if (more) f->odd[f->n_odd++] = text;
    if (!more) free(text);
    return more;
}

/* ── labels ── */

struct counts {
    struct bt__label_counts labels, entities;
    struct bt__tag_scheme scheme;
};

static bool count_parts(struct counts *c, const struct bt_example *e, enum bt_example_kind kind)
{
    bool ok = true;
    for (size_t i = 0; ok && i < e->parts; i++) {
        const struct bt_part *p = &e->part[i];
        if (kind == BT_EXAMPLE_LABEL_SET) ok = bt__label_counts_add(&c->labels, p->text, p->n);
        if (kind == BT_EXAMPLE_WORDS && p->tag) ok = bt__label_counts_add(&c->labels, p->tag, p->tag_n);
    }
    if (ok && kind == BT_EXAMPLE_WORDS) ok = bt__tag_scheme_add(&c->scheme, e->part, e->parts, &c->entities);
    return ok;
}

/* Tags in no scheme, where most are in one: the first few are told. */
static enum bt_status foreign_tags(const struct work *w, const struct bt_examples *ex,
                                   const struct bt__tag_scheme *scheme, struct bt_file_report *f)
{
    size_t inside = 0;
    for (int i = 0; i < 256; i++) inside += scheme->prefix[i];
    if (f->kind != BT_EXAMPLE_WORDS || scheme->bare > inside) return BT_OK;
    f->foreign = scheme->bare;
    for (size_t i = 0, told = 0; told < scheme->bare && told < ODD_TOLD; i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        for (size_t k = 0; k < e->parts && told < ODD_TOLD; k++) {
            const struct bt_part *p = &e->part[k];
            if (!p->tag || bt__tag_in_scheme(p->tag, p->tag_n)) continue;
            if (w->spec->strict)
                return bt_fail(w->err, BT_INVALID,
                               "%s:%zu: tag \"%.40s\" is in no scheme, which data.strict refuses", f->path,
                               p->line, p->tag);
            char *text = bt_strfmt("%s:%zu: tag \"%.40s\" is in no scheme", f->path, p->line, p->tag);
            if (!text || !add_odd(f, text)) return no_memory(w);
            told++;
        }
    }
    return BT_OK;
}

static enum bt_status count_labels(const struct work *w, const struct bt_examples *ex,
                                   struct bt_file_report *f)
{
    struct counts c = {.labels = {0}};
    enum bt_status st = BT_OK;
    size_t rows = bt_examples_count(ex);
    bool ok = true;
    for (size_t i = 0; ok && i < rows; i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        if ((st = bt__watch_row(w->spec, "counting", f->path, i, rows, w->err))) break;
        ok = count_parts(&c, e, f->kind);
        if (ok && e->label && f->kind != BT_EXAMPLE_LABEL_SET)
            ok = bt__label_counts_add(&c.labels, e->label, e->label_n);
        if (ok && f->kind == BT_EXAMPLE_ASPECT) ok = bt__label_counts_add(&c.entities, e->pair, e->pair_n);
        f->impossible += e->impossible;
        f->unmarked += f->kind == BT_EXAMPLE_ASPECT && e->mark_n == 0;
    }
    bt__label_counts_take(&c.labels, &f->label, &f->n_labels);
    bt__label_counts_take(&c.entities, &f->entity, &f->n_entities);
    f->scheme = bt__tag_scheme_name(&c.scheme);
    if (st) return st;
    return ok ? foreign_tags(w, ex, &c.scheme, f) : no_memory(w);
}

/* ── lengths ── */

static size_t characters(const struct bt_example *e, enum bt_example_kind kind)
{
    size_t n = bt_utf8_count(e->text, e->text_n) + (e->pair ? bt_utf8_count(e->pair, e->pair_n) : 0),
           most = 0;
    for (size_t i = 0; kind == BT_EXAMPLE_CHOICES && i < e->parts; i++) {
        size_t choice = bt_utf8_count(e->part[i].text, e->part[i].n);
        if (choice > most) most = choice;
    }
    return n + most;
}

static uint32_t clamp(size_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

struct tokens {
    size_t first; /* row of the first item */
    const struct bt_tokenizer *tokenizer;
    const struct bt_examples *ex;
    enum bt_example_kind kind;
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
    size_t from = k->first + (size_t)item * ROWS_A_TASK, n = bt_examples_count(k->ex);
    for (size_t i = from; i < n && i < from + ROWS_A_TASK; i++) {
        const struct bt_example *e = bt_examples_at(k->ex, i);
        size_t length = 2 + count_pieces(k, e->text, e->text_n, thread);
        if (e->pair) length += 1 + count_pieces(k, e->pair, e->pair_n, thread);
        size_t most = 0;
        for (size_t p = 0; k->kind == BT_EXAMPLE_CHOICES && p < e->parts; p++) {
            size_t choice = 1 + count_pieces(k, e->part[p].text, e->part[p].n, thread);
            if (choice > most) most = choice;
        }
        k->length[i] = clamp(length + most);
    }
}

/* A few tasks for each thread at a time: in between whoever waits is told. */
static enum bt_status tokenize_all(const struct work *w, struct tokens *k, const char *path)
{
    size_t n = bt_examples_count(k->ex), most = (size_t)(TASKS_AT_ONCE * bt__pool_threads(w->pool));
    enum bt_status st = BT_OK;
    for (k->first = 0; k->first < n && !st; k->first += most * ROWS_A_TASK) {
        size_t tasks = (n - k->first + ROWS_A_TASK - 1) / ROWS_A_TASK;
        bt__pool_run(w->pool, (int)(tasks < most ? tasks : most), tokenize_some, k);
        st = bt__watch_tell(w->spec, "counting word pieces of", path, k->first, n, w->err);
    }
    return st;
}

static enum bt_status tokenize(const struct work *w, struct tokens *k, struct bt_file_report *f)
{
    size_t threads = (size_t)bt__pool_threads(w->pool);
    enum bt_status st = BT_OK;
    k->scratch = calloc(threads, sizeof *k->scratch);
    k->unknown = calloc(threads, sizeof *k->unknown);
    k->pieces = calloc(threads, sizeof *k->pieces);
    k->failed = calloc(threads, sizeof *k->failed);
    if (k->scratch && k->unknown && k->pieces && k->failed)
        st = tokenize_all(w, k, f->path);
    else
        st = no_memory(w);
    for (size_t i = 0; !st && i < threads; i++) {
        f->unknown += k->unknown[i];
        f->total_pieces += k->pieces[i];
        if (k->failed[i]) st = no_memory(w);
    }
    for (size_t i = 0; k->scratch && i < threads; i++) bt_encoding_free(&k->scratch[i]);
    free(k->scratch);
    free(k->unknown);
    free(k->pieces);
    free(k->failed);
    return st;
}

static enum bt_status measure(const struct work *w, const struct bt_examples *ex, struct bt_file_report *f)
{
    size_t n = bt_examples_count(ex);
    uint32_t *length = calloc(n + 1, sizeof *length), *scratch = calloc(n + 1, sizeof *scratch);
    enum bt_status st = length && scratch ? BT_OK : no_memory(w);
    for (size_t i = 0; !st && i < n; i++) {
        const struct bt_example *e = bt_examples_at(ex, i);
        f->empty_texts += strspn(e->text, " \t\r\n") == e->text_n;
        length[i] = e->parts;
        f->total_parts += e->parts;
    }
    if (!st && f->total_parts) bt__lengths(&f->parts, length, n, scratch);
    for (size_t i = 0; !st && i < n; i++) length[i] = clamp(characters(bt_examples_at(ex, i), f->kind));
    if (!st) bt__lengths(&f->characters, length, n, scratch);
    if (!st && w->tokenizer) {
        struct tokens k = {.tokenizer = w->tokenizer, .ex = ex, .kind = f->kind, .length = length};
        k.unk = bt_tokenizer_special(w->tokenizer, BT_UNK);
        st = tokenize(w, &k, f);
        for (size_t i = 0; !st && i < n; i++) f->truncated += w->max_length && length[i] > w->max_length;
        if (!st) bt__lengths(&f->pieces, length, n, scratch);
    }
    free(length);
    free(scratch);
    return st;
}

/* ── duplicates and overlap ── */

static enum bt_status add_overlap(struct bt_data_report *r, const struct bt_hygiene_count *c,
                                  struct bt_error *err)
{
    if (c->count == 0) return BT_OK;
    struct bt_overlap *more = realloc(r->overlap, (r->n_overlaps + 1) * sizeof *more);
    if (!more) return bt_fail(err, BT_NOMEM, "no memory for the report");
    r->overlap = more;
    more[r->n_overlaps++] = (struct bt_overlap){.first = c->other, .second = c->file, .inputs = c->count};
    return BT_OK;
}

static enum bt_status compare_inputs(struct work *w, const struct bt_data_spec *spec,
                                     const struct bt_examples *ex, struct bt_file_report *f)
{
    size_t i;
    enum bt_status st = bt__hygiene_add(&w->hygiene, spec, ex, &i, w->err);
    for (; !st && i < w->hygiene.h->n; i++) {
        const struct bt_hygiene_count *c = &w->hygiene.h->count[i];
        switch (c->kind) {
        case BT_HYGIENE_DUPLICATES:
            f->duplicates = c->count;
            break;
        case BT_HYGIENE_CONFLICTS:
            f->conflicts = c->count;
            break;
        case BT_HYGIENE_OVERLAP:
            st = add_overlap(w->r, c, w->err);
            break;
        case BT_HYGIENE_SAME_LABEL:
            if (c->count) w->r->overlap[w->r->n_overlaps - 1].with_label = c->count;
            break;
        }
    }
    return st;
}

/* ── files ── */

static bool keep_odd(const struct bt_examples *ex, struct bt_file_report *f)
{
    for (size_t i = 0; bt_examples_odd(ex, i); i++) {
        char *text = bt_strdup(bt_examples_odd(ex, i));
        if (!text || !add_odd(f, text)) return false;
    }
    return true;
}

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
    f->kind = w->spec->kind;
    f->invalid_utf8 = bt_examples_invalid_utf8(ex);
    f->misaligned = bt_examples_misaligned(ex);
    f->found = bt_strdup(bt_examples_found(ex, 0));
    if (!f->path || !f->found || !keep_odd(ex, f)) st = no_memory(w);
    if (!st) st = count_labels(w, ex, f);
    if (!st) st = compare_inputs(w, &one, ex, f);
    if (!st) st = measure(w, ex, f);
    bt_examples_free(ex);
    return st;
}

static enum bt_status report(struct work *w)
{
    size_t n = w->spec->n_files;
    w->r->file = calloc(n + 1, sizeof *w->r->file);
    if (!w->r->file) return no_memory(w);
    w->r->n_files = n;
    enum bt_status st = w->tokenizer ? bt__pool_create(0, &w->pool, w->err) : BT_OK;
    for (size_t i = 0; !st && i < n; i++) st = report_file(w, i);
    return st;
}

enum bt_status bt_data_report(const struct bt_data_spec *spec, const struct bt_tokenizer *tokenizer,
                              size_t max_length, struct bt_data_report **out, struct bt_error *err)
{
    struct work w = {.spec = spec, .tokenizer = tokenizer, .max_length = max_length, .err = err};
    w.hygiene.index.kind = spec->kind;
    *out = NULL;
    w.r = calloc(1, sizeof *w.r);
    enum bt_status st = w.r ? report(&w) : no_memory(&w);
    bt__pool_free(w.pool);
    bt__hygiene_end(&w.hygiene);
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
        struct bt_file_report *f = &r->file[i];
        for (size_t k = 0; k < f->n_labels; k++) free(f->label[k].label);
        for (size_t k = 0; k < f->n_entities; k++) free(f->entity[k].label);
        for (size_t k = 0; k < f->n_odd; k++) free(f->odd[k]);
        free(f->odd);
        free(f->label);
        free(f->entity);
        free(f->found);
        free(f->path);
    }
    free(r->file);
    free(r->overlap);
    free(r);
}
