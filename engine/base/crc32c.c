#include "base/crc32c.h"

#include <pthread.h>
#include <string.h>

enum { SLICES = 8 };

/* table[k][b]: the effect of byte b on the checksum when k bytes follow it. Filled once, then constant. */
static uint32_t table[SLICES][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
    const uint32_t polynomial = 0x82f63b78u; /* x^32 + x^28 + x^27 + …, bits reversed */
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1;
        table[0][b] = crc;
    }
    for (size_t b = 0; b < 256; b++)
        for (size_t k = 1; k < SLICES; k++)
            table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 255];
}

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t bt__crc32c_portable(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t crc = 0xffffffffu;
    pthread_once(&table_once, fill_table);
    for (; n >= SLICES; n -= SLICES, p += SLICES) {
        uint32_t low = crc ^ little32(p), high = little32(p + 4);
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^
              table[4][low >> 24] ^ table[3][high & 255] ^ table[2][high >> 8 & 255] ^
              table[1][high >> 16 & 255] ^ table[0][high >> 24];
    }
    while (n--) crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
    return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t crc = 0xffffffffu;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    uint32_t rest = (uint32_t)crc, four;
    uint16_t two;
    if (n & 4) {
        memcpy(&four, p, 4);
        rest = _mm_crc32_u32(rest, four);
        p += 4;
    }
    if (n & 2) {
        memcpy(&two, p, 2);
        rest = _mm_crc32_u16(rest, two);
        p += 2;
    }
    return ~(n & 1 ? _mm_crc32_u8(rest, *p) : rest);
}

bt__crc32c_sum *bt__crc32c_choice(void)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_sse42 : bt__crc32c_portable;
}

#else

bt__crc32c_sum *bt__crc32c_choice(void)
{
    return bt__crc32c_portable;
}

#endif

uint32_t bt__crc32c(const void *data, size_t n)
{
    return bt__crc32c_choice()(data, n);
}
