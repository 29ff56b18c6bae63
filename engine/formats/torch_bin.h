/* What torch.save writes for a dict of tensors (pytorch_model.bin): the zip archive of torch 1.6 and later, and the stream before it.
 *
 * No pickle is executed (torch_pickle.h). A dict under "state_dict", "model" or "model_state_dict" is taken where the outer one holds
 * no tensor itself. Strides, offsets and storages are checked against the file before anything is read. */
#ifndef BERTTY_FORMATS_TORCH_BIN_H
#define BERTTY_FORMATS_TORCH_BIN_H

#include "formats/tensor_file.h"

struct bt__torch_bin; /* an open file */

enum bt_status bt__torch_bin_open(const char *path, struct bt__torch_bin **out, struct bt_error *err);
void bt__torch_bin_close(struct bt__torch_bin *b); /* NULL is fine */
size_t bt__torch_bin_count(const struct bt__torch_bin *b);
const struct bt__tensor_info *bt__torch_bin_at(const struct bt__torch_bin *b, size_t i);
/* Index or -1; hashed. */
ptrdiff_t bt__torch_bin_find(const struct bt__torch_bin *b, const char *name);
/* Tensor i (f32, f16, bf16 or f64) as floats, row-major whatever its strides are, into dst[count]. A NaN or Inf is an error that names
 * the tensor if check_finite. */
enum bt_status bt__torch_bin_read_f32(const struct bt__torch_bin *b, size_t i, float *dst, int check_finite,
                                      struct bt_error *err);

#endif
