/* A hand on the questions' windows and answers for tests. EXPERIMENT names the model whose tokenizer is used, and the options:
 *
 *     qa_tool windows EXPERIMENT FILE           lines "QUESTION START END ID…" of all windows
 *     qa_tool answers EXPERIMENT FILE LOGITS    rows of a predictions file, from floats (two for each token of each window, one window after the other)
 *                                               instead of a model's; then a line with the figures */
#include "run/evaluate.h"
#include "tasks/qa_windows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bt_error err;

struct work {
    struct bt_experiment *x;
    struct bt_tokenizer *tokenizer;
    struct bt__pool *pool;
    struct bt__task *task;
    struct bt__task_data d;
};

static enum bt_status open_data(struct work *w, const char *const *file)
{
    struct bt_data_spec spec = bt_experiment_data(w->x);
    spec.files = file;
    spec.n_files = 1;
    w->d.files = file;
    enum bt_status st = bt_examples_load(&spec, &w->d.examples, &err);
    if (st) return st;
    w->d.n = bt_examples_count(w->d.examples);
    st = bt__task_create(w->x, w->tokenizer, &w->d, NULL, 0, &w->task, &err);
    return st ? st : bt__task_build(w->task, &w->d, true, w->pool, &err);
}

static enum bt_status windows(struct work *w)
{
    const struct bt__features *f = &w->d.f;
    for (size_t i = 0; i < f->n; i++) {
        const struct bt__qa_window *q = &bt__qa_windows_of(&w->d)->window[i];
        printf("%u %d %d", f->example[i], q->start, q->end);
        for (size_t k = f->start[i]; k < f->start[i + 1]; k++) printf(" %d", f->ids[k]);
        printf("\n");
    }
    return BT_OK;
}

static enum bt_status read_logits(const char *path, size_t n, float *to)
{
    FILE *f = fopen(path, "rb");
    size_t got = f ? fread(to, sizeof *to, n, f) : 0;
    if (f) fclose(f);
    return got == n ? BT_OK : bt_fail(&err, BT_INVALID, "%s: %zu floats, expected %zu", path, got, n);
}

static void tell(const struct bt_str *rows, const struct bt_metrics *m)
{
    fwrite(bt_str_text(rows), 1, rows->len, stdout);
    printf("{");
    for (size_t i = 0; i < m->n; i++)
        printf("%s\"%s\":%.17g", i ? "," : "", m->item[i].name, m->item[i].value);
    printf("}\n");
}

static enum bt_status answers(struct work *w, const char *path)
{
    const struct bt__features *f = &w->d.f;
    struct bt__evaluation e = {.logits = {.cols = 2}};
    struct bt_metrics m;
    struct bt_str rows = {.len = 0};
    e.logits.start = calloc(f->n + 1, sizeof *e.logits.start);
    e.logits.value = calloc(2 * f->start[f->n] + 1, sizeof *e.logits.value);
    if (!e.logits.start || !e.logits.value) return bt_fail(&err, BT_NOMEM, "no memory");
    for (size_t i = 0; i <= f->n; i++) e.logits.start[i] = 2 * f->start[i];
    enum bt_status st = read_logits(path, 2 * f->start[f->n], e.logits.value);
    if (!st) st = w->task->ops->settle(w->task, &w->d, &e.logits, &err);
    if (!st) st = bt__evaluation_metrics(&e, w->task, &w->d, &m, &err);
    if (!st) st = bt__evaluation_rows(&e, w->task, &w->d, &rows, &err);
    if (!st) tell(&rows, &m);
    bt_str_free(&rows);
    bt__evaluation_free(&e);
    return st;
}

int main(int argc, char **argv)
{
    struct work w = {.x = NULL};
    const struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    const bool show = argc == 4 && strcmp(argv[1], "windows") == 0;
    if (!show && !(argc == 5 && strcmp(argv[1], "answers") == 0)) return 2;
    const char *const file[] = {argv[3]};
    enum bt_status st = bt_experiment_load(argv[2], &w.x, &err);
    if (!st) st = bt_tokenizer_load(w.x->model_name_or_path, &opt, &w.tokenizer, &err);
    if (!st) st = bt__pool_create(2, &w.pool, &err);
    if (!st) st = open_data(&w, file);
    if (!st) st = show ? windows(&w) : answers(&w, argv[4]);
    bt__task_data_free(&w.d);
    bt__task_free(w.task);
    bt__pool_free(w.pool);
    bt_tokenizer_free(w.tokenizer);
    bt_experiment_free(w.x);
    if (st) fprintf(stderr, "qa_tool: %s\n", err.text);
    return st != BT_OK;
}
