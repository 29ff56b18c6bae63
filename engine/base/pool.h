/* A pool of threads that runs the items of one phase after the other.
 *
 * bt__pool_run() calls fn once for each item in [0, n), on the pool's threads and the caller's, and returns when all are done: a
 * phase ends with a barrier. Items are claimed in order, whoever is free takes the next, so results must not depend on who ran what.
 * One caller at a time. fn must not fail and must not call bt__pool_run on the same pool. */
#ifndef BERTTY_BASE_POOL_H
#define BERTTY_BASE_POOL_H

#include <bertty/error.h>

struct bt__pool;

/* ctx as given; item in [0, n); thread in [0, bt__pool_threads()): index for per-thread scratch. */
typedef void bt__pool_fn(void *ctx, int item, int thread);

/* threads ≥ 1, the caller's included; 0: one for each processor this process may use. */
enum bt_status bt__pool_create(int threads, struct bt__pool **out, struct bt_error *err);
void bt__pool_free(struct bt__pool *pool); /* joins the threads; NULL is fine */
int bt__pool_threads(const struct bt__pool *pool);
void bt__pool_run(struct bt__pool *pool, int n, bt__pool_fn *fn, void *ctx);

#endif
