/* What a training step says about its examples, for the data map (Swayamdipta et al. 2020): taken from the step's own logits. */
#include "run/trainer.h"

#include <bertty/file.h>
#include <math.h>
#include <stdlib.h>

void bt__dynamics_observe(struct bt__trainer *t, size_t sequence, const float *logits)
{
    const struct bt__task *task = t->setup.task;
    struct bt__verdict v = task->ops->judge(task, &t->setup.split[BT__TRAIN], sequence, logits);
    t->p_gold[sequence] = v.p_gold;
    t->right[sequence] = v.right ? 1.0f : 0.0f;
}

void bt__dynamics_clear(struct bt__trainer *t)
{
    for (size_t i = 0; i < t->setup.split[BT__TRAIN].f.n; i++) {
        t->p_gold[i] = NAN;
        t->right[i] = 0.0f;
    }
}

/* What the sequences of an example, from *i on, said: p of the mean of their losses, and right if all of them were. False: none was seen. */
static bool sum_up(const struct bt__trainer *t, size_t *i, struct bt__verdict *v)
{
    const struct bt__task_data *d = &t->setup.split[BT__TRAIN];
    const size_t example = bt__task_example_of(d, *i);
    double sum = 0, p = (double)NAN;
    size_t n = 0;
    v->right = true;
    for (; *i < d->f.n && bt__task_example_of(d, *i) == example; ++*i) {
        if (isnan(t->p_gold[*i])) continue;
        p = (double)t->p_gold[*i];
        sum += log(p);
        v->right = v->right && t->right[*i] > 0.5f;
        n++;
    }
    v->p_gold = (float)(n > 1 ? exp(sum / (double)n) : p); /* of one: its very bits */
    return n > 0;
}

/* A row an example, however many windows it has. */
static void rows(struct bt__trainer *t, struct bt_str *out)
{
    const struct bt__task_data *d = &t->setup.split[BT__TRAIN];
    for (size_t i = 0; i < d->f.n;) {
        const int64_t row = (int64_t)bt__task_row(d, bt__task_example_of(d, i));
        struct bt__verdict v;
        if (!sum_up(t, &i, &v)) continue;
        struct bt_json_writer w = BT_JSON_WRITER(out);
        bt_jw_object(&w);
        bt_jw_kint(&w, "id", row);
        bt_jw_key(&w, "p");
        bt_jw_float(&w, v.p_gold);
        bt_jw_kbool(&w, "correct", v.right);
        bt_jw_end_object(&w);
        bt_str_addc(out, '\n');
    }
}

void bt__dynamics_write(struct bt__trainer *t, int64_t epoch)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_str text = {0};
    if (!t->setup.task->ops->judge) return;
    char *dir = bt__rundir_path(t->run, "dynamics");
    char *path = dir ? bt_strfmt("%s/epoch-%lld.jsonl", dir, (long long)epoch) : NULL;
    rows(t, &text);
    enum bt_status st =
        path && !text.failed ? bt_mkdirs(dir, &err) : bt_fail(&err, BT_NOMEM, "no memory for its rows");
    if (!st) st = bt_file_replace(path, bt_str_text(&text), text.len, &err);
    if (st) bt__warn(t, "dynamics of epoch %lld: %s", (long long)epoch, err.text);
    bt_str_free(&text);
    free(path);
    free(dir);
}
