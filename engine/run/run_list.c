#include "base/pool.h"
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

/* Entries that nothing is known of yet are read by several threads: most of the time goes to the kernel. */
enum { MANY = 64, MOST_READERS = 4 };

struct listing {
    const char *base; /* absolute */
    int fd;
    const struct bt_run_watch *watch; /* NULL: nobody watches */
    struct earlier earlier;
    char **id; /* [n] of what may be runs */
    size_t n;
    struct bt_run_status *run; /* [n] those of ids that are none have no id */
};

/* A thread's own. */
struct reader {
    struct listing *l;
    struct bt__here here;
    enum bt_status status;
    struct bt_error err;
};

/* lstat of its status.json, else of itself; false: not a run. One system call for a run of ours. */
static bool look_at(const struct listing *l, const char *id, struct stat *info, bool *has_status)
{
    char path[300];
    int n = snprintf(path, sizeof path, "%s/status.json", id);
    *has_status = n > 0 && (size_t)n < sizeof path && fstatat(l->fd, path, info, AT_SYMLINK_NOFOLLOW) == 0;
    if (*has_status) return true;
    return fstatat(l->fd, id, info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info->st_mode);
}

static enum bt_status read_entry(struct reader *r, const char *id, struct bt_run_status *to)
{
    const struct listing *l = r->l;
    struct stat info;
    bool has_status;
    const struct bt_run_status *old = find_earlier(&l->earlier, id);
    if (old && l->watch && bt__run_quiet(l->watch, id) && bt__status_reuse(old, &r->here, to)) return BT_OK;
    if (!look_at(l, id, &info, &has_status)) return BT_OK;
    bool same = old && bt__status_current(old, &info) && bt__status_reuse(old, &r->here, to);
    if (!same && !has_status && !bt__is_run(l->fd, id, false)) return BT_OK;
    char *dir = same ? NULL : bt_path_join(l->base, id);
    enum bt_status status = same  ? BT_OK
                            : dir ? bt__status_read(&r->here, dir, &info, has_status, to, &r->err)
                                  : bt_fail(&r->err, BT_NOMEM, "%s: no memory", l->base);
    free(dir);
    if (status == BT_OK) bt__notes_refresh(l->fd, id, to);
    return status;
}

static void read_item(void *ctx, int item, int thread)
{
    struct reader *r = (struct reader *)ctx + thread;
    if (r->status == BT_OK) r->status = read_entry(r, r->l->id[item], &r->l->run[item]);
}

static int readers_for(const struct listing *l)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (l->n < l->earlier.n + MANY || processors < 2) return 1;
    return processors < MOST_READERS ? (int)processors : MOST_READERS;
}

static enum bt_status read_all(struct listing *l, struct bt_error *err)
{
    struct reader reader[MOST_READERS];
    struct bt__pool *pool = NULL;
    enum bt_status status = bt__pool_create(readers_for(l), &pool, NULL);
    if (status != BT_OK) status = bt__pool_create(1, &pool, err); /* no more threads to be had */
    if (status != BT_OK) return status;
    const int readers = bt__pool_threads(pool);
    for (int i = 0; i < readers; i++) {
        reader[i] = (struct reader){.l = l};
        bt__here_init(&reader[i].here);
    }
    bt__pool_run(pool, (int)l->n, read_item, reader);
    bt__pool_free(pool);
    for (int i = 0; i < readers; i++) {
        bt__here_free(&reader[i].here);
        if (status != BT_OK || reader[i].status == BT_OK) continue;
        status = reader[i].status;
        if (err) *err = reader[i].err;
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
static enum bt_status read_itself(const struct listing *l, struct bt_run_status *to, struct bt_error *err)
{
    struct bt__here here;
    struct stat info;
    if (fstat(l->fd, &info) != 0) return BT_OK;
    bt__here_init(&here);
    enum bt_status status = bt__status_read(&here, l->base, &info, false, to, err);
    bt__here_free(&here);
    if (status == BT_OK) bt__notes_refresh(AT_FDCWD, l->base, to);
    return status;
}

static bool add_id(struct listing *l, const char *id)
{
    enum { STEP = 64 };
    char **more = l->n % STEP ? l->id : realloc(l->id, (l->n + STEP) * sizeof *more);
    if (!more) return false;
    l->id = more;
    return (more[l->n] = bt_strdup(id)) && ++l->n;
}

static enum bt_status list_all(struct listing *l, DIR *d, struct bt_run_list *out, struct bt_error *err)
{
    const bool itself = bt__is_split_run(l->fd, ".");
    bool memory = true;
    for (struct dirent *e; memory && (e = readdir(d));)
        if (may_be_run(l->fd, e) && !(itself && bt__events_split(e->d_name))) memory = add_id(l, e->d_name);
    if (memory) memory = (l->run = calloc(l->n + 1, sizeof *l->run)) != NULL;
    if (!memory) return bt_fail(err, BT_NOMEM, "%s: no memory", l->base);
    enum bt_status status = read_all(l, err);
    if (status == BT_OK && itself) status = read_itself(l, &l->run[l->n], err);
    *out = (struct bt_run_list){.run = l->run};
    for (size_t i = 0; i <= l->n; i++)
        if (l->run[i].id) out->run[out->n++] = l->run[i];
    if (status != BT_OK)
        bt_run_list_clear(out);
    else if (out->n)
        qsort(out->run, out->n, sizeof *out->run, newest_first);
    return status;
}

enum bt_status bt_run_list(const char *runs_dir, const struct bt_run_list *previous, struct bt_run_list *out,
                           struct bt_error *err)
{
    return bt__run_list(runs_dir, previous, NULL, out, err);
}

enum bt_status bt__run_list(const char *runs_dir, const struct bt_run_list *previous,
                            const struct bt_run_watch *watch, struct bt_run_list *out, struct bt_error *err)
{
    char *base = realpath(runs_dir, NULL);
    DIR *d = base ? opendir(base) : NULL;
    *out = (struct bt_run_list){0};
    if (!d) {
        enum bt_status status = errno == ENOENT ? BT_OK : bt_fail_errno(err, "%s", runs_dir);
        free(base);
        return status;
    }
    struct listing l = {.base = base, .fd = dirfd(d), .watch = watch, .earlier = index_earlier(previous)};
    enum bt_status status = list_all(&l, d, out, err);
    bt__queue_places(base, out);
    for (size_t i = 0; i < l.n; i++) free(l.id[i]);
    free(l.id);
    free(l.earlier.run);
    closedir(d);
    free(base);
    return status;
}
