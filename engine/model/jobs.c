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

/* Rows [begin, end) after dropout, a row at a time. */
static void pack_dropped(const struct bt__packing *p, struct bt__range c, float *panels)
{
    float row[BT__ITEM_PACK_COLS + BT__PANEL_MOST];
    for (int r = 0; r < p->k; r++) {
        size_t at = (size_t)r * (size_t)p->ldb + (size_t)c.begin;
        p->kernels->dropout(c.end - c.begin, p->b + at, &p->drop,
                            (uint32_t)((size_t)r * (size_t)p->cols) + (uint32_t)c.begin, row);
        p->kernels->pack(1, c.end - c.begin, row, 0, panels + (size_t)r * (size_t)p->kernels->panel, p->k);
    }
}

static void pack_item(void *ctx, int item, int thread)
{
    const struct bt__packing *p = ctx;
    const struct bt__range c = bt__block(p->cols, BT__ITEM_PACK_COLS, item);
    float *panels = p->panels + (size_t)c.begin * (size_t)p->k;
    (void)thread;
    if (p->transposed)
        p->kernels->pack_transposed(p->k, c.end - c.begin, p->b + (size_t)c.begin * (size_t)p->ldb, p->ldb,
                                    panels);
    else if (p->drop.threshold)
        pack_dropped(p, c, panels);
    else
        p->kernels->pack(p->k, c.end - c.begin, p->b + c.begin, p->ldb, panels, p->k);
}

void bt__run_jobs(struct bt__pool *pool, float *panels, const struct bt__job *jobs, int n)
{
    struct bt__job packs[BT__MOST_JOBS];
    int count = 0;
    for (int j = 0; j < n; j++) {
        struct bt__packing *p = jobs[j].pack;
        if (!p) continue;
        p->panels = panels;
        panels += bt__panel_floats(p->cols, p->k);
        packs[count++] =
            (struct bt__job){.fn = pack_item, .ctx = p, .items = bt__blocks(p->cols, BT__ITEM_PACK_COLS)};
    }
    if (count) run_phase(pool, packs, count);
    run_phase(pool, jobs, n);
}

/* ── sums and rows ── */

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
