/* Background work: a few threads, a queue, a pipe that wakes the loop. */
#include "tui/app_private.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 4, STOP_MS = 500 };

struct job {
    struct app_task task;
    atomic_bool cancel;
    bool running;
    struct job *next;
};

struct tasks {
    pthread_mutex_t lock;
    pthread_cond_t more, ended;
    struct job *queue, *done; /* in the order of their coming; running ones stay in the queue */
    pthread_t thread[MAX_THREADS];
    int n_threads, idle;
    bool stop;
    int wake[2];
};

static void append(struct job **list, struct job *j)
{
    while (*list) list = &(*list)->next;
    j->next = NULL;
    *list = j;
}

static void take_out(struct job **list, const struct job *j)
{
    while (*list != j) list = &(*list)->next;
    *list = j->next;
}

static bool owner_busy(const struct tasks *t, const void *owner)
{
    for (const struct job *j = t->queue; j; j = j->next)
        if (j->running && owner && j->task.owner == owner) return true;
    return false;
}

static struct job *next_job(const struct tasks *t)
{
    for (struct job *j = t->queue; j; j = j->next)
        if (!j->running && !owner_busy(t, j->task.owner)) return j;
    return NULL;
}

static void wake_loop(struct tasks *t)
{
    int saved = errno;
    if (write(t->wake[1], "", 1) < 0) errno = saved; /* full: it is awake */
}

static void *work(void *ctx)
{
    struct tasks *t = ctx;
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        struct job *j = next_job(t);
        if (!j) {
            t->idle++;
            pthread_cond_wait(&t->more, &t->lock);
            t->idle--;
            continue;
        }
        j->running = true;
        pthread_mutex_unlock(&t->lock);
        if (!atomic_load(&j->cancel)) j->task.run(j->task.ctx, &j->cancel);
        pthread_mutex_lock(&t->lock);
        take_out(&t->queue, j);
        append(&t->done, j);
        pthread_cond_broadcast(&t->more); /* another of the same owner may go on */
        pthread_cond_broadcast(&t->ended);
        wake_loop(t);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

struct tasks *tasks_new(void)
{
    struct tasks *t = calloc(1, sizeof *t);
    if (!t || pipe2(t->wake, O_NONBLOCK | O_CLOEXEC) != 0) {
        free(t);
        return NULL;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->more, NULL);
    pthread_cond_init(&t->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return t;
}

int tasks_fd(const struct tasks *t)
{
    return t->wake[0];
}

/* Signals are for the drawing thread. */
static bool start_thread(struct tasks *t)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool good = pthread_create(&t->thread[t->n_threads], NULL, work, t) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (good) t->n_threads++;
    return good;
}

bool tasks_submit(struct tasks *t, const struct app_task *task)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j) return false;
    j->task = *task;
    atomic_init(&j->cancel, false);
    pthread_mutex_lock(&t->lock);
    bool good =
        !t->stop && (t->idle > 0 || t->n_threads == MAX_THREADS || start_thread(t) || t->n_threads > 0);
    if (good) append(&t->queue, j);
    pthread_cond_broadcast(&t->more);
    pthread_mutex_unlock(&t->lock);
    if (!good) free(j);
    return good;
}

void tasks_cancel(struct tasks *t, const void *owner)
{
    pthread_mutex_lock(&t->lock);
    for (struct job *j = t->queue; j; j = j->next)
        if (j->task.owner == owner) atomic_store(&j->cancel, true);
    for (struct job *j = t->done; j; j = j->next)
        if (j->task.owner == owner) atomic_store(&j->cancel, true);
    pthread_mutex_unlock(&t->lock);
}

size_t tasks_pending(struct tasks *t, const void *owner)
{
    size_t n = 0;
    pthread_mutex_lock(&t->lock);
    for (const struct job *j = t->queue; j; j = j->next) n += j->task.owner == owner;
    for (const struct job *j = t->done; j; j = j->next) n += j->task.owner == owner;
    pthread_mutex_unlock(&t->lock);
    return n;
}

void tasks_finish(struct tasks *t)
{
    char bytes[64];
    while (read(t->wake[0], bytes, sizeof bytes) > 0) continue;
    for (;;) {
        pthread_mutex_lock(&t->lock);
        struct job *j = t->done;
        if (j) t->done = j->next;
        pthread_mutex_unlock(&t->lock);
        if (!j) return;
        if (j->task.done) j->task.done(j->task.ctx, atomic_load(&j->cancel));
        free(j);
    }
}

bool tasks_idle(struct tasks *t)
{
    pthread_mutex_lock(&t->lock);
    bool idle = !t->queue && !t->done;
    pthread_mutex_unlock(&t->lock);
    return idle;
}

static bool any_running(const struct tasks *t)
{
    for (const struct job *j = t->queue; j; j = j->next)
        if (j->running) return true;
    return false;
}

static bool wait_for_running(struct tasks *t)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += STOP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (any_running(t))
        if (pthread_cond_timedwait(&t->ended, &t->lock, &until) != 0) return !any_running(t);
    return true;
}

bool tasks_stop(struct tasks *t)
{
    if (!t) return true;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    for (struct job *j = t->queue; j; j = j->next) atomic_store(&j->cancel, true);
    pthread_cond_broadcast(&t->more);
    bool still = wait_for_running(t);
    while (still && t->queue) {
        struct job *j = t->queue;
        t->queue = j->next;
        append(&t->done, j);
    }
    pthread_mutex_unlock(&t->lock);
    if (!still) return false;
    for (int i = 0; i < t->n_threads; i++) pthread_join(t->thread[i], NULL);
    tasks_finish(t);
    close(t->wake[0]);
    close(t->wake[1]);
    pthread_cond_destroy(&t->more);
    pthread_cond_destroy(&t->ended);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return true;
}

bool app_submit(struct app *a, const struct app_task *t)
{
    return a->tasks && tasks_submit(a->tasks, t);
}

void app_cancel(struct app *a, const void *owner)
{
    if (a->tasks) tasks_cancel(a->tasks, owner);
}

size_t app_pending(const struct app *a, const void *owner)
{
    return a->tasks ? tasks_pending(a->tasks, owner) : 0;
}
