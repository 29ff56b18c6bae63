/* How often the kernel has killed for lack of memory in the control group of a process: counted when an engine begins, and again when it is gone, the
 * difference tells whether it is likely to have been one of those. Of cgroup v2 memory.events, of v1 memory.oom_control. */
#ifndef BERTTY_RUN_KILLS_H
#define BERTTY_RUN_KILLS_H

#include <stdint.h>

enum { BT__GROUPS = 12 };

struct bt__kills {
    char group[400];           /* path below the mount, "/a/b"; "": unknown */
    int n;                     /* groups counted: it, the one above, … up to "/" */
    int64_t count[BT__GROUPS]; /* each with those below it (v2); −1: it does not tell */
};

/* Of this process. root: "" (another one for tests). */
void bt__kills_now(const char *root, struct bt__kills *k);
/* Kills since then in the nearest group that is still there and that told its number then: a scope goes with its last process. 0: none, or not known. */
int64_t bt__kills_since(const char *root, const struct bt__kills *then);

#endif
