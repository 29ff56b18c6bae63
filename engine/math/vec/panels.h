/* For the products of every precision: the sizes of their tiles, and panels of elements that are 4 bytes wide, whatever they hold. */
#ifndef BERTTY_MATH_PANELS_H
#define BERTTY_MATH_PANELS_H

#include "math/vec/vec.h"

#include <stddef.h>

#if defined(__AVX512F__)
enum { TILE = 12 };
#else
enum { TILE = 6 };
#endif
enum {
    VECTORS = 2,
    WIDE = VEC_PANEL,
    LANES = WIDE / VECTORS,
    TALL = TILE * VECTORS, /* rows of a tile that is one vector wide */
    LINE = 16,             /* elements of a cache line */
    SHARE = 4,             /* lines of a panel that a tile asks for */
    DEEP = 384,            /* steps while whose panel stays in the first-level cache */
    FAR = 512,             /* elements: rows so far apart, or a multiple of it, get in each other's way */
    NEAR = DEEP + LINE,
    NEAR_ROWS = 96
};

typedef float vec __attribute__((vector_size(4 * LANES), may_alias, aligned(4)));
typedef float four __attribute__((vector_size(16), may_alias, aligned(4)));
typedef float word __attribute__((may_alias));

/* Four steps of four columns: to[p][j] = b[j][p]. */
static inline void turn(const word *b, ptrdiff_t ldb, word *to)
{
    const four r0 = *(const four *)b, r1 = *(const four *)(b + ldb), r2 = *(const four *)(b + 2 * ldb),
               r3 = *(const four *)(b + 3 * ldb);
    const four a0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5),
               a1 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7),
               a2 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5),
               a3 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(a0, a2, 0, 1, 4, 5);
    *(four *)(to + WIDE) = __builtin_shufflevector(a0, a2, 2, 3, 6, 7);
    *(four *)(to + 2 * WIDE) = __builtin_shufflevector(a1, a3, 0, 1, 4, 5);
    *(four *)(to + 3 * WIDE) = __builtin_shufflevector(a1, a3, 2, 3, 6, 7);
}

/* One panel: to[p][j] = b[j][p]. */
static inline void turn_panel(int k, int cols, const word *b, ptrdiff_t ldb, word *to)
{
    const int fours = cols / 4 * 4, steps = k / 4 * 4;
    for (int p = 0; p < steps; p += 4)
        for (int j = 0; j < fours; j += 4) turn(b + j * ldb + p, ldb, to + p * WIDE + j);
    for (int p = 0; p < k; p++)
        for (int j = p < steps ? fours : 0; j < WIDE; j++)
            to[p * WIDE + j] = j < cols ? b[j * ldb + p] : 0.0f;
}

#endif
