#include "run/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 300, STOPPED = 10 }; /* seconds */
enum { KERNEL_LOG = 4 << 20 };         /* bytes */

void bt__here_init(struct bt__here *h)
{
    *h = (struct bt__here){.root = "", .now = bt__wall()};
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
    char *path = bt_strfmt("%s/dev/kmsg", h->root);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    free(path);
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

static char *why_gone(struct bt__here *h, const struct bt__engine *e)
{
    int64_t kills;
    if (kernel_killed(h, e->pid))
        return bt_strfmt("killed, out of memory, as the kernel's log says (process %lld)", (long long)e->pid);
    if (e->kills && (kills = bt__kills_since(h->root, e->kills)) > 0)
        return bt_strfmt(
            "killed, likely out of memory: since it began the kernel has killed %lld process%s of its "
            "control group for that (process %lld)",
            (long long)kills, kills == 1 ? "" : "es", (long long)e->pid);
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

/* Constant while nothing changes, so no durations: a screen on which nothing happens stays as it is. */
char *bt__engine_stalled(const struct bt__here *h, const struct bt__engine *e)
{
    const double silence = h->now - e->updated;
    const time_t at = (time_t)e->updated;
    char since[32] = "?", letter;
    struct tm tm;
    if (silence < STOPPED || (e->host && strcmp(e->host, h->self.host) != 0)) return NULL;
    if (!bt__proc_look(e->pid, &letter)) return NULL;
    if (localtime_r(&at, &tm)) strftime(since, sizeof since, "%m-%d %H:%M", &tm);
    if (letter == 'T')
        return bt_strfmt("stopped from outside at %s (a signal, or Ctrl-Z): kill -CONT %lld lets it go on",
                         since, (long long)e->pid);
    if (silence < PATIENCE) return NULL;
    return bt_strfmt("no sign of life since %s: process %lld %s", since, (long long)e->pid,
                     letter == 'D'   ? "waits for a disk or the network"
                     : letter == 't' ? "is held by a debugger"
                     : letter == 'R' ? "computes"
                                     : "sleeps");
}
