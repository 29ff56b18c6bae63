#include "formats/safetensors.h"

#include <bertty/json.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_HEADER = 100 << 20, MAX_RANK = 8 };

struct tensor {
    struct bt__tensor_info info;
    uint64_t begin, end; /* bytes, from the end of the header */
};

struct bt__safetensors {
    int fd;
    char *path;
    uint64_t data; /* offset of the first tensor's bytes */
    uint64_t size; /* bytes behind the header */
    struct bt_json *header;
    struct tensor *t;
    size_t n;
    uint32_t *bucket; /* hash table of indices + 1; mask + 1 of them */
    size_t mask;
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

/* Reads exactly n bytes at an offset; a file that ends before is damaged. */
static enum bt_status read_at(const struct bt__safetensors *s, void *dst, size_t n, uint64_t at,
                              struct bt_error *err)
{
    char *p = dst;
    while (n > 0) {
        ssize_t got = pread(s->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return bt_fail_errno(err, "%s", s->path);
        if (got == 0)
            return bt_fail(err, BT_DAMAGED, "%s: the file ends at byte %llu, expected more", s->path,
                           (unsigned long long)at);
        p += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return BT_OK;
}

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
    return bt_fail(err, BT_INVALID, "%s: tensor %s: dtype \"%.20s\" is unknown", s->path, t->info.name, name);
}

static enum bt_status read_shape(const struct bt__safetensors *s, struct tensor *t, const struct bt_json *v,
                                 struct bt_error *err)
{
    const struct bt_json *shape = bt_json_get(v, "shape");
    size_t rank = bt_json_len(shape);
    if (bt_json_kind(shape) != BT_JSON_ARRAY || rank > MAX_RANK)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: shape must be a list of at most %d numbers", s->path,
                       t->info.name, MAX_RANK);
    t->info.rank = (int)rank;
    t->info.count = 1;
    for (size_t i = 0; i < rank; i++) {
        int64_t d = bt_json_int(bt_json_at(shape, i), -1);
        if (d < 0 || (d > 0 && t->info.count > (size_t)INT64_MAX / 16 / (size_t)d))
            return bt_fail(err, BT_INVALID, "%s: tensor %s: its shape overflows or is negative", s->path,
                           t->info.name);
        t->info.shape[i] = d;
        t->info.count *= (size_t)d;
    }
    return BT_OK;
}

static enum bt_status read_entry(const struct bt__safetensors *s, struct tensor *t, const struct bt_json *v,
                                 struct bt_error *err)
{
    size_t bytes = 0;
    if (bt_json_kind(v) != BT_JSON_OBJECT)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: its entry is not an object", s->path, t->info.name);
    enum bt_status st = read_dtype(s, t, v, &bytes, err);
    if (!st) st = read_shape(s, t, v, err);
    if (st) return st;
    const struct bt_json *offsets = bt_json_get(v, "data_offsets");
    int64_t begin = bt_json_int(bt_json_at(offsets, 0), -1), end = bt_json_int(bt_json_at(offsets, 1), -1);
    if (bt_json_len(offsets) != 2 || begin < 0 || end < begin || (uint64_t)end > s->size)
        return bt_fail(err, BT_DAMAGED,
                       "%s: tensor %s: data_offsets [%lld, %lld] are not inside the file's %llu data bytes",
                       s->path, t->info.name, (long long)begin, (long long)end, (unsigned long long)s->size);
    t->begin = (uint64_t)begin;
    t->end = (uint64_t)end;
    if (t->end - t->begin != (uint64_t)t->info.count * bytes)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s: %llu bytes, its shape and dtype need %llu", s->path,
                       t->info.name, (unsigned long long)(t->end - t->begin),
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
    if (!order) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu tensors", s->path, s->n);
    for (size_t i = 0; i < s->n; i++) order[i] = &s->t[i];
    qsort(order, s->n, sizeof *order, by_begin);
    uint64_t at = 0;
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < s->n && !st; i++) {
        if (order[i]->begin != at)
            st = bt_fail(err, BT_DAMAGED, "%s: tensor %s begins at byte %llu, expected %llu: %s", s->path,
                         order[i]->info.name, (unsigned long long)order[i]->begin, (unsigned long long)at,
                         order[i]->begin < at ? "it overlaps another" : "a hole");
        at = order[i]->end;
    }
    free(order);
    if (!st && at != s->size)
        st = bt_fail(err, BT_DAMAGED, "%s: %llu data bytes, the tensors end at %llu", s->path,
                     (unsigned long long)s->size, (unsigned long long)at);
    return st;
}

static size_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

static enum bt_status build_index(struct bt__safetensors *s, struct bt_error *err)
{
    size_t size = 16;
    while (size < s->n * 2) size *= 2;
    s->mask = size - 1;
    s->bucket = calloc(size, sizeof *s->bucket);
    if (!s->bucket) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu tensors", s->path, s->n);
    for (size_t i = 0; i < s->n; i++) {
        size_t b = hash(s->t[i].info.name) & s->mask;
        while (s->bucket[b]) b = (b + 1) & s->mask;
        s->bucket[b] = (uint32_t)i + 1;
    }
    return BT_OK;
}

static enum bt_status read_header(struct bt__safetensors *s, uint64_t file_size, struct bt_error *err)
{
    unsigned char head[8];
    uint64_t n = 0;
    if (file_size < 8)
        return bt_fail(err, BT_DAMAGED, "%s: %llu bytes, too short for a safetensors file", s->path,
                       (unsigned long long)file_size);
    enum bt_status st = read_at(s, head, sizeof head, 0, err);
    if (st) return st;
    for (int i = 7; i >= 0; i--) n = n << 8 | head[i];
    if (n > LARGEST_HEADER || n > file_size - 8)
        return bt_fail(err, BT_DAMAGED, "%s: a header of %llu bytes in a file of %llu", s->path,
                       (unsigned long long)n, (unsigned long long)file_size);
    s->data = 8 + n;
    s->size = file_size - s->data;
    char *text = malloc((size_t)n + 1);
    if (!text)
        return bt_fail(err, BT_NOMEM, "%s: no memory for a header of %llu bytes", s->path,
                       (unsigned long long)n);
    st = read_at(s, text, (size_t)n, 8, err);
    if (!st) {
        struct bt_error why;
        s->header = bt_json_parse(text, (size_t)n, s->path, &why);
        if (!s->header) st = bt_fail(err, why.status == BT_NOMEM ? BT_NOMEM : BT_DAMAGED, "%s", why.text);
    }
    free(text);
    if (!st && bt_json_kind(s->header) != BT_JSON_OBJECT)
        st = bt_fail(err, BT_DAMAGED, "%s: its header is not a JSON object", s->path);
    return st;
}

static enum bt_status read_entries(struct bt__safetensors *s, struct bt_error *err)
{
    s->t = calloc(bt_json_len(s->header) + 1, sizeof *s->t);
    if (!s->t) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->path);
    for (const void *it = bt_json_first(s->header); it; it = bt_json_next(s->header, it)) {
        if (strcmp(bt_json_key(it), "__metadata__") == 0) continue;
        struct tensor *t = &s->t[s->n++];
        t->info.name = bt_json_key(it);
        enum bt_status st = read_entry(s, t, bt_json_value(it), err);
        if (st) return st;
    }
    enum bt_status st = check_cover(s, err);
    return st ? st : build_index(s, err);
}

enum bt_status bt__safetensors_open(const char *path, struct bt__safetensors **out, struct bt_error *err)
{
    struct stat info;
    struct bt__safetensors *s = calloc(1, sizeof *s);
    if (!s) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    s->path = bt_strdup(path);
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum bt_status st = BT_OK;
    if (s->fd < 0 && errno == ENOENT)
        st = bt_fail(err, BT_NOTFOUND, "%s: no such file", path);
    else if (s->fd < 0)
        st = bt_fail_errno(err, "%s", path);
    else if (fstat(s->fd, &info) != 0 || !S_ISREG(info.st_mode))
        st = bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    if (!st && !s->path) st = bt_fail(err, BT_NOMEM, "%s: no memory", path);
    if (!st) st = read_header(s, (uint64_t)info.st_size, err);
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
    if (s->fd >= 0) close(s->fd);
    if (s->header) bt_json_free(s->header);
    free(s->path);
    free(s->t);
    free(s->bucket);
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
    for (size_t b = hash(name) & s->mask; s->bucket[b]; b = (b + 1) & s->mask)
        if (strcmp(s->t[s->bucket[b] - 1].info.name, name) == 0) return (ptrdiff_t)s->bucket[b] - 1;
    return -1;
}

const char *bt__safetensors_meta(const struct bt__safetensors *s, const char *key)
{
    return bt_json_text(bt_json_get(bt_json_get(s->header, "__metadata__"), key), NULL);
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float f = (float)fraction * 0x1p-24f; /* zero or subnormal */
    return sign ? -f : f;
}

/* n elements of a dtype other than F32, as floats. */
static void convert(enum bt__dtype dtype, const unsigned char *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        double wide;
        if (dtype == BT__F64) {
            memcpy(&wide, from + 8 * i, sizeof wide);
            to[i] = (float)wide;
            continue;
        }
        memcpy(&half, from + 2 * i, sizeof half);
        to[i] = dtype == BT__F16 ? from_half(half) : from_bits((uint32_t)half << 16);
    }
}

static enum bt_status read_converted(const struct bt__safetensors *s, const struct tensor *t, float *dst,
                                     struct bt_error *err)
{
    unsigned char buffer[1 << 14];
    size_t each = t->info.dtype == BT__F64 ? 8 : 2;
    for (size_t i = 0; i < t->info.count;) {
        size_t n = sizeof buffer / each < t->info.count - i ? sizeof buffer / each : t->info.count - i;
        enum bt_status st = read_at(s, buffer, n * each, s->data + t->begin + i * each, err);
        if (st) return st;
        convert(t->info.dtype, buffer, n, dst + i);
        i += n;
    }
    return BT_OK;
}

/* x − x is 0 for a finite x and NaN for the others. */
static bool all_finite(const float *x, size_t n)
{
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum += x[i] - x[i];
    return sum == 0.0f;
}

enum bt_status bt__safetensors_read_f32(const struct bt__safetensors *s, size_t i, float *dst,
                                        int check_finite, struct bt_error *err)
{
    const struct tensor *t = &s->t[i];
    enum bt_status st;
    if (t->info.dtype == BT__F32)
        st = read_at(s, dst, t->info.count * sizeof *dst, s->data + t->begin, err);
    else if (t->info.dtype == BT__F16 || t->info.dtype == BT__BF16 || t->info.dtype == BT__F64)
        st = read_converted(s, t, dst, err);
    else
        st = bt_fail(err, BT_INVALID, "%s: tensor %s holds integers, expected floating-point numbers",
                     s->path, t->info.name);
    if (st || !check_finite || all_finite(dst, t->info.count)) return st;
    return bt_fail(err, BT_INVALID, "%s: tensor %s holds NaN or infinite values", s->path, t->info.name);
}
