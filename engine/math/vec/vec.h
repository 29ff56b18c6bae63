/* For the files of math/vec/ only: names by instruction set, and scalar functions that compilers turn into vectors.
 *
 * Each file is compiled several times with BT__ARCH = base, avx2, avx512. */
#ifndef BERTTY_MATH_VEC_H
#define BERTTY_MATH_VEC_H

#include "math/kernels.h"

#ifndef BT__ARCH
#define BT__ARCH base
#endif
#define BT__PASTE2(a, b) a##_##b
#define BT__PASTE(a, b)  BT__PASTE2(a, b)
#define VEC(name)        BT__PASTE(bt__vec_##name, BT__ARCH)

/* Columns of a packed panel: two vectors. */
#if defined(__AVX512F__)
enum { VEC_PANEL = 32 };
#elif defined(__AVX2__)
enum { VEC_PANEL = 16 };
#else
enum { VEC_PANEL = 8 };
#endif

#define SIMD _Pragma("omp simd")
/* A maximum over a loop, which clang makes vectors of only where there is no NaN, and says so at each compilation. */
#ifdef __clang__
#define SIMD_MAX(x)
#else
#define SIMD_MAX(x)     BT__PRAGMA(omp simd reduction(max : x))
#define BT__PRAGMA(...) _Pragma(#__VA_ARGS__)
#endif

static inline float bits_to_float(uint32_t u)
{
    float f;
    __builtin_memcpy(&f, &u, sizeof f);
    return f;
}

/* e^x; relative error ≤ 2e-7 on [−87, 88], clamped outside; NaN stays NaN. Cody–Waite reduction, degree-6 Taylor/minimax polynomial. */
static inline float vexp(float x)
{
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504088896341f + 12582912.0f; /* 1.5 × 2^23: rounds to an integer */
    float n = shifted - 12582912.0f;
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t u;
    __builtin_memcpy(&u, &shifted, sizeof u);
    return p * bits_to_float((u + 127u) << 23);
}

/* Φ(x), the normal distribution function, and e^(−x²/2) beside it; absolute error ≤ 2e-7.
 * erfc(z) = t·P(t)·e^(−z²), t = 1/(1 + 0.3275911 z) (the form of Abramowitz & Stegun 7.1.26; the seven coefficients are a minimax
 * fit of our own with absolute error 3.6e-9). */
static inline float vphi(float x, float *density)
{
    float z = (x < 0.0f ? -x : x) * 0.70710678118654752f;
    float e = vexp(-z * z);
    float t = 1.0f / (1.0f + 0.3275911f * z);
    float p = -0.2984554525511429f;
    p = p * t + 1.5048419505027768f;
    p = p * t - 2.085594182181037f;
    p = p * t + 2.040150077524276f;
    p = p * t - 0.7490933784606866f;
    p = p * t + 0.43111166210370855f;
    p = p * t + 0.15703932656065803f;
    float half_erfc = 0.5f * p * t * e;
    *density = e;
    return x < 0.0f ? half_erfc : 1.0f - half_erfc;
}

static inline float vtanh(float x)
{
    float z = x < 0.0f ? -x : x;
    float e = vexp(-2.0f * z);
    float t = (1.0f - e) / (1.0f + e);
    return x < 0.0f ? -t : t;
}

/* The factor of element pos: 0 or scale. By value: what is read through a pointer in a loop that writes floats keeps it from becoming vectors. */
static inline float vkeep(struct bt__dropout d, uint32_t pos)
{
    return (bt__rng_u32(d.key, pos) >> 8) < d.threshold ? 0.0f : d.scale;
}

#endif
