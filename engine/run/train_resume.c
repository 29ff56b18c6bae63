/* A run goes on from one of its checkpoints, exactly as if it had never stopped. */
#include "run/train_parts.h"

#include "run/checkpoint.h"
#include "run/control.h"
#include "run/find.h"
#include <bertty/file.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory to resume a run");
}

/* The newest intact checkpoint, or the one that was asked for; *path NULL: there is none at all. */
static enum bt_status choose(struct bt__trainer *t, char **path, struct bt_error *err)
{
    int64_t *steps;
    size_t n;
    *path = NULL;
    if (t->req->resume_step >= 0) {
        int64_t found;
        enum bt_status exact = bt_run_checkpoint(t->run->dir, t->req->resume_step, path, &found, err);
        return exact ? exact : bt__checkpoint_verify(*path, err);
    }
    enum bt_status st = bt__checkpoint_steps(t->run->dir, &steps, &n, err);
    /* steps behind `last` belong to a course that was given up: the run was resumed from before them */
    int64_t last = bt__linked_step(t->run->dir, "last");
    while (!st && n > 0 && last >= 0 && steps[n - 1] > last) n--;
    while (!st && n > 0 && !*path) {
        struct bt_error bad = {.status = BT_OK};
        *path = bt__checkpoint_path(t->run->dir, steps[--n]);
        if (!*path) st = no_memory(err);
        if (!st && bt__checkpoint_verify(*path, &bad)) {
            bt__warn(t, "checkpoint passed over: %s", bad.text);
            free(*path);
            *path = NULL;
        }
    }
    free(steps);
    return st;
}

/* The state of another optimiser is of no use. */
static enum bt_status check_optim(struct bt__trainer *t, const struct bt_json *root, const char *checkpoint,
                                  struct bt_error *err)
{
    const char *now = bt__optim_of(t->x), *then = bt_json_text(bt_json_get(root, "optim"), now);
    t->other_optim = strcmp(then, now) != 0;
    if (!t->other_optim) return BT_OK;
    if (!t->req->force)
        return bt_fail(err, BT_INVALID,
                       "%s: saved by the optimiser %.40s, optim.optim is %s: --force goes on with a new one",
                       checkpoint, then, now);
    bt__warn(t, "the checkpoint's optimiser is %.40s: %s begins anew", then, now);
    return BT_OK;
}

static enum bt_status read_state(struct bt__trainer *t, const char *checkpoint, struct bt_error *err)
{
    struct bt_json *root = NULL;
    struct bt_error changed = {.status = BT_OK};
    char *path = bt_path_join(checkpoint, "trainer.json");
    enum bt_status st = path ? bt__trainer_state_read(path, &t->st, &root, err) : no_memory(err);
    if (!st && bt__hashes_compare(&t->data, bt_json_get(root, "data"), &changed)) {
        t->data_changed = true;
        if (t->req->force)
            bt__warn(t, "%s: going on all the same (--force)", changed.text);
        else
            st = bt_fail(err, BT_INVALID, "%s: resume with --force to go on all the same", changed.text);
    }
    if (!st) st = check_optim(t, root, checkpoint, err);
    bt_json_free(root);
    free(path);
    return st;
}

static enum bt_status read_optim(struct bt__trainer *t, const char *checkpoint, struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK};
    struct bt__optim *optim = bt__learner_optim(t->learner);
    struct bt__checkpoint c = {.step = t->st.step,
                               .model = t->setup.model,
                               .optim = t->other_optim ? NULL : optim,
                               .p_gold = t->data_changed ? NULL : t->p_gold, /* other rows by now */
                               .right = t->right,
                               .examples = t->setup.split[BT__TRAIN].f.n};
    enum bt_status st = bt__checkpoint_optim(checkpoint, &c, &mine);
    bt__optim_loaded(optim);
    if (st != BT_NOTFOUND) return st ? bt_fail(err, st, "%s", mine.text) : BT_OK;
    if (!t->req->force)
        return bt_fail(
            err, BT_NOTFOUND,
            "%s: saved without its optimiser (run.save_only_model): --force goes on with a new one",
            checkpoint);
    bt__warn(t, "the checkpoint has no optimiser: it begins anew, the run is not the one that was stopped");
    return BT_OK;
}

static enum bt_status load(struct bt__trainer *t, const char *checkpoint, struct bt_error *err)
{
    const char *model = checkpoint ? checkpoint : t->x->model_name_or_path;
    enum bt_status st = bt__setup_data(&t->setup, t->x, model, t->pool, bt__tell_text, t, err);
    if (!st) st = bt__check_limits(t->x, &t->setup, bt__pool_threads(t->pool), t->run->dir, err);
    if (!st) st = bt__setup_weights(&t->setup, t->x, bt__tell_text, t, err);
    if (!st && checkpoint && t->setup.report.fresh)
        st = bt_fail(err, BT_DAMAGED, "%s: %zu tensors of the model are missing or have another shape",
                     checkpoint, t->setup.report.fresh);
    if (!st) st = bt__make_learner(t, err);
    return !st && checkpoint ? read_optim(t, checkpoint, err) : st;
}

/* "validation-step-000400.jsonl" → 400; −1 for other names. */
static int64_t step_of_predictions(const char *name)
{
    const char *mark = strstr(name, "-step-");
    size_t digits = mark ? strspn(mark + 6, "0123456789") : 0;
    return digits && strcmp(mark + 6 + digits, ".jsonl") == 0 ? strtoll(mark + 6, NULL, 10) : -1;
}

/* Predictions of steps that the run has not come to (any more). */
static void supersede(const struct bt__trainer *t)
{
    char *dir = bt__rundir_path(t->run, "predictions");
    DIR *d = dir ? opendir(dir) : NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (step_of_predictions(e->d_name) > t->st.step) unlinkat(dirfd(d), e->d_name, 0);
    if (d) closedir(d);
    free(dir);
}

static enum bt_status relink(struct bt__trainer *t, struct bt_error *err)
{
    int64_t best = t->st.best.step;
    char *path = best >= 0 ? bt__checkpoint_path(t->run->dir, best) : NULL;
    if (!path || !bt_path_exists(path)) best = -1;
    free(path);
    enum bt_status st = bt__checkpoint_link(t->run->dir, "best", best, err);
    return st ? st : bt__checkpoint_link(t->run->dir, "last", t->saved, err);
}

static enum bt_status rewind_run(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = bt__steering_load(&t->steering, t->run, err);
    if (!st) st = relink(t, err);
    if (!st) st = bt_events_open(t->run->dir, &t->events, err);
    if (!st) st = bt_events_resume(t->events, t->st.step, err);
    if (st) return st;
    bt__keep_batches(t, t->st.step);
    t->status.steered = t->steering.n > 0;
    t->control_at = bt__control_end(t->run->lock);
    supersede(t);
    return BT_OK;
}

static enum bt_status go_on_from(struct bt__trainer *t, const char *checkpoint, struct bt_error *err)
{
    enum bt_status st = bt__pool_create((int)t->x->run_num_threads, &t->pool, err);
    if (!st) st = bt__hashes_of_data(&t->data, t->x, err);
    if (!st && checkpoint) st = read_state(t, checkpoint, err);
    if (!st) st = load(t, checkpoint, err);
    if (st) return st;
    if (checkpoint) t->saved = t->resumed = t->st.step;
    bt__name_status(t);
    st = rewind_run(t, err);
    if (!st && checkpoint)
        bt__tell(t, "resumed from %s", bt_path_base(checkpoint));
    else if (!st)
        bt__tell(t, "there is no checkpoint: the run starts from its beginning");
    return st;
}

enum bt_status bt__resume(struct bt__trainer *t, struct bt_error *err)
{
    char *checkpoint = NULL;
    bt__checkpoint_sweep(t->run->dir);
    enum bt_status st = choose(t, &checkpoint, err);
    if (!st) st = go_on_from(t, checkpoint, err);
    free(checkpoint);
    return st;
}
