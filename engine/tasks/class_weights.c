#include "tasks/class_weights.h"

#include "tasks/per_label.h"
#include <stdlib.h>
#include <string.h>

static const struct bt__per_label how = {
    .option = "task.class_weights", .fallback = 1.0, .low = 0.0, .high = 1e6};

static bool is(const struct bt_string_list *list, const char *word)
{
    return list->n == 1 && strcmp(list->item[0], word) == 0;
}

bool bt__class_weights_fit(const struct bt_string_list *list)
{
    return is(list, "none") || is(list, "balanced") || bt__per_label_fits(list, how.low, how.high);
}

static enum bt_status balanced(const struct bt__task *t, const struct bt__task_data *train, double *to,
                               struct bt_error *err)
{
    int64_t *rows = calloc((size_t)t->labels.n, sizeof *rows), all = 0, occur = 0;
    if (!rows) return bt_fail(err, BT_NOMEM, "no memory for %d labels", t->labels.n);
    t->ops->tally(t, train, rows);
    for (int i = 0; i < t->labels.n; i++) {
        all += rows[i];
        occur += rows[i] > 0;
    }
    for (int i = 0; i < t->labels.n; i++)
        to[i] = rows[i] ? (double)all / ((double)occur * (double)rows[i]) : 0.0;
    free(rows);
    return BT_OK;
}

static enum bt_status some(const double *weight, int n, struct bt_error *err)
{
    for (int i = 0; i < n; i++)
        if (weight[i] > 0.0) return BT_OK;
    return bt_fail(err, BT_INVALID, "task.class_weights: 0 for every label, expected a number above 0");
}

enum bt_status bt__class_weights(const struct bt__task *t, struct bt__task_data *train, struct bt_error *err)
{
    const struct bt_string_list *list = &t->x->task_class_weights;
    if (list->n == 0 || is(list, "none")) return BT_OK;
    train->class_weight = calloc((size_t)t->labels.n + 1, sizeof *train->class_weight);
    if (!train->class_weight) return bt_fail(err, BT_NOMEM, "no memory for %d labels", t->labels.n);
    enum bt_status st = is(list, "balanced")
                            ? balanced(t, train, train->class_weight, err)
                            : bt__per_label_read(&how, list, &t->labels, train->class_weight, err);
    return st ? st : some(train->class_weight, t->labels.n, err);
}

double bt__class_weight(const struct bt__task_data *d, int label)
{
    return d->class_weight ? d->class_weight[label] : 1.0;
}
