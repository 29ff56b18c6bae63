/* The forward pass: embeddings and encoder layers (Devlin et al. 2019); the head is in head.c. */
#include "model/pass_internal.h"

#include <string.h>

/* What one layer works on: all tokens, or in the last layer those that the head reads. */
struct layer {
    struct bt__pass *p;
    int index;
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
    l.by = p->by;
    l.act = (int)p->m->config.hidden_act;
    struct bt__job job = bt__job_linear(&l);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

/* The adapter of the matrix that comes next, if it has one. */
static struct bt__lora_side side_of(const struct layer *l, enum bt__lora_kind kind, const float *x)
{
    struct bt__lora_side side;
    const struct bt__lora_use use = {.kind = kind, .rows = l->rows, .x = x};
    bt__lora_forward(l->p, l->index, &use, 1, &side);
    return side;
}

/* From the context to the activation's input. */
static void up_to_activation(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, f = m->config.intermediate_size;
    struct bt__lora_side side = side_of(l, BT__LORA_OUT, l->mem->ctx);
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = h,
                                      .k = h,
                                      .x = l->mem->ctx,
                                      .ldx = h,
                                      .w = m->w + l->at->out_w,
                                      .y = p->out,
                                      .ldy = h,
                                      .add = side.add,
                                      .adds = side.n});
    bt__each_row(p, l->rows->n, norm1_row, l);
    side = side_of(l, BT__LORA_UP, p->h1);
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
                                      .epilogue = BT__ACTIVATE,
                                      .add = side.add,
                                      .adds = side.n});
}

/* Everything of a layer behind the attention. */
static void behind_attention(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, f = m->config.intermediate_size;
    up_to_activation(l);
    const struct bt__lora_side side = side_of(l, BT__LORA_DOWN, p->act);
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = h,
                                      .k = f,
                                      .x = p->act,
                                      .ldx = f,
                                      .w = m->w + l->at->down_w,
                                      .y = p->out,
                                      .ldy = h,
                                      .add = side.add,
                                      .adds = side.n});
    bt__each_row(p, l->rows->n, norm2_row, l);
}

static void attend(struct bt__pass *p, int layer)
{
    struct bt__attend a = {.p = p, .layer = layer};
    struct bt__job job = bt__job_attend(&a);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

static void full_attention(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const struct bt__lora_use use[] = {{.kind = BT__LORA_QUERY, .rows = l->rows, .x = l->x},
                                       {.kind = BT__LORA_KEY, .rows = l->rows, .x = l->x},
                                       {.kind = BT__LORA_VALUE, .rows = l->rows, .x = l->x}};
    struct bt__lora_side side;
    bt__lora_forward(p, l->index, use, 3, &side);
    run_linear(p, (struct bt__linear){.rows = l->rows,
                                      .n = 3 * h,
                                      .k = h,
                                      .x = l->x,
                                      .ldx = h,
                                      .w = m->w + l->at->qkv_w,
                                      .bias = m->w + l->at->qkv_b,
                                      .y = l->mem->qkv,
                                      .ldy = 3 * h,
                                      .add = side.add,
                                      .adds = side.n});
    attend(p, l->index);
}

static void gather_row(void *ctx, int read)
{
    const struct layer *l = ctx;
    struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    memcpy(p->x_top + bt__at(read, h), l->x + bt__at(p->batch->read[read], h), sizeof(float) * (size_t)h);
}

/* Keys and values of all tokens; queries and the rest only where the head reads. */
static void top_layer(struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const size_t hh = (size_t)h * (size_t)h;
    bt__each_row(p, l->rows->n, gather_row, l);
    const struct bt__lora_use use[] = {{.kind = BT__LORA_KEY, .rows = &p->batch->rows, .x = l->x},
                                       {.kind = BT__LORA_VALUE, .rows = &p->batch->rows, .x = l->x}};
    struct bt__lora_side side, q_side = side_of(l, BT__LORA_QUERY, p->x_top);
    bt__lora_forward(p, l->index, use, 2, &side);
    struct bt__linear kv = {.kernels = p->k,
                            .by = p->by,
                            .rows = &p->batch->rows,
                            .n = 2 * h,
                            .k = h,
                            .x = l->x,
                            .ldx = h,
                            .w = m->w + l->at->qkv_w + hh,
                            .bias = m->w + l->at->qkv_b + h,
                            .y = l->mem->qkv,
                            .ldy = 2 * h,
                            .add = side.add,
                            .adds = side.n};
    struct bt__linear q = {.kernels = p->k,
                           .by = p->by,
                           .rows = l->rows,
                           .n = h,
                           .k = h,
                           .x = p->x_top,
                           .ldx = h,
                           .w = m->w + l->at->qkv_w,
                           .bias = m->w + l->at->qkv_b,
                           .y = p->q_top,
                           .ldy = h,
                           .add = q_side.add,
                           .adds = q_side.n};
    const struct bt__job jobs[] = {bt__job_linear(&kv), bt__job_linear(&q)};
    bt__run_jobs(p->pool, p->panels, jobs, 2);
    l->x = p->x_top;
    attend(p, l->index);
    behind_attention(l);
}

static struct layer layer_of(struct bt__pass *p, int i, const float *x)
{
    const struct bt__model_config *c = &p->m->config;
    return (struct layer){.p = p,
                          .index = i,
                          .at = &p->m->layer[i],
                          .mem = &p->layer[i],
                          .rows = bt__pass_gathers(p, i) ? &p->batch->reads : &p->batch->rows,
                          .x = x,
                          .y = i == c->num_hidden_layers - 1 ? p->y_top : p->x,
                          .drop_attn = bt__pass_mask(p, BT__STREAM_DROP_ATTN, i, c->hidden_dropout_prob),
                          .drop_ffn = bt__pass_mask(p, BT__STREAM_DROP_FFN, i, c->hidden_dropout_prob)};
}

void bt__pass_tap(struct bt__pass *p, float *out)
{
    p->tap = out;
}

static void tap(struct bt__pass *p, int layer, const float *x)
{
    const size_t size = bt__at(p->batch->rows.n, p->m->config.hidden_size);
    if (p->tap) memcpy(p->tap + (size_t)layer * size, x, size * sizeof *x);
}

static void encode(struct bt__pass *p)
{
    const float *x = p->x0;
    const int kept = bt__prefix_kept(p);
    tap(p, 0, x);
    for (int i = p->begin; i < p->m->config.num_hidden_layers; i++) {
        if (i == kept && i > p->begin) bt__prefix_store(p, x);
        struct layer l = layer_of(p, i, x);
        if (bt__pass_gathers(p, i)) {
            top_layer(&l);
        } else {
            full_attention(&l);
            behind_attention(&l);
        }
        x = l.y;
        tap(p, i + 1, x);
    }
}

void bt__layer_again(struct bt__pass *p, int i, const float *x)
{
    struct layer l = layer_of(p, i, x);
    full_attention(&l);
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
    p->begin = bt__prefix_kept(p);
    if (p->begin > 0 && !bt__prefix_load(p)) p->begin = 0;
    if (p->begin == 0) bt__embed_forward(p);
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
