/* Every vector kernel of every instruction set that this CPU has, against the same formula in double. */
#include "math/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 401 }; /* no multiple of any vector length */

/* Largest error allowed: absolute, and relative to |x| for the activations of |x| > 1. */
static const double gelu_error = 6e-7, slope_error = 6e-7, norm_error = 2e-6, softmax_error = 3e-7,
                    adam_error = 2e-6;

static const char *const sets[] = {"base", "avx2", "avx512", "avx512bf16"};

/* Runs check for each instruction set; a set that the CPU lacks falls back to a lower one, which is checked again. */
static void for_each_set(void (*check)(const struct bt__kernels *k))
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        setenv("BERTTY_KERNELS", sets[i], 1);
        check(bt__kernels());
    }
    unsetenv("BERTTY_KERNELS");
}

static float value(int i)
{
    return ((float)((i * 7919) % 2003) / 2003.0f - 0.5f) * 12.0f; /* −6 … 6 */
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2.0));
}

static double gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-0.5 * x * x) / sqrt(2.0 * 3.14159265358979323846);
}

static double gelu_tanh(double x)
{
    return 0.5 * x * (1.0 + tanh(sqrt(2.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

static double relu(double x)
{
    return x > 0.0 ? x : 0.0;
}

static double relu_slope(double x)
{
    return x > 0.0 ? 1.0 : 0.0;
}

static double gelu_tanh_slope(double x)
{
    return (gelu_tanh(x + 1e-5) - gelu_tanh(x - 1e-5)) / 2e-5;
}

typedef void forward_fn(int rows, int cols, const float *pre, float *act, int ld);
typedef void backward_fn(int rows, int cols, const float *pre, float *act, float *d, int ld);

static void check_act(forward_fn *forward, backward_fn *backward, double (*f)(double),
                      double (*slope)(double))
{
    float pre[2 * N], act[2 * N], again[2 * N], d[2 * N];
    for (int i = 0; i < 2 * N; i++) pre[i] = value(i);
    forward(2, N - 3, pre, act, N);
    memcpy(d, pre, sizeof d);
    for (int i = 0; i < 2 * N; i++) d[i] = 1.0f + 0.1f * value(i + 3);
    backward(2, N - 3, pre, again, d, N);
    for (int r = 0; r < 2; r++)
        for (int j = 0; j < N - 3; j++) {
            int i = r * N + j;
            double scale = fmax(1.0, fabs((double)pre[i]));
            assert_true(fabs((double)act[i] - f((double)pre[i])) < gelu_error * scale);
            assert_true(fabs((double)again[i] - f((double)pre[i])) < gelu_error * scale);
            double want = slope((double)pre[i]) * (double)(1.0f + 0.1f * value(i + 3));
            assert_true(fabs((double)d[i] - want) < 2 * slope_error * scale);
        }
}

static void check_acts(const struct bt__kernels *k)
{
    check_act(k->gelu, k->gelu_backward, gelu, gelu_slope);
    check_act(k->gelu_tanh, k->gelu_tanh_backward, gelu_tanh, gelu_tanh_slope);
    check_act(k->relu, k->relu_backward, relu, relu_slope);
}

static void check_gelu_everywhere(const struct bt__kernels *k)
{
    float pre[16], act[16];
    for (float x = -40.0f; x < 40.0f; x += 0.0037f) {
        for (int i = 0; i < 16; i++) pre[i] = x;
        k->gelu(1, 16, pre, act, 16);
        assert_true(fabs((double)act[7] - gelu((double)x)) <= gelu_error * fmax(1.0, fabs((double)x)));
    }
    pre[0] = NAN;
    k->gelu(1, 16, pre, act, 16);
    assert_true(isnan(act[0]));
}

/* ── products from panels ── */

enum { MOST_ROWS = 29, MOST_COLS = 75, MOST_K = 530, GAP = 3 };

struct operands {
    float a[MOST_ROWS * (MOST_K + GAP)], left[MOST_K * (MOST_ROWS + GAP)];
    float b[MOST_K * (MOST_COLS + GAP)], turned[MOST_COLS * (MOST_K + GAP)];
    float from[MOST_ROWS * (MOST_COLS + GAP)], c[MOST_ROWS * (MOST_COLS + GAP)],
        again[MOST_ROWS * (MOST_COLS + GAP)];
    float panels[(MOST_COLS + BT__PANEL_MOST) * MOST_K], packed[(MOST_ROWS + BT__LEFT_MOST) * MOST_K],
        rows[MOST_ROWS * MOST_K];
};

static void fill_operands(struct operands *o, int rows, int cols, int k)
{
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < k; p++)
            o->a[i * (k + GAP) + p] = o->left[p * (rows + GAP) + i] = value(7 * i + 3 * p);
    for (int p = 0; p < k; p++)
        for (int j = 0; j < cols; j++)
            o->b[p * (cols + GAP) + j] = o->turned[j * (k + GAP) + p] = value(5 * p + 11 * j + 2);
    for (int i = 0; i < rows * (cols + GAP); i++) o->from[i] = value(i + 1);
    for (int i = 0; i < rows * (cols + GAP); i++) o->c[i] = o->again[i] = 77.0f;
}

/* x as an operand of this precision has it: bf16 keeps eight significant bits. */
static double operand(const struct bt__products *by, float x)
{
    int exponent;
    const double fraction = frexp((double)x, &exponent);
    return by->steps == 1 ? (double)x : ldexp(rint(ldexp(fraction, 8)), exponent - 8);
}

/* The left operand as product() wants it: the rows themselves, or o->rows. */
static void plain_left(const struct bt__products *by, struct operands *o, int rows, struct bt__product *x,
                       int k)
{
    x->a = o->a;
    x->lda = k + GAP;
    if (!by->pack_rows) return;
    by->pack_rows(k, rows, o->a, k + GAP, o->rows, bt__packed(by, k));
    x->a = o->rows;
    x->lda = bt__packed(by, k);
}

/* Against sums in double; nothing outside c is written; both ways to pack either operand give the same bits, and so does a row alone. */
static void check_product_of(const struct bt__products *by, struct operands *o, int rows, int cols, int depth)
{
    const int packed = bt__packed(by, depth), piece = 3 * by->steps;
    fill_operands(o, rows, cols, depth);
    struct bt__product x = {.rows = rows,
                            .cols = cols,
                            .k = packed,
                            .panels = o->panels,
                            .height = packed,
                            .from = o->from,
                            .ldfrom = cols + GAP,
                            .c = o->c,
                            .ldc = cols + GAP};
    plain_left(by, o, rows, &x, depth);
    const float *plain = x.a;
    const int lda = x.lda;
    by->pack_transposed(depth, cols, o->turned, depth + GAP, o->panels);
    by->product(&x);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols + GAP; j++) {
            double want = (double)o->from[i * x.ldc + j];
            for (int p = 0; p < depth && j < cols; p++)
                want += operand(by, o->a[i * (depth + GAP) + p]) * operand(by, o->b[p * (cols + GAP) + j]);
            if (j >= cols) want = 77.0;
            assert_true(fabs((double)o->c[i * x.ldc + j] - want) <= 4e-6 * (depth + 1));
        }
    memset(o->panels, 0x7f, sizeof o->panels);
    for (int p = 0; p < depth; p += piece)
        by->pack(depth - p < piece ? depth - p : piece, cols, o->b + p * (cols + GAP), cols + GAP,
                 o->panels + p / by->steps * by->panel, packed);
    by->pack_left(depth, rows, o->left, rows + GAP, o->packed);
    x.a = o->packed;
    x.lda = 0;
    x.c = o->again;
    memcpy(o->again, o->from, sizeof(float) * (size_t)(rows * (cols + GAP)));
    x.from = o->again;
    by->product(&x);
    x.rows = 1;
    x.lda = lda;
    for (int i = 0; i < rows; i++) {
        assert_memory_equal(o->again + i * x.ldc, o->c + i * x.ldc, sizeof(float) * (size_t)cols);
        x.a = plain + i * lda;
        x.from = o->from + i * x.ldfrom;
        x.c = o->again + i * x.ldc;
        by->product(&x);
        assert_memory_equal(o->again + i * x.ldc, o->c + i * x.ldc, sizeof(float) * (size_t)cols);
    }
}

/* Halves and their neighbours go to the even side, infinities stay, what is too large becomes one, what is no number stays none. */
static void check_rounding(const struct bt__kernels *k)
{
    static const struct {
        float x;
        uint16_t bf16;
    } cases[] = {{1.0f, 0x3f80},          {-2.0f, 0xc000},           {0x1.01p0f, 0x3f80}, {0x1.03p0f, 0x3f82},
                 {0x1.010002p0f, 0x3f81}, {0x1.feffp0f, 0x3fff},     {0x1.ffp0f, 0x4000}, {INFINITY, 0x7f80},
                 {-INFINITY, 0xff80},     {0x1.fffffep127f, 0x7f80}, {0.0f, 0},           {-0.0f, 0x8000}};
    enum { CASES = sizeof cases / sizeof *cases };
    float x[CASES + 1], to[CASES];
    uint16_t half[2 * CASES];
    for (int i = 0; i < CASES; i++) x[i] = cases[i].x;
    x[CASES] = NAN;
    k->bf16.pack_rows(CASES + 1, 1, x, 0, to, 0);
    memcpy(half, to, sizeof(uint16_t) * (CASES + 2));
    for (int i = 0; i < CASES; i++) assert_int_equal(half[i], cases[i].bf16);
    assert_true((half[CASES] & 0x7f80) == 0x7f80 && (half[CASES] & 0x7f));
    assert_int_equal(half[CASES + 1], 0); /* beside an odd last one */
    /* the product of what is no number is none */
    struct bt__product p = {
        .rows = 1, .cols = 1, .k = 1, .a = to + CASES / 2, .lda = 1, .height = 1, .ldc = 1};
    float one = 1.0f, panels[BT__PANEL_MOST], c[1];
    k->bf16.pack(1, 1, &one, 1, panels, 1);
    p.panels = panels;
    p.c = c;
    k->bf16.product(&p);
    assert_true(isnan(c[0]));
}

/* Rows that lie a multiple of 2 KiB apart are read from copies: the same bits as of rows that do not. */
static void check_far_rows(const struct bt__products *k, struct operands *o)
{
    enum { ROWS = 2 * 96 + 5, COLS = 40, K = 397, FAR = 1024 };
    const int steps = K * k->steps;
    float *far = malloc(sizeof *far * ROWS * FAR), *near = malloc(sizeof *near * ROWS * 2 * K),
          *packed = NULL;
    float *from = malloc(sizeof *from * ROWS * COLS), *c = malloc(sizeof *c * 2 * ROWS * COLS);
    assert_true(far && near && from && c);
    for (int i = 0; i < ROWS * steps; i++) near[i] = value(7 * (i / steps) + 3 * (i % steps));
    if (k->pack_rows) {
        packed = malloc(sizeof *packed * ROWS * K);
        assert_non_null(packed);
        k->pack_rows(steps, ROWS, near, steps, packed, K);
    }
    for (int i = 0; i < ROWS; i++) memcpy(far + i * FAR, (packed ? packed : near) + i * K, sizeof *far * K);
    for (int i = 0; i < ROWS * COLS; i++) from[i] = value(i + 1);
    for (int i = 0; i < COLS * steps; i++) o->turned[i] = value(5 * i + 2);
    k->pack_transposed(steps, COLS, o->turned, steps, o->panels);
    for (int one = 0; one < 2; one++) { /* one row for all */
        struct bt__product x = {.rows = ROWS,
                                .cols = COLS,
                                .k = K,
                                .a = packed ? packed : near,
                                .lda = K,
                                .panels = o->panels,
                                .height = K,
                                .from = from,
                                .ldfrom = one ? 0 : COLS,
                                .c = c,
                                .ldc = COLS};
        k->product(&x);
        x.a = far;
        x.lda = FAR;
        x.c = c + ROWS * COLS;
        k->product(&x);
        assert_memory_equal(c, c + ROWS * COLS, sizeof *c * ROWS * COLS);
    }
    free(far);
    free(packed);
    free(near);
    free(from);
    free(c);
}

static void check_products(const struct bt__products *k)
{
    struct operands *o = malloc(sizeof *o);
    assert_non_null(o);
    assert_true(k->panel <= BT__PANEL_MOST && BT__PANEL_MOST % k->panel == 0);
    for (int rows = 1; rows <= MOST_ROWS; rows++)
        for (int cols = 1; cols <= 40; cols += cols < 34 ? 1 : 3) check_product_of(k, o, rows, cols, 6);
    static const int depths[] = {0, 1, 3, 4, 5, 255, 256, 257, 513, MOST_K};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        check_product_of(k, o, 13, MOST_COLS, depths[i]);
    check_far_rows(k, o);
    /* one row for all; none */
    struct bt__product x = {
        .rows = 3, .cols = 5, .panels = o->panels, .a = o->a, .lda = 1, .c = o->c, .ldc = 5};
    for (int i = 0; i < 2; i++) {
        x.from = i ? NULL : o->from;
        k->product(&x);
        for (int j = 0; j < 15; j++) assert_true(o->c[j] == (i ? 0.0f : o->from[j % 5]));
    }
    free(o);
}

static void check_product(const struct bt__kernels *k)
{
    check_products(&k->fp32);
    check_products(&k->bf16);
}

static void check_exps(const struct bt__kernels *k)
{
    float x[N];
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        x[i] = 5.0f * value(i);
        sum += exp((double)x[i] - 7.0);
    }
    assert_true(fabs((double)k->exps(N, x, 7.0f) / sum - 1.0) < 1e-6);
    for (int i = 0; i < N; i++) {
        double want = exp(5.0 * (double)value(i) - 7.0);
        assert_true(fabs((double)x[i] - want) < 3e-6 * want);
    }
    float bad[3] = {0.0f, NAN, 1.0f};
    assert_true(isnan(k->exps(3, bad, 1.0f)) && isnan(bad[1]));
}

static void check_softmax(const struct bt__kernels *k)
{
    float s[N], d[N];
    double sum = 0.0, top = -1e9, dot = 0.0;
    for (int i = 0; i < N; i++) {
        s[i] = 5.0f * value(i);
        d[i] = value(i + 9);
        if ((double)s[i] > top) top = (double)s[i];
    }
    for (int i = 0; i < N; i++) sum += exp(((double)s[i] - top) * 0.3);
    double p[N];
    for (int i = 0; i < N; i++) p[i] = exp(((double)s[i] - top) * 0.3) / sum;
    k->softmax(N, s, 0.3f);
    for (int i = 0; i < N; i++) assert_true(fabs((double)s[i] - p[i]) < softmax_error);
    for (int i = 0; i < N; i++) dot += p[i] * (double)value(i + 9);
    k->softmax_backward(N, s, d, 0.3f);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)d[i] - p[i] * ((double)value(i + 9) - dot) * 0.3) < 3 * softmax_error);
    float bad[3] = {0.0f, NAN, 1.0f};
    k->softmax(3, bad, 1.0f);
    assert_true(isnan(bad[0]) || isnan(bad[1]));
}

static void check_norm(const struct bt__kernels *k)
{
    float x[N], bias[N], res[N], gamma[N], beta[N], xhat[N], y[N];
    struct bt__dropout none = bt__dropout_make(0.0, bt__rng_key(1, 2, 3));
    double s[N], mean = 0.0, var = 0.0;
    for (int i = 0; i < N; i++) {
        x[i] = value(i);
        bias[i] = value(i + 1);
        res[i] = value(i + 2);
        gamma[i] = 1.0f + 0.1f * value(i + 3);
        beta[i] = value(i + 4);
        s[i] = (double)x[i] + (double)bias[i] + (double)res[i];
        mean += s[i] / N;
    }
    for (int i = 0; i < N; i++) var += (s[i] - mean) * (s[i] - mean) / N;
    float rstd = k->norm(N, x, bias, res, gamma, beta, 1e-12f, &none, 0, xhat, y);
    assert_true(fabs((double)rstd * sqrt(var) - 1.0) < norm_error);
    for (int i = 0; i < N; i++) {
        double h = (s[i] - mean) / sqrt(var);
        assert_true(fabs((double)xhat[i] - h) < norm_error * 3);
        assert_true(fabs((double)y[i] - (h * (double)gamma[i] + (double)beta[i])) < norm_error * 5);
    }
}

/* As many elements dropped as asked for, the rest scaled, the same whatever the cut into calls. */
static void check_dropout(const struct bt__kernels *k)
{
    enum { MANY = 100000 };
    float *x = malloc(MANY * sizeof *x), *y = malloc(MANY * sizeof *y), *z = malloc(MANY * sizeof *z);
    assert_true(x && y && z);
    struct bt__dropout drop = bt__dropout_make(0.1, bt__rng_key(42, 3, 7));
    for (int i = 0; i < MANY; i++) x[i] = 1.0f;
    k->dropout(MANY, x, &drop, 1000, y);
    int dropped = 0;
    for (int i = 0; i < MANY; i++) {
        dropped += y[i] == 0.0f;
        assert_true(y[i] == 0.0f || fabs((double)y[i] - 1.0 / 0.9) < 1e-6);
    }
    assert_true(abs(dropped - MANY / 10) < 400); /* four standard deviations */
    for (int i = 0; i < MANY; i += 37)
        k->dropout(i + 37 < MANY ? 37 : MANY - i, x + i, &drop, 1000 + (uint32_t)i, z + i);
    assert_memory_equal(y, z, MANY * sizeof *y);
    free(x);
    free(y);
    free(z);
}

/* PyTorch's AdamW, three steps, in double. */
static void check_adamw(const struct bt__kernels *k)
{
    float w[N], m[N] = {0}, v[N] = {0}, g[N];
    double dw[N], dm[N] = {0}, dv[N] = {0};
    for (int i = 0; i < N; i++) dw[i] = (double)(w[i] = value(i));
    for (int t = 1; t <= 3; t++) {
        double c1 = 1.0 - pow(0.9, t), c2 = 1.0 - pow(0.999, t), lr = 1e-2;
        struct bt__adamw c = {.clip = 0.5f,
                              .beta1 = 0.9f,
                              .beta2 = 0.999f,
                              .epsilon = 1e-6f,
                              .step = (float)(lr / c1),
                              .root = (float)(1.0 / sqrt(c2)),
                              .keep = (float)(1.0 - lr * 0.01)};
        for (int i = 0; i < N; i++) g[i] = value(i * t + 11);
        k->adamw(N, w, g, m, v, &c);
        for (int i = 0; i < N; i++) {
            double gi = 0.5 * (double)g[i];
            dw[i] *= 1.0 - lr * 0.01;
            dm[i] = 0.9 * dm[i] + 0.1 * gi;
            dv[i] = 0.999 * dv[i] + 0.001 * gi * gi;
            dw[i] -= lr / c1 * dm[i] / (sqrt(dv[i]) / sqrt(c2) + 1e-6);
            assert_true(fabs((double)w[i] - dw[i]) < adam_error * t);
        }
    }
}

/* What the optimiser leaves out for words without a gradient: the whole formula with zeros is the decay alone, bit for bit. */
static void check_decay(const struct bt__kernels *k)
{
    float w[N], u[N], zero[N] = {0.0f}, m[N] = {0.0f}, v[N] = {0.0f};
    struct bt__adamw c = {.clip = 0.5f,
                          .beta1 = 0.9f,
                          .beta2 = 0.999f,
                          .epsilon = 1e-6f,
                          .step = 1e-3f,
                          .root = 3.0f,
                          .keep = 0.99999f};
    for (int i = 0; i < N; i++) w[i] = u[i] = value(i);
    k->adamw(N, w, zero, m, v, &c);
    k->scale(N, u, c.keep);
    assert_memory_equal(w, u, sizeof w);
    for (int i = 0; i < N; i++) assert_true(m[i] == 0.0f && v[i] == 0.0f);
}

static void check_sgd(const struct bt__kernels *k)
{
    float w[N], u[N], v[N], m[N], g[N], y[N], zero[N] = {0.0f};
    const struct bt__sgd c = {.clip = 0.5f, .decay = 0.1f, .momentum = 0.9f, .step = 0.01f};
    for (int i = 0; i < N; i++) {
        w[i] = u[i] = v[i] = value(i);
        g[i] = value(i + 3);
        m[i] = value(i + 7);
        y[i] = value(i + 9);
    }
    k->sgd(N, w, g, 0.99f, 0.02f);
    k->sgd_momentum(N, u, g, m, &c);
    k->shrink_subtract(N, v, g, y, 0.99f, 0.02f);
    for (int i = 0; i < N; i++) {
        double at = (double)value(i), gi = (double)g[i];
        double mi = 0.9 * (double)value(i + 7) + 0.5 * gi + 0.1 * at;
        assert_true(fabs((double)w[i] - (0.99 * at - 0.02 * gi)) < adam_error);
        assert_true(fabs((double)m[i] - mi) < adam_error);
        assert_true(fabs((double)u[i] - (at - 0.01 * mi)) < adam_error);
        assert_true(fabs((double)v[i] - (0.99 * at - 0.02 * gi * (double)y[i])) < adam_error);
        u[i] = w[i];
    }
    k->sgd(N, w, zero, 0.99f, 0.02f); /* of a word without a gradient only the decay is left */
    k->scale(N, u, 0.99f);
    assert_memory_equal(w, u, sizeof w);
}

static void check_squares(const struct bt__kernels *k)
{
    float x[N], y[N], sum[N];
    double all = 0.0, product = 0.0;
    for (int i = 0; i < N; i++) {
        x[i] = value(i);
        y[i] = value(i + 2);
        sum[i] = 1.0f;
        all += 0.25 * (double)x[i] * (double)x[i];
        product += (double)x[i] * (double)y[i] * (double)x[i] * (double)y[i];
    }
    assert_true(fabs(k->add_squares(N, x, 0.5f, sum) - all) < 1e-6 * all);
    assert_true(fabs(k->sumsq_product(N, x, y) - product) < 1e-8 * product);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)sum[i] - (1.0 + 0.25 * (double)x[i] * (double)x[i])) < adam_error);
}

static void check_sums(const struct bt__kernels *k)
{
    float a[3 * N], b[3 * N], sum[N], dot[N], c[N];
    double want = 0.0;
    for (int i = 0; i < 3 * N; i++) {
        a[i] = value(i);
        b[i] = value(i + 1);
        want += (double)a[i] * (double)a[i];
    }
    assert_true(fabs(k->sumsq(3 * N, a) - want) < 1e-8 * want);
    k->colsum(3, N, a, N, c);
    k->colsum_dot(3, N, a, b, N, sum, dot);
    for (int j = 0; j < N; j++) {
        assert_true(fabs((double)sum[j] - ((double)a[j] + (double)a[N + j] + (double)a[2 * N + j])) < 1e-5);
        assert_true(sum[j] == c[j]);
        double d = (double)a[j] * (double)b[j] + (double)a[N + j] * (double)b[N + j] +
                   (double)a[2 * N + j] * (double)b[2 * N + j];
        assert_true(fabs((double)dot[j] - d) < 2e-5);
    }
    a[5] = INFINITY;
    assert_true(isinf(k->sumsq(N, a)));
    a[5] = NAN;
    assert_true(isnan(k->sumsq(N, a)));
}

#define TEST(name, check)                                                                                    \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        for_each_set(check);                                                                                 \
    }
TEST(activations, check_acts)
TEST(gelu_everywhere, check_gelu_everywhere)
TEST(product, check_product)
TEST(rounding, check_rounding)
TEST(exps, check_exps)
TEST(softmax, check_softmax)
TEST(norm, check_norm)
TEST(dropout, check_dropout)
TEST(adamw, check_adamw)
TEST(decay, check_decay)
TEST(sgd, check_sgd)
TEST(squares, check_squares)
TEST(sums, check_sums)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(activations), cmocka_unit_test(gelu_everywhere),
                                       cmocka_unit_test(product),     cmocka_unit_test(rounding),
                                       cmocka_unit_test(exps),        cmocka_unit_test(softmax),
                                       cmocka_unit_test(norm),        cmocka_unit_test(dropout),
                                       cmocka_unit_test(adamw),       cmocka_unit_test(decay),
                                       cmocka_unit_test(sgd),         cmocka_unit_test(squares),
                                       cmocka_unit_test(sums)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
