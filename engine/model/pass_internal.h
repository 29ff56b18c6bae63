/* The memory of a pass, shared by the files that make it up: memory, forward, backward, embeddings. */
#ifndef BERTTY_MODEL_PASS_INTERNAL_H
#define BERTTY_MODEL_PASS_INTERNAL_H

#include "model/linear.h"
#include "model/pass.h"
#include "model/prefix.h"

/* R = rows, S = sequences, H = hidden, F = intermediate, C = the head's outputs, Q = rows that the head reads, Z = rows of the logits: S or Q,
 * T = the rows that a layer works on: R, in the last layer Q. */
struct bt__layer_mem {
    float *qkv;           /* [R, 3H]; last layer, unless all rows are read: key and value only, [R, 2H] */
    float *probs;         /* heads · Σ nq·length: softmax before dropout */
    float *ctx;           /* [T, H] */
    float *xhat1, *rstd1; /* [T, H], [T]: first LayerNorm, normalised, and 1/σ */
    float *pre;           /* [T, F]: input of the activation */
    float *xhat2, *rstd2; /* [T, H], [T] */
    float *low[BT__LORA_KINDS]; /* [T, r]: alpha/r · dropout(x)·Aᵀ; keys' and values' [R, r] */
};

enum { BT__LM_COLS = 2048 }; /* words of the vocabulary whose logits exist together */

/* A row of the language model's logits, as far as the walk over the vocabulary has come. */
struct bt__lm_row {
    float top;       /* largest logit */
    double sum;      /* Σ e^(logit − top) */
    double expected; /* Σ q·logit for the expected distribution q */
    double log_sum;  /* at the end */
};

/* The language model's head. */
struct bt__lm_mem {
    float *pre, *act, *xhat, *rstd; /* [Q, H] ×3, [Q]: transform, activated, normalised, 1/σ */
    float *block;                   /* [Q, BT__LM_COLS] */
    float *d;                       /* backward: [Q, H] */
    struct bt__lm_row *row;         /* [Q] */
};

struct bt__pass {
    struct bt__model *m;
    struct bt__pool *pool;
    const struct bt__kernels *k;
    const struct bt__products
        *by; /* of the layers and the language model's head; the other heads' are fp32 */
    struct bt__pass_limits limits;
    float *arena;
    size_t arena_size;
    struct bt__layer_mem
        *layer; /* [L]; without training all are the same, with recompute all but xhat2 and rstd2 */

    float *emb_xhat, *emb_rstd, *x0; /* [R, H], [R], [R, H]: embeddings after LayerNorm and dropout */
    float *x, *h1, *act, *out;       /* [R, H], [R, H], [R, F], [R, H] */
    float *x_top, *q_top,
        *y_top;        /* [Q, H]: the last layer's input and queries where the head reads, and its output */
    float *first_read; /* [S, H]: of y_top, when not every sequence has one read */
    float *pooled;     /* [S, H]: the pooler's output, or the mean */
    float *head_in;    /* [Z, H]: input of the classifier */
    float *logits;     /* [Z, C] */
    struct bt__lm_mem lm;                      /* BT__HEAD_MLM */
    float *dy, *ds, *df, *dqkv, *dpre, *dhead; /* backward: [R, H] ×3, [R, 3H], [R, F], [Z, H] */
    float *dq_top, *dx_top;                    /* [Q, H] */
    float *dlow[BT__LORA_KINDS];               /* as low */
    float *panels;                             /* the packed operands of a phase */
    float **scratch;                           /* [threads] */
    size_t scratch_size;                       /* floats of each */

    /* gradients */
    struct bt__gradient grad;
    float *word;                  /* [word_cap, H] */
    int32_t *word_id, *slot;      /* [word_cap], [V] */
    int word_cap, n_words;        /* slots in use */
    int words_before;             /* slots that earlier batches of this step filled */
    int *group_start, *group_row; /* rows of the batch by slot: [word_cap + 1], [R] */

    /* the forward pass in progress */
    struct bt__prefix *prefix; /* borrowed; NULL: none */
    const float *words;        /* [R, H] borrowed; NULL: the embeddings of the batch's ids */
    float *tap;                /* [L + 1, R, H] borrowed: receives every layer's output; NULL: none */
    int begin;                 /* the layer whose input is x0: 0, or that of the prefix */
    bool training;
    uint64_t seed, step;
    const struct bt__batch *batch;
};

static inline size_t bt__at(int row, int ld)
{
    return (size_t)row * (size_t)ld;
}

/* The dropout of a stream in this pass; layer −1 for the embeddings. */
struct bt__dropout bt__pass_mask(const struct bt__pass *p, enum bt__stream stream, int layer,
                                 float probability);
/* The last layer works on the rows that are read, unless all are. */
static inline bool bt__pass_gathers(const struct bt__pass *p, int layer)
{
    return layer == p->m->config.num_hidden_layers - 1 && p->batch->reads.n < p->batch->rows.n;
}

/* dense + offset − dense_begin: where the gradient of a parameter is; NULL: it has none */
static inline float *bt__grad_at(const struct bt__pass *p, size_t offset)
{
    return offset < p->grad.dense_begin ? NULL : p->grad.dense + (offset - p->grad.dense_begin);
}

/* Is the gradient of the parameter at this offset wanted? */
static inline bool bt__trains(const struct bt__pass *p, size_t offset)
{
    return !p->limits.inputs && !bt__params_at(&p->m->params, offset)->frozen;
}

void bt__embed_forward(struct bt__pass *p);
/* From dy [R, H], the gradient of x0; dy is overwritten. */
void bt__embed_backward(struct bt__pass *p, bool first);

/* The word embeddings' gradient is dense, because the head's decoder is tied to them. */
static inline bool bt__pass_dense_words(const struct bt__pass *p)
{
    return p->grad.dense_begin <= p->m->word;
}

/* Anything but the head is trained. */
static inline bool bt__trained_below_head(const struct bt__model *m, const struct bt__trainable *what)
{
    return what->embeddings || what->first_layer < m->config.num_hidden_layers;
}
/* From the gradient of y_top in its place down to the lowest trained parameter. */
void bt__layers_backward(struct bt__pass *p, const struct bt__trainable *what, bool first);
/* The same down to the word vectors' gradient [R, H]. */
const float *bt__layers_input_gradient(struct bt__pass *p);

/* The layer whose input is kept in this pass; 0: none is. Then load() puts it into x0, unless some of the batch is not known yet, and store() keeps it. */
int bt__prefix_kept(const struct bt__pass *p);
bool bt__prefix_load(struct bt__pass *p);
void bt__prefix_store(struct bt__pass *p, const float *x);

/* dhead → the gradients of the language model's transform; with below the gradient of y_top takes its place. */
void bt__lm_transform_backward(struct bt__pass *p, bool below, bool first);
/* y_top → head_in, the decoder's input. */
void bt__lm_forward(struct bt__pass *p);
/* y_top → logits. */
void bt__head_forward(struct bt__pass *p);
/* What the forward pass did not keep of a layer below the last, from its input; as it was up to the input of the activation. */
void bt__layer_again(struct bt__pass *p, int i, const float *x);
/* The head's gradients; with below the gradient of y_top takes its place. */
void bt__head_backward(struct bt__pass *p, const float *dlogits, bool below, bool first);

/* The gradient of a weight [n, k] and of a bias or other sum of rows [cols]; first: replace what the gradient holds, do not add. */
struct bt__linear_weight bt__weight_grad(const struct bt__pass *p, const struct bt__products *by,
                                         const struct bt__rows *rows, int n, int k, const float *dy,
                                         const float *x, size_t at, bool first);
struct bt__column_sum bt__bias_grad(const struct bt__pass *p, const struct bt__rows *rows, int cols,
                                    const float *dy, size_t at, bool first);

/* A matrix with an adapter as it is used: its rows, its input, backward the gradient of its output. */
struct bt__lora_use {
    enum bt__lora_kind kind;
    const struct bt__rows *rows;
    const float *x;
    const float *dy;
    int lddy;
};
/* What adapters add to one product: filled for the kinds of n uses whose outputs stand side by side in it. */
struct bt__lora_side {
    struct bt__low_rank add[3];
    int n;
};
/* Those of the uses whose matrix has an adapter in this layer; the others are passed over. Each runs a phase of its own. */
void bt__lora_forward(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n,
                      struct bt__lora_side *side);
void bt__lora_backward(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n,
                       struct bt__lora_side *side);
void bt__lora_weights(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n, bool first);
static inline bool bt__lora_has(const struct bt__pass *p, int layer, enum bt__lora_kind kind)
{
    return p->m->layer[layer].lora_a[kind] != 0;
}

/* One phase of per-row work over n rows. */
void bt__each_row(struct bt__pass *p, int n, void (*fn)(void *ctx, int row), void *ctx);

/* Attention of all sequences and heads of a layer. */
struct bt__attend {
    struct bt__pass *p;
    int layer;
    const float *dctx; /* backward */
};
struct bt__job bt__job_attend(struct bt__attend *a);
struct bt__job bt__job_attend_backward(struct bt__attend *a);

#endif
