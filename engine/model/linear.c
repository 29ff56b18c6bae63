#include "model/linear.h"

#include "math/gemm.h"
#include "model/config.h"
#include <string.h>

enum { MASKED_ROWS = 64 /* that are dropped from at a time */ };

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

/* The columns that the tile and the addition have in common. */
static void add_forward(const struct bt__linear *l, const struct bt__low_rank *a, const struct tile *t)
{
    int begin = t->c0 > a->begin ? t->c0 : a->begin, end = a->begin + a->cols;
    if (end > t->c0 + t->cols) end = t->c0 + t->cols;
    if (begin >= end) return;
    bt__gemm_nt(t->rows, end - begin, a->r, a->narrow + offset(t->r0, a->r, 0), a->r,
                a->wide + offset(begin - a->begin, a->r, 0), a->r, 1.0f, l->y + offset(t->r0, l->ldy, begin),
                l->ldy);
}

static void linear_item(void *ctx, int item, int thread)
{
    const struct bt__linear *l = ctx;
    struct tile t = tile_of(l->rows, l->n, item);
    size_t at = offset(t.r0, l->ldy, t.c0);
    (void)thread;
    bt__gemm_nt(t.rows, t.cols, l->k, l->x + offset(t.r0, l->ldx, 0), l->ldx, l->w + offset(t.c0, l->k, 0),
                l->k, 0.0f, l->y + at, l->ldy);
    for (int i = 0; i < l->adds; i++) add_forward(l, &l->add[i], &t);
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

/* Where x was dropped, its gradient is: a few rows at a time, for the scratch's sake. */
static void add_backward(const struct bt__linear_input *l, const struct bt__low_rank *a, const struct tile *t,
                         float *scratch)
{
    float *dx = l->dx + offset(t->r0, l->lddx, t->c0);
    if (!a->drop.threshold) {
        bt__gemm_nn(t->rows, t->cols, a->r, a->narrow + offset(t->r0, a->r, 0), a->r, a->wide + t->c0, l->k,
                    1.0f, dx, l->lddx);
        return;
    }
    for (int r = 0, n; r < t->rows; r += n) {
        n = t->rows - r < MASKED_ROWS ? t->rows - r : MASKED_ROWS;
        bt__gemm_nn(n, t->cols, a->r, a->narrow + offset(t->r0 + r, a->r, 0), a->r, a->wide + t->c0, l->k,
                    0.0f, scratch, t->cols);
        for (int i = 0; i < n; i++) {
            float *row = scratch + offset(i, t->cols, 0);
            l->kernels->dropout(t->cols, row, &a->drop, (uint32_t)offset(t->r0 + r + i, l->k, t->c0), row);
            l->kernels->add((size_t)t->cols, dx + offset(r + i, l->lddx, 0), row);
        }
    }
}

static void input_item(void *ctx, int item, int thread)
{
    const struct bt__linear_input *l = ctx;
    struct tile t = tile_of(l->rows, l->k, item);
    size_t at = offset(t.r0, l->lddx, t.c0);
    bt__gemm_nn(t.rows, t.cols, l->n, l->dy + offset(t.r0, l->lddy, 0), l->lddy, l->w + t.c0, l->k, l->beta,
                l->dx + at, l->lddx);
    for (int i = 0; i < l->adds; i++) add_backward(l, &l->add[i], &t, l->scratch[thread]);
    if (l->epilogue != BT__ACTIVATE_BACKWARD) return;
    bt__activate_backward(l->kernels, l->act, t.rows, t.cols, l->pre + at, l->activated + at, l->dx + at,
                          l->lddx);
}

struct bt__job bt__job_linear_input(struct bt__linear_input *l)
{
    return (struct bt__job){
        .fn = input_item, .ctx = l, .items = l->rows->n_tiles * blocks(l->k, BT__ITEM_COLS)};
}

/* Of the scratch: the four shards' parts; behind them the rows that are dropped from. */
enum { PARTS = BT__SHARDS * (BT__ITEM_WEIGHT_ROWS + 16) * (BT__ITEM_COLS + 16) };

size_t bt__weight_scratch(void)
{
    return PARTS + (size_t)MASKED_ROWS * (BT__ITEM_COLS + 16);
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

/* dropout(x) [n rows from r, columns k] of a matrix of this width, dense in out. */
static void mask(const struct bt__kernels *kernels, const struct bt__dropout *drop, const float *x, int ldx,
                 int r, int n, struct bt__range k, int width, float *out)
{
    int cols = k.end - k.begin;
    for (int i = 0; i < n; i++)
        kernels->dropout(cols, x + offset(r + i, ldx, k.begin), drop, (uint32_t)offset(r + i, width, k.begin),
                         out + offset(i, cols, 0));
}

/* As shard_product() of what is left of x. */
static void masked_product(const struct bt__linear_weight *l, struct bt__range r, struct bt__range n,
                           struct bt__range k, float *out, float *scratch)
{
    int rows = n.end - n.begin, cols = k.end - k.begin;
    memset(out, 0, sizeof(float) * (size_t)rows * (size_t)cols);
    for (int at = r.begin, some; at < r.end; at += some) {
        some = r.end - at < MASKED_ROWS ? r.end - at : MASKED_ROWS;
        mask(l->kernels, &l->drop, l->x, l->ldx, at, some, k, l->k, scratch);
        bt__gemm_tn(rows, cols, some, l->dy + offset(at, l->lddy, n.begin), l->lddy, scratch, cols, 1.0f, out,
                    cols);
    }
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
        part[s] = l->scratch[thread] + (size_t)s * (PARTS / BT__SHARDS);
        if (l->drop.threshold)
            masked_product(l, l->rows->shard[s], n, k, part[s], l->scratch[thread] + PARTS);
        else
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

/* Block by block of the columns: what is left of a few rows fits the scratch. */
static void narrow_masked(const struct bt__narrow *l, int r0, int rows, float *scratch)
{
    for (int b = 0; b < blocks(l->k, BT__ITEM_COLS); b++) {
        struct bt__range k = block(l->k, BT__ITEM_COLS, b);
        mask(l->kernels, &l->drop, l->x, l->ldx, r0, rows, k, l->k, scratch);
        bt__gemm_nt(rows, l->r, k.end - k.begin, scratch, k.end - k.begin, l->a + k.begin, l->k,
                    b ? 1.0f : 0.0f, l->u + offset(r0, l->r, 0), l->r);
    }
}

static void narrow_item(void *ctx, int item, int thread)
{
    const struct bt__narrow *l = ctx;
    const struct bt__range t = l->rows->tile[item];
    const int rows = t.end - t.begin;
    const float *x = l->x + offset(t.begin, l->ldx, 0);
    float *u = l->u + offset(t.begin, l->r, 0);
    if (l->back)
        bt__gemm_nn(rows, l->r, l->k, x, l->ldx, l->a, l->r, 0.0f, u, l->r);
    else if (!l->drop.threshold)
        bt__gemm_nt(rows, l->r, l->k, x, l->ldx, l->a, l->k, 0.0f, u, l->r);
    for (int r = 0; l->drop.threshold && !l->back && r < rows; r += MASKED_ROWS)
        narrow_masked(l, t.begin + r, rows - r < MASKED_ROWS ? rows - r : MASKED_ROWS, l->scratch[thread]);
    l->kernels->scale((size_t)rows * (size_t)l->r, u, l->scale);
}

struct bt__job bt__job_narrow(struct bt__narrow *n)
{
    return (struct bt__job){.fn = narrow_item, .ctx = n, .items = n->rows->n_tiles};
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
