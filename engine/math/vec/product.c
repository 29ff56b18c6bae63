/* Matrix products in fp32: an element is a float, a step one of k. */
#include "math/vec/panels.h"

#include <string.h>

typedef word element;
typedef vec elements;

static inline vec multiply_add(vec sum, element a, elements b)
{
    return sum + a * b;
}

#include "math/vec/tiles.def"

void VEC(pack)(int k, int cols, const float *b, int ldb, float *panels, int height);
void VEC(pack_transposed)(int k, int cols, const float *b, int ldb, float *panels);
void VEC(pack_left)(int k, int rows, const float *a, int lda, float *panels);
void VEC(product)(const struct bt__product *x);

void VEC(pack)(int k, int cols, const float *b, int ldb, float *panels, int height)
{
    const int whole = cols / WIDE, rest = cols % WIDE;
    const ptrdiff_t apart = (ptrdiff_t)height * WIDE;
    for (int p = 0; p < k; p++, b += ldb, panels += WIDE) {
        for (int j = 0; j < whole; j++) memcpy(panels + j * apart, b + j * WIDE, sizeof(float) * WIDE);
        for (int j = 0; rest && j < WIDE; j++)
            panels[whole * apart + j] = j < rest ? b[whole * WIDE + j] : 0.0f;
    }
}

void VEC(pack_transposed)(int k, int cols, const float *b, int ldb, float *panels)
{
    for (int j = 0; j < cols; j += WIDE)
        turn_panel(k, cols - j < WIDE ? cols - j : WIDE, b + (ptrdiff_t)j * ldb, ldb,
                   panels + (ptrdiff_t)j * k);
}

void VEC(pack_left)(int k, int rows, const float *a, int lda, float *panels)
{
    const int whole = rows / TILE, rest = rows % TILE;
    const ptrdiff_t height = (ptrdiff_t)k * TILE;
    for (int p = 0; p < k; p++, a += lda, panels += TILE) {
        for (int i = 0; i < whole; i++) memcpy(panels + i * height, a + i * TILE, sizeof(float) * TILE);
        for (int i = 0; i < rest; i++) panels[whole * height + i] = a[whole * TILE + i];
    }
}

void VEC(product)(const struct bt__product *x)
{
    multiply(x);
}
