/* Gradients to what the encoder reads, for explanations: a backward pass without a parameter's gradient. */
#include "model/pass_internal.h"

#include <limits.h>

void bt__pass_use_words(struct bt__pass *p, const float *x)
{
    p->words = x;
}

/* Nothing is trained, but everything is passed through. */
static const struct bt__trainable inputs = {.embeddings = true, .first_layer = INT_MAX};

const float *bt__layers_input_gradient(struct bt__pass *p)
{
    bt__layers_backward(p, &inputs, true);
    return p->ds;
}

const float *bt__pass_input_gradient(struct bt__pass *p, const struct bt__batch *batch, const float *dlogits)
{
    p->batch = batch;
    bt__head_backward(p, dlogits, true, true);
    return bt__layers_input_gradient(p);
}

const float *bt__pass_attention(const struct bt__pass *p, int layer, int seq, int head)
{
    const struct bt__batch *b = p->batch;
    const bool top = bt__pass_gathers(p, layer);
    const size_t n = (size_t)(b->start[seq + 1] - b->start[seq]);
    const size_t queries = top ? (size_t)(b->read_start[seq + 1] - b->read_start[seq]) : n;
    const size_t before = top ? b->read_pair[seq] : b->pair[seq];
    return p->layer[layer].probs + before * (size_t)p->m->config.num_attention_heads +
           (size_t)head * queries * n;
}
