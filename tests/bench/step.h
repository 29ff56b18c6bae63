/* What the programs that measure a training step share: a model's sizes, and a batch. */
#ifndef BERTTY_TESTS_BENCH_STEP_H
#define BERTTY_TESTS_BENCH_STEP_H

#include "batch/batch.h"
#include "model/config.h"

#include <stdio.h>

/* size: hidden, layers, heads, intermediate. */
static inline struct bt__model_config step_config(const int *size)
{
    return (struct bt__model_config){.vocab_size = 30522,
                                     .hidden_size = size[0],
                                     .num_hidden_layers = size[1],
                                     .num_attention_heads = size[2],
                                     .intermediate_size = size[3],
                                     .max_position_embeddings = 512,
                                     .type_vocab_size = 2,
                                     .layer_norm_eps = 1e-12f,
                                     .initializer_range = 0.02f,
                                     .hidden_dropout_prob = 0.1f,
                                     .attention_probs_dropout_prob = 0.1f,
                                     .classifier_dropout = -1.0f};
}

/* Sentences of mixed lengths, for which b has room. */
static inline void step_batch(struct bt__batch *b, int sequences, int vocab)
{
    struct bt_error err;
    int32_t ids[64];
    uint8_t types[64] = {0};
    for (int i = 0; i < sequences; i++) {
        int n = 16 + (i * 7) % 17; /* 16 … 32, mean 24 */
        for (int j = 0; j < n; j++) ids[j] = (i * 131 + j * 7919) % vocab;
        if (bt__batch_add(b, ids, types, n, NULL, i, &err)) fprintf(stderr, "%s\n", err.text);
    }
    bt__batch_plan(b);
}

#endif
