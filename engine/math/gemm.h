/* Matrix products: the only caller of BLAS.
 *
 * OpenBLAS is loaded at the first bt__gemm_init(), with one thread (its own threads would spin on the pool's cores), so that a
 * program that only draws a screen never pays for it. All matrices are row-major floats; ld = distance between rows. Products of the
 * same shape give the same bits whichever thread computes them. */
#ifndef BERTTY_MATH_GEMM_H
#define BERTTY_MATH_GEMM_H

#include <bertty/error.h>
#include <stdbool.h>

/* Loads the library once; further calls are free. Thread-safe. */
enum bt_status bt__gemm_init(struct bt_error *err);
/* "OpenBLAS 0.3.21 … Zen" after a successful init; static storage. */
const char *bt__gemm_name(void);

/* The library bears one caller at a time (Debian's libopenblas0-serial): products are right, but wait for one another. */
bool bt__gemm_serial(void);

/* C[m,n] = A[m,k] · B[n,k]ᵀ + beta · C: a linear layer's forward pass, B = weight. */
void bt__gemm_nt(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc);
/* C[m,n] = A[m,k] · B[k,n] + beta · C: a linear layer's gradient to its input. */
void bt__gemm_nn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc);
/* C[m,n] = A[k,m]ᵀ · B[k,n] + beta · C: a linear layer's gradient to its weight. */
void bt__gemm_tn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc);

#endif
