/* Classification of texts and of pairs: one label of several (cross-entropy). */
#include "tasks/classes.h"
#include "tasks/inputs.h"

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
    .check = bt__check_columns,
    .build = build,
    BT__CLASSES_OPS,
};
