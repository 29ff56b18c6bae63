/* What commands write: lines on standard output and standard error, and what becomes of failures to write.
 *
 * The state below is that of the process's two streams, of which there is one each. */
#include "tui/commands/cli.h"
#include <bertty/text.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool terminal; /* standard output is one */
    bool flush;    /* after each line */
    int error;     /* errno of the first failed write to standard output, or 0 */
    bool progress; /* a progress line stands on the terminal */
    bool own[2];   /* standard output and error are descriptors of our own that never wait */
    bool cut;      /* a line was dropped, perhaps only the end of it */
    double shown;  /* when, monotonic seconds */
} out;

static volatile sig_atomic_t interrupted; /* the signal; 0: none */

static void wipe_progress(void)
{
    if (!out.progress) return;
    out.progress = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

static void write_bytes(const char *bytes, size_t n, const char *end)
{
    if (out.error) return;
    wipe_progress();
    errno = 0;
    bool ok = (!out.cut || fputs("\n", stdout) != EOF) && fwrite(bytes, 1, n, stdout) == n &&
              fputs(end, stdout) != EOF;
    if (ok && (out.flush || out.terminal)) ok = fflush(stdout) == 0;
    out.cut = !ok && errno == EAGAIN && out.own[0];
    if (out.cut)
        clearerr(stdout);
    else if (!ok)
        out.error = errno ? errno : EIO;
}

static void write_line(const char *bytes, size_t n)
{
    write_bytes(bytes, n, "\n");
}

void cli_raw(const char *bytes, size_t n)
{
    write_bytes(bytes, n, "");
}

static void format(struct bt_str *to, const char *fmt, va_list ap)
{
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);
    if (n < 0) {
        to->failed = true;
        return;
    }
    bt_text_clean(to, text, (size_t)n);
    free(text);
}

/* A text that lacks something for want of memory is not written; the exit code tells. */
static void write_text(const struct bt_str *text)
{
    if (text->failed && !out.error) out.error = ENOMEM;
    write_line(bt_str_text(text), text->len);
}

void cli_line(const char *fmt, ...)
{
    struct bt_str clean = {0};
    va_list ap;
    va_start(ap, fmt);
    format(&clean, fmt, ap);
    va_end(ap);
    write_text(&clean);
    bt_str_free(&clean);
}

void cli_data(const char *bytes, size_t n)
{
    if (!out.terminal) {
        write_line(bytes, n);
        return;
    }
    struct bt_str clean = {0};
    bt_text_clean(&clean, bytes, n);
    write_text(&clean);
    bt_str_free(&clean);
}

void cli_json(struct bt_str *text)
{
    if (text->failed && !out.error) out.error = ENOMEM;
    cli_data(bt_str_text(text), text->len);
    bt_str_clear(text);
}

bool cli_output_gone(void)
{
    return out.error != 0;
}

void cli_flush_lines(bool on)
{
    out.flush = on;
}

bool cli_on_terminal(void)
{
    return out.terminal;
}

/* The terminal again: O_NONBLOCK on the descriptor that we were given would hold for the shell too. */
static bool make_own(int fd)
{
    char name[64];
    struct stat is, wanted;
    int own = isatty(fd) && ttyname_r(fd, name, sizeof name) == 0
                  ? open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
                  : -1;
    bool good = own >= 0 && fstat(own, &is) == 0 && fstat(fd, &wanted) == 0 && is.st_rdev == wanted.st_rdev &&
                dup2(own, fd) == fd;
    if (own >= 0) close(own);
    return good;
}

void cli_never_wait(bool on)
{
    for (int i = 0; i < 2; i++) {
        const int fd = i ? STDERR_FILENO : STDOUT_FILENO, flags = out.own[i] ? fcntl(fd, F_GETFL) : -1;
        if (on && !out.own[i]) out.own[i] = make_own(fd);
        if (flags >= 0) fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    }
}

/* "bertty: COMMAND: TEXT" on standard error, in one write. */
static void complain(const char *command, const char *fmt, va_list ap)
{
    struct bt_str line = {0};
    bt_str_addf(&line, "bertty: %s%s", command ? command : "", command ? ": " : "");
    format(&line, fmt, ap);
    bt_str_addc(&line, '\n');
    wipe_progress();
    fflush(stdout);
    fputs(line.failed ? "bertty: out of memory\n" : bt_str_text(&line), stderr);
    bt_str_free(&line);
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(NULL, fmt, ap);
    va_end(ap);
}

int cli_fail(const struct bt_error *err)
{
    cli_warn("%s", err->text);
    return err->status == BT_CANCELLED ? CLI_INTERRUPTED : CLI_FAILED;
}

int cli_misuse(const char *command, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(command, fmt, ap);
    va_end(ap);
    return CLI_USAGE;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void cli_progress(const char *fmt, ...)
{
    if (!fmt) {
        wipe_progress();
        return;
    }
    if (!isatty(STDERR_FILENO) || (out.progress && seconds() - out.shown < 0.1)) return;
    struct bt_str text = {0}, line = {0};
    va_list ap;
    va_start(ap, fmt);
    format(&text, fmt, ap);
    va_end(ap);
    bt_text_fit(&line, bt_str_text(&text), text.len, 79); /* a wrapped line could not be wiped */
    fprintf(stderr, "\r%s\033[K", bt_str_text(&line));
    out.progress = true;
    out.shown = seconds();
    bt_str_free(&text);
    bt_str_free(&line);
}

static void on_signal(int sig)
{
    interrupted = sig;
    if (sig == SIGINT) signal(SIGINT, SIG_DFL);
}

void cli_catch_interrupts(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], &act, NULL);
    }
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}

bool cli_terminated(void)
{
    return interrupted == SIGTERM || interrupted == SIGHUP;
}

/* A file that is opened later must not become descriptor 0, 1 or 2 by accident. */
static void fill_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

void cli_begin(void)
{
    fill_standard_streams();
    setlocale(LC_CTYPE, ""); /* and only that: numbers keep their full stop */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like others */
    out.terminal = isatty(STDOUT_FILENO) != 0;
}

int cli_end(int code)
{
    wipe_progress();
    errno = 0;
    if (!out.error && fflush(stdout) != 0) out.error = errno ? errno : EIO;
    if (!out.error || out.error == EPIPE || (out.error == ENOMEM && code)) return code;
    fprintf(stderr, "bertty: standard output: %s\n", strerror(out.error));
    return code ? code : CLI_FAILED;
}
