#include "baseline/tfidf.h"

#include "baseline/vocabulary.h"
#include "baseline/words.h"
#include <math.h>
#include <stdlib.h>

struct bt__tfidf {
    int ngrams;
    struct bt__vocabulary words;
    double *idf; /* [words.n] */
};

static const char SECOND[] = "2:"; /* no word holds a colon */

/* The terms of one text after the other. */
struct reader {
    const struct bt__tfidf *v;
    struct bt__vocabulary *learn; /* NULL: what is not known is passed over */
    const char *mark;             /* of this text's features: "" or SECOND */
    uint32_t *id;                 /* [n] of this row, with repetitions */
    size_t n, cap;
    struct bt_str scratch, term, before;
    bool follows; /* before holds the word before this one */
};

static void reader_free(struct reader *r)
{
    bt_str_free(&r->scratch);
    bt_str_free(&r->term);
    bt_str_free(&r->before);
    free(r->id);
}

static bool take_term(struct reader *r)
{
    if (r->term.failed) return false;
    const char *text = bt_str_text(&r->term);
    const int64_t id = r->learn ? bt__vocabulary_add(r->learn, text, r->term.len)
                                : bt__vocabulary_find(&r->v->words, text, r->term.len);
    if (id < 0) return !r->learn;
    if (r->n == r->cap) {
        uint32_t *more = realloc(r->id, (2 * r->cap + 256) * sizeof *more);
        if (!more) return false;
        r->id = more;
        r->cap = 2 * r->cap + 256;
    }
    r->id[r->n++] = (uint32_t)id;
    return true;
}

static bool take_word(void *ctx, const char *word, size_t n)
{
    struct reader *r = ctx;
    bt_str_clear(&r->term);
    bt_str_add(&r->term, r->mark);
    bt_str_addn(&r->term, word, n);
    if (!take_term(r)) return false;
    if (r->v->ngrams < 2) return true;
    if (r->follows) {
        bt_str_clear(&r->term);
        bt_str_add(&r->term, r->mark);
        bt_str_addn(&r->term, bt_str_text(&r->before), r->before.len);
        bt_str_addc(&r->term, ' ');
        bt_str_addn(&r->term, word, n);
        if (!take_term(r)) return false;
    }
    bt_str_clear(&r->before);
    bt_str_addn(&r->before, word, n);
    r->follows = true;
    return !r->before.failed;
}

static bool take_part(struct reader *r, const char *mark, const char *text, size_t n)
{
    r->mark = mark;
    r->follows = false;
    return !text || bt__words(text, n, &r->scratch, take_word, r);
}

static bool take_text(struct reader *r, const struct bt__text *t)
{
    r->n = 0;
    return take_part(r, "", t->text, t->text_n) && take_part(r, SECOND, t->pair, t->pair_n);
}

/* ── rows ── */

void bt__sparse_free(struct bt__sparse *r)
{
    free(r->start);
    free(r->column);
    free(r->value);
    *r = (struct bt__sparse){.n = 0};
}

static bool rows_room(struct bt__sparse *r, size_t n)
{
    if (n <= r->cap) return true;
    const size_t cap = 2 * n + 1024;
    int32_t *column = realloc(r->column, cap * sizeof *column);
    if (column) r->column = column;
    double *value = realloc(r->value, cap * sizeof *value);
    if (value) r->value = value;
    if (!column || !value) return false;
    r->cap = cap;
    return true;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A row of counts from the terms that were read. */
static bool add_row(struct bt__sparse *rows, const struct reader *r)
{
    size_t at = rows->start[rows->n];
    if (!rows_room(rows, at + r->n)) return false;
    if (r->n) qsort(r->id, r->n, sizeof *r->id, ascending);
    for (size_t i = 0; i < r->n; i++) {
        if (i && r->id[i] == r->id[i - 1]) {
            rows->value[at - 1] += 1.0;
            continue;
        }
        rows->column[at] = (int32_t)r->id[i];
        rows->value[at++] = 1.0;
    }
    rows->start[++rows->n] = at;
    return true;
}

static bool count(struct reader *r, const struct bt__text *texts, size_t n, struct bt__sparse *rows)
{
    *rows = (struct bt__sparse){.start = calloc(n + 1, sizeof *rows->start)};
    bool fine = rows->start && rows_room(rows, 1);
    for (size_t i = 0; fine && i < n; i++) fine = take_text(r, &texts[i]) && add_row(rows, r);
    reader_free(r);
    if (!fine) bt__sparse_free(rows);
    return fine;
}

static void weigh(const struct bt__tfidf *v, struct bt__sparse *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        double squares = 0.0;
        for (size_t k = rows->start[i]; k < rows->start[i + 1]; k++) {
            rows->value[k] *= v->idf[rows->column[k]];
            squares += rows->value[k] * rows->value[k];
        }
        const double length = squares > 0.0 ? sqrt(squares) : 1.0;
        for (size_t k = rows->start[i]; k < rows->start[i + 1]; k++) rows->value[k] /= length;
    }
}

/* ── the vocabulary ── */

struct cell {
    int32_t column;
    double value;
};

static int by_column(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    return (x->column > y->column) - (x->column < y->column);
}

/* Columns by the new numbers of the terms, ascending again. */
static bool renumber(struct bt__sparse *rows, const uint32_t *place)
{
    size_t most = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->start[i + 1] - rows->start[i] > most) most = rows->start[i + 1] - rows->start[i];
    struct cell *cell = calloc(most + 1, sizeof *cell);
    if (!cell) return false;
    for (size_t i = 0; i < rows->n; i++) {
        const size_t from = rows->start[i], n = rows->start[i + 1] - from;
        for (size_t k = 0; k < n; k++)
            cell[k] = (struct cell){.column = (int32_t)place[rows->column[from + k]],
                                    .value = rows->value[from + k]};
        if (n) qsort(cell, n, sizeof *cell, by_column);
        for (size_t k = 0; k < n; k++) {
            rows->column[from + k] = cell[k].column;
            rows->value[from + k] = cell[k].value;
        }
    }
    free(cell);
    return true;
}

/* scikit-learn's smooth_idf: as if one more text held every term. */
static bool learn_idf(struct bt__tfidf *v, const struct bt__sparse *rows)
{
    v->idf = calloc(v->words.n + 1, sizeof *v->idf);
    if (!v->idf) return false;
    for (size_t k = 0; k < rows->start[rows->n]; k++) v->idf[rows->column[k]] += 1.0;
    for (size_t i = 0; i < v->words.n; i++)
        v->idf[i] = log((1.0 + (double)rows->n) / (1.0 + v->idf[i])) + 1.0;
    return true;
}

static bool learn(struct bt__tfidf *v, const struct bt__text *texts, size_t n, struct bt__sparse *rows)
{
    struct reader r = {.v = v, .learn = &v->words};
    if (!count(&r, texts, n, rows)) return false;
    uint32_t *place = calloc(v->words.n + 1, sizeof *place);
    bool fine = place && bt__vocabulary_sort(&v->words, place) && renumber(rows, place) && learn_idf(v, rows);
    free(place);
    if (fine)
        weigh(v, rows);
    else
        bt__sparse_free(rows);
    return fine;
}

enum bt_status bt__tfidf_fit(const struct bt__text *texts, size_t n, int ngrams, struct bt__tfidf **out,
                             struct bt__sparse *rows, struct bt_error *err)
{
    struct bt__tfidf *v = calloc(1, sizeof *v);
    *rows = (struct bt__sparse){.n = 0};
    if (v) v->ngrams = ngrams;
    enum bt_status st = v && learn(v, texts, n, rows)
                            ? BT_OK
                            : bt_fail(err, BT_NOMEM, "no memory for the words of %zu texts", n);
    if (!st && v->words.n == 0)
        st = bt_fail(err, BT_INVALID, "no text has a word of at least two letters or digits");
    if (st) {
        bt__sparse_free(rows);
        bt__tfidf_free(v);
    } else {
        *out = v;
    }
    return st;
}

enum bt_status bt__tfidf_rows(const struct bt__tfidf *v, const struct bt__text *texts, size_t n,
                              struct bt__sparse *rows, struct bt_error *err)
{
    struct reader r = {.v = v};
    if (!count(&r, texts, n, rows)) return bt_fail(err, BT_NOMEM, "no memory for the words of %zu texts", n);
    weigh(v, rows);
    return BT_OK;
}

void bt__tfidf_free(struct bt__tfidf *v)
{
    if (!v) return;
    bt__vocabulary_free(&v->words);
    free(v->idf);
    free(v);
}

size_t bt__tfidf_features(const struct bt__tfidf *v)
{
    return v->words.n;
}

const char *bt__tfidf_term(const struct bt__tfidf *v, size_t i, size_t *n)
{
    *n = v->words.term[i].n;
    return v->words.text.data + v->words.term[i].at;
}

double bt__tfidf_idf(const struct bt__tfidf *v, size_t i)
{
    return v->idf[i];
}
