/* A program as a process that nobody waits for: in a session of its own, with nothing of ours but its standard streams and one pipe. */
#ifndef BERTTY_RUN_DETACH_H
#define BERTTY_RUN_DETACH_H

#include <bertty/error.h>
#include <sys/types.h>

enum { BT__ANNOUNCE_FD = 3 };

/* Runs argv[0] (a path, or a name that PATH finds) with standard input from /dev/null, output and errors to log, and descriptor 3 as the writing end of a
 * pipe whose reading end is *announce: the caller closes it. log stays the caller's. A program that cannot be started is an error. */
enum bt_status bt__detach(char *const *argv, int log, int *announce, pid_t *pid, struct bt_error *err);

#endif
