/* The safetensors format: 8-byte little-endian header length, a JSON header, the tensors' bytes.
 *
 * Reading uses pread, never a mapping: a file that is cut short while it is read gives an error, not SIGBUS. Rejected with the tensor's name:
 * header > 100 MB, overlap, hole, trailing bytes, overflow, duplicate key, shape × dtype ≠ bytes. */
#ifndef BERTTY_FORMATS_SAFETENSORS_H
#define BERTTY_FORMATS_SAFETENSORS_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

struct bt__safetensors; /* an open file */

enum bt__dtype { BT__F32, BT__F16, BT__BF16, BT__F64, BT__I64, BT__I32, BT__U8, BT__OTHER };

struct bt__tensor_info {
    const char *name; /* borrowed from the file object */
    enum bt__dtype dtype;
    int rank; /* 0 … 8 */
    int64_t shape[8];
    size_t count; /* elements */
};

enum bt_status bt__safetensors_open(const char *path, struct bt__safetensors **out, struct bt_error *err);
void bt__safetensors_close(struct bt__safetensors *s);
size_t bt__safetensors_count(const struct bt__safetensors *s);
const struct bt__tensor_info *bt__safetensors_at(const struct bt__safetensors *s, size_t i);
/* Index or -1; hashed. */
ptrdiff_t bt__safetensors_find(const struct bt__safetensors *s, const char *name);
/* Reads tensor i (f32, f16, bf16 or f64) as floats into dst[count]. A NaN or Inf is an error that names the tensor if check_finite. */
enum bt_status bt__safetensors_read_f32(const struct bt__safetensors *s, size_t i, float *dst,
                                        int check_finite, struct bt_error *err);
/* Value of __metadata__[key] or NULL; borrowed. */
const char *bt__safetensors_meta(const struct bt__safetensors *s, const char *key);

struct bt__tensor_out {
    const char *name;
    int rank;
    int64_t shape[8];
    const float *data;
};
/* Writes fp32 tensors in the given order with {"format": "pt"} as metadata to a new file (mode 0600), fsynced; a failure
 * removes it. header padded so that the data starts 8-byte aligned. */
enum bt_status bt__safetensors_write(const char *path, const struct bt__tensor_out *t, size_t n,
                                     struct bt_error *err);

#endif
