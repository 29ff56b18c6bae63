/* A checksum or a length that a fuzzer's change has spoilt hides all that stands behind it. These are made right again. */
#include "tests/fuzz/fuzz.h"

#include "base/crc32c.h"
#include "formats/tf_proto.h"

#include <stdbool.h>

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* ── safetensors: the length of its header, which ends with its last brace and the blanks behind it ── */

void fuzz_seal_safetensors(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n)
{
    size_t at = 8, depth = 0;
    (void)rest, (void)rest_n;
    for (; at < n; at++) {
        depth += first[at] == '{';
        depth -= first[at] == '}' && depth;
        if (first[at] == '}' && depth == 0) break;
    }
    while (at + 1 < n && first[at + 1] == ' ') at++;
    if (at >= n) return;
    put32(first, (uint32_t)(at + 1 - 8));
    put32(first + 4, 0);
}

/* ── TensorBoard's records: length (8 bytes), its checksum (4), data, its checksum (4) ── */

void fuzz_seal_events(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n)
{
    enum { HEAD = 12, TAIL = 4 };
    (void)rest, (void)rest_n;
    for (size_t at = 0; n - at >= HEAD;) {
        const uint64_t length = bt__little64(first + at), left = n - at - HEAD;
        put32(first + at + 8, bt__crc32c_masked(first + at, 8));
        if (left < TAIL || length > left - TAIL) return;
        at += HEAD + (size_t)length;
        put32(first + at, bt__crc32c_masked(first + at - length, (size_t)length));
        at += TAIL;
    }
}

/* ── TensorFlow's checkpoint: blocks of a table, and the bytes of each tensor ── */

struct tf {
    uint8_t *table, *data;
    size_t n, data_n;
};

/* The block that a handle names, without its trailer of 5 bytes. */
static bool block_of(const struct tf *f, struct bt__bytes *handle, uint8_t **block, size_t *size)
{
    uint64_t at, bytes;
    if (!bt__varint(handle, &at) || !bt__varint(handle, &bytes)) return false;
    if (f->n < 5 || bytes > f->n - 5 || at > f->n - 5 - bytes) return false;
    *block = f->table + at;
    *size = (size_t)bytes;
    return true;
}

static void seal_block(uint8_t *block, size_t size)
{
    put32(block + size + 1, bt__crc32c_masked(block, size + 1));
}

/* Calls take for the value of each entry. */
static void each_entry(const struct tf *f, uint8_t *block, size_t size,
                       void (*take)(const struct tf *f, uint8_t *value, size_t n))
{
    const uint32_t restarts = size < 4 ? 0 : bt__little32(block + size - 4);
    if (size < 4 || restarts > (size - 4) / 4) return;
    struct bt__bytes b = {.p = block, .end = block + size - 4 - 4 * (size_t)restarts};
    uint32_t shared, key_n, n;
    while (b.p < b.end && bt__varint32(&b, &shared) && bt__varint32(&b, &key_n) && bt__varint32(&b, &n)) {
        if ((uint64_t)key_n + n > (uint64_t)(b.end - b.p)) return;
        b.p += key_n;
        take(f, block + (b.p - block), n);
        b.p += n;
    }
}

/* A BundleEntryProto: fields 4 and 5 are the tensor's place, 6 the checksum of its bytes. */
static void seal_tensor(const struct tf *f, uint8_t *value, size_t n)
{
    struct bt__bytes v = {.p = value, .end = value + n};
    struct bt__field field;
    uint64_t at = 0, bytes = 0;
    uint8_t *sum = NULL;
    while (bt__field_next(&v, &field) > 0) {
        if (field.number == 4 && field.wire == BT__WIRE_VARINT) at = field.value;
        if (field.number == 5 && field.wire == BT__WIRE_VARINT) bytes = field.value;
        if (field.number == 6 && field.wire == BT__WIRE_32) sum = value + (v.p - value) - 4;
    }
    if (sum && f->data && bytes <= f->data_n && at <= f->data_n - bytes)
        put32(sum, bt__crc32c_masked(f->data + at, (size_t)bytes));
}

static void seal_data_block(const struct tf *f, uint8_t *value, size_t n)
{
    uint8_t *block;
    size_t size;
    if (!block_of(f, &(struct bt__bytes){.p = value, .end = value + n}, &block, &size)) return;
    each_entry(f, block, size, seal_tensor);
    seal_block(block, size);
}

void fuzz_seal_tf(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n)
{
    enum { FOOTER = 48 };
    uint8_t *meta, *index;
    size_t meta_n, index_n;
    if (n < FOOTER) return;
    struct tf f = {.table = first, .n = n - FOOTER, .data = rest, .data_n = rest_n};
    struct bt__bytes handles = {.p = first + f.n, .end = first + n - 8};
    if (!block_of(&f, &handles, &meta, &meta_n) || !block_of(&f, &handles, &index, &index_n)) return;
    each_entry(&f, index, index_n, seal_data_block);
    seal_block(index, index_n);
    seal_block(meta, meta_n);
}
