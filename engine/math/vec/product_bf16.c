/* Matrix products of bf16 (1 sign, 8 exponent, 7 fraction bits), summed in fp32: an element holds two steps of k, the even one low. A processor with
 * AVX512_BF16 multiplies pairs itself; for the others they become floats again. */
#include "math/vec/panels.h"

#include <string.h>

typedef uint32_t element __attribute__((may_alias));
typedef uint32_t elements __attribute__((vector_size(4 * LANES), may_alias, aligned(4)));

#ifdef __AVX512BF16__
#include <immintrin.h>

static inline vec multiply_add(vec sum, element a, elements b)
{
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}
#else
static inline vec multiply_add(vec sum, element a, elements b)
{
    sum += bits_to_float(a << 16) * (vec)(b << 16);
    return sum + bits_to_float(a & 0xffff0000u) * (vec)(b & 0xffff0000u);
}
#endif

#include "math/vec/tiles.def"

void VEC(pack_bf16)(int k, int cols, const float *b, int ldb, float *panels, int height);
void VEC(pack_transposed_bf16)(int k, int cols, const float *b, int ldb, float *panels);
void VEC(pack_left_bf16)(int k, int rows, const float *a, int lda, float *panels);
void VEC(pack_rows_bf16)(int k, int rows, const float *a, int lda, float *to, int ldto);
void VEC(product_bf16)(const struct bt__product *x);

#ifdef __AVX512BF16__
/* to[j] = the pair of x[j] and y[j] */
static inline void pair_rows(int n, const float *x, const float *y, element *to)
{
    const __m512i side_by_side = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                                  8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (int j = 0; j < n; j += LANES) {
        const __mmask16 m = (__mmask16)(n - j < LANES ? (1u << (n - j)) - 1u : 0xffffu);
        const __m512bh pair =
            _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(m, y + j), _mm512_maskz_loadu_ps(m, x + j));
        _mm512_mask_storeu_epi32(to + j, m, _mm512_permutexvar_epi16(side_by_side, (__m512i)pair));
    }
}

/* A row of k floats as pairs, behind an odd last one zero. */
static inline void pair_steps(int k, const float *x, element *to)
{
    int p = 0;
    for (; k - p >= 2 * LANES; p += 2 * LANES)
        _mm512_storeu_si512(
            to + p / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + p + LANES), _mm512_loadu_ps(x + p)));
    if (p == k) return;
    const int rest = k - p, low = rest < LANES ? rest : LANES, high = rest - low, pairs = (rest + 1) / 2;
    const __m512bh last =
        _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps((__mmask16)((1u << high) - 1u), x + p + low),
                            _mm512_maskz_loadu_ps((__mmask16)((1u << low) - 1u), x + p));
    _mm512_mask_storeu_epi32(to + p / 2, (__mmask16)((1u << pairs) - 1u), (__m512i)last);
}
#else
/* The upper half is the nearest bf16, of two equally near the even one; what is no number stays so. */
static inline uint32_t rounded(float x)
{
    uint32_t u;
    __builtin_memcpy(&u, &x, sizeof u);
    const uint32_t nearest = u + 0x7fffu + (u >> 16 & 1u);
    return (u & 0x7fffffffu) > 0x7f800000u ? u | 0x400000u : nearest;
}

static inline void pair_rows(int n, const float *x, const float *y, element *to)
{
    SIMD for (int j = 0; j < n; j++) to[j] = rounded(x[j]) >> 16 | (rounded(y[j]) & 0xffff0000u);
}

static inline void pair_steps(int k, const float *x, element *to)
{
    typedef uint16_t half __attribute__((may_alias));
    half *h = (half *)to;
    SIMD for (int p = 0; p < k; p++) h[p] = (uint16_t)(rounded(x[p]) >> 16);
    if (k % 2) h[k] = 0;
}
#endif

/* The last one of an odd number of rows has zeros beside it. */
static const float zeros[BT__PANEL_MOST];

void VEC(pack_bf16)(int k, int cols, const float *b, int ldb, float *panels, int height)
{
    const ptrdiff_t apart = (ptrdiff_t)height * WIDE;
    element *to = (element *)panels;
    for (int p = 0; p < k; p += 2, b += 2 * ldb, to += WIDE)
        for (int j = 0; j < cols; j += WIDE) {
            const float *next = p + 1 < k ? b + ldb + j : zeros;
            element *panel = to + j / WIDE * apart;
            if (cols - j >= WIDE) {
                pair_rows(WIDE, b + j, next, panel);
            } else {
                pair_rows(cols - j, b + j, next, panel);
                memset(panel + (cols - j), 0, sizeof *panel * (size_t)(WIDE - (cols - j)));
            }
        }
}

void VEC(pack_transposed_bf16)(int k, int cols, const float *b, int ldb, float *panels)
{
    enum { STEPS = 128 }; /* elements at a time */
    element block[WIDE * (STEPS + LINE)];
    const int height = (k + 1) / 2;
    for (int j = 0; j < cols; j += WIDE) {
        const int n = cols - j < WIDE ? cols - j : WIDE;
        for (int p = 0; p < height; p += STEPS) {
            const int steps = height - p < STEPS ? height - p : STEPS,
                      floats = k - 2 * p < 2 * steps ? k - 2 * p : 2 * steps;
            for (int i = 0; i < n; i++)
                pair_steps(floats, b + (ptrdiff_t)(j + i) * ldb + 2 * p, block + i * (STEPS + LINE));
            turn_panel(steps, n, (const word *)block, STEPS + LINE,
                       (word *)panels + (ptrdiff_t)j * height + (ptrdiff_t)p * WIDE);
        }
    }
}

void VEC(pack_left_bf16)(int k, int rows, const float *a, int lda, float *panels)
{
    const int height = (k + 1) / 2, whole = rows / TILE * TILE;
    element *to = (element *)panels;
    for (int p = 0; p < k; p += 2, a += 2 * (ptrdiff_t)lda, to += TILE) {
        for (int i = 0; i < whole; i += TILE)
            pair_rows(TILE, a + i, p + 1 < k ? a + i + lda : zeros, to + (ptrdiff_t)i * height);
        if (whole < rows)
            pair_rows(rows - whole, a + whole, p + 1 < k ? a + whole + lda : zeros,
                      to + (ptrdiff_t)whole * height);
    }
}

void VEC(pack_rows_bf16)(int k, int rows, const float *a, int lda, float *to, int ldto)
{
    for (int i = 0; i < rows; i++) pair_steps(k, a + (ptrdiff_t)i * lda, (element *)to + (ptrdiff_t)i * ldto);
}

void VEC(product_bf16)(const struct bt__product *x)
{
    multiply(x);
}
