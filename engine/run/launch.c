#include "run/launch.h"

#include "run/detach.h"
#include "run/logind.h"
#include "run/proc.h"
#include "run/rundir.h"
#include <bertty/file.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE = 60; /* seconds: reading and checking the data comes before the directory */

/* ── the command line ── */

struct words {
    char **v; /* ended by NULL, owned */
    size_t n, cap;
    bool failed;
};

static void words_free(struct words *w)
{
    for (size_t i = 0; i < w->n; i++) free(w->v[i]);
    free(w->v);
}

/* Takes over word. */
static void add(struct words *w, char *word)
{
    if (w->n + 2 > w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 16;
        char **more = realloc(w->v, cap * sizeof *more);
        if (more) {
            w->v = more;
            w->cap = cap;
        }
        w->failed |= !more;
    }
    w->failed |= !word;
    if (w->failed) {
        free(word);
        return;
    }
    w->v[w->n++] = word;
    w->v[w->n] = NULL;
}

/* Our own program by its path, so that it has its name in lists of processes; one that was replaced on the disk since is still there as exe. */
static char *own_program(void)
{
    static const char gone[] = " (deleted)";
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return bt_strdup("/proc/self/exe");
    path[n] = '\0';
    size_t end = sizeof gone - 1;
    bool deleted = (size_t)n > end && strcmp(path + n - end, gone) == 0;
    return bt_strdup(deleted ? "/proc/self/exe" : path);
}

static void add_scope(struct words *w)
{
    static const char *const wrapper[] = {"systemd-run", "--user", "--scope", "--quiet", "--collect", "--"};
    for (size_t i = 0; i < sizeof wrapper / sizeof *wrapper; i++) add(w, bt_strdup(wrapper[i]));
}

static struct words command(const struct bt_launch *l, bool scope)
{
    struct words w = {0};
    if (scope) add_scope(&w);
    add(&w, l->program ? bt_strdup(l->program) : own_program());
    add(&w, bt_strdup("train"));
    add(&w, bt_strfmt("--announce=%d", BT__ANNOUNCE_FD));
    for (size_t i = 0; i < l->n_set; i++) add(&w, bt_strfmt("--set=%s", l->set[i]));
    if (l->name) add(&w, bt_strfmt("--name=%s", l->name));
    if (l->runs_dir) add(&w, bt_strfmt("--runs=%s", l->runs_dir));
    if (l->force) add(&w, bt_strdup("--force"));
    if (l->resume) add(&w, bt_strfmt("--resume=%s", l->resume));
    if (l->queued) add(&w, bt_strfmt("--queued=%s", l->queued));
    add(&w, bt_strdup("--"));
    if (!l->resume) add(&w, bt_strdup(l->experiment));
    return w;
}

/* ── where its output goes ── */

/* A file without a name, on the file system where the run will be: it gets its name when the run has a directory. */
static int nameless(const char *runs_dir)
{
    char *dir = bt_strdup(runs_dir ? runs_dir : "runs");
    int fd = -1;
    while (dir && *dir && fd < 0) {
        fd = open(dir, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != ENOENT) break;
        char *slash = strrchr(dir, '/');
        if (!slash) break;
        *slash = '\0';
    }
    if (fd < 0 && errno == ENOENT) fd = open(".", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    free(dir);
    return fd;
}

/* launch.log of a run that is there: DIRECTORY or DIRECTORY@STEP. */
static char *log_of(const char *resume)
{
    const char *at = strrchr(bt_path_base(resume), '@');
    char *dir = at && !bt_path_exists(resume) ? bt_strndup(resume, (size_t)(at - resume)) : bt_strdup(resume);
    char *path = dir ? bt_path_join(dir, "launch.log") : NULL;
    free(dir);
    return path;
}

static int open_log(const struct bt_launch *l)
{
    char *path = l->resume ? log_of(l->resume) : NULL;
    int fd = path ? open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)
                  : nameless(l->runs_dir);
    free(path);
    return fd >= 0 ? fd : open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void name_log(int log, const char *dir)
{
    char *from = bt_strfmt("/proc/self/fd/%d", log), *to = bt_path_join(dir, "launch.log");
    /* on another file system it stays nameless: nothing is lost but what a crash may print */
    if (from && to) (void)!linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
    free(from);
    free(to);
}

/* The last line that the engine printed since from; "" if there is none. */
static void last_words(int log, off_t from, char *out, size_t size)
{
    char text[2048];
    off_t end = lseek(log, 0, SEEK_END);
    if (end - from > (off_t)sizeof text - 1) from = end - (off_t)sizeof text + 1;
    ssize_t n = end > from ? pread(log, text, sizeof text - 1, from) : 0;
    while (n > 0 && text[n - 1] == '\n') n--;
    text[n > 0 ? n : 0] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    size_t m = strnlen(line, size - 1);
    memcpy(out, line, m);
    out[m] = '\0';
}

/* ── what it announces ── */

enum heard { LINE, SILENCE, END };

/* One line from the pipe, without its newline. */
static enum heard listen_to(int fd, double until, struct bt_str *line)
{
    char c;
    for (;;) {
        double left = until - bt__clock();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&p, 1, (int)(left * 1000) + 1) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return SILENCE; /* < 0: no memory to wait with; it speaks or ends soon enough */
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return END;
        if (c == '\n') return LINE;
        if (line->len < 8192) bt_str_addc(line, c);
    }
}

static enum bt_status no_run(enum heard what, pid_t pid, double patience, int log, off_t from,
                             struct bt_error *err)
{
    char words[300];
    if (what == SILENCE) {
        kill(pid, SIGTERM); /* a run that begins after we said that it did not would be worse */
        return bt_fail(err, BT_IO, "process %d made no run directory within %.0f s and was ended", (int)pid,
                       patience);
    }
    last_words(log, from, words, sizeof words);
    return bt_fail(err, BT_IO, "the engine ended before it had a run directory%s%s", *words ? ": " : "",
                   words);
}

static enum bt_status await(int announce, pid_t pid, double patience, int log, off_t from, char **dir,
                            struct bt_error *err)
{
    struct bt_str line = {0};
    enum heard what = listen_to(announce, bt__clock() + patience, &line);
    enum bt_status status = BT_OK;
    if (what != LINE)
        status = no_run(what, pid, patience, log, from, err);
    else if (bt_str_text(&line)[0] == '!')
        status = bt_fail(err, BT_INVALID, "%s", bt_str_text(&line) + 1);
    else if (bt_str_text(&line)[0] != '/')
        status = bt_fail(err, BT_INVALID, "the engine announced '%s', expected its run directory",
                         bt_str_text(&line));
    else if (!(*dir = bt_str_take(&line)))
        status = bt_fail(err, BT_NOMEM, "no memory for a run directory's name");
    bt_str_free(&line);
    return status;
}

/* ── all of it ── */

static enum bt_status start(const struct bt_launch *l, bool scope, double patience, char **dir,
                            struct bt_error *err)
{
    int announce = -1, log = open_log(l);
    if (log < 0) return bt_fail_errno(err, "/dev/null");
    off_t from = lseek(log, 0, SEEK_END);
    struct words w = command(l, scope);
    pid_t pid;
    enum bt_status status = w.failed ? bt_fail(err, BT_NOMEM, "no memory for a command line")
                                     : bt__detach(w.v, log, &announce, &pid, err);
    if (status == BT_OK) status = await(announce, pid, patience, log, from, dir, err);
    if (status == BT_OK && !l->resume) name_log(log, *dir);
    words_free(&w);
    if (announce >= 0) close(announce);
    close(log);
    return status;
}

static void warn_of_logout(const char *dir)
{
    bt__rundir_note(dir, "warning: systemd ends a user's processes at logout here (KillUserProcesses): "
                         "`loginctl enable-linger` lets the next runs live on");
}

static enum bt__logout logout_plan(void)
{
    char name[1024];
    struct passwd entry, *user = NULL;
    getpwuid_r(geteuid(), &entry, name, sizeof name, &user);
    return bt__logout_plan("", getenv("XDG_SESSION_ID"), getenv("XDG_RUNTIME_DIR"),
                           user ? user->pw_name : NULL);
}

enum bt_status bt__launch_planned(const struct bt_launch *l, enum bt__logout plan, double patience_s,
                                  char **dir, struct bt_error *err)
{
    *dir = NULL;
    if (!l->experiment && !l->resume)
        return bt_fail(err, BT_INVALID, "neither an experiment nor a run to start");
    enum bt_status status = start(l, plan == BT__LOGOUT_SCOPE, patience_s, dir, err);
    if (status == BT_IO && plan == BT__LOGOUT_SCOPE) {
        plan = BT__LOGOUT_KILLS; /* the user's manager would not have it */
        status = start(l, false, patience_s, dir, err);
    }
    if (status == BT_OK && plan == BT__LOGOUT_KILLS) warn_of_logout(*dir);
    return status;
}

enum bt_status bt__launch(const struct bt_launch *l, double patience_s, char **dir, struct bt_error *err)
{
    return bt__launch_planned(l, logout_plan(), patience_s, dir, err);
}

enum bt_status bt_run_launch(const struct bt_launch *l, char **dir, struct bt_error *err)
{
    return bt__launch(l, PATIENCE, dir, err);
}
