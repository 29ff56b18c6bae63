#include "run/hashes.h"

#include <bertty/file.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static bool has(const struct bt__hashes *h, const char *path)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->item[i].path, path) == 0) return true;
    return false;
}

/* Once, however many splits it serves: an object's keys are different from each other. */
static enum bt_status add(struct bt__hashes *h, const char *path, struct bt_error *err)
{
    if (has(h, path)) return BT_OK;
    struct bt__hash *more = realloc(h->item, (h->n + 1) * sizeof *more);
    char *copy = bt_strdup(path);
    if (more) h->item = more;
    if (!more || !copy) {
        free(copy);
        return bt_fail(err, BT_NOMEM, "no memory for a table of files");
    }
    struct bt__hash *one = &h->item[h->n++];
    *one = (struct bt__hash){.path = copy};
    return bt_sha256_file(path, one->hex, err);
}

static enum bt_status add_list(struct bt__hashes *h, const struct bt_string_list *files, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < files->n && !st; i++) st = add(h, files->item[i], err);
    return st;
}

enum bt_status bt__hashes_of_data(struct bt__hashes *h, const struct bt_experiment *x, struct bt_error *err)
{
    *h = (struct bt__hashes){.n = 0};
    enum bt_status st = add_list(h, &x->data_train_file, err);
    if (!st) st = add_list(h, &x->data_validation_file, err);
    if (!st) st = add_list(h, &x->data_test_file, err);
    if (!st && x->data_class_names_file) st = add(h, x->data_class_names_file, err);
    if (!st && x->data_label_decisions) st = add(h, x->data_label_decisions, err);
    if (st) bt__hashes_free(h);
    return st;
}

static enum bt_status add_weights(struct bt__hashes *h, const char *dir, enum bt__weights_kind kind,
                                  struct bt_error *err)
{
    struct bt__weights *w = NULL;
    const char *path;
    enum bt_status st = bt__weights_open(dir, kind, &w, err);
    if (st) return st;
    for (size_t i = 0; !st && (path = bt__weights_part(w, i)); i++) st = add(h, path, err);
    bt__weights_close(w);
    return st;
}

static enum bt_status of_model(struct bt__hashes *h, const char *dir, enum bt__weights_kind kind,
                               struct bt_error *err)
{
    static const char *const names[] = {"config.json", "bert_config.json", "vocab.txt", "tokenizer.json",
                                        "tokenizer_config.json"};
    enum bt_status st = BT_OK;
    *h = (struct bt__hashes){.n = 0};
    for (size_t i = 0; i < sizeof names / sizeof *names && !st; i++) {
        char *path = bt_path_join(dir, names[i]);
        if (!path)
            st = bt_fail(err, BT_NOMEM, "no memory for a name");
        else if (bt_path_exists(path))
            st = add(h, path, err);
        free(path);
    }
    if (!st) st = add_weights(h, dir, kind, err);
    if (st) bt__hashes_free(h);
    return st;
}

/* ── beside other work ── */

struct bt__hashing {
    pthread_t thread;
    const struct bt_experiment *x;
    bool has_model;
    struct bt__hashes data, model;
    enum bt_status st;
    struct bt_error err;
};

static void *sum_up(void *ctx)
{
    struct bt__hashing *g = ctx;
    g->st = bt__hashes_of_data(&g->data, g->x, &g->err);
    if (!g->st && g->has_model)
        g->st = of_model(&g->model, g->x->model_name_or_path,
                         (enum bt__weights_kind)g->x->model_checkpoint_format, &g->err);
    return NULL;
}

enum bt_status bt__hashing_begin(const struct bt_experiment *x, bool model, struct bt__hashing **out,
                                 struct bt_error *err)
{
    struct bt__hashing *g = calloc(1, sizeof *g);
    if (!g) return bt_fail(err, BT_NOMEM, "no memory for the files' sums");
    g->x = x;
    g->has_model = model;
    const int refused = pthread_create(&g->thread, NULL, sum_up, g);
    if (refused) {
        free(g);
        return bt_fail(err, BT_IO, "cannot start a thread: %s", strerror(refused));
    }
    *out = g;
    return BT_OK;
}

static void discard(struct bt__hashing *g)
{
    bt__hashes_free(&g->data);
    bt__hashes_free(&g->model);
    free(g);
}

enum bt_status bt__hashing_end(struct bt__hashing **of, struct bt__hashes *data, struct bt__hashes *model,
                               struct bt_error *err)
{
    struct bt__hashing *g = *of;
    pthread_join(g->thread, NULL);
    *of = NULL;
    const enum bt_status st = g->st;
    if (!st) {
        *data = g->data;
        *model = g->model;
        g->data = g->model = (struct bt__hashes){.n = 0};
    } else if (err) {
        *err = g->err;
    }
    discard(g);
    return st;
}

void bt__hashing_free(struct bt__hashing *g)
{
    if (!g) return;
    pthread_join(g->thread, NULL);
    discard(g);
}

void bt__hashes_free(struct bt__hashes *h)
{
    for (size_t i = 0; i < h->n; i++) free(h->item[i].path);
    free(h->item);
    *h = (struct bt__hashes){.n = 0};
}

void bt__hashes_write(struct bt_json_writer *w, const struct bt__hashes *h)
{
    bt_jw_object(w);
    for (size_t i = 0; i < h->n; i++) bt_jw_ktext(w, h->item[i].path, h->item[i].hex);
    bt_jw_end_object(w);
}

enum bt_status bt__hashes_compare(const struct bt__hashes *h, const struct bt_json *saved,
                                  struct bt_error *err)
{
    for (size_t i = 0; i < h->n; i++) {
        const char *then = bt_json_text(bt_json_get(saved, h->item[i].path), NULL);
        if (!then)
            return bt_fail(err, BT_INVALID, "%s: was not among the run's data when it was saved",
                           h->item[i].path);
        if (strcmp(then, h->item[i].hex) != 0)
            return bt_fail(err, BT_INVALID, "%s: changed since the checkpoint was saved", h->item[i].path);
    }
    return BT_OK;
}
