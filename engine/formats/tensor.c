#include "formats/tensor.h"

#include <string.h>

size_t bt__float_bytes(enum bt__dtype dtype)
{
    static const unsigned char bytes[] = {
        [BT__F32] = 4, [BT__F16] = 2, [BT__BF16] = 2, [BT__F64] = 8, [BT__OTHER] = 0};
    return bytes[dtype];
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float f = (float)fraction * 0x1p-24f; /* zero or subnormal */
    return sign ? -f : f;
}

void bt__floats_from(enum bt__dtype dtype, const void *from, size_t n, float *to)
{
    const unsigned char *p = from;
    if (dtype == BT__F32) {
        memcpy(to, p, n * sizeof *to);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        double wide;
        if (dtype == BT__F64) {
            memcpy(&wide, p + 8 * i, sizeof wide);
            to[i] = (float)wide;
            continue;
        }
        memcpy(&half, p + 2 * i, sizeof half);
        to[i] = dtype == BT__F16 ? from_half(half) : from_bits((uint32_t)half << 16);
    }
}

/* x − x is 0 for a finite x and NaN for the others. */
bool bt__all_finite(const float *x, size_t n)
{
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum += x[i] - x[i];
    return sum == 0.0f;
}
