/* A short lock of a directory, for who reads a small file in it, changes it and puts it back. It leaves nothing behind; where a file system has no locks the last writer wins. */
#ifndef BERTTY_RUN_DIR_LOCK_H
#define BERTTY_RUN_DIR_LOCK_H

#include <bertty/error.h>

/* Waits a second at most. *fd: closing it gives the lock up; −1 after a failure. BT_BUSY: somebody else is changing what: "its notes". */
enum bt_status bt__dir_lock(const char *dir, const char *what, int *fd, struct bt_error *err);

#endif
