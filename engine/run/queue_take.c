/* Taking from the queue: queue_file.h says what must hold. */
#include <bertty/queue.h>

#include "experiment/value.h"
#include "run/launch.h"
#include "run/proc.h"
#include "run/queue_file.h"
#include "run/rundir.h"
#include "run/study_parts.h"
#include <bertty/file.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double START_PATIENCE =
    60; /* seconds until a new engine announces itself: it reads two small files before */

struct taking {
    const struct bt_queue_taking *how;
    struct bt_string_list started; /* directories */
    struct bt_string_list refused; /* ids that would not start now */
    struct bt_error last;          /* what the last of those said */
};

static bool refused(const struct taking *t, const char *id)
{
    for (size_t i = 0; i < t->refused.n; i++)
        if (strcmp(t->refused.item[i], id) == 0) return true;
    return false;
}

/* Those of them that still wait: with an engine of somebody else's, so that they are about to be alive, or without one, so that something is wrong with them. */
static size_t refused_waiting(const struct taking *t, const struct bt_queue *q, bool engine)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (!refused(t, q->run[i]->id)) continue;
        int fd = open(q->run[i]->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        n += (fd >= 0 && bt__rundir_locked(fd)) == engine;
        if (fd >= 0) close(fd);
    }
    return n;
}

static bool has_room(const struct taking *t, const struct bt_queue *q)
{
    return !q->held && q->alive + refused_waiting(t, q, true) < (size_t)q->limit;
}

/* The run that is to be started now; NULL: none, or not yet. */
static const struct bt_run_status *next(const struct taking *t, const struct bt_queue *q)
{
    struct bt__proc self;
    bt__proc_self(&self);
    bool room = t->how->only || has_room(t, q);
    for (size_t i = 0; room && i < q->n; i++) {
        const struct bt_run_status *s = q->run[i];
        bool wanted = t->how->only ? strcmp(s->id, bt_path_base(t->how->only)) == 0
                                   : t->how->anywhere || !s->host || strcmp(s->host, self.host) == 0;
        if (wanted && !refused(t, s->id)) return s;
    }
    return NULL;
}

/* An engine that says no (somebody else has the run, its files are damaged) is no reason to stop; one that cannot be started is. */
static enum bt_status start(struct taking *t, const struct bt_run_status *s, struct bt_error *err)
{
    char *dir = NULL;
    const struct bt_launch l = {
        .resume = s->dir, .queued = t->how->by ? t->how->by : "somebody", .program = t->how->program};
    enum bt_status st = bt__launch(&l, START_PATIENCE, &dir, &t->last);
    enum bt_status told = st == BT_INVALID ? bt__list_add(&t->refused, s->id, err)
                          : st             ? bt_fail(err, st, "%s: %s", s->id, t->last.text)
                                           : bt__list_add(&t->started, dir, err);
    free(dir);
    return told;
}

static void tell_end(const struct taking *t, const struct bt_queue *q, const struct bt_error *err)
{
    struct bt_str text = {0};
    const char *ended = t->how->ended;
    if (!ended) return;
    for (size_t i = 0; i < t->started.n; i++)
        bt_str_addf(&text, "%s%s", i ? ", " : "the queue goes on: started ",
                    bt_path_base(t->started.item[i]));
    if (err)
        bt_str_addf(&text, "%swarning: the queue does not go on: %s", text.len ? "; " : "", err->text);
    else if (q->n)
        bt_str_addf(&text, "%s%zu in the queue%s", text.len ? "; " : "", q->n,
                    q->held ? ", which is held" : "");
    if (text.len) bt__rundir_note(ended, bt_str_text(&text));
    bt_str_free(&text);
}

/* Nothing was started: is that as it should be? */
static enum bt_status verdict(const struct taking *t, const struct bt_queue *q, struct bt_error *err)
{
    const char *only = t->how->only;
    if (t->started.n) return BT_OK;
    if (only ? t->refused.n > 0 : refused_waiting(t, q, false) > 0)
        return bt_fail(err, t->last.status, "%s", t->last.text);
    return only ? bt_fail(err, BT_INVALID, "%s: the run is not queued", bt_path_base(only)) : BT_OK;
}

/* Room, and nobody waits: the studies may have something. Not behind a run that would not start, lest all trials pile up there. */
static enum bt_status feed(const struct taking *t, const struct bt_queue *q, bool *fed, struct bt_error *err)
{
    *fed = false;
    if (t->how->only || t->refused.n || !has_room(t, q)) return BT_OK;
    return bt__study_feed(t->how->runs_dir, &q->all, fed, err);
}

/* One after the other, looking anew each time: what was started is alive then, or has failed and left its place. */
static enum bt_status take_all(struct taking *t, struct bt_error *err)
{
    struct bt_queue q;
    enum bt_status st = BT_OK;
    for (bool again = true; again;) {
        bool fed = false;
        st = bt_queue_load(t->how->runs_dir, &q, err);
        const struct bt_run_status *s = st ? NULL : next(t, &q);
        if (s) st = start(t, s, err);
        if (!s && !st) st = feed(t, &q, &fed, err);
        again = (s || fed) && !st && !(t->how->only && t->started.n);
        if (!again && !st) st = verdict(t, &q, err);
        if (!again) tell_end(t, &q, st ? err : NULL);
        bt_queue_clear(&q);
    }
    return st;
}

enum bt_status bt_queue_take(const struct bt_queue_taking *how, struct bt_queue_taken *out,
                             struct bt_error *err)
{
    struct taking t = {.how = how};
    struct bt_error mine = {.status = BT_OK};
    int lock;
    *out = (struct bt_queue_taken){.n = 0};
    if (!how->only && !bt__queue_exists(how->runs_dir)) return BT_OK;
    enum bt_status st = bt__queue_lock(how->runs_dir, how->patience_s, &lock, &mine);
    if (!st) st = take_all(&t, &mine);
    if (lock >= 0) close(lock);
    bt__list_free(&t.refused);
    *out = (struct bt_queue_taken){.dir = t.started.item, .n = t.started.n};
    return st ? bt_fail(err, st, "%s", mine.text) : BT_OK;
}

void bt_queue_taken_clear(struct bt_queue_taken *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->dir[i]);
    free(t->dir);
    *t = (struct bt_queue_taken){.n = 0};
}
