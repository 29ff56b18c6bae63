/* Which checkpoints there are, which stay, and what best and last point to. */
#include "run/checkpoint.h"
#include "run/checkpoint_parts.h"
#include "run/find.h"
#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *bt__checkpoint_path(const char *run_dir, int64_t step)
{
    return bt_strfmt("%s/checkpoints/step-%06lld", run_dir, (long long)step);
}

enum bt_status bt__sync_dir(const char *dir, struct bt_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum bt_status st = BT_OK;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) st = bt_fail_errno(err, "%s: fsync", dir);
    if (fd >= 0) close(fd);
    return st;
}

void bt__remove_flat(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0) close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(fd, e->d_name, 0);
    closedir(d);
    rmdir(dir);
}

enum bt_status bt__checkpoint_steps(const char *run_dir, int64_t **steps, size_t *n, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    char *parent = bt_path_join(run_dir, "checkpoints");
    DIR *d = parent ? opendir(parent) : NULL;
    *steps = NULL;
    *n = 0;
    for (struct dirent *e; !st && d && (e = readdir(d));) {
        int64_t step = bt__step_of_name(e->d_name);
        if (step >= 0 && !bt__steps_add(steps, n, step)) st = bt_fail(err, BT_NOMEM, "%s: no memory", parent);
    }
    if (d) closedir(d);
    free(parent);
    bt__steps_sort(*steps, *n);
    return st;
}

enum bt_status bt__checkpoint_link(const char *run_dir, const char *link, int64_t step, struct bt_error *err)
{
    char *path = bt_path_join(run_dir, link), *tmp = path ? bt_strfmt("%s.tmp", path) : NULL;
    char *target = bt_strfmt("checkpoints/step-%06lld", (long long)step);
    enum bt_status st = BT_OK;
    if (!tmp || !target)
        st = bt_fail(err, BT_NOMEM, "no memory for a checkpoint's name");
    else if (step < 0)
        unlink(path);
    else {
        unlink(tmp);
        if (symlink(target, tmp) != 0 || rename(tmp, path) != 0) {
            st = bt_fail_errno(err, "%s", path);
            unlink(tmp);
        }
    }
    if (!st) st = bt__sync_dir(run_dir, err);
    free(path);
    free(tmp);
    free(target);
    return st;
}

static bool among(int64_t step, const int64_t *keep, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (keep[i] == step) return true;
    return false;
}

/* Renamed first: one that is half removed must not look like a checkpoint. */
static void remove_checkpoint(const char *run_dir, int64_t step)
{
    char *path = bt__checkpoint_path(run_dir, step), *tmp = path ? bt_strfmt("%s.old.tmp", path) : NULL;
    if (tmp && rename(path, tmp) == 0) bt__remove_flat(tmp);
    free(path);
    free(tmp);
}

/* "step-000400.tmp", "step-000400.old.tmp" */
static bool unfinished_checkpoint(const char *name)
{
    size_t digits = strncmp(name, "step-", 5) == 0 ? strspn(name + 5, "0123456789") : 0;
    const char *rest = name + 5 + digits;
    return digits && (strcmp(rest, ".tmp") == 0 || strcmp(rest, ".old.tmp") == 0);
}

/* "status.json.0123456789abcdef.tmp" (bt_file_write_atomic), "best.tmp" */
static bool unfinished_file(const char *name)
{
    size_t n = strlen(name);
    if (strcmp(name, "best.tmp") == 0 || strcmp(name, "last.tmp") == 0) return true;
    if (n < 22 || strcmp(name + n - 4, ".tmp") != 0 || name[n - 21] != '.') return false;
    return strspn(name + n - 20, "0123456789abcdef") == 16;
}

static void sweep(const char *run_dir, const char *folder)
{
    char *dir = bt_path_join(run_dir, folder);
    DIR *d = dir ? opendir(dir) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        char *path = bt_path_join(dir, e->d_name);
        if (path && unfinished_checkpoint(e->d_name)) bt__remove_flat(path);
        if (path && unfinished_file(e->d_name)) unlink(path);
        free(path);
    }
    if (d) closedir(d);
    free(dir);
}

void bt__checkpoint_prune(const char *run_dir, int64_t limit, const int64_t *keep, size_t n_keep)
{
    int64_t *steps;
    size_t n;
    if (bt__checkpoint_steps(run_dir, &steps, &n, NULL)) return;
    int64_t left = (int64_t)n;
    for (size_t i = 0; i < n && left > limit; i++) {
        if (among(steps[i], keep, n_keep)) continue;
        remove_checkpoint(run_dir, steps[i]);
        left--;
    }
    free(steps);
    sweep(run_dir, "checkpoints"); /* what could not be removed as a whole */
}

void bt__checkpoint_sweep(const char *run_dir)
{
    static const char *const folders[] = {".", "checkpoints", "predictions", "dynamics"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) sweep(run_dir, folders[i]);
}
