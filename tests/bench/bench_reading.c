/* What a launch spends on its data: loading the tokenizer, reading the training file, making tokens of it on one and on all threads; and, to weigh
 * a cache of the tokens, what that would cost at least: the file's hash, and reading the tokens back with their checksum.
 *
 *     bench_reading [EXPERIMENT.yaml [OPTION=VALUE]…]      (default: experiments/movie-reviews.yaml) */
#include "base/crc32c.h"
#include "run/settings.h"
#include "tasks/task.h"
#include "timing.h"
#include <bertty/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPEATS = 9 };

static void tell(const char *what, double *ms)
{
    qsort(ms, REPEATS, sizeof *ms, by_value);
    printf("  %-44s median %8.2f ms, best %8.2f\n", what, ms[REPEATS / 2], ms[0]);
}

static void stop(const struct bt_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void tokens(const struct bt_experiment *x, const struct bt__task *t, struct bt__task_data *d,
                   int threads, double *ms)
{
    struct bt_error err = {0};
    struct bt__pool *pool = NULL;
    if (bt__pool_create(threads, &pool, &err)) stop(&err);
    for (int r = 0; r < REPEATS; r++) {
        struct bt__task_data again = {
            .examples = d->examples, .borrowed = true, .n = d->n, .files = d->files};
        double start = 1e3 * seconds();
        if (bt__task_build(t, &again, true, pool, &err)) stop(&err);
        ms[r] = 1e3 * seconds() - start;
        if (r == 0 && threads == 1)
            printf("%s: %zu examples, %zu sequences, %zu tokens\n", x->data_train_file.item[0], d->n,
                   again.f.n, again.f.start[again.f.n]);
        bt__task_data_free(&again);
    }
    bt__pool_free(pool);
}

/* As much as the tokens of all texts, written once and read back. */
static void cache(size_t tokens_n, double *ms)
{
    struct bt_error err = {0};
    char path[] = "/tmp/bertty-bench-XXXXXX", *data;
    size_t n = tokens_n * sizeof(int32_t);
    int fd = mkstemp(path);
    data = calloc(1, n + 1);
    if (fd < 0 || !data || write(fd, data, n) != (ssize_t)n) exit(1);
    close(fd);
    free(data);
    for (int r = 0; r < REPEATS; r++) {
        double start = 1e3 * seconds();
        if (bt_file_read(path, n + 1, &data, &n, &err)) stop(&err);
        volatile uint32_t sum = bt__crc32c(data, n);
        (void)sum;
        ms[r] = 1e3 * seconds() - start;
        free(data);
    }
    unlink(path);
}

static void measure(struct bt_experiment *x)
{
    struct bt_error err = {0};
    struct bt_tokenizer *t = NULL;
    struct bt__task *task = NULL;
    struct bt__task_data d = {.n = 0};
    double load[REPEATS], read[REPEATS], one[REPEATS], all[REPEATS], hash[REPEATS], back[REPEATS];
    const struct bt_tokenizer_options opt = bt__tokenizer_options_of(x);
    struct bt_data_spec spec = bt_experiment_data(x);
    char hex[65];
    spec.files = d.files = (const char *const *)x->data_train_file.item;
    spec.n_files = x->data_train_file.n;
    for (int r = 0; r < REPEATS; r++) {
        bt_tokenizer_free(t);
        bt_examples_free(d.examples);
        double start = 1e3 * seconds();
        if (bt_tokenizer_load(x->model_name_or_path, &opt, &t, &err)) stop(&err);
        double loaded = 1e3 * seconds();
        if (bt_examples_load(&spec, &d.examples, &err)) stop(&err);
        double got = 1e3 * seconds();
        if (bt_sha256_file(spec.files[0], hex, &err)) stop(&err);
        hash[r] = 1e3 * seconds() - got;
        read[r] = got - loaded;
        load[r] = loaded - start;
    }
    d.n = bt_examples_count(d.examples);
    if (bt__task_create(x, t, &d, NULL, 0, &task, &err)) stop(&err);
    tokens(x, task, &d, 1, one);
    tokens(x, task, &d, 0, all);
    struct bt__pool *pool = NULL;
    if (bt__pool_create(1, &pool, &err) || bt__task_build(task, &d, true, pool, &err)) stop(&err);
    cache(d.f.start[d.f.n], back);
    tell("loading the tokenizer", load);
    tell("reading the file", read);
    tell("tokens, one thread", one);
    tell("tokens, all threads", all);
    tell("SHA-256 of the file", hash);
    tell("as much as the ids read back, with a CRC", back);
    bt__pool_free(pool);
    bt__task_data_free(&d);
    bt__task_free(task);
    bt_tokenizer_free(t);
}

int main(int argc, char **argv)
{
    struct bt_error err = {0};
    struct bt_experiment *x = NULL;
    const char *path = argc > 1 ? argv[1] : "experiments/movie-reviews.yaml";
    if (argc == 1 && !bt_path_exists("experiments/data/movie-reviews/train.tsv")) {
        puts("`make fetch` gets the model and the texts");
        return 77;
    }
    enum bt_status st = bt_experiment_load(path, &x, &err);
    for (int i = 2; i < argc && !st; i++) st = bt_experiment_assign(x, argv[i], &err);
    if (!st) st = bt_experiment_resolve(x, &err);
    if (st) stop(&err);
    measure(x);
    bt_experiment_free(x);
    return 0;
}
