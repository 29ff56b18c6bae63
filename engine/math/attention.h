/* Scaled dot-product attention (Vaswani et al. 2017) of one sequence and one head, forward and backward.
 *
 * Row-major; nq query rows, n key/value rows, d = head size. ldq, ldk, … are distances between rows, so that a head is a column
 * slice of a wider matrix. p [nq, n] keeps the softmax before dropout; the dropout's position of p[i, j] is pos + i·n + j. */
#ifndef BERTTY_MATH_ATTENTION_H
#define BERTTY_MATH_ATTENTION_H

#include "math/kernels.h"
#include <stdbool.h>

struct bt__attention {
    const struct bt__kernels *k;
    int nq, n, d;
    const float *q, *key, *value;
    int ldq, ldkv;
    float scale; /* 1/√d */
    struct bt__dropout drop;
    uint32_t pos;
    float *p;       /* [nq, n]: written by the forward, read by the backward pass */
    float *scratch; /* bt__attention_scratch() floats */
};

/* For up to n queries and n keys. */
size_t bt__attention_scratch(int n, int d, bool backward);

/* out [nq, d] = dropout(softmax(q·keyᵀ·scale)) · value */
void bt__attention_forward(const struct bt__attention *a, float *out, int ldo);
/* From dout: dq, dkey, dvalue are overwritten. */
void bt__attention_backward(const struct bt__attention *a, const float *dout, int ldo, float *dq, int lddq,
                            float *dkey, float *dvalue, int lddkv);

#endif
