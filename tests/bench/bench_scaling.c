/* What a training step would gain from more cores, counted on one: its phases, the items of each, and the time that they took.
 *
 *     bench_scaling [hidden layers heads intermediate] [rows of a batch] [1: bf16]
 *
 * A phase of n equal items takes T threads ⌈n/T⌉ of them one after the other; what stands between the phases, and phases of one item, take as long as here.
 * Sharing memory's bandwidth and meeting at the end of a phase come on top: the number of phases and the bytes that are packed say how often and how much.
 * bt__pool_run() is wrapped by the linker. */
#include "base/pool.h"
#include "math/gemm.h"
#include "model/pass.h"
#include "optim/optim.h"
#include "step.h"
#include "timing.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 6, PHASES = 4096 };

static struct {
    bool on;
    int n;
    int items[PHASES];
    double time[PHASES];
} seen;

void __real_bt__pool_run(struct bt__pool *pool, int n, bt__pool_fn *fn, void *ctx);
void __wrap_bt__pool_run(struct bt__pool *pool, int n, bt__pool_fn *fn, void *ctx);

void __wrap_bt__pool_run(struct bt__pool *pool, int n, bt__pool_fn *fn, void *ctx)
{
    const double start = seconds();
    __real_bt__pool_run(pool, n, fn, ctx);
    if (!seen.on || n <= 0 || seen.n == PHASES) return;
    seen.items[seen.n] = n;
    seen.time[seen.n++] = seconds() - start;
}

static int by_count(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* total: seconds of the step. */
static void report(double total, int tokens)
{
    static const int threads[] = {2, 4, 16, 64};
    double phases = 0.0, alone = 0.0;
    int items = 0, sorted[PHASES];
    for (int i = 0; i < seen.n; i++) {
        phases += seen.time[i];
        items += sorted[i] = seen.items[i];
        if (seen.items[i] == 1) alone += seen.time[i];
    }
    qsort(sorted, (size_t)seen.n, sizeof *sorted, by_count);
    printf("a step of %d tokens: %.0f ms on one thread, %d phases with %d items (median %d, a tenth has "
           "fewer than %d)\n",
           tokens, 1e3 * total, seen.n, items, sorted[seen.n / 2], sorted[seen.n / 10]);
    printf("between the phases and in those of one item: %.2f ms, %.2f %%\n", 1e3 * (total - phases + alone),
           100.0 * (total - phases + alone) / total);
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        double least = total - phases;
        for (int i = 0; i < seen.n; i++)
            least += seen.time[i] * ((seen.items[i] + threads[k] - 1) / threads[k]) / seen.items[i];
        printf("%2d threads: at most %.1f times as fast, %.0f %% of each core\n", threads[k], total / least,
               100.0 * total / least / threads[k]);
    }
}

int main(int argc, char **argv)
{
    struct bt_error err = {.text = ""};
    int arg[] = {768, 12, 12, 3072, 32, 0};
    for (int i = 1; i < argc && i <= 6; i++) arg[i - 1] = (int)strtol(argv[i], NULL, 10);
    const struct bt__model_config c = step_config(arg);
    const struct bt__head_spec head = {.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2};
    const struct bt__optim_settings adamw = {.kind = BT__OPTIM_ADAMW,
                                             .beta1 = 0.9,
                                             .beta2 = 0.999,
                                             .epsilon = 1e-6,
                                             .layer_decay = 1.0,
                                             .head_rate_factor = 1.0,
                                             .correct_bias = true};
    const int n = arg[4];
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *p;
    struct bt__optim *o;
    struct bt__batch b;
    float *dlogits = calloc((size_t)n * 2, sizeof *dlogits);
    if (!dlogits || bt__gemm_init(&err) || bt__pool_create(1, &pool, &err) ||
        bt__model_create(&c, &head, &m, &err) || bt__batch_reserve(&b, n, 64 * n, n, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    step_batch(&b, n, c.vocab_size);
    bt__model_init(m, 1, NULL);
    const struct bt__pass_limits limits = {.seqs = n,
                                           .rows = b.rows.n,
                                           .longest = b.longest,
                                           .pairs = b.pair[b.n],
                                           .train = true,
                                           .bf16 = arg[5] != 0};
    if (bt__pass_create(m, pool, &limits, &p, &err) || bt__optim_create(m, pool, &adamw, &o, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 0; i < 2 * n; i++) dlogits[i] = i % 2 ? 0.01f : -0.01f;
    const struct bt__trainable all = {.embeddings = true, .first_layer = 0};
    double total = 0.0;
    for (int i = 0; i < STEPS; i++) {
        seen.on = i == STEPS - 1;
        const double start = seconds();
        bt__pass_dropout(p, true, 42, (uint64_t)i);
        bt__pass_forward(p, &b);
        bt__pass_backward(p, &b, dlogits, &all, true);
        (void)bt__optim_norm(o, bt__pass_gradient(p));
        bt__optim_step(o, bt__pass_gradient(p), i + 1, 1e-5, 1.0);
        total = seconds() - start;
    }
    report(total, b.rows.n);
    free(dlogits);
    bt__optim_free(o);
    bt__pass_free(p);
    bt__model_free(m);
    bt__batch_free(&b);
    bt__pool_free(pool);
    return 0;
}
