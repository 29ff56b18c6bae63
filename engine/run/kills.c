#include "run/kills.h"

#include <bertty/str.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TEXT = 16384 };

/* The start of a small file of /proc or /sys; false if it cannot be read. */
static bool read_start(const char *path, char text[MAX_TEXT])
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    ssize_t n = fd >= 0 ? read(fd, text, MAX_TEXT - 1) : -1;
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The number behind "oom_kill " at the beginning of a line; −1: there is none. */
static int64_t count_of(const char *root, const char *mount, const char *group, size_t n, const char *file)
{
    char text[MAX_TEXT];
    char *path = bt_strfmt("%s/sys/fs/cgroup%s%.*s/%s", root, mount, (int)n, group, file);
    bool read = read_start(path, text);
    free(path);
    const char *p = read ? text : NULL;
    while (p && strncmp(p, "oom_kill ", 9) != 0) {
        p = strchr(p, '\n');
        if (p) p++;
    }
    return p ? strtoll(p + 9, NULL, 10) : -1;
}

/* v2, or v1 where that has the memory. */
static int64_t kills_in(const char *root, const char *group, size_t n)
{
    int64_t count = count_of(root, "", group, n, "memory.events");
    return count >= 0 ? count : count_of(root, "/memory", group, n, "memory.oom_control");
}

/* Length of the path of the group above; false: there is none. */
static bool above(const char *group, size_t *n)
{
    if (*n <= 1) return false;
    while (*n > 0 && group[--*n] != '/') continue;
    if (*n == 0) *n = 1;
    return true;
}

/* The line "4:memory:/path" or "0::/path" of /proc/self/cgroup: its path. */
static const char *own_group(char *text)
{
    const char *v2 = NULL;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path) continue;
        *path++ = '\0';
        if (strcmp(names, ":memory") == 0) return path;
        if (strcmp(names, ":") == 0) v2 = path;
    }
    return v2;
}

void bt__kills_now(const char *root, struct bt__kills *k)
{
    char text[MAX_TEXT];
    char *path = bt_strfmt("%s/proc/self/cgroup", root);
    const char *group = read_start(path, text) ? own_group(text) : NULL;
    free(path);
    *k = (struct bt__kills){.n = 0};
    if (!group || *group != '/' || strlen(group) >= sizeof k->group) return;
    memcpy(k->group, group, strlen(group) + 1);
    size_t n = strlen(group);
    do k->count[k->n++] = kills_in(root, k->group, n);
    while (k->n < BT__GROUPS && above(k->group, &n));
}

int64_t bt__kills_since(const char *root, const struct bt__kills *then)
{
    size_t n = strlen(then->group);
    if (then->group[0] != '/' || strstr(then->group, "..")) return 0;
    for (int i = 0; i < then->n; i++) {
        int64_t now = then->count[i] >= 0 ? kills_in(root, then->group, n) : -1;
        if (now >= 0) return now > then->count[i] ? now - then->count[i] : 0;
        if (!above(then->group, &n)) break;
    }
    return 0;
}
