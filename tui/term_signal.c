#include "tui/term_signal.h"
#include "tui/term_stderr.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_RESTORE = 512, ALTERNATE_STACK = 64 * 1024, GRACE_SECONDS = 1 };

static const int ending[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGALRM, SIGXCPU};
static const int changing[] = {SIGWINCH, SIGTSTP, SIGCONT};
enum { N_ENDING = sizeof ending / sizeof *ending };
enum { N_FATAL = sizeof fatal / sizeof *fatal };
enum { N_CHANGING = sizeof changing / sizeof *changing };

/* A handler reaches nothing else. */
static struct {
    int pipe[2], tty;
    struct termios modes;
    char restore[MAX_RESTORE];
    size_t restore_n;
    volatile sig_atomic_t resized, suspend, continued, end;
    struct sigaction old_ending[N_ENDING], old_fatal[N_FATAL], old_changing[N_CHANGING];
    char stack[ALTERNATE_STACK];
    stack_t old_stack;
} state;

static void on_change(int sig)
{
    int saved = errno;
    if (sig == SIGWINCH) state.resized = 1;
    if (sig == SIGTSTP) state.suspend = 1;
    if (sig == SIGCONT) state.continued = 1;
    if (write(state.pipe[1], "", 1) < 0) errno = saved; /* full: it is readable anyway */
    errno = saved;
}

/* A loop that cannot answer (a terminal that nobody reads blocks a write) is ended by the alarm. */
static void on_end(int sig)
{
    int saved = errno;
    state.end = sig;
    alarm(GRACE_SECONDS);
    if (write(state.pipe[1], "", 1) < 0) errno = saved;
    errno = saved;
}

static void on_fatal(int sig)
{
    int saved = errno, flags = fcntl(state.tty, F_GETFL);
    if (flags >= 0) fcntl(state.tty, F_SETFL, flags | O_NONBLOCK);
    if (write(state.tty, state.restore, state.restore_n) < 0) errno = saved;
    if (flags >= 0) fcntl(state.tty, F_SETFL, flags);
    tcsetattr(state.tty, TCSANOW, &state.modes);
    stderr_release();
    for (int i = 0; i < N_FATAL; i++)
        if (fatal[i] == sig) sigaction(sig, &state.old_fatal[i], NULL);
    errno = saved;
    int last = sig == SIGALRM && state.end ? state.end : sig;
    if (last != sig) sigaction(last, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(last); /* blocked until we return; then whoever had it before us gets it */
}

/* What our parent wants ignored (nohup) stays so. */
static void install(const int *signals, int n, void (*handler)(int), int flags, struct sigaction *old)
{
    for (int i = 0; i < n; i++) {
        struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
        sigfillset(&a.sa_mask);
        sigaction(signals[i], NULL, &old[i]);
        if (old[i].sa_handler != SIG_IGN) sigaction(signals[i], &a, NULL);
    }
}

static void put_back(const int *signals, int n, const struct sigaction *old)
{
    for (int i = 0; i < n; i++) sigaction(signals[i], &old[i], NULL);
}

enum bt_status signals_install(int tty, const char *restore, size_t n, struct bt_error *err)
{
    if (pipe2(state.pipe, O_NONBLOCK | O_CLOEXEC) != 0) return bt_fail_errno(err, "signals");
    state.tty = tty;
    tcgetattr(tty, &state.modes);
    state.restore_n = n < MAX_RESTORE ? n : MAX_RESTORE;
    memcpy(state.restore, restore, state.restore_n);
    state.resized = state.suspend = state.continued = state.end = 0;
    stack_t stack = {.ss_sp = state.stack, .ss_size = sizeof state.stack};
    sigaltstack(&stack, &state.old_stack);
    install(changing, N_CHANGING, on_change, SA_RESTART, state.old_changing);
    install(ending, N_ENDING, on_end, SA_RESTART, state.old_ending);
    install(fatal, N_FATAL, on_fatal, SA_ONSTACK, state.old_fatal);
    return BT_OK;
}

void signals_remove(void)
{
    put_back(fatal, N_FATAL, state.old_fatal);
    put_back(ending, N_ENDING, state.old_ending);
    put_back(changing, N_CHANGING, state.old_changing);
    sigaltstack(&state.old_stack, NULL);
    close(state.pipe[0]);
    close(state.pipe[1]);
}

int signals_fd(void)
{
    return state.pipe[0];
}

struct signals_seen signals_take(void)
{
    char bytes[64];
    while (read(state.pipe[0], bytes, sizeof bytes) > 0) continue;
    struct signals_seen seen = {.resized = state.resized,
                                .suspend = state.suspend,
                                .continued = state.continued,
                                .ending = state.end};
    state.resized = state.suspend = state.continued = 0;
    return seen;
}

void signals_stop_self(void)
{
    raise(SIGSTOP);
}
