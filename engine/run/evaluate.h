/* Evaluation: logits and loss of a split, forward only, without dropout. */
#ifndef BERTTY_RUN_EVALUATE_H
#define BERTTY_RUN_EVALUATE_H

#include "model/pass.h"
#include "tasks/task.h"
#include <bertty/train.h>

struct bt__evaluation {
    double loss; /* without smoothing, over what has a gold value */
    struct bt__logits logits;
    double seconds; /* of the forward passes */
    int64_t tokens;
};

/* Limits for a pass that only evaluates f in batches of at most seqs sequences and rows tokens (at least its longest item). */
struct bt__pass_limits bt__evaluation_limits(const struct bt__features *f, int seqs, int rows);

/* Runs d through the pass in batches within limits, sequences of like length together. Without d->gold there is no loss. keep_going may be NULL; when it
 * returns false the evaluation ends with BT_CANCELLED. The caller frees. */
enum bt_status bt__evaluate(struct bt__pass *pass, const struct bt__model *m,
                            const struct bt__pass_limits *limits, const struct bt__task *t,
                            const struct bt__task_data *d, bool (*keep_going)(void *ctx), void *ctx,
                            struct bt__evaluation *e, struct bt_error *err);
void bt__evaluation_free(struct bt__evaluation *e);

/* The same passes for what the last layer makes of the tokens that are read: each is called behind every one of them, with the batch whose sources are the
 * sequences of d->f. ctx is that of both. */
typedef void bt__encoded_fn(void *ctx, const struct bt__pass *pass, const struct bt__batch *b);
enum bt_status bt__encode_all(struct bt__pass *pass, const struct bt__pass_limits *limits,
                              const struct bt__task_data *d, bt__encoded_fn *each,
                              bool (*keep_going)(void *ctx), void *ctx, struct bt_error *err);

/* The mean loss of logits that are there. */
double bt__evaluation_loss(const struct bt__evaluation *e, const struct bt__task *t,
                           const struct bt__task_data *d);

/* Loss and the task's figures, by name. */
enum bt_status bt__evaluation_metrics(const struct bt__evaluation *e, const struct bt__task *t,
                                      const struct bt__task_data *d, struct bt_metrics *out,
                                      struct bt_error *err);

/* The rows of a predictions file, one an example. */
enum bt_status bt__evaluation_rows(const struct bt__evaluation *e, const struct bt__task *t,
                                   const struct bt__task_data *d, struct bt_str *out, struct bt_error *err);

#endif
