/* The backward pass, in the forward pass's names: d… is the gradient of the loss to …. */
#include "model/pass_internal.h"

#include <string.h>

struct layer {
    struct bt__pass *p;
    const struct bt__layer_at *at;
    const struct bt__layer_mem *mem;
    const struct bt__rows *rows;
    int index;
    bool top;
    bool weights;   /* something of this layer is trained */
    bool input;     /* something below is */
    bool h1;        /* what the first half comes to is read once more */
    bool first;     /* replace the gradient, do not add */
    const float *x; /* [rows, H]: the layer's input, made again */
    float *dy;      /* [rows, H]: gradient of the layer's output */
    struct bt__dropout drop_attn, drop_ffn;
};

static bool trains(const struct layer *l, size_t at)
{
    return l->weights && bt__trains(l->p, at);
}

/* dy → ds = gradient of (dropout(down) + h1), df = of down; h1 is made again if the gradient of what reads it is wanted. */
static void norm2_row(void *ctx, int row)
{
    const struct layer *l = ctx;
    const struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(row, h);
    const float *w = p->m->w;
    p->k->norm_backward(h, l->dy + at, l->mem->xhat2 + at, l->mem->rstd2[row], w + l->at->norm2_w,
                        &l->drop_ffn, (uint32_t)at, p->ds + at, p->df + at);
    if (l->h1) p->k->scale_shift(h, l->mem->xhat1 + at, w + l->at->norm1_w, w + l->at->norm1_b, p->h1 + at);
}

/* ds (now the gradient of h1) → dy = gradient of (dropout(out) + x), df = of out. */
static void norm1_row(void *ctx, int row)
{
    const struct layer *l = ctx;
    const struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(row, h);
    p->k->norm_backward(h, p->ds + at, l->mem->xhat1 + at, l->mem->rstd1[row], p->m->w + l->at->norm1_w,
                        &l->drop_attn, (uint32_t)at, p->out + at, p->df + at);
}

struct bt__linear_weight bt__weight_grad(const struct bt__pass *p, const struct bt__products *by,
                                         const struct bt__rows *rows, int n, int k, const float *dy,
                                         const float *x, size_t at, bool first)
{
    return (struct bt__linear_weight){.kernels = p->k,
                                      .by = by,
                                      .rows = rows,
                                      .n = n,
                                      .k = k,
                                      .dy = dy,
                                      .lddy = n,
                                      .x = x,
                                      .ldx = k,
                                      .dw = bt__grad_at(p, at),
                                      .accumulate = !first,
                                      .scratch = p->scratch};
}

struct bt__column_sum bt__bias_grad(const struct bt__pass *p, const struct bt__rows *rows, int cols,
                                    const float *dy, size_t at, bool first)
{
    return (struct bt__column_sum){.kernels = p->k,
                                   .rows = rows,
                                   .cols = cols,
                                   .x = dy,
                                   .ld = cols,
                                   .sum = bt__grad_at(p, at),
                                   .accumulate = !first};
}

static struct bt__linear_weight weight_of(const struct layer *l, int n, int k, const float *dy,
                                          const float *x, size_t at)
{
    return bt__weight_grad(l->p, l->p->by, l->rows, n, k, dy, x, at, l->first);
}

static struct bt__column_sum sum_of(const struct layer *l, int cols, const float *x, size_t at)
{
    return bt__bias_grad(l->p, l->rows, cols, x, at, l->first);
}

static struct bt__column_sum norm_sum_of(const struct layer *l, const float *dy, const float *xhat,
                                         size_t weight, size_t bias)
{
    struct bt__column_sum s = sum_of(l, l->p->m->config.hidden_size, dy, bias);
    if (!trains(l, weight)) return s;
    s.xhat = xhat;
    s.dot = bt__grad_at(l->p, weight);
    return s;
}

/* Jobs that run together; the last of them are only there if their gradients are wanted. */
struct jobs {
    struct bt__job job[6];
    int n;
};

static void add(struct jobs *j, bool wanted, struct bt__job job)
{
    if (wanted) j->job[j->n++] = job;
}

static void run(const struct layer *l, const struct jobs *j)
{
    bt__run_jobs(l->p->pool, l->p->panels, j->job, j->n);
}

/* The adapter of the matrix whose output's gradient has just been made, if it has one. */
static struct bt__lora_side side_of(const struct layer *l, const struct bt__lora_use *use)
{
    struct bt__lora_side side;
    bt__lora_backward(l->p, l->index, use, 1, &side);
    return side;
}

/* The feed-forward half: dy → ds, the gradient of h1. */
static void feed_forward(const struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, f = m->config.intermediate_size;
    const struct bt__lora_use use[] = {
        {.kind = BT__LORA_DOWN, .rows = l->rows, .x = p->act, .dy = p->df, .lddy = h},
        {.kind = BT__LORA_UP, .rows = l->rows, .x = p->h1, .dy = p->dpre, .lddy = f}};
    bt__each_row(p, l->rows->n, norm2_row, (void *)l);
    struct bt__lora_side side = side_of(l, &use[0]);
    struct bt__linear_input down = {.kernels = p->k,
                                    .by = p->by,
                                    .act = (int)m->config.hidden_act,
                                    .rows = l->rows,
                                    .n = h,
                                    .k = f,
                                    .dy = p->df,
                                    .lddy = h,
                                    .w = m->w + l->at->down_w,
                                    .pre = l->mem->pre,
                                    .dx = p->dpre,
                                    .activated = p->act,
                                    .lddx = f,
                                    .epilogue = BT__ACTIVATE_BACKWARD,
                                    .add = side.add,
                                    .adds = side.n,
                                    .scratch = p->scratch};
    struct bt__job job = bt__job_linear_input(&down);
    bt__run_jobs(p->pool, p->panels, &job, 1);

    side = side_of(l, &use[1]);
    struct bt__linear_input up = {.kernels = p->k,
                                  .by = p->by,
                                  .rows = l->rows,
                                  .n = f,
                                  .k = h,
                                  .dy = p->dpre,
                                  .lddy = f,
                                  .w = m->w + l->at->up_w,
                                  .accumulate = true,
                                  .dx = p->ds,
                                  .lddx = h,
                                  .add = side.add,
                                  .adds = side.n,
                                  .scratch = p->scratch};
    struct bt__linear_weight dup = weight_of(l, f, h, p->dpre, p->h1, l->at->up_w);
    struct bt__linear_weight ddown = weight_of(l, h, f, p->df, p->act, l->at->down_w);
    struct bt__column_sum dup_b = sum_of(l, f, p->dpre, l->at->up_b);
    struct bt__column_sum ddown_b = sum_of(l, h, p->df, l->at->down_b);
    struct bt__column_sum dnorm = norm_sum_of(l, l->dy, l->mem->xhat2, l->at->norm2_w, l->at->norm2_b);
    struct jobs jobs = {.n = 0};
    add(&jobs, true, bt__job_linear_input(&up));
    add(&jobs, trains(l, l->at->up_w), bt__job_linear_weight(&dup));
    add(&jobs, trains(l, l->at->down_w), bt__job_linear_weight(&ddown));
    add(&jobs, trains(l, l->at->up_b), bt__job_column_sum(&dup_b));
    add(&jobs, trains(l, l->at->down_b), bt__job_column_sum(&ddown_b));
    add(&jobs, trains(l, l->at->norm2_w) || trains(l, l->at->norm2_b), bt__job_column_sum(&dnorm));
    run(l, &jobs);
    bt__lora_weights(p, l->index, use, 2, l->first);
}

/* The rest of the attention half up to the context: ds → out = gradient of the first sum, dctx in dy. */
static void attention_output(const struct layer *l, float *dctx)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const struct bt__lora_use use = {
        .kind = BT__LORA_OUT, .rows = l->rows, .x = l->mem->ctx, .dy = p->df, .lddy = h};
    bt__each_row(p, l->rows->n, norm1_row, (void *)l);
    const struct bt__lora_side side = side_of(l, &use);
    struct bt__linear_input out = {.kernels = p->k,
                                   .by = p->by,
                                   .rows = l->rows,
                                   .n = h,
                                   .k = h,
                                   .dy = p->df,
                                   .lddy = h,
                                   .w = m->w + l->at->out_w,
                                   .dx = dctx,
                                   .lddx = h,
                                   .add = side.add,
                                   .adds = side.n,
                                   .scratch = p->scratch};
    struct bt__linear_weight dout = weight_of(l, h, h, p->df, l->mem->ctx, l->at->out_w);
    struct bt__column_sum dout_b = sum_of(l, h, p->df, l->at->out_b);
    struct bt__column_sum dnorm = norm_sum_of(l, p->ds, l->mem->xhat1, l->at->norm1_w, l->at->norm1_b);
    struct jobs jobs = {.n = 0};
    add(&jobs, true, bt__job_linear_input(&out));
    add(&jobs, trains(l, l->at->out_w), bt__job_linear_weight(&dout));
    add(&jobs, trains(l, l->at->out_b), bt__job_column_sum(&dout_b));
    add(&jobs, trains(l, l->at->norm1_w) || trains(l, l->at->norm1_b), bt__job_column_sum(&dnorm));
    run(l, &jobs);
    bt__lora_weights(p, l->index, &use, 1, l->first);

    struct bt__attend a = {.p = p, .layer = l->index, .dctx = dctx};
    struct bt__job job = bt__job_attend_backward(&a);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

/* One of n parameters of this size, which stand one after the other. */
static bool trains_any(const struct layer *l, size_t at, int n, size_t size)
{
    bool any = false;
    for (int i = 0; i < n; i++) any = any || trains(l, at + (size_t)i * size);
    return any;
}

/* dqkv → the projections' gradients; out becomes the gradient of the layer's input. */
static void projections(const struct layer *l)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const struct bt__lora_use use[] = {
        {.kind = BT__LORA_QUERY, .rows = l->rows, .x = l->x, .dy = p->dqkv, .lddy = 3 * h},
        {.kind = BT__LORA_KEY, .rows = l->rows, .x = l->x, .dy = p->dqkv + h, .lddy = 3 * h},
        {.kind = BT__LORA_VALUE, .rows = l->rows, .x = l->x, .dy = p->dqkv + 2 * h, .lddy = 3 * h}};
    struct bt__lora_side side;
    bt__lora_backward(p, l->index, use, 3, &side);
    struct bt__linear_input in = {.kernels = p->k,
                                  .by = p->by,
                                  .rows = l->rows,
                                  .n = 3 * h,
                                  .k = h,
                                  .dy = p->dqkv,
                                  .lddy = 3 * h,
                                  .w = m->w + l->at->qkv_w,
                                  .accumulate = true,
                                  .dx = p->out,
                                  .lddx = h,
                                  .add = side.add,
                                  .adds = side.n,
                                  .scratch = p->scratch};
    struct bt__linear_weight dw = weight_of(l, 3 * h, h, p->dqkv, l->x, l->at->qkv_w);
    struct bt__column_sum db = sum_of(l, 3 * h, p->dqkv, l->at->qkv_b);
    struct jobs jobs = {.n = 0};
    add(&jobs, l->input, bt__job_linear_input(&in));
    add(&jobs, trains_any(l, l->at->qkv_w, 3, (size_t)h * (size_t)h), bt__job_linear_weight(&dw));
    add(&jobs, trains_any(l, l->at->qkv_b, 3, (size_t)h), bt__job_column_sum(&db));
    run(l, &jobs);
    bt__lora_weights(p, l->index, use, 3, l->first);
}

static void scatter_row(void *ctx, int read)
{
    const struct layer *l = ctx;
    const struct bt__pass *p = l->p;
    const int h = p->m->config.hidden_size;
    p->k->add((size_t)h, p->dy + bt__at(p->batch->read[read], h), p->out + bt__at(read, h));
}

/* As projections() for the last layer: keys and values of all tokens, queries of what is read; the input's gradient lands in dy. */
static void top_projections(struct layer *l, const float *x)
{
    struct bt__pass *p = l->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const size_t hh = (size_t)h * (size_t)h;
    const struct bt__lora_use use[] = {
        {.kind = BT__LORA_KEY, .rows = &p->batch->rows, .x = x, .dy = p->dqkv, .lddy = 2 * h},
        {.kind = BT__LORA_VALUE, .rows = &p->batch->rows, .x = x, .dy = p->dqkv + h, .lddy = 2 * h},
        {.kind = BT__LORA_QUERY, .rows = l->rows, .x = p->x_top, .dy = p->dq_top, .lddy = h}};
    struct bt__lora_side side, q_side = side_of(l, &use[2]);
    bt__lora_backward(p, l->index, use, 2, &side);
    struct bt__linear_input kv = {.kernels = p->k,
                                  .by = p->by,
                                  .rows = &p->batch->rows,
                                  .n = 2 * h,
                                  .k = h,
                                  .dy = p->dqkv,
                                  .lddy = 2 * h,
                                  .w = m->w + l->at->qkv_w + hh,
                                  .dx = p->dy,
                                  .lddx = h,
                                  .add = side.add,
                                  .adds = side.n,
                                  .scratch = p->scratch};
    struct bt__linear_input q = {.kernels = p->k,
                                 .by = p->by,
                                 .rows = l->rows,
                                 .n = h,
                                 .k = h,
                                 .dy = p->dq_top,
                                 .lddy = h,
                                 .w = m->w + l->at->qkv_w,
                                 .accumulate = true,
                                 .dx = p->out,
                                 .lddx = h,
                                 .add = q_side.add,
                                 .adds = q_side.n,
                                 .scratch = p->scratch};
    struct bt__linear_weight dq = weight_of(l, h, h, p->dq_top, p->x_top, l->at->qkv_w);
    struct bt__linear_weight dkv = weight_of(l, 2 * h, h, p->dqkv, x, l->at->qkv_w + hh);
    dkv.rows = &p->batch->rows;
    struct bt__column_sum dq_b = sum_of(l, h, p->dq_top, l->at->qkv_b);
    struct bt__column_sum dkv_b = sum_of(l, 2 * h, p->dqkv, l->at->qkv_b + (size_t)h);
    dkv_b.rows = &p->batch->rows;
    struct jobs jobs = {.n = 0};
    add(&jobs, l->input, bt__job_linear_input(&kv));
    add(&jobs, l->input, bt__job_linear_input(&q));
    add(&jobs, trains_any(l, l->at->qkv_w + hh, 2, hh), bt__job_linear_weight(&dkv));
    add(&jobs, trains(l, l->at->qkv_w), bt__job_linear_weight(&dq));
    add(&jobs, trains_any(l, l->at->qkv_b + (size_t)h, 2, (size_t)h), bt__job_column_sum(&dkv_b));
    add(&jobs, trains(l, l->at->qkv_b), bt__job_column_sum(&dq_b));
    run(l, &jobs);
    bt__lora_weights(p, l->index, use, 3, l->first);
    if (l->input) bt__each_row(p, l->rows->n, scatter_row, l);
}

struct remake {
    struct bt__pass *p;
    const struct bt__layer_mem *below;
    const struct bt__layer_at *at;
};

static void remake_row(void *ctx, int row)
{
    const struct remake *r = ctx;
    const struct bt__pass *p = r->p;
    const int h = p->m->config.hidden_size;
    p->k->scale_shift(h, r->below->xhat2 + bt__at(row, h), p->m->w + r->at->norm2_w, p->m->w + r->at->norm2_b,
                      p->x + bt__at(row, h));
}

/* The input of a layer, which the forward pass did not keep. */
static const float *input_of(struct bt__pass *p, int layer)
{
    if (layer == p->begin) return p->x0;
    struct remake r = {.p = p, .below = &p->layer[layer - 1], .at = &p->m->layer[layer - 1]};
    bt__each_row(p, p->batch->rows.n, remake_row, &r);
    return p->x;
}

static void swap(float **a, float **b)
{
    float *t = *a;
    *a = *b;
    *b = t;
}

static void layer_backward(struct layer *l)
{
    struct bt__pass *p = l->p;
    const size_t h = (size_t)p->m->config.hidden_size;
    const bool again = p->limits.recompute && l->index < p->m->config.num_hidden_layers - 1;
    const bool adapted = bt__lora_has(p, l->index, BT__LORA_QUERY) ||
                         bt__lora_has(p, l->index, BT__LORA_KEY) || bt__lora_has(p, l->index, BT__LORA_VALUE);
    const bool reads = adapted || trains_any(l, l->at->qkv_w, 3, h * h);
    const float *x = again || reads ? input_of(p, l->index) : NULL;
    l->x = l->top ? p->x_top : x;
    l->h1 = trains(l, l->at->up_w) || bt__lora_has(p, l->index, BT__LORA_UP);
    if (again) bt__layer_again(p, l->index, x);
    feed_forward(l);
    attention_output(l, l->top ? p->dx_top : p->dy);
    if (l->top) {
        top_projections(l, x);
    } else {
        projections(l);
        swap(&p->dy, &p->out);
    }
}

static struct layer layer_of(struct bt__pass *p, int i, const struct bt__trainable *what, int lowest,
                             bool first)
{
    const struct bt__model_config *c = &p->m->config;
    bool top = bt__pass_gathers(p, i);
    return (struct layer){.p = p,
                          .at = &p->m->layer[i],
                          .mem = &p->layer[i],
                          .rows = top ? &p->batch->reads : &p->batch->rows,
                          .index = i,
                          .top = top,
                          .weights = i >= what->first_layer,
                          .input = i > lowest || what->embeddings,
                          .first = first,
                          .dy = i == c->num_hidden_layers - 1 ? p->y_top : p->dy,
                          .drop_attn = bt__pass_mask(p, BT__STREAM_DROP_ATTN, i, c->hidden_dropout_prob),
                          .drop_ffn = bt__pass_mask(p, BT__STREAM_DROP_FFN, i, c->hidden_dropout_prob)};
}

void bt__layers_backward(struct bt__pass *p, const struct bt__trainable *what, bool first)
{
    int lowest = what->embeddings ? 0 : what->first_layer;
    for (int i = p->m->config.num_hidden_layers - 1; i >= lowest; i--) {
        struct layer l = layer_of(p, i, what, lowest, first);
        layer_backward(&l);
    }
    if (what->embeddings) bt__embed_backward(p, first);
}

void bt__pass_backward(struct bt__pass *p, const struct bt__batch *batch, const float *dlogits,
                       const struct bt__trainable *what, bool first)
{
    p->batch = batch;
    bt__head_backward(p, dlogits, bt__trained_below_head(p->m, what), first);
    bt__layers_backward(p, what, first);
}
