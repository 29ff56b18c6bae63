/* What every checkpoint format says about a tensor, and its numbers as floats. */
#ifndef BERTTY_FORMATS_TENSOR_H
#define BERTTY_FORMATS_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bt__dtype { BT__F32, BT__F16, BT__BF16, BT__F64, BT__I64, BT__I32, BT__U8, BT__OTHER };

struct bt__tensor_info {
    const char *name; /* borrowed from the file object that lists it */
    enum bt__dtype dtype;
    int rank; /* 0 … 8 */
    int64_t shape[8];
    size_t count; /* elements */
};

/* Bytes of an element that bt__floats_from() reads (f32, f16, bf16 or f64); 0: no floating-point numbers. */
size_t bt__float_bytes(enum bt__dtype dtype);
/* n little-endian elements of such a dtype as floats; from needs no alignment. */
void bt__floats_from(enum bt__dtype dtype, const void *from, size_t n, float *to);
/* No NaN, no infinity. */
bool bt__all_finite(const float *x, size_t n);

#endif
