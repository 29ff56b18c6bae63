/* The optimisers' updates. */
#include "math/vec/vec.h"

#include <math.h>

void VEC(adamw)(size_t n, float *w, const float *g, float *m, float *v, const struct bt__adamw *c);
void VEC(sgd)(size_t n, float *w, const float *g, float keep, float step);
void VEC(sgd_momentum)(size_t n, float *w, const float *g, float *m, const struct bt__sgd *c);
double VEC(add_squares)(size_t n, const float *x, float scale, float *sum);
double VEC(sumsq_product)(size_t n, const float *x, const float *y);
void VEC(shrink_subtract)(size_t n, float *w, const float *x, const float *y, float keep, float step);

void VEC(adamw)(size_t n, float *w, const float *g, float *m, float *v, const struct bt__adamw *c)
{
    const struct bt__adamw k = *c;
    SIMD for (size_t i = 0; i < n; i++)
    {
        float gi = g[i] * k.clip;
        float mi = k.beta1 * m[i] + (1.0f - k.beta1) * gi;
        float vi = k.beta2 * v[i] + (1.0f - k.beta2) * gi * gi;
        m[i] = mi;
        v[i] = vi;
        w[i] = w[i] * k.keep - k.step * mi / (sqrtf(vi) * k.root + k.epsilon);
    }
}

void VEC(sgd)(size_t n, float *w, const float *g, float keep, float step)
{
    SIMD for (size_t i = 0; i < n; i++) w[i] = w[i] * keep - step * g[i];
}

void VEC(sgd_momentum)(size_t n, float *w, const float *g, float *m, const struct bt__sgd *c)
{
    const struct bt__sgd k = *c;
    SIMD for (size_t i = 0; i < n; i++)
    {
        float mi = k.momentum * m[i] + (g[i] * k.clip + k.decay * w[i]);
        m[i] = mi;
        w[i] -= k.step * mi;
    }
}

double VEC(add_squares)(size_t n, const float *x, float scale, float *sum)
{
    double all = 0.0;
    _Pragma("omp simd reduction(+ : all)") for (size_t i = 0; i < n; i++)
    {
        float y = x[i] * scale, square = y * y;
        sum[i] += square;
        all += (double)square;
    }
    return all;
}

double VEC(sumsq_product)(size_t n, const float *x, const float *y)
{
    double sum = 0.0;
    _Pragma("omp simd reduction(+ : sum)") for (size_t i = 0; i < n; i++)
    {
        double z = (double)x[i] * (double)y[i];
        sum += z * z;
    }
    return sum;
}

void VEC(shrink_subtract)(size_t n, float *w, const float *x, const float *y, float keep, float step)
{
    SIMD for (size_t i = 0; i < n; i++) w[i] = w[i] * keep - step * x[i] * y[i];
}
