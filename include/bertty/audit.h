/* Which labels are probably wrong: confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"), from
 * probabilities of models that had not seen the rows.
 *
 * A result owns everything that hangs on it. */
#ifndef BERTTY_AUDIT_H
#define BERTTY_AUDIT_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_confident {
    size_t n;          /* rows */
    int labels;        /* K */
    double *threshold; /* [K] mean probability of the label over the rows that have it; 2 where none has */
    int64_t *
        joint; /* [K, K] rows that are given label i and are probably j; each given label's sum is that of its rows */
    bool *
        flagged; /* [n] pruned by noise rate: of the rows given i, the joint[i, j] with the largest p(j) − p(i), unless i is the likeliest */
    double *margin; /* [n] p(given) − the largest other p, −1 … 1 */
    size_t *
        order; /* [n] what to look at first: the flagged rows, then the others, each by margin; of equal ones by row */
    size_t n_flagged;
};
/* scores [n, K]: probabilities; given [n]: labels, 0 … K − 1. BT_INVALID: fewer than two labels, no rows, a label out of range or a score that is none. */
enum bt_status bt_confident_learn(const float *scores, const int *given, size_t n, int labels,
                                  struct bt_confident **out, struct bt_error *err);
void bt_confident_free(struct bt_confident *c); /* c may be NULL */

#endif
