/* A run that is there already is taken up: one that has ended, or one from the queue. */
#include "run/status_read.h"
#include "run/train_parts.h"

#include <bertty/file.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has_file(const struct bt__rundir *r, const char *name)
{
    char *path = bt__rundir_path(r, name);
    bool there = path && bt_path_exists(path);
    free(path);
    return there;
}

static enum bt_status read_experiment(struct bt__trainer *t, struct bt_error *err)
{
    char *path = bt__rundir_path(t->run, "experiment.yaml");
    enum bt_status st =
        path ? bt_experiment_load(path, &t->x, err) : bt_fail(err, BT_NOMEM, "no memory to resume a run");
    if (!st) st = bt_experiment_validate(t->x, NULL, err);
    /* relative paths do not occur: the file is resolved. A model that has gone is no obstacle: checkpoints are models */
    free(path);
    return st;
}

static enum bt_status check_state(const struct bt__trainer *t, const struct bt_run_status *s,
                                  struct bt_error *err)
{
    const enum bt_run_state was = s->state;
    if (s->baseline) return bt__refuse_baseline(s, err);
    if (t->req->queued && was != BT_RUN_QUEUED)
        return bt_fail(err, BT_INVALID, "%s: the run is %s, no longer queued", t->run->dir,
                       bt_run_state_name(was));
    if (was == BT_RUN_FINISHED && t->req->resume_step < 0)
        return bt_fail(err, BT_INVALID, "%s: the run is finished: name a checkpoint to go on from (%s@STEP)",
                       t->run->dir, t->run->id);
    return BT_OK;
}

/* From here on the run is no longer queued, whatever becomes of it. */
static enum bt_status take(struct bt__trainer *t, struct bt_error *err)
{
    t->live = true;
    enum bt_status st = read_experiment(t, err);
    if (!st) bt__name_status(t);
    t->status.state = BT_RUN_STARTING;
    bt__status_write(&t->status, t->run, true);
    bt__announce(t);
    bt__tell(t, "taken from the queue%s%s", t->req->queued ? " by " : "",
             t->req->queued ? t->req->queued : "");
    return st;
}

enum bt_status bt__reopen(struct bt__trainer *t, bool *begun, struct bt_error *err)
{
    struct bt_run_status s = {.state = BT_RUN_UNKNOWN};
    enum bt_status st = bt__rundir_open(t->req->resume, &t->run, err);
    if (!st) st = bt_run_status(t->run->dir, &s, err);
    if (!st) st = check_state(t, &s, err);
    *begun = !st && (has_file(t->run, "run.json") || has_file(t->run, "checkpoints"));
    double now = t->status.started;
    if (!st) bt__status_figures(&t->status, &s);
    t->status.name = t->status.metric = NULL; /* the experiment's, once it is read */
    t->status.train_loss = (double)NAN;       /* of a step that is to come */
    if (!*begun) t->status.started = now;
    if (!st) st = s.state == BT_RUN_QUEUED ? take(t, err) : read_experiment(t, err);
    bt_run_status_clear(&s);
    return st;
}
