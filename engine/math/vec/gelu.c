/* Activations, forward and backward. GELU (Hendrycks & Gimpel 2016): x·Φ(x); its tanh form is the one of Google's code. */
#include "math/vec/vec.h"

#define FORWARD(name, expression)                                                                            \
    void VEC(name)(int rows, int cols, const float *pre, float *act, int ld);                                \
    void VEC(name)(int rows, int cols, const float *pre, float *act, int ld)                                 \
    {                                                                                                        \
        for (int r = 0; r < rows; r++, pre += ld, act += ld) {                                               \
            SIMD for (int j = 0; j < cols; j++)                                                              \
            {                                                                                                \
                float x = pre[j];                                                                            \
                act[j] = (expression);                                                                       \
            }                                                                                                \
        }                                                                                                    \
    }

#define BACKWARD(name, body)                                                                                 \
    void VEC(name##_backward)(int rows, int cols, const float *pre, float *act, float *d, int ld);           \
    void VEC(name##_backward)(int rows, int cols, const float *pre, float *act, float *d, int ld)            \
    {                                                                                                        \
        for (int r = 0; r < rows; r++, pre += ld, act += ld, d += ld) {                                      \
            SIMD for (int j = 0; j < cols; j++)                                                              \
            {                                                                                                \
                float x = pre[j], y, slope;                                                                  \
                body;                                                                                        \
                act[j] = y;                                                                                  \
                d[j] *= slope;                                                                               \
            }                                                                                                \
        }                                                                                                    \
    }

static inline float gelu_of(float x)
{
    float unused;
    return x * vphi(x, &unused);
}

static inline float gelu_slope(float x, float *y)
{
    float density, phi = vphi(x, &density);
    *y = x * phi;
    return phi + x * density * 0.39894228040143268f; /* Φ(x) + x·φ(x), φ = e^(−x²/2)/√(2π) */
}

static inline float tanh_inner(float x)
{
    return vtanh(0.79788456080286536f * (x + 0.044715f * x * x * x));
}

static inline float gelu_tanh_slope(float x, float *y)
{
    float t = tanh_inner(x);
    *y = 0.5f * x * (1.0f + t);
    return 0.5f * (1.0f + t) +
           0.5f * x * (1.0f - t * t) * 0.79788456080286536f * (1.0f + 3.0f * 0.044715f * x * x);
}

FORWARD(gelu, gelu_of(x))
FORWARD(gelu_tanh, 0.5f * x * (1.0f + tanh_inner(x)))
FORWARD(relu, x > 0.0f ? x : 0.0f)
BACKWARD(gelu, slope = gelu_slope(x, &y))
BACKWARD(gelu_tanh, slope = gelu_tanh_slope(x, &y))
BACKWARD(relu, slope = x > 0.0f ? 1.0f : 0.0f; y = x > 0.0f ? x : 0.0f)
