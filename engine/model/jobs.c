/* Running jobs, packing what they multiply by, and the jobs that are not products. */
#include "model/linear.h"

#include <string.h>

int bt__blocks(int n, int size)
{
    return (n + size - 1) / size;
}

struct bt__range bt__block(int n, int size, int i)
{
    int count = bt__blocks(n, size), units = bt__blocks(n, BT__PANEL_MOST);
    int begin = units * i / count * BT__PANEL_MOST, end = units * (i + 1) / count * BT__PANEL_MOST;
    return (struct bt__range){.begin = begin, .end = end < n ? end : n};
}

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

static void run_phase(struct bt__pool *pool, const struct bt__job *jobs, int n)
{
    int items = 0;
    for (int j = 0; j < n; j++) items += jobs[j].items;
    struct phase p = {.jobs = jobs, .n = n};
    bt__pool_run(pool, items, run_item, &p);
}

/* ── packing ── */

int bt__packed_before(const struct bt__products *by, const struct bt__rows *rows, int s)
{
    int before = 0;
    for (int i = 0; i < s; i++) before += bt__packed(by, rows->shard[i].end - rows->shard[i].begin);
    return before;
}

static int height_of(const struct bt__packing *p)
{
    return p->rows ? bt__packed_before(p->by, p->rows, BT__SHARDS) : bt__packed(p->by, p->k);
}

static size_t right_floats(const struct bt__packing *p)
{
    return bt__panel_floats(p->cols, height_of(p));
}

static bool packs_left(const struct bt__packing *p)
{
    return p->x && p->by->pack_rows;
}

size_t bt__packing_floats(const struct bt__packing *p)
{
    return right_floats(p) + (packs_left(p) ? (size_t)p->x_rows * (size_t)bt__packed_distance(p) : 0);
}

/* Rows r of the right operand, columns c, after dropout, an element's rows at a time. */
static void pack_dropped(const struct bt__packing *p, struct bt__range r, struct bt__range c, float *panels)
{
    enum { ROOM = BT__ITEM_PACK_COLS + BT__PANEL_MOST };
    const struct bt__products *by = p->by;
    float rows[2 * ROOM];
    for (int i = r.begin; i < r.end; i += by->steps, panels += by->panel) {
        const int n = r.end - i < by->steps ? r.end - i : by->steps;
        for (int j = i; j < i + n; j++)
            p->kernels->dropout(c.end - c.begin, p->b + (size_t)j * (size_t)p->ldb + (size_t)c.begin,
                                &p->drop, (uint32_t)((size_t)j * (size_t)p->cols) + (uint32_t)c.begin,
                                rows + (j - i) * ROOM);
        by->pack(n, c.end - c.begin, rows, ROOM, panels, height_of(p));
    }
}

static void pack_rows(const struct bt__packing *p, struct bt__range r, struct bt__range c, float *panels)
{
    if (p->drop.threshold)
        pack_dropped(p, r, c, panels);
    else
        p->by->pack(r.end - r.begin, c.end - c.begin,
                    p->b + (size_t)r.begin * (size_t)p->ldb + (size_t)c.begin, p->ldb, panels, height_of(p));
}

static void pack_item(void *ctx, int item, int thread)
{
    const struct bt__packing *p = ctx;
    const struct bt__range c = bt__block(p->cols, BT__ITEM_PACK_COLS, item);
    float *panels = p->panels + (size_t)c.begin * (size_t)height_of(p);
    (void)thread;
    if (p->transposed)
        p->by->pack_transposed(p->k, c.end - c.begin, p->b + (size_t)c.begin * (size_t)p->ldb, p->ldb,
                               panels);
    else if (!p->rows)
        pack_rows(p, (struct bt__range){.end = p->k}, c, panels);
    for (int s = 0; p->rows && s < BT__SHARDS; s++)
        pack_rows(p, p->rows->shard[s], c,
                  panels + (size_t)bt__packed_before(p->by, p->rows, s) * (size_t)p->by->panel);
}

static void pack_left_item(void *ctx, int item, int thread)
{
    const struct bt__packing *p = ctx;
    const int begin = item * BT__ITEM_ROWS,
              n = p->x_rows - begin < BT__ITEM_ROWS ? p->x_rows - begin : BT__ITEM_ROWS;
    (void)thread;
    p->by->pack_rows(p->k, n, p->x + (size_t)begin * (size_t)p->ldx, p->ldx,
                     p->left + (size_t)begin * (size_t)bt__packed_distance(p), bt__packed_distance(p));
}

void bt__run_jobs(struct bt__pool *pool, float *panels, const struct bt__job *jobs, int n)
{
    struct bt__job packs[2 * BT__MOST_JOBS];
    int count = 0;
    for (int j = 0; j < n; j++) {
        struct bt__packing *p = jobs[j].pack;
        if (!p) continue;
        p->panels = panels;
        p->left = packs_left(p) ? panels + right_floats(p) : NULL;
        panels += bt__packing_floats(p);
        packs[count++] =
            (struct bt__job){.fn = pack_item, .ctx = p, .items = bt__blocks(p->cols, BT__ITEM_PACK_COLS)};
        if (p->left)
            packs[count++] = (struct bt__job){
                .fn = pack_left_item, .ctx = p, .items = bt__blocks(p->x_rows, BT__ITEM_ROWS)};
    }
    if (count) run_phase(pool, packs, count);
    run_phase(pool, jobs, n);
}

/* ── sums and rows ── */

enum { SUM_COLS = BT__ITEM_SUM_COLS + 16 };

static void tree(const struct bt__column_sum *s, float part[BT__SHARDS][SUM_COLS], int cols, float *out)
{
    s->kernels->sum4((size_t)cols, part[0], part[0], part[1], part[2], part[3]);
    if (s->accumulate)
        s->kernels->add((size_t)cols, out, part[0]);
    else
        memcpy(out, part[0], sizeof(float) * (size_t)cols);
}

static void column_item(void *ctx, int item, int thread)
{
    const struct bt__column_sum *s = ctx;
    struct bt__range c = bt__block(s->cols, BT__ITEM_SUM_COLS, item);
    int cols = c.end - c.begin;
    float sum[BT__SHARDS][SUM_COLS], dot[BT__SHARDS][SUM_COLS];
    (void)thread;
    for (int i = 0; i < BT__SHARDS; i++) {
        struct bt__range r = s->rows->shard[i];
        size_t at = (size_t)r.begin * (size_t)s->ld + (size_t)c.begin;
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
    return (struct bt__job){.fn = column_item, .ctx = s, .items = bt__blocks(s->cols, BT__ITEM_SUM_COLS)};
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
    return (struct bt__job){.fn = rows_item, .ctx = w, .items = bt__blocks(w->rows, BT__ITEM_ROWS)};
}
