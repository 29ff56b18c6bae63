#include "run/asked.h"

#include "tasks/task.h"
#include <string.h>

static const int options[] = {
    BT_OPTION_task_type,
    BT_OPTION_model_tokenizer_compat,
    BT_OPTION_data_max_seq_length,
    BT_OPTION_data_truncation,
    BT_OPTION_task_threshold,
    BT_OPTION_task_label_separator,
    BT_OPTION_task_scheme,
    BT_OPTION_task_eval_mode,
    BT_OPTION_task_absa_format,
    BT_OPTION_task_doc_stride,
    BT_OPTION_task_doc_step,
    BT_OPTION_task_max_query_length,
    BT_OPTION_task_max_answer_length,
    BT_OPTION_task_n_best_size,
    BT_OPTION_task_version_2_with_negative,
    BT_OPTION_task_null_score_diff_threshold,
};
enum { OPTIONS = sizeof options / sizeof *options };

enum bt_status bt__asked_write(const struct bt_experiment *x, struct bt__model_config *c,
                               struct bt_error *err)
{
    struct bt_str value = {.len = 0};
    enum bt_status st = BT_OK;
    bt__model_asked_free(c);
    for (size_t i = 0; i < OPTIONS && !st; i++) {
        const struct bt_option *o = &bt_options(NULL)[options[i]];
        if (!bt_option_applies(x, (size_t)options[i], NULL)) continue;
        bt_str_clear(&value);
        bt_experiment_get(x, o, &value);
        st = value.failed ? bt_fail(err, BT_NOMEM, "no memory for the model's options")
                          : bt__model_ask(c, o->key, bt_str_text(&value), err);
    }
    bt_str_free(&value);
    return st;
}

/* Is the task that is noted there one of such a model? */
static bool still_true(const struct bt__model_config *c, const char *type)
{
    const int task = bt_option_choice(&bt_options(NULL)[BT_OPTION_task_type], type, strlen(type));
    const struct bt__task_ops *ops = task < 0 ? NULL : bt__task_ops(task);
    return ops && strcmp(ops->architecture, c->architecture) == 0 &&
           strcmp(ops->problem_type ? ops->problem_type : "", c->problem_type) == 0;
}

enum bt_status bt__asked_read(struct bt_experiment *x, const struct bt__model_config *c, const char *dir,
                              struct bt_error *err)
{
    const char *type = bt__model_asked(c, bt_options(NULL)[BT_OPTION_task_type].key);
    if (!type || !still_true(c, type)) return BT_OK;
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct bt_option *o = &bt_options(NULL)[options[i]];
        const char *value = bt__model_asked(c, o->key);
        enum bt_status st = value ? bt_experiment_set(x, o->key, value, err) : BT_OK;
        if (st) return bt_error_prefix(err, st, "%s/config.json: bertty.options", dir);
    }
    return BT_OK;
}
