/* The pieces of many texts, made on all threads and handed over one text after the other, for what depends on the order. */
#ifndef BERTTY_BATCH_IN_ORDER_H
#define BERTTY_BATCH_IN_ORDER_H

#include "base/pool.h"
#include <bertty/tokenizer.h>

struct bt__in_order {
    void *ctx;
    const char *(*text)(void *ctx, size_t i, size_t *n); /* text i, n bytes; called by any thread */
    /* Text i became n pieces, borrowed until the call returns; called by the caller's thread, for i = 0, 1, … */
    enum bt_status (*take)(void *ctx, size_t i, const int32_t *ids, size_t n, struct bt_error *err);
};

/* All n texts, or as far as what take does not return BT_OK for. Some thousand texts' pieces are held at a time. */
enum bt_status bt__tokenize_in_order(const struct bt_tokenizer *t, const struct bt__in_order *o, size_t n,
                                     struct bt__pool *pool, struct bt_error *err);

#endif
