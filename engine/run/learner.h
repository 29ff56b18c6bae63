/* The training step: batch, forward, loss, backward, clip, update. Everything is a function of the step's number, so a resumed run only
 * needs the weights, the optimiser's state and that number.
 *
 * A batch of many tokens is computed in pieces, whose gradients are added up: activations take no more memory for long texts, and no less
 * is kept busy. Where it is cut follows from its lengths alone.
 *
 * Memory is reserved by bt__learner_create() for the largest step that can come; nothing is allocated afterwards except when
 * an epoch's order is drawn. */
#ifndef BERTTY_RUN_LEARNER_H
#define BERTTY_RUN_LEARNER_H

#include "batch/order.h"
#include "optim/optim.h"
#include "optim/schedule.h"
#include "tasks/task.h"

/* Whose sequences have what frozen layers make of them kept: each split whole or not at all, the validation data first. */
struct bt__kept {
    bool validation, train;
    size_t bytes; /* of the validation data; the learner counts its own */
};

struct bt__learner_settings {
    int batch_size,
        accumulation; /* items (sequences, or groups of them) of a micro-batch; micro-batches of a step */
    bool drop_last, group_by_length;
    int max_tokens; /* of a micro-batch, with group_by_length; 0: any number */
    double epochs;  /* of passes over the data; unless max_steps > 0 */
    int64_t max_steps;
    uint64_t seed, data_seed;
    double max_grad_norm;         /* 0: no clipping */
    struct bt__schedule schedule; /* total and warmup are filled in by bt__learner_create */
    double warmup_ratio;          /* of the total, when schedule.warmup is 0 */
    double learning_rate;
    struct bt__optim_settings optim;
    bool recompute; /* layers, in the backward pass */
    bool bf16;      /* operands of products */
    struct bt__kept kept;
    struct bt__pass_limits at_least; /* what else the pass is used for: evaluations. Zero: nothing */
};

struct bt__step_result {
    double loss;      /* of the step: its sequences' losses over their weights, with label smoothing */
    double grad_norm; /* before clipping */
    double learning_rate;
    int64_t examples, tokens; /* examples: items */
};

struct bt__learner;

/* Fills in s->schedule.total and warmup for the sequences of f; returns the steps of an epoch. */
int64_t bt__learner_plan(struct bt__learner_settings *s, const struct bt__features *f);

/* Sees each sequence that a step trained on (of a group: the first), as it was before the update: its logits (NULL where the head computes the loss:
 * masked language modelling) and its loss, not times its weight. */
typedef void bt__observe_fn(void *ctx, size_t sequence, const float *logits, double loss);

/* model, pool, task and data are borrowed; data->gold is known. */
enum bt_status bt__learner_create(struct bt__model *m, struct bt__pool *pool, const struct bt__task *task,
                                  const struct bt__task_data *data, const struct bt__learner_settings *s,
                                  struct bt__learner **out, struct bt_error *err);
void bt__learner_free(struct bt__learner *l);

int64_t bt__learner_steps_per_epoch(const struct bt__learner *l);
int64_t bt__learner_total(const struct bt__learner *l);
struct bt__optim *bt__learner_optim(struct bt__learner *l);
/* The pass with its reserved memory, for evaluating between steps; and the limits of one batch in it. */
struct bt__pass *bt__learner_pass(struct bt__learner *l);
const struct bt__pass_limits *bt__learner_limits(const struct bt__learner *l);
void bt__learner_set_rate(struct bt__learner *l, double learning_rate);
void bt__learner_reduce(struct bt__learner *l, double factor); /* what reduce_lr_on_plateau came to */
void bt__learner_observe(struct bt__learner *l, bt__observe_fn *fn, void *ctx); /* fn may be NULL */

/* Does step number step (from 0). BT_DIVERGED if the loss or the gradient is not finite: the weights are then those before the step. */
enum bt_status bt__learner_step(struct bt__learner *l, int64_t step, struct bt__step_result *r,
                                struct bt_error *err);

/* Bytes of weights, the optimiser's state, gradients and activations that such a learner takes. */
size_t bt__learner_bytes(const struct bt__model *m, const struct bt__features *f,
                         const struct bt__learner_settings *s, int threads);

#endif
