/* How long one text takes once a model is loaded: what Probe waits for.
 *
 *     bench_sentence [threads]                 the pass alone, MiniLM-L6's shape with random weights, 8 to 128 tokens
 *     bench_sentence threads DIR TEXT…         a trained model's answers, from text to label */
#include "base/pool.h"
#include "model/pass.h"
#include "timing.h"
#include <bertty/predictor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 101, LONGEST = 128 };

static void tell(int tokens, double *ms)
{
    qsort(ms, REPEATS, sizeof *ms, by_value);
    printf("%4d tokens: median %.2f ms, 95 %% %.2f, best %.2f\n", tokens, ms[REPEATS / 2],
           ms[REPEATS * 95 / 100], ms[0]);
}

static int stop(const struct bt_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

static enum bt_status one_length(struct bt__pass *p, int n, int vocab, struct bt_error *err)
{
    struct bt__batch b = {.n = 0};
    int32_t ids[LONGEST];
    uint8_t types[LONGEST] = {0};
    double ms[REPEATS];
    for (int j = 0; j < n; j++) ids[j] = (j * 7919) % vocab;
    enum bt_status st = bt__batch_reserve(&b, 1, n, 1, err);
    if (!st) st = bt__batch_add(&b, ids, types, n, NULL, 0, err);
    if (!st) bt__batch_plan(&b);
    for (int r = 0; !st && r < REPEATS; r++) {
        double start = 1e3 * seconds();
        bt__pass_forward(p, &b);
        ms[r] = 1e3 * seconds() - start;
    }
    if (!st) tell(n, ms);
    bt__batch_free(&b);
    return st;
}

static int passes(int threads)
{
    const struct bt__model_config c = {.vocab_size = 30522,
                                       .hidden_size = 384,
                                       .num_hidden_layers = 6,
                                       .num_attention_heads = 12,
                                       .intermediate_size = 1536,
                                       .max_position_embeddings = 512,
                                       .type_vocab_size = 2,
                                       .layer_norm_eps = 1e-12f,
                                       .initializer_range = 0.02f};
    const struct bt__head_spec head = {.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2};
    const struct bt__pass_limits limits = {
        .seqs = 1, .rows = LONGEST, .longest = LONGEST, .pairs = LONGEST * LONGEST};
    struct bt__pool *pool = NULL;
    struct bt__model *m = NULL;
    struct bt__pass *p = NULL;
    struct bt_error err = {0};
    enum bt_status st = bt__pool_create(threads, &pool, &err);
    if (!st) st = bt__model_create(&c, &head, &m, &err);
    if (!st) bt__model_init(m, 1, NULL);
    if (!st) st = bt__pass_create(m, pool, &limits, &p, &err);
    if (!st) printf("%s kernels, %d threads\n", bt__kernels()->name, bt__pool_threads(pool));
    for (int n = 8; !st && n <= LONGEST; n += n < 32 ? 8 : 32) st = one_length(p, n, c.vocab_size, &err);
    bt__pass_free(p);
    bt__model_free(m);
    bt__pool_free(pool);
    return st ? stop(&err) : 0;
}

static int answers(int threads, const char *dir, char **text, int n)
{
    struct bt_predictor *p = NULL;
    struct bt_error err = {0};
    struct bt_output out = {.n = 0};
    const struct bt_predictor_spec spec = {.model_dir = dir, .threads = threads};
    double ms[REPEATS];
    enum bt_status st = bt_predictor_open(&spec, &p, &err);
    for (int i = 0; !st && i < n; i++) {
        const struct bt_input in = {.text = text[i], .text_n = strlen(text[i])};
        for (int r = 0; !st && r < REPEATS; r++) {
            double start = 1e3 * seconds();
            st = bt_predict(p, &in, &out, &err);
            ms[r] = 1e3 * seconds() - start;
        }
        if (!st) tell(out.tokens, ms);
    }
    bt_predictor_free(p);
    return st ? stop(&err) : 0;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    return argc > 3 ? answers(threads, argv[2], argv + 3, argc - 3) : passes(threads);
}
