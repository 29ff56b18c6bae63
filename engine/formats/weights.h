/* The weights of a model directory, in whatever form they are: one door to every reader of checkpoints.
 *
 * Every reader gives the same: tensors by number or name, their shapes, their elements as floats. The table in weights.c says which
 * files are looked for, in that order. */
#ifndef BERTTY_FORMATS_WEIGHTS_H
#define BERTTY_FORMATS_WEIGHTS_H

#include "formats/tensor_file.h"

struct bt__weights; /* open weights */

/* In the order of the option model.checkpoint_format. */
enum bt__weights_kind {
    BT__WEIGHTS_AUTO,
    BT__WEIGHTS_SAFETENSORS,
    BT__WEIGHTS_TORCH_BIN,
    BT__WEIGHTS_TF_CKPT
};

/* Opens the first file of that kind (AUTO: of any) that dir has. The caller frees with bt__weights_close(). */
enum bt_status bt__weights_open(const char *dir, enum bt__weights_kind kind, struct bt__weights **out,
                                struct bt_error *err);
void bt__weights_close(struct bt__weights *w);             /* NULL is fine */
const char *bt__weights_path(const struct bt__weights *w); /* the file that was opened; borrowed */
size_t bt__weights_count(const struct bt__weights *w);
const struct bt__tensor_info *bt__weights_at(const struct bt__weights *w, size_t i);
ptrdiff_t bt__weights_find(const struct bt__weights *w, const char *name); /* number or −1 */
/* Tensor i as floats into dst[count]; NaN and Inf are errors that name the tensor. */
enum bt_status bt__weights_read_f32(const struct bt__weights *w, size_t i, float *dst, struct bt_error *err);

/* The files that were opened: the one of bt__weights_path() first, then its shards; NULL behind the last. Borrowed. */
const char *bt__weights_part(const struct bt__weights *w, size_t i);

#endif
