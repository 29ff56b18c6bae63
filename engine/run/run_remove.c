#include "run/find.h"
#include "run/rundir.h"

#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 8 };

/* What a run consists of; a * at the end stands for any rest. status.json comes last, so that a removal that was interrupted can be repeated. */
static const char *const own[] = {
    "experiment.yaml", "run.json",    "control",    "log.txt",
    "launch.log",      "best",        "last",       "events.out.tfevents.*",
    "checkpoints",     "predictions", "dynamics",   "steered.jsonl",
    "batches",         "probes",      "notes.json", "trial.json",
    "status.json",
};
enum { OWN = sizeof own / sizeof *own };

static bool matches(const char *name, const char *pattern)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '*' ? strncmp(name, pattern, n - 1) == 0 : strcmp(name, pattern) == 0;
}

/* "status.json.0123456789abcdef.tmp": a file that was being replaced when its writer died. */
static bool temporary(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static bool is_own(const char *name)
{
    for (size_t i = 0; i < OWN; i++)
        if (matches(name, own[i])) return true;
    return temporary(name);
}

static bool dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* ── removing ── */

/* A listing of the open directory; the descriptor stays the caller's. */
static DIR *list(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    if (!d && copy >= 0) close(copy);
    return d;
}

/* Every step goes from an open directory and follows no link: whoever moves things meanwhile cannot lead it out. −1: errno. */
static int remove_entry(int at, const char *name, int depth)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return -1;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result = 0;
    if (fd < 0) return -1;
    if (depth == MAX_DEPTH) errno = ELOOP;
    DIR *d = depth < MAX_DEPTH ? list(fd) : NULL;
    if (!d) result = -1;
    for (struct dirent *e; d && result == 0 && (e = readdir(d));)
        if (!dots(e->d_name)) result = remove_entry(fd, e->d_name, depth + 1);
    int why = errno;
    if (d) closedir(d);
    close(fd);
    errno = why;
    return result == 0 ? unlinkat(at, name, AT_REMOVEDIR) : -1;
}

static enum bt_status remove_matching(int fd, const char *dir, const char *pattern, struct bt_error *err)
{
    enum bt_status status = BT_OK;
    DIR *d = list(fd);
    if (!d) return bt_fail_errno(err, "%s", dir);
    for (struct dirent *e; status == BT_OK && (e = readdir(d));) {
        bool take = pattern ? matches(e->d_name, pattern) : temporary(e->d_name);
        if (take && !dots(e->d_name) && remove_entry(fd, e->d_name, 0) != 0)
            status = bt_fail_errno(err, "%s/%s: cannot be removed", dir, e->d_name);
    }
    closedir(d);
    return status;
}

/* ── before ── */

static enum bt_status check_contents(int fd, const char *dir, struct bt_error *err)
{
    struct stat info;
    enum bt_status status = BT_OK;
    bool run = fstatat(fd, "status.json", &info, AT_SYMLINK_NOFOLLOW) == 0 ||
               fstatat(fd, "run.json", &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!run)
        return bt_fail(err, BT_INVALID,
                       "%s: not a run of bertty's (no status.json, no run.json): not removed", dir);
    DIR *d = list(fd);
    if (!d) return bt_fail_errno(err, "%s", dir);
    for (struct dirent *e; status == BT_OK && (e = readdir(d));)
        if (!dots(e->d_name) && !is_own(e->d_name))
            status =
                bt_fail(err, BT_INVALID, "%s: '%s' is no part of a run: move it away first", dir, e->d_name);
    closedir(d);
    return status;
}

/* Besides what the status says: an engine holds a lock on the control file. */
static enum bt_status check_dead(int fd, const char *dir, struct bt_error *err)
{
    struct bt_run_status s;
    enum bt_status status = bt_run_status(dir, &s, err);
    if (status != BT_OK) return status;
    if (s.state == BT_RUN_QUEUED)
        status = bt_fail(err, BT_BUSY, "%s: the run is queued: take it out of the queue first", s.id);
    else if (bt__rundir_locked(fd) || bt_run_state_alive(s.state))
        status = bt_fail(err, BT_BUSY, "%s: an engine works on this run (%s): stop it first", s.id,
                         bt_run_state_name(s.state));
    bt_run_status_clear(&s);
    return status;
}

enum bt_status bt_run_remove(const char *dir, struct bt_error *err)
{
    struct stat info;
    if (lstat(dir, &info) == 0 && S_ISLNK(info.st_mode))
        return bt_fail(err, BT_INVALID, "%s: a symbolic link: not removed", dir);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return bt_fail(err, BT_NOTFOUND, "%s: no such run", dir);
    if (fd < 0) return bt_fail_errno(err, "%s", dir);
    enum bt_status status = check_dead(fd, dir, err);
    if (status == BT_OK) status = check_contents(fd, dir, err);
    if (status == BT_OK) status = remove_matching(fd, dir, NULL, err);
    for (size_t i = 0; status == BT_OK && i < OWN; i++) status = remove_matching(fd, dir, own[i], err);
    close(fd);
    if (status == BT_OK && rmdir(dir) != 0) status = bt_fail_errno(err, "%s", dir);
    return status;
}
