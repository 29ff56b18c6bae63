/* Sums over rows, sums of squares. */
#include "math/vec/vec.h"

void VEC(colsum)(int rows, int cols, const float *x, int ld, float *sum);
void VEC(colsum_dot)(int rows, int cols, const float *x, const float *xhat, int ld, float *sum, float *dot);
void VEC(add)(size_t n, float *dst, const float *src);
void VEC(sum4)(size_t n, float *dst, const float *a, const float *b, const float *c, const float *d);
double VEC(sumsq)(size_t n, const float *x);
void VEC(scale)(size_t n, float *x, float factor);

void VEC(colsum)(int rows, int cols, const float *x, int ld, float *sum)
{
    for (int j = 0; j < cols; j++) sum[j] = 0.0f;
    for (int r = 0; r < rows; r++, x += ld) {
        SIMD for (int j = 0; j < cols; j++) sum[j] += x[j];
    }
}

void VEC(colsum_dot)(int rows, int cols, const float *x, const float *xhat, int ld, float *sum, float *dot)
{
    for (int j = 0; j < cols; j++) sum[j] = dot[j] = 0.0f;
    for (int r = 0; r < rows; r++, x += ld, xhat += ld) {
        SIMD for (int j = 0; j < cols; j++)
        {
            sum[j] += x[j];
            dot[j] += x[j] * xhat[j];
        }
    }
}

void VEC(add)(size_t n, float *dst, const float *src)
{
    SIMD for (size_t i = 0; i < n; i++) dst[i] += src[i];
}

void VEC(sum4)(size_t n, float *dst, const float *a, const float *b, const float *c, const float *d)
{
    SIMD for (size_t i = 0; i < n; i++) dst[i] = (a[i] + b[i]) + (c[i] + d[i]);
}

double VEC(sumsq)(size_t n, const float *x)
{
    double sum = 0.0;
    _Pragma("omp simd reduction(+ : sum)") for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

void VEC(scale)(size_t n, float *x, float factor)
{
    SIMD for (size_t i = 0; i < n; i++) x[i] *= factor;
}
