/* Waiting for what comes: keys, the mouse, signals, other threads. */
#include "tui/term_private.h"
#include "tui/term_signal.h"
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* What is waited whether more comes behind an Esc, which then is no key of its own: at least, at most. */
enum { LEAST_ESCAPE_MS = 6, ESCAPE_MS = 25 };
enum { DOUBLE_CLICK_MS = 400, EVENT_BYTES = 4096 };
enum { MODE_SYNCHRONIZED = 2026 };

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool after_signals(struct term *t, struct event *e)
{
    struct signals_seen seen = signals_take();
    if (seen.ending) {
        *e = (struct event){.kind = EVENT_HANGUP, .key = seen.ending};
        return true;
    }
    if (seen.suspend) {
        term_suspend(t);
        signals_stop_self();
        seen.ending = signals_take().ending;
    }
    if (seen.suspend || seen.continued) term_resume(t);
    if (!seen.suspend && !seen.continued && !seen.resized) return false;
    term_take_size(t);
    *e = (struct event){.kind = EVENT_RESIZE};
    return true;
}

static void mark_double(struct term *t, struct event *e)
{
    if (e->kind != EVENT_MOUSE || e->release || e->drag || e->button > MOUSE_RIGHT || !e->button) return;
    int64_t now = now_ms();
    e->twice = t->click.button == e->button && t->click.y == e->y && t->click.x == e->x &&
               now - t->click_ms < DOUBLE_CLICK_MS;
    t->click = *e;
    if (e->twice) t->click.button = MOUSE_NONE;
    t->click_ms = now;
}

/* True: it was for us. */
static bool take_answer(struct term *t, const struct event *e)
{
    if (e->kind != EVENT_ANSWER) return false;
    if (e->key == MODE_SYNCHRONIZED) t->synchronized = e->y == 1 || e->y == 2;
    if (e->key == ANSWER_WELL) output_answered(t->output);
    if (e->key == ANSWER_LAST) {
        t->asked = false;
        t->answers = true;
        input_expect_answer(t->input, false);
    }
    return true;
}

/* False: the terminal is gone. */
static bool read_bytes(struct term *t)
{
    char bytes[EVENT_BYTES];
    ssize_t n = read(t->in, bytes, sizeof bytes);
    t->fed_ms = now_ms();
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    return n > 0 && (input_feed(t->input, bytes, (size_t)n) || true);
}

/* A key's bytes are sent together: what tears them apart is the way to us, and a frame that has just arrived soon says that it is short. */
static int escape_ms(const struct term *t)
{
    const double ms = 1e3 * term_frame_s(t);
    if (!(ms > 0) || ms >= ESCAPE_MS) return ESCAPE_MS;
    return ms > LEAST_ESCAPE_MS ? (int)ms : LEAST_ESCAPE_MS;
}

void term_event(struct term *t, int timeout_ms, int wake_fd, struct event *e)
{
    int64_t until = now_ms() + timeout_ms;
    const int escape = escape_ms(t);
    for (;;) {
        if (after_signals(t, e)) return;
        const bool idle = now_ms() - t->fed_ms >= escape;
        if (input_next(t->input, idle, e)) {
            if (!take_answer(t, e)) {
                mark_double(t, e);
                return;
            }
            *e = (struct event){.kind = EVENT_NONE};
            if (!output_busy(t->output, true)) return; /* whoever waits for that may draw */
            continue;
        }
        bool unfinished = input_unfinished(t->input);
        int64_t left = timeout_ms < 0 ? -1 : until - now_ms();
        if (timeout_ms >= 0 && left < 0) left = 0;
        if (unfinished && (left < 0 || left > escape)) left = escape;
        struct pollfd fds[] = {{.fd = t->in, .events = POLLIN},
                               {.fd = signals_fd(), .events = POLLIN},
                               {.fd = wake_fd, .events = POLLIN},
                               {.fd = output_waits_on(t->output), .events = POLLOUT}};
        int ready = poll(fds, 4, (int)left);
        *e = (struct event){.kind = EVENT_NONE};
        if (ready < 0) continue;
        /* A lone Esc was one by the time that passed, even if we slept until the next key was there: that one is read afterwards. */
        const bool late = unfinished && !idle && now_ms() - t->fed_ms >= escape;
        if (late && !(fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))) fds[0].revents = 0;
        bool gone =
            fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) || (fds[3].revents && !output_flush(t->output));
        if (gone || (fds[0].revents & POLLIN && !read_bytes(t))) {
            e->kind = EVENT_HANGUP;
            return;
        }
        if (fds[2].revents || (fds[3].revents && !output_busy(t->output, true))) return;
        if (ready == 0 && (!unfinished || timeout_ms == 0 || (timeout_ms > 0 && now_ms() >= until))) return;
    }
}

void term_await_answers(struct term *t, int timeout_ms)
{
    int64_t until = now_ms() + timeout_ms;
    struct event e;
    while (output_open_questions(t->output) && now_ms() < until) {
        struct pollfd in = {.fd = t->in, .events = POLLIN};
        if (poll(&in, 1, (int)(until - now_ms())) <= 0 || !(in.revents & POLLIN) || !read_bytes(t)) return;
        while (input_next(t->input, false, &e)) take_answer(t, &e);
    }
}

bool term_busy(struct term *t, bool small)
{
    return t->output && output_busy(t->output, small);
}

double term_frame_s(const struct term *t)
{
    return t->output ? output_frame_s(t->output) : 0;
}
