/* Checkpoints of a run: when, and what happens around them. */
#include "run/trainer.h"

#include "run/checkpoint.h"
#include "run/settings.h"
#include <bertty/file.h>
#include <stdlib.h>

bool bt__save_due(const struct bt__trainer *t)
{
    const int64_t step = t->st.step;
    switch (t->x->run_save_strategy) {
    case BT_SAVE_NO:
    case BT_SAVE_BEST:
        return false;
    case BT_SAVE_STEPS:
        if (step % t->x->run_save_steps == 0) return true;
        break;
    default:
        if (step % t->steps_per_epoch == 0) return true;
    }
    return step >= t->total || t->st.stopped_early;
}

/* What the experiment says about case and accents goes into the checkpoint's tokenizer, so that others tokenize as the run did. */
static struct bt__hf_case letters_of(const struct bt__trainer *t)
{
    struct bt_tokenizer_options asked = bt__tokenizer_options_of(t->x);
    return (struct bt__hf_case){.lower_case = bt_tokenizer_lower_case(t->setup.tokenizer),
                                .do_lower_case = asked.do_lower_case,
                                .strip_accents = asked.strip_accents};
}

static enum bt_status write_checkpoint(struct bt__trainer *t, struct bt_error *err)
{
    const bool whole = !t->x->run_save_only_model;
    struct bt__checkpoint c = {.step = t->st.step,
                               .model = t->setup.model,
                               .base = t->x->model_name_or_path,
                               .tokenizer_dir = t->setup.model_dir,
                               .letters = letters_of(t),
                               .optim = whole ? bt__learner_optim(t->learner) : NULL,
                               .p_gold = t->p_gold,
                               .right = t->right,
                               .examples = t->setup.split[BT__TRAIN].f.n};
    struct bt_str text = {0};
    bt__trainer_state_write(&text, &t->st, t->total, bt__optim_of(t->x), &t->data);
    enum bt_status st = bt__checkpoint_save(t->run->dir, &c, &text, err);
    bt_str_free(&text);
    return st;
}

static void link_and_prune(struct bt__trainer *t)
{
    struct bt_error err = {.status = BT_OK};
    const int64_t keep[] = {t->st.best.step, t->st.step, t->resumed};
    enum bt_status st = bt__checkpoint_link(t->run->dir, "last", t->st.step, &err);
    if (!st && t->st.best.step == t->st.step) st = bt__checkpoint_link(t->run->dir, "best", t->st.step, &err);
    if (st)
        bt__warn(t, "%s", err.text);
    else
        bt__checkpoint_prune(t->run->dir, t->x->run_save_total_limit, keep, sizeof keep / sizeof *keep);
}

static void tell_saved(struct bt__trainer *t)
{
    char *path = bt__checkpoint_path(t->run->dir, t->st.step);
    if (!path) return;
    char *line = bt_strfmt("checkpoint %s saved", bt_path_base(path));
    if (line) bt__rundir_log(t->run, line);
    struct bt_progress p = {.kind = BT_PROGRESS_SAVED,
                            .text = bt_path_base(path),
                            .dir = t->run->dir,
                            .step = t->st.step,
                            .total = t->total,
                            .epoch = bt__epoch(t),
                            .best = t->st.best.step == t->st.step};
    if (t->req->progress) t->req->progress(t->req->ctx, &p);
    free(line);
    free(path);
}

void bt__save(struct bt__trainer *t)
{
    struct bt_error err = {.status = BT_OK}, ignored = {.status = BT_OK}; /* told of at the next flush */
    bt_events_sync(t->events, &ignored);
    if (t->batches) bt__batches_sync(t->batches, &ignored);
    enum bt_status st = write_checkpoint(t, &err);
    if (st) st = write_checkpoint(t, &err); /* a failed fsync rejects those files: once more, as new ones */
    if (st) {
        bt__warn(t, "no checkpoint at step %lld: %s", (long long)t->st.step, err.text);
        return;
    }
    t->saved = t->st.step;
    link_and_prune(t);
    tell_saved(t);
}
