/* Texts as weights of their words, as scikit-learn's TfidfVectorizer gives them with its defaults: counts times ln((1 + n) / (1 + df)) + 1, each row of
 * Euclidean length 1 (smooth_idf, norm "l2", no sublinear tf). The words of a pair's second text are features of their own, the words that begin
 * with "2:".
 *
 * The caller frees with bt__tfidf_free() and bt__sparse_free(). */
#ifndef BERTTY_BASELINE_TFIDF_H
#define BERTTY_BASELINE_TFIDF_H

#include "batch/features.h"

/* A sparse matrix: of row i what stands at start[i] … start[i + 1], columns ascending. Zero-initialise. */
struct bt__sparse {
    size_t n;
    size_t *start;   /* [n + 1] */
    int32_t *column; /* [start[n]] from 0 */
    double *value;   /* [start[n]] */
    size_t cap;      /* private */
};
void bt__sparse_free(struct bt__sparse *r);

struct bt__tfidf;

/* Learns the vocabulary of n texts: single words, with ngrams 2 also two that follow each other, divided by a blank. *rows: those texts. Nothing is
 * left after a failure: BT_NOMEM, or BT_INVALID for texts without a word. */
enum bt_status bt__tfidf_fit(const struct bt__text *texts, size_t n, int ngrams, struct bt__tfidf **out,
                             struct bt__sparse *rows, struct bt_error *err);
/* Other texts; words that were not learnt count for nothing. */
enum bt_status bt__tfidf_rows(const struct bt__tfidf *v, const struct bt__text *texts, size_t n,
                              struct bt__sparse *rows, struct bt_error *err);
void bt__tfidf_free(struct bt__tfidf *v); /* NULL is fine */

/* Features stand in the bytewise order of their terms. */
size_t bt__tfidf_features(const struct bt__tfidf *v);
const char *bt__tfidf_term(const struct bt__tfidf *v, size_t i, size_t *n); /* borrowed; n bytes */
double bt__tfidf_idf(const struct bt__tfidf *v, size_t i);

#endif
