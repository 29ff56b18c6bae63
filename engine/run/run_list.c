#include "run/events_files.h"
#include "run/find.h"
#include "run/notes.h"
#include "run/queue_file.h"
#include "run/status_read.h"

#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── what is a run ── */

/* Any one of these makes a directory a run. */
static const char *const marks[] = {"status.json", "run.json", "experiment.yaml"};

static bool makes_run(void *ctx, int at, const char *folder, const char *name)
{
    static const char start[] = "events.out.tfevents.";
    const bool *below = ctx;
    (void)at;
    bool it = strncmp(name, start, sizeof start - 1) == 0;
    return !(folder ? it && bt__events_split(folder) : it && !*below);
}

/* below: in directories like train/ and validation/ alone. */
static bool holds_events(int fd, bool below)
{
    DIR *d = fdopendir(fd); /* owns fd */
    if (!d) close(fd);
    bool found = d && !bt__events_each(d, makes_run, &below);
    if (d) closedir(d);
    return found;
}

bool bt__is_split_run(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && holds_events(fd, true);
}

bool bt__is_run(int at, const char *name, bool follow)
{
    struct stat info;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) return false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (fstatat(fd, marks[i], &info, AT_SYMLINK_NOFOLLOW) == 0) {
            close(fd);
            return true;
        }
    return holds_events(fd, false);
}

/* ── the list ── */

void bt_run_list_clear(struct bt_run_list *l)
{
    for (size_t i = 0; i < l->n; i++) bt_run_status_clear(&l->run[i]);
    free(l->run);
    *l = (struct bt_run_list){0};
}

static double age_key(const struct bt_run_status *s)
{
    return s->started > 0 ? s->started : s->updated;
}

static int newest_first(const void *a, const void *b)
{
    const struct bt_run_status *x = a, *y = b;
    double p = age_key(x), q = age_key(y);
    return p != q ? (p < q ? 1 : -1) : strcmp(x->id, y->id);
}

/* The entries of an earlier list, by id. */
struct earlier {
    const struct bt_run_status **run;
    size_t n;
};

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const struct bt_run_status *const *)a)->id,
                  (*(const struct bt_run_status *const *)b)->id);
}

static struct earlier index_earlier(const struct bt_run_list *l)
{
    struct earlier e = {.run = l && l->n ? calloc(l->n, sizeof *e.run) : NULL};
    for (size_t i = 0; e.run && i < l->n; i++) e.run[e.n++] = &l->run[i];
    if (e.n) qsort(e.run, e.n, sizeof *e.run, by_id);
    return e;
}

static const struct bt_run_status *find_earlier(const struct earlier *e, const char *id)
{
    const struct bt_run_status key = {.id = (char *)(uintptr_t)id}, *p = &key;
    const struct bt_run_status **found = e->n ? bsearch(&p, e->run, e->n, sizeof *e->run, by_id) : NULL;
    return found ? *found : NULL;
}

struct listing {
    const char *base; /* absolute */
    int fd;
    struct bt__here here;
    struct earlier earlier;
    struct bt_run_list out;
    size_t cap;
};

static struct bt_run_status *slot(struct listing *l)
{
    if (l->out.n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct bt_run_status *more = realloc(l->out.run, cap * sizeof *more);
        if (!more) return NULL;
        l->out.run = more;
        l->cap = cap;
    }
    return &l->out.run[l->out.n];
}

/* lstat of its status.json, else of itself; false: not a run. One system call for a run of ours. */
static bool look_at(struct listing *l, const char *id, struct stat *info, bool *has_status)
{
    char path[300];
    int n = snprintf(path, sizeof path, "%s/status.json", id);
    *has_status = n > 0 && (size_t)n < sizeof path && fstatat(l->fd, path, info, AT_SYMLINK_NOFOLLOW) == 0;
    if (*has_status) return true;
    return fstatat(l->fd, id, info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info->st_mode);
}

static enum bt_status add_entry(struct listing *l, const char *id, struct bt_error *err)
{
    struct stat info;
    bool has_status;
    if (!look_at(l, id, &info, &has_status)) return BT_OK;
    struct bt_run_status *to = slot(l);
    if (!to) return bt_fail(err, BT_NOMEM, "%s: no memory", l->base);
    const struct bt_run_status *old = find_earlier(&l->earlier, id);
    if (old && bt__status_current(old, &info) && bt__status_reuse(old, &l->here, to)) {
        bt__notes_refresh(l->fd, id, to);
        l->out.n++;
        return BT_OK;
    }
    if (!has_status && !bt__is_run(l->fd, id, false)) return BT_OK;
    char *dir = bt_path_join(l->base, id);
    enum bt_status status = dir ? bt__status_read(&l->here, dir, &info, has_status, to, err)
                                : bt_fail(err, BT_NOMEM, "%s: no memory", l->base);
    free(dir);
    if (status == BT_OK) {
        bt__notes_refresh(l->fd, id, to);
        l->out.n++;
    }
    return status;
}

/* Never a symbolic link: in a shared directory it could lead anywhere. */
static bool may_be_run(int fd, const struct dirent *e)
{
    struct stat info;
    if (e->d_name[0] == '.') return false;
    if (e->d_type != DT_UNKNOWN) return e->d_type == DT_DIR;
    return fstatat(fd, e->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* The runs directory itself: somebody's logdir with train/ and validation/ in it. */
static enum bt_status add_itself(struct listing *l, struct bt_error *err)
{
    struct bt_run_status *to = slot(l);
    struct stat info;
    if (!to) return bt_fail(err, BT_NOMEM, "%s: no memory", l->base);
    if (fstat(l->fd, &info) != 0) return BT_OK;
    enum bt_status status = bt__status_read(&l->here, l->base, &info, false, to, err);
    if (status == BT_OK) {
        bt__notes_refresh(AT_FDCWD, l->base, to);
        l->out.n++;
    }
    return status;
}

static enum bt_status list_all(struct listing *l, DIR *d, struct bt_error *err)
{
    const bool itself = bt__is_split_run(l->fd, ".");
    enum bt_status status = itself ? add_itself(l, err) : BT_OK;
    for (struct dirent *e; status == BT_OK && (e = readdir(d));)
        if (may_be_run(l->fd, e) && !(itself && bt__events_split(e->d_name)))
            status = add_entry(l, e->d_name, err);
    if (status != BT_OK)
        bt_run_list_clear(&l->out);
    else if (l->out.n)
        qsort(l->out.run, l->out.n, sizeof *l->out.run, newest_first);
    return status;
}

enum bt_status bt_run_list(const char *runs_dir, const struct bt_run_list *previous, struct bt_run_list *out,
                           struct bt_error *err)
{
    char *base = realpath(runs_dir, NULL);
    DIR *d = base ? opendir(base) : NULL;
    *out = (struct bt_run_list){0};
    if (!d) {
        enum bt_status status = errno == ENOENT ? BT_OK : bt_fail_errno(err, "%s", runs_dir);
        free(base);
        return status;
    }
    struct listing l = {.base = base, .fd = dirfd(d), .earlier = index_earlier(previous)};
    bt__here_init(&l.here);
    enum bt_status status = list_all(&l, d, err);
    bt__queue_places(base, &l.out);
    bt__here_free(&l.here);
    free(l.earlier.run);
    closedir(d);
    free(base);
    *out = l.out;
    return status;
}
