/* The order in which examples are seen: a pure function of (seed, epoch), so that a resumed run continues it exactly. */
#ifndef BERTTY_BATCH_ORDER_H
#define BERTTY_BATCH_ORDER_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt__order {
    uint64_t seed;
    size_t n;     /* examples */
    size_t batch; /* examples in a batch; only the last of an epoch may be smaller */
    bool
        group; /* batches of similar lengths: sorted inside groups of 50 batches, as Trainer's group_by_length does; then the full batches are shuffled */
    const int *lengths; /* [n] tokens, borrowed; read when grouping */
};

/* Writes the epoch's permutation of 0 … n−1 to index[n]. */
enum bt_status bt__order_epoch(const struct bt__order *o, uint64_t epoch, uint32_t *index,
                               struct bt_error *err);

/* In place: a uniform permutation keyed by (seed, stream, epoch). */
void bt__shuffle(uint32_t *index, size_t n, uint64_t seed, uint64_t stream, uint64_t epoch);

#endif
