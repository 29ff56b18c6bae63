/* Classification of texts and of pairs: one label of several (cross-entropy). */
#include "tasks/classes.h"
#include "tasks/inputs.h"

static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    *which = x->data_text_column ? BT_OPTION_data_label_column : BT_OPTION_data_text_column;
    *what = "missing, expected a column's name or number";
    return x->data_text_column && x->data_label_column;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    enum bt_status st = bt__task_inputs(t, d, pool, err);
    return st ? st : bt__classes_gold(t, d, gold, err);
}

const struct bt__task_ops bt__task_classification = {
    .name = "classification",
    .about = "one label of several for a text or a pair of texts",
    .examples = BT_EXAMPLE_TEXT,
    .family = BT__METRICS_labels,
    .architecture = "BertForSequenceClassification",
    .problem_type = "single_label_classification",
    .check = check,
    .learn = bt__classes_learn,
    .head = bt__classes_head,
    .build = build,
    .stratum = bt__classes_stratum,
    .tally = bt__classes_tally,
    .weight = bt__classes_weight,
    .loss = bt__classes_loss,
    .judge = bt__classes_judge,
    .metrics = bt__classes_metrics,
    .row = bt__classes_row,
    .answer = bt__classes_answer,
    .report = bt__classes_report,
};
