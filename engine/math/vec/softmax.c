/* Softmax of attention scores, forward and backward; exponentials for a softmax in parts. */
#include "math/vec/vec.h"

void VEC(softmax)(int n, float *s, float scale);
float VEC(exps)(int n, float *x, float shift);
void VEC(softmax_backward)(int n, const float *p, float *d, float scale);

void VEC(softmax)(int n, float *s, float scale)
{
    float top = s[0], sum = 0.0f;
    SIMD_MAX(top) for (int j = 0; j < n; j++) top = s[j] > top ? s[j] : top;
    _Pragma("omp simd reduction(+ : sum)") for (int j = 0; j < n; j++)
    {
        float e = vexp((s[j] - top) * scale);
        s[j] = e;
        sum += e;
    }
    float inverse = 1.0f / sum;
    SIMD for (int j = 0; j < n; j++) s[j] *= inverse;
}

void VEC(softmax_backward)(int n, const float *p, float *d, float scale)
{
    float dot = 0.0f;
    _Pragma("omp simd reduction(+ : dot)") for (int j = 0; j < n; j++) dot += p[j] * d[j];
    SIMD for (int j = 0; j < n; j++) d[j] = p[j] * (d[j] - dot) * scale;
}

float VEC(exps)(int n, float *x, float shift)
{
    float sum = 0.0f;
    _Pragma("omp simd reduction(+ : sum)") for (int j = 0; j < n; j++)
    {
        float e = vexp(x[j] - shift);
        x[j] = e;
        sum += e;
    }
    return sum;
}
