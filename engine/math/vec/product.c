/* Matrix products from packed panels (the scheme of Goto & van de Geijn 2008): a tile of the result stays in registers while a row of the panel is
 * multiplied by an element of each row of the left operand. */
#include "math/vec/vec.h"

#include <stddef.h>
#include <string.h>

void VEC(pack)(int k, int cols, const float *b, int ldb, float *panels, int height);
void VEC(pack_transposed)(int k, int cols, const float *b, int ldb, float *panels);
void VEC(pack_left)(int k, int rows, const float *a, int lda, float *panels);
void VEC(product)(const struct bt__product *x);

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
    LINE = 16,             /* floats of a cache line */
    DEEP = 384,            /* steps while whose panel stays in the first-level cache */
    FAR = 512,             /* floats: rows so far apart, or a multiple of it, get in each other's way */
    NEAR = DEEP + LINE,
    NEAR_ROWS = 96
};

typedef float vec __attribute__((vector_size(4 * LANES), may_alias, aligned(4)));
typedef float four __attribute__((vector_size(16), may_alias, aligned(4)));

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

/* Four steps of four columns: to[p][j] = b[j][p]. */
static void turn(const float *b, ptrdiff_t ldb, float *to)
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
static void turn_panel(int k, int cols, const float *b, ptrdiff_t ldb, float *to)
{
    const int fours = cols / 4 * 4, steps = k / 4 * 4;
    for (int p = 0; p < steps; p += 4)
        for (int j = 0; j < fours; j += 4) turn(b + j * ldb + p, ldb, to + p * WIDE + j);
    for (int p = 0; p < k; p++)
        for (int j = p < steps ? fours : 0; j < WIDE; j++)
            to[p * WIDE + j] = j < cols ? b[j * ldb + p] : 0.0f;
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

/* The left operand's element of row i and step p is a[i·row + p·step]. */
struct left {
    const float *a;
    ptrdiff_t row, step;
};

/* c [m, v · LANES] = from + left · the first v vectors of panel [k, WIDE]; m and v are constants where this is used. Rows of a plain left operand
 * are too short for the processor to see them coming: those of the next tile are asked for meanwhile. */
static inline __attribute__((always_inline)) void tile(int m, int v, int k, struct left l, const float *panel,
                                                       const float *from, ptrdiff_t ldfrom, float *c,
                                                       ptrdiff_t ldc)
{
    vec sum[TILE * VECTORS], b[VECTORS];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < v; j++)
            sum[i * v + j] = from ? *(const vec *)(from + i * ldfrom + j * LANES) : (vec){0};
    for (int p = 0; p < k; p += LINE) {
        const int end = k - p < LINE ? k : p + LINE;
        for (int i = 0; i < m && l.step == 1; i++) __builtin_prefetch(l.a + (i + m) * l.row + p, 0, 2);
        for (int q = p; q < end; q++, panel += WIDE) {
            for (int j = 0; j < v; j++) b[j] = *(const vec *)(panel + j * LANES);
            for (int i = 0; i < m; i++) {
                const float a = l.a[i * l.row + q * l.step];
                for (int j = 0; j < v; j++) sum[i * v + j] += a * b[j];
            }
        }
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < v; j++) *(vec *)(c + i * ldc + j * LANES) = sum[i * v + j];
}

#if defined(__AVX512F__)
#define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        tile(n, VECTORS, k, l, panel, from, ldfrom, c, ldc);                                                 \
        break;

/* As tile() of the rows that are left. */
static void tile_of(int m, int k, struct left l, const float *panel, const float *from, ptrdiff_t ldfrom,
                    float *c, ptrdiff_t ldc)
{
    switch (m) {
        EACH_HEIGHT(CASE)
    default:
        break;
    }
}

/* TALL rows of the first vector of a panel. */
static void half_tile(int k, struct left l, const float *panel, const float *from, ptrdiff_t ldfrom, float *c,
                      ptrdiff_t ldc)
{
    tile(TALL, 1, k, l, panel, from, ldfrom, c, ldc);
}

/* As tile_of() of the first columns of a panel: whole vectors are neither read from `from` nor written to c behind them. m may be TALL if the columns
 * fit one vector. */
static void narrow_tile(int m, int cols, int k, struct left l, const float *panel, const float *from,
                        ptrdiff_t ldfrom, float *c, ptrdiff_t ldc)
{
    float start[TILE * WIDE] = {0}, end[TILE * WIDE];
    const int ld = m == TALL ? LANES : WIDE;
    for (int i = 0; from && i < m; i++)
        memcpy(start + i * ld, from + i * ldfrom, sizeof(float) * (size_t)cols);
    if (m == TALL)
        half_tile(k, l, panel, start, ld, end, ld);
    else
        tile_of(m, k, l, panel, start, ld, end, ld);
    for (int i = 0; i < m; i++) memcpy(c + i * ldc, end + i * ld, sizeof(float) * (size_t)cols);
}

/* Rows of the next tile: as many sums as fit the registers. A few rows wait for each other's sums: the last ones are halved instead. A packed left
 * operand has no choice. */
static int height_of(const struct bt__product *x, int cols, int rows)
{
    if (x->lda && cols <= LANES && rows >= TALL) return TALL;
    if (x->lda && rows > TILE && rows < 2 * TILE) return (rows + 1) / 2;
    return rows < TILE ? rows : TILE;
}

/* Steps [at, at + k) of a product, for one panel; a: the left operand from there on. */
static void panel_of(const struct bt__product *x, const float *a, int j, int at, int k)
{
    const int col = j * WIDE, cols = x->cols - col < WIDE ? x->cols - col : WIDE;
    const float *panel = x->panels + ((ptrdiff_t)j * x->height + at) * WIDE;
    const float *from = at ? x->c : x->from;
    const ptrdiff_t ldfrom = at ? x->ldc : x->ldfrom;
    for (int i = 0, m; i < x->rows; i += m) {
        m = height_of(x, cols, x->rows - i);
        const struct left packed = {.a = a + (ptrdiff_t)i * x->k, .row = 1, .step = TILE};
        const struct left plain = {.a = a + (ptrdiff_t)i * x->lda, .row = x->lda, .step = 1};
        const struct left l = x->lda ? plain : packed;
        const float *f = from ? from + i * ldfrom + col : NULL;
        float *c = x->c + (ptrdiff_t)i * x->ldc + col;
        if (cols == LANES && m == TALL)
            half_tile(k, l, panel, f, ldfrom, c, x->ldc);
        else if (cols < WIDE)
            narrow_tile(m, cols, k, l, panel, f, ldfrom, c, x->ldc);
        else if (m < TILE)
            tile_of(m, k, l, panel, f, ldfrom, c, x->ldc);
        else if (x->lda)
            tile(TILE, VECTORS, k, plain, panel, f, ldfrom, c, x->ldc);
        else
            tile(TILE, VECTORS, k, packed, panel, f, ldfrom, c, x->ldc);
    }
}

/* For all panels. */
static void part_of(const struct bt__product *x, const float *a, int at, int k)
{
    for (int j = 0; j * WIDE < x->cols; j++) panel_of(x, a, j, at, k);
}

/* As part_of() of rows that lie a multiple of 2 KiB apart: they and those asked for meanwhile fall into one or two of the first-level cache's
 * sets, and drive the panel out of it. Copies of them do not. */
static void part_of_apart(const struct bt__product *x, const float *a, int at, int k)
{
    float copy[NEAR_ROWS * NEAR];
    for (int i = 0; i < x->rows; i += NEAR_ROWS) {
        struct bt__product y = *x;
        y.rows = x->rows - i < NEAR_ROWS ? x->rows - i : NEAR_ROWS;
        for (int r = 0; r < y.rows; r++)
            memcpy(copy + r * NEAR, a + (ptrdiff_t)(i + r) * x->lda, sizeof(float) * (size_t)k);
        y.lda = NEAR;
        y.from = x->from ? x->from + (ptrdiff_t)i * x->ldfrom : NULL;
        y.c = x->c + (ptrdiff_t)i * x->ldc;
        part_of(&y, copy, at, k);
    }
}

void VEC(product)(const struct bt__product *x)
{
    const int parts = x->k > DEEP ? (x->k + DEEP - 1) / DEEP : 1;
    const int apart = x->lda && x->lda % FAR == 0 && x->cols > 2 * WIDE;
    for (int p = 0; p < parts; p++) {
        const int begin = (int)((long)x->k * p / parts), end = (int)((long)x->k * (p + 1) / parts);
        (apart ? part_of_apart : part_of)(x, x->a + (ptrdiff_t)begin * (x->lda ? 1 : TILE), begin,
                                          end - begin);
    }
}
