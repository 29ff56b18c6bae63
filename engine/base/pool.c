#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SPINS = 4000 }; /* looks at the phase counter before a thread sleeps: some tens of microseconds */

struct worker {
    struct bt__pool *pool;
    pthread_t id;
    int index;
};

struct bt__pool {
    int threads;
    struct worker *worker; /* threads - 1 of them; the caller is thread 0 */
    bt__pool_fn *fn;
    void *ctx;
    int n;
    atomic_int next, busy; /* next item to claim; workers that have not finished the phase */
    atomic_uint phase;     /* counted up to start a phase */
    atomic_bool stop;
    atomic_int asleep;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work(struct bt__pool *p, int thread)
{
    for (;;) {
        int i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->n) return;
        p->fn(p->ctx, i, thread);
    }
}

static unsigned await_phase(struct bt__pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned now = atomic_load_explicit(&p->phase, memory_order_acquire);
        if (now != seen) return now;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->asleep, 1);
    while (atomic_load(&p->phase) == seen) pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->asleep, 1);
    pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->phase);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct bt__pool *p = w->pool;
    unsigned phase = 0;
    for (;;) {
        phase = await_phase(p, phase);
        if (atomic_load(&p->stop)) return NULL;
        work(p, w->index);
        atomic_fetch_sub_explicit(&p->busy, 1, memory_order_acq_rel);
    }
}

static void start_phase(struct bt__pool *p)
{
    atomic_fetch_add(&p->phase, 1);
    if (atomic_load(&p->asleep) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

void bt__pool_run(struct bt__pool *p, int n, bt__pool_fn *fn, void *ctx)
{
    if (n <= 0) return;
    if (p->threads == 1 || n == 1) {
        for (int i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
    p->fn = fn;
    p->ctx = ctx;
    p->n = n;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_store_explicit(&p->busy, p->threads - 1, memory_order_relaxed);
    start_phase(p);
    work(p, 0);
    for (int i = 0; atomic_load_explicit(&p->busy, memory_order_acquire) > 0; i++) {
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }
}

static int processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? n : 1;
}

/* Signals belong to the thread that called us: the workers block them all. */
static int start_worker(struct worker *w)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&w->id, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

enum bt_status bt__pool_create(int threads, struct bt__pool **out, struct bt_error *err)
{
    if (threads <= 0) threads = processors();
    struct bt__pool *p = calloc(1, sizeof *p);
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for a pool of %d threads", threads);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->threads = 1;
    p->worker = calloc((size_t)threads, sizeof *p->worker);
    if (!p->worker) {
        bt__pool_free(p);
        return bt_fail(err, BT_NOMEM, "no memory for a pool of %d threads", threads);
    }
    for (int i = 1; i < threads; i++) {
        p->worker[i - 1] = (struct worker){.pool = p, .index = i};
        if (start_worker(&p->worker[i - 1]) != 0) {
            bt__pool_free(p);
            return bt_fail(err, BT_NOMEM, "the system refuses thread %d of %d", i + 1, threads);
        }
        p->threads++;
    }
    *out = p;
    return BT_OK;
}

void bt__pool_free(struct bt__pool *p)
{
    if (!p) return;
    atomic_store(&p->stop, true);
    start_phase(p);
    for (int i = 1; i < p->threads; i++) pthread_join(p->worker[i - 1].id, NULL);
    free(p->worker);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int bt__pool_threads(const struct bt__pool *p)
{
    return p->threads;
}
