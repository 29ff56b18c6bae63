/* Protocol Buffers' wire format, as much as TensorBoard's Event needs, and the frames (TFRecord) that events are stored in.
 *
 * A bt__wire is a view of bytes that the caller owns. Frames: a bt__records borrows the file descriptor and owns its buffer;
 * a record's bytes are borrowed until the next call. */
#ifndef RUN_EVENTS_WIRE_H
#define RUN_EVENTS_WIRE_H

#include <bertty/error.h>
#include <bertty/str.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum bt__wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct bt__wire {
    const uint8_t *p, *end;
    bool bad; /* the bytes contradict the format; everything after that reads as the end */
};

struct bt__field {
    uint32_t number;
    enum bt__wire_type type;
    uint64_t value;        /* varint, fixed32 and fixed64 */
    struct bt__wire bytes; /* WIRE_BYTES */
};

uint64_t bt__wire_varint_slow(struct bt__wire *w);

static inline uint64_t bt__wire_varint(struct bt__wire *w)
{
    if (w->p < w->end && *w->p < 0x80) return *w->p++;
    return bt__wire_varint_slow(w);
}

static inline uint64_t bt__little32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

static inline uint64_t bt__little64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

/* n bytes of the message; the message's end (and bad) where there are fewer. */
static inline const uint8_t *bt__wire_take(struct bt__wire *w, uint64_t n)
{
    const uint8_t *p = w->p;
    if (n > (uint64_t)(w->end - p)) {
        w->bad = true;
        w->p = w->end;
        return NULL;
    }
    w->p += n;
    return p;
}

/* The next field of a message; false at its end or where it is malformed (w->bad). Inline: one event takes a dozen calls. */
static inline bool bt__wire_next(struct bt__wire *w, struct bt__field *f)
{
    if (w->p >= w->end) return false;
    uint64_t key = bt__wire_varint(w);
    const uint8_t *p;
    *f = (struct bt__field){.number = (uint32_t)(key >> 3), .type = (enum bt__wire_type)(key & 7)};
    switch (key & 7) {
    case WIRE_VARINT:
        f->value = bt__wire_varint(w);
        break;
    case WIRE_FIXED64:
        f->value = (p = bt__wire_take(w, 8)) ? bt__little64(p) : 0;
        break;
    case WIRE_FIXED32:
        f->value = (p = bt__wire_take(w, 4)) ? bt__little32(p) : 0;
        break;
    case WIRE_BYTES:
        f->value = bt__wire_varint(w);
        p = bt__wire_take(w, f->value);
        f->bytes = (struct bt__wire){.p = p, .end = p ? w->p : NULL};
        break;
    default:
        w->bad = true; /* groups are no part of these messages */
    }
    if (key >> 3 == 0 || key >> 32) w->bad = true;
    return !w->bad;
}

static inline double bt__wire_double(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline float bt__wire_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof v);
    return v;
}

/* Writing: fields appended to a string; and a varint alone, for packed fields. */
void bt__wire_put_number(struct bt_str *out, uint64_t v);
void bt__wire_put_varint(struct bt_str *out, uint32_t field, uint64_t v);
void bt__wire_put_double(struct bt_str *out, uint32_t field, double v);
void bt__wire_put_float(struct bt_str *out, uint32_t field, float v);
void bt__wire_put_bytes(struct bt_str *out, uint32_t field, const char *bytes, size_t n);

/* ── frames: length (8 bytes), its checksum (4), data, its checksum (4) ── */

enum { BT__FRAME_HEAD = 12, BT__FRAME_TAIL = 4, BT__FRAME = BT__FRAME_HEAD + BT__FRAME_TAIL };

void bt__frame_put(struct bt_str *out, const char *data, size_t n);

enum bt__record {
    RECORD_OK,
    RECORD_END,        /* the file ends exactly here */
    RECORD_UNFINISHED, /* the file ends within this record */
    RECORD_BAD_LENGTH, /* the length's checksum is wrong: nothing behind it can be found */
    RECORD_BAD_DATA,   /* the data's checksum is wrong; bt__records_skip() goes to the next record */
    RECORD_HUGE,       /* whole, but over 64 MiB: not read; bt__records_skip() as above */
    RECORD_IO,
    RECORD_NOMEM,
};

struct bt__records {
    int fd;
    uint64_t offset; /* of the record that comes next, bytes */
    uint64_t size;   /* of the file */
    uint64_t length; /* of the last record's frame */
    uint8_t *buf;
    size_t from, to, cap; /* buf[from…to) is the file's content from offset on */
};

/* Goes to a byte of another (or the same) file, keeping the buffer's memory. */
void bt__records_start(struct bt__records *r, int fd, uint64_t offset, uint64_t size);
void bt__records_free(struct bt__records *r);
/* RECORD_OK: *data, and offset is that of the next one. Else offset stays. */
enum bt__record bt__records_next(struct bt__records *r, struct bt__wire *data);
void bt__records_skip(struct bt__records *r);
/* What has been read of the file from offset on, NULL if nothing; borrowed until the next call. */
static inline const uint8_t *bt__records_buffered(const struct bt__records *r, size_t *n)
{
    *n = r->to - r->from;
    return *n ? r->buf + r->from : NULL;
}
/* Goes on behind n of those bytes, which were whole records. */
static inline void bt__records_pass(struct bt__records *r, size_t n)
{
    r->offset += n;
    r->from += n;
}
/* After RECORD_BAD_…: is it what a crash leaves at a file's end: the last record of all, or zeros up to the end? */
bool bt__records_tail(struct bt__records *r, enum bt__record what);

/* True for the names that TensorBoard takes for event files. */
static inline bool bt__events_name(const char *name)
{
    return strstr(name, "tfevents") && !strstr(name, "profile-empty");
}

#endif
