#include "run/find.h"
#include "run/status_read.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── steps ── */

int64_t bt__step_of_name(const char *name)
{
    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9') return -1;
    char *end;
    long long step = strtoll(name + 5, &end, 10);
    return *end == '\0' ? step : -1;
}

int64_t bt__linked_step(const char *dir, const char *link)
{
    static const char folder[] = "checkpoints/";
    char target[256];
    char *path = bt_path_join(dir, link);
    ssize_t n = path ? readlink(path, target, sizeof target - 1) : -1;
    free(path);
    if (n <= 0) return -1;
    target[n] = '\0';
    return strncmp(target, folder, sizeof folder - 1) == 0 ? bt__step_of_name(target + sizeof folder - 1)
                                                           : -1;
}

bool bt__steps_add(int64_t **steps, size_t *n, int64_t step)
{
    int64_t *more = realloc(*steps, (*n + 1) * sizeof *more);
    if (!more) return false;
    *steps = more;
    more[(*n)++] = step;
    return true;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void bt__steps_sort(int64_t *steps, size_t n)
{
    if (n) qsort(steps, n, sizeof *steps, ascending);
}

/* ── complete ones ── */

static bool as_listed(int fd, const char *name, const struct bt_json *what)
{
    struct stat info;
    return *name && !strchr(name, '/') && fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(info.st_mode) && info.st_size == bt_json_int(bt_json_get(what, "bytes"), -1);
}

/* The manifest is written last: with it and the right sizes nothing is missing. Hashes are the loader's business. */
static bool complete(const char *path)
{
    char *manifest = bt_path_join(path, "manifest.json");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct bt_json *v = fd >= 0 && manifest ? bt_json_load(manifest, BT__MAX_STATUS, NULL) : NULL;
    const struct bt_json *files = bt_json_get(v, "files");
    bool fine = bt_json_kind(files) == BT_JSON_OBJECT && bt_json_get(files, "model.safetensors");
    for (const void *it = fine ? bt_json_first(files) : NULL; fine && it; it = bt_json_next(files, it))
        fine = as_listed(fd, bt_json_key(it), bt_json_value(it));
    bt_json_free(v);
    free(manifest);
    if (fd >= 0) close(fd);
    return fine;
}

/* The directory of one step if it is complete; the caller frees. */
static char *checkpoint_at(const char *dir, int64_t step)
{
    char *path = step >= 0 ? bt_strfmt("%s/checkpoints/step-%06lld", dir, (long long)step) : NULL;
    if (path && complete(path)) return path;
    free(path);
    return NULL;
}

enum bt_status bt_run_checkpoints(const char *dir, int64_t **steps, size_t *n, struct bt_error *err)
{
    enum bt_status status = BT_OK;
    char *folder = bt_path_join(dir, "checkpoints");
    DIR *d = folder ? opendir(folder) : NULL;
    *steps = NULL;
    *n = 0;
    for (struct dirent *e; status == BT_OK && d && (e = readdir(d));) {
        int64_t step = bt__step_of_name(e->d_name);
        char *path = checkpoint_at(dir, step);
        if (path && !bt__steps_add(steps, n, step)) status = bt_fail(err, BT_NOMEM, "%s: no memory", folder);
        free(path);
    }
    if (d) closedir(d);
    free(folder);
    bt__steps_sort(*steps, *n);
    return status;
}

/* ── the one that is asked for ── */

static enum bt_status check_baseline(const char *dir, struct bt_error *err)
{
    struct bt_run_status s;
    if (bt_run_status(dir, &s, NULL)) return BT_OK; /* for others to complain of */
    const enum bt_status st = bt__refuse_baseline(&s, err);
    bt_run_status_clear(&s);
    return st;
}

static enum bt_status none_at(const char *dir, int64_t step, const int64_t *steps, size_t n,
                              struct bt_error *err)
{
    struct bt_str have = {0};
    if (n == 0 && check_baseline(dir, err)) return BT_UNSUPPORTED;
    for (size_t i = 0; i < n; i++) bt_str_addf(&have, "%s%lld", i ? ", " : "", (long long)steps[i]);
    enum bt_status status =
        n == 0 ? bt_fail(err, BT_NOTFOUND, "%s: has no complete checkpoint", dir)
               : bt_fail(err, BT_NOTFOUND, "%s: no complete checkpoint of step %lld: there are %s", dir,
                         (long long)step, bt_str_text(&have));
    bt_str_free(&have);
    return status;
}

enum bt_status bt_run_checkpoint(const char *dir, int64_t step, char **path, int64_t *found,
                                 struct bt_error *err)
{
    int64_t wish[] = {step, -1};
    if (step < 0) {
        wish[0] = step == BT_STEP_LAST ? -1 : bt__linked_step(dir, "best");
        wish[1] = bt__linked_step(dir, "last");
    }
    *path = NULL;
    for (size_t i = 0; i < 2 && !*path; i++)
        if ((*path = checkpoint_at(dir, wish[i]))) *found = wish[i];
    if (*path) return BT_OK;
    int64_t *steps;
    size_t n;
    enum bt_status status = bt_run_checkpoints(dir, &steps, &n, err);
    /* best and last are gone or damaged: the newest of the others */
    if (status == BT_OK && step < 0 && n && (*path = checkpoint_at(dir, steps[n - 1]))) *found = steps[n - 1];
    if (status == BT_OK && !*path) status = none_at(dir, step, steps, n, err);
    free(steps);
    return status;
}
