/* Jobs: the pieces of work that a phase consists of, cut into items.
 *
 * A job writes memory that no other job of the same phase touches. bt__run_jobs() runs the items of all jobs of a phase, in the given order
 * (put the heaviest first), and returns when all are done. Jobs live on the caller's stack. */
#ifndef BERTTY_MODEL_LINEAR_H
#define BERTTY_MODEL_LINEAR_H

#include "base/pool.h"
#include "batch/batch.h"
#include "math/kernels.h"
#include <stdbool.h>

/* Sizes of an item, in rows and columns of its output. */
enum {
    BT__PACKED_GAP = 16,
    BT__ITEM_COLS = 384,
    BT__ITEM_WEIGHT_ROWS = 96,
    BT__ITEM_ROWS = 16,
    BT__ITEM_SUM_COLS = 64,
    BT__ITEM_PACK_COLS = 128
};
/* How many blocks of about size columns n columns have, and the i-th of them; panels stay whole, size is a multiple of theirs. */
int bt__blocks(int n, int size);
struct bt__range bt__block(int n, int size, int i);

/* The operands of a product, packed by all threads together before the items of the job run. */
struct bt__packing {
    const struct bt__kernels *kernels;
    const struct bt__products *by;
    int k, cols;
    const float *b; /* the right operand [k, cols], transposed: [cols, k]; distance ldb */
    int ldb;
    bool transposed;
    const struct bt__rows
        *rows; /* not with transposed: k is these rows, each shard begins an element; NULL: one piece */
    struct bt__dropout drop; /* not with transposed; positions as in a matrix [k, cols] */
    const float *
        x; /* the left operand [x_rows, k], distance ldx, if rows are packed at all; NULL: the items pack it */
    int x_rows, ldx;
    float *panels, *left; /* bt__run_jobs() says where */
};
/* Elements of the packed shards before the s-th; s = BT__SHARDS: of all. */
int bt__packed_before(const struct bt__products *by, const struct bt__rows *rows, int s);
/* Between packed rows of the left operand: a line more than they need, so that they are never a multiple of 2 KiB apart. */
static inline int bt__packed_distance(const struct bt__packing *p)
{
    return bt__packed(p->by, p->k) + BT__PACKED_GAP;
}
/* Floats that the packed operands take. */
size_t bt__packing_floats(const struct bt__packing *p);

struct bt__job {
    bt__pool_fn *fn;
    void *ctx;
    int items;
    struct bt__packing *pack; /* NULL: nothing to pack */
};

enum { BT__MOST_JOBS = 6 };
/* n ≤ BT__MOST_JOBS; panels has room for bt__packing_floats() of every packing. */
void bt__run_jobs(struct bt__pool *pool, float *panels, const struct bt__job *jobs, int n);

/* Scratch of one thread: floats that the weight job needs. */
size_t bt__weight_scratch(void);

/* What follows a product on the tile that it just wrote. */
enum bt__epilogue { BT__PLAIN, BT__ACTIVATE, BT__ACTIVATE_BACKWARD };

/* A product of low rank beside the layer's: what it adds to the tile before the epilogue. */
struct bt__low_rank {
    int r;
    const float *narrow; /* [rows, r] */
    const float *wide; /* forward: [cols, r], for the columns [begin, begin + cols) of y; backward: [r, k] */
    int begin, cols;
    struct bt__dropout drop; /* backward: of the input that the narrow side was made from */
};

/* A linear layer: y [rows, n] = bias + x [rows, k] · w [n, k]ᵀ, then the epilogue. */
struct bt__linear {
    const struct bt__kernels *kernels;
    const struct bt__products *by;
    int act; /* enum bt__act */
    const struct bt__rows *rows;
    int n, k;
    const float *x, *w, *bias; /* bias may be NULL */
    int ldx;
    float *y, *activated; /* BT__ACTIVATE: y keeps the value before the activation */
    int ldy;
    enum bt__epilogue epilogue;
    const struct bt__low_rank *add; /* adds of them */
    int adds;
    struct bt__packing pack; /* bt__job_linear() fills it; likewise below */
};
struct bt__job bt__job_linear(struct bt__linear *l);

/* Its gradient to the input: dx [rows, k] = dy [rows, n] · w [n, k], with accumulate added to dx; with BT__ACTIVATE_BACKWARD the result
 * goes through the activation whose input was pre [rows, k], and activated receives f(pre). */
struct bt__linear_input {
    const struct bt__kernels *kernels;
    const struct bt__products *by;
    int act;
    const struct bt__rows *rows;
    int n, k;
    const float *dy, *w, *pre;
    int lddy;
    bool accumulate;
    float *dx, *activated;
    int lddx;
    enum bt__epilogue epilogue;
    const struct bt__low_rank *add; /* adds of them */
    int adds;
    float **scratch; /* [threads] of bt__weight_scratch() floats each; only if there are adds */
    struct bt__packing pack;
};
struct bt__job bt__job_linear_input(struct bt__linear_input *l);
/* The activation's part of it: d ← d · f′(pre), act ← f(pre); all [rows, cols] with distance ld. */
void bt__activate_backward(const struct bt__kernels *k, int act, int rows, int cols, const float *pre,
                           float *activated, float *d, int ld);

/* Its gradient to the weight: dw [n, k] (+)= Σ over shards of dyᵀ · x, as (0 + 1) + (2 + 3). */
struct bt__linear_weight {
    const struct bt__kernels *kernels;
    const struct bt__products *by;
    const struct bt__rows *rows;
    int n, k;
    const float *dy, *x;
    int lddy, ldx;
    float *dw;
    bool accumulate;         /* add to what dw holds */
    float **scratch;         /* [threads] of bt__weight_scratch() floats each */
    struct bt__dropout drop; /* of x; zero: none */
    struct bt__packing pack;
};
struct bt__job bt__job_linear_weight(struct bt__linear_weight *l);

/* From the wide to the narrow side: u [rows, r] = scale · dropout(x) [rows, k] · a [r, k]ᵀ; with back: u = scale · x [rows, k] · a [k, r]. */
struct bt__narrow {
    const struct bt__kernels *kernels;
    const struct bt__rows *rows;
    int r, k;
    const float *x, *a;
    int ldx;
    bool back;
    float *u;
    float scale;
    struct bt__dropout drop; /* zero: none */
    float **scratch;         /* [threads] of bt__weight_scratch() floats each */
};
struct bt__job bt__job_narrow(struct bt__narrow *n);

/* Sums over rows in the same tree: sum [cols] (+)= Σ x; with xhat also dot [cols] (+)= Σ x·xhat. */
struct bt__column_sum {
    const struct bt__kernels *kernels;
    const struct bt__rows *rows;
    int cols;
    const float *x, *xhat; /* xhat may be NULL */
    int ld;
    float *sum, *dot;
    bool accumulate;
};
struct bt__job bt__job_column_sum(struct bt__column_sum *s);

/* The same for rows [begin, end) of any per-row function. */
struct bt__row_work {
    int rows;
    void (*fn)(void *ctx, int row);
    void *ctx;
};
struct bt__job bt__job_rows(struct bt__row_work *w);

#endif
