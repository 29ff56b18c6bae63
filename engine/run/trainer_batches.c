/* The batches of a run: what the learner saw, by the rows of the training file(s). */
#include "run/trainer.h"

void bt__batches_warn(struct bt__trainer *t, const struct bt_error *err)
{
    if (t->warned_batches) return;
    t->warned_batches = true;
    bt__warn(t, "the batches: %s", err->text);
}

void bt__keep_batches(struct bt__trainer *t, int64_t step)
{
    struct bt_error err = {.status = BT_OK};
    enum bt_status st = bt__batches_open(t->run->dir, &t->batches, &err);
    if (!st && step >= 0) st = bt__batches_resume(t->batches, step, &err);
    if (st) bt__batches_warn(t, &err);
}

/* Which of several sequences of its example, from 1; 0: it is the only one (of a group: the only group). */
static int window_of(const struct bt__task_data *d, size_t sequence)
{
    const size_t group = bt__features_group(&d->f), e = bt__task_example_of(d, sequence);
    if (!d->f.example) return 0;
    size_t first = bt__task_first(d, e), end = first;
    while (end < d->f.n && end <= first + group && d->f.example[end] == e) end++;
    return end - first > group ? (int)((sequence - first) / group) + 1 : 0;
}

void bt__observe(void *ctx, size_t sequence, const float *logits, double loss)
{
    struct bt__trainer *t = ctx;
    const struct bt__task_data *d = &t->setup.split[BT__TRAIN];
    if (t->setup.task->ops->judge) bt__dynamics_observe(t, sequence, logits);
    if (t->batches)
        bt__batches_row(t->batches, bt__task_row(d, bt__task_example_of(d, sequence)), window_of(d, sequence),
                        (float)loss);
}

void bt__batch_done(struct bt__trainer *t, int64_t step)
{
    struct bt_error err = {.status = BT_OK};
    if (t->batches && bt__batches_step(t->batches, step, &err)) bt__batches_warn(t, &err);
}
