/* The share of the machine's matrix-product rate that a whole forward and backward pass reaches.
 *
 *     bench_step [hidden layers heads intermediate] [threads] [rows of a batch] [1: layers are computed again] [1: bf16]
 *
 * Random weights, a batch of sentences of mixed lengths; floating-point operations are counted from the shapes that are really
 * multiplied; the reference is one thread's product of 192 × 768 × 768, times the threads, measured in the same run: OpenBLAS' sgemm, and of bf16 our own
 * kernel's of operands that are packed already. */
#include "base/pool.h"
#include "math/gemm.h"
#include "model/pass.h"
#include "step.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 768, M = 192, REPEATS = 40 };

struct many {
    float *a, *b, *c;
};

static void product(void *ctx, int item, int thread)
{
    struct many *m = ctx;
    (void)item;
    bt__gemm_nt(M, N, N, m[thread].a, N, m[thread].b, N, 0.0f, m[thread].c, N);
}

static void product_bf16(void *ctx, int item, int thread)
{
    struct many *m = ctx;
    (void)item;
    bt__kernels()->bf16.product(&(struct bt__product){.rows = M,
                                                      .cols = N,
                                                      .k = N / 2,
                                                      .a = m[thread].a,
                                                      .panels = m[thread].b,
                                                      .height = N / 2,
                                                      .c = m[thread].c,
                                                      .ldc = N});
}

/* In place of what a and b hold, as zeros; their values do not matter to the rate. */
static void pack(struct many *m)
{
    memset(m->a, 0, M * N * sizeof *m->a);
    memset(m->b, 0, N * N * sizeof *m->b);
}

/* Median rate of all threads together, GFLOP/s. */
static double gemm_rate(struct bt__pool *pool, bool bf16)
{
    int threads = bt__pool_threads(pool);
    struct many *m = calloc((size_t)threads, sizeof *m);
    double t[REPEATS];
    if (!m) return 0.0;
    for (int i = 0; i < threads; i++) {
        m[i] = (struct many){.a = calloc(M * N, 4), .b = calloc(N * N, 4), .c = calloc(M * N, 4)};
        if (!m[i].a || !m[i].b || !m[i].c) return 0.0;
        for (int j = 0; j < N * N; j++) m[i].b[j] = (float)(j % 13) * 0.1f;
        for (int j = 0; j < M * N; j++) m[i].a[j] = (float)(j % 7) * 0.1f;
        if (bf16) pack(&m[i]);
    }
    for (int r = 0; r < REPEATS; r++) {
        double start = seconds();
        bt__pool_run(pool, threads * 4, bf16 ? product_bf16 : product, m);
        t[r] = seconds() - start;
    }
    qsort(t, REPEATS, sizeof *t, by_value);
    for (int i = 0; i < threads; i++) {
        free(m[i].a);
        free(m[i].b);
        free(m[i].c);
    }
    free(m);
    return 2e-9 * M * N * N * 4 * threads / t[REPEATS / 2];
}

/* Multiplications and additions of one forward and backward pass, ×2. */
static double flops(const struct bt__model_config *c, const struct bt__batch *b)
{
    double r = b->rows.n, s = b->n, h = c->hidden_size, f = c->intermediate_size,
           pairs = (double)b->pair[b->n];
    double full = r * (4 * h * h + 2 * h * f) + 2 * pairs * h;
    double top = r * 2 * h * h + s * (2 * h * h + 2 * h * f) + 2 * r * h;
    return 6.0 * (full * (c->num_hidden_layers - 1) + top);
}

int main(int argc, char **argv)
{
    struct bt_error err;
    int arg[] = {384, 6, 12, 1536, 0, 32, 0, 0};
    for (int i = 1; i < argc && i <= 8; i++) arg[i - 1] = (int)strtol(argv[i], NULL, 10);
    const struct bt__model_config c = step_config(arg);
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *p;
    struct bt__batch b;
    int n = arg[5];
    if (bt__gemm_init(&err) || bt__pool_create(arg[4], &pool, &err) ||
        bt__model_create(&c,
                         &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2},
                         &m, &err) ||
        bt__batch_reserve(&b, n, 64 * n, n, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    step_batch(&b, n, c.vocab_size);
    bt__model_init(m, 1, NULL);
    struct bt__pass_limits limits = {.seqs = n,
                                     .rows = b.rows.n,
                                     .longest = b.longest,
                                     .pairs = b.pair[b.n],
                                     .train = true,
                                     .recompute = arg[6] != 0,
                                     .bf16 = arg[7] != 0};
    if (bt__pass_create(m, pool, &limits, &p, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    float *dlogits = calloc((size_t)n * 2, sizeof *dlogits);
    for (int i = 0; dlogits && i < 2 * n; i++) dlogits[i] = i % 2 ? 0.01f : -0.01f;
    struct bt__trainable all = {.embeddings = true, .first_layer = 0};
    double fwd[REPEATS], both[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        double start = seconds();
        bt__pass_dropout(p, true, 42, (uint64_t)i);
        bt__pass_forward(p, &b);
        fwd[i] = seconds() - start;
        bt__pass_backward(p, &b, dlogits, &all, true);
        both[i] = seconds() - start;
    }
    qsort(fwd, REPEATS, sizeof *fwd, by_value);
    qsort(both, REPEATS, sizeof *both, by_value);
    double rate = gemm_rate(pool, limits.bf16), done = flops(&c, &b) * 1e-9 / both[REPEATS / 2];
    printf("%s, %s kernels, %d threads, %d tokens, %d tiles, activations %zu MiB\n", bt__gemm_name(),
           bt__kernels()->name, bt__pool_threads(pool), b.rows.n, b.rows.n_tiles,
           bt__pass_bytes(m, &limits, bt__pool_threads(pool)) >> 20);
    printf("forward %.1f ms, forward + backward %.1f ms (fastest %.1f), %.0f tokens/s\n",
           1e3 * fwd[REPEATS / 2], 1e3 * both[REPEATS / 2], 1e3 * both[0], b.rows.n / both[REPEATS / 2]);
    printf("%.1f GFLOP/s of %.1f measured for %s alone: %.1f %%\n", done, rate,
           limits.bf16 ? "products of bf16" : "sgemm", 100.0 * done / rate);
    free(dlogits);
    bt__pass_free(p);
    bt__model_free(m);
    bt__batch_free(&b);
    bt__pool_free(pool);
    return 0;
}
