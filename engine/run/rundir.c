#include "run/rundir.h"

#include "run/checkpoint_parts.h"
#include "run/proc.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <bertty/text.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 100,
    FRESH_SECONDS = 300 /* another host's engine that wrote its status so lately is taken to live */
};

static bool name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool bt__run_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_BYTES || name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < n; i++)
        if (!name_byte(name[i])) return false;
    return true;
}

void bt__run_name_clean(char *name)
{
    for (char *p = name; *p; p++)
        if (!name_byte(*p)) *p = '-';
    if (name[0] == '.' || name[0] == '-') name[0] = '_';
}

/* "my film.reviews" → "my-film.reviews": what a made id begins with. */
static char *made_id(const char *experiment)
{
    char stamp[32];
    uint16_t random = 0;
    time_t now = time(NULL);
    struct tm t;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) random = (uint16_t)getpid();
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &t));
    char *id = bt_strfmt("%.60s-%s-%04x", experiment && experiment[0] ? experiment : "run", stamp, random);
    if (id) bt__run_name_clean(id);
    return id;
}

char *bt__rundir_path(const struct bt__rundir *r, const char *name)
{
    return bt_path_join(r->dir, name);
}

static int open_file(const struct bt__rundir *r, const char *name, int flags)
{
    char *path = bt__rundir_path(r, name);
    int fd = path ? open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600) : -1;
    free(path);
    return fd;
}

static bool unsupported(int error)
{
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

static bool alive(const char *state)
{
    static const struct {
        const char *text;
        bool alive;
    } all[] = {
#define X(name, word, has_engine) {.text = word, .alive = has_engine},
        BT_RUN_STATES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].text, state) == 0) return all[i].alive;
    return false;
}

/* Where locks do not work or do not reach (NFS): does the status file tell of a living engine other than this process? */
static bool told_alive(const struct bt__rundir *r)
{
    struct bt__proc self;
    bt__proc_self(&self);
    char *path = bt__rundir_path(r, "status.json");
    struct bt_json *s = path ? bt_json_load(path, 1 << 20, NULL) : NULL;
    free(path);
    bool living = alive(bt_json_text(bt_json_get(s, "state"), ""));
    int64_t pid = bt_json_int(bt_json_get(s, "pid"), 0);
    bool here = strcmp(bt_json_text(bt_json_get(s, "host"), ""), self.host) == 0;
    bool same_boot = strcmp(bt_json_text(bt_json_get(s, "boot_id"), ""), self.boot_id) == 0;
    int64_t start = bt_json_int(bt_json_get(s, "pid_start"), -1);
    double updated = bt_json_number(bt_json_get(s, "updated"), 0.0);
    bt_json_free(s);
    if (!living || pid <= 0) return false;
    if (here) return same_boot && pid != self.pid && bt__proc_start(pid) == start;
    return bt__wall() - updated < FRESH_SECONDS;
}

static enum bt_status take_lock(struct bt__rundir *r, struct bt_error *err)
{
    r->lock = open_file(r, "control", O_RDWR);
    if (r->lock < 0) return bt_fail_errno(err, "%s/control", r->dir);
    bool taken = flock(r->lock, LOCK_EX | LOCK_NB) != 0 && !unsupported(errno);
    if (taken || told_alive(r)) return bt_fail(err, BT_BUSY, "%s: another engine works on this run", r->dir);
    return BT_OK;
}

static struct bt__rundir *new_rundir(char *dir)
{
    struct bt__rundir *r = calloc(1, sizeof *r);
    if (!r) {
        free(dir);
        return NULL;
    }
    *r = (struct bt__rundir){.dir = dir, .id = bt_strdup(bt_path_base(dir)), .lock = -1, .log = -1};
    if (r->id) return r;
    bt__rundir_free(r);
    return NULL;
}

static enum bt_status begin(char *dir, struct bt__rundir **out, struct bt_error *err)
{
    struct bt__rundir *r = new_rundir(dir);
    if (!r) return bt_fail(err, BT_NOMEM, "no memory for a run");
    enum bt_status st = take_lock(r, err);
    if (st) {
        bt__rundir_free(r);
        return st;
    }
    r->log = open_file(r, "log.txt", O_WRONLY | O_APPEND);
    *out = r;
    return BT_OK;
}

/* Absolute path of a new directory under runs_dir; NULL on failure. */
static char *make_directory(const char *runs_dir, const char *id, struct bt_error *err)
{
    if (bt_mkdirs(runs_dir, err)) return NULL;
    char *real = realpath(runs_dir, NULL);
    char *dir = real ? bt_path_join(real, id) : NULL;
    free(real);
    if (dir && mkdir(dir, 0700) == 0) return dir;
    if (!dir)
        bt_fail_errno(err, "%s", runs_dir);
    else if (errno == EEXIST)
        bt_fail(err, BT_EXISTS, "%s: there is such a run already", dir);
    else
        bt_fail_errno(err, "%s: cannot make the directory", dir);
    free(dir);
    return NULL;
}

enum bt_status bt__rundir_create(const char *runs_dir, const char *name, const char *experiment,
                                 struct bt__rundir **out, struct bt_error *err)
{
    struct bt_error mine = {0};
    if (name && !bt__run_name_ok(name))
        return bt_fail(err, BT_INVALID,
                       "run name \"%.100s\": expected letters, digits, '.', '_' and '-', no '.' or '-' first",
                       name);
    char *id = name ? bt_strdup(name) : made_id(experiment);
    if (!id) return bt_fail(err, BT_NOMEM, "no memory for a run's name");
    bool alone = !bt_path_exists(runs_dir);
    char *dir = make_directory(runs_dir, id, &mine), *kept = bt_strdup(dir);
    free(id);
    enum bt_status st = dir ? begin(dir, out, &mine) : mine.status;
    if (!st) (*out)->alone = alone;
    if (st && kept) bt__remove_flat(kept);
    if (st && alone) rmdir(runs_dir);
    free(kept);
    return st ? bt_fail(err, st, "%s", mine.text) : BT_OK;
}

/* Old checkpoints and torn files are removed there: never where somebody's link leads to. */
static enum bt_status check_folders(const char *dir, struct bt_error *err)
{
    static const char *const folders[] = {"checkpoints", "predictions", "dynamics"};
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !st; i++) {
        struct stat info;
        char *path = bt_path_join(dir, folders[i]);
        if (!path) return bt_fail(err, BT_NOMEM, "no memory for a run");
        if (lstat(path, &info) == 0 && !S_ISDIR(info.st_mode))
            st = bt_fail(err, BT_INVALID, "%s: %s, expected a directory of the run's own", path,
                         S_ISLNK(info.st_mode) ? "a symbolic link" : "a file");
        free(path);
    }
    return st;
}

enum bt_status bt__rundir_open(const char *dir, struct bt__rundir **out, struct bt_error *err)
{
    char *real = realpath(dir, NULL), *file = real ? bt_path_join(real, "experiment.yaml") : NULL;
    bool run = file && bt_path_exists(file);
    free(file);
    if (!run) {
        free(real);
        return bt_fail(err, BT_NOTFOUND, "%s: not a run (it has no experiment.yaml)", dir);
    }
    enum bt_status st = check_folders(real, err);
    if (!st) return begin(real, out, err);
    free(real);
    return st;
}

void bt__rundir_free(struct bt__rundir *r)
{
    if (!r) return;
    if (r->lock >= 0) close(r->lock);
    if (r->log >= 0) close(r->log);
    free(r->dir);
    free(r->id);
    free(r);
}

void bt__rundir_discard(struct bt__rundir *r)
{
    bt__remove_flat(r->dir);
    char *parent = r->alone ? bt_strndup(r->dir, (size_t)(bt_path_base(r->dir) - r->dir)) : NULL;
    if (parent) rmdir(parent);
    free(parent);
}

static bool remains(const char *name)
{
    static const char *const first[] = {"control", "log.txt", "experiment.yaml", "trial.json"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (strcmp(name, first[i]) == 0) return true;
    return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

enum bt_status bt__rundir_clear_remains(const char *dir, struct bt_error *err)
{
    bool whole = false, strange = false;
    DIR *d = opendir(dir);
    if (!d) return errno == ENOENT ? BT_OK : bt_fail_errno(err, "%s", dir);
    for (struct dirent *e; (e = readdir(d));) {
        whole |= strcmp(e->d_name, "status.json") == 0;
        strange |= strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !remains(e->d_name);
    }
    closedir(d);
    if (whole) return BT_OK;
    if (strange) return bt_fail(err, BT_EXISTS, "%s: is there already, and is no run", dir);
    bt__remove_flat(dir);
    return BT_OK;
}

enum bt_status bt__rundir_write(const struct bt__rundir *r, const char *name, struct bt_str *text,
                                struct bt_error *err)
{
    char *path = bt__rundir_path(r, name);
    enum bt_status st = path && !text->failed ? bt_file_write_atomic(path, bt_str_text(text), text->len, err)
                                              : bt_fail(err, BT_NOMEM, "%s/%s: no memory", r->dir, name);
    free(path);
    bt_str_free(text);
    return st;
}

static struct bt_str log_line(const char *text)
{
    struct bt_str line = {0};
    char clock[16];
    time_t now = time(NULL);
    struct tm t;
    strftime(clock, sizeof clock, "%H:%M:%S ", localtime_r(&now, &t));
    bt_str_add(&line, clock);
    bt_text_clean(&line, text, strlen(text));
    bt_str_addc(&line, '\n');
    return line;
}

void bt__rundir_log(struct bt__rundir *r, const char *text)
{
    struct bt_str line = log_line(text);
    if (r->log >= 0 && !line.failed && !bt_write_all(r->log, line.data, line.len)) {
        close(r->log); /* a full disk: tried again with the next line */
        r->log = open_file(r, "log.txt", O_WRONLY | O_APPEND);
    }
    bt_str_free(&line);
}

void bt__rundir_note(const char *dir, const char *text)
{
    char *path = bt_path_join(dir, "log.txt");
    struct bt_str line = log_line(text);
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd >= 0 && !line.failed) (void)bt_write_all(fd, line.data, line.len);
    if (fd >= 0) close(fd);
    bt_str_free(&line);
    free(path);
}

bool bt__rundir_locked(int at)
{
    int control = openat(at, "control", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool locked = control >= 0 && flock(control, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (control >= 0) close(control);
    return locked;
}
