/* The one table of a model's parameters: name, shape, place.
 *
 * All weights live in one float arena, each parameter at a 64-byte aligned offset; gradients and optimiser moments use the
 * same offsets in arenas of their own. Names are those of transformers' BertFor… classes ("bert.encoder.layer.0.…"). The table's order is
 * the order of the backward pass reversed: embeddings first, head last; behind it the adapters, whose base has no gradient. */
#ifndef BERTTY_MODEL_PARAMS_H
#define BERTTY_MODEL_PARAMS_H

#include "model/config.h"
#include <stddef.h>

struct bt__param {
    char name[96];
    int rank;       /* 1 or 2 */
    int rows, cols; /* rank 2: [rows, cols] row-major; rank 1: [cols], rows = 1 */
    size_t offset;  /* floats from the start of the arena */
    size_t count;   /* rows × cols */
    int layer;      /* −1 embeddings, 0 … L−1 encoder, L pooler and head */
    bool decay;     /* weight decay applies: not to biases and LayerNorm */
    bool head;      /* belongs to the task head: may be missing in a pre-trained file, then freshly drawn */
    bool optional;  /* may be missing although it is not the head (pooler) */
    bool
        adapter; /* one of struct bt__lora's: it stands behind the head, and no other file than an adapter's has it */
    bool frozen; /* not trained: it has no gradient and no optimiser state; see model/trainable.h */
};

/* The matrix that a kind of adapter stands on, "attention.self.query", and its shape. */
struct bt__lora_base {
    const char *name;
    int rows, cols;
};
struct bt__lora_base bt__lora_base(const struct bt__model_config *c, enum bt__lora_kind kind);

struct bt__params {
    struct bt__param *item;
    size_t n;
    size_t total; /* floats in the arena, padding included */
};

/* The table for a model with this head. The caller frees with bt__params_free(). */
enum bt_status bt__params_build(struct bt__params *p, const struct bt__model_config *c,
                                const struct bt__head_spec *head, struct bt_error *err);
void bt__params_free(struct bt__params *p);
/* The parameter that begins at an offset of the arena. */
const struct bt__param *bt__params_at(const struct bt__params *p, size_t offset);
/* NULL if absent. */
const struct bt__param *bt__params_find(const struct bt__params *p, const char *name);

#endif
