/* The offsets and signatures are those of PKWARE's APPNOTE.TXT: 4.3.7 local header, 4.3.12 central directory, 4.3.14 to 4.3.16 its end. */
#include "formats/torch_zip.h"

#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCAL = 30,
    CENTRAL = 46,
    END = 22,
    LOCATOR = 20,
    END64 = 56,
    LONGEST_COMMENT = 65535,
    LARGEST_DIRECTORY = 64 << 20
};
static const uint32_t SIGN_LOCAL = 0x04034b50, SIGN_CENTRAL = 0x02014b50, SIGN_END = 0x06054b50,
                      SIGN_LOCATOR = 0x07064b50, SIGN_END64 = 0x06064b50;

static uint64_t number(const unsigned char *p, int bytes)
{
    uint64_t x = 0;
    for (int i = bytes; i > 0; i--) x = x << 8 | p[i - 1];
    return x;
}

bool bt__zip_is(const unsigned char *head, size_t n)
{
    return n >= 4 && number(head, 4) == SIGN_LOCAL;
}

/* ── the end of the file says where the directory is ── */

struct directory {
    uint64_t at, bytes, members;
};

/* Zip64's record, whose place the locator before the end record tells. */
static enum bt_status read_end64(const struct bt__tensor_file *f, uint64_t end, struct directory *d,
                                 struct bt_error *err)
{
    unsigned char locator[LOCATOR], record[END64];
    if (end < LOCATOR) return BT_OK;
    enum bt_status st = bt__tensor_file_read(f, locator, sizeof locator, end - LOCATOR, err);
    if (st || number(locator, 4) != SIGN_LOCATOR) return st;
    uint64_t at = number(locator + 8, 8);
    if (at > end - LOCATOR || end - LOCATOR - at < END64)
        return bt_fail(err, BT_DAMAGED, "%s: the zip64 record is outside the file", f->path);
    st = bt__tensor_file_read(f, record, sizeof record, at, err);
    if (st) return st;
    if (number(record, 4) != SIGN_END64)
        return bt_fail(err, BT_DAMAGED, "%s: no zip64 record where the locator says", f->path);
    *d = (struct directory){
        .members = number(record + 32, 8), .bytes = number(record + 40, 8), .at = number(record + 48, 8)};
    return BT_OK;
}

static enum bt_status find_directory(const struct bt__tensor_file *f, struct directory *d,
                                     struct bt_error *err)
{
    size_t n = f->size < END + LONGEST_COMMENT ? (size_t)f->size : END + LONGEST_COMMENT, i = n;
    unsigned char *tail = malloc(n + 1);
    if (!tail) return bt_fail(err, BT_NOMEM, "%s: no memory", f->path);
    uint64_t from = f->size - n;
    enum bt_status st = bt__tensor_file_read(f, tail, n, from, err);
    bool found = false;
    while (!st && !found && i-- > 0)
        found = n - i >= END && number(tail + i, 4) == SIGN_END && number(tail + i + 20, 2) == n - i - END;
    if (!st && !found)
        st = bt_fail(err, BT_DAMAGED, "%s: a zip archive without an end: the file is cut short", f->path);
    if (!st) {
        *d = (struct directory){.members = number(tail + i + 10, 2),
                                .bytes = number(tail + i + 12, 4),
                                .at = number(tail + i + 16, 4)};
        st = read_end64(f, from + i, d, err);
    }
    if (!st && (d->at > from + i || d->bytes > from + i - d->at))
        st = bt_fail(err, BT_DAMAGED, "%s: the zip directory is outside the file", f->path);
    if (!st && (d->bytes > LARGEST_DIRECTORY || d->members > d->bytes / CENTRAL))
        st = bt_fail(err, BT_DAMAGED, "%s: a zip directory of %llu bytes for %llu members", f->path,
                     (unsigned long long)d->bytes, (unsigned long long)d->members);
    free(tail);
    return st;
}

/* ── its entries ── */

/* Sizes and offset that did not fit 32 bits stand in the extra field 1, in this order, those alone that did not fit. */
static bool read_extra(const unsigned char *extra, size_t n, uint64_t *const want[3])
{
    bool any = false;
    for (int i = 0; i < 3; i++) any = any || *want[i] == UINT32_MAX;
    while (any && n >= 4) {
        size_t id = (size_t)number(extra, 2), bytes = (size_t)number(extra + 2, 2), at = 4;
        if (bytes > n - 4) return false;
        for (int i = 0; i < 3 && id == 1; i++) {
            if (*want[i] != UINT32_MAX) continue;
            if (at + 8 > bytes + 4) return false;
            *want[i] = number(extra + at, 8);
            at += 8;
        }
        if (id == 1) return true;
        extra += 4 + bytes;
        n -= 4 + bytes;
    }
    return !any;
}

static enum bt_status read_entry(const struct bt__tensor_file *f, const unsigned char *e, size_t left,
                                 struct bt__zip_member *m, size_t *used, struct bt_error *err)
{
    if (left < CENTRAL || number(e, 4) != SIGN_CENTRAL)
        return bt_fail(err, BT_DAMAGED, "%s: the zip directory is damaged", f->path);
    size_t name_n = (size_t)number(e + 28, 2), extra_n = (size_t)number(e + 30, 2);
    *used = CENTRAL + name_n + extra_n + (size_t)number(e + 32, 2);
    if (*used > left) return bt_fail(err, BT_DAMAGED, "%s: the zip directory is damaged", f->path);
    uint64_t packed = number(e + 20, 4), plain = number(e + 24, 4);
    m->name = bt_strndup((const char *)e + CENTRAL, name_n);
    m->header = number(e + 42, 4);
    if (!m->name) return bt_fail(err, BT_NOMEM, "%s: no memory for its members", f->path);
    if (strlen(m->name) != name_n || !name_n)
        return bt_fail(err, BT_DAMAGED, "%s: a zip member without a proper name", f->path);
    uint64_t *const want[3] = {&plain, &packed, &m->header};
    if (!read_extra(e + CENTRAL + name_n, extra_n, want))
        return bt_fail(err, BT_DAMAGED, "%s: zip member %.100s: its zip64 sizes are missing", f->path,
                       m->name);
    if (number(e + 8, 2) & 0x2041) /* encrypted, strongly, or with masked headers */
        return bt_fail(err, BT_UNSUPPORTED, "%s: zip member %.100s is encrypted", f->path, m->name);
    if (number(e + 10, 2) || packed != plain)
        return bt_fail(err, BT_UNSUPPORTED, "%s: zip member %.100s is compressed, expected stored", f->path,
                       m->name);
    m->n = plain;
    return BT_OK;
}

/* The local header tells where the bytes begin, and must be of the same member. */
static enum bt_status locate(const struct bt__tensor_file *f, uint64_t limit, struct bt__zip_member *m,
                             struct bt_error *err)
{
    unsigned char head[LOCAL], name[65536];
    if (m->header > limit || limit - m->header < LOCAL)
        return bt_fail(err, BT_DAMAGED, "%s: zip member %.100s is outside the file", f->path, m->name);
    enum bt_status st = bt__tensor_file_read(f, head, sizeof head, m->header, err);
    if (st) return st;
    size_t name_n = (size_t)number(head + 26, 2), n = strlen(m->name);
    m->at = m->header + LOCAL + name_n + number(head + 28, 2);
    if (m->at > limit || m->n > limit - m->at)
        return bt_fail(err, BT_DAMAGED, "%s: zip member %.100s is outside the file", f->path, m->name);
    st = bt__tensor_file_read(f, name, name_n, m->header + LOCAL, err);
    if (st) return st;
    if (number(head, 4) != SIGN_LOCAL || number(head + 8, 2) || name_n != n || memcmp(name, m->name, n) != 0)
        return bt_fail(err, BT_DAMAGED, "%s: zip member %.100s: its two headers differ", f->path, m->name);
    return BT_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct bt__zip_member *x = a, *y = b;
    return x->header < y->header ? -1 : x->header > y->header;
}

static const char *name_of(const void *ctx, size_t i)
{
    const struct bt__zip *z = ctx;
    return z->member[i].name;
}

static enum bt_status check_members(struct bt__zip *z, const struct bt__tensor_file *f, struct bt_error *err)
{
    ptrdiff_t twice;
    if (z->n) qsort(z->member, z->n, sizeof *z->member, by_place);
    for (size_t i = 1; i < z->n; i++)
        if (z->member[i].header < z->member[i - 1].at + z->member[i - 1].n)
            return bt_fail(err, BT_DAMAGED, "%s: zip members %.100s and %.100s overlap", f->path,
                           z->member[i - 1].name, z->member[i].name);
    enum bt_status st = bt__names_build(&z->names, z->n, name_of, z, &twice, err);
    if (!st && twice >= 0)
        st = bt_fail(err, BT_DAMAGED, "%s: zip member %.100s occurs twice", f->path, z->member[twice].name);
    return st;
}

enum bt_status bt__zip_read(struct bt__zip *z, const struct bt__tensor_file *f, struct bt_error *err)
{
    struct directory d = {.at = 0};
    *z = (struct bt__zip){.n = 0};
    enum bt_status st = find_directory(f, &d, err);
    if (st) return st;
    unsigned char *bytes = malloc((size_t)d.bytes + 1);
    z->member = calloc((size_t)d.members + 1, sizeof *z->member);
    if (!bytes || !z->member)
        st = bt_fail(err, BT_NOMEM, "%s: no memory for its directory", f->path);
    else
        st = bt__tensor_file_read(f, bytes, (size_t)d.bytes, d.at, err);
    size_t at = 0, used = 0;
    for (; !st && z->n < d.members; at += used) {
        st = read_entry(f, bytes + at, (size_t)d.bytes - at, &z->member[z->n++], &used, err);
        if (!st) st = locate(f, d.at, &z->member[z->n - 1], err);
    }
    if (!st && at != d.bytes)
        st = bt_fail(err, BT_DAMAGED, "%s: the zip directory has more than its %llu members", f->path,
                     (unsigned long long)d.members);
    free(bytes);
    return st ? st : check_members(z, f, err);
}

void bt__zip_free(struct bt__zip *z)
{
    for (size_t i = 0; i < z->n; i++) free(z->member[i].name);
    free(z->member);
    bt__names_free(&z->names);
    *z = (struct bt__zip){.n = 0};
}

const struct bt__zip_member *bt__zip_find(const struct bt__zip *z, const char *name)
{
    ptrdiff_t i = bt__names_find(&z->names, name, name_of, z);
    return i < 0 ? NULL : &z->member[i];
}
