/* Optimisers over a model's arena: one door, a table of them behind it (optim/optim.def; a new one is a file and a row).
 *
 * The work is cut into pieces of fixed size, so that norms and weights have the same bits for any number of threads. The word embeddings' gradient
 * holds only the rows that a batch has; the weights become those that the dense gradient would give. Only trained parameters have a state:
 * what is frozen (model/trainable.h) must be settled before. */
#ifndef BERTTY_OPTIM_OPTIM_H
#define BERTTY_OPTIM_OPTIM_H

#include "base/pool.h"
#include "model/pass.h"

struct bt__optim;

enum bt__optim_kind {
#define OPTIM(constant, ops) BT__OPTIM_##constant,
#include "optim/optim.def"
#undef OPTIM
};

struct bt__optim_settings {
    enum bt__optim_kind kind;
    double weight_decay;
    double beta1, beta2, epsilon; /* adamw, bert_adam */
    bool correct_bias;            /* adamw */
    double momentum;              /* sgd */
    double layer_decay;           /* factor a layer down from the top, 1 = none (Howard & Ruder 2018) */
    double head_rate_factor;      /* learning rate of the head over the base rate */
};

/* A part of the state of one parameter. */
struct bt__optim_tensor {
    const char *slot; /* "exp_avg": the name in PyTorch's state */
    const struct bt__param *param;
    int rank;
    int64_t shape[2];
    size_t count;
    float *data; /* borrowed */
};

/* As options and checkpoints name it. */
const char *bt__optim_name(enum bt__optim_kind kind);
/* Bytes that such an optimiser of m takes; and those that its state takes in a checkpoint. */
size_t bt__optim_bytes(const struct bt__model *m, const struct bt__optim_settings *settings);
size_t bt__optim_saved_bytes(const struct bt__model *m, const struct bt__optim_settings *settings);

/* model and pool are borrowed. The caller frees with bt__optim_free(). */
enum bt_status bt__optim_create(struct bt__model *m, struct bt__pool *pool,
                                const struct bt__optim_settings *settings, struct bt__optim **out,
                                struct bt_error *err);
void bt__optim_free(struct bt__optim *o);
/* The state for saving and loading: its tensors, zero before the first step, and number i of them. */
size_t bt__optim_tensors(const struct bt__optim *o);
struct bt__optim_tensor bt__optim_tensor(const struct bt__optim *o, size_t i);
/* To be called after the state was written from outside. */
void bt__optim_loaded(struct bt__optim *o);

/* The 2-norm of the trained parameters' gradient; NaN or Inf if any part is. */
double bt__optim_norm(struct bt__optim *o, const struct bt__gradient *g);
/* Update number t (counted from 1) with learning rate lr; the gradient is multiplied by scale first (clipping). */
void bt__optim_step(struct bt__optim *o, const struct bt__gradient *g, int64_t t, double lr, double scale);

#endif
