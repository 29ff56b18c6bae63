/* The forward pass: embeddings and encoder layers (Devlin et al. 2019); the head is in head.c. */
#include "model/pass_internal.h"

#include <string.h>

/* What one layer works on: all tokens, or in the last layer those that the head reads. */
struct layer {
    struct bt__pass *p;
    const struct bt__layer_at *at;
    const struct bt__layer_mem *mem;
    const struct bt__rows *rows;
    const float *x; /* [rows, H]: its input, the first residual */
    float *y;       /* [rows, H]: its output */
    struct bt__dropout drop_attn, drop_ffn;
};

static void norm1_row(void *ctx, int row)
{
    const struct layer *l = ctx;
    const struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(row, h);
    const float *w = p->m->w;
    l->mem->rstd1[row] =
        p->k->norm(h, p->out + at, w + l->at->out_b, l->x + at, w + l->at->norm1_w, w + l->at->norm1_b,
                   p->m->config.layer_norm_eps, &l->drop_attn, (uint32_t)at, l->mem->xhat1 + at, p->h1 + at);
}

static void norm2_row(void *ctx, int row)
{
    const struct layer *l = ctx;
    const struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(row, h);
    const float *w = p->m->w;
    l->mem->rstd2[row] =
        p->k->norm(h, p->out + at, w + l->at->down_b, p->h1 + at, w + l->at->norm2_w, w + l->at->norm2_b,
                   p->m->config.layer_norm_eps, &l->drop_ffn, (uint32_t)at, l->mem->xhat2 + at, l->y + at);
}

static void run_linear(struct bt__pass *p, struct bt__linear l)
{
    l.kernels = p->k;
    l.act = (int)p->m->config.hidden_act;
    struct bt__job job = bt__job_linear(&l);
    bt__run_jobs(p->pool, &job, 1);
}

/* From the context to the activation's input. */
static void up_to_activation(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, f = m->config.intermediate_size;
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = h,
                                      .k = h,
                                      .x = l->mem->ctx,
                                      .ldx = h,
                                      .w = m->w + l->at->out_w,
                                      .y = p->out,
                                      .ldy = h});
    bt__each_row(p, l->rows->n, norm1_row, l);
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = f,
                                      .k = h,
                                      .x = p->h1,
                                      .ldx = h,
                                      .w = m->w + l->at->up_w,
                                      .bias = m->w + l->at->up_b,
                                      .y = l->mem->pre,
                                      .activated = p->act,
                                      .ldy = f,
                                      .epilogue = BT__ACTIVATE});
}

/* Everything of a layer behind the attention. */
static void behind_attention(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, f = m->config.intermediate_size;
    up_to_activation(l);
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = h,
                                      .k = f,
                                      .x = p->act,
                                      .ldx = f,
                                      .w = m->w + l->at->down_w,
                                      .y = p->out,
                                      .ldy = h});
    bt__each_row(p, l->rows->n, norm2_row, l);
}

static void attend(struct bt__pass *p, int layer)
{
    struct bt__attend a = {.p = p, .layer = layer};
    struct bt__job job = bt__job_attend(&a);
    bt__run_jobs(p->pool, &job, 1);
}

static void full_attention(struct layer *l, int layer)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = 3 * h,
                                      .k = h,
                                      .x = l->x,
                                      .ldx = h,
                                      .w = m->w + l->at->qkv_w,
                                      .bias = m->w + l->at->qkv_b,
                                      .y = l->mem->qkv,
                                      .ldy = 3 * h,
                                      .epilogue = BT__BIAS});
    attend(p, layer);
}

static void gather_row(void *ctx, int read)
{
    const struct layer *l = ctx;
    struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    memcpy(p->x_top + bt__at(read, h), l->x + bt__at(p->batch->read[read], h), sizeof(float) * (size_t)h);
}

/* Keys and values of all tokens; queries and the rest only where the head reads. */
static void top_layer(struct layer *l, int layer)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const size_t hh = (size_t)h * (size_t)h;
    bt__each_row(p, l->rows->n, gather_row, l);
    struct bt__linear kv = {.kernels = p->k,
                            .rows = &p->batch->rows,
                            .n = 2 * h,
                            .k = h,
                            .x = l->x,
                            .ldx = h,
                            .w = m->w + l->at->qkv_w + hh,
                            .bias = m->w + l->at->qkv_b + h,
                            .y = l->mem->qkv,
                            .ldy = 2 * h,
                            .epilogue = BT__BIAS};
    struct bt__linear q = {.kernels = p->k,
                           .rows = l->rows,
                           .n = h,
                           .k = h,
                           .x = p->x_top,
                           .ldx = h,
                           .w = m->w + l->at->qkv_w,
                           .bias = m->w + l->at->qkv_b,
                           .y = p->q_top,
                           .ldy = h,
                           .epilogue = BT__BIAS};
    const struct bt__job jobs[] = {bt__job_linear(&kv), bt__job_linear(&q)};
    bt__run_jobs(p->pool, jobs, 2);
    l->x = p->x_top;
    attend(p, layer);
    behind_attention(l);
}

static struct layer layer_of(struct bt__pass *p, int i, const float *x)
{
    const struct bt__model_config *c = &p->m->config;
    return (struct layer){.p = p,
                          .at = &p->m->layer[i],
                          .mem = &p->layer[i],
                          .rows = bt__pass_gathers(p, i) ? &p->batch->reads : &p->batch->rows,
                          .x = x,
                          .y = i == c->num_hidden_layers - 1 ? p->y_top : p->x,
                          .drop_attn = bt__pass_mask(p, BT__STREAM_DROP_ATTN, i, c->hidden_dropout_prob),
                          .drop_ffn = bt__pass_mask(p, BT__STREAM_DROP_FFN, i, c->hidden_dropout_prob)};
}

static void encode(struct bt__pass *p)
{
    const float *x = p->x0;
    for (int i = 0; i < p->m->config.num_hidden_layers; i++) {
        struct layer l = layer_of(p, i, x);
        if (bt__pass_gathers(p, i)) {
            top_layer(&l, i);
        } else {
            full_attention(&l, i);
            behind_attention(&l);
        }
        x = l.y;
    }
}

void bt__layer_again(struct bt__pass *p, int i, const float *x)
{
    struct layer l = layer_of(p, i, x);
    full_attention(&l, i);
    up_to_activation(&l);
}

void bt__pass_dropout(struct bt__pass *p, bool training, uint64_t seed, uint64_t step)
{
    p->training = training;
    p->seed = seed;
    p->step = step;
}

const float *bt__pass_forward(struct bt__pass *p, const struct bt__batch *batch)
{
    p->batch = batch;
    bt__embed_forward(p);
    encode(p);
    if (p->m->head.kind == BT__HEAD_MLM) {
        bt__lm_forward(p);
        return NULL;
    }
    bt__head_forward(p);
    return p->logits;
}

const float *bt__pass_hidden(const struct bt__pass *p)
{
    return p->y_top;
}

const float *bt__pass_pooled(const struct bt__pass *p)
{
    return p->pooled;
}
