/* Aims of labels, and what all tasks' aims share. */
#include "tasks/aim.h"

#include "tasks/classes.h"
#include "tasks/inputs.h"
#include <string.h>

void bt__aim_free(struct bt__aim *a)
{
    bt_str_free(&a->name);
    *a = (struct bt__aim){.sequence = 0};
}

enum bt_status bt__aim_no_target(const struct bt__aim_wish *wish, const char *what, struct bt_error *err)
{
    if (!wish->target) return BT_OK;
    return bt_fail(err, BT_INVALID, "target \"%.60s\": this model %s, there is nothing to choose",
                   wish->target, what);
}

enum bt_status bt__aim_no_word(const struct bt__aim_wish *wish, struct bt_error *err)
{
    if (!wish->word) return BT_OK;
    return bt_fail(err, BT_INVALID, "word %lld: this model says something about the whole text",
                   (long long)wish->word);
}

enum bt_status bt__aim_label(const struct bt__task *t, const char *target, int *label, struct bt_error *err)
{
    enum { MOST = 240 }; /* bytes of the list */
    *label = target ? bt__classes_index(&t->labels, target, strlen(target)) : -1;
    if (!target || *label >= 0) return BT_OK;
    struct bt_str known = {.len = 0};
    int i = 0;
    for (; i < t->labels.n && known.len < MOST; i++)
        bt_str_addf(&known, "%s%.60s", i ? ", " : "", t->labels.name[i]);
    if (i < t->labels.n) bt_str_addf(&known, ", … (%d in all)", t->labels.n);
    enum bt_status st =
        bt_fail(err, BT_INVALID, "no label \"%.60s\", expected one of: %s", target, bt_str_text(&known));
    bt_str_free(&known);
    return st;
}

void bt__aim_output(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int output,
                    struct bt__aim *out)
{
    const size_t first = bt__task_first(d, e), end = bt__task_first(d, e + 1);
    size_t best = first;
    for (size_t i = first + 1; i < end; i++)
        if (bt__logits_at(l, i)[output] > bt__logits_at(l, best)[output]) best = i;
    out->sequence = best;
    out->cell[0] = (struct bt__aim_cell){.token = BT__AIM_WHOLE, .output = output};
    out->cells = 1;
}

static enum bt_status aim_label(const struct bt__task *t, const struct bt__task_data *d,
                                const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                                struct bt__aim *out, struct bt_error *err)
{
    int label, best = 0;
    enum bt_status st = bt__aim_no_word(wish, err);
    if (!st) st = bt__aim_label(t, wish->target, &label, err);
    if (st) return st;
    for (int c = 1; c < t->labels.n; c++)
        if (bt__task_mean(d, l, e, c) > bt__task_mean(d, l, e, best)) best = c;
    if (label < 0) label = best;
    bt__aim_output(d, l, e, label, out);
    bt_str_add(&out->name, t->labels.name[label]);
    return BT_OK;
}

enum bt_status bt__aim_classes(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                               struct bt__aim *out, struct bt_error *err)
{
    out->norm = BT__NORM_OUTPUTS;
    return aim_label(t, d, l, e, wish, out, err);
}

enum bt_status bt__aim_sets(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err)
{
    out->norm = BT__NORM_SIGMOID;
    return aim_label(t, d, l, e, wish, out, err);
}
