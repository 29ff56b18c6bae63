#include "formats/torch_bin.h"

#include "formats/torch_parts.h"
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 512 };

struct tensor {
    struct bt__tensor_info info;
    char *name;
    uint64_t at;                  /* offset of its first element in the file */
    uint64_t span;                /* elements from the first to the last in memory, both included */
    int64_t stride[BT__MAX_RANK]; /* elements */
};

struct bt__torch_bin {
    struct bt__torch_source source;
    struct tensor *t;
    size_t n;
    struct bt__names names;
};

/* ── tensors ── */

static enum bt_status wrong(const struct bt__torch_bin *b, const struct tensor *t, const char *what,
                            struct bt_error *err)
{
    return bt_fail(err, BT_DAMAGED, "%s: tensor %s: %s", b->source.file.path, t->name, what);
}

static enum bt_status read_shape(const struct bt__torch_bin *b, struct tensor *t,
                                 const struct bt__pickle_value *size, const struct bt__pickle_value *stride,
                                 struct bt_error *err)
{
    const struct bt__pickle *p = &b->source.pickle;
    if (size->kind != BT__PICKLE_TUPLE || stride->kind != BT__PICKLE_TUPLE || size->n != stride->n ||
        size->n > BT__MAX_RANK)
        return wrong(b, t, "its shape and strides are not two tuples of at most 8 numbers", err);
    for (uint32_t i = 0; i < size->n; i++) {
        const struct bt__pickle_value *d = bt__pickle_item(p, size, i), *s = bt__pickle_item(p, stride, i);
        if (d->kind != BT__PICKLE_INT || s->kind != BT__PICKLE_INT || s->as.integer < 0 ||
            !bt__tensor_add_dim(&t->info, d->as.integer))
            return wrong(b, t, "its shape overflows or is negative", err);
        t->stride[i] = s->as.integer;
    }
    return BT_OK;
}

/* The last element must lie in the storage: offset + Σ (size − 1) · stride < elements. */
static enum bt_status check_bounds(const struct bt__torch_bin *b, struct tensor *t,
                                   const struct bt__torch_storage *s, int64_t offset, struct bt_error *err)
{
    uint64_t last = offset < 0 ? UINT64_MAX : (uint64_t)offset;
    bool inside = last <= s->count;
    for (int i = 0; i < t->info.rank && inside && t->info.count; i++) {
        uint64_t steps = (uint64_t)t->info.shape[i] - 1, stride = (uint64_t)t->stride[i];
        inside = steps == 0 || stride <= (s->count - last) / steps;
        if (inside) last += steps * stride;
    }
    if (!inside || (t->info.count && last >= s->count))
        return wrong(b, t, "its offset, shape and strides reach outside its storage", err);
    t->at = s->at + (uint64_t)offset * s->type->bytes;
    t->span = t->info.count ? last - (uint64_t)offset + 1 : 0;
    return BT_OK;
}

static enum bt_status add_tensor(struct bt__torch_bin *b, const struct bt__pickle_value *key,
                                 const struct bt__pickle_value *v, struct bt_error *err)
{
    struct bt__torch_source *s = &b->source;
    struct tensor *t = &b->t[b->n++];
    if (key->kind != BT__PICKLE_TEXT || key->n > LONGEST_NAME || memchr(key->as.text, 0, key->n))
        return bt_fail(err, BT_DAMAGED, "%s: a tensor without a proper name", s->file.path);
    t->name = bt_strndup(key->as.text, key->n);
    if (!t->name) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->file.path);
    t->info = (struct bt__tensor_info){.name = t->name, .count = 1};
    if (v->n < 6) return wrong(b, t, "too few arguments", err);
    const struct bt__torch_storage *x = &s->storage[v->as.item[0]];
    const struct bt__pickle_value *offset = bt__pickle_item(&s->pickle, v, 1);
    if (!x->key || offset->kind != BT__PICKLE_INT) return wrong(b, t, "no storage or no offset", err);
    t->info.dtype = x->type->dtype;
    enum bt_status st =
        read_shape(b, t, bt__pickle_item(&s->pickle, v, 2), bt__pickle_item(&s->pickle, v, 3), err);
    return st ? st : check_bounds(b, t, x, offset->as.integer, err);
}

static size_t count_tensors(const struct bt__pickle *p, const struct bt__pickle_value *dict)
{
    size_t n = 0;
    for (size_t i = 1; dict->kind == BT__PICKLE_DICT && i < dict->n; i += 2)
        n += bt__pickle_item(p, dict, i)->kind == BT__PICKLE_TENSOR;
    return n;
}

/* The dict that holds tensors: the outer one, or one that training scripts put it in. */
static const struct bt__pickle_value *find_dict(const struct bt__pickle *p)
{
    static const char *const keys[] = {"state_dict", "model_state_dict", "model"};
    const struct bt__pickle_value *root = &p->v[p->root];
    if (count_tensors(p, root)) return root;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct bt__pickle_value *inner = bt__pickle_get(p, root, keys[i]);
        if (inner && count_tensors(p, inner)) return inner;
    }
    return NULL;
}

static const char *name_of(const void *ctx, size_t i)
{
    const struct bt__torch_bin *b = ctx;
    return b->t[i].name;
}

static enum bt_status read_tensors(struct bt__torch_bin *b, struct bt_error *err)
{
    const struct bt__pickle *p = &b->source.pickle;
    const struct bt__pickle_value *dict = find_dict(p);
    if (!dict) return bt_fail(err, BT_INVALID, "%s: holds no dict of tensors", b->source.file.path);
    enum bt_status st = BT_OK;
    b->t = calloc(count_tensors(p, dict), sizeof *b->t);
    if (!b->t) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", b->source.file.path);
    for (size_t i = 0; i + 1 < dict->n && !st; i += 2)
        if (bt__pickle_item(p, dict, i + 1)->kind == BT__PICKLE_TENSOR)
            st = add_tensor(b, bt__pickle_item(p, dict, i), bt__pickle_item(p, dict, i + 1), err);
    ptrdiff_t twice = -1;
    if (!st) st = bt__names_build(&b->names, b->n, name_of, b, &twice, err);
    return !st && twice >= 0 ? wrong(b, &b->t[twice], "occurs twice", err) : st;
}

/* ── the file ── */

static enum bt_status open_source(struct bt__torch_source *s, const char *path, struct bt_error *err)
{
    unsigned char head[4];
    enum bt_status st = bt__tensor_file_open(&s->file, path, err);
    if (st) return st;
    if (s->file.size < sizeof head)
        return bt_fail(err, BT_DAMAGED, "%s: %llu bytes, too short for a file of torch.save", path,
                       (unsigned long long)s->file.size);
    st = bt__tensor_file_read(&s->file, head, sizeof head, 0, err);
    if (st) return st;
    return bt__zip_is(head, sizeof head) ? bt__torch_zip_source(s, err) : bt__torch_stream_source(s, err);
}

enum bt_status bt__torch_bin_open(const char *path, struct bt__torch_bin **out, struct bt_error *err)
{
    struct bt__torch_bin *b = calloc(1, sizeof *b);
    if (!b) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    enum bt_status st = open_source(&b->source, path, err);
    if (!st) st = read_tensors(b, err);
    if (st) {
        bt__torch_bin_close(b);
        return st;
    }
    *out = b;
    return BT_OK;
}

void bt__torch_bin_close(struct bt__torch_bin *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->n; i++) free(b->t[i].name);
    free(b->t);
    bt__names_free(&b->names);
    bt__torch_source_free(&b->source);
    free(b);
}

size_t bt__torch_bin_count(const struct bt__torch_bin *b)
{
    return b->n;
}

const struct bt__tensor_info *bt__torch_bin_at(const struct bt__torch_bin *b, size_t i)
{
    return &b->t[i].info;
}

ptrdiff_t bt__torch_bin_find(const struct bt__torch_bin *b, const char *name)
{
    return bt__names_find(&b->names, name, name_of, b);
}

/* ── elements ── */

static bool row_major(const struct tensor *t)
{
    int64_t expected = 1;
    if (!t->info.count) return true;
    for (int i = t->info.rank - 1; i >= 0; i--) {
        if (t->info.shape[i] != 1 && t->stride[i] != expected) return false;
        expected *= t->info.shape[i];
    }
    return true;
}

/* Picks a tensor's elements, row-major, out of the stretch of storage from its first to its last. */
static void gather(const struct tensor *t, const unsigned char *from, float *dst)
{
    int64_t at[BT__MAX_RANK] = {0};
    size_t each = bt__float_bytes(t->info.dtype);
    int64_t element = 0;
    for (size_t k = 0; k < t->info.count; k++) {
        bt__floats_from(t->info.dtype, from + (size_t)element * each, 1, dst + k);
        for (int i = t->info.rank - 1; i >= 0; i--) {
            if (t->info.shape[i] == 1) continue;
            element += t->stride[i];
            if (++at[i] < t->info.shape[i]) break;
            element -= at[i] * t->stride[i];
            at[i] = 0;
        }
    }
}

static enum bt_status read_strided(const struct bt__torch_bin *b, const struct tensor *t, float *dst,
                                   struct bt_error *err)
{
    size_t n = (size_t)t->span * bt__float_bytes(t->info.dtype); /* not more than the file has */
    unsigned char *bytes = malloc(n + 1);
    if (!bytes)
        return bt_fail(err, BT_NOMEM, "%s: tensor %s: no memory for %zu bytes", b->source.file.path, t->name,
                       n);
    enum bt_status st = bt__tensor_file_read(&b->source.file, bytes, n, t->at, err);
    if (!st) gather(t, bytes, dst);
    free(bytes);
    return st;
}

enum bt_status bt__torch_bin_read_f32(const struct bt__torch_bin *b, size_t i, float *dst, int check_finite,
                                      struct bt_error *err)
{
    const struct tensor *t = &b->t[i];
    const char *path = b->source.file.path;
    if (!bt__float_bytes(t->info.dtype))
        return bt_fail(err, BT_INVALID, "%s: tensor %s holds integers, expected floating-point numbers", path,
                       t->name);
    enum bt_status st =
        row_major(t) ? bt__tensor_file_floats(&b->source.file, t->info.dtype, t->at, t->info.count, dst, err)
                     : read_strided(b, t, dst, err);
    if (st || !check_finite || bt__floats_finite(dst, t->info.count)) return st;
    return bt_fail(err, BT_INVALID, "%s: tensor %s holds NaN or infinite values", path, t->name);
}
