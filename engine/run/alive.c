#include "run/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 300, KERNEL_LOG = 4 << 20 }; /* seconds; bytes */

/* The start of a small file of /proc or /sys; 0 bytes if it cannot be read. */
static size_t read_start(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, buffer, size - 1) : 0;
    if (fd >= 0) close(fd);
    if (n < 0) n = 0;
    buffer[n] = '\0';
    return (size_t)n;
}

void bt__here_init(struct bt__here *h)
{
    *h = (struct bt__here){.now = bt__wall()};
    bt__proc_self(&h->self);
}

void bt__here_free(struct bt__here *h)
{
    bt_str_free(&h->kernel);
}

/* ── why ── */

/* The kernel's log, where it may be read: one record a read(). */
static void ask_kernel(struct bt__here *h)
{
    char record[4096];
    if (h->asked) return;
    h->asked = true;
    int fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd >= 0 && h->kernel.len < KERNEL_LOG) {
        ssize_t n = read(fd, record, sizeof record - 1);
        if (n < 0 && errno == EPIPE) continue; /* a record was overwritten meanwhile */
        if (n <= 0) break;
        record[n] = '\0';
        if (strstr(record, "Killed process ")) bt_str_addn(&h->kernel, record, (size_t)n);
    }
    if (fd >= 0) close(fd);
}

static bool kernel_killed(struct bt__here *h, int64_t pid)
{
    char wanted[64];
    ask_kernel(h);
    snprintf(wanted, sizeof wanted, "Killed process %lld (bertty)", (long long)pid);
    return strstr(bt_str_text(&h->kernel), wanted) != NULL;
}

/* How often the kernel has killed for memory in our control group; 0 if it cannot be told. */
static long group_kills(void)
{
    char text[4096];
    if (!read_start("/proc/self/cgroup", text, sizeof text)) return 0;
    char *group = strstr(text, "0::/");
    if (!group) return 0;
    group += strlen("0::");
    group[strcspn(group, "\n")] = '\0';
    char *path = bt_strfmt("/sys/fs/cgroup%s/memory.events", group);
    size_t n = path ? read_start(path, text, sizeof text) : 0;
    free(path);
    char *count = n ? strstr(text, "\noom_kill ") : NULL;
    return count ? strtol(count + strlen("\noom_kill "), NULL, 10) : 0;
}

static char *why_gone(struct bt__here *h, const struct bt__engine *e)
{
    long kills;
    if (kernel_killed(h, e->pid))
        return bt_strfmt("killed, out of memory, as the kernel's log says (process %lld)", (long long)e->pid);
    if ((kills = group_kills()) > 0)
        return bt_strfmt("killed, likely out of memory: that happened here %ld times (process %lld)", kills,
                         (long long)e->pid);
    return bt_strfmt("process %lld is gone without a last word: killed, or crashed", (long long)e->pid);
}

char *bt__engine_lost(struct bt__here *h, const struct bt__engine *e)
{
    double silence = h->now - e->updated;
    if (e->host && strcmp(e->host, h->self.host) != 0)
        return silence > PATIENCE
                   ? bt_strfmt("no sign of life from %s for %.0f minutes", e->host, silence / 60)
                   : NULL;
    if (e->boot_id && h->self.boot_id[0] && strcmp(e->boot_id, h->self.boot_id) != 0)
        return bt_strdup("the machine was restarted while it ran");
    if (e->pid <= 0) return bt_strdup("its status names no process");
    int64_t start = bt__proc_start(e->pid);
    bool same = start > 0 && (e->start <= 0 || start == e->start);
    return same ? NULL : why_gone(h, e);
}
