#include "run/events_wire.h"
#include "base/crc32c.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define HUGE_RECORD ((uint64_t)64 << 20) /* bytes: images and audio of others; no scalar is that long */
#define READ_CHUNK  ((size_t)256 << 10)  /* bytes: stays in the second-level cache */

/* ── fields ── */

uint64_t bt__wire_varint_slow(struct bt__wire *w)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && w->p < w->end; shift += 7) {
        uint8_t byte = *w->p++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return v;
    }
    w->bad = true;
    w->p = w->end;
    return 0;
}

void bt__wire_put_number(struct bt_str *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) bt_str_addc(out, (char)(v | 0x80));
    bt_str_addc(out, (char)v);
}

static void put_fixed(struct bt_str *out, uint64_t v, size_t n)
{
    char b[8];
    for (size_t i = 0; i < n; i++) b[i] = (char)(v >> 8 * i);
    bt_str_addn(out, b, n);
}

static void put_key(struct bt_str *out, uint32_t field, enum bt__wire_type type)
{
    bt__wire_put_number(out, (uint64_t)field << 3 | type);
}

void bt__wire_put_varint(struct bt_str *out, uint32_t field, uint64_t v)
{
    put_key(out, field, WIRE_VARINT);
    bt__wire_put_number(out, v);
}

void bt__wire_put_double(struct bt_str *out, uint32_t field, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_key(out, field, WIRE_FIXED64);
    put_fixed(out, bits, 8);
}

void bt__wire_put_float(struct bt_str *out, uint32_t field, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_key(out, field, WIRE_FIXED32);
    put_fixed(out, bits, 4);
}

void bt__wire_put_bytes(struct bt_str *out, uint32_t field, const char *bytes, size_t n)
{
    put_key(out, field, WIRE_BYTES);
    bt__wire_put_number(out, n);
    bt_str_addn(out, bytes, n);
}

/* ── frames ── */

void bt__frame_put(struct bt_str *out, const char *data, size_t n)
{
    struct bt_str head = {0};
    put_fixed(&head, n, 8);
    put_fixed(&head, bt__crc32c_masked(bt_str_text(&head), head.len), 4);
    bt_str_addn(out, bt_str_text(&head), head.len);
    bt_str_addn(out, data, n);
    put_fixed(out, bt__crc32c_masked(data, n), 4);
    out->failed |= head.failed;
    bt_str_free(&head);
}

void bt__records_start(struct bt__records *r, int fd, uint64_t offset, uint64_t size)
{
    r->fd = fd;
    r->offset = offset;
    r->size = size;
    r->length = 0;
    r->from = r->to = 0;
}

void bt__records_free(struct bt__records *r)
{
    free(r->buf);
    *r = (struct bt__records){.fd = -1};
}

static bool reserve(struct bt__records *r, size_t need)
{
    if (r->from) {
        memmove(r->buf, r->buf + r->from, r->to - r->from);
        r->to -= r->from;
        r->from = 0;
    }
    if (need <= r->cap) return true;
    const uint64_t left = r->size - r->offset;
    size_t cap = left < READ_CHUNK ? (size_t)left : READ_CHUNK;
    if (cap < need) cap = need;
    uint8_t *buf = realloc(r->buf, cap);
    if (!buf) return false;
    r->buf = buf;
    r->cap = cap;
    return true;
}

/* Makes the first `need` bytes of the next record available. */
static enum bt__record fill(struct bt__records *r, size_t need)
{
    if (r->to - r->from >= need) return RECORD_OK;
    if (r->size - r->offset < need) return RECORD_UNFINISHED;
    if (!reserve(r, need)) return RECORD_NOMEM;
    while (r->to < need) {
        uint64_t left = r->size - r->offset - r->to;
        size_t room = r->cap - r->to;
        ssize_t n =
            pread(r->fd, r->buf + r->to, left < room ? (size_t)left : room, (off_t)(r->offset + r->to));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return RECORD_IO;
        if (n == 0) return RECORD_UNFINISHED; /* cut short while it is read */
        r->to += (size_t)n;
    }
    return RECORD_OK;
}

enum bt__record bt__records_next(struct bt__records *r, struct bt__wire *data)
{
    r->length = 0;
    if (r->offset >= r->size) return RECORD_END;
    enum bt__record got = fill(r, BT__FRAME_HEAD);
    if (got != RECORD_OK) return got;
    const uint8_t *p = r->buf + r->from;
    uint64_t n = bt__little64(p), left = r->size - r->offset;
    if (bt__crc32c_masked(p, 8) != bt__little32(p + 8)) return RECORD_BAD_LENGTH;
    if (left < BT__FRAME || n > left - BT__FRAME) return RECORD_UNFINISHED;
    r->length = n + BT__FRAME;
    if (n > HUGE_RECORD) return RECORD_HUGE;
    if ((got = fill(r, (size_t)r->length)) != RECORD_OK) return got;
    p = r->buf + r->from + BT__FRAME_HEAD;
    if (bt__crc32c_masked(p, (size_t)n) != bt__little32(p + n)) return RECORD_BAD_DATA;
    *data = (struct bt__wire){.p = p, .end = p + n};
    bt__records_skip(r);
    return RECORD_OK;
}

void bt__records_skip(struct bt__records *r)
{
    r->offset += r->length;
    if (r->length <= r->to - r->from)
        r->from += (size_t)r->length;
    else
        r->from = r->to = 0;
}

/* Only zeros from offset to the end of the file: what some file systems leave after a power cut. */
static bool zeros_to_the_end(struct bt__records *r)
{
    uint8_t b[4096];
    uint64_t at = r->offset;
    while (at < r->size) {
        ssize_t n = pread(r->fd, b, sizeof b, (off_t)at);
        if (n <= 0) return false;
        for (ssize_t i = 0; i < n; i++)
            if (b[i]) return false;
        at += (uint64_t)n;
    }
    return true;
}

bool bt__records_tail(struct bt__records *r, enum bt__record what)
{
    if (what == RECORD_BAD_DATA) return r->offset + r->length >= r->size;
    return what == RECORD_BAD_LENGTH && zeros_to_the_end(r);
}
