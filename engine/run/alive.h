/* Whether the engine that wrote a status still lives, and if not, what is likely to have happened to it. */
#ifndef RUN_ALIVE_H
#define RUN_ALIVE_H

#include <bertty/str.h>
#include <stdbool.h>
#include <stdint.h>

/* This machine, asked once for many runs. */
struct bt__here {
    char host[256], boot_id[64];
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
};

/* NULL: it lives (or, on another host, has given a sign of life within five minutes). Else one line of why it is taken for lost: the caller frees; "" without
 * memory is not told apart, so that the answer holds. */
char *bt__engine_lost(struct bt__here *h, const struct bt__engine *e);

/* Field 22 of /proc/PID/stat: its start in clock ticks since boot; −1: no such process, or a dead one that nobody has waited for. */
int64_t bt__process_start(int64_t pid);

#endif
