/* LayerNorm (Ba et al. 2016) with what surrounds it in BERT: bias, dropout and the residual connection. */
#include "math/vec/vec.h"

#include <math.h>

float VEC(norm)(int n, const float *x, const float *bias, const float *residual, const float *gamma,
                const float *beta, float eps, const struct bt__dropout *drop, uint32_t pos, float *xhat,
                float *y);
void VEC(norm_backward)(int n, const float *dy, const float *xhat, float rstd, const float *gamma,
                        const struct bt__dropout *drop, uint32_t pos, float *ds, float *dx);
void VEC(scale_shift)(int n, const float *xhat, const float *gamma, const float *beta, float *y);
void VEC(dropout)(int n, const float *x, const struct bt__dropout *drop, uint32_t pos, float *out);

static void gather(int n, const float *x, const float *bias, const float *residual,
                   const struct bt__dropout *drop, uint32_t pos, float *s)
{
    if (bias) {
        SIMD for (int j = 0; j < n; j++) s[j] = x[j] + bias[j];
    } else {
        SIMD for (int j = 0; j < n; j++) s[j] = x[j];
    }
    const struct bt__dropout d = *drop;
    if (d.threshold) {
        SIMD for (int j = 0; j < n; j++) s[j] *= vkeep(d, pos + (uint32_t)j);
    }
    if (residual) {
        SIMD for (int j = 0; j < n; j++) s[j] += residual[j];
    }
}

float VEC(norm)(int n, const float *x, const float *bias, const float *residual, const float *gamma,
                const float *beta, float eps, const struct bt__dropout *drop, uint32_t pos, float *xhat,
                float *y)
{
    float *s = xhat ? xhat : y;
    gather(n, x, bias, residual, drop, pos, s);
    float sum = 0.0f, var = 0.0f;
    _Pragma("omp simd reduction(+ : sum)") for (int j = 0; j < n; j++) sum += s[j];
    float mean = sum / (float)n;
    _Pragma("omp simd reduction(+ : var)") for (int j = 0; j < n; j++) var += (s[j] - mean) * (s[j] - mean);
    float rstd = 1.0f / sqrtf(var / (float)n + eps);
    SIMD for (int j = 0; j < n; j++) s[j] = (s[j] - mean) * rstd;
    if (y) {
        SIMD for (int j = 0; j < n; j++) y[j] = s[j] * gamma[j] + beta[j];
    }
    return rstd;
}

void VEC(norm_backward)(int n, const float *dy, const float *xhat, float rstd, const float *gamma,
                        const struct bt__dropout *drop, uint32_t pos, float *ds, float *dx)
{
    float sum = 0.0f, dot = 0.0f;
    _Pragma("omp simd reduction(+ : sum, dot)") for (int j = 0; j < n; j++)
    {
        float g = dy[j] * gamma[j];
        sum += g;
        dot += g * xhat[j];
    }
    float a = sum / (float)n, b = dot / (float)n;
    SIMD for (int j = 0; j < n; j++) ds[j] = rstd * (dy[j] * gamma[j] - a - xhat[j] * b);
    if (dx) VEC(dropout)(n, ds, drop, pos, dx);
}

void VEC(scale_shift)(int n, const float *xhat, const float *gamma, const float *beta, float *y)
{
    SIMD for (int j = 0; j < n; j++) y[j] = xhat[j] * gamma[j] + beta[j];
}

void VEC(dropout)(int n, const float *x, const struct bt__dropout *drop, uint32_t pos, float *out)
{
    const struct bt__dropout d = *drop;
    if (d.threshold) {
        SIMD for (int j = 0; j < n; j++) out[j] = x[j] * vkeep(d, pos + (uint32_t)j);
    } else if (out != x) {
        SIMD for (int j = 0; j < n; j++) out[j] = x[j];
    }
}
