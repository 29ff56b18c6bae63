#include "formats/tf_proto.h"

bool bt__varint(struct bt__bytes *b, uint64_t *value)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && b->p < b->end; shift += 7) {
        unsigned char byte = *b->p++;
        if (shift == 63 && byte > 1) return false;
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *value = v;
            return true;
        }
    }
    return false;
}

bool bt__varint32(struct bt__bytes *b, uint32_t *value)
{
    uint64_t v;
    if (!bt__varint(b, &v) || v > UINT32_MAX) return false;
    *value = (uint32_t)v;
    return true;
}

uint32_t bt__little32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t bt__little64(const unsigned char *p)
{
    return bt__little32(p) | (uint64_t)bt__little32(p + 4) << 32;
}

static bool take(struct bt__bytes *b, uint64_t n, const unsigned char **at)
{
    if (n > (uint64_t)(b->end - b->p)) return false;
    *at = b->p;
    b->p += n;
    return true;
}

int bt__field_next(struct bt__bytes *b, struct bt__field *f)
{
    uint32_t tag;
    uint64_t n;
    const unsigned char *at = b->p;
    if (b->p == b->end) return 0;
    if (!bt__varint32(b, &tag) || tag >> 3 == 0) return -1;
    *f = (struct bt__field){.number = tag >> 3};
    switch (tag & 7) {
    case BT__WIRE_VARINT:
        f->wire = BT__WIRE_VARINT;
        return bt__varint(b, &f->value) ? 1 : -1;
    case BT__WIRE_64:
        f->wire = BT__WIRE_64;
        if (!take(b, 8, &at)) return -1;
        f->value = bt__little64(at);
        return 1;
    case BT__WIRE_BYTES:
        f->wire = BT__WIRE_BYTES;
        if (!bt__varint(b, &n) || !take(b, n, &at)) return -1;
        f->bytes = (struct bt__bytes){.p = at, .end = at + n};
        return 1;
    case BT__WIRE_32:
        f->wire = BT__WIRE_32;
        if (!take(b, 4, &at)) return -1;
        f->value = bt__little32(at);
        return 1;
    default: /* groups, long out of use */
        return -1;
    }
}
