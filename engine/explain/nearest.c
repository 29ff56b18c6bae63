/* Which vectors are nearest. They are of length 1: a cosine is a product. */
#include "math/gemm.h"
#include <bertty/neighbours.h>
#include <stdlib.h>

enum { BLOCK = 256, BLOCK_ROWS = 2048 };

/* Keeps the k best of what was seen, falling; a new one goes behind its equals. */
static size_t keep(struct bt_neighbour *out, size_t n, size_t k, struct bt_neighbour x)
{
    if (n == k && (k == 0 || out[k - 1].cosine >= x.cosine)) return n;
    size_t at = n < k ? n : k - 1;
    for (; at > 0 && out[at - 1].cosine < x.cosine; at--) out[at] = out[at - 1];
    out[at] = x;
    return n < k ? n + 1 : n;
}

size_t bt_neighbours_find(const struct bt_vectors *v, const float *to, size_t k, struct bt_neighbour *out)
{
    const size_t h = (size_t)v->hidden;
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        double sum = 0.0;
        for (size_t c = 0; c < h; c++) sum += (double)v->v[i * h + c] * (double)to[c];
        n = keep(out, n, k, (struct bt_neighbour){.row = i, .cosine = sum});
    }
    return n;
}

struct comparison {
    const struct bt_vectors *a, *b;
    bool others;
    float *cosine; /* [BLOCK, BLOCK_ROWS] */
    struct bt_neighbour *out;
};

static void take(const struct comparison *w, size_t first, int rows, size_t at, int cols)
{
    for (int i = 0; i < rows; i++) {
        struct bt_neighbour *best = &w->out[first + (size_t)i];
        for (int j = 0; j < cols; j++) {
            const struct bt_neighbour x = {.row = at + (size_t)j, .cosine = (double)w->cosine[i * cols + j]};
            if (x.cosine > best->cosine && !(w->others && x.row == first + (size_t)i)) *best = x;
        }
    }
}

/* Rows [first, first + rows) of a with all of b, a block at a time. */
static void compare(const struct comparison *w, size_t first, int rows)
{
    const int h = w->a->hidden;
    for (int i = 0; i < rows; i++) w->out[first + (size_t)i] = (struct bt_neighbour){.cosine = -2.0};
    for (size_t at = 0; at < w->b->n; at += BLOCK_ROWS) {
        const int cols = w->b->n - at < BLOCK_ROWS ? (int)(w->b->n - at) : BLOCK_ROWS;
        bt__gemm_nt(rows, cols, h, w->a->v + first * (size_t)h, h, w->b->v + at * (size_t)h, h, 0.0f,
                    w->cosine, cols);
        take(w, first, rows, at, cols);
    }
}

enum bt_status bt_neighbours_each(const struct bt_vectors *a, const struct bt_vectors *b, bool others,
                                  const atomic_bool *cancel, struct bt_neighbour *out, struct bt_error *err)
{
    const struct comparison w = {
        .a = a, .b = b, .others = others, .cosine = malloc(sizeof(float) * BLOCK * BLOCK_ROWS), .out = out};
    enum bt_status st =
        w.cosine ? bt__gemm_init(err) : bt_fail(err, BT_NOMEM, "no memory for %zu rows", a->n);
    for (size_t at = 0; at < a->n && !st; at += BLOCK) {
        if (cancel && atomic_load(cancel)) st = bt_fail(err, BT_CANCELLED, "the comparison was cancelled");
        if (!st) compare(&w, at, a->n - at < BLOCK ? (int)(a->n - at) : BLOCK);
    }
    free(w.cosine);
    return st;
}
