#include "formats/tf_table.h"

#include "base/crc32c.h"
#include <stdlib.h>
#include <string.h>

enum {
    FOOTER = 48,       /* two block handles, padded, and the magic number */
    TRAILER = 5,       /* behind a block: its compression, its checksum */
    LONGEST_KEY = 1024 /* bytes: variables are named in tens of them */
};
static const uint64_t magic = 0xdb4775248b80fb57u;

struct key {
    char text[LONGEST_KEY + 1];
    size_t n;
    bool any; /* one was read */
};

struct table {
    const unsigned char *data;
    size_t n;
    const char *path;
    bt__table_fn *fn;
    void *ctx;
    struct bt_error *err;
    struct key last; /* of the data blocks so far */
};

/* The entries of one block: the last key, and whoever wants them. */
struct walk {
    struct table *t;
    struct key *key;
    size_t at; /* of the block in the file: for messages */
    enum bt_status (*take)(struct table *t, const struct key *key, struct bt__bytes value);
};

static enum bt_status damaged(const struct table *t, size_t at, const char *what)
{
    return bt_fail(t->err, BT_DAMAGED, "%s: the block at byte %zu: %s", t->path, at, what);
}

/* ── blocks ── */

static enum bt_status read_handle(const struct table *t, struct bt__bytes *from, struct bt__bytes *block)
{
    uint64_t at, size;
    if (!bt__varint(from, &at) || !bt__varint(from, &size))
        return bt_fail(t->err, BT_DAMAGED, "%s: a reference to a block is cut or too long", t->path);
    if (t->n < TRAILER || size > t->n - TRAILER || at > t->n - TRAILER - size)
        return bt_fail(t->err, BT_DAMAGED, "%s: a block at byte %llu of %llu bytes, the file has %zu",
                       t->path, (unsigned long long)at, (unsigned long long)size, t->n);
    const unsigned char *p = t->data + at, *trailer = p + size;
    if (trailer[0] != 0) {
        uint32_t kind = trailer[0];
        return bt_fail(t->err, BT_UNSUPPORTED,
                       "%s: the block at byte %llu is compressed (%s), expected an uncompressed one", t->path,
                       (unsigned long long)at, kind == 1 ? "snappy" : "a way that LevelDB does not know");
    }
    if (bt__crc32c_masked(p, (size_t)size + 1) != bt__little32(trailer + 1))
        return damaged(t, (size_t)at, "its checksum is wrong");
    *block = (struct bt__bytes){.p = p, .end = trailer};
    return BT_OK;
}

/* Cuts the list of restart points off, which only a search needs. */
static bool without_restarts(struct bt__bytes *block)
{
    size_t n = (size_t)(block->end - block->p);
    if (n < 4) return false;
    uint32_t restarts = bt__little32(block->end - 4);
    if (restarts > (n - 4) / 4) return false;
    block->end -= 4 + 4 * (size_t)restarts;
    for (uint32_t i = 0; i < restarts; i++)
        if (bt__little32(block->end + 4 * i) > (size_t)(block->end - block->p)) return false;
    return true;
}

/* The next key shares its first bytes with the one before it. False: longer than it may be, or not behind that one. */
static bool grow_key(struct key *k, size_t shared, const unsigned char *rest, size_t n)
{
    if (shared > k->n || n > LONGEST_KEY - shared) return false;
    size_t old = k->n - shared, both = old < n ? old : n;
    int order = memcmp(rest, k->text + shared, both);
    if (k->any && (order < 0 || (order == 0 && n <= old))) return false;
    memcpy(k->text + shared, rest, n);
    k->n = shared + n;
    k->text[k->n] = '\0';
    k->any = true;
    return true;
}

static enum bt_status walk_block(const struct walk *w, struct bt__bytes b)
{
    bool first = true;
    if (!without_restarts(&b)) return damaged(w->t, w->at, "its restart points are outside of it");
    while (b.p < b.end) {
        uint32_t shared, n, value_n;
        if (!bt__varint32(&b, &shared) || !bt__varint32(&b, &n) || !bt__varint32(&b, &value_n))
            return damaged(w->t, w->at, "an entry's lengths are cut or too long");
        if ((uint64_t)n + value_n > (uint64_t)(b.end - b.p) || (first && shared))
            return damaged(w->t, w->at, "an entry reaches beyond it");
        if (!grow_key(w->key, shared, b.p, n))
            return damaged(w->t, w->at, "its keys are not in order, or too long");
        struct bt__bytes value = {.p = b.p + n, .end = b.p + n + value_n};
        b.p = value.end;
        first = false;
        enum bt_status st = w->take(w->t, w->key, value);
        if (st) return st;
    }
    return BT_OK;
}

/* ── the two levels ── */

static enum bt_status take_entry(struct table *t, const struct key *key, struct bt__bytes value)
{
    return t->fn(t->ctx, key->text, key->n, value, t->err);
}

/* An entry of the index block: the value says where a data block is, the key is not before its keys. */
static enum bt_status take_block(struct table *t, const struct key *key, struct bt__bytes value)
{
    struct bt__bytes block;
    enum bt_status st = read_handle(t, &value, &block);
    if (st) return st;
    struct walk w = {.t = t, .key = &t->last, .at = (size_t)(block.p - t->data), .take = take_entry};
    st = walk_block(&w, block);
    if (st) return st;
    size_t n = key->n < t->last.n ? key->n : t->last.n;
    int order = memcmp(key->text, t->last.text, n);
    if (order < 0 || (order == 0 && key->n < t->last.n))
        return damaged(t, w.at, "its keys are behind the one that the index gives");
    return BT_OK;
}

enum bt_status bt__table_read(const void *data, size_t n, const char *path, bt__table_fn *fn, void *ctx,
                              struct bt_error *err)
{
    const unsigned char *bytes = data;
    if (n < FOOTER || bt__little64(bytes + n - 8) != magic)
        return bt_fail(err, BT_DAMAGED, "%s: not a checkpoint's index: its last bytes are not a table's",
                       path);
    struct table *t = calloc(1, sizeof *t);
    struct key *key = calloc(1, sizeof *key);
    enum bt_status st = t && key ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a key", path);
    if (!st) {
        struct bt__bytes handles = {.p = bytes + n - FOOTER, .end = bytes + n - 8}, meta, index;
        *t = (struct table){.data = data, .n = n - FOOTER, .path = path, .fn = fn, .ctx = ctx, .err = err};
        st = read_handle(t, &handles, &meta);
        if (!st) st = read_handle(t, &handles, &index);
        struct walk w = {.t = t, .key = key, .at = st ? 0 : (size_t)(index.p - bytes), .take = take_block};
        if (!st) st = walk_block(&w, index);
    }
    free(key);
    free(t);
    return st;
}
