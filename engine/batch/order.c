#include "batch/order.h"

#include "base/rng.h"
#include <stdlib.h>
#include <string.h>

enum { GROUP_BATCHES = 50 };

void bt__shuffle(uint32_t *index, size_t n, uint64_t seed, uint64_t stream, uint64_t epoch)
{
    struct bt__rng key = bt__rng_key(seed, stream, epoch);
    for (size_t i = n; i > 1; i--) { /* Fisher and Yates */
        size_t j = (size_t)(bt__rng_uniform(key, (uint32_t)i) * (double)i);
        uint32_t t = index[i - 1];
        index[i - 1] = index[j];
        index[j] = t;
    }
}

struct entry {
    int length;
    uint32_t place, index; /* place breaks ties: the sort is stable */
};

static int longer_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return x->place < y->place ? -1 : 1;
}

/* Inside runs of so many. */
static enum bt_status sort_groups(const struct bt__order *o, size_t size, uint32_t *index,
                                  struct bt_error *err)
{
    struct entry *e = malloc(size * sizeof *e);
    if (!e) return bt_fail(err, BT_NOMEM, "no memory to order %zu examples", o->n);
    for (size_t at = 0; at < o->n; at += size) {
        size_t n = o->n - at < size ? o->n - at : size;
        for (size_t i = 0; i < n; i++)
            e[i] = (struct entry){
                .length = o->lengths[index[at + i]], .place = (uint32_t)i, .index = index[at + i]};
        qsort(e, n, sizeof *e, longer_first);
        for (size_t i = 0; i < n; i++) index[at + i] = e[i].index;
    }
    free(e);
    return BT_OK;
}

static size_t group_size(const struct bt__order *o)
{
    size_t batches = o->n / (o->batch * 4);
    return o->batch * (batches < 1 ? 1 : batches > GROUP_BATCHES ? GROUP_BATCHES : batches);
}

/* Full batches in a new order; a last, smaller one stays last. */
static enum bt_status shuffle_batches(const struct bt__order *o, uint64_t epoch, uint32_t *index,
                                      struct bt_error *err)
{
    size_t full = o->n / o->batch;
    uint32_t *which = malloc((full + 1) * sizeof *which), *copy = malloc((o->n + 1) * sizeof *copy);
    if (!which || !copy) {
        free(which);
        free(copy);
        return bt_fail(err, BT_NOMEM, "no memory to order %zu examples", o->n);
    }
    for (size_t i = 0; i < full; i++) which[i] = (uint32_t)i;
    bt__shuffle(which, full, o->seed, BT__STREAM_ORDER + BT__STREAM_STRIDE, epoch);
    memcpy(copy, index, o->n * sizeof *copy);
    for (size_t i = 0; i < full; i++)
        memcpy(index + i * o->batch, copy + which[i] * o->batch, o->batch * sizeof *copy);
    free(which);
    free(copy);
    return BT_OK;
}

/* ── batches of so many tokens ── */

/* index: the longest first. start may be NULL. */
static size_t cut(const struct bt__order *o, const uint32_t *index, uint32_t *start)
{
    size_t batches = 0, items = 0, tokens = 0;
    for (size_t i = 0; i < o->n; i++) {
        size_t length = (size_t)o->lengths[index[i]];
        if (items == 0 || items == o->batch || tokens + length > o->max_tokens) {
            if (start) start[batches] = (uint32_t)i;
            batches++;
            items = tokens = 0;
        }
        items++;
        tokens += length;
    }
    if (start) start[batches] = (uint32_t)o->n;
    return batches;
}

enum bt_status bt__order_batches(const struct bt__order *o, size_t *batches, struct bt_error *err)
{
    *batches = (o->n + o->batch - 1) / o->batch;
    if (!o->max_tokens || !o->n) return BT_OK;
    uint32_t *index = malloc(o->n * sizeof *index);
    if (!index) return bt_fail(err, BT_NOMEM, "no memory to order %zu examples", o->n);
    for (size_t i = 0; i < o->n; i++) index[i] = (uint32_t)i;
    enum bt_status st = sort_groups(o, o->n, index, err);
    if (!st) *batches = cut(o, index, NULL);
    free(index);
    return st;
}

/* The batches in a new order. */
static enum bt_status shuffle_cuts(const struct bt__order *o, uint64_t epoch, uint32_t *index,
                                   uint32_t *start, struct bt_error *err)
{
    const size_t n = cut(o, index, start);
    uint32_t *which = malloc((n + 1) * sizeof *which), *from = malloc((n + 1) * sizeof *from),
             *copy = malloc((o->n + 1) * sizeof *copy);
    bool ok = which && from && copy;
    if (ok) {
        memcpy(copy, index, o->n * sizeof *copy);
        memcpy(from, start, (n + 1) * sizeof *from);
        for (size_t i = 0; i < n; i++) which[i] = (uint32_t)i;
        bt__shuffle(which, n, o->seed, BT__STREAM_ORDER + BT__STREAM_STRIDE, epoch);
    }
    for (size_t i = 0, at = 0; ok && i < n; i++) {
        size_t items = from[which[i] + 1] - from[which[i]];
        start[i] = (uint32_t)at;
        memcpy(index + at, copy + from[which[i]], items * sizeof *copy);
        at += items;
    }
    free(which);
    free(from);
    free(copy);
    return ok ? BT_OK : bt_fail(err, BT_NOMEM, "no memory to order %zu examples", o->n);
}

enum bt_status bt__order_epoch(const struct bt__order *o, uint64_t epoch, uint32_t *index, uint32_t *start,
                               struct bt_error *err)
{
    for (size_t i = 0; i < o->n; i++) index[i] = (uint32_t)i;
    bt__shuffle(index, o->n, o->seed, BT__STREAM_ORDER, epoch);
    if (!o->group) return BT_OK;
    enum bt_status st = sort_groups(o, o->max_tokens ? o->n : group_size(o), index, err);
    if (!st && o->max_tokens) return shuffle_cuts(o, epoch, index, start, err);
    return st ? st : shuffle_batches(o, epoch, index, err);
}
