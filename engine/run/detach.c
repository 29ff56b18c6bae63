#include "run/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH_FD = 10, MOST_FDS = 65536 }; /* ours are moved out of the way of 0 … 3 */

/* Either the new process's number, or why it is none. */
struct message {
    pid_t pid;
    int error;
};

struct streams {
    int null, log, announce[2], fault[2];
};

/* ── in the child: nothing but system calls, as we may be one of several threads ── */

static void tell(int fd, struct message m)
{
    while (write(fd, &m, sizeof m) < 0 && errno == EINTR) {
    }
}

static void default_signals(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++) sigaction(i, &act, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Whatever somebody opened without close-on-exec. */
static void keep_nothing_above(int fd)
{
    long most = sysconf(_SC_OPEN_MAX);
#ifdef CLOSE_RANGE_CLOEXEC
    if (close_range((unsigned)fd + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
#endif
    if (most < 0 || most > MOST_FDS) most = MOST_FDS;
    for (int i = fd + 1; i < (int)most; i++) fcntl(i, F_SETFD, FD_CLOEXEC);
}

_Noreturn static void become(char *const *argv, const struct streams *s)
{
    tell(s->fault[1], (struct message){.pid = getpid()});
    bool fine = dup2(s->null, 0) == 0 && dup2(s->log, 1) == 1 && dup2(s->log, 2) == 2 &&
                dup2(s->announce[1], BT__ANNOUNCE_FD) == BT__ANNOUNCE_FD;
    keep_nothing_above(BT__ANNOUNCE_FD);
    default_signals();
    if (fine) execvp(argv[0], argv);
    tell(s->fault[1], (struct message){.error = errno ? errno : EBADF});
    _exit(127);
}

/* The first child only makes the session: the second is no leader of it, so that no terminal can become its own, and is nobody's child. */
_Noreturn static void lead(char *const *argv, const struct streams *s)
{
    setsid();
    pid_t second = fork();
    if (second == 0) become(argv, s);
    if (second < 0) tell(s->fault[1], (struct message){.error = errno});
    _exit(0);
}

/* ── in the parent ── */

static void close_all(struct streams *s)
{
    int *all[] = {&s->null, &s->log, &s->announce[0], &s->announce[1], &s->fault[0], &s->fault[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0) close(*all[i]);
        *all[i] = -1;
    }
}

static bool high_pipe(int to[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) return false;
    for (int i = 0; i < 2; i++) {
        to[i] = fcntl(low[i], F_DUPFD_CLOEXEC, HIGH_FD);
        close(low[i]);
    }
    return to[0] >= 0 && to[1] >= 0;
}

static bool open_all(struct streams *s, int log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return false;
    s->null = fcntl(null, F_DUPFD_CLOEXEC, HIGH_FD);
    close(null);
    s->log = fcntl(log, F_DUPFD_CLOEXEC, HIGH_FD);
    return s->null >= 0 && s->log >= 0 && high_pipe(s->announce) && high_pipe(s->fault);
}

/* Until the pipe is closed, by exec or by death: the error, or 0 with *pid. */
static int hear(int fd, pid_t *pid)
{
    struct message m;
    int error = 0;
    *pid = 0;
    for (;;) {
        ssize_t n = read(fd, &m, sizeof m);
        if (n < 0 && errno == EINTR) continue;
        if (n != (ssize_t)sizeof m) break;
        if (m.pid) *pid = m.pid;
        if (m.error) error = m.error;
    }
    return error || *pid ? error : EAGAIN;
}

static pid_t fork_blocked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours runs in the child */
    pid_t first = fork();
    if (first != 0) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return first;
}

enum bt_status bt__detach(char *const *argv, int log, int *announce, pid_t *pid, struct bt_error *err)
{
    struct streams s = {.null = -1, .log = -1, .announce = {-1, -1}, .fault = {-1, -1}};
    if (!open_all(&s, log)) {
        close_all(&s);
        return bt_fail_errno(err, "%s: no descriptors for a new process", argv[0]);
    }
    pid_t first = fork_blocked();
    if (first == 0) lead(argv, &s);
    if (first < 0) {
        close_all(&s);
        return bt_fail_errno(err, "%s: no new process", argv[0]);
    }
    close(s.announce[1]);
    close(s.fault[1]);
    s.announce[1] = s.fault[1] = -1;
    while (waitpid(first, NULL, 0) < 0 && errno == EINTR) {
    }
    int error = hear(s.fault[0], pid);
    if (!error) {
        *announce = s.announce[0];
        s.announce[0] = -1;
    }
    close_all(&s);
    errno = error;
    return error ? bt_fail_errno(err, "%s: cannot be started", argv[0]) : BT_OK;
}
