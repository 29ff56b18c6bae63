/* The vector kernels: everything of a training step that is not a matrix product.
 *
 * Each kernel is plain C in math/vec/, compiled once for each instruction set; bt__kernels() picks the best set of this CPU. Arrays
 * are floats without alignment demands; n counts elements. The same binary on the same CPU gives the same bits. Accuracy of exp and erf: see tests/grad. */
#ifndef BERTTY_MATH_KERNELS_H
#define BERTTY_MATH_KERNELS_H

#include "base/rng.h"
#include <stdbool.h>
#include <stddef.h>

/* Widest panel of a right operand, tallest of a left one. */
enum { BT__PANEL_MOST = 32, BT__LEFT_MOST = 12 };
static inline size_t bt__panel_floats(int cols, int k)
{
    return (size_t)((cols + BT__PANEL_MOST - 1) / BT__PANEL_MOST * BT__PANEL_MOST) * (size_t)k;
}
static inline size_t bt__left_floats(int rows, int k)
{
    return (size_t)((rows + BT__LEFT_MOST - 1) / BT__LEFT_MOST * BT__LEFT_MOST) * (size_t)k;
}

/* Inverted dropout: element i is kept if its random number is not below threshold, and then multiplied by scale. */
struct bt__dropout {
    struct bt__rng key;
    uint32_t threshold; /* p × 2^24; 0 = no dropout */
    float scale;        /* 1 / (1 − threshold/2^24) */
};
struct bt__dropout bt__dropout_make(double p, struct bt__rng key);

/* The coefficients of one AdamW update (Loshchilov & Hutter 2019), worked out in double by the caller:
 *   w ← w·keep;  m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;  w ← w − step·m / (√v·root + ε)   with g scaled by clip first. */
struct bt__adamw {
    float clip;         /* factor of the gradient: clipping and loss normalisation */
    float beta1, beta2; /* [0, 1) */
    float epsilon;      /* > 0 */
    float step;         /* lr / (1 − β1^t), or lr without bias correction */
    float root;         /* 1 / √(1 − β2^t), or 1 */
    float keep;         /* 1 − lr·weight_decay */
};

/* The coefficients of one update with momentum: m ← momentum·m + g·clip + decay·w;  w ← w − step·m. */
struct bt__sgd {
    float clip, decay, momentum, step;
};

/* A product whose right operand lies in panels: c [rows, cols] = from + a · panels. Each element of c is one chain of fused steps in the order of k,
 * so its bits depend neither on the other rows nor on the tiles. */
struct bt__product {
    int rows, cols, k; /* k and the distances of a and panels count packed elements: bt__packed() */
    const float *a;    /* [rows, k] with distance lda; lda 0: as pack_left() made it */
    int lda;
    const float *panels; /* as pack() or pack_transposed() made them, of this height */
    int height;
    const float
        *from; /* [rows, cols] with distance ldfrom (0: every row is the same); NULL: zeros; may be c */
    int ldfrom;
    float *c;
    int ldc;
};

/* Products of one precision. Operands are packed as elements of 4 bytes: a float, or two steps of k as bf16 (rounded to nearest, ties to even; the even
 * step low, behind an odd last one zero). Sums and results are fp32. */
struct bt__products {
    int steps; /* of k in an element: 1 or 2 */
    int panel; /* columns of a panel, a power of two ≤ BT__PANEL_MOST */
    /* The right operand b [k, cols]: panels [⌈cols/panel⌉][height][panel], zeros behind the last column; height ≥ the elements of k. transposed: b is
     * given as [cols, k], height is its elements. Room: bt__panel_floats(cols, height). */
    void (*pack)(int k, int cols, const float *b, int ldb, float *panels, int height);
    void (*pack_transposed)(int k, int cols, const float *b, int ldb, float *panels);
    /* The left operand, given as [k, rows]. The panels have room for bt__left_floats(rows, k). */
    void (*pack_left)(int k, int rows, const float *a, int lda, float *panels);
    /* The same, given as [rows, k], to [rows, elements of k] with distance ldto. NULL: an element is a float, rows are multiplied where they are. */
    void (*pack_rows)(int k, int rows, const float *a, int lda, float *to, int ldto);
    void (*product)(const struct bt__product *x);
};
/* Elements of k steps. */
static inline int bt__packed(const struct bt__products *p, int k)
{
    return (k + p->steps - 1) / p->steps;
}

struct bt__kernels {
    const char *name; /* "avx2", … */

    struct bt__products fp32, bf16;
    bool
        has_bf16; /* the processor multiplies bf16 itself; otherwise it is imitated, which is slower than fp32 */

    /* act = f(pre); both [rows, cols] with distance ld */
    void (*gelu)(int rows, int cols, const float *pre, float *act, int ld);
    void (*gelu_tanh)(int rows, int cols, const float *pre, float *act, int ld);
    void (*relu)(int rows, int cols, const float *pre, float *act, int ld);
    /* act = f(pre) once more, d ← d · f′(pre); [rows, cols] with distance ld */
    void (*gelu_backward)(int rows, int cols, const float *pre, float *act, float *d, int ld);
    void (*gelu_tanh_backward)(int rows, int cols, const float *pre, float *act, float *d, int ld);
    void (*relu_backward)(int rows, int cols, const float *pre, float *act, float *d, int ld);

    /* One row: s = dropout(x + bias) + residual; xhat = (s − mean)·rstd; y = xhat·gamma + beta; returns rstd.
     * residual and bias may be NULL. The dropout's position of element j is pos + j. xhat or y may be NULL. */
    float (*norm)(int n, const float *x, const float *bias, const float *residual, const float *gamma,
                  const float *beta, float eps, const struct bt__dropout *drop, uint32_t pos, float *xhat,
                  float *y);
    /* One row of LayerNorm's backward pass: ds = rstd·(g − mean(g) − xhat·mean(g·xhat)) with g = dy·gamma;
     * dx = dropout's mask · ds. ds may be dy; dx may be NULL. */
    void (*norm_backward)(int n, const float *dy, const float *xhat, float rstd, const float *gamma,
                          const struct bt__dropout *drop, uint32_t pos, float *ds, float *dx);
    /* y = xhat·gamma + beta */
    void (*scale_shift)(int n, const float *xhat, const float *gamma, const float *beta, float *y);
    /* out = dropout(x); out may be x */
    void (*dropout)(int n, const float *x, const struct bt__dropout *drop, uint32_t pos, float *out);

    /* In place: p = softmax(scale·s) of one row */
    void (*softmax)(int n, float *s, float scale);
    /* In place: x ← e^(x − shift); returns their sum */
    float (*exps)(int n, float *x, float shift);
    /* In place: d ← p·(d − Σ d·p)·scale */
    void (*softmax_backward)(int n, const float *p, float *d, float scale);

    /* sum[cols] = Σ over rows of x[row, :] (distance ld), and with xhat: dot[cols] = Σ x·xhat. In row order. */
    void (*colsum)(int rows, int cols, const float *x, int ld, float *sum);
    void (*colsum_dot)(int rows, int cols, const float *x, const float *xhat, int ld, float *sum, float *dot);
    void (*add)(size_t n, float *dst, const float *src); /* dst += src */
    /* dst = (a + b) + (c + d); dst may be a */
    void (*sum4)(size_t n, float *dst, const float *a, const float *b, const float *c, const float *d);
    double (*sumsq)(size_t n, const float *x); /* Σ x² in double; NaN and Inf come through */
    void (*scale)(size_t n, float *x, float factor);

    /* the optimisers' updates */
    void (*adamw)(size_t n, float *w, const float *g, float *m, float *v, const struct bt__adamw *c);
    void (*sgd)(size_t n, float *w, const float *g, float keep, float step); /* w ← w·keep − step·g */
    void (*sgd_momentum)(size_t n, float *w, const float *g, float *m, const struct bt__sgd *c);
    /* sum += (x·scale)²; returns Σ (x·scale)² in double */
    double (*add_squares)(size_t n, const float *x, float scale, float *sum);
    double (*sumsq_product)(size_t n, const float *x, const float *y); /* Σ (x·y)² in double */
    /* w ← w·keep − step·x·y */
    void (*shrink_subtract)(size_t n, float *w, const float *x, const float *y, float keep, float step);
};

/* The table for this CPU. BERTTY_KERNELS=base|avx2|avx512|avx512bf16 in the environment asks for a lower one. */
const struct bt__kernels *bt__kernels(void);

#endif
