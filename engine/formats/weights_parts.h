/* Inside bt__weights: what a kind of file must be able to do. */
#ifndef BERTTY_FORMATS_WEIGHTS_PARTS_H
#define BERTTY_FORMATS_WEIGHTS_PARTS_H

#include "formats/weights.h"

/* file is what open() made. */
struct bt__weights_format {
    enum bt__weights_kind kind;
    const char *name; /* of the file in a model directory */
    /* Where that varies: the file's path, the caller frees; BT_NOTFOUND: dir has none. May be NULL. */
    enum bt_status (*look)(const char *dir, char **path, struct bt_error *err);
    enum bt_status (*open)(const char *path, void **file, struct bt_error *err);
    void (*close)(void *file);
    size_t (*count)(const void *file);
    const struct bt__tensor_info *(*at)(const void *file, size_t i);
    ptrdiff_t (*find)(const void *file, const char *name);
    const char *(*part)(const void *file,
                        size_t i); /* path of the i-th file beside; NULL: no more; may be NULL: none */
    enum bt_status (*read)(const void *file, size_t i, float *dst, struct bt_error *err);
};

extern const struct bt__weights_format bt__weights_safetensors, bt__weights_safetensors_shards,
    bt__weights_torch_bin, bt__weights_torch_bin_shards, bt__weights_tf, bt__weights_peft,
    bt__weights_peft_torch;

#endif
