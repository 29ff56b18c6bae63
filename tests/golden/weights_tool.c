/* A hand on model directories for tests:
 *
 *     weights_tool tensors DIR FILE     lines "NAME DTYPE d0,d1,…" of all tensors; their elements as floats to FILE
 *     weights_tool hidden DIR           standard input: lines of ids, each followed by a line of token types;
 *                                       answers with a line of the last layer's row of each token, then a line of the pooled vector */
#include "batch/batch.h"
#include "formats/hf_dir.h"
#include "formats/weights.h"
#include "math/gemm.h"
#include "model/pass.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 512 };
static struct bt_error err;

static int failed(void)
{
    fprintf(stderr, "weights_tool: %s\n", err.text);
    return 1;
}

static enum bt_status show(const struct bt__weights *w, size_t i, FILE *to)
{
    const struct bt__tensor_info *t = bt__weights_at(w, i);
    printf("%s %d ", t->name, (int)t->dtype);
    for (int k = 0; k < t->rank; k++) printf("%s%" PRId64, k ? "," : "", t->shape[k]);
    printf("\n");
    if (bt__weights_find(w, t->name) != (ptrdiff_t)i)
        return bt_fail(&err, BT_INVALID, "%s: not found", t->name);
    if (!bt__float_bytes(t->dtype)) return BT_OK;
    float *x = malloc(t->count * sizeof *x + 1);
    enum bt_status st = x ? bt__weights_read_f32(w, i, x, &err) : BT_NOMEM;
    if (!st) fwrite(x, sizeof *x, t->count, to);
    free(x);
    return st;
}

static int tensors(const char *dir, const char *file)
{
    struct bt__weights *w;
    if (bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, &err)) return failed();
    FILE *to = fopen(file, "wb");
    enum bt_status st = to ? BT_OK : bt_fail_errno(&err, "%s", file);
    for (size_t i = 0; i < bt__weights_count(w) && !st; i++) st = show(w, i, to);
    if (to) fclose(to);
    bt__weights_close(w);
    return st ? failed() : 0;
}

static int read_numbers(int32_t *to)
{
    static char line[8 * MOST];
    int n = 0;
    if (!fgets(line, sizeof line, stdin)) return 0;
    for (char *p = strtok(line, " \n"); p && n < MOST; p = strtok(NULL, " \n")) to[n++] = (int32_t)atoi(p);
    return n;
}

static void print_row(const float *x, int n)
{
    for (int i = 0; i < n; i++) printf("%s%.9g", i ? " " : "", (double)x[i]);
    printf("\n");
}

static enum bt_status forward(struct bt__pass *p, struct bt__batch *batch, const int32_t *ids,
                              const int32_t *types, int n)
{
    uint8_t small[MOST], reads[MOST];
    for (int i = 0; i < n; i++) {
        small[i] = (uint8_t)types[i];
        reads[i] = 1;
    }
    bt__batch_clear(batch);
    enum bt_status st = bt__batch_add(batch, ids, small, n, reads, 0, &err);
    if (st) return st;
    bt__batch_plan(batch);
    bt__pass_dropout(p, false, 0, 0);
    bt__pass_forward(p, batch);
    return BT_OK;
}

static enum bt_status answer(struct bt__model *m, struct bt__pass *p)
{
    struct bt__batch batch = {.n = 0};
    int32_t ids[MOST], types[MOST];
    int n, h = m->config.hidden_size;
    enum bt_status st = bt__batch_reserve(&batch, 1, MOST, MOST, &err);
    while (!st && (n = read_numbers(ids)) > 0) {
        if (read_numbers(types) != n) st = bt_fail(&err, BT_INVALID, "not as many types as ids");
        if (!st) st = forward(p, &batch, ids, types, n);
        for (int i = 0; i < n && !st; i++) {
            printf("%d ", i);
            print_row(bt__pass_hidden(p) + i * h, h);
        }
        printf("pooled ");
        if (!st) print_row(bt__pass_pooled(p), h);
    }
    bt__batch_free(&batch);
    return st;
}

static int hidden(const char *dir)
{
    struct bt__model_config c = {.num_labels = 0};
    struct bt__model *m = NULL;
    struct bt__pool *pool = NULL;
    struct bt__pass *p = NULL;
    struct bt__load_report report;
    const struct bt__pass_limits limits = {.seqs = 1,
                                           .rows = MOST,
                                           .longest = MOST,
                                           .reads = MOST,
                                           .pairs = MOST * MOST,
                                           .read_pairs = MOST * MOST};
    enum bt_status st = bt__hf_config_load(dir, &c, &err);
    if (!st)
        st = bt__model_create(
            &c, &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2}, &m,
            &err);
    if (!st) st = bt__hf_weights_load(dir, BT__WEIGHTS_AUTO, &m->params, m->w, NULL, &report, &err);
    if (!st) st = bt__gemm_init(&err);
    if (!st) st = bt__pool_create(1, &pool, &err);
    if (!st) st = bt__pass_create(m, pool, &limits, &p, &err);
    if (!st) st = answer(m, p);
    bt__pass_free(p);
    if (pool) bt__pool_free(pool);
    bt__model_free(m);
    bt__model_config_free(&c);
    return st ? failed() : 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "tensors") == 0) return tensors(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "hidden") == 0) return hidden(argv[2]);
    fprintf(stderr, "weights_tool tensors DIR FILE, weights_tool hidden DIR < IDS\n");
    return 2;
}
