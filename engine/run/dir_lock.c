#include "run/dir_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 50 };

enum bt_status bt__dir_lock(const char *dir, const char *what, int *fd, struct bt_error *err)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0) return bt_fail_errno(err, "%s", dir);
    for (int i = 0; flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++) {
        if (i == TRIES) {
            close(*fd);
            *fd = -1;
            return bt_fail(err, BT_BUSY, "%s: somebody else is changing %s", dir, what);
        }
        nanosleep(&pause, NULL);
    }
    return BT_OK;
}
