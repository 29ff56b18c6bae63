/* Names and removal of checkpoints, shared by those who write, read and prune them. */
#ifndef BERTTY_RUN_CHECKPOINT_PARTS_H
#define BERTTY_RUN_CHECKPOINT_PARTS_H

#include <bertty/error.h>
#include <stdint.h>

/* Removes a directory's regular files and symbolic links, then the directory; folders inside are left, and it with them. */
void bt__remove_flat(const char *dir);
/* fsync of a directory. */
enum bt_status bt__sync_dir(const char *dir, struct bt_error *err);

#endif
