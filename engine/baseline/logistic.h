/* Logistic regression over sparse rows through liblinear: what scikit-learn's LogisticRegression(solver="liblinear") fits with its defaults, one label against
 * the rest where there are more than two (‖w‖²/2 + C · Σ log loss, C = 1, a bias that is regularised too, tolerance 1e-4).
 *
 * The solver is the primal trust region Newton method (L2R_LR), which draws no random numbers: the same rows give the same weights. The caller frees with bt__logistic_free(). */
#ifndef BERTTY_BASELINE_LOGISTIC_H
#define BERTTY_BASELINE_LOGISTIC_H

#include "baseline/tfidf.h"

struct bt__logistic;

/* gold [x->n]: 0 … classes − 1. A label without rows gets next to no probability. BT_UNSUPPORTED: built without liblinear, or it cannot be loaded. */
enum bt_status bt__logistic_fit(const struct bt__sparse *x, size_t features, const int *gold, int classes,
                                struct bt__logistic **out, struct bt_error *err);
void bt__logistic_free(struct bt__logistic *l); /* NULL is fine */
/* to [classes]: the logarithm of each label's probability against the rest. Of more than two labels these do not add up to 1: the softmax of to divides them by
 * their sum, as predict_proba does. */
void bt__logistic_logits(const struct bt__logistic *l, const struct bt__sparse *x, size_t i, float *to);

#endif
