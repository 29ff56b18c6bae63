/* TensorFlow's checkpoints ("tensor bundles": NAME.index and NAME.data-00000-of-0000N) with the variables of Google's BERT.
 *
 * The caller sees transformers' names and shapes: kernels are transposed while they are read. What belongs to the optimiser (adam_m, adam_v,
 * global_step) is checked but not listed. Rejected with the tensor's name: a bad varint, an unknown dtype, a shape that does not match the
 * bytes, a shard that is not there, bytes beyond its end or shared by two tensors, a wrong checksum. The caller closes. */
#ifndef BERTTY_FORMATS_TF_BUNDLE_H
#define BERTTY_FORMATS_TF_BUNDLE_H

#include "formats/tensor_file.h"

struct bt__tf_bundle; /* open files */

/* path: NAME, NAME.index, or a directory: the checkpoint that its file "checkpoint" names, else the only one there. */
enum bt_status bt__tf_bundle_open(const char *path, struct bt__tf_bundle **out, struct bt_error *err);
void bt__tf_bundle_close(struct bt__tf_bundle *b);
size_t bt__tf_bundle_count(const struct bt__tf_bundle *b);
const struct bt__tensor_info *bt__tf_bundle_at(const struct bt__tf_bundle *b, size_t i);
/* Index or -1. */
ptrdiff_t bt__tf_bundle_find(const struct bt__tf_bundle *b, const char *name);
/* Reads tensor i as floats into dst[count] and compares its checksum. A NaN or Inf is an error that names the tensor if check_finite. */
enum bt_status bt__tf_bundle_read_f32(const struct bt__tf_bundle *b, size_t i, float *dst, int check_finite,
                                      struct bt_error *err);
/* The path of the index (0) or of shard i − 1; NULL: no more. Borrowed. */
const char *bt__tf_bundle_part(const struct bt__tf_bundle *b, size_t i);

/* The NAME of the checkpoint that path means (see bt__tf_bundle_open); the caller frees. BT_NOTFOUND: none there. */
enum bt_status bt__tf_find(const char *path, char **name, struct bt_error *err);

#endif
