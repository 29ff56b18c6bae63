/* SHA-1 (FIPS 180-4). */
#include "base/sha1.h"

#include <stdio.h>
#include <string.h>

static uint32_t turn(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* f and K of round i */
static uint32_t mix(unsigned i, uint32_t b, uint32_t c, uint32_t d)
{
    if (i < 20) return ((b & c) | (~b & d)) + 0x5a827999;
    if (i < 40) return (b ^ c ^ d) + 0x6ed9eba1;
    if (i < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void compress(uint32_t h[5], const unsigned char p[64])
{
    uint32_t w[80], s[5];
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 |
               p[4 * i + 3];
    for (size_t i = 16; i < 80; i++) w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(s, h, sizeof s);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next = turn(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];
        memmove(s + 1, s, 4 * sizeof *s);
        s[2] = turn(s[2], 30);
        s[0] = next;
    }
    for (size_t i = 0; i < 5; i++) h[i] += s[i];
}

void bt__sha1_start(struct bt__sha1 *s)
{
    *s = (struct bt__sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

void bt__sha1_add(struct bt__sha1 *s, const void *data, size_t n)
{
    const unsigned char *p = data;
    while (n > 0) {
        size_t held = s->bytes % 64, take = n < 64 - held ? n : 64 - held;
        memcpy(s->block + held, p, take);
        s->bytes += take;
        p += take;
        n -= take;
        if (s->bytes % 64 == 0) compress(s->h, s->block);
    }
}

void bt__sha1_end(struct bt__sha1 *s, char hex[41])
{
    uint64_t bits = s->bytes * 8;
    unsigned char pad[72] = {0x80};
    size_t held = s->bytes % 64, n = (held < 56 ? 56 : 120) - held;
    for (size_t i = 0; i < 8; i++) pad[n + i] = (unsigned char)(bits >> (56 - 8 * i));
    bt__sha1_add(s, pad, n + 8);
    for (size_t i = 0; i < 5; i++) snprintf(hex + 8 * i, 9, "%08x", s->h[i]);
}
