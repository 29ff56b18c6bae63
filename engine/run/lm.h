/* What masked language modelling has of its own in a step and in an evaluation: sequences that are drawn, and a loss that the head computes.
 *
 * Zero-initialise; bt__lm_free() releases. */
#ifndef BERTTY_RUN_LM_H
#define BERTTY_RUN_LM_H

#include "model/pass.h"
#include "tasks/task.h"

struct bt__lm {
    int32_t *ids;    /* [longest] of one sequence */
    uint8_t *reads;  /* [longest] */
    int32_t *target; /* [reads of a batch] */
    double *loss;    /* [reads of a batch] */
    int32_t *best;   /* [reads of a batch] */
    float *logits;   /* [vocabulary] */
    int32_t *top;    /* [vocabulary] */
};

enum bt_status bt__lm_reserve(struct bt__lm *l, const struct bt__pass_limits *limits, int vocab,
                              struct bt_error *err);
void bt__lm_free(struct bt__lm *l);

/* Words to guess in sequence i of the step that key numbers. */
int bt__lm_count(struct bt__lm *l, const struct bt__task *t, const struct bt__task_data *d, size_t i,
                 uint64_t key);
/* Draws sequence i and appends it to a batch. */
enum bt_status bt__lm_add(struct bt__lm *l, const struct bt__task *t, const struct bt__task_data *d, size_t i,
                          uint64_t key, struct bt__batch *b, struct bt_error *err);
/* After the forward pass: the sum of the batch's losses, shard by shard, and unless it is not finite the gradient over weight. */
double bt__lm_train(struct bt__lm *l, struct bt__pass *p, const struct bt__batch *b, double smoothing,
                    double weight, const struct bt__trainable *what, bool first);
/* Then the mean loss of the words that sequence i of the batch had to guess; 0: none. */
double bt__lm_mean(const struct bt__lm *l, const struct bt__batch *b, int i);
/* Into the sequences' "logits" as tasks/mlm.h has them: sums where there is gold, else the likeliest words of each read. */
void bt__lm_take(struct bt__lm *l, struct bt__pass *p, const struct bt__batch *b, bool gold, int vocab,
                 struct bt__logits *to);

#endif
