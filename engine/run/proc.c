#include "run/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The start of a small file of /proc, NUL-terminated; "" if it cannot be read. */
static void read_start(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = '\0';
    if (f) fclose(f);
}

int64_t bt__proc_look(int64_t pid, char *letter)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_start(path, text, sizeof text);
    const char *p = strrchr(text, ')'); /* the name before it may hold spaces and parentheses */
    if (letter) *letter = p && p[1] && p[2] ? p[2] : '?';
    if (p && p[1] && (p[2] == 'Z' || p[2] == 'X')) return 0; /* dead, but nobody has waited for it */
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    return p ? strtoll(p + 1, NULL, 10) : 0;
}

int64_t bt__proc_start(int64_t pid)
{
    return bt__proc_look(pid, NULL);
}

void bt__proc_self(struct bt__proc *p)
{
    *p = (struct bt__proc){.pid = getpid(), .start = bt__proc_start(getpid())};
    read_start("/proc/sys/kernel/random/boot_id", p->boot_id, sizeof p->boot_id);
    p->boot_id[strcspn(p->boot_id, "\n")] = '\0';
    if (gethostname(p->host, sizeof p->host - 1) != 0) snprintf(p->host, sizeof p->host, "unknown");
}

double bt__proc_rss_mib(void)
{
    char text[128], *second;
    read_start("/proc/self/statm", text, sizeof text);
    second = strchr(text, ' '); /* size, resident, …: in pages */
    return !second ? 0.0 : (double)strtoll(second, NULL, 10) * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

double bt__proc_max_rss_mib(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (double)u.ru_maxrss / 1024.0 : 0.0;
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

double bt__proc_cpu_seconds(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? seconds(&u.ru_utime) + seconds(&u.ru_stime) : 0.0;
}

static double clock_of(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bt__clock(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

double bt__wall(void)
{
    return clock_of(CLOCK_REALTIME);
}

void bt__sleep(double s)
{
    struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)};
    nanosleep(&t, NULL);
}

void bt__cpu_name(char *out, int size)
{
    char text[4096];
    read_start("/proc/cpuinfo", text, sizeof text);
    const char *p = strstr(text, "model name");
    const char *colon = p ? strchr(p, ':') : NULL;
    if (colon)
        snprintf(out, (size_t)size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    else
        snprintf(out, (size_t)size, "unknown");
}
