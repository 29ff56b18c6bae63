/* A BERT with a head: its weights, and where each stands.
 *
 * A model is read-only during a pass, so any number of passes may share it. The weights live in one arena (model/params.h); offsets are the same for
 * gradients and moments. */
#ifndef BERTTY_MODEL_MODEL_H
#define BERTTY_MODEL_MODEL_H

#include "base/pool.h"
#include "model/config.h"
#include "model/params.h"

/* Offsets (floats) of one encoder layer's parameters in an arena. */
struct bt__layer_at {
    size_t qkv_w, qkv_b;     /* [3H, H] and [3H]: query, key, value one after the other */
    size_t out_w, out_b;     /* [H, H], [H] */
    size_t norm1_w, norm1_b; /* [H] */
    size_t up_w, up_b;       /* [F, H], [F] */
    size_t down_w, down_b;   /* [H, F], [H] */
    size_t norm2_w, norm2_b; /* [H] */
    size_t lora_a[BT__LORA_KINDS], lora_b[BT__LORA_KINDS]; /* [r, in], [out, r]; 0: it has none */
};

/* Of the masked language model's head. */
struct bt__lm_at {
    size_t dense_w, dense_b; /* [H, H], [H] */
    size_t norm_w, norm_b;   /* [H] */
    size_t bias;             /* [V]; the decoder's weight is the word embedding */
};

struct bt__model {
    struct bt__model_config config;
    struct bt__head_spec head;
    int num_labels; /* head.outputs */
    struct bt__params params;
    float *w;                                    /* [params.total] */
    size_t word, position, type, norm_w, norm_b; /* embeddings */
    struct bt__layer_at *layer;                  /* [num_hidden_layers] */
    size_t pooler_w, pooler_b, head_w, head_b;   /* pooler: BT__HEAD_POOLED only; head: not BT__HEAD_MLM */
    struct bt__lm_at lm;                         /* BT__HEAD_MLM */
};

/* Builds the table and an arena of zeros. config and head are copied. The caller frees with bt__model_free(). */
enum bt_status bt__model_create(const struct bt__model_config *config, const struct bt__head_spec *head,
                                struct bt__model **out, struct bt_error *err);
void bt__model_free(struct bt__model *m);

/* Draws weights as BERT does (adapters as LoRA's: they change nothing at first), N(0, initializer_range) for matrices, 0 for biases, 1 for LayerNorm weights: for all parameters, or
 * where only[i] is true. Keyed by the parameter's name, so that a head's values do not depend on the encoder. */
void bt__model_init(struct bt__model *m, uint64_t seed, const bool *only);

/* Marks what is to be drawn anew: the top encoder layers, and the pooler. */
void bt__model_redrawn(const struct bt__model *m, int top_layers, bool pooler, bool *only);

/* Zeroed, 64-byte aligned memory for n floats, backed by the system on first touch; NULL if there is none. Freed with bt__floats_free(). */
float *bt__floats_alloc(size_t n);
void bt__floats_free(float *p, size_t n);
/* Has such memory, in which nothing stands yet, provided by all threads at once: that takes a part of the time, and where processors have memory of their own
 * no single one's has all of it. */
void bt__floats_touch(struct bt__pool *pool, float *p, size_t n);
/* Advice for n floats of such memory: they are touched here and there, so small pages save memory. */
void bt__floats_sparse(float *p, size_t n);

#endif
