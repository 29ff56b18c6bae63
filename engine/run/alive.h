/* Whether the engine that wrote a status still lives, and if not, what is likely to have happened to it. */
#ifndef BERTTY_RUN_ALIVE_H
#define BERTTY_RUN_ALIVE_H

#include "run/kills.h"
#include "run/proc.h"
#include <bertty/str.h>
#include <stdbool.h>
#include <stdint.h>

/* This machine, asked once for many runs. */
struct bt__here {
    const char *root; /* borrowed: what /proc/self/cgroup, /sys and /dev/kmsg are below; "" but in tests */
    struct bt__proc self;
    double now; /* seconds since 1970 */
    bool asked; /* kernel holds what the log says */
    struct bt_str kernel;
};
void bt__here_init(struct bt__here *h);
void bt__here_free(struct bt__here *h);

/* What status.json says about its writer. Borrowed. */
struct bt__engine {
    const char *host, *boot_id; /* NULL: not told */
    int64_t pid, start;         /* 0: not told; start: field 22 of /proc/PID/stat */
    double updated;
    const struct bt__kills *kills; /* when it began; NULL: not told */
};

/* NULL: it lives (or, on another host, has given a sign of life within five minutes). Else one line of why it is taken for lost: the caller frees; "" without
 * memory is not told apart, so that the answer holds. */
char *bt__engine_lost(struct bt__here *h, const struct bt__engine *e);

/* NULL: it gives signs of life, or is on another host. Else one line of what it does instead (it is stopped, waits, …): the caller frees. A training engine writes
 * its status twice a second; what takes longer than five minutes without a word may be a very long step. Of an engine that lives. */
char *bt__engine_stalled(const struct bt__here *h, const struct bt__engine *e);

#endif
