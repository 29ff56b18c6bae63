/* TensorFlow's checkpoints, written here: what is read, what is refused, and that damage of any kind is one of the two. */
#include "base/crc32c.h"
#include "formats/tf_bundle.h"
#include "formats/tf_names.h"
#include "tests/unit/files.h"

#include <math.h>
#include <sys/stat.h>

/* ── a writer ── */

struct bytes {
    unsigned char at[8192];
    size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
    assert_true(n <= sizeof b->at - b->n);
    memcpy(b->at + b->n, p, n);
    b->n += n;
}

static void put_varint(struct bytes *b, uint64_t v)
{
    for (; v >= 128; v >>= 7) put(b, &(unsigned char){(unsigned char)(v | 128)}, 1);
    put(b, &(unsigned char){(unsigned char)v}, 1);
}

static void put_number(struct bytes *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static void put_message(struct bytes *b, unsigned field, const struct bytes *m)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, m->n);
    put(b, m->at, m->n);
}

enum { FLOAT = 1, DOUBLE = 2, INT32 = 3, STRING = 7, INT64 = 9, BFLOAT16 = 14, HALF = 19 };

struct tensor {
    const char *name;
    int dtype, rank;
    int64_t shape[9];
    const void *data;
    size_t bytes;
    int shard;
    int64_t at; /* in the shard; −1: behind the one before it */
};

#define TENSOR(n, type, from, size, in, place, dims, ...)                                                    \
    {                                                                                                        \
        .name = (n), .dtype = (type), .rank = (dims), .shape = {__VA_ARGS__}, .data = (from),                \
        .bytes = (size), .shard = (in), .at = (place)                                                        \
    }

struct header {
    uint64_t shards, big_endian;
    bool missing;
};

/* What goes wrong while a table is written. */
static struct {
    size_t flip; /* this byte of all blocks' contents, counted from 1, before its checksum is taken */
    unsigned char mask;
    unsigned char compression;
    bool slices;
    size_t seen; /* bytes of contents so far */
} fault;

static struct bytes shard[2];

static void put_entry(struct bytes *value, const struct tensor *t)
{
    struct bytes shape = {.n = 0};
    for (int i = 0; i < t->rank; i++) {
        struct bytes dim = {.n = 0};
        put_number(&dim, 1, (uint64_t)t->shape[i]);
        put_message(&shape, 2, &dim);
    }
    struct bytes *data = &shard[t->shard & 1];
    uint64_t at = t->at >= 0 ? (uint64_t)t->at : data->n;
    if (t->at < 0) put(data, t->data, t->bytes);
    uint32_t crc = bt__crc32c_masked(t->data, t->bytes);
    put_number(value, 1, (uint64_t)t->dtype);
    put_message(value, 2, &shape);
    if (t->shard) put_number(value, 3, (uint64_t)t->shard);
    put_number(value, 4, at);
    put_number(value, 5, t->bytes);
    put_varint(value, 6 << 3 | 5);
    put(value, &crc, 4);
    if (fault.slices) put_message(value, 7, &shape);
}

struct block {
    struct bytes bytes;
    uint32_t restart[64];
    uint32_t restarts, entries;
    char last[2048];
};

static void add(struct block *b, const char *key, const struct bytes *value)
{
    size_t shared = 0;
    if (b->entries++ % 3 == 0)
        b->restart[b->restarts++] = (uint32_t)b->bytes.n;
    else
        while (key[shared] && key[shared] == b->last[shared]) shared++;
    put_varint(&b->bytes, shared);
    put_varint(&b->bytes, strlen(key) - shared);
    put_varint(&b->bytes, value->n);
    put(&b->bytes, key + shared, strlen(key) - shared);
    put(&b->bytes, value->at, value->n);
    snprintf(b->last, sizeof b->last, "%s", key);
}

/* Puts the block into the file, and what refers to it into handle. */
static void finish(struct block *b, struct bytes *file, struct bytes *handle)
{
    if (!b->restarts) b->restart[b->restarts++] = 0;
    put(&b->bytes, b->restart, 4 * b->restarts);
    put(&b->bytes, &b->restarts, 4);
    if (fault.flip > fault.seen && fault.flip <= fault.seen + b->bytes.n)
        b->bytes.at[fault.flip - fault.seen - 1] ^= fault.mask;
    fault.seen += b->bytes.n;
    put_varint(handle, file->n);
    put_varint(handle, b->bytes.n);
    put(&b->bytes, &fault.compression, 1);
    uint32_t crc = bt__crc32c_masked(b->bytes.at, b->bytes.n);
    put(file, b->bytes.at, b->bytes.n);
    put(file, &crc, 4);
    *b = (struct block){.entries = 0};
}

enum { IN_A_BLOCK = 4 };

static void put_table(struct bytes *file, const struct header *h, const struct tensor *t, size_t n)
{
    static struct block data, index, meta;
    struct bytes value = {.n = 0}, handles = {.n = 0};
    data = index = meta = (struct block){.entries = 0};
    fault.seen = 0;
    put_number(&value, 1, h->shards);
    if (h->big_endian) put_number(&value, 2, h->big_endian);
    if (!h->missing) add(&data, "", &value);
    for (size_t i = 0; i < n; i++) {
        value.n = 0;
        put_entry(&value, &t[i]);
        add(&data, t[i].name, &value);
        if (data.entries < IN_A_BLOCK && i + 1 < n) continue;
        value.n = 0;
        finish(&data, file, &value);
        add(&index, t[i].name, &value);
    }
    finish(&meta, file, &handles);
    finish(&index, file, &handles);
    static const unsigned char magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    handles.n = 40; /* the rest is zero */
    put(file, handles.at, handles.n);
    put(file, magic, 8);
}

static const struct header two = {.shards = 2};
static struct bytes index_file;

static void write_shards(void)
{
    file_with("m.data-00000-of-00002", shard[0].at, shard[0].n);
    file_with("m.data-00001-of-00002", shard[1].at, shard[1].n);
}

static void build(const struct header *h, const struct tensor *t, size_t n)
{
    shard[0].n = shard[1].n = 0;
    index_file.n = 0;
    put_table(&index_file, h, t, n);
}

static const char *prefix(void)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/m", files_dir);
    return path;
}

static struct bt_error err;

static enum bt_status open_table(const struct header *h, const struct tensor *t, size_t n,
                                 struct bt__tf_bundle **b)
{
    build(h, t, n);
    file_with("m.index", index_file.at, index_file.n);
    write_shards();
    return bt__tf_bundle_open(prefix(), b, &err);
}

/* ── a good one ── */

static const float numbers[] = {1, 2, 3, 4, 5, 6};
static const double wide[] = {0.5, -3};
static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff}, brain[] = {0x3f80, 0xc040};
static const int64_t steps = 12345;
static const int32_t small[] = {7, 8, 9};

static const struct tensor good[] = {
    TENSOR("bert/embeddings/word_embeddings", FLOAT, numbers, 24, 0, -1, 2, 3, 2),
    TENSOR("bert/encoder/layer_0/attention/self/key/bias", DOUBLE, wide, 16, 1, -1, 1, 2),
    TENSOR("bert/encoder/layer_0/attention/self/key/kernel", FLOAT, numbers, 24, 1, -1, 2, 3, 2),
    TENSOR("bert/encoder/layer_0/attention/self/key/kernel/adam_m", FLOAT, numbers, 24, 0, -1, 2, 3, 2),
    TENSOR("bert/encoder/layer_0/attention/self/key/kernel/adam_v", FLOAT, numbers, 24, 0, -1, 2, 3, 2),
    TENSOR("bert/encoder/layer_1/output/LayerNorm/beta", BFLOAT16, brain, 4, 0, -1, 1, 2),
    TENSOR("bert/encoder/layer_1/output/LayerNorm/gamma", HALF, half, 8, 0, -1, 1, 4),
    TENSOR("bert/encoder/layer_1/output/dense/kernel", HALF, half, 8, 0, -1, 2, 2, 2),
    TENSOR("extra/numbers", INT32, small, 12, 0, -1, 1, 3),
    TENSOR("extra/one", FLOAT, numbers, 4, 0, -1, 0, 0),
    TENSOR("extra/text", STRING, "\1\1\1\1\1abcde", 10, 0, -1, 1, 5),
    TENSOR("global_step", INT64, &steps, 8, 1, -1, 0, 0),
    TENSOR("output_weights", FLOAT, numbers, 24, 1, -1, 2, 3, 2),
};
enum { GOOD = sizeof good / sizeof *good, LISTED = GOOD - 3 };

static void expect_tensor(const struct bt__tf_bundle *b, const char *name, int64_t rows, int64_t cols,
                          const float *values, size_t n)
{
    float found[8];
    ptrdiff_t i = bt__tf_bundle_find(b, name);
    if (i < 0) fail_msg("no %s", name);
    const struct bt__tensor_info *t = bt__tf_bundle_at(b, (size_t)i);
    assert_string_equal(t->name, name);
    assert_int_equal(t->count, n);
    assert_int_equal(t->rank, (rows > 0) + (cols > 0));
    if (rows) assert_int_equal(t->shape[0], rows);
    if (cols) assert_int_equal(t->shape[t->rank - 1], cols);
    if (bt__tf_bundle_read_f32(b, (size_t)i, found, 1, &err)) fail_msg("%s", err.text);
    assert_memory_equal(found, values, n * sizeof *found);
}

static void expect_good(const struct bt__tf_bundle *b)
{
    static const float turned[] = {1, 3, 5, 2, 4, 6}, halves[] = {1, -2, 0x1p-24f, 65504},
                       half_turned[] = {1, 0x1p-24f, -2, 65504}, brains[] = {1, -3}, doubles[] = {0.5, -3};
    assert_int_equal(bt__tf_bundle_count(b), LISTED);
    expect_tensor(b, "bert.embeddings.word_embeddings.weight", 3, 2, numbers, 6);
    expect_tensor(b, "bert.encoder.layer.0.attention.self.key.weight", 2, 3, turned, 6);
    expect_tensor(b, "bert.encoder.layer.0.attention.self.key.bias", 0, 2, doubles, 2);
    expect_tensor(b, "bert.encoder.layer.1.output.LayerNorm.weight", 0, 4, halves, 4);
    expect_tensor(b, "bert.encoder.layer.1.output.LayerNorm.bias", 0, 2, brains, 2);
    expect_tensor(b, "bert.encoder.layer.1.output.dense.weight", 2, 2, half_turned, 4);
    expect_tensor(b, "classifier.weight", 3, 2, numbers, 6);
    expect_tensor(b, "extra/one", 0, 0, numbers, 1);
    assert_int_equal(bt__tf_bundle_find(b, "global_step"), -1);
    assert_int_equal(bt__tf_bundle_find(b, "bert/encoder/layer_0/attention/self/key/kernel/adam_m"), -1);
}

static void reads(void **state)
{
    struct bt__tf_bundle *b = NULL;
    float unread;
    (void)state;
    if (open_table(&two, good, GOOD, &b)) fail_msg("%s", err.text);
    expect_good(b);
    assert_string_equal(bt__tf_bundle_part(b, 0), file_path("m.index"));
    assert_string_equal(bt__tf_bundle_part(b, 2), file_path("m.data-00001-of-00002"));
    assert_null(bt__tf_bundle_part(b, 3));
    ptrdiff_t whole = bt__tf_bundle_find(b, "extra/numbers");
    assert_int_equal(bt__tf_bundle_at(b, (size_t)whole)->dtype, BT__I32);
    assert_int_equal(bt__tf_bundle_read_f32(b, (size_t)whole, &unread, 1, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "tensor extra/numbers: not of floating-point numbers"));
    bt__tf_bundle_close(b);
}

/* A matrix that is larger than a tile of the transposition, and odd. */
static void turns_large(void **state)
{
    enum { ROWS = 37, COLS = 21 };
    static float m[ROWS * COLS], found[ROWS * COLS];
    const struct tensor t = TENSOR("bert/pooler/dense/kernel", FLOAT, m, sizeof m, 0, -1, 2, ROWS, COLS);
    struct bt__tf_bundle *b = NULL;
    (void)state;
    for (int i = 0; i < ROWS * COLS; i++) m[i] = (float)i;
    assert_int_equal(open_table(&two, &t, 1, &b), BT_OK);
    assert_int_equal(bt__tf_bundle_read_f32(b, 0, found, 1, &err), BT_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) assert_true(found[c * ROWS + r] == m[r * COLS + c]);
    bt__tf_bundle_close(b);
}

/* ── places ── */

static void expect_opens(const char *path, bool good_one)
{
    struct bt__tf_bundle *b = NULL;
    enum bt_status st = bt__tf_bundle_open(path, &b, &err);
    if (good_one && st) fail_msg("%s: %s", path, err.text);
    if (!good_one) assert_int_not_equal(st, BT_OK);
    if (!st) expect_good(b);
    if (!st) bt__tf_bundle_close(b);
}

static void found_in_a_directory(void **state)
{
    (void)state;
    build(&two, good, GOOD);
    const char *index = file_with("m.index", index_file.at, index_file.n);
    write_shards();
    expect_opens(prefix(), true);
    expect_opens(index, true);
    expect_opens(files_dir, true);
    const char *other = file_text("n.index", "not a table");
    expect_opens(files_dir, false);
    assert_non_null(strstr(err.text, "2 checkpoints"));
    const char *list = file_text("checkpoint", "model_checkpoint_path: \"/somewhere/else/m\"\n"
                                               "all_model_checkpoint_paths: \"n\"\n");
    expect_opens(files_dir, true);
    file_text("checkpoint", "model_checkpoint_path: \"n\"\n");
    expect_opens(files_dir, false);
    assert_non_null(strstr(err.text, "n.index"));
    file_text("checkpoint", "model_checkpoint_path: \"m\n");
    expect_opens(files_dir, false);
    assert_non_null(strstr(err.text, "2 checkpoints"));
    unlink(list);
    unlink(other);
    unlink(index);
    expect_opens(files_dir, false);
    assert_int_equal(err.status, BT_NOTFOUND);
    expect_opens(prefix(), false);
    assert_int_equal(err.status, BT_NOTFOUND);
}

static void shard_is_missing(void **state)
{
    struct bt__tf_bundle *b = NULL;
    (void)state;
    assert_int_equal(open_table(&two, good, GOOD, &b), BT_OK);
    bt__tf_bundle_close(b);
    unlink(file_path("m.data-00001-of-00002"));
    assert_int_equal(bt__tf_bundle_open(prefix(), &b, &err), BT_NOTFOUND);
    assert_non_null(strstr(err.text, "m.data-00001-of-00002: no such file"));
}

/* ── what contradicts itself ── */

static void expect_refused(const struct header *h, const struct tensor *t, size_t n, enum bt_status status,
                           const char *what)
{
    struct bt__tf_bundle *b = NULL;
    enum bt_status st = open_table(h, t, n, &b);
    if (!st) bt__tf_bundle_close(b);
    if (st != status || !strstr(err.text, what))
        fail_msg("expected %s \"%s\", got %s \"%s\"", bt_status_name(status), what, bt_status_name(st),
                 st ? err.text : "");
}

static void entries_that_lie(void **state)
{
    static const struct {
        struct tensor t;
        enum bt_status status;
        const char *what;
    } lies[] = {
        {.t = TENSOR("a", FLOAT, numbers, 24, 0, -1, 2, 3, 3),
         .status = BT_DAMAGED,
         .what = "tensor a: 24 bytes, its shape"},
        {.t = TENSOR("a", FLOAT, numbers, 23, 0, -1, 1, 6),
         .status = BT_DAMAGED,
         .what = "tensor a: 23 bytes"},
        {.t = TENSOR("a", 99, numbers, 24, 0, -1, 1, 6), .status = BT_INVALID, .what = "tensor a: dtype 99"},
        {.t = TENSOR("a", 0, numbers, 24, 0, -1, 1, 6), .status = BT_INVALID, .what = "tensor a: dtype 0"},
        {.t = TENSOR("a", FLOAT, numbers, 24, 2, -1, 1, 6),
         .status = BT_DAMAGED,
         .what = "tensor a: in shard 2 of 2"},
        {.t = TENSOR("a", FLOAT, numbers, 24, -1, -1, 1, 6),
         .status = BT_DAMAGED,
         .what = "tensor a: in shard"},
        {.t = TENSOR("a", FLOAT, numbers, 24, 0, 1, 1, 6),
         .status = BT_DAMAGED,
         .what = "tensor a: 24 bytes at byte 1, but m.data"},
        {.t = TENSOR("a", FLOAT, numbers, 24, 0, INT64_MAX, 1, 6),
         .status = BT_DAMAGED,
         .what = "tensor a: 24 bytes at byte 9223"},
        {.t = TENSOR("a", FLOAT, numbers, 24, 0, -1, 1, -1),
         .status = BT_INVALID,
         .what = "tensor a: its shape"},
        {.t = TENSOR("a", FLOAT, numbers, 24, 0, -1, 2, INT64_MAX, 4),
         .status = BT_INVALID,
         .what = "tensor a: its shape"},
        {.t = TENSOR("a", FLOAT, numbers, 4, 0, -1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1),
         .status = BT_INVALID,
         .what = "tensor a: its shape"},
        {.t = TENSOR("cls/a/kernel", FLOAT, numbers, 24, 0, -1, 1, 6),
         .status = BT_INVALID,
         .what = "tensor cls/a/kernel: a kernel"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        expect_refused(&two, &lies[i].t, 1, lies[i].status, lies[i].what);
    const struct tensor twice[] = {TENSOR("a", FLOAT, numbers, 24, 0, -1, 1, 6),
                                   TENSOR("b", FLOAT, numbers, 24, 1, -1, 1, 6),
                                   TENSOR("c", FLOAT, numbers, 8, 0, 16, 1, 2)};
    expect_refused(&two, twice, 3, BT_DAMAGED, "tensor c overlaps tensor a");
    const struct tensor same[] = {TENSOR("bert/a/beta", FLOAT, numbers, 24, 0, -1, 1, 6),
                                  TENSOR("bert/a/bias", FLOAT, numbers, 24, 0, -1, 1, 6)};
    expect_refused(&two, same, 2, BT_INVALID, "another one is bert.a.bias too");
    fault.slices = true;
    expect_refused(&two, good, 1, BT_UNSUPPORTED, "word_embeddings: it is stored in slices");
    fault.slices = false;
}

static void tables_that_lie(void **state)
{
    (void)state;
    expect_refused(&(struct header){.shards = 0}, good, GOOD, BT_INVALID, "0 shards");
    expect_refused(&(struct header){.shards = 1u << 30}, good, GOOD, BT_INVALID, "1073741824 shards");
    expect_refused(&(struct header){.shards = 2, .big_endian = 1}, good, GOOD, BT_UNSUPPORTED, "big-endian");
    expect_refused(&(struct header){.missing = true}, good, GOOD, BT_DAMAGED,
                   "no header before tensor bert/");
    fault.compression = 1;
    expect_refused(&two, good, GOOD, BT_UNSUPPORTED, "compressed (snappy)");
    fault.compression = 0;
    const struct tensor order[] = {TENSOR("b", FLOAT, numbers, 24, 0, -1, 1, 6),
                                   TENSOR("a", FLOAT, numbers, 24, 1, -1, 1, 6)};
    expect_refused(&two, order, 2, BT_DAMAGED, "not in order");
    const struct tensor again[] = {order[0], order[0]};
    expect_refused(&two, again, 2, BT_DAMAGED, "not in order");
    char name[1101];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    expect_refused(&two, &(struct tensor)TENSOR(name, FLOAT, numbers, 24, 0, -1, 1, 6), 1, BT_DAMAGED,
                   "too long");
}

static void values_that_lie(void **state)
{
    const float bad[] = {1, NAN};
    const struct tensor t = TENSOR("bert/a/gamma", FLOAT, bad, 8, 0, -1, 1, 2);
    struct bt__tf_bundle *b = NULL;
    float found[2];
    (void)state;
    assert_int_equal(open_table(&two, &t, 1, &b), BT_OK);
    assert_int_equal(bt__tf_bundle_read_f32(b, 0, found, 0, &err), BT_OK);
    assert_int_equal(bt__tf_bundle_read_f32(b, 0, found, 1, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "tensor bert/a/gamma: it holds NaN"));
    FILE *written = fopen(file_path("m.data-00000-of-00002"), "r+b"); /* the same file: it is open */
    assert_non_null(written);
    assert_int_equal(fwrite("12345678", 1, 8, written), 8);
    assert_int_equal(fclose(written), 0);
    assert_int_equal(bt__tf_bundle_read_f32(b, 0, found, 0, &err), BT_DAMAGED);
    assert_non_null(strstr(err.text, "tensor bert/a/gamma: the checksum"));
    assert_int_equal(truncate(file_path("m.data-00000-of-00002"), 5), 0);
    assert_int_equal(bt__tf_bundle_read_f32(b, 0, found, 0, &err), BT_DAMAGED);
    assert_non_null(strstr(err.text, "tensor bert/a/gamma: "));
    bt__tf_bundle_close(b);
}

/* ── damage ── */

static bool readable(void)
{
    struct bt__tf_bundle *b = NULL;
    float found[16];
    enum bt_status st = bt__tf_bundle_open(prefix(), &b, &err);
    if (st) return false;
    for (size_t i = 0; i < bt__tf_bundle_count(b) && !st; i++) {
        const struct bt__tensor_info *t = bt__tf_bundle_at(b, i);
        if (t->count <= 16 && bt__float_bytes(t->dtype)) st = bt__tf_bundle_read_f32(b, i, found, 0, &err);
    }
    bt__tf_bundle_close(b);
    return !st;
}

/* Changes one byte of a file: no file is made anew for each of thousands. */
static void poke(const char *name, size_t at, unsigned char byte)
{
    FILE *f = fopen(file_path(name), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(&byte, 1, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static void every_byte_flipped(void **state)
{
    struct bt__tf_bundle *b = NULL;
    (void)state;
    build(&two, good, GOOD);
    write_shards();
    file_with("m.index", index_file.at, index_file.n);
    size_t padding = 0;
    for (size_t i = 0; i < index_file.n; i++) {
        poke("m.index", i, (unsigned char)(index_file.at[i] ^ 1 << i % 8));
        if (bt__tf_bundle_open(prefix(), &b, &err) == BT_OK) {
            expect_good(b); /* a byte of the footer that means nothing */
            bt__tf_bundle_close(b);
            padding++;
        }
        poke("m.index", i, index_file.at[i]);
    }
    assert_in_range(padding, 1, 40);
}

static void every_data_byte_flipped(void **state)
{
    size_t unread = 0;
    (void)state;
    build(&two, good, GOOD);
    file_with("m.index", index_file.at, index_file.n);
    write_shards();
    assert_true(readable());
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < shard[s].n; i++) {
            const char *name = s ? "m.data-00001-of-00002" : "m.data-00000-of-00002";
            poke(name, i, shard[s].at[i] ^ 0x10);
            struct bt__tf_bundle *b = NULL;
            assert_int_equal(bt__tf_bundle_open(prefix(), &b, &err), BT_OK);
            bt__tf_bundle_close(b);
            if (readable())
                unread++;
            else
                assert_non_null(strstr(err.text, "the checksum"));
            poke(name, i, shard[s].at[i]);
        }
    assert_int_equal(unread, 2 * 24 + 12 + 10 + 8); /* moments, integers, text, the step */
}

static void cut_at_every_length(void **state)
{
    (void)state;
    build(&two, good, GOOD);
    write_shards();
    const char *index = file_with("m.index", index_file.at, index_file.n);
    const char *data = file_path("m.data-00000-of-00002");
    for (size_t n = shard[0].n; n-- > 0;) {
        assert_int_equal(truncate(data, (off_t)n), 0);
        assert_false(readable());
        assert_non_null(strstr(err.text, "tensor "));
    }
    write_shards();
    for (size_t n = index_file.n; n-- > 0;) {
        assert_int_equal(truncate(index, (off_t)n), 0);
        assert_false(readable());
    }
}

/* As somebody would do it who wants to be read: the checksums are right. */
static void flipped_under_a_checksum(void **state)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    size_t taken = 0, refused = 0;
    (void)state;
    build(&two, good, GOOD);
    write_shards();
    size_t n = fault.seen;
    for (fault.flip = 1; fault.flip <= n; fault.flip++)
        for (size_t m = 0; m < sizeof masks; m++) {
            fault.mask = masks[m];
            build(&two, good, GOOD);
            file_with("m.index", index_file.at, index_file.n);
            if (readable())
                taken++;
            else
                refused++;
        }
    fault.flip = 0;
    assert_true(refused > taken && taken > 0);
}

/* ── names ── */

static void names(void **state)
{
    static const struct {
        const char *variable, *name;
        enum bt__tf_kind kind;
    } known[] = {
        {.variable = "bert/embeddings/word_embeddings",
         .name = "bert.embeddings.word_embeddings.weight",
         .kind = BT__TF_WEIGHT},
        {.variable = "bert/embeddings/position_embeddings",
         .name = "bert.embeddings.position_embeddings.weight",
         .kind = BT__TF_WEIGHT},
        {.variable = "bert/embeddings/LayerNorm/gamma",
         .name = "bert.embeddings.LayerNorm.weight",
         .kind = BT__TF_WEIGHT},
        {.variable = "bert/encoder/layer_11/output/dense/kernel",
         .name = "bert.encoder.layer.11.output.dense.weight",
         .kind = BT__TF_KERNEL},
        {.variable = "bert/pooler/dense/bias", .name = "bert.pooler.dense.bias", .kind = BT__TF_WEIGHT},
        {.variable = "cls/predictions/output_bias", .name = "cls.predictions.bias", .kind = BT__TF_WEIGHT},
        {.variable = "cls/predictions/transform/dense/kernel",
         .name = "cls.predictions.transform.dense.weight",
         .kind = BT__TF_KERNEL},
        {.variable = "cls/predictions/transform/LayerNorm/beta",
         .name = "cls.predictions.transform.LayerNorm.bias",
         .kind = BT__TF_WEIGHT},
        {.variable = "cls/seq_relationship/output_weights",
         .name = "cls.seq_relationship.weight",
         .kind = BT__TF_WEIGHT},
        {.variable = "cls/seq_relationship/output_bias",
         .name = "cls.seq_relationship.bias",
         .kind = BT__TF_WEIGHT},
        {.variable = "cls/squad/output_weights", .name = "qa_outputs.weight", .kind = BT__TF_WEIGHT},
        {.variable = "output_weights", .name = "classifier.weight", .kind = BT__TF_WEIGHT},
        {.variable = "output_bias", .name = "classifier.bias", .kind = BT__TF_WEIGHT},
        {.variable = "output_weights/adam_m", .name = "output_weights/adam_m", .kind = BT__TF_TRAINER},
        {.variable = "bert/pooler/dense/kernel/adam_v",
         .name = "bert/pooler/dense/kernel/adam_v",
         .kind = BT__TF_TRAINER},
        {.variable = "global_step", .name = "global_step", .kind = BT__TF_TRAINER},
        {.variable = "other/kernel", .name = "other/kernel", .kind = BT__TF_OTHER},
        {.variable = "", .name = "", .kind = BT__TF_OTHER},
    };
    char out[128];
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(bt__tf_name(known[i].variable, out, sizeof out), known[i].kind);
        assert_string_equal(out, known[i].name);
    }
    for (size_t size = 1; size < 50; size++) {
        bt__tf_name("bert/encoder/layer_11/output/layer_2/kernel", out, size);
        assert_true(strlen(out) < size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(turns_large),
        cmocka_unit_test(found_in_a_directory),
        cmocka_unit_test(shard_is_missing),
        cmocka_unit_test(entries_that_lie),
        cmocka_unit_test(tables_that_lie),
        cmocka_unit_test(values_that_lie),
        cmocka_unit_test(every_byte_flipped),
        cmocka_unit_test(every_data_byte_flipped),
        cmocka_unit_test(cut_at_every_length),
        cmocka_unit_test(flipped_under_a_checksum),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
