/* Evaluation: loss, confusion matrix and logits of a set of examples, forward only, without dropout. */
#ifndef BERTTY_RUN_EVALUATE_H
#define BERTTY_RUN_EVALUATE_H

#include "batch/features.h"
#include "metrics/confusion.h"
#include "model/pass.h"
#include <bertty/train.h>

struct bt__evaluation {
    double loss; /* mean cross-entropy without smoothing over the examples with a gold label */
    struct bt__confusion confusion;
    float *logits;  /* [n, labels] in the order of the features */
    double seconds; /* of the forward passes */
    int64_t tokens;
};

/* Limits for a pass that only evaluates f in batches of at most seqs examples and rows tokens (at least its longest example). */
struct bt__pass_limits bt__evaluation_limits(const struct bt__features *f, int seqs, int rows);

/* Runs f through the pass in batches within limits, examples of like length together. gold may be NULL (no loss, no confusion) and may hold
 * −1 for an unknown label. keep_going may be NULL; when it returns false the evaluation ends with BT_CANCELLED. The caller frees. */
enum bt_status bt__evaluate(struct bt__pass *pass, const struct bt__model *m,
                            const struct bt__pass_limits *limits, const struct bt__features *f,
                            const int *gold, bool (*keep_going)(void *ctx), void *ctx,
                            struct bt__evaluation *e, struct bt_error *err);
void bt__evaluation_free(struct bt__evaluation *e);

/* Loss and every metric that is defined for so many labels, by name. */
void bt__evaluation_metrics(const struct bt__evaluation *e, struct bt_metrics *out);

#endif
