#include "model/linear.h"

#include "math/gemm.h"
#include "model/config.h"
#include <string.h>

struct phase {
    const struct bt__job *jobs;
    int n;
};

static void run_item(void *ctx, int item, int thread)
{
    const struct phase *p = ctx;
    for (int j = 0; j < p->n; j++) {
        if (item < p->jobs[j].items) {
            p->jobs[j].fn(p->jobs[j].ctx, item, thread);
            return;
        }
        item -= p->jobs[j].items;
    }
}

void bt__run_jobs(struct bt__pool *pool, const struct bt__job *jobs, int n)
{
    int items = 0;
    for (int j = 0; j < n; j++) items += jobs[j].items;
    struct phase p = {.jobs = jobs, .n = n};
    bt__pool_run(pool, items, run_item, &p);
}

static int blocks(int n, int size)
{
    return (n + size - 1) / size;
}

/* Block i of blocks(n, size) balanced ones, cut at multiples of 16 so that vectors stay whole. */
static struct bt__range block(int n, int size, int i)
{
    int count = blocks(n, size), units = blocks(n, 16);
    int begin = units * i / count * 16, end = units * (i + 1) / count * 16;
    return (struct bt__range){.begin = begin, .end = end < n ? end : n};
}

/* An output tile: a tile of the rows and a block of the columns. */
struct tile {
    int r0, rows, c0, cols;
};

static struct tile tile_of(const struct bt__rows *rows, int cols, int item)
{
    int across = blocks(cols, BT__ITEM_COLS);
    struct bt__range r = rows->tile[item / across], c = block(cols, BT__ITEM_COLS, item % across);
    return (struct tile){.r0 = r.begin, .rows = r.end - r.begin, .c0 = c.begin, .cols = c.end - c.begin};
}

static size_t offset(int row, int ld, int col)
{
    return (size_t)row * (size_t)ld + (size_t)col;
}

static void activate(const struct bt__linear *l, const struct tile *t, size_t at)
{
    const struct bt__kernels *k = l->kernels;
    if (l->act == BT__ACT_GELU)
        k->bias_gelu(t->rows, t->cols, l->y + at, l->activated + at, l->ldy, l->bias + t->c0);
    else if (l->act == BT__ACT_GELU_TANH)
        k->bias_gelu_tanh(t->rows, t->cols, l->y + at, l->activated + at, l->ldy, l->bias + t->c0);
    else
        k->bias_relu(t->rows, t->cols, l->y + at, l->activated + at, l->ldy, l->bias + t->c0);
}

static void linear_item(void *ctx, int item, int thread)
{
    const struct bt__linear *l = ctx;
    struct tile t = tile_of(l->rows, l->n, item);
    size_t at = offset(t.r0, l->ldy, t.c0);
    (void)thread;
    bt__gemm_nt(t.rows, t.cols, l->k, l->x + offset(t.r0, l->ldx, 0), l->ldx, l->w + offset(t.c0, l->k, 0),
                l->k, 0.0f, l->y + at, l->ldy);
    if (l->epilogue == BT__BIAS) l->kernels->bias(t.rows, t.cols, l->y + at, l->ldy, l->bias + t.c0);
    if (l->epilogue == BT__ACTIVATE) activate(l, &t, at);
}

struct bt__job bt__job_linear(struct bt__linear *l)
{
    return (struct bt__job){
        .fn = linear_item, .ctx = l, .items = l->rows->n_tiles * blocks(l->n, BT__ITEM_COLS)};
}

void bt__activate_backward(const struct bt__kernels *k, int act, int rows, int cols, const float *pre,
                           float *activated, float *d, int ld)
{
    if (act == BT__ACT_GELU)
        k->gelu_backward(rows, cols, pre, activated, d, ld);
    else if (act == BT__ACT_GELU_TANH)
        k->gelu_tanh_backward(rows, cols, pre, activated, d, ld);
    else
        k->relu_backward(rows, cols, pre, activated, d, ld);
}

static void input_item(void *ctx, int item, int thread)
{
    const struct bt__linear_input *l = ctx;
    struct tile t = tile_of(l->rows, l->k, item);
    size_t at = offset(t.r0, l->lddx, t.c0);
    (void)thread;
    bt__gemm_nn(t.rows, t.cols, l->n, l->dy + offset(t.r0, l->lddy, 0), l->lddy, l->w + t.c0, l->k, l->beta,
                l->dx + at, l->lddx);
    if (l->epilogue != BT__ACTIVATE_BACKWARD) return;
    bt__activate_backward(l->kernels, l->act, t.rows, t.cols, l->pre + at, l->activated + at, l->dx + at,
                          l->lddx);
}

struct bt__job bt__job_linear_input(struct bt__linear_input *l)
{
    return (struct bt__job){
        .fn = input_item, .ctx = l, .items = l->rows->n_tiles * blocks(l->k, BT__ITEM_COLS)};
}

size_t bt__weight_scratch(void)
{
    return 4 * (size_t)(BT__ITEM_WEIGHT_ROWS + 16) * (BT__ITEM_COLS + 16);
}

/* One shard's part of an output block, dense in out. */
static void shard_product(const struct bt__linear_weight *l, int s, struct bt__range n, struct bt__range k,
                          float *out)
{
    struct bt__range r = l->rows->shard[s];
    int rows = n.end - n.begin, cols = k.end - k.begin;
    if (r.end == r.begin) {
        memset(out, 0, sizeof(float) * (size_t)rows * (size_t)cols);
        return;
    }
    bt__gemm_tn(rows, cols, r.end - r.begin, l->dy + offset(r.begin, l->lddy, n.begin), l->lddy,
                l->x + offset(r.begin, l->ldx, k.begin), l->ldx, 0.0f, out, cols);
}

static void weight_item(void *ctx, int item, int thread)
{
    const struct bt__linear_weight *l = ctx;
    int across = blocks(l->k, BT__ITEM_COLS);
    struct bt__range n = block(l->n, BT__ITEM_WEIGHT_ROWS, item / across),
                     k = block(l->k, BT__ITEM_COLS, item % across);
    int rows = n.end - n.begin, cols = k.end - k.begin;
    size_t size = (size_t)rows * (size_t)cols;
    float *part[BT__SHARDS];
    for (int s = 0; s < BT__SHARDS; s++) {
        part[s] = l->scratch[thread] + (size_t)s * (bt__weight_scratch() / BT__SHARDS);
        shard_product(l, s, n, k, part[s]);
    }
    l->kernels->add3(size, part[0], part[1], part[2], part[3]);
    for (int r = 0; r < rows; r++) {
        float *dw = l->dw + offset(n.begin + r, l->k, k.begin), *sum = part[0] + offset(r, cols, 0);
        if (l->accumulate)
            l->kernels->add((size_t)cols, dw, sum);
        else
            memcpy(dw, sum, sizeof(float) * (size_t)cols);
    }
}

struct bt__job bt__job_linear_weight(struct bt__linear_weight *l)
{
    int items = blocks(l->n, BT__ITEM_WEIGHT_ROWS) * blocks(l->k, BT__ITEM_COLS);
    return (struct bt__job){.fn = weight_item, .ctx = l, .items = items};
}

enum { SUM_COLS = BT__ITEM_SUM_COLS + 16 };

static void tree(const struct bt__column_sum *s, float part[BT__SHARDS][SUM_COLS], int cols, float *out)
{
    s->kernels->add3((size_t)cols, part[0], part[1], part[2], part[3]);
    if (s->accumulate)
        s->kernels->add((size_t)cols, out, part[0]);
    else
        memcpy(out, part[0], sizeof(float) * (size_t)cols);
}

static void column_item(void *ctx, int item, int thread)
{
    const struct bt__column_sum *s = ctx;
    struct bt__range c = block(s->cols, BT__ITEM_SUM_COLS, item);
    int cols = c.end - c.begin;
    float sum[BT__SHARDS][SUM_COLS], dot[BT__SHARDS][SUM_COLS];
    (void)thread;
    for (int i = 0; i < BT__SHARDS; i++) {
        struct bt__range r = s->rows->shard[i];
        size_t at = offset(r.begin, s->ld, c.begin);
        if (s->xhat)
            s->kernels->colsum_dot(r.end - r.begin, cols, s->x + at, s->xhat + at, s->ld, sum[i], dot[i]);
        else
            s->kernels->colsum(r.end - r.begin, cols, s->x + at, s->ld, sum[i]);
    }
    tree(s, sum, cols, s->sum + c.begin);
    if (s->xhat) tree(s, dot, cols, s->dot + c.begin);
}

struct bt__job bt__job_column_sum(struct bt__column_sum *s)
{
    return (struct bt__job){.fn = column_item, .ctx = s, .items = blocks(s->cols, BT__ITEM_SUM_COLS)};
}

static void rows_item(void *ctx, int item, int thread)
{
    const struct bt__row_work *w = ctx;
    int end = (item + 1) * BT__ITEM_ROWS < w->rows ? (item + 1) * BT__ITEM_ROWS : w->rows;
    (void)thread;
    for (int r = item * BT__ITEM_ROWS; r < end; r++) w->fn(w->ctx, r);
}

struct bt__job bt__job_rows(struct bt__row_work *w)
{
    return (struct bt__job){.fn = rows_item, .ctx = w, .items = blocks(w->rows, BT__ITEM_ROWS)};
}
