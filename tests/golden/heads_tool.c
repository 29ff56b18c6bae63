/* The heads on their own, for tests:
 *
 *     heads_tool KIND NAME OUTPUTS DIR     standard input: lines of ids, each followed by a line of token types and a line of flags, 1
 *                                          where the head reads; they become one batch. Answers with the rows of its logits.
 *
 *     heads_tool lm FILE DIR               the third line says which word is expected of each token, or -1: not read. Answers for each read with
 *                                          its loss and the three likeliest words with their logits, then with the parameters' names and sizes,
 *                                          whose gradients of the mean loss go to FILE as floats
 *
 * KIND is pooled, mean, tokens, or plain: tokens without dropout. */
#include "formats/hf_dir.h"
#include "math/gemm.h"
#include "model/pass.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 512, SEQS = 64, VOCABULARY = 5000 /* of the language model */ };
static struct bt_error err;
static int32_t target[SEQS * MOST]; /* of the reads */

static int read_numbers(int32_t *to)
{
    static char line[8 * MOST];
    int n = 0;
    if (!fgets(line, sizeof line, stdin)) return 0;
    for (char *p = strtok(line, " \n"); p && n < MOST; p = strtok(NULL, " \n")) to[n++] = (int32_t)atoi(p);
    return n;
}

static enum bt_status read_batch(struct bt__batch *b, bool lm)
{
    int32_t ids[MOST], types[MOST], flags[MOST];
    int n_targets = 0;
    uint8_t type[MOST], reads[MOST];
    int n;
    enum bt_status st = bt__batch_reserve(b, SEQS, SEQS * MOST, SEQS * MOST, &err);
    while (!st && (n = read_numbers(ids)) > 0) {
        if (read_numbers(types) != n || read_numbers(flags) != n)
            return bt_fail(&err, BT_INVALID, "not as many types or flags as ids");
        for (int i = 0; i < n; i++) {
            type[i] = (uint8_t)types[i];
            reads[i] = lm ? flags[i] >= 0 : flags[i] != 0;
            if (reads[i]) target[n_targets++] = flags[i];
        }
        st = bt__batch_add(b, ids, type, n, reads, b->n, &err);
    }
    if (!st) bt__batch_plan(b);
    return st;
}

static enum bt_status show_logits(struct bt__model *m, struct bt__pass *p, const struct bt__batch *b)
{
    bt__pass_dropout(p, false, 0, 0);
    const float *logits = bt__pass_forward(p, b);
    for (int r = 0; r < bt__pass_logit_rows(m, b)->n; r++)
        for (int c = 0; c < m->head.outputs; c++)
            printf("%.9g%c", (double)logits[r * m->head.outputs + c], c + 1 < m->head.outputs ? ' ' : '\n');
    return BT_OK;
}

static void show_read(const struct bt__pass *p, int read, double loss, float *logits)
{
    int32_t top[3];
    bt__pass_lm_logits(p, read, logits);
    printf("%.9g", loss);
    for (int i = 0; i < bt__top_k(logits, VOCABULARY, 3, top); i++)
        printf(" %d %.9g", (int)top[i], (double)logits[top[i]]);
    printf("\n");
}

static enum bt_status show_lm(struct bt__model *m, struct bt__pass *p, const struct bt__batch *b,
                              const char *file)
{
    static float logits[VOCABULARY];
    static double loss[SEQS * MOST];
    static int32_t best[SEQS * MOST];
    const struct bt__trainable all = {.embeddings = true};
    bt__pass_dropout(p, false, 0, 0);
    bt__pass_forward(p, b);
    bt__pass_lm_loss(p, b, target, 0.0, loss, best);
    for (int r = 0; r < b->reads.n; r++) {
        int32_t top;
        show_read(p, r, loss[r], logits);
        if (bt__top_k(logits, VOCABULARY, 1, &top) != 1 || top != best[r])
            return bt_fail(&err, BT_INVALID, "the likeliest word is %d and %d", (int)top, (int)best[r]);
    }
    bt__pass_lm_backward(p, b, target, 0.0, 1.0 / b->reads.n, &all, true);
    const struct bt__gradient *g = bt__pass_gradient(p);
    FILE *to = fopen(file, "wb");
    if (!to) return bt_fail_errno(&err, "%s", file);
    for (size_t i = 0; i < m->params.n; i++) {
        const struct bt__param *q = &m->params.item[i];
        printf("%s %zu\n", q->name, q->count);
        fwrite(g->dense + (q->offset - g->dense_begin), sizeof *g->dense, q->count, to);
    }
    fclose(to);
    return BT_OK;
}

/* file: where the language model's gradients go; NULL: another head. */
static int run(const char *dir, const struct bt__head_spec *head, const char *file)
{
    struct bt__model_config c = {.num_labels = 0};
    struct bt__batch b = {.n = 0};
    struct bt__model *m = NULL;
    struct bt__pool *pool = NULL;
    struct bt__pass *p = NULL;
    struct bt__load_report report;
    enum bt_status st = read_batch(&b, file != NULL);
    if (!st) st = bt__hf_config_load(dir, &c, &err);
    if (!st) st = bt__model_create(&c, head, &m, &err);
    if (!st) st = bt__hf_weights_load(dir, BT__WEIGHTS_AUTO, &m->params, m->w, NULL, &report, &err);
    if (!st) st = bt__gemm_init(&err);
    if (!st) st = bt__pool_create(2, &pool, &err);
    const struct bt__pass_limits limits = {.seqs = b.n,
                                           .rows = b.rows.n,
                                           .longest = b.longest,
                                           .pairs = b.pair ? b.pair[b.n] : 0,
                                           .reads = b.reads.n,
                                           .train = file != NULL,
                                           .read_pairs = b.read_pair ? b.read_pair[b.n] : 0};
    if (!st) st = bt__pass_create(m, pool, &limits, &p, &err);
    if (!st) st = file ? show_lm(m, p, &b, file) : show_logits(m, p, &b);
    bt__pass_free(p);
    if (pool) bt__pool_free(pool);
    bt__model_free(m);
    bt__model_config_free(&c);
    bt__batch_free(&b);
    if (st) fprintf(stderr, "heads_tool: %s\n", err.text);
    return st != BT_OK;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum bt__head kind;
        bool no_dropout;
    } kinds[] = {{.name = "pooled", .kind = BT__HEAD_POOLED},
                 {.name = "mean", .kind = BT__HEAD_MEAN},
                 {.name = "tokens", .kind = BT__HEAD_TOKENS},
                 {.name = "plain", .kind = BT__HEAD_TOKENS, .no_dropout = true}};
    const struct bt__head_spec lm = {.kind = BT__HEAD_MLM, .name = "cls.predictions", .outputs = VOCABULARY};
    if (argc == 4 && strcmp(argv[1], "lm") == 0) return run(argv[3], &lm, argv[2]);
    for (size_t i = 0; argc == 5 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            return run(argv[4],
                       &(struct bt__head_spec){.kind = kinds[i].kind,
                                               .name = argv[2],
                                               .outputs = atoi(argv[3]),
                                               .no_dropout = kinds[i].no_dropout},
                       NULL);
    fprintf(stderr, "heads_tool KIND NAME OUTPUTS DIR < INPUT, heads_tool lm FILE DIR < INPUT\n");
    return 2;
}
