/* SHA-256 (FIPS 180-4), with the processor's own instructions where it has them. */
#include <bertty/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef void compress_fn(uint32_t h[8], const unsigned char *p, size_t blocks);

static uint32_t turn(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void schedule(uint32_t w[64], const unsigned char *p)
{
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 |
               p[4 * i + 3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void compress(uint32_t h[8], const unsigned char *p, size_t blocks)
{
    uint32_t w[64], s[8];
    for (; blocks > 0; blocks--, p += 64) {
        schedule(w, p);
        memcpy(s, h, sizeof s);
        for (size_t i = 0; i < 64; i++) {
            uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]),
                     most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
            uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choose + K[i] + w[i];
            uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + most;
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (size_t i = 0; i < 8; i++) h[i] += s[i];
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Two registers hold the state as ABEF and CDGH; four rounds at a time. */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_ni(uint32_t h[8], const unsigned char *p,
                                                                    size_t blocks)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)h), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(h + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(abcd, efgh, 8), cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
    for (; blocks > 0; blocks--, p += 64) {
        __m128i before0 = abef, before1 = cdgh, m[4];
        for (size_t i = 0; i < 4; i++)
            m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), order);
        for (size_t i = 0; i < 16; i++) {
            __m128i w = _mm_add_epi32(m[i & 3], _mm_loadu_si128((const __m128i *)(const void *)&K[4 * i]));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, w);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(w, 0x0e));
            __m128i next = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
            next = _mm_add_epi32(next, _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4));
            m[i & 3] = _mm_sha256msg2_epu32(next, m[(i + 3) & 3]);
        }
        abef = _mm_add_epi32(abef, before0);
        cdgh = _mm_add_epi32(cdgh, before1);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* CPUID leaf 7, EBX bit 29 */
static bool has_sha(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    return b >> 29 & 1 && __builtin_cpu_supports("sse4.1");
}
#endif

static compress_fn *fastest(void)
{
#if defined(__x86_64__)
    if (has_sha()) return compress_ni;
#endif
    return compress;
}

struct sha {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char tail[64];
    size_t held; /* bytes in tail */
    compress_fn *compress;
};

static void start(struct sha *s)
{
    *s = (struct sha){
        .h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        .compress = fastest()};
}

static void update(struct sha *s, const unsigned char *p, size_t n)
{
    s->bytes += n;
    if (s->held) {
        size_t take = n < 64 - s->held ? n : 64 - s->held;
        memcpy(s->tail + s->held, p, take);
        s->held += take;
        p += take;
        n -= take;
        if (s->held < 64) return;
        s->compress(s->h, s->tail, 1);
        s->held = 0;
    }
    s->compress(s->h, p, n / 64);
    s->held = n % 64;
    if (s->held) memcpy(s->tail, p + n - s->held, s->held);
}

static void finish(struct sha *s, char hex[65])
{
    uint64_t bits = s->bytes * 8;
    unsigned char pad[72] = {0x80};
    size_t n = (s->held < 56 ? 56 : 120) - s->held;
    for (size_t i = 0; i < 8; i++) pad[n + i] = (unsigned char)(bits >> (56 - 8 * i));
    update(s, pad, n + 8);
    for (size_t i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", s->h[i]);
}

void bt_sha256(const void *data, size_t n, char hex[65])
{
    struct sha s;
    start(&s);
    update(&s, data, n);
    finish(&s, hex);
}

enum { BUFFER = 1 << 18 };

enum bt_status bt_sha256_file(const char *path, char hex[65], struct bt_error *err)
{
    struct sha s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) return bt_fail(err, BT_NOTFOUND, "%s: no such file", path);
    if (fd < 0) return bt_fail_errno(err, "%s", path);
    unsigned char *buffer = malloc(BUFFER);
    enum bt_status st = buffer ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a buffer", path);
    start(&s);
    while (!st) {
        ssize_t n = read(fd, buffer, BUFFER);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) st = bt_fail_errno(err, "%s", path);
        if (n <= 0) break;
        update(&s, buffer, (size_t)n);
    }
    finish(&s, hex);
    free(buffer);
    close(fd);
    return st;
}
