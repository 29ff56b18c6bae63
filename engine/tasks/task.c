#include "tasks/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bt__task_ops *const table[] = {
#define TASK(name) &bt__task_##name,
#include "tasks/tasks.def"
#undef TASK
};

enum { TASKS = sizeof table / sizeof *table };

const struct bt__task_ops *bt__task_ops(int type)
{
    return table[type];
}

int bt__task_of_model(const char *architecture, const char *problem_type, int num_labels)
{
    const char *problem = problem_type[0] ? problem_type : num_labels == 1 ? "regression" : NULL;
    for (int i = 0; i < TASKS; i++)
        if (strcmp(table[i]->architecture, architecture) == 0 &&
            (!problem || !table[i]->problem_type || strcmp(table[i]->problem_type, problem) == 0))
            return i;
    return 0;
}

void bt__task_name_model(const struct bt__task_ops *ops, struct bt__model_config *c)
{
    snprintf(c->architecture, sizeof c->architecture, "%s", ops->architecture);
    snprintf(c->problem_type, sizeof c->problem_type, "%s", ops->problem_type ? ops->problem_type : "");
}

/* ── a task ── */

enum bt_status bt__task_create(const struct bt_experiment *x, const struct bt_tokenizer *tokenizer,
                               const struct bt__task_data *train, const char *const *names, size_t n,
                               struct bt__task **out, struct bt_error *err)
{
    struct bt__task *t = calloc(1, sizeof *t);
    if (!t) return bt_fail(err, BT_NOMEM, "no memory for a task");
    *t = (struct bt__task){.ops = bt__task_ops(x->task_type), .x = x, .tokenizer = tokenizer};
    enum bt_status st = n ? bt__labels_from_names(&t->labels, names, n, err) : BT_OK;
    if (!st) st = t->ops->learn(t, train, err);
    if (st)
        bt__task_free(t);
    else
        *out = t;
    return st;
}

void bt__task_free(struct bt__task *t)
{
    if (!t) return;
    if (t->ops->close) t->ops->close(t);
    bt__labels_free(&t->labels);
    free(t);
}

/* ── a split ── */

const struct bt_example *bt__task_example(const struct bt__task_data *d, size_t r)
{
    return bt_examples_at(d->examples, d->pick ? d->pick[r] : r);
}

int64_t bt__task_row(const struct bt__task_data *d, size_t r)
{
    return (int64_t)(d->pick ? d->pick[r] : r) + 1;
}

const char *bt__task_file(const struct bt__task_data *d, const struct bt_example *e)
{
    return d->files ? d->files[e->file] : "input";
}

size_t bt__task_example_of(const struct bt__task_data *d, size_t i)
{
    return d->f.example ? d->f.example[i] : i;
}

size_t bt__task_first(const struct bt__task_data *d, size_t e)
{
    if (!d->f.example) return e;
    size_t low = 0, high = d->f.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->f.example[middle] < e)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop_gold(struct bt__task_data *d)
{
    if ((d->gold || d->own) && d->ops->drop) {
        d->ops->drop(d);
    } else {
        free(d->gold);
        free(d->own);
    }
    d->gold = d->own = NULL;
}

enum bt_status bt__task_build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                              struct bt__pool *pool, struct bt_error *err)
{
    d->ops = t->ops;
    enum bt_status st = t->ops->build(t, d, gold, pool, err);
    if (st) {
        drop_gold(d);
        bt__features_free(&d->f);
    }
    return st;
}

void bt__task_data_free(struct bt__task_data *d)
{
    drop_gold(d);
    bt__features_free(&d->f);
    free(d->class_weight);
    free(d->pick);
    if (!d->borrowed) bt_examples_free(d->examples);
    *d = (struct bt__task_data){.n = 0};
}
