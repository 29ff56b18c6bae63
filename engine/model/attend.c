/* Attention over a batch: one item for each sequence and head. */
#include "math/attention.h"
#include "model/pass_internal.h"

#include <math.h>
#include <string.h>

/* The row of a sequence's first query. */
static int first_query(const struct bt__attend *a, int seq)
{
    const struct bt__batch *b = a->p->batch;
    return bt__pass_gathers(a->p, a->layer) ? b->read_start[seq] : b->start[seq];
}

/* Rows of one sequence among the queries, and where its heads' probabilities begin. */
static struct bt__attention describe(const struct bt__attend *a, int seq, int head, int thread)
{
    const struct bt__pass *p = a->p;
    const struct bt__batch *b = p->batch;
    const struct bt__model_config *c = &p->m->config;
    const struct bt__layer_mem *l = &p->layer[a->layer];
    bool top = bt__pass_gathers(p, a->layer);
    const int h = c->hidden_size, d = h / c->num_attention_heads, n = b->start[seq + 1] - b->start[seq];
    const int nq = top ? b->read_start[seq + 1] - b->read_start[seq] : n, ld = top ? 2 * h : 3 * h;
    size_t before = top ? b->read_pair[seq] : b->pair[seq];
    size_t at = before * (size_t)c->num_attention_heads + (size_t)head * (size_t)nq * (size_t)n;
    const float *keys = l->qkv + bt__at(b->start[seq], ld) + (top ? 0 : h) + head * d;
    return (struct bt__attention){
        .k = p->k,
        .nq = nq,
        .n = n,
        .d = d,
        .q = top ? p->q_top + bt__at(b->read_start[seq], h) + head * d : keys - h,
        .key = keys,
        .value = keys + h,
        .ldq = top ? h : ld,
        .ldkv = ld,
        .scale = 1.0f / sqrtf((float)d),
        .drop = bt__pass_mask(p, BT__STREAM_DROP_PROBS, a->layer, c->attention_probs_dropout_prob),
        .pos = (uint32_t)at,
        .p = l->probs + at,
        .scratch = p->scratch[thread]};
}

static void forward_item(void *ctx, int item, int thread)
{
    const struct bt__attend *a = ctx;
    const struct bt__model_config *c = &a->p->m->config;
    const int heads = c->num_attention_heads, seq = item / heads, head = item % heads;
    struct bt__attention t = describe(a, seq, head, thread);
    int row = first_query(a, seq);
    if (t.nq == 0) return;
    float *out = a->p->layer[a->layer].ctx + bt__at(row, c->hidden_size) + head * t.d;
    bt__attention_forward(&t, out, c->hidden_size);
}

/* Of keys or values of a sequence that has no queries. */
static void no_gradient(const struct bt__attention *t, float *d)
{
    for (int i = 0; i < t->n; i++) memset(d + bt__at(i, t->ldkv), 0, sizeof *d * (size_t)t->d);
}

static void backward_item(void *ctx, int item, int thread)
{
    const struct bt__attend *a = ctx;
    struct bt__pass *p = a->p;
    const struct bt__model_config *c = &p->m->config;
    const int heads = c->num_attention_heads, seq = item / heads, head = item % heads, h = c->hidden_size;
    bool top = bt__pass_gathers(p, a->layer);
    struct bt__attention t = describe(a, seq, head, thread);
    int row = first_query(a, seq);
    float *dkey = p->dqkv + bt__at(p->batch->start[seq], t.ldkv) + (top ? 0 : h) + head * t.d;
    float *dq = top ? p->dq_top + bt__at(row, h) + head * t.d : dkey - h;
    if (t.nq == 0) {
        no_gradient(&t, dkey);
        no_gradient(&t, dkey + h);
        return;
    }
    bt__attention_backward(&t, a->dctx + bt__at(row, h) + head * t.d, h, dq, t.ldq, dkey, dkey + h, t.ldkv);
}

struct bt__job bt__job_attend(struct bt__attend *a)
{
    return (struct bt__job){
        .fn = forward_item, .ctx = a, .items = a->p->batch->n * a->p->m->config.num_attention_heads};
}

struct bt__job bt__job_attend_backward(struct bt__attend *a)
{
    return (struct bt__job){
        .fn = backward_item, .ctx = a, .items = a->p->batch->n * a->p->m->config.num_attention_heads};
}
