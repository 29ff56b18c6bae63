/* The messages are those of tensorflow/core/protobuf/tensor_bundle.proto and framework/{types,tensor_shape}.proto. */
#include "formats/tf_bundle.h"

#include "base/crc32c.h"
#include "formats/tf_names.h"
#include "formats/tf_table.h"
#include <bertty/file.h>
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_INDEX = 64 << 20, MOST_SHARDS = 256, LONGEST_NAME = 1100, TILE = 16 };

struct entry {
    struct bt__tensor_info info;
    char *name;     /* transformers' */
    char *variable; /* TensorFlow's: for messages */
    enum bt__tf_kind kind;
    uint64_t at, bytes; /* in its shard */
    int64_t shard;
    uint32_t crc;
    size_t element; /* bytes; 0: they vary */
};

struct bt__tf_bundle {
    char *index;                   /* path */
    char *prefix;                  /* of the shards' paths */
    struct bt__tensor_file *shard; /* [shards] */
    int shards;
    struct entry *t;
    size_t n, room;
    struct bt__names names;
};

/* By enum DataType of types.proto. */
static const struct {
    enum bt__dtype dtype;
    unsigned char bytes;
    bool known;
} dtypes[] = {
    [1] = {.dtype = BT__F32, .bytes = 4, .known = true},     /* float */
    [2] = {.dtype = BT__F64, .bytes = 8, .known = true},     /* double */
    [3] = {.dtype = BT__I32, .bytes = 4, .known = true},     /* int32 */
    [4] = {.dtype = BT__U8, .bytes = 1, .known = true},      /* uint8 */
    [5] = {.dtype = BT__OTHER, .bytes = 2, .known = true},   /* int16 */
    [6] = {.dtype = BT__OTHER, .bytes = 1, .known = true},   /* int8 */
    [7] = {.dtype = BT__OTHER, .bytes = 0, .known = true},   /* string */
    [8] = {.dtype = BT__OTHER, .bytes = 8, .known = true},   /* complex64 */
    [9] = {.dtype = BT__I64, .bytes = 8, .known = true},     /* int64 */
    [10] = {.dtype = BT__OTHER, .bytes = 1, .known = true},  /* bool */
    [14] = {.dtype = BT__BF16, .bytes = 2, .known = true},   /* bfloat16 */
    [17] = {.dtype = BT__OTHER, .bytes = 2, .known = true},  /* uint16 */
    [18] = {.dtype = BT__OTHER, .bytes = 16, .known = true}, /* complex128 */
    [19] = {.dtype = BT__F16, .bytes = 2, .known = true},    /* half */
    [21] = {.dtype = BT__OTHER, .bytes = 0, .known = true},  /* variant */
    [22] = {.dtype = BT__OTHER, .bytes = 4, .known = true},  /* uint32 */
    [23] = {.dtype = BT__OTHER, .bytes = 8, .known = true},  /* uint64 */
};

/* ── the header ── */

static enum bt_status open_shards(struct bt__tf_bundle *b, struct bt_error *err)
{
    b->shard = calloc((size_t)b->shards, sizeof *b->shard);
    if (!b->shard) return bt_fail(err, BT_NOMEM, "%s: no memory for %d shards", b->index, b->shards);
    for (int i = 0; i < b->shards; i++) b->shard[i].fd = -1;
    for (int i = 0; i < b->shards; i++) {
        char *path = bt_strfmt("%s.data-%05d-of-%05d", b->prefix, i, b->shards);
        enum bt_status st = path ? bt__tensor_file_open(&b->shard[i], path, err)
                                 : bt_fail(err, BT_NOMEM, "%s: no memory for a name", b->index);
        free(path);
        if (st) return st;
    }
    return BT_OK;
}

static enum bt_status read_header(struct bt__tf_bundle *b, struct bt__bytes v, struct bt_error *err)
{
    struct bt__field f;
    uint64_t shards = 0, big_endian = 0;
    int more;
    while ((more = bt__field_next(&v, &f)) > 0) {
        if (f.wire != BT__WIRE_VARINT) continue;
        if (f.number == 1) shards = f.value;
        if (f.number == 2) big_endian = f.value;
    }
    if (more < 0) return bt_fail(err, BT_DAMAGED, "%s: its header cannot be read", b->index);
    if (big_endian)
        return bt_fail(err, BT_UNSUPPORTED, "%s: written big-endian, expected little-endian", b->index);
    if (shards < 1 || shards > MOST_SHARDS)
        return bt_fail(err, BT_INVALID, "%s: %llu shards, expected 1 to %d", b->index,
                       (unsigned long long)shards, MOST_SHARDS);
    b->shards = (int)shards;
    return open_shards(b, err);
}

/* ── entries ── */

static enum bt_status refuse(const struct bt__tf_bundle *b, const struct entry *e, enum bt_status st,
                             const char *what, struct bt_error *err)
{
    return bt_fail(err, st, "%s: tensor %s: %s", b->index, e->variable, what);
}

/* A TensorShapeProto. */
static bool read_shape(struct bt__bytes v, struct bt__tensor_info *info)
{
    struct bt__field f, d;
    int more, inner = 0;
    while ((more = bt__field_next(&v, &f)) > 0) {
        if (f.number == 3 && f.value) return false; /* of unknown rank */
        if (f.number != 2 || f.wire != BT__WIRE_BYTES) continue;
        uint64_t size = 0;
        while ((inner = bt__field_next(&f.bytes, &d)) > 0)
            if (d.number == 1 && d.wire == BT__WIRE_VARINT) size = d.value;
        if (inner < 0 || size > INT64_MAX || !bt__tensor_add_dim(info, (int64_t)size)) return false;
    }
    return more == 0;
}

/* A BundleEntryProto. */
static enum bt_status read_entry(const struct bt__tf_bundle *b, struct entry *e, struct bt__bytes v,
                                 struct bt_error *err)
{
    struct bt__field f;
    uint64_t dtype = 0, shard = 0;
    int more;
    e->info.count = 1;
    while ((more = bt__field_next(&v, &f)) > 0) {
        if (f.number == 1 && f.wire == BT__WIRE_VARINT) dtype = f.value;
        if (f.number == 2 && f.wire == BT__WIRE_BYTES && !read_shape(f.bytes, &e->info))
            return refuse(b, e, BT_INVALID, "its shape is unknown, too large or negative", err);
        if (f.number == 3 && f.wire == BT__WIRE_VARINT) shard = f.value;
        if (f.number == 4 && f.wire == BT__WIRE_VARINT) e->at = f.value;
        if (f.number == 5 && f.wire == BT__WIRE_VARINT) e->bytes = f.value;
        if (f.number == 6 && f.wire == BT__WIRE_32) e->crc = (uint32_t)f.value;
        if (f.number == 7)
            return refuse(b, e, BT_UNSUPPORTED, "it is stored in slices, expected one piece", err);
    }
    if (more < 0) return refuse(b, e, BT_DAMAGED, "its entry cannot be read", err);
    if (dtype >= sizeof dtypes / sizeof *dtypes || !dtypes[dtype].known)
        return bt_fail(err, BT_INVALID, "%s: tensor %s: dtype %llu is unknown", b->index, e->variable,
                       (unsigned long long)dtype);
    e->info.dtype = dtypes[dtype].dtype;
    e->element = dtypes[dtype].bytes;
    e->shard = shard < (uint64_t)b->shards ? (int64_t)shard : -1;
    if (e->shard >= 0) return BT_OK;
    return bt_fail(err, BT_DAMAGED, "%s: tensor %s: in shard %llu of %d", b->index, e->variable,
                   (unsigned long long)shard, b->shards);
}

static enum bt_status check_place(const struct bt__tf_bundle *b, const struct entry *e, struct bt_error *err)
{
    const struct bt__tensor_file *s = &b->shard[e->shard];
    if (e->element && (e->bytes % e->element || e->bytes / e->element != e->info.count))
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s: %llu bytes, its shape and dtype need %zu × %zu",
                       b->index, e->variable, (unsigned long long)e->bytes, e->info.count, e->element);
    if (e->bytes > s->size || e->at > s->size - e->bytes)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s: %llu bytes at byte %llu, but %s has %llu", b->index,
                       e->variable, (unsigned long long)e->bytes, (unsigned long long)e->at,
                       bt_path_base(s->path), (unsigned long long)s->size);
    return BT_OK;
}

static enum bt_status name_entry(const struct bt__tf_bundle *b, struct entry *e, struct bt_error *err)
{
    char name[LONGEST_NAME];
    e->kind = bt__tf_name(e->variable, name, sizeof name);
    e->name = bt_strdup(name);
    e->info.name = e->name;
    if (!e->name) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", b->index);
    if (e->kind != BT__TF_KERNEL) return BT_OK;
    if (e->info.rank != 2) return refuse(b, e, BT_INVALID, "a kernel that is not a matrix", err);
    int64_t in = e->info.shape[0];
    e->info.shape[0] = e->info.shape[1];
    e->info.shape[1] = in;
    return BT_OK;
}

static struct entry *new_entry(struct bt__tf_bundle *b)
{
    if (b->n == b->room) {
        size_t room = b->room ? 2 * b->room : 256;
        struct entry *t = realloc(b->t, room * sizeof *t);
        if (!t) return NULL;
        b->t = t;
        b->room = room;
    }
    b->t[b->n] = (struct entry){.kind = BT__TF_OTHER};
    return &b->t[b->n++];
}

static enum bt_status take(void *ctx, const char *key, size_t key_n, struct bt__bytes value,
                           struct bt_error *err)
{
    struct bt__tf_bundle *b = ctx;
    if (key_n == 0) return read_header(b, value, err);
    if (!b->shard) return bt_fail(err, BT_DAMAGED, "%s: no header before tensor %.100s", b->index, key);
    if (strlen(key) != key_n)
        return bt_fail(err, BT_UNSUPPORTED, "%s: a tensor's name holds a NUL: stored in slices", b->index);
    struct entry *e = new_entry(b);
    if (!e || !(e->variable = bt_strdup(key)))
        return bt_fail(err, BT_NOMEM, "%s: no memory for tensor %s", b->index, key);
    enum bt_status st = read_entry(b, e, value, err);
    if (!st) st = check_place(b, e, err);
    return st ? st : name_entry(b, e, err);
}

/* ── the whole ── */

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->shard != y->shard) return x->shard < y->shard ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* No byte belongs to two tensors. The tensors stay in the order of their places: reading goes forward. */
static enum bt_status check_overlap(struct bt__tf_bundle *b, struct bt_error *err)
{
    const struct entry *last = NULL;
    if (b->n) qsort(b->t, b->n, sizeof *b->t, by_place);
    for (size_t i = 0; i < b->n; i++) {
        const struct entry *e = &b->t[i];
        if (e->bytes == 0) continue;
        if (last && last->shard == e->shard && e->at - last->at < last->bytes)
            return bt_fail(err, BT_DAMAGED, "%s: tensor %s overlaps tensor %s", b->index, e->variable,
                           last->variable);
        last = e;
    }
    return BT_OK;
}

static void free_entry(struct entry *e)
{
    free(e->name);
    free(e->variable);
}

static void drop_trainer(struct bt__tf_bundle *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->t[i].kind == BT__TF_TRAINER)
            free_entry(&b->t[i]);
        else
            b->t[n++] = b->t[i];
    b->n = n;
}

static const char *name_of(const void *ctx, size_t i)
{
    const struct bt__tf_bundle *b = ctx;
    return b->t[i].info.name;
}

static enum bt_status read_index(struct bt__tf_bundle *b, struct bt_error *err)
{
    char *data = NULL;
    size_t n = 0;
    ptrdiff_t twice = -1;
    enum bt_status st = bt_file_read(b->index, LARGEST_INDEX, &data, &n, err);
    if (!st) st = bt__table_read(data, n, b->index, take, b, err);
    free(data);
    if (!st && !b->shard) st = bt_fail(err, BT_DAMAGED, "%s: an empty table, expected a header", b->index);
    if (!st) st = check_overlap(b, err);
    if (st) return st;
    drop_trainer(b);
    st = bt__names_build(&b->names, b->n, name_of, b, &twice, err);
    if (!st && twice >= 0)
        st = bt_fail(err, BT_INVALID, "%s: tensor %s: another one is %s too", b->index, b->t[twice].variable,
                     b->t[twice].name);
    return st;
}

enum bt_status bt__tf_bundle_open(const char *path, struct bt__tf_bundle **out, struct bt_error *err)
{
    struct bt__tf_bundle *b = calloc(1, sizeof *b);
    if (!b) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    enum bt_status st = bt__tf_find(path, &b->prefix, err);
    if (!st && !(b->index = bt_strfmt("%s.index", b->prefix)))
        st = bt_fail(err, BT_NOMEM, "%s: no memory for a name", path);
    if (!st) st = read_index(b, err);
    if (st) {
        bt__tf_bundle_close(b);
        return st;
    }
    *out = b;
    return BT_OK;
}

void bt__tf_bundle_close(struct bt__tf_bundle *b)
{
    if (!b) return;
    for (int i = 0; b->shard && i < b->shards; i++) bt__tensor_file_close(&b->shard[i]);
    for (size_t i = 0; i < b->n; i++) free_entry(&b->t[i]);
    bt__names_free(&b->names);
    free(b->shard);
    free(b->t);
    free(b->index);
    free(b->prefix);
    free(b);
}

size_t bt__tf_bundle_count(const struct bt__tf_bundle *b)
{
    return b->n;
}

const struct bt__tensor_info *bt__tf_bundle_at(const struct bt__tf_bundle *b, size_t i)
{
    return &b->t[i].info;
}

ptrdiff_t bt__tf_bundle_find(const struct bt__tf_bundle *b, const char *name)
{
    return bt__names_find(&b->names, name, name_of, b);
}

const char *bt__tf_bundle_part(const struct bt__tf_bundle *b, size_t i)
{
    if (i == 0) return b->index;
    return i <= (size_t)b->shards ? b->shard[i - 1].path : NULL;
}

/* ── the numbers ── */

/* from [rows, cols] → to [cols, rows], tile by tile: a line of either is used up while it is in the cache. */
static void transpose(const float *from, size_t rows, size_t cols, float *to)
{
    for (size_t r0 = 0; r0 < rows; r0 += TILE)
        for (size_t c0 = 0; c0 < cols; c0 += TILE)
            for (size_t r = r0; r < rows && r < r0 + TILE; r++)
                for (size_t c = c0; c < cols && c < c0 + TILE; c++) to[c * rows + r] = from[r * cols + c];
}

static enum bt_status read_raw(const struct bt__tf_bundle *b, const struct entry *e, void *dst,
                               struct bt_error *err)
{
    const struct bt__tensor_file *s = &b->shard[e->shard];
    enum bt_status st = bt__tensor_file_read(s, dst, (size_t)e->bytes, e->at, err);
    if (st) return bt_error_prefix(err, st, "tensor %s", e->variable);
    uint32_t crc = bt__crc32c_masked(dst, (size_t)e->bytes);
    if (crc == e->crc) return BT_OK;
    return bt_fail(err, BT_DAMAGED, "%s: tensor %s: the checksum of its bytes is %08x, expected %08x",
                   s->path, e->variable, crc, e->crc);
}

static enum bt_status read_values(const struct bt__tf_bundle *b, const struct entry *e, float *dst,
                                  struct bt_error *err)
{
    const bool turned = e->kind == BT__TF_KERNEL;
    if (e->info.dtype == BT__F32 && !turned) return read_raw(b, e, dst, err);
    void *raw = malloc((size_t)e->bytes + 1);
    float *plain = turned ? malloc(e->info.count * sizeof *plain + 1) : dst;
    enum bt_status st =
        raw && plain ? read_raw(b, e, raw, err) : refuse(b, e, BT_NOMEM, "no memory to read it", err);
    if (!st) bt__floats_from(e->info.dtype, raw, e->info.count, plain);
    if (!st && turned) transpose(plain, (size_t)e->info.shape[1], (size_t)e->info.shape[0], dst);
    if (turned) free(plain);
    free(raw);
    return st;
}

enum bt_status bt__tf_bundle_read_f32(const struct bt__tf_bundle *b, size_t i, float *dst, int check_finite,
                                      struct bt_error *err)
{
    const struct entry *e = &b->t[i];
    if (!bt__float_bytes(e->info.dtype))
        return refuse(b, e, BT_INVALID, "not of floating-point numbers", err);
    enum bt_status st = read_values(b, e, dst, err);
    if (st || !check_finite || bt__floats_finite(dst, e->info.count)) return st;
    return refuse(b, e, BT_INVALID, "it holds NaN or infinite values", err);
}
