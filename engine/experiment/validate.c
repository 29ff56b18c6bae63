/* What must hold between options. */
#include "tasks/class_weights.h"
#include "tasks/task.h"

#include "experiment/value.h"
#include <bertty/num.h>
#include <string.h>

struct check {
    const struct bt_experiment *x;
    const struct bt_option **at;
    struct bt_error *err;
};

/* "file:3: data.text_column: …", the line where the option stands, if it does. */
static enum bt_status blame(const struct check *c, int which, const char *what)
{
    const struct bt_option *o = &bt_options(NULL)[which];
    if (c->at) *c->at = o;
    if (c->x->path && c->x->line[which])
        return bt_fail(c->err, BT_INVALID, "%s:%u: %s: %s", c->x->path, c->x->line[which], o->key, what);
    if (c->x->path) return bt_fail(c->err, BT_INVALID, "%s: %s: %s", c->x->path, o->key, what);
    return bt_fail(c->err, BT_INVALID, "%s: %s", o->key, what);
}

static enum bt_status required(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    if (!x->model_name_or_path || !x->model_name_or_path[0])
        return blame(c, BT_OPTION_model_name_or_path, "missing, expected a model: a directory or a name");
    if (x->data_train_file.n == 0) return blame(c, BT_OPTION_data_train_file, "missing, expected a file");
    const struct bt__task_ops *ops = bt__task_ops(x->task_type);
    const char *what;
    int which;
    return !ops->check || ops->check(x, &which, &what) ? BT_OK : blame(c, which, what);
}

static bool has_pairs(const struct bt_experiment *x)
{
    const enum bt_example_kind kind = bt__task_ops(x->task_type)->examples;
    return x->data_text_pair_column || kind == BT_EXAMPLE_ASPECT || kind == BT_EXAMPLE_CHOICES;
}

static enum bt_status check_data(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    if (x->data_delimiter && strlen(x->data_delimiter) != 1)
        return blame(c, BT_OPTION_data_delimiter, "expected one character");
    if (x->data_val_set_size > 0.0 && x->data_validation_file.n)
        return blame(c, BT_OPTION_data_val_set_size,
                     "set together with data.validation_file, expected one of the two");
    if (x->data_num_folds > 0 && (x->data_validation_file.n || x->data_val_set_size > 0.0))
        return blame(
            c, BT_OPTION_data_num_folds,
            "set together with data.validation_file or data.val_set_size, expected one of the three");
    if (x->data_num_folds == 1) return blame(c, BT_OPTION_data_num_folds, "one part, expected at least two");
    if (x->data_num_folds > 0 && x->data_fold > x->data_num_folds)
        return blame(c, BT_OPTION_data_fold, "there are only data.num_folds parts");
    if (!has_pairs(x) && x->data_truncation == BT_TRUNCATION_ONLY_SECOND)
        return blame(c, BT_OPTION_data_truncation, "only_second needs data.text_pair_column");
    if (x->task_labels.n == 1)
        return blame(c, BT_OPTION_task_labels, "one label, expected at least two or none");
    return BT_OK;
}

static enum bt_status check_metric(const struct check *c)
{
    const struct bt__task_ops *ops = bt__task_ops(c->x->task_type);
    struct bt_str what = {.len = 0};
    if (!c->x->eval_metric_for_best_model || bt__metric_known(ops->family, c->x->eval_metric_for_best_model))
        return BT_OK;
    bt_str_addf(&what, "not a metric of %s, expected one of ", ops->name);
    bt__metric_names(ops->family, &what);
    enum bt_status st = blame(c, BT_OPTION_eval_metric_for_best_model, bt_str_text(&what));
    bt_str_free(&what);
    return st;
}

static enum bt_status check_eval(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    bool dev = bt_experiment_validates(x), never = x->eval_eval_strategy == BT_EVAL_NO || !dev;
    if (x->eval_eval_strategy == BT_EVAL_STEPS && x->eval_eval_steps < 0)
        return blame(c, BT_OPTION_eval_eval_steps, "missing, eval.eval_strategy is steps");
    if (x->set[BT_OPTION_eval_eval_strategy] && x->eval_eval_strategy != BT_EVAL_NO && !dev)
        return blame(c, BT_OPTION_eval_eval_strategy,
                     "there is no data.validation_file, and data.val_set_size and data.num_folds are 0");
    if (x->eval_early_stopping_patience > 0 && never)
        return blame(c, BT_OPTION_eval_early_stopping_patience,
                     "needs evaluations: eval.eval_strategy and validation data");
    if (x->optim_lr_scheduler_type == BT_LR_REDUCE_ON_PLATEAU && never)
        return blame(c, BT_OPTION_optim_lr_scheduler_type,
                     "reduce_lr_on_plateau needs evaluations: eval.eval_strategy and validation data");
    if (x->run_save_strategy == BT_SAVE_BEST && never)
        return blame(c, BT_OPTION_run_save_strategy,
                     "best needs evaluations: eval.eval_strategy and validation data");
    return BT_OK;
}

/* ── options of one choice ── */

#define ONE(c)   (1u << (c))
#define LABELS   (ONE(BT_TYPE_CLASSIFICATION) | ONE(BT_TYPE_ABSA) | ONE(BT_TYPE_NER))
#define WHOLE    (ONE(BT_TYPE_CLASSIFICATION) | ONE(BT_TYPE_REGRESSION) | ONE(BT_TYPE_MULTILABEL))
#define WINDOWS  (ONE(BT_TYPE_NER) | ONE(BT_TYPE_QA))
#define WARMS_UP (~(ONE(BT_LR_CONSTANT) | ONE(BT_LR_REDUCE_ON_PLATEAU)))

#define WINDOWS_NEED "needs task.type: ner or qa, or data.truncation: sliding_window"

/* The tasks whose head reads a sequence as a whole. */
#define POOLED (~(ONE(BT_TYPE_NER) | ONE(BT_TYPE_QA) | ONE(BT_TYPE_MLM)))

#define ONLY(opt, other, which)                                                                              \
    {                                                                                                        \
        .option = BT_OPTION_##opt, .of = BT_OPTION_##other, .choices = (which)                               \
    }

struct only {
    int option, of;
    unsigned choices;
};

/* An option that only some of another option's choices know. */
static const struct only only_with[] = {
    ONLY(model_modules_to_save, model_adapter, ONE(BT_ADAPTER_BITFIT) | ONE(BT_ADAPTER_LORA)),
    ONLY(model_lora_r, model_adapter, ONE(BT_ADAPTER_LORA)),
    ONLY(model_lora_alpha, model_adapter, ONE(BT_ADAPTER_LORA)),
    ONLY(model_lora_dropout, model_adapter, ONE(BT_ADAPTER_LORA)),
    ONLY(model_lora_target_modules, model_adapter, ONE(BT_ADAPTER_LORA)),
    ONLY(model_reinit_layers, model_adapter, ONE(BT_ADAPTER_NONE) | ONE(BT_ADAPTER_BITFIT)),
    ONLY(task_class_weights, task_type, LABELS),
    ONLY(task_threshold, task_type, ONE(BT_TYPE_MULTILABEL)),
    ONLY(task_label_separator, task_type, ONE(BT_TYPE_MULTILABEL)),
    ONLY(task_scheme, task_type, ONE(BT_TYPE_NER)),
    ONLY(task_mlm_probability, task_type, ONE(BT_TYPE_MLM)),
    ONLY(task_whole_word_masking, task_type, ONE(BT_TYPE_MLM)),
    ONLY(task_eval_mode, task_type, ONE(BT_TYPE_NER)),
    ONLY(task_absa_format, task_type, ONE(BT_TYPE_ABSA)),
    ONLY(task_doc_step, task_type, ONE(BT_TYPE_QA)),
    ONLY(task_max_query_length, task_type, ONE(BT_TYPE_QA)),
    ONLY(task_max_answer_length, task_type, ONE(BT_TYPE_QA)),
    ONLY(task_n_best_size, task_type, ONE(BT_TYPE_QA)),
    ONLY(task_version_2_with_negative, task_type, ONE(BT_TYPE_QA)),
    ONLY(task_null_score_diff_threshold, task_type, ONE(BT_TYPE_QA)),
    ONLY(optim_adam_beta1, optim_optim, ONE(BT_OPTIM_ADAMW) | ONE(BT_OPTIM_BERT_ADAM)),
    ONLY(optim_adam_beta2, optim_optim, ONE(BT_OPTIM_ADAMW) | ONE(BT_OPTIM_BERT_ADAM)),
    ONLY(optim_adam_epsilon, optim_optim, ONE(BT_OPTIM_ADAMW) | ONE(BT_OPTIM_BERT_ADAM)),
    ONLY(optim_correct_bias, optim_optim, ONE(BT_OPTIM_ADAMW) | ONE(BT_OPTIM_BERT_ADAM)),
    ONLY(model_pooling, task_type, POOLED),
    ONLY(model_reinit_pooler, task_type, POOLED),
    ONLY(model_reinit_pooler, model_pooling, ONE(BT_POOLING_CLS)),
    ONLY(optim_momentum, optim_optim, ONE(BT_OPTIM_SGD)),
    ONLY(optim_num_cycles, optim_lr_scheduler_type, ONE(BT_LR_COSINE_WITH_RESTARTS)),
    ONLY(optim_power, optim_lr_scheduler_type, ONE(BT_LR_POLYNOMIAL)),
    ONLY(optim_lr_end, optim_lr_scheduler_type, ONE(BT_LR_POLYNOMIAL)),
    ONLY(optim_lr_reduce_factor, optim_lr_scheduler_type, ONE(BT_LR_REDUCE_ON_PLATEAU)),
    ONLY(optim_lr_reduce_patience, optim_lr_scheduler_type, ONE(BT_LR_REDUCE_ON_PLATEAU)),
    ONLY(optim_warmup_ratio, optim_lr_scheduler_type, WARMS_UP),
    ONLY(optim_warmup_steps, optim_lr_scheduler_type, WARMS_UP),
};

#define LABELLED (~(ONE(BT_TYPE_NER) | ONE(BT_TYPE_MLM)))
#define PAIRED   (WHOLE | ONE(BT_TYPE_MULTIPLE_CHOICE))

/* The same, but passed over where it is set: a data file has more columns than one task reads. */
static const struct only read_with[] = {
    ONLY(task_labels, task_type, LABELS | ONE(BT_TYPE_MULTILABEL)),
    ONLY(data_text_column, task_type, ~ONE(BT_TYPE_NER)),
    ONLY(data_text_pair_column, task_type, PAIRED),
    ONLY(data_label_column, task_type, LABELLED),
    ONLY(data_label_until, task_type,
         ONE(BT_TYPE_CLASSIFICATION) | ONE(BT_TYPE_REGRESSION) | ONE(BT_TYPE_ABSA)),
    ONLY(data_aspect_column, task_type, ONE(BT_TYPE_ABSA)),
    ONLY(data_context_column, task_type, ONE(BT_TYPE_QA)),
    ONLY(data_choice_columns, task_type, ONE(BT_TYPE_MULTIPLE_CHOICE)),
    ONLY(data_tokens_column, task_type, ONE(BT_TYPE_NER)),
    ONLY(data_tags_column, task_type, ONE(BT_TYPE_NER)),
    ONLY(data_id_column, task_type, ~(ONE(BT_TYPE_NER) | ONE(BT_TYPE_MLM))),
    ONLY(data_label_decisions, task_type, ONE(BT_TYPE_CLASSIFICATION) | ONE(BT_TYPE_ABSA)),
    ONLY(data_class_names_file, task_type, LABELS | ONE(BT_TYPE_MULTILABEL)),
    ONLY(train_label_smoothing_factor, task_type, ~(ONE(BT_TYPE_REGRESSION) | ONE(BT_TYPE_MULTILABEL))),
};

/* A resolved file says everything: only what is not the default was meant. */
static bool meant(const struct bt_experiment *x, const struct bt_option *o)
{
    const void *field = bt__const_field(x, o);
    if (!x->set[bt_option_index(o)]) return false;
    switch (o->kind) {
    case BT_OPTION_INT:
        return (double)*(const int64_t *)field != o->fallback;
    case BT_OPTION_REAL:
        return *(const double *)field != o->fallback;
    case BT_OPTION_BOOL:
        return *(const bool *)field != (o->fallback != 0.0);
    case BT_OPTION_CHOICE:
        return *(const int *)field != (int)o->fallback;
    case BT_OPTION_LIST:
        return ((const struct bt_string_list *)field)->n > 0;
    case BT_OPTION_TEXT: {
        const char *text = *(char *const *)field;
        return o->text && text ? strcmp(o->text, text) != 0 : o->text != text;
    }
    default:
        return true;
    }
}

/* "needs optim.optim: adamw or bert_adam" */
static void add_needs(const struct bt_option *of, unsigned choices, struct bt_str *what)
{
    const char *text;
    size_t n;
    bt_str_addf(what, "needs %s: ", of->key);
    for (int i = 0, some = 0; (text = bt_option_choice_text(of, i, &n)); i++)
        if (choices & ONE(i)) bt_str_addf(what, "%s%.*s", some++ ? " or " : "", (int)n, text);
}

static enum bt_status needs(const struct check *c, int option, const struct bt_option *of, unsigned choices)
{
    struct bt_str what = {.data = NULL};
    add_needs(of, choices, &what);
    enum bt_status st = blame(c, option, bt_str_text(&what));
    bt_str_free(&what);
    return st;
}

/* So few tasks that their names fit into a line. */
static bool few(unsigned choices)
{
    int n = 0;
    for (int i = 0; i <= BT_TYPE_MLM; i++) n += (choices & ONE(i)) != 0;
    return n <= 3;
}

static bool applies(const struct bt_experiment *x, const struct only *one, size_t option, struct bt_str *why)
{
    const struct bt_option *of = &bt_options(NULL)[one->of];
    if ((size_t)one->option != option || one->choices & ONE(*(const int *)bt__const_field(x, of)))
        return true;
    if (why && few(one->choices))
        add_needs(of, one->choices, why);
    else if (why)
        bt_str_addf(why, "unused with %s: %s", of->key, bt__task_ops(x->task_type)->name);
    return false;
}

bool bt_option_applies(const struct bt_experiment *x, size_t option, struct bt_str *why)
{
    if (option == BT_OPTION_data_fold && x->data_num_folds == 0) {
        if (why) bt_str_add(why, "needs data.num_folds");
        return false;
    }
    const bool slides = x->data_truncation == BT_TRUNCATION_SLIDING_WINDOW;
    for (size_t i = 0; i < sizeof only_with / sizeof *only_with; i++)
        if (!applies(x, &only_with[i], option, why)) return false;
    for (size_t i = 0; i < sizeof read_with / sizeof *read_with; i++)
        if (!applies(x, &read_with[i], option, why)) return false;
    if (option != BT_OPTION_task_doc_stride || slides || WINDOWS & ONE(x->task_type)) return true;
    if (why) bt_str_add(why, WINDOWS_NEED);
    return false;
}

static enum bt_status check_choices(const struct check *c)
{
    const struct bt_option *all = bt_options(NULL);
    for (size_t i = 0; i < sizeof only_with / sizeof *only_with; i++) {
        const struct bt_option *of = &all[only_with[i].of];
        int choice = *(const int *)bt__const_field(c->x, of);
        if (!(only_with[i].choices & ONE(choice)) && meant(c->x, &all[only_with[i].option]))
            return needs(c, only_with[i].option, of, only_with[i].choices);
    }
    if (c->x->optim_optim == BT_OPTIM_BERT_ADAM && c->x->set[BT_OPTION_optim_correct_bias] &&
        c->x->optim_correct_bias)
        return blame(c, BT_OPTION_optim_correct_bias, "true, but optim.optim: bert_adam has no correction");
    return BT_OK;
}

/* What is done with texts that are too long, and what windows of them share. */
static enum bt_status check_long(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    const bool head_tail = x->data_truncation == BT_TRUNCATION_HEAD_TAIL,
               slides = x->data_truncation == BT_TRUNCATION_SLIDING_WINDOW;
    if ((head_tail || slides) && (has_pairs(x) || !(WHOLE & ONE(x->task_type))))
        return blame(c, BT_OPTION_data_truncation,
                     head_tail ? "head_tail needs single texts of classification, regression or multilabel"
                               : "sliding_window needs single texts of classification, regression or "
                                 "multilabel");
    if (!slides && !(WINDOWS & ONE(x->task_type)) && meant(x, &bt_options(NULL)[BT_OPTION_task_doc_stride]))
        return blame(c, BT_OPTION_task_doc_stride, WINDOWS_NEED);
    return BT_OK;
}

static enum bt_status check_tokens(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    if (x->train_max_tokens_per_batch < 0) return BT_OK;
    if (x->train_max_tokens_per_batch < x->data_max_seq_length)
        return blame(c, BT_OPTION_train_max_tokens_per_batch,
                     "below data.max_seq_length: a text may not fit");
    if (!x->train_group_by_length)
        return blame(c, BT_OPTION_train_max_tokens_per_batch, "needs train.group_by_length");
    if (x->train_dataloader_drop_last)
        return blame(c, BT_OPTION_train_dataloader_drop_last,
                     "true, but with train.max_tokens_per_batch no batch is the smaller one");
    return BT_OK;
}

static enum bt_status check_train(const struct check *c)
{
    const struct bt_experiment *x = c->x;
    if (!bt__class_weights_fit(&x->task_class_weights))
        return blame(c, BT_OPTION_task_class_weights, "expected balanced, none, or LABEL=WEIGHT, …");
    double seconds;
    if (x->run_max_time && !bt_parse_duration(x->run_max_time, &seconds))
        return blame(c, BT_OPTION_run_max_time, "expected " BT_A_DURATION);
    if (x->run_max_time && x->run_save_strategy == BT_SAVE_NO)
        return blame(c, BT_OPTION_run_max_time,
                     "needs a run.save_strategy: without checkpoints nothing can go on");
    if (x->train_max_steps == 0)
        return blame(c, BT_OPTION_train_max_steps, "0 steps, expected -1 or at least 1");
    if (x->optim_warmup_steps > 0 && x->set[BT_OPTION_optim_warmup_ratio] && x->optim_warmup_ratio > 0.0 &&
        x->set[BT_OPTION_optim_warmup_steps])
        return blame(c, BT_OPTION_optim_warmup_steps,
                     "set together with optim.warmup_ratio, expected one of the two");
    if (x->train_loss_watchdog_threshold < 0.0 &&
        meant(x, &bt_options(NULL)[BT_OPTION_train_loss_watchdog_patience]))
        return blame(c, BT_OPTION_train_loss_watchdog_patience, "needs train.loss_watchdog_threshold");
    if (x->optim_lr_scheduler_type == BT_LR_POLYNOMIAL &&
        meant(x, &bt_options(NULL)[BT_OPTION_optim_lr_end]) && x->optim_lr_end >= x->optim_learning_rate)
        return blame(c, BT_OPTION_optim_lr_end, "needs to be below optim.learning_rate");
    if (x->model_freeze_layers > 0 && !x->model_freeze_embeddings &&
        x->set[BT_OPTION_model_freeze_embeddings])
        return blame(c, BT_OPTION_model_freeze_embeddings,
                     "false, but model.freeze_layers freezes what stands above the embeddings");
    return BT_OK;
}

enum bt_status bt_experiment_validate(const struct bt_experiment *x, const struct bt_option **at,
                                      struct bt_error *err)
{
    struct check c = {.x = x, .at = at, .err = err};
    enum bt_status st = required(&c);
    if (!st) st = check_data(&c);
    if (!st) st = check_metric(&c);
    if (!st) st = check_eval(&c);
    if (!st) st = check_choices(&c);
    if (!st) st = check_long(&c);
    if (!st) st = check_tokens(&c);
    return st ? st : check_train(&c);
}
