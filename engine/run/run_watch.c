#include <bertty/run_watch.h>

#include "run/find.h"
#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    NOTICED =
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF,
    HOW = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK
};

/* A directory in the runs directory. */
struct watched {
    int wd;
    char *name;
    bool noticed; /* since the runs were listed */
};

struct bt_run_watch {
    int fd;                   /* −1: none, or another is needed */
    int top;                  /* the runs directory's own watch */
    char *dir;                /* what is watched */
    bool whole;               /* all directories that are there are watched */
    struct watched *at;       /* [n] by wd: the kernel counts them up */
    struct watched **by_name; /* [n] */
    size_t n;
};

struct bt_run_watch *bt_run_watch_new(void)
{
    struct bt_run_watch *w = calloc(1, sizeof *w);
    if (w) *w = (struct bt_run_watch){.fd = -1, .top = -1};
    return w;
}

static void stop(struct bt_run_watch *w)
{
    if (w->fd >= 0) close(w->fd);
    for (size_t i = 0; i < w->n; i++) free(w->at[i].name);
    free(w->at);
    free(w->by_name);
    free(w->dir);
    *w = (struct bt_run_watch){.fd = -1, .top = -1};
}

void bt_run_watch_free(struct bt_run_watch *w)
{
    if (!w) return;
    stop(w);
    free(w);
}

/* Only what this kernel alone writes to: of NFS, FUSE and the like it notices its own changes at most. */
static bool local(const char *dir)
{
    static const unsigned long known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                          TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
                                          RAMFS_MAGIC,      0x2fc12fc1 /* ZFS */};
    struct statfs info;
    if (statfs(dir, &info) != 0) return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (((unsigned long)info.f_type & 0xffffffff) == known[i]) return true;
    return false;
}

static bool remember(struct bt_run_watch *w, int wd, const char *name)
{
    enum { STEP = 64 };
    struct watched *more = w->n % STEP ? w->at : realloc(w->at, (w->n + STEP) * sizeof *more);
    if (!more) return false;
    w->at = more;
    more[w->n] = (struct watched){.wd = wd, .name = bt_strdup(name), .noticed = true};
    return more[w->n].name && ++w->n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct watched *const *)a)->name, (*(const struct watched *const *)b)->name);
}

static bool sort_names(struct bt_run_watch *w)
{
    w->by_name = calloc(w->n + 1, sizeof(struct watched *));
    for (size_t i = 0; w->by_name && i < w->n; i++) w->by_name[i] = &w->at[i];
    if (w->by_name && w->n) qsort(w->by_name, w->n, sizeof(struct watched *), by_name);
    return w->by_name != NULL;
}

/* False: not all could be watched. What is no directory, or gone by now, does not matter. */
static bool watch_inside(struct bt_run_watch *w, DIR *d)
{
    bool whole = true;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)) continue;
        char *path = bt_path_join(w->dir, e->d_name);
        if (!path) return false;
        errno = 0;
        const int wd = inotify_add_watch(w->fd, path, NOTICED | HOW);
        whole &= wd >= 0 ? remember(w, wd, e->d_name) : errno == ENOENT || errno == ENOTDIR;
        free(path);
    }
    return whole && sort_names(w);
}

void bt_run_watch_begin(struct bt_run_watch *w, const char *runs_dir)
{
    if (w->whole && strcmp(w->dir, runs_dir) == 0) return;
    stop(w);
    if (!local(runs_dir)) return;
    w->dir = bt_strdup(runs_dir);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!w->dir || w->fd < 0) return;
    w->top = inotify_add_watch(w->fd, runs_dir, NOTICED | IN_ONLYDIR | IN_EXCL_UNLINK);
    DIR *d = w->top >= 0 ? opendir(runs_dir) : NULL;
    w->whole = d && watch_inside(w, d);
    if (d) closedir(d);
}

/* Directories that came or went are not watched yet, or no more. */
static bool shakes(const struct bt_run_watch *w, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) return true;
    return e->wd == w->top &&
           (e->mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT));
}

static void note(struct bt_run_watch *w, int wd)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (w->at[middle].wd < wd)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < w->n && w->at[low].wd == wd) w->at[low].noticed = true;
}

bool bt_run_watch_changed(struct bt_run_watch *w)
{
    _Alignas(struct inotify_event) char got[8192];
    bool noticed = !w->whole;
    for (ssize_t n; w->fd >= 0 && (n = read(w->fd, got, sizeof got)) > 0;) {
        const struct inotify_event *e;
        noticed = true;
        for (const char *p = got; p < got + n; p += sizeof *e + e->len) {
            e = (const void *)p;
            if (shakes(w, e)) w->whole = false;
            note(w, e->wd);
        }
    }
    return noticed;
}

/* ── listing ── */

bool bt__run_quiet(const struct bt_run_watch *w, const char *name)
{
    const struct watched key = {.name = (char *)(uintptr_t)name}, *p = &key;
    if (!w->whole || !w->n) return false;
    struct watched *const *found = bsearch(&p, w->by_name, w->n, sizeof(struct watched *), by_name);
    return found && !(*found)->noticed;
}

enum bt_status bt_run_list_watched(struct bt_run_watch *w, const char *runs_dir,
                                   const struct bt_run_list *previous, struct bt_run_list *out,
                                   struct bt_error *err)
{
    (void)bt_run_watch_changed(w);
    enum bt_status st = bt__run_list(runs_dir, previous, w, out, err);
    for (size_t i = 0; !st && i < w->n; i++) w->at[i].noticed = false;
    return st;
}
