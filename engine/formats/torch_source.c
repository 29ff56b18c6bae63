#include "formats/torch_parts.h"

#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_PICKLE = 16 << 20, LONGEST_KEY = 200, PROTOCOL = 1001 };
/* 0x1950a86a20f9469cfc6c, little-endian: torch/serialization.py's MAGIC_NUMBER */
static const unsigned char magic[10] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

/* ── what the pickle says of its storages ── */

/* ("storage", type, key, location, count) and in streams a view, which only torch before 0.4 wrote. */
static enum bt_status describe(const struct bt__torch_source *s, const struct bt__pickle_value *v,
                               struct bt__torch_storage *to, struct bt_error *err)
{
    const struct bt__pickle_value *part[6] = {NULL};
    for (uint32_t i = 0; i < v->n && i < 6; i++) part[i] = bt__pickle_item(&s->pickle, v, i);
    bool good = v->n >= 5 && part[0]->kind == BT__PICKLE_TEXT && part[0]->n == 7 &&
                memcmp(part[0]->as.text, "storage", 7) == 0 && part[1]->kind == BT__PICKLE_GLOBAL &&
                part[1]->as.global->bytes && part[2]->kind == BT__PICKLE_TEXT && part[2]->n > 0 &&
                part[2]->n <= LONGEST_KEY && !memchr(part[2]->as.text, 0, part[2]->n) &&
                part[4]->kind == BT__PICKLE_INT && part[4]->as.integer >= 0 &&
                part[4]->as.integer < INT64_MAX / 16;
    if (!good) return bt_fail(err, BT_DAMAGED, "%s: its pickle describes a storage wrongly", s->file.path);
    if (v->n > 5 && part[5]->kind != BT__PICKLE_NONE)
        return bt_fail(err, BT_UNSUPPORTED, "%s: storage %.*s is a view of another", s->file.path,
                       (int)part[2]->n, part[2]->as.text);
    *to = (struct bt__torch_storage){.key = bt_strndup(part[2]->as.text, part[2]->n),
                                     .type = part[1]->as.global,
                                     .count = (uint64_t)part[4]->as.integer};
    return to->key ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for its storages", s->file.path);
}

static enum bt_status describe_all(struct bt__torch_source *s, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    s->storage = calloc(s->pickle.n + 1, sizeof *s->storage);
    if (!s->storage) return bt_fail(err, BT_NOMEM, "%s: no memory for its storages", s->file.path);
    for (size_t i = 0; i < s->pickle.n && !st; i++)
        if (s->pickle.v[i].kind == BT__PICKLE_STORE) st = describe(s, &s->pickle.v[i], &s->storage[i], err);
    return st;
}

/* ── the zip archive: ROOT/data.pkl, ROOT/byteorder, ROOT/data/KEY ── */

static enum bt_status read_member(const struct bt__torch_source *s, const struct bt__zip_member *m,
                                  unsigned char **bytes, struct bt_error *err)
{
    if (m->n > LARGEST_PICKLE)
        return bt_fail(err, BT_UNSUPPORTED, "%s: zip member %.100s has %llu bytes, expected at most %d",
                       s->file.path, m->name, (unsigned long long)m->n, LARGEST_PICKLE);
    *bytes = malloc((size_t)m->n + 1);
    if (!*bytes) return bt_fail(err, BT_NOMEM, "%s: no memory for its pickle", s->file.path);
    return bt__tensor_file_read(&s->file, *bytes, (size_t)m->n, m->at, err);
}

/* Member ROOT/folder name; *m is NULL if it is absent. */
static enum bt_status member(const struct bt__torch_source *s, const char *root, int root_n,
                             const char *folder, const char *name, const struct bt__zip_member **m,
                             struct bt_error *err)
{
    char *path = bt_strfmt("%.*s/%s%s", root_n, root, folder, name);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", s->file.path);
    *m = bt__zip_find(&s->zip, path);
    free(path);
    return BT_OK;
}

static enum bt_status check_byte_order(const struct bt__torch_source *s, const char *root, int root_n,
                                       struct bt_error *err)
{
    unsigned char *bytes = NULL;
    const struct bt__zip_member *m = NULL;
    enum bt_status st = member(s, root, root_n, "", "byteorder", &m, err);
    if (st || !m) return st; /* torch before 2.1 writes none */
    st = read_member(s, m, &bytes, err);
    if (!st && (m->n != 6 || memcmp(bytes, "little", 6) != 0))
        st = bt_fail(err, BT_UNSUPPORTED, "%s: its byte order is not \"little\"", s->file.path);
    free(bytes);
    return st;
}

static enum bt_status place_in_zip(struct bt__torch_source *s, const char *root, int root_n,
                                   struct bt_error *err)
{
    for (size_t i = 0; i < s->pickle.n; i++) {
        struct bt__torch_storage *x = &s->storage[i];
        if (!x->key) continue;
        const struct bt__zip_member *m = NULL;
        enum bt_status st = member(s, root, root_n, "data/", x->key, &m, err);
        if (st) return st;
        if (!m) return bt_fail(err, BT_DAMAGED, "%s: no zip member for storage %s", s->file.path, x->key);
        if (m->n != x->count * x->type->bytes)
            return bt_fail(err, BT_DAMAGED, "%s: storage %s has %llu bytes, its pickle says %llu",
                           s->file.path, x->key, (unsigned long long)m->n,
                           (unsigned long long)(x->count * x->type->bytes));
        x->at = m->at;
    }
    return BT_OK;
}

enum bt_status bt__torch_zip_source(struct bt__torch_source *s, struct bt_error *err)
{
    static const char wanted[] = "/data.pkl";
    const struct bt__zip_member *m = NULL;
    const char *slash = NULL;
    enum bt_status st = bt__zip_read(&s->zip, &s->file, err);
    if (st) return st;
    for (size_t i = 0; i < s->zip.n && !m; i++) {
        slash = strchr(s->zip.member[i].name, '/');
        if (slash && strcmp(slash, wanted) == 0) m = &s->zip.member[i];
    }
    if (!m) return bt_fail(err, BT_INVALID, "%s: a zip archive without data.pkl, not torch's", s->file.path);
    int root_n = (int)(slash - m->name);
    st = check_byte_order(s, m->name, root_n, err);
    if (!st) st = read_member(s, m, &s->bytes, err);
    if (!st) st = bt__pickle_read(&s->pickle, s->file.path, s->bytes, (size_t)m->n, err);
    if (!st && s->pickle.used != m->n)
        st = bt_fail(err, BT_DAMAGED, "%s: data.pkl goes on behind its STOP", s->file.path);
    if (!st) st = describe_all(s, err);
    return st ? st : place_in_zip(s, m->name, root_n, err);
}

/* ── the stream: magic number, protocol, system, dict, keys; then count and elements of each key's storage ── */

struct stream {
    struct bt__torch_source *s;
    size_t n, at;           /* bytes in memory; the next pickle */
    struct bt__pickle list; /* the keys */
    char **key;
    size_t n_keys;
    size_t *claimed; /* [n_keys] value + 1 of a storage with that key */
    struct bt__names names;
};

static enum bt_status next_pickle(struct stream *m, struct bt__pickle *p, struct bt_error *err)
{
    enum bt_status st = bt__pickle_read(p, m->s->file.path, m->s->bytes + m->at, m->n - m->at, err);
    if (!st) m->at += p->used;
    return st;
}

static bool is_magic(const struct bt__pickle *p)
{
    const struct bt__pickle_value *v = &p->v[p->root];
    return v->kind == BT__PICKLE_LONG && v->n == sizeof magic && memcmp(v->as.text, magic, sizeof magic) == 0;
}

static bool is_protocol(const struct bt__pickle *p)
{
    return p->v[p->root].kind == BT__PICKLE_INT && p->v[p->root].as.integer == PROTOCOL;
}

static bool is_little_endian(const struct bt__pickle *p)
{
    const struct bt__pickle_value *v = bt__pickle_get(p, &p->v[p->root], "little_endian");
    return v && v->kind == BT__PICKLE_BOOL && v->as.integer;
}

static enum bt_status read_preface(struct stream *m, struct bt_error *err)
{
    static const struct {
        bool (*good)(const struct bt__pickle *p);
        const char *expected;
    } parts[] = {{.good = is_magic, .expected = "torch's magic number: this is no file of torch.save"},
                 {.good = is_protocol, .expected = "torch's protocol 1001"},
                 {.good = is_little_endian, .expected = "a system with little_endian true"}};
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !st; i++) {
        struct bt__pickle p;
        st = next_pickle(m, &p, err);
        if (st) break;
        if (!parts[i].good(&p))
            st = bt_fail(err, BT_INVALID, "%s: expected %s", m->s->file.path, parts[i].expected);
        bt__pickle_free(&p);
    }
    return st;
}

static const char *key_name(const void *ctx, size_t i)
{
    const struct stream *m = ctx;
    return m->key[i];
}

static enum bt_status read_keys(struct stream *m, struct bt_error *err)
{
    const char *path = m->s->file.path;
    enum bt_status st = next_pickle(m, &m->list, err);
    if (st) return st;
    const struct bt__pickle_value *list = &m->list.v[m->list.root];
    if (list->kind != BT__PICKLE_LIST)
        return bt_fail(err, BT_DAMAGED, "%s: its storages are not a list", path);
    m->key = calloc((size_t)list->n + 1, sizeof *m->key);
    m->claimed = calloc((size_t)list->n + 1, sizeof *m->claimed);
    if (!m->key || !m->claimed) return bt_fail(err, BT_NOMEM, "%s: no memory for its storages", path);
    while (m->n_keys < list->n) {
        const struct bt__pickle_value *v = bt__pickle_item(&m->list, list, m->n_keys);
        if (v->kind != BT__PICKLE_TEXT || v->n > LONGEST_KEY)
            return bt_fail(err, BT_DAMAGED, "%s: storage %zu has no proper name", path, m->n_keys);
        m->key[m->n_keys] = bt_strndup(v->as.text, v->n);
        if (!m->key[m->n_keys++]) return bt_fail(err, BT_NOMEM, "%s: no memory for its storages", path);
    }
    ptrdiff_t twice;
    st = bt__names_build(&m->names, m->n_keys, key_name, m, &twice, err);
    if (!st && twice >= 0) st = bt_fail(err, BT_DAMAGED, "%s: storage %s occurs twice", path, m->key[twice]);
    return st;
}

/* Which storage each key is; the dict may name one many times, always alike. */
static enum bt_status claim_keys(struct stream *m, struct bt_error *err)
{
    struct bt__torch_source *s = m->s;
    for (size_t i = 0; i < s->pickle.n; i++) {
        const struct bt__torch_storage *x = &s->storage[i];
        if (!x->key) continue;
        ptrdiff_t k = bt__names_find(&m->names, x->key, key_name, m);
        if (k < 0) return bt_fail(err, BT_DAMAGED, "%s: storage %s is not in the file", s->file.path, x->key);
        const struct bt__torch_storage *other = m->claimed[k] ? &s->storage[m->claimed[k] - 1] : x;
        if (other->type != x->type || other->count != x->count)
            return bt_fail(err, BT_DAMAGED, "%s: storage %s is described in two ways", s->file.path, x->key);
        m->claimed[k] = i + 1;
    }
    return BT_OK;
}

static enum bt_status place_in_stream(struct stream *m, struct bt_error *err)
{
    struct bt__torch_source *s = m->s;
    uint64_t at = m->at, left = s->file.size - at;
    for (size_t k = 0; k < m->n_keys; k++) {
        unsigned char count[8];
        if (!m->claimed[k])
            return bt_fail(err, BT_DAMAGED, "%s: storage %s belongs to no tensor", s->file.path, m->key[k]);
        struct bt__torch_storage *x = &s->storage[m->claimed[k] - 1];
        uint64_t bytes = x->count * x->type->bytes, found = 0;
        if (left < 8 || bytes > left - 8)
            return bt_fail(err, BT_DAMAGED, "%s: the file ends inside storage %s", s->file.path, x->key);
        enum bt_status st = bt__tensor_file_read(&s->file, count, sizeof count, at, err);
        if (st) return st;
        for (int i = 7; i >= 0; i--) found = found << 8 | count[i];
        if (found != x->count)
            return bt_fail(err, BT_DAMAGED, "%s: storage %s has %llu elements, its pickle says %llu",
                           s->file.path, x->key, (unsigned long long)found, (unsigned long long)x->count);
        x->at = at + 8;
        at += 8 + bytes;
        left -= 8 + bytes;
    }
    if (left)
        return bt_fail(err, BT_DAMAGED, "%s: %llu bytes behind the last storage", s->file.path,
                       (unsigned long long)left);
    for (size_t i = 0; i < s->pickle.n; i++)
        if (s->storage[i].key) {
            ptrdiff_t k = bt__names_find(&m->names, s->storage[i].key, key_name, m);
            s->storage[i].at = s->storage[m->claimed[k] - 1].at;
        }
    return BT_OK;
}

enum bt_status bt__torch_stream_source(struct bt__torch_source *s, struct bt_error *err)
{
    struct stream m = {.s = s, .n = s->file.size < LARGEST_PICKLE ? (size_t)s->file.size : LARGEST_PICKLE};
    s->bytes = malloc(m.n + 1);
    if (!s->bytes) return bt_fail(err, BT_NOMEM, "%s: no memory for its pickle", s->file.path);
    enum bt_status st = bt__tensor_file_read(&s->file, s->bytes, m.n, 0, err);
    if (!st) st = read_preface(&m, err);
    if (!st) st = next_pickle(&m, &s->pickle, err);
    if (!st) st = describe_all(s, err);
    if (!st) st = read_keys(&m, err);
    if (!st) st = claim_keys(&m, err);
    if (!st) st = place_in_stream(&m, err);
    for (size_t i = 0; i < m.n_keys; i++) free(m.key[i]);
    free(m.key);
    free(m.claimed);
    bt__names_free(&m.names);
    bt__pickle_free(&m.list);
    return st;
}

void bt__torch_source_free(struct bt__torch_source *s)
{
    for (size_t i = 0; s->storage && i < s->pickle.n; i++) free(s->storage[i].key);
    free(s->storage);
    bt__pickle_free(&s->pickle);
    bt__zip_free(&s->zip);
    bt__tensor_file_close(&s->file);
    free(s->bytes);
}
