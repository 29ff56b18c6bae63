/* A table of sorted keys and values in LevelDB's format (doc/table_format.md of LevelDB), as TensorFlow writes it for a checkpoint's index.
 *
 * The whole table is in memory; every block is checked against its CRC-32C. Compressed blocks are refused: TensorFlow writes none. */
#ifndef BERTTY_FORMATS_TF_TABLE_H
#define BERTTY_FORMATS_TF_TABLE_H

#include "formats/tf_proto.h"
#include <bertty/error.h>

/* Called for every entry in the order of the keys; key is NUL-terminated (it may hold NULs of its own) and, as value, valid during the call. */
typedef enum bt_status bt__table_fn(void *ctx, const char *key, size_t key_n, struct bt__bytes value,
                                    struct bt_error *err);
/* path is for messages. Stops at the first failure of fn. */
enum bt_status bt__table_read(const void *data, size_t n, const char *path, bt__table_fn *fn, void *ctx,
                              struct bt_error *err);

#endif
