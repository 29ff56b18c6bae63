#include "run/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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
    struct timespec t;
    memset(h, 0, sizeof *h);
    if (gethostname(h->host, sizeof h->host - 1) != 0) h->host[0] = '\0';
    read_start("/proc/sys/kernel/random/boot_id", h->boot_id, sizeof h->boot_id);
    h->boot_id[strcspn(h->boot_id, "\n")] = '\0';
    clock_gettime(CLOCK_REALTIME, &t);
    h->now = (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void bt__here_free(struct bt__here *h)
{
    bt_str_free(&h->kernel);
}

int64_t bt__process_start(int64_t pid)
{
    char path[48], text[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if (read_start(path, text, sizeof text) == 0) return -1;
    /* the name, field 2, may hold spaces and parentheses */
    char *p = strrchr(text, ')');
    if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X') return -1;
    p += 2;
    for (int field = 3; field < 22 && p; field++)
        if ((p = strchr(p, ' '))) p++;
    return p ? strtoll(p, NULL, 10) : -1;
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
    if (e->host && strcmp(e->host, h->host) != 0)
        return silence > PATIENCE
                   ? bt_strfmt("no sign of life from %s for %.0f minutes", e->host, silence / 60)
                   : NULL;
    if (e->boot_id && h->boot_id[0] && strcmp(e->boot_id, h->boot_id) != 0)
        return bt_strdup("the machine was restarted while it ran");
    if (e->pid <= 0) return bt_strdup("its status names no process");
    int64_t start = bt__process_start(e->pid);
    bool same = start >= 0 && (e->start <= 0 || start == e->start);
    return same ? NULL : why_gone(h, e);
}
