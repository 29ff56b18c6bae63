/* TensorFlow's checkpoints behind the one door. */
#include "formats/tf_bundle.h"
#include "formats/weights_parts.h"

#include <bertty/str.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum bt_status tf_look(const char *dir, char **path, struct bt_error *err)
{
    struct stat info;
    char *name;
    if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode)) return BT_NOTFOUND;
    enum bt_status st = bt__tf_find(dir, &name, err);
    if (st) return st;
    *path = bt_strfmt("%s.index", name);
    free(name);
    return *path ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
}

static enum bt_status tf_open(const char *path, void **file, struct bt_error *err)
{
    struct bt__tf_bundle *b = NULL;
    enum bt_status st = bt__tf_bundle_open(path, &b, err);
    *file = b;
    return st;
}

static void tf_close(void *file)
{
    bt__tf_bundle_close(file);
}

static size_t tf_count(const void *file)
{
    return bt__tf_bundle_count(file);
}

static const struct bt__tensor_info *tf_at(const void *file, size_t i)
{
    return bt__tf_bundle_at(file, i);
}

static ptrdiff_t tf_find(const void *file, const char *name)
{
    return bt__tf_bundle_find(file, name);
}

static const char *tf_shard(const void *file, size_t i)
{
    return bt__tf_bundle_part(file, i + 1);
}

static enum bt_status tf_read(const void *file, size_t i, float *dst, struct bt_error *err)
{
    return bt__tf_bundle_read_f32(file, i, dst, 1, err);
}

const struct bt__weights_format bt__weights_tf = {.kind = BT__WEIGHTS_TF_CKPT,
                                                  .name = "bert_model.ckpt.index",
                                                  .look = tf_look,
                                                  .open = tf_open,
                                                  .close = tf_close,
                                                  .count = tf_count,
                                                  .at = tf_at,
                                                  .find = tf_find,
                                                  .part = tf_shard,
                                                  .read = tf_read};
