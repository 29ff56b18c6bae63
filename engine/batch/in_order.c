#include "batch/in_order.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 128 /* texts an item */, BLOCKS_A_THREAD = 8 };

/* The pieces of some texts one behind the other; the memory is kept from wave to wave. */
struct block {
    int32_t *ids;
    size_t cap, end[BLOCK];
    struct bt_encoding scratch;
    struct bt_error err;
};

struct wave {
    const struct bt_tokenizer *t;
    const struct bt__in_order *o;
    struct block *block;
    size_t from, to; /* texts */
};

static bool append(struct block *b, size_t at, const struct bt_encoding *e)
{
    if (at + e->n > b->cap) {
        size_t cap = b->cap * 2 > at + e->n ? b->cap * 2 : at + e->n + 4096;
        int32_t *more = realloc(b->ids, cap * sizeof *more);
        if (!more) return false;
        b->ids = more;
        b->cap = cap;
    }
    if (e->n) memcpy(b->ids + at, e->ids, e->n * sizeof *e->ids);
    return true;
}

static void block_item(void *ctx, int item, int thread)
{
    struct wave *w = ctx;
    struct block *b = &w->block[item];
    size_t begin = w->from + (size_t)item * BLOCK, at = 0;
    (void)thread;
    for (size_t k = 0; k < BLOCK && begin + k < w->to && !b->err.status; k++) {
        size_t n;
        const char *text = w->o->text(w->o->ctx, begin + k, &n);
        b->err.status = bt_tokenizer_ids(w->t, text, n, &b->scratch, &b->err);
        if (!b->err.status && !append(b, at, &b->scratch))
            b->err.status = bt_fail(&b->err, BT_NOMEM, "no memory for the tokens of %zu texts", w->to);
        if (!b->err.status) at += b->scratch.n;
        b->end[k] = at;
    }
}

static enum bt_status hand_over(const struct wave *w, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = w->from; i < w->to && !st; i++) {
        const size_t k = (i - w->from) % BLOCK;
        const struct block *b = &w->block[(i - w->from) / BLOCK];
        if (b->err.status) return bt_fail(err, b->err.status, "%s", b->err.text);
        const size_t begin = k ? b->end[k - 1] : 0;
        st = w->o->take(w->o->ctx, i, b->ids ? b->ids + begin : NULL, b->end[k] - begin, err);
    }
    return st;
}

enum bt_status bt__tokenize_in_order(const struct bt_tokenizer *t, const struct bt__in_order *o, size_t n,
                                     struct bt__pool *pool, struct bt_error *err)
{
    const size_t blocks = (size_t)bt__pool_threads(pool) * BLOCKS_A_THREAD;
    struct wave w = {.t = t, .o = o, .block = calloc(blocks, sizeof *w.block)};
    enum bt_status st = BT_OK;
    if (!w.block) return bt_fail(err, BT_NOMEM, "no memory for the tokens of %zu texts", n);
    for (; w.from < n && !st; w.from = w.to) {
        w.to = n - w.from > blocks * BLOCK ? w.from + blocks * BLOCK : n;
        bt__pool_run(pool, (int)((w.to - w.from + BLOCK - 1) / BLOCK), block_item, &w);
        st = hand_over(&w, err);
    }
    for (size_t i = 0; i < blocks; i++) {
        free(w.block[i].ids);
        bt_encoding_free(&w.block[i].scratch);
    }
    free(w.block);
    return st;
}
