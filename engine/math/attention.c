#include "math/attention.h"

#include "math/gemm.h"

/* The probabilities after dropout: p itself without dropout. */
static const float *dropped(const struct bt__attention *a, float *buffer)
{
    if (!a->drop.threshold) return a->p;
    a->k->dropout(a->nq * a->n, a->p, &a->drop, a->pos, buffer);
    return buffer;
}

void bt__attention_forward(const struct bt__attention *a, float *out, int ldo)
{
    bt__gemm_nt(a->nq, a->n, a->d, a->q, a->ldq, a->key, a->ldkv, 0.0f, a->p, a->n);
    for (int i = 0; i < a->nq; i++) a->k->softmax(a->n, a->p + (size_t)i * (size_t)a->n, a->scale);
    bt__gemm_nn(a->nq, a->d, a->n, dropped(a, a->scratch), a->n, a->value, a->ldkv, 0.0f, out, ldo);
}

void bt__attention_backward(const struct bt__attention *a, const float *dout, int ldo, float *dq, int lddq,
                            float *dkey, float *dvalue, int lddkv)
{
    size_t size = (size_t)a->nq * (size_t)a->n;
    float *d = a->scratch;
    const float *p = dropped(a, a->scratch + size);
    bt__gemm_tn(a->n, a->d, a->nq, p, a->n, dout, ldo, 0.0f, dvalue, lddkv);
    bt__gemm_nt(a->nq, a->n, a->d, dout, ldo, a->value, a->ldkv, 0.0f, d, a->n);
    if (a->drop.threshold) a->k->dropout((int)size, d, &a->drop, a->pos, d);
    for (int i = 0; i < a->nq; i++) {
        size_t row = (size_t)i * (size_t)a->n;
        a->k->softmax_backward(a->n, a->p + row, d + row, a->scale);
    }
    bt__gemm_nn(a->nq, a->d, a->n, d, a->n, a->key, a->ldkv, 0.0f, dq, lddq);
    bt__gemm_tn(a->n, a->d, a->nq, d, a->n, a->q, a->ldq, 0.0f, dkey, lddkv);
}
