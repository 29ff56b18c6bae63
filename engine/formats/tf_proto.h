/* Varints and protocol-buffer fields, as TensorFlow's files hold them. Nothing is copied: fields point into the caller's bytes. */
#ifndef BERTTY_FORMATS_TF_PROTO_H
#define BERTTY_FORMATS_TF_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to read. */
struct bt__bytes {
    const unsigned char *p, *end;
};

struct bt__field {
    uint32_t number;
    enum { BT__WIRE_VARINT = 0, BT__WIRE_64 = 1, BT__WIRE_BYTES = 2, BT__WIRE_32 = 5 } wire;
    uint64_t value;         /* of a varint, 64- or 32-bit field */
    struct bt__bytes bytes; /* of a length-delimited field */
};

/* False: cut, or longer than 64 bits. */
bool bt__varint(struct bt__bytes *b, uint64_t *value);
bool bt__varint32(struct bt__bytes *b, uint32_t *value);
/* Four and eight little-endian bytes, unchecked. */
uint32_t bt__little32(const unsigned char *p);
uint64_t bt__little64(const unsigned char *p);
/* The next field: 1; the end: 0; −1: not a field. */
int bt__field_next(struct bt__bytes *b, struct bt__field *f);

#endif
