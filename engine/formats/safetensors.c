#include "formats/safetensors.h"

#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_HEADER = 100 << 20 };

struct tensor {
    struct bt__tensor_info info;
    uint64_t begin, end; /* bytes, from the end of the header */
};

struct bt__safetensors {
    struct bt__tensor_file file;
    uint64_t data; /* offset of the first tensor's bytes */
    uint64_t size; /* bytes behind the header */
    struct bt_json *header;
    struct tensor *t;
    size_t n;
    struct bt__names names;
};

static const struct {
    const char *name;
    enum bt__dtype dtype;
    size_t bytes;
} dtypes[] = {
    {.name = "F32", .dtype = BT__F32, .bytes = 4},      {.name = "F16", .dtype = BT__F16, .bytes = 2},
    {.name = "BF16", .dtype = BT__BF16, .bytes = 2},    {.name = "F64", .dtype = BT__F64, .bytes = 8},
    {.name = "I64", .dtype = BT__I64, .bytes = 8},      {.name = "I32", .dtype = BT__I32, .bytes = 4},
    {.name = "U8", .dtype = BT__U8, .bytes = 1},        {.name = "I8", .dtype = BT__OTHER, .bytes = 1},
    {.name = "BOOL", .dtype = BT__OTHER, .bytes = 1},   {.name = "I16", .dtype = BT__OTHER, .bytes = 2},
    {.name = "U16", .dtype = BT__OTHER, .bytes = 2},    {.name = "U32", .dtype = BT__OTHER, .bytes = 4},
    {.name = "U64", .dtype = BT__OTHER, .bytes = 8},    {.name = "F8_E4M3", .dtype = BT__OTHER, .bytes = 1},
    {.name = "F8_E5M2", .dtype = BT__OTHER, .bytes = 1}};

static enum bt_status read_dtype(const struct bt__safetensors *s, struct tensor *t, const struct bt_json *v,
                                 size_t *bytes, struct bt_error *err)
{
    const char *name = bt_json_text(bt_json_get(v, "dtype"), "");
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            t->info.dtype = dtypes[i].dtype;
            *bytes = dtypes[i].bytes;
            return BT_OK;
        }
    return bt_fail(err, BT_INVALID, "%s: tensor %s: dtype \"%.20s\" is unknown", s->file.path, t->info.name,
                   name);
}

static enum bt_status read_shape(const struct bt__safetensors *s, struct tensor *t, const struct bt_json *v,
                                 struct bt_error *err)
{
    const struct bt_json *shape = bt_json_get(v, "shape");
    size_t rank = bt_json_len(shape);
    if (bt_json_kind(shape) != BT_JSON_ARRAY || rank > BT__MAX_RANK)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: shape must be a list of at most %d numbers",
                       s->file.path, t->info.name, BT__MAX_RANK);
    t->info.count = 1;
    for (size_t i = 0; i < rank; i++) {
        if (!bt__tensor_add_dim(&t->info, bt_json_int(bt_json_at(shape, i), -1)))
            return bt_fail(err, BT_INVALID, "%s: tensor %s: its shape overflows or is negative", s->file.path,
                           t->info.name);
    }
    return BT_OK;
}

static enum bt_status read_entry(const struct bt__safetensors *s, struct tensor *t, const struct bt_json *v,
                                 struct bt_error *err)
{
    size_t bytes = 0;
    if (bt_json_kind(v) != BT_JSON_OBJECT)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: its entry is not an object", s->file.path,
                       t->info.name);
    enum bt_status st = read_dtype(s, t, v, &bytes, err);
    if (!st) st = read_shape(s, t, v, err);
    if (st) return st;
    const struct bt_json *offsets = bt_json_get(v, "data_offsets");
    int64_t begin = bt_json_int(bt_json_at(offsets, 0), -1), end = bt_json_int(bt_json_at(offsets, 1), -1);
    if (bt_json_len(offsets) != 2 || begin < 0 || end < begin || (uint64_t)end > s->size)
        return bt_fail(err, BT_DAMAGED,
                       "%s: tensor %s: data_offsets [%lld, %lld] are not inside the file's %llu data bytes",
                       s->file.path, t->info.name, (long long)begin, (long long)end,
                       (unsigned long long)s->size);
    t->begin = (uint64_t)begin;
    t->end = (uint64_t)end;
    if (t->end - t->begin != (uint64_t)t->info.count * bytes)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s: %llu bytes, its shape and dtype need %llu",
                       s->file.path, t->info.name, (unsigned long long)(t->end - t->begin),
                       (unsigned long long)t->info.count * bytes);
    return BT_OK;
}

static int by_begin(const void *a, const void *b)
{
    const struct tensor *x = *(struct tensor *const *)a, *y = *(struct tensor *const *)b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The tensors must cover the data without overlap, hole or rest. */
static enum bt_status check_cover(const struct bt__safetensors *s, struct bt_error *err)
{
    struct tensor **order = malloc((s->n + 1) * sizeof *order);
    if (!order) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu tensors", s->file.path, s->n);
    for (size_t i = 0; i < s->n; i++) order[i] = &s->t[i];
    qsort(order, s->n, sizeof *order, by_begin);
    uint64_t at = 0;
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < s->n && !st; i++) {
        if (order[i]->begin != at)
            st = bt_fail(err, BT_DAMAGED, "%s: tensor %s begins at byte %llu, expected %llu: %s",
                         s->file.path, order[i]->info.name, (unsigned long long)order[i]->begin,
                         (unsigned long long)at, order[i]->begin < at ? "it overlaps another" : "a hole");
        at = order[i]->end;
    }
    free(order);
    if (!st && at != s->size)
        st = bt_fail(err, BT_DAMAGED, "%s: %llu data bytes, the tensors end at %llu", s->file.path,
                     (unsigned long long)s->size, (unsigned long long)at);
    return st;
}

static const char *name_of(const void *ctx, size_t i)
{
    const struct bt__safetensors *s = ctx;
    return s->t[i].info.name;
}

static enum bt_status read_header(struct bt__safetensors *s, uint64_t file_size, struct bt_error *err)
{
    unsigned char head[8];
    uint64_t n = 0;
    if (file_size < 8)
        return bt_fail(err, BT_DAMAGED, "%s: %llu bytes, too short for a safetensors file", s->file.path,
                       (unsigned long long)file_size);
    enum bt_status st = bt__tensor_file_read(&s->file, head, sizeof head, 0, err);
    if (st) return st;
    for (int i = 7; i >= 0; i--) n = n << 8 | head[i];
    if (n > LARGEST_HEADER || n > file_size - 8)
        return bt_fail(err, BT_DAMAGED, "%s: a header of %llu bytes in a file of %llu", s->file.path,
                       (unsigned long long)n, (unsigned long long)file_size);
    s->data = 8 + n;
    s->size = file_size - s->data;
    char *text = malloc((size_t)n + 1);
    if (!text)
        return bt_fail(err, BT_NOMEM, "%s: no memory for a header of %llu bytes", s->file.path,
                       (unsigned long long)n);
    st = bt__tensor_file_read(&s->file, text, (size_t)n, 8, err);
    if (!st) {
        struct bt_error why;
        s->header = bt_json_parse(text, (size_t)n, s->file.path, &why);
        if (!s->header) st = bt_fail(err, why.status == BT_NOMEM ? BT_NOMEM : BT_DAMAGED, "%s", why.text);
    }
    free(text);
    if (!st && bt_json_kind(s->header) != BT_JSON_OBJECT)
        st = bt_fail(err, BT_DAMAGED, "%s: its header is not a JSON object", s->file.path);
    return st;
}

static enum bt_status read_entries(struct bt__safetensors *s, struct bt_error *err)
{
    s->t = calloc(bt_json_len(s->header) + 1, sizeof *s->t);
    if (!s->t) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->file.path);
    for (const void *it = bt_json_first(s->header); it; it = bt_json_next(s->header, it)) {
        if (strcmp(bt_json_key(it), "__metadata__") == 0) continue;
        struct tensor *t = &s->t[s->n++];
        t->info.name = bt_json_key(it);
        enum bt_status st = read_entry(s, t, bt_json_value(it), err);
        if (st) return st;
    }
    ptrdiff_t twice; /* never: duplicate keys are no JSON here */
    enum bt_status st = check_cover(s, err);
    return st ? st : bt__names_build(&s->names, s->n, name_of, s, &twice, err);
}

enum bt_status bt__safetensors_open(const char *path, struct bt__safetensors **out, struct bt_error *err)
{
    struct bt__safetensors *s = calloc(1, sizeof *s);
    if (!s) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    enum bt_status st = bt__tensor_file_open(&s->file, path, err);
    if (!st) st = read_header(s, s->file.size, err);
    if (!st) st = read_entries(s, err);
    if (st) {
        bt__safetensors_close(s);
        return st;
    }
    *out = s;
    return BT_OK;
}

void bt__safetensors_close(struct bt__safetensors *s)
{
    if (!s) return;
    bt__tensor_file_close(&s->file);
    if (s->header) bt_json_free(s->header);
    free(s->t);
    bt__names_free(&s->names);
    free(s);
}

size_t bt__safetensors_count(const struct bt__safetensors *s)
{
    return s->n;
}

const struct bt__tensor_info *bt__safetensors_at(const struct bt__safetensors *s, size_t i)
{
    return &s->t[i].info;
}

ptrdiff_t bt__safetensors_find(const struct bt__safetensors *s, const char *name)
{
    return bt__names_find(&s->names, name, name_of, s);
}

enum bt_status bt__safetensors_read_f32(const struct bt__safetensors *s, size_t i, float *dst,
                                        int check_finite, struct bt_error *err)
{
    const struct tensor *t = &s->t[i];
    if (!bt__float_bytes(t->info.dtype))
        return bt_fail(err, BT_INVALID, "%s: tensor %s holds integers, expected floating-point numbers",
                       s->file.path, t->info.name);
    enum bt_status st =
        bt__tensor_file_floats(&s->file, t->info.dtype, s->data + t->begin, t->info.count, dst, err);
    if (st || !check_finite || bt__floats_finite(dst, t->info.count)) return st;
    return bt_fail(err, BT_INVALID, "%s: tensor %s holds NaN or infinite values", s->file.path, t->info.name);
}
