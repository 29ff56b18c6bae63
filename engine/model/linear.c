#include "model/linear.h"

#include "math/gemm.h"
#include "model/config.h"
#include <string.h>

enum { MASKED_ROWS = 64 /* that are dropped from at a time */ };

/* An output tile: a tile of the rows and a block of the columns. */
struct tile {
    int r0, rows, c0, cols;
};

static struct tile tile_of(const struct bt__rows *rows, int cols, int item)
{
    int across = bt__blocks(cols, BT__ITEM_COLS);
    struct bt__range r = rows->tile[item / across], c = bt__block(cols, BT__ITEM_COLS, item % across);
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
        k->gelu(t->rows, t->cols, l->y + at, l->activated + at, l->ldy);
    else if (l->act == BT__ACT_GELU_TANH)
        k->gelu_tanh(t->rows, t->cols, l->y + at, l->activated + at, l->ldy);
    else
        k->relu(t->rows, t->cols, l->y + at, l->activated + at, l->ldy);
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

/* What follows the product on its tile. */
static void finish(const struct bt__linear *l, const struct tile *t)
{
    for (int i = 0; i < l->adds; i++) add_forward(l, &l->add[i], t);
    if (l->epilogue == BT__ACTIVATE) activate(l, t, offset(t->r0, l->ldy, t->c0));
}

/* c [tile] = from + the packed operands' rows and columns of the tile */
static void tile_product(const struct bt__packing *p, const struct tile *t, const float *from, int ldfrom,
                         float *c, int ldc)
{
    const int k = bt__packed(p->by, p->k), lda = p->left ? bt__packed_distance(p) : p->ldx;
    p->by->product(&(struct bt__product){.rows = t->rows,
                                         .cols = t->cols,
                                         .k = k,
                                         .a = (p->left ? p->left : p->x) + offset(t->r0, lda, 0),
                                         .lda = lda,
                                         .panels = p->panels + offset(t->c0, k, 0),
                                         .height = k,
                                         .from = from,
                                         .ldfrom = ldfrom,
                                         .c = c,
                                         .ldc = ldc});
}

static void linear_item(void *ctx, int item, int thread)
{
    const struct bt__linear *l = ctx;
    struct tile t = tile_of(l->rows, l->n, item);
    (void)thread;
    tile_product(&l->pack, &t, l->bias ? l->bias + t.c0 : NULL, 0, l->y + offset(t.r0, l->ldy, t.c0), l->ldy);
    finish(l, &t);
}

/* ── few rows: they are packed instead of the weight, which is read once, where it is; only of floats ── */

enum { FEW_ROWS = BT__PANEL_MOST, FEW_COLS = 96 };

/* Sums start with the bias, as those of linear_item() do: the same bits. */
static void few_item(void *ctx, int item, int thread)
{
    const struct bt__linear *l = ctx;
    const struct bt__range c = bt__block(l->n, FEW_COLS, item);
    const struct tile t = {.rows = l->rows->n, .c0 = c.begin, .cols = c.end - c.begin};
    const int half = l->pack.by->panel / 2,
              ld = (t.rows + half - 1) / half * half; /* whole vectors: the panels end in zeros */
    float turned[FEW_COLS * FEW_ROWS];
    (void)thread;
    for (int j = 0; j < t.cols; j++)
        for (int r = 0; r < ld; r++) turned[j * ld + r] = l->bias ? l->bias[t.c0 + j] : 0.0f;
    l->pack.by->product(&(struct bt__product){.rows = t.cols,
                                              .cols = ld,
                                              .k = l->k,
                                              .a = l->w + offset(t.c0, l->k, 0),
                                              .lda = l->k,
                                              .panels = l->pack.panels,
                                              .height = l->k,
                                              .from = turned,
                                              .ldfrom = ld,
                                              .c = turned,
                                              .ldc = ld});
    for (int r = 0; r < t.rows; r++)
        for (int j = 0; j < t.cols; j++) l->y[offset(r, l->ldy, t.c0 + j)] = turned[j * ld + r];
    finish(l, &t);
}

static struct bt__job few_rows(struct bt__linear *l)
{
    l->pack = (struct bt__packing){.kernels = l->kernels,
                                   .by = l->by,
                                   .k = l->k,
                                   .cols = l->rows->n,
                                   .b = l->x,
                                   .ldb = l->ldx,
                                   .transposed = true};
    return (struct bt__job){.fn = few_item, .ctx = l, .items = bt__blocks(l->n, FEW_COLS), .pack = &l->pack};
}

struct bt__job bt__job_linear(struct bt__linear *l)
{
    if (l->rows->n <= FEW_ROWS && !l->by->pack_rows) return few_rows(l);
    l->pack = (struct bt__packing){.kernels = l->kernels,
                                   .by = l->by,
                                   .k = l->k,
                                   .cols = l->n,
                                   .b = l->w,
                                   .ldb = l->k,
                                   .transposed = true,
                                   .x = l->x,
                                   .x_rows = l->rows->n,
                                   .ldx = l->ldx};
    return (struct bt__job){.fn = linear_item,
                            .ctx = l,
                            .items = l->rows->n_tiles * bt__blocks(l->n, BT__ITEM_COLS),
                            .pack = &l->pack};
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
    float *dx = l->dx + at;
    tile_product(&l->pack, &t, l->accumulate ? dx : NULL, l->lddx, dx, l->lddx);
    for (int i = 0; i < l->adds; i++) add_backward(l, &l->add[i], &t, l->scratch[thread]);
    if (l->epilogue != BT__ACTIVATE_BACKWARD) return;
    bt__activate_backward(l->kernels, l->act, t.rows, t.cols, l->pre + at, l->activated + at, dx, l->lddx);
}

struct bt__job bt__job_linear_input(struct bt__linear_input *l)
{
    l->pack = (struct bt__packing){.kernels = l->kernels,
                                   .by = l->by,
                                   .k = l->n,
                                   .cols = l->k,
                                   .b = l->w,
                                   .ldb = l->k,
                                   .x = l->dy,
                                   .x_rows = l->rows->n,
                                   .ldx = l->lddy};
    return (struct bt__job){.fn = input_item,
                            .ctx = l,
                            .items = l->rows->n_tiles * bt__blocks(l->k, BT__ITEM_COLS),
                            .pack = &l->pack};
}

/* Of the scratch: the four shards' parts, and the left operand of some rows; rows that are dropped from stand in the same place. */
enum {
    PART = BT__ITEM_WEIGHT_ROWS * BT__ITEM_COLS,
    LEFT_ROWS = 512,                                           /* elements */
    LEFT = LEFT_ROWS * (BT__ITEM_WEIGHT_ROWS + BT__LEFT_MOST), /* ≥ MASKED_ROWS · BT__ITEM_COLS */
    SHARED_ITEMS = 16 /* so many items at least share left operands */
};

size_t bt__weight_scratch(void)
{
    return (size_t)BT__SHARDS * PART + LEFT;
}

/* A block of the weight's rows, and what of the left operand is packed: all shards, or one part of one. */
struct left {
    const struct bt__linear_weight *l;
    struct bt__range n;
    float *panels;
    bool whole;
};

/* Elements [at, end) of a shard's rows. */
static void pack_left(const struct left *x, int shard, int at, int end, float *panels)
{
    const struct bt__linear_weight *l = x->l;
    const struct bt__range r = l->rows->shard[shard];
    const int row = r.begin + at * l->by->steps, stop = r.begin + end * l->by->steps;
    l->by->pack_left((stop < r.end ? stop : r.end) - row, x->n.end - x->n.begin,
                     l->dy + offset(row, l->lddy, x->n.begin), l->lddy, panels);
}

static int shard_elements(const struct bt__linear_weight *l, int shard)
{
    return bt__packed(l->by, l->rows->shard[shard].end - l->rows->shard[shard].begin);
}

static float *left_of(const struct left *x, int shard)
{
    return x->panels + bt__left_floats(x->n.end - x->n.begin, bt__packed_before(x->l->by, x->l->rows, shard));
}

/* One shard's part of an output block, dense in out. */
static void shard_product(const struct left *x, int shard, struct bt__range k, float *out)
{
    const struct bt__linear_weight *l = x->l;
    const struct bt__products *by = l->by;
    const int rows = x->n.end - x->n.begin, cols = k.end - k.begin, count = shard_elements(l, shard);
    const int height = bt__packed_before(by, l->rows, BT__SHARDS),
              before = bt__packed_before(by, l->rows, shard);
    const int parts = x->whole ? 1 : bt__blocks(count, LEFT_ROWS);
    if (count == 0) memset(out, 0, sizeof(float) * (size_t)rows * (size_t)cols);
    for (int i = 0; i < parts && count > 0; i++) {
        const int at = (int)((long)count * i / parts), end = (int)((long)count * (i + 1) / parts);
        if (!x->whole) pack_left(x, shard, at, end, x->panels);
        by->product(&(struct bt__product){.rows = rows,
                                          .cols = cols,
                                          .k = end - at,
                                          .a = x->whole ? left_of(x, shard) : x->panels,
                                          .panels = l->pack.panels + offset(k.begin, height, 0) +
                                                    offset(before + at, by->panel, 0),
                                          .height = height,
                                          .from = i ? out : NULL,
                                          .ldfrom = cols,
                                          .c = out,
                                          .ldc = cols});
    }
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

/* How many blocks of the columns an item works on, with one left operand. */
static int blocks_of(const struct bt__linear_weight *l)
{
    const int across = bt__blocks(l->k, BT__ITEM_COLS),
              items = bt__blocks(l->n, BT__ITEM_WEIGHT_ROWS) * ((across + 1) / 2);
    return across > 1 && items >= SHARED_ITEMS ? 2 : 1;
}

/* A block of the gradient: the shards' parts, then their sum. */
static void weight_block(const struct left *x, struct bt__range k, float *scratch)
{
    const struct bt__linear_weight *l = x->l;
    const int cols = k.end - k.begin;
    float *part[BT__SHARDS];
    for (int s = 0; s < BT__SHARDS; s++) shard_product(x, s, k, part[s] = scratch + (size_t)s * PART);
    for (int r = x->n.begin; r < x->n.end; r++) {
        const size_t at = offset(r - x->n.begin, cols, 0);
        float *dw = l->dw + offset(r, l->k, k.begin), *sum = l->accumulate ? part[0] + at : dw;
        l->kernels->sum4((size_t)cols, sum, part[0] + at, part[1] + at, part[2] + at, part[3] + at);
        if (l->accumulate) l->kernels->add((size_t)cols, dw, sum);
    }
}

static void weight_item(void *ctx, int item, int thread)
{
    const struct bt__linear_weight *l = ctx;
    const int blocks = bt__blocks(l->k, BT__ITEM_COLS), each = blocks_of(l),
              across = (blocks + each - 1) / each;
    const struct left x = {.l = l,
                           .n = bt__block(l->n, BT__ITEM_WEIGHT_ROWS, item / across),
                           .panels = l->scratch[thread] + BT__SHARDS * PART,
                           .whole = bt__packed_before(l->by, l->rows, BT__SHARDS) <= LEFT_ROWS};
    for (int s = 0; x.whole && s < BT__SHARDS; s++) pack_left(&x, s, 0, shard_elements(l, s), left_of(&x, s));
    for (int b = item % across * each; b < blocks && b < (item % across + 1) * each; b++)
        weight_block(&x, bt__block(l->k, BT__ITEM_COLS, b), l->scratch[thread]);
}

struct bt__job bt__job_linear_weight(struct bt__linear_weight *l)
{
    l->pack = (struct bt__packing){.kernels = l->kernels,
                                   .by = l->by,
                                   .k = l->rows->n,
                                   .cols = l->k,
                                   .b = l->x,
                                   .ldb = l->ldx,
                                   .rows = l->rows,
                                   .drop = l->drop};
    const int each = blocks_of(l);
    const int items =
        bt__blocks(l->n, BT__ITEM_WEIGHT_ROWS) * ((bt__blocks(l->k, BT__ITEM_COLS) + each - 1) / each);
    return (struct bt__job){.fn = weight_item, .ctx = l, .items = items, .pack = &l->pack};
}

/* Block by block of the columns: what is left of a few rows fits the scratch. */
static void narrow_masked(const struct bt__narrow *l, int r0, int rows, float *scratch)
{
    for (int b = 0; b < bt__blocks(l->k, BT__ITEM_COLS); b++) {
        struct bt__range k = bt__block(l->k, BT__ITEM_COLS, b);
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
