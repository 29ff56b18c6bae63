#include "tui/term_output.h"
#include <bertty/str.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes that may be on their way when a key asks for more; seconds after which an answer is given up; most that waits beside frames. */
enum { SMALL = 2048, PATIENCE_S = 5, MOST_WAITING = 1 << 20 };

static const char question[] = "\033[5n"; /* DSR; the answer is CSI 0 n */

struct output {
    int tty, own; /* own: the terminal again, opened so that a write never waits; −1: it could not be */
    int capture;  /* a file in memory; −1: none */
    FILE *file;
    bool capturing;
    struct bt_str queue;
    size_t at;          /* bytes of the queue that are sent */
    size_t on_way;      /* bytes since the last time that nothing was open */
    int open;           /* questions */
    double asked, took; /* when the frame began to be sent, and how long it took */
};

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ── the terminal ── */

static int open_again(int tty, const char *path)
{
    struct stat is, wanted;
    int fd = path ? open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0) return -1;
    if (fstat(fd, &is) == 0 && fstat(tty, &wanted) == 0 && is.st_rdev == wanted.st_rdev) return fd;
    close(fd);
    return -1;
}

/* O_NONBLOCK on tty itself would hold for the shell too, and after our end. */
struct output *output_new(int tty)
{
    struct output *o = calloc(1, sizeof *o);
    char name[64];
    int copy = o ? fcntl(tty, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy < 0 || !(o->file = fdopen(copy, "w"))) {
        if (copy >= 0) close(copy);
        free(o);
        return NULL;
    }
    o->tty = tty;
    o->own = open_again(tty, ttyname_r(tty, name, sizeof name) == 0 ? name : NULL);
    o->capture = o->own >= 0 ? memfd_create("frame", MFD_CLOEXEC) : -1;
    return o;
}

void output_free(struct output *o)
{
    if (!o) return;
    fclose(o->file);
    if (o->own >= 0) close(o->own);
    if (o->capture >= 0) close(o->capture);
    bt_str_free(&o->queue);
    free(o);
}

FILE *output_file(const struct output *o)
{
    return o->file;
}

/* ── what waits ── */

static size_t waiting(const struct output *o)
{
    return o->queue.len - o->at;
}

static void forget(struct output *o)
{
    bt_str_clear(&o->queue);
    o->at = 0;
}

bool output_flush(struct output *o)
{
    while (waiting(o)) {
        ssize_t sent = write(o->own >= 0 ? o->own : o->tty, o->queue.data + o->at, waiting(o));
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return true;
        if (sent <= 0) {
            forget(o);
            return false;
        }
        o->at += (size_t)sent;
    }
    forget(o);
    if (!o->open && o->asked > 0) {
        o->took = now_s() - o->asked;
        o->asked = 0;
    }
    return true;
}

void output_add(struct output *o, const char *bytes, size_t n)
{
    if (waiting(o) > MOST_WAITING) return; /* nobody reads; frames wait until all of it is gone */
    bt_str_addn(&o->queue, bytes, n);
    o->on_way += n;
    if (!o->capturing) output_flush(o);
}

int output_waits_on(const struct output *o)
{
    return waiting(o) && o->own >= 0 ? o->own : -1;
}

bool output_finish(struct output *o, int ms)
{
    double until = now_s() + ms * 1e-3;
    while (output_flush(o) && waiting(o) && now_s() < until) {
        struct pollfd fd = {.fd = o->own, .events = POLLOUT};
        poll(&fd, 1, (int)((until - now_s()) * 1e3) + 1);
    }
    bool whole = !waiting(o);
    forget(o);
    return whole;
}

/* ── what curses writes ── */

void output_capture(struct output *o)
{
    if (o->capture < 0) return;
    o->capturing = dup3(o->capture, fileno(o->file), O_CLOEXEC) >= 0;
}

void output_release(struct output *o)
{
    char bytes[4096];
    if (!o->capturing) return;
    dup3(o->tty, fileno(o->file), O_CLOEXEC);
    lseek(o->capture, 0, SEEK_SET);
    for (ssize_t n; (n = read(o->capture, bytes, sizeof bytes)) > 0;) {
        bt_str_addn(&o->queue, bytes, (size_t)n);
        o->on_way += (size_t)n;
    }
    if (ftruncate(o->capture, 0) == 0) lseek(o->capture, 0, SEEK_SET);
    o->capturing = false;
}

/* ── frames ── */

void output_frame_begin(struct output *o)
{
    if (!o->open) o->asked = now_s();
}

void output_ask(struct output *o)
{
    o->open++; /* first: what is flushed to its end has not arrived yet */
    output_add(o, question, sizeof question - 1);
}

void output_answered(struct output *o)
{
    if (!o->open || --o->open) return;
    o->took = now_s() - o->asked;
    o->asked = 0;
    o->on_way = 0;
}

int output_open_questions(const struct output *o)
{
    return o->open;
}

/* An answer that was lost on the way is not waited for for ever. */
static void give_up(struct output *o)
{
    if (!o->open || waiting(o) || now_s() - o->asked < PATIENCE_S) return;
    o->open = 0;
    o->asked = 0;
}

bool output_busy(struct output *o, bool small)
{
    int unsent = 0;
    give_up(o);
    if (waiting(o) || (ioctl(o->tty, TIOCOUTQ, &unsent) == 0 && unsent > 0)) return true;
    if (!o->open) o->on_way = 0;
    return o->open && !(small && o->on_way < SMALL);
}

double output_frame_s(const struct output *o)
{
    return o->took;
}
