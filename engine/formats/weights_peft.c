/* An adapter of peft's on its base, as weights: the base's tensors with the products merged in, or replaced where the adapter has them whole.
 *
 * Every tensor of the adapter's file has to have its place: what is neither half of a product beside a matrix nor a tensor of that name is an
 * error, so that nothing is left out in silence. */
#include "formats/peft.h"
#include "formats/weights_parts.h"

#include <bertty/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 256 };

struct merged {
    struct bt__tensor_info info; /* what a reader is told */
    char *name;                  /* of a tensor that only the adapter has */
    ptrdiff_t base;              /* in the base, or −1 */
    ptrdiff_t whole, a, b;       /* in the adapter's file, or −1 */
};

struct peft_weights {
    struct bt__peft settings;
    const struct bt__weights_format *format; /* of the adapter's file */
    void *adapter;
    char *path; /* of the adapter's file */
    struct bt__weights *base;
    struct merged *t;
    size_t n;
    struct bt__names names;
};

static const char *name_of(const void *ctx, size_t i)
{
    return ((const struct peft_weights *)ctx)->t[i].info.name;
}

static void peft_close(void *file)
{
    struct peft_weights *s = file;
    for (size_t i = 0; i < s->n; i++) free(s->t[i].name);
    free(s->t);
    bt__names_free(&s->names);
    if (s->adapter) s->format->close(s->adapter);
    bt__weights_close(s->base);
    bt__peft_close(&s->settings);
    free(s->path);
    free(s);
}

/* ── which tensor goes where ── */

/* The base's tensor of that name, with "bert." or without; −1. */
static ptrdiff_t in_base(const struct peft_weights *s, const char *name)
{
    char other[NAME];
    const bool long_name = strncmp(name, "bert.", 5) == 0;
    const ptrdiff_t at = bt__weights_find(s->base, name);
    if (at >= 0) return at;
    snprintf(other, sizeof other, "%s%s", long_name ? "" : "bert.", long_name ? name + 5 : name);
    return bt__weights_find(s->base, other);
}

/* "….query.lora_A.weight" → 'A' and "….query"; 0: it is no half of a product. */
static char half_of(const char *name, char *matrix)
{
    const char *mark = strstr(name, ".lora_");
    const char half = mark ? mark[6] : '\0';
    if (!mark || (half != 'A' && half != 'B') || strcmp(mark + 7, ".weight") != 0) return '\0';
    snprintf(matrix, NAME, "%.*s", (int)(mark - name), name);
    return half;
}

static enum bt_status place_half(struct peft_weights *s, size_t i, char half, const char *matrix,
                                 struct bt_error *err)
{
    char name[NAME + 8];
    snprintf(name, sizeof name, "%s.weight", matrix);
    const ptrdiff_t at = in_base(s, name);
    const struct bt__tensor_info *t = s->format->at(s->adapter, i);
    const struct bt__tensor_info *w = at < 0 ? NULL : &s->t[at].info;
    if (!w)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: %s has no matrix %s", s->path, t->name,
                       s->settings.base, name);
    if (w->rank != 2 || t->rank != 2 || t->shape[half == 'A'] != w->shape[half == 'A'])
        return bt_fail(err, BT_INVALID, "%s: tensor %s does not fit the matrix %s of %s", s->path, t->name,
                       name, s->settings.base);
    *(half == 'A' ? &s->t[at].a : &s->t[at].b) = (ptrdiff_t)i;
    return BT_OK;
}

static enum bt_status place_whole(struct peft_weights *s, size_t i, const char *name, struct bt_error *err)
{
    const ptrdiff_t at = in_base(s, name);
    const struct bt__tensor_info *t = s->format->at(s->adapter, i);
    if (strstr(name, ".lora_"))
        return bt_fail(err, BT_UNSUPPORTED, "%s: tensor %s: expected only lora_A and lora_B of matrices",
                       s->path, t->name);
    struct merged *m = &s->t[at < 0 ? s->n : (size_t)at];
    if (at < 0) {
        *m = (struct merged){.base = -1, .a = -1, .b = -1, .name = bt_strdup(name)};
        if (!m->name) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->path);
        s->n++;
    }
    const char *kept = at < 0 ? m->name : m->info.name;
    m->whole = (ptrdiff_t)i;
    m->info = *t;
    m->info.name = kept;
    return BT_OK;
}

static enum bt_status check_pairs(const struct peft_weights *s, struct bt_error *err)
{
    size_t products = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct merged *m = &s->t[i];
        if (m->a < 0 && m->b < 0) continue;
        products++;
        if (m->a < 0 || m->b < 0)
            return bt_fail(err, BT_DAMAGED, "%s: %s has only lora_%c, expected lora_A and lora_B", s->path,
                           m->info.name, m->a < 0 ? 'B' : 'A');
        const struct bt__tensor_info *a = s->format->at(s->adapter, (size_t)m->a),
                                     *b = s->format->at(s->adapter, (size_t)m->b), *w = &m->info;
        if (a->shape[0] < 1 || a->shape[0] != b->shape[1])
            return bt_fail(err, BT_DAMAGED, "%s: %s: lora_A has %lld rows, lora_B has %lld columns", s->path,
                           w->name, (long long)a->shape[0], (long long)b->shape[1]);
        /* it fitted when it was placed, but the adapter may have the matrix whole too */
        if (w->rank != 2 || a->shape[1] != w->shape[1] || b->shape[0] != w->shape[0])
            return bt_fail(err, BT_DAMAGED, "%s: %s has another shape than its lora_A and lora_B", s->path,
                           w->name);
    }
    return products ? BT_OK : bt_fail(err, BT_INVALID, "%s: no lora_A and lora_B", s->path);
}

static enum bt_status place_all(struct peft_weights *s, struct bt_error *err)
{
    const size_t own = s->format->count(s->adapter), from_base = bt__weights_count(s->base);
    char name[NAME], matrix[NAME];
    ptrdiff_t twice = -1;
    s->t = calloc(own + from_base + 1, sizeof *s->t);
    if (!s->t) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->path);
    for (; s->n < from_base; s->n++)
        s->t[s->n] = (struct merged){
            .info = *bt__weights_at(s->base, s->n), .base = (ptrdiff_t)s->n, .whole = -1, .a = -1, .b = -1};
    enum bt_status st = BT_OK;
    for (size_t i = 0; !st && i < own; i++) {
        bt__peft_plain(s->format->at(s->adapter, i)->name, name, sizeof name);
        const char half = half_of(name, matrix);
        st = half ? place_half(s, i, half, matrix, err) : place_whole(s, i, name, err);
    }
    if (!st) st = check_pairs(s, err);
    if (!st) st = bt__names_build(&s->names, s->n, name_of, s, &twice, err);
    if (!st && twice >= 0)
        st = bt_fail(err, BT_DAMAGED, "%s: tensor %s occurs twice", s->path, name_of(s, (size_t)twice));
    return st;
}

static enum bt_status open_on_base(const char *path, const struct bt__weights_format *format, void **file,
                                   struct bt_error *err)
{
    char *dir = bt_strndup(path, (size_t)(bt_path_base(path) - path));
    struct peft_weights *s = calloc(1, sizeof *s);
    if (s) *s = (struct peft_weights){.format = format, .path = bt_strdup(path)};
    enum bt_status st =
        dir && s && s->path ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", path);
    if (!st) st = bt__peft_open(dir[0] ? dir : ".", &s->settings, err);
    if (!st) st = format->open(path, &s->adapter, err);
    if (!st) st = bt__weights_open(s->settings.base, BT__WEIGHTS_AUTO, &s->base, err);
    if (!st) st = place_all(s, err);
    free(dir);
    if (st && s)
        peft_close(s);
    else if (!st)
        *file = s;
    return st;
}

/* ── reading ── */

/* to [rows, cols] += scale · B [rows, r] · A [r, cols], as peft merges. */
static enum bt_status add_product(const struct peft_weights *s, const struct merged *m, float *to,
                                  struct bt_error *err)
{
    const struct bt__tensor_info *ia = s->format->at(s->adapter, (size_t)m->a),
                                 *ib = s->format->at(s->adapter, (size_t)m->b);
    const size_t r = (size_t)ia->shape[0], rows = (size_t)m->info.shape[0], cols = (size_t)m->info.shape[1];
    char matrix[NAME];
    snprintf(matrix, sizeof matrix, "%.*s", (int)(strlen(m->info.name) - strlen(".weight")), m->info.name);
    const double scale = bt__peft_scale(&s->settings, matrix, (int64_t)r);
    float *a = calloc(ia->count + 1, sizeof *a), *b = calloc(ib->count + 1, sizeof *b);
    enum bt_status st = a && b ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a product", s->path);
    if (!st) st = s->format->read(s->adapter, (size_t)m->a, a, err);
    if (!st) st = s->format->read(s->adapter, (size_t)m->b, b, err);
    for (size_t row = 0; !st && row < rows; row++)
        for (size_t k = 0; k < r; k++) {
            const float f = (float)(scale * (double)b[row * r + k]);
            for (size_t i = 0; i < cols; i++) to[row * cols + i] += f * a[k * cols + i];
        }
    if (!st && !bt__floats_finite(to, m->info.count))
        st = bt_fail(err, BT_INVALID, "%s: merged into %s, it gives a number that is not finite", s->path,
                     m->info.name);
    free(a);
    free(b);
    return st;
}

static enum bt_status peft_read(const void *file, size_t i, float *dst, struct bt_error *err)
{
    const struct peft_weights *s = file;
    const struct merged *m = &s->t[i];
    enum bt_status st = m->whole >= 0 ? s->format->read(s->adapter, (size_t)m->whole, dst, err)
                                      : bt__weights_read_f32(s->base, (size_t)m->base, dst, err);
    return st || m->a < 0 ? st : add_product(s, m, dst, err);
}

static size_t peft_count(const void *file)
{
    return ((const struct peft_weights *)file)->n;
}

static const struct bt__tensor_info *peft_at(const void *file, size_t i)
{
    return &((const struct peft_weights *)file)->t[i].info;
}

static ptrdiff_t peft_find(const void *file, const char *name)
{
    const struct peft_weights *s = file;
    return bt__names_find(&s->names, name, name_of, s);
}

static const char *peft_part(const void *file, size_t i)
{
    const struct peft_weights *s = file;
    return i == 0 ? s->settings.path : bt__weights_part(s->base, i - 1);
}

/* ── the two kinds of files ── */

static enum bt_status look(const char *dir, const char *name, char **path, struct bt_error *err)
{
    char *file = bt_path_join(dir, name);
    if (!file) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    if (bt__peft_is(dir) && bt_path_exists(file)) {
        *path = file;
        return BT_OK;
    }
    free(file);
    return BT_NOTFOUND;
}

#define ADAPTER_SAFETENSORS "adapter_model.safetensors"
#define ADAPTER_TORCH       "adapter_model.bin"

static enum bt_status look_safetensors(const char *dir, char **path, struct bt_error *err)
{
    return look(dir, ADAPTER_SAFETENSORS, path, err);
}

static enum bt_status look_torch(const char *dir, char **path, struct bt_error *err)
{
    return look(dir, ADAPTER_TORCH, path, err);
}

static enum bt_status open_safetensors(const char *path, void **file, struct bt_error *err)
{
    return open_on_base(path, &bt__weights_safetensors, file, err);
}

static enum bt_status open_torch(const char *path, void **file, struct bt_error *err)
{
    return open_on_base(path, &bt__weights_torch_bin, file, err);
}

#define PEFT_OPS                                                                                             \
    .close = peft_close, .count = peft_count, .at = peft_at, .find = peft_find, .part = peft_part,           \
    .read = peft_read

const struct bt__weights_format bt__weights_peft = {.kind = BT__WEIGHTS_SAFETENSORS,
                                                    .name = ADAPTER_SAFETENSORS,
                                                    .look = look_safetensors,
                                                    .open = open_safetensors,
                                                    PEFT_OPS};
const struct bt__weights_format bt__weights_peft_torch = {
    .kind = BT__WEIGHTS_TORCH_BIN, .name = ADAPTER_TORCH, .look = look_torch, .open = open_torch, PEFT_OPS};
