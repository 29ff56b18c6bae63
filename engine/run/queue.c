/* The queue as people change it: who waits, in which order, how many at a time. */
#include <bertty/queue.h>

#include "run/proc.h"
#include "run/queue_file.h"
#include "run/status_read.h"
#include "run/status_write.h"
#include "run/study_parts.h"
#include "run/train_parts.h"
#include <bertty/file.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE = 20; /* seconds: somebody may be starting an engine */

/* ── looking ── */

static bool here(const struct bt_run_status *s, const char *host)
{
    return !s->host || strcmp(s->host, host) == 0;
}

/* Fills run and alive from all. */
static enum bt_status sort_out(struct bt_queue *q, struct bt_error *err)
{
    struct bt__proc self;
    bt__proc_self(&self);
    q->run = calloc(q->all.n + 1, sizeof *q->run);
    if (!q->run) return bt_fail(err, BT_NOMEM, "no memory for a queue");
    for (size_t i = 0; i < q->all.n; i++) {
        const struct bt_run_status *s = &q->all.run[i];
        q->alive += bt_run_state_alive(s->state) && here(s, self.host);
        if (s->place < 1 || (size_t)s->place > q->all.n) continue;
        q->run[s->place - 1] = s;
        q->n++;
    }
    return BT_OK;
}

enum bt_status bt_queue_settings(const char *runs_dir, int64_t *limit, bool *held, struct bt_error *err)
{
    struct bt__queue_file f;
    enum bt_status st = bt__queue_file_read(runs_dir, &f, err);
    *limit = f.limit;
    *held = f.held;
    bt__queue_file_clear(&f);
    return st;
}

enum bt_status bt_queue_load(const char *runs_dir, struct bt_queue *out, struct bt_error *err)
{
    *out = (struct bt_queue){.limit = 1};
    enum bt_status st = bt_queue_settings(runs_dir, &out->limit, &out->held, err);
    if (!st) st = bt_run_list(runs_dir, NULL, &out->all, err);
    return st ? st : sort_out(out, err);
}

void bt_queue_clear(struct bt_queue *q)
{
    free(q->run);
    bt_run_list_clear(&q->all);
    *q = (struct bt_queue){.limit = 1};
}

bool bt_queue_ready(const char *runs_dir, const struct bt_run_list *list)
{
    struct bt__proc self;
    size_t alive = 0, waiting = 0;
    int64_t limit;
    bool held;
    bt__proc_self(&self);
    for (size_t i = 0; i < list->n; i++) {
        if (!here(&list->run[i], self.host)) continue;
        alive += bt_run_state_alive(list->run[i].state);
        waiting += list->run[i].state == BT_RUN_QUEUED;
    }
    if (!waiting && !bt__studies_exist(runs_dir)) return false;
    if (bt_queue_settings(runs_dir, &limit, &held, NULL) || held || alive >= (size_t)limit) return false;
    return waiting || bt__study_hungry(runs_dir, list);
}

/* ── changing ── */

/* A queue that is locked: its file and its runs. */
struct change {
    char *runs_dir;
    int lock;
    struct bt__queue_file file;
    struct bt_queue queue;
};

/* Takes over runs_dir (NULL: no memory). end() follows, also after a failure. */
static enum bt_status begin(struct change *c, char *runs_dir, struct bt_error *err)
{
    *c = (struct change){.runs_dir = runs_dir, .lock = -1};
    if (!runs_dir) return bt_fail(err, BT_NOMEM, "no memory for a queue");
    enum bt_status st = bt__queue_lock(runs_dir, PATIENCE, &c->lock, err);
    if (!st) st = bt__queue_file_read(runs_dir, &c->file, err);
    return st ? st : bt_queue_load(runs_dir, &c->queue, err);
}

/* Writes the order as it stands in queue.run, and what else was changed in file. */
static enum bt_status keep(struct change *c, struct bt_error *err)
{
    enum bt_status st = bt__queue_file_order(&c->file, c->queue.run, c->queue.n, err);
    return st ? st : bt__queue_file_write(c->runs_dir, &c->file, err);
}

static void end(struct change *c)
{
    bt__queue_file_clear(&c->file);
    bt_queue_clear(&c->queue);
    if (c->lock >= 0) close(c->lock);
    free(c->runs_dir);
}

/* Where a run stands in the order, from 0; BT_INVALID: nowhere. */
static enum bt_status find(const struct change *c, const char *dir, size_t *at, struct bt_error *err)
{
    struct bt_run_status s = {.state = BT_RUN_UNKNOWN};
    for (*at = 0; *at < c->queue.n; ++*at)
        if (strcmp(c->queue.run[*at]->id, bt_path_base(dir)) == 0) return BT_OK;
    enum bt_status st = bt_run_status(dir, &s, err);
    if (!st) st = bt_fail(err, BT_INVALID, "%s: the run is %s, not queued", s.id, bt_run_state_name(s.state));
    bt_run_status_clear(&s);
    return st;
}

/* The state of a run that has no engine: queued, or no longer. */
static enum bt_status store(struct bt__rundir *r, const struct bt_run_status *figures,
                            enum bt_run_state state, struct bt_error *err)
{
    struct bt__status s;
    bt__status_begin(&s);
    s.kills.n = 0;
    s.proc.pid = s.proc.start = 0; /* the machine stays: it is the one that will take it */
    if (figures) bt__status_figures(&s, figures);
    s.state = state;
    return bt__status_store(&s, r, err);
}

/* The run of a change that has just been queued, as the last in the order. */
static enum bt_status append(struct change *c, const char *dir, struct bt_error *err)
{
    struct bt_run_status s = {.id = (char *)(uintptr_t)bt_path_base(dir)};
    const struct bt_run_status **more = realloc(c->queue.run, (c->queue.n + 1) * sizeof *more);
    if (!more) return bt_fail(err, BT_NOMEM, "no memory for a queue");
    c->queue.run = more;
    more[c->queue.n++] = &s;
    enum bt_status st = keep(c, err);
    c->queue.n--; /* s goes */
    return st;
}

static enum bt_status fill(struct bt__rundir *r, struct bt_experiment *x,
                           const struct bt__queue_file_more *more, struct bt_error *err)
{
    struct bt_run_status named = {.name = x->run_name, .best_step = -1, .last_step = -1};
    named.train_loss = named.best = named.last = (double)NAN;
    enum bt_status st = bt__write_experiment(x, r, err);
    if (!st && more) st = bt__rundir_write(r, more->name, more->text, err);
    if (!st) st = store(r, &named, BT_RUN_QUEUED, err);
    if (!st) bt__rundir_log(r, "queued");
    return st;
}

enum bt_status bt__queue_make(const char *runs_dir, struct bt_experiment *x, const char *name,
                              const struct bt__queue_file_more *more, struct bt__rundir **out,
                              struct bt_error *err)
{
    enum bt_status st = bt__rundir_create(runs_dir, name, x->run_name, out, err);
    if (st) return st;
    st = fill(*out, x, more, err);
    if (!st) return BT_OK;
    bt__rundir_discard(*out);
    bt__rundir_free(*out);
    *out = NULL;
    return st;
}

static enum bt_status add_ready(struct change *c, struct bt_experiment *x, const char *name, char **dir,
                                struct bt_error *err)
{
    struct bt__rundir *r = NULL;
    enum bt_status st = bt__queue_make(c->runs_dir, x, name, NULL, &r, err);
    if (st) return st;
    st = append(c, r->dir, err);
    if (!st && !(*dir = bt_strdup(r->dir))) st = bt_fail(err, BT_NOMEM, "no memory for a run's name");
    if (st) bt__rundir_discard(r);
    bt__rundir_free(r);
    return st;
}

enum bt_status bt_queue_add(const struct bt_experiment *x, const char *name, const char *runs_dir, char **dir,
                            struct bt_error *err)
{
    struct bt_experiment *ready = NULL;
    struct change c = {.lock = -1};
    *dir = NULL;
    enum bt_status st = bt__experiment_ready(x, runs_dir, &ready, err);
    if (!st) st = begin(&c, bt_strdup(ready->run_output_dir), err);
    if (!st) st = add_ready(&c, ready, name, dir, err);
    end(&c);
    bt_experiment_free(ready);
    return st;
}

static enum bt_status may_go_on(const struct bt_run_status *s, struct bt_error *err)
{
    static const char *const why[] = {[BT_RUN_QUEUED] = "is queued already",
                                      [BT_RUN_FINISHED] = "has finished: there is nothing to go on with",
                                      [BT_RUN_UNKNOWN] = "has no state that could be resumed"};
    if (s->baseline) return bt__refuse_baseline(s, err);
    if (bt_run_state_alive(s->state))
        return bt_fail(err, BT_BUSY, "%s: the run is %s: it has an engine", s->id,
                       bt_run_state_name(s->state));
    bool refused = (size_t)s->state < sizeof why / sizeof *why && why[s->state];
    return refused ? bt_fail(err, BT_INVALID, "%s: the run %s", s->id, why[s->state]) : BT_OK;
}

enum bt_status bt__queue_return(const struct bt_run_status *s, const char *why, struct bt_error *err)
{
    struct bt__rundir *r = NULL;
    enum bt_status st = may_go_on(s, err);
    if (!st) st = bt__rundir_open(s->dir, &r, err);
    if (!st) st = store(r, s, BT_RUN_QUEUED, err);
    if (!st) bt__rundir_log(r, why);
    bt__rundir_free(r);
    return st;
}

enum bt_status bt_queue_again(const char *dir, struct bt_error *err)
{
    struct change c;
    struct bt_run_status s = {.state = BT_RUN_UNKNOWN};
    enum bt_status st = begin(&c, bt_path_above(dir), err);
    if (!st) st = bt_run_status(dir, &s, err);
    if (!st) st = bt__queue_return(&s, "queued to go on", err);
    if (!st) st = append(&c, dir, err);
    bt_run_status_clear(&s);
    end(&c);
    return st;
}

enum bt_status bt_queue_move(const char *dir, enum bt_queue_move how, int64_t *place, struct bt_error *err)
{
    struct change c;
    size_t at = 0, to;
    enum bt_status st = begin(&c, bt_path_above(dir), err);
    if (!st) st = find(&c, dir, &at, err);
    if (!st) {
        const struct bt_run_status **run = c.queue.run, *moved = run[at];
        size_t last = c.queue.n - 1;
        const size_t places[] = {[BT_QUEUE_UP] = at ? at - 1 : 0,
                                 [BT_QUEUE_DOWN] = at < last ? at + 1 : last,
                                 [BT_QUEUE_FIRST] = 0,
                                 [BT_QUEUE_LAST] = last};
        to = places[how];
        if (to < at) memmove(&run[to + 1], &run[to], (at - to) * sizeof(void *));
        if (to > at) memmove(&run[at], &run[at + 1], (to - at) * sizeof(void *));
        run[to] = moved;
        if (place) *place = (int64_t)to + 1;
        st = keep(&c, err);
    }
    end(&c);
    return st;
}

/* The order still names it: that means nothing any more, and goes with the next change. */
enum bt_status bt_queue_remove(const char *dir, struct bt_error *err)
{
    struct change c;
    struct bt_run_status s = {.state = BT_RUN_UNKNOWN};
    struct bt__rundir *r = NULL;
    size_t at = 0;
    enum bt_status st = begin(&c, bt_path_above(dir), err);
    if (!st) st = find(&c, dir, &at, err);
    if (!st) st = bt__rundir_open(dir, &r, err);
    if (!st) st = bt_run_status(dir, &s, err); /* again, now that no engine can take it */
    if (!st && s.state != BT_RUN_QUEUED)
        st = bt_fail(err, BT_INVALID, "%s: the run is %s, not queued", s.id, bt_run_state_name(s.state));
    if (!st) st = store(r, &s, BT_RUN_STOPPED, err);
    if (!st) bt__rundir_log(r, "taken out of the queue");
    bt__rundir_free(r);
    bt_run_status_clear(&s);
    end(&c);
    return st;
}

enum bt_status bt_queue_limit(const char *runs_dir, int64_t limit, struct bt_error *err)
{
    struct change c;
    if (limit < 1 || limit > BT_QUEUE_MOST)
        return bt_fail(err, BT_INVALID, "limit %lld: expected a number from 1 to %d", (long long)limit,
                       BT_QUEUE_MOST);
    enum bt_status st = begin(&c, bt_strdup(runs_dir), err);
    c.file.limit = limit;
    if (!st) st = keep(&c, err);
    end(&c);
    return st;
}

enum bt_status bt_queue_hold(const char *runs_dir, bool held, struct bt_error *err)
{
    struct change c;
    enum bt_status st = begin(&c, bt_strdup(runs_dir), err);
    c.file.held = held;
    if (!st) st = keep(&c, err);
    end(&c);
    return st;
}
