#include "math/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct bt__kernels bt__kernels_base;
#if defined(__x86_64__)
extern const struct bt__kernels bt__kernels_avx2, bt__kernels_avx512, bt__kernels_avx512bf16;
#endif

enum { HIGHEST = 3 };

/* What BERTTY_KERNELS allows: a rank; without it the highest. */
static int allowed(void)
{
    static const char *const names[] = {"base", "avx2", "avx512", "avx512bf16"};
    const char *wish = getenv("BERTTY_KERNELS");
    for (int i = 0; wish && i < HIGHEST; i++)
        if (strcmp(wish, names[i]) == 0) return i;
    return HIGHEST;
}

const struct bt__kernels *bt__kernels(void)
{
#if defined(__x86_64__)
    const int most = allowed();
    __builtin_cpu_init();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("fma");
    if (most >= HIGHEST && avx512 && __builtin_cpu_supports("avx512bf16")) return &bt__kernels_avx512bf16;
    if (most >= 2 && avx512) return &bt__kernels_avx512;
    if (most >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &bt__kernels_avx2;
#endif
    return &bt__kernels_base;
}

struct bt__dropout bt__dropout_make(double p, struct bt__rng key)
{
    double threshold = p > 0.0 ? rint(p * 0x1p24) : 0.0;
    return (struct bt__dropout){
        .key = key, .threshold = (uint32_t)threshold, .scale = (float)(1.0 / (1.0 - threshold * 0x1p-24))};
}
