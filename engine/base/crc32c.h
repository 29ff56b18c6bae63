/* CRC-32C (Castagnoli) as TensorFlow uses it, in event files and in checkpoints. */
#ifndef BERTTY_BASE_CRC32C_H
#define BERTTY_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of n bytes; on x86-64 with the SSE 4.2 instruction where the CPU has it. */
uint32_t bt__crc32c(const void *data, size_t n);
/* The same without the instruction. */
uint32_t bt__crc32c_portable(const void *data, size_t n);

/* The faster of the two here, for a loop over many short pieces. */
typedef uint32_t bt__crc32c_sum(const void *data, size_t n);
bt__crc32c_sum *bt__crc32c_choice(void);

/* A checksum of data that itself holds checksums is weak: the format stores them rotated and offset
 * (tensorflow/core/lib/hash/crc32c.h). */
static inline uint32_t bt__crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static inline uint32_t bt__crc32c_masked(const void *data, size_t n)
{
    return bt__crc32c_mask(bt__crc32c(data, n));
}

#endif
