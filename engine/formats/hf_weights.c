/* The weights of a Hugging Face model directory, whatever its tensors are called. */
#include "formats/hf_dir.h"
#include "formats/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* text with the first occurrence of from replaced; false if it does not occur. */
static bool replace(const char *text, const char *from, const char *to, char *out, size_t size)
{
    const char *at = strstr(text, from);
    if (!at) return false;
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return true;
}

/* Index of the tensor of a parameter: its own name, the name without "bert.", or with TensorFlow's gamma and beta. */
static ptrdiff_t find(const struct bt__weights *s, const char *name)
{
    char old[128];
    const char *bare = strncmp(name, "bert.", 5) == 0 ? name + 5 : name;
    const char *const spelled[] = {name, bare};
    for (size_t i = 0; i < 2; i++) {
        ptrdiff_t at = bt__weights_find(s, spelled[i]);
        if (at < 0 && (replace(spelled[i], "LayerNorm.weight", "LayerNorm.gamma", old, sizeof old) ||
                       replace(spelled[i], "LayerNorm.bias", "LayerNorm.beta", old, sizeof old)))
            at = bt__weights_find(s, old);
        if (at >= 0) return at;
    }
    return -1;
}

static enum bt_status check_shape(const char *path, const struct bt__param *p,
                                  const struct bt__tensor_info *t, struct bt_error *err)
{
    bool same =
        t->rank == p->rank && t->shape[p->rank - 1] == p->cols && (p->rank == 1 || t->shape[0] == p->rows);
    if (same) return BT_OK;
    char found[64] = "";
    for (int i = 0; i < t->rank && i < 4; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld", i ? ", " : "",
                 (long long)t->shape[i]);
    if (p->rank == 1)
        return bt_fail(err, BT_INVALID, "%s: tensor %s has shape [%s], expected [%d]", path, t->name, found,
                       p->cols);
    return bt_fail(err, BT_INVALID, "%s: tensor %s has shape [%s], expected [%d, %d]", path, t->name, found,
                   p->rows, p->cols);
}

static enum bt_status load_one(const struct bt__weights *s, const char *path, const struct bt__param *p,
                               float *w, bool *fresh, struct bt__load_report *report, struct bt_error *err)
{
    ptrdiff_t at = find(s, p->name);
    if (at < 0 && !p->head && !p->optional)
        return bt_fail(err, BT_INVALID, "%s: no tensor %s (with or without \"bert.\")", path, p->name);
    *fresh = at < 0;
    if (at < 0) {
        report->fresh++;
        report->pooler_fresh = report->pooler_fresh || p->optional;
        return BT_OK;
    }
    enum bt_status st = check_shape(path, p, bt__weights_at(s, (size_t)at), err);
    if (!st) st = bt__weights_read_f32(s, (size_t)at, w + p->offset, err);
    report->loaded += !st;
    return st;
}

/* A classifier for another number of labels is not this task's: it is drawn anew, weight and bias together. */
static bool other_head(const struct bt__weights *s, const struct bt__param *p)
{
    ptrdiff_t at = find(s, p->name);
    return p->head && at >= 0 &&
           bt__weights_at(s, (size_t)at)->shape[0] != (p->rank == 2 ? p->rows : p->cols);
}

/* The language model's decoder is the word embedding, and is not read: a file in which it is another matrix is another model. */
static enum bt_status check_tied(const struct bt__weights *s, const char *path, const struct bt__params *p,
                                 const float *w, struct bt_error *err)
{
    const char *name = "cls.predictions.decoder.weight";
    const struct bt__param *words = &p->item[0];
    const ptrdiff_t at = bt__params_find(p, "cls.predictions.bias") ? bt__weights_find(s, name) : -1;
    if (at < 0) return BT_OK;
    float *decoder = calloc(bt__weights_at(s, (size_t)at)->count + 1, sizeof *decoder);
    if (!decoder) return bt_fail(err, BT_NOMEM, "%s: no memory for %s", path, name);
    enum bt_status st = check_shape(path, words, bt__weights_at(s, (size_t)at), err);
    if (!st) st = bt__weights_read_f32(s, (size_t)at, decoder, err);
    if (!st && memcmp(decoder, w + words->offset, words->count * sizeof *decoder) != 0)
        st = bt_fail(err, BT_UNSUPPORTED, "%s: tensor %s is not the word embedding, expected a tied decoder",
                     path, name);
    free(decoder);
    return st;
}

enum bt_status bt__hf_weights_load(const char *dir, enum bt__weights_kind kind, const struct bt__params *p,
                                   float *w, bool *fresh, struct bt__load_report *report,
                                   struct bt_error *err)
{
    struct bt__weights *s = NULL;
    *report = (struct bt__load_report){.loaded = 0};
    enum bt_status st = bt__weights_open(dir, kind, &s, err);
    const char *path = st ? dir : bt__weights_path(s);
    for (size_t i = 0; !st && i < p->n; i++) {
        const bool adapter = p->item[i].adapter; /* in a file of its own: formats/adapter.h */
        bool new = adapter || other_head(s, &p->item[i]);
        if (new)
            report->fresh += !adapter;
        else
            st = load_one(s, path, &p->item[i], w, &new, report, err);
        if (fresh) fresh[i] = new;
    }
    if (!st) st = check_tied(s, path, p, w, err);
    if (!st) report->ignored = bt__weights_count(s) - report->loaded;
    bt__weights_close(s);
    return st;
}
