#include "run/limits.h"

#include "run/proc.h"
#include <bertty/num.h>
#include <bertty/str.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static const double MIB = 1048576.0;

static FILE *open_below(const char *root, const char *path)
{
    char *name = bt_strfmt("%s%s", root, path);
    FILE *f = name ? fopen(name, "re") : NULL;
    free(name);
    return f;
}

/* A file that holds one number; infinite where there is none ("max"). */
static double number_in(const char *path)
{
    char line[64];
    FILE *f = fopen(path, "re");
    double v = HUGE_VAL;
    if (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (!bt_parse_double(line, &v)) v = HUGE_VAL;
    }
    if (f) fclose(f);
    return v;
}

/* The smallest limit of a cgroup and its parents: path loses its last component again and again. */
static double smallest(const char *root, const char *mount, char *path, const char *file)
{
    double least = HUGE_VAL;
    for (;;) {
        char *name = bt_strfmt("%s/sys/fs/cgroup%s%s/%s", root, mount, path, file);
        double v = name ? number_in(name) : HUGE_VAL;
        free(name);
        if (v < least) least = v;
        char *slash = strrchr(path, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

/* Version 2: "0::/path"; version 1: "4:memory:/path". */
static double cgroup_limit(const char *root)
{
    char line[1024];
    double least = HUGE_VAL;
    FILE *f = open_below(root, "/proc/self/cgroup");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second) continue;
        *second = '\0';
        double v = HUGE_VAL;
        if (first[1] == '\0') v = smallest(root, "", second + 1, "memory.max");
        if (strstr(first + 1, "memory")) v = smallest(root, "/memory", second + 1, "memory.limit_in_bytes");
        if (v < least) least = v;
    }
    if (f) fclose(f);
    return least;
}

static double available_kib(const char *root)
{
    static const char key[] = "MemAvailable:";
    char line[256];
    double kib = HUGE_VAL;
    FILE *f = open_below(root, "/proc/meminfo");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, sizeof key - 1) != 0) continue;
        kib = strtod(line + sizeof key - 1, NULL);
        break;
    }
    if (f) fclose(f);
    return kib;
}

double bt__memory_below(const char *root)
{
    double here = available_kib(root) / 1024.0 + bt__proc_rss_mib(), group = cgroup_limit(root) / MIB;
    return here < group ? here : group;
}

double bt__memory_mib(void)
{
    return bt__memory_below("");
}

double bt__disk_mib(const char *path)
{
    struct statvfs v;
    char *p = bt_strdup(path);
    double mib = -1.0;
    while (p && statvfs(p[0] ? p : "/", &v) != 0) {
        char *slash = strrchr(p, '/');
        if (!slash) {
            free(p);
            p = bt_strdup(".");
            if (!p || statvfs(p, &v) != 0) break;
        } else {
            *slash = '\0';
        }
    }
    if (p && statvfs(p[0] ? p : "/", &v) == 0) mib = (double)v.f_bavail * (double)v.f_frsize / MIB;
    free(p);
    return mib;
}
