/* AdamW (Loshchilov & Hutter 2019) over a model's arena, as PyTorch computes it, or without bias correction as Google's BERT does.
 *
 * The work is cut into chunks of fixed size, so that norms and weights have the same bits for any number of threads. Moments are two
 * arenas with the parameters' offsets. */
#ifndef BERTTY_OPTIM_ADAMW_H
#define BERTTY_OPTIM_ADAMW_H

#include "base/pool.h"
#include "model/pass.h"

struct bt__adam;

struct bt__adam_settings {
    double beta1, beta2, epsilon, weight_decay;
    double layer_decay;      /* factor a layer down from the top, 1 = none (Howard & Ruder 2018) */
    double head_rate_factor; /* learning rate of the head over the base rate */
    bool correct_bias;
    struct bt__trainable trainable;
};

/* model and pool are borrowed. The caller frees with bt__adam_free(). */
enum bt_status bt__adam_create(struct bt__model *m, struct bt__pool *pool,
                               const struct bt__adam_settings *settings, struct bt__adam **out,
                               struct bt_error *err);
void bt__adam_free(struct bt__adam *a);
/* The moments' arenas [params.total], for saving and loading. */
float *bt__adam_first(struct bt__adam *a);
float *bt__adam_second(struct bt__adam *a);
/* To be called after the moments were written from outside. */
void bt__adam_loaded(struct bt__adam *a);

/* The 2-norm of the whole gradient; NaN or Inf if any part is. */
double bt__adam_norm(struct bt__adam *a, const struct bt__gradient *g);
/* Update number t (counted from 1) with learning rate lr; the gradient is multiplied by scale first (clipping). */
void bt__adam_step(struct bt__adam *a, const struct bt__gradient *g, int64_t t, double lr, double scale);

#endif
