#include <bertty/run_watch.h>

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

struct bt_run_watch {
    int fd;     /* −1: none, or another is needed */
    int top;    /* the runs directory's own watch */
    char *dir;  /* what is watched */
    bool whole; /* all directories that are there are watched */
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

/* False: not all could be watched. What is no directory, or gone by now, does not matter. */
static bool watch_inside(struct bt_run_watch *w, DIR *d)
{
    bool whole = true;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)) continue;
        char *path = bt_path_join(w->dir, e->d_name);
        if (!path) return false;
        errno = 0;
        if (inotify_add_watch(w->fd, path, NOTICED | HOW) < 0) whole &= errno == ENOENT || errno == ENOTDIR;
        free(path);
    }
    return whole;
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
        }
    }
    return noticed;
}
