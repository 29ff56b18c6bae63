/* The safetensors format: 8-byte little-endian header length, a JSON header, the tensors' bytes.
 *
 * Rejected with the tensor's name:
 * header > 100 MB, overlap, hole, trailing bytes, overflow, duplicate key, shape × dtype ≠ bytes. */
#ifndef BERTTY_FORMATS_SAFETENSORS_H
#define BERTTY_FORMATS_SAFETENSORS_H

#include "formats/tensor_file.h"

struct bt__safetensors; /* an open file */

enum bt_status bt__safetensors_open(const char *path, struct bt__safetensors **out, struct bt_error *err);
void bt__safetensors_close(struct bt__safetensors *s);
size_t bt__safetensors_count(const struct bt__safetensors *s);
const struct bt__tensor_info *bt__safetensors_at(const struct bt__safetensors *s, size_t i);
/* Index or -1; hashed. */
ptrdiff_t bt__safetensors_find(const struct bt__safetensors *s, const char *name);
/* Reads tensor i (f32, f16, bf16 or f64) as floats into dst[count]. A NaN or Inf is an error that names the tensor if check_finite. */
enum bt_status bt__safetensors_read_f32(const struct bt__safetensors *s, size_t i, float *dst,
                                        int check_finite, struct bt_error *err);

struct bt__tensor_out {
    const char *name;
    int rank;
    int64_t shape[8];
    const float *data;
    void (*make)(const void *ctx, const void *which,
                 float *to); /* where data is NULL: fills memory of the writer's */
    const void *ctx, *which;
};
/* Writes fp32 tensors in the given order with {"format": "pt"} as metadata to a new file (mode 0600), fsynced; a failure
 * removes it. header padded so that the data starts 8-byte aligned. */
enum bt_status bt__safetensors_write(const char *path, const struct bt__tensor_out *t, size_t n,
                                     struct bt_error *err);

#endif
