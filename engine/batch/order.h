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
    /* > 0: a batch ends before it has more tokens. Then all of an epoch stands sorted by length before it is cut into batches, equal lengths in a
     * random order, and the batches are shuffled: where the cuts are, and how many, follows from the lengths alone. */
    size_t max_tokens;
};

/* Writes the epoch's permutation of 0 … n−1 to index[n]; with max_tokens the first place of each batch, and n behind the last, to start. */
enum bt_status bt__order_epoch(const struct bt__order *o, uint64_t epoch, uint32_t *index, uint32_t *start,
                               struct bt_error *err);
/* Batches of every epoch. */
enum bt_status bt__order_batches(const struct bt__order *o, size_t *batches, struct bt_error *err);

/* In place: a uniform permutation keyed by (seed, stream, epoch). */
void bt__shuffle(uint32_t *index, size_t n, uint64_t seed, uint64_t stream, uint64_t epoch);

#endif
