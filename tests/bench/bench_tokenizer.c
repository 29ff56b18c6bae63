/* The tokenizer's speed on one thread.
 *
 *     bench_tokenizer [MODEL FILE [IDS]]
 *
 * A line of FILE is a text, handed over by itself. The first pass is cold: the tokenizer has just been loaded and has seen none of it. Prints
 * milliseconds of loading, seconds of the first and of the second pass, bytes and pieces; IDS gets the pieces of each text, a line each.
 * Without arguments: the film reviews of experiments/, or nothing where they were not fetched. bench_tokenizer.py compares with `tokenizers`. */
#include "timing.h"
#include <bertty/file.h>
#include <bertty/tokenizer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct texts {
    char *data;
    size_t bytes, n;
    const char **line; /* [n + 1] */
};

static int read_texts(struct texts *x, const char *path)
{
    struct bt_error err = {0};
    if (bt_file_read(path, 1 << 30, &x->data, &x->bytes, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    for (size_t i = 0; i < x->bytes; i++) x->n += x->data[i] == '\n';
    x->line = malloc((x->n + 1) * sizeof *x->line);
    if (!x->line) return -1;
    const char *p = x->line[0] = x->data;
    for (size_t i = 1; i <= x->n; i++) x->line[i] = p = (const char *)memchr(p, '\n', x->bytes) + 1;
    return 0;
}

/* Pieces of all texts; to: NULL, or where they are written. */
static size_t pass(const struct bt_tokenizer *t, const struct texts *x, FILE *to)
{
    struct bt_encoding e = {0};
    size_t pieces = 0;
    for (size_t i = 0; i < x->n; i++) {
        if (bt_tokenizer_ids(t, x->line[i], (size_t)(x->line[i + 1] - x->line[i]) - 1, &e, NULL)) break;
        pieces += e.n;
        for (size_t k = 0; to && k < e.n; k++) fprintf(to, k ? " %d" : "%d", (int)e.ids[k]);
        if (to) fputc('\n', to);
    }
    bt_encoding_free(&e);
    return pieces;
}

static int measure(const char *model, const char *file, const char *ids)
{
    struct bt_error err = {0};
    struct bt_tokenizer *t = NULL;
    struct texts x = {0};
    if (read_texts(&x, file)) return 1;
    double start = seconds();
    if (bt_tokenizer_load(model, NULL, &t, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    double loaded = seconds();
    size_t pieces = pass(t, &x, NULL);
    double cold = seconds();
    pass(t, &x, NULL);
    double second = seconds();
    printf("load %.2f ms  cold %.6f s  second %.6f s  %zu bytes  %zu pieces  %.1f MB/s\n",
           1e3 * (loaded - start), cold - loaded, second - cold, x.bytes, pieces,
           1e-6 * (double)x.bytes / (cold - loaded));
    FILE *to = ids ? fopen(ids, "w") : NULL;
    if (to) pass(t, &x, to);
    int rc = ids && (!to || fclose(to));
    bt_tokenizer_free(t);
    free(x.line);
    free(x.data);
    return rc;
}

int main(int argc, char **argv)
{
    const char *model = getenv("BT_MODEL"), *file = "experiments/data/movie-reviews/train.tsv";
    if (argc > 2) return measure(argv[1], argv[2], argc > 3 ? argv[3] : NULL);
    if (!model || !bt_path_exists(model) || !bt_path_exists(file)) {
        puts("`make fetch` gets the model and the texts");
        return 77;
    }
    return measure(model, file, NULL);
}
