#include "formats/tensor_file.h"

#include <bertty/str.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool bt__tensor_add_dim(struct bt__tensor_info *info, int64_t d)
{
    if (info->rank == 0) info->count = 1;
    if (info->rank == BT__MAX_RANK || d < 0) return false;
    if (d > 0 && info->count > (size_t)INT64_MAX / 16 / (size_t)d) return false;
    info->shape[info->rank++] = d;
    info->count *= (size_t)d;
    return true;
}

/* ── the file ── */

enum bt_status bt__tensor_file_open(struct bt__tensor_file *f, const char *path, struct bt_error *err)
{
    struct stat info;
    *f = (struct bt__tensor_file){.fd = -1, .path = bt_strdup(path)};
    if (!f->path) return bt_fail(err, BT_NOMEM, "%s: no memory for its name", path);
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (f->fd < 0 && errno == ENOENT) return bt_fail(err, BT_NOTFOUND, "%s: no such file", path);
    if (f->fd < 0) return bt_fail_errno(err, "%s", path);
    if (fstat(f->fd, &info) != 0 || !S_ISREG(info.st_mode))
        return bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    f->size = (uint64_t)info.st_size;
    return BT_OK;
}

void bt__tensor_file_close(struct bt__tensor_file *f)
{
    if (f->fd >= 0) close(f->fd);
    free(f->path);
    *f = (struct bt__tensor_file){.fd = -1};
}

enum bt_status bt__tensor_file_read(const struct bt__tensor_file *f, void *dst, size_t n, uint64_t at,
                                    struct bt_error *err)
{
    char *p = dst;
    while (n > 0) {
        ssize_t got = pread(f->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return bt_fail_errno(err, "%s", f->path);
        if (got == 0)
            return bt_fail(err, BT_DAMAGED, "%s: the file ends at byte %llu, expected more", f->path,
                           (unsigned long long)at);
        p += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return BT_OK;
}

enum bt_status bt__tensor_file_floats(const struct bt__tensor_file *f, enum bt__dtype dtype, uint64_t at,
                                      size_t n, float *dst, struct bt_error *err)
{
    unsigned char buffer[1 << 14];
    size_t each = bt__float_bytes(dtype);
    if (dtype == BT__F32) return bt__tensor_file_read(f, dst, n * sizeof *dst, at, err);
    while (n > 0) {
        size_t some = sizeof buffer / each < n ? sizeof buffer / each : n;
        enum bt_status st = bt__tensor_file_read(f, buffer, some * each, at, err);
        if (st) return st;
        bt__floats_from(dtype, buffer, some, dst);
        dst += some;
        at += some * each;
        n -= some;
    }
    return BT_OK;
}

/* ── elements ── */

size_t bt__float_bytes(enum bt__dtype dtype)
{
    static const unsigned char bytes[BT__OTHER + 1] = {
        [BT__F32] = 4, [BT__F16] = 2, [BT__BF16] = 2, [BT__F64] = 8};
    return bytes[dtype];
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

void bt__floats_from(enum bt__dtype dtype, const unsigned char *from, size_t n, float *to)
{
    if (dtype == BT__F32) memcpy(to, from, n * sizeof *to);
    for (size_t i = 0; i < n && dtype != BT__F32; i++) {
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

/* x − x is 0 for a finite x and NaN for the others. */
bool bt__floats_finite(const float *x, size_t n)
{
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum += x[i] - x[i];
    return sum == 0.0f;
}

/* ── names ── */

static size_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

enum bt_status bt__names_build(struct bt__names *x, size_t n, bt__name_fn *name, const void *ctx,
                               ptrdiff_t *twice, struct bt_error *err)
{
    size_t size = 16;
    *twice = -1;
    while (size < n * 2) size *= 2;
    *x = (struct bt__names){.bucket = calloc(size, sizeof *x->bucket), .mask = size - 1};
    if (!x->bucket) return bt_fail(err, BT_NOMEM, "no memory for %zu names", n);
    for (size_t i = 0; i < n; i++) {
        size_t b = hash(name(ctx, i)) & x->mask;
        for (; x->bucket[b]; b = (b + 1) & x->mask)
            if (strcmp(name(ctx, x->bucket[b] - 1), name(ctx, i)) == 0) *twice = (ptrdiff_t)i;
        x->bucket[b] = (uint32_t)i + 1;
    }
    return BT_OK;
}

ptrdiff_t bt__names_find(const struct bt__names *x, const char *what, bt__name_fn *name, const void *ctx)
{
    for (size_t b = hash(what) & x->mask; x->bucket && x->bucket[b]; b = (b + 1) & x->mask)
        if (strcmp(name(ctx, x->bucket[b] - 1), what) == 0) return (ptrdiff_t)x->bucket[b] - 1;
    return -1;
}

void bt__names_free(struct bt__names *x)
{
    free(x->bucket);
    *x = (struct bt__names){.mask = 0};
}
