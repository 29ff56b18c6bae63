/* From what a person wrote to what a run does: paths found and made absolute, dependent options filled in. */
#include "experiment/value.h"
#include "tasks/task.h"

#include <bertty/file.h>
#include <bertty/hub.h>
#include <bertty/text.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_text(const char *path)
{
    size_t n = strlen(path);
    return bt_utf8_valid(path, n) == n;
}

/* path in the current directory if it exists there, else in the experiment file's; absolute. The caller frees. NULL: errno says why. */
static char *locate(const struct bt_experiment *x, const char *path)
{
    char *found = NULL;
    if (path[0] != '/' && x->path && !bt_path_exists(path)) {
        const char *base = bt_path_base(x->path);
        char *dir = bt_strndup(x->path, (size_t)(base - x->path));
        char *beside = dir ? bt_path_join(dir[0] ? dir : ".", path) : NULL;
        if (beside && bt_path_exists(beside)) found = beside;
        if (!found) free(beside);
        free(dir);
    }
    char *real = realpath(found ? found : path, NULL);
    int error = errno;
    free(found);
    if (real && !is_text(real)) { /* experiment.yaml could not hold it */
        free(real);
        real = NULL;
        error = EILSEQ;
    }
    errno = error;
    return real;
}

static enum bt_status not_there(const struct bt_experiment *x, int which, const char *path,
                                struct bt_error *err)
{
    const struct bt_option *o = &bt_options(NULL)[which];
    const char *why = errno == ENOENT   ? "no such file or directory"
                      : errno == EILSEQ ? "its full path is not valid UTF-8"
                                        : strerror(errno);
    enum bt_status st = errno == ENOENT ? BT_NOTFOUND : BT_IO;
    if (x->path && x->line[which])
        return bt_fail(err, st, "%s:%u: %s: %s: %s", x->path, x->line[which], o->key, path, why);
    return bt_fail(err, st, "%s: %s: %s", o->key, path, why);
}

static enum bt_status resolve_text(struct bt_experiment *x, int which, char **field, struct bt_error *err)
{
    if (!*field) return BT_OK;
    char *real = locate(x, *field);
    if (!real) return not_there(x, which, *field, err);
    free(*field);
    *field = real;
    return BT_OK;
}

/* A directory, or a name in the Hugging Face cache: what the run reads is written down as the directory. */
static enum bt_status resolve_model(struct bt_experiment *x, struct bt_error *err)
{
    int which = BT_OPTION_model_name_or_path;
    char *dir = NULL, *name = x->model_name_or_path, *real = name ? locate(x, name) : NULL;
    if (!name) return BT_OK;
    if (!real && (errno != ENOENT || !bt_hub_is_name(name))) return not_there(x, which, name, err);
    enum bt_status st = real ? BT_OK : bt_hub_find(name, &dir, err);
    if (!st && !real && !(real = locate(x, dir))) st = not_there(x, which, dir, err);
    free(dir);
    if (st && x->path && x->line[which])
        return bt_error_prefix(err, st, "%s:%u: %s", x->path, x->line[which], bt_options(NULL)[which].key);
    if (st) return bt_error_prefix(err, st, "%s", bt_options(NULL)[which].key);
    free(name);
    x->model_name_or_path = real;
    return BT_OK;
}

static bool has_wildcard(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

/* Adds all files that a pattern names, sorted, relative to the current or the experiment's directory. */
static enum bt_status add_glob(const struct bt_experiment *x, const char *pattern, struct bt_string_list *out,
                               struct bt_error *err)
{
    glob_t g = {.gl_pathc = 0};
    int rc = glob(pattern, 0, NULL, &g);
    if (rc == GLOB_NOMATCH && pattern[0] != '/' && x->path) {
        const char *base = bt_path_base(x->path);
        char *beside = bt_strfmt("%.*s%s", (int)(base - x->path), x->path, pattern);
        globfree(&g);
        rc = beside ? glob(beside, 0, NULL, &g) : GLOB_NOSPACE;
        free(beside);
    }
    enum bt_status st = rc == 0 ? BT_OK : BT_NOTFOUND;
    errno = ENOENT;
    for (size_t i = 0; !st && i < g.gl_pathc; i++) {
        char *real = realpath(g.gl_pathv[i], NULL);
        if (real && !is_text(real)) errno = EILSEQ;
        st = real && is_text(real) ? bt__list_add(out, real, err) : BT_NOTFOUND;
        free(real);
    }
    if (rc == 0) globfree(&g);
    return st;
}

static enum bt_status resolve_list(struct bt_experiment *x, int which, struct bt_string_list *field,
                                   struct bt_error *err)
{
    struct bt_string_list all = {.n = 0};
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < field->n && !st; i++) {
        char *real = locate(x, field->item[i]);
        if (real)
            st = bt__list_add(&all, real, err);
        else if (has_wildcard(field->item[i]))
            st = add_glob(x, field->item[i], &all, err);
        else
            st = BT_NOTFOUND;
        if (st == BT_NOTFOUND) not_there(x, which, field->item[i], err);
        free(real);
    }
    if (st) {
        bt__list_free(&all);
        return st;
    }
    bt__list_free(field);
    *field = all;
    return BT_OK;
}

static enum bt_status resolve_data(struct bt_experiment *x, struct bt_error *err)
{
    enum bt_status st = resolve_list(x, BT_OPTION_data_train_file, &x->data_train_file, err);
    if (!st) st = resolve_list(x, BT_OPTION_data_validation_file, &x->data_validation_file, err);
    if (!st) st = resolve_list(x, BT_OPTION_data_test_file, &x->data_test_file, err);
    if (!st) st = resolve_text(x, BT_OPTION_data_label_decisions, &x->data_label_decisions, err);
    return st ? st : resolve_text(x, BT_OPTION_data_class_names_file, &x->data_class_names_file, err);
}

char *bt_experiment_name(const struct bt_experiment *x)
{
    if (x->run_name) return bt_strdup(x->run_name);
    const char *base = x->path ? bt_path_base(x->path) : "run", *dot = strrchr(base, '.');
    return bt_strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

static enum bt_status resolve_adapter(struct bt_experiment *x, struct bt_error *err)
{
    struct bt_string_list *modules = &x->model_modules_to_save, *targets = &x->model_lora_target_modules;
    enum bt_status st = BT_OK;
    if (x->model_adapter != BT_ADAPTER_NONE && modules->n == 0) {
        st = bt__list_add(modules, "classifier", err);
        if (!st) st = bt__list_add(modules, "pooler", err);
    }
    if (!st && x->model_adapter == BT_ADAPTER_LORA && targets->n == 0) {
        st = bt__list_add(targets, "query", err);
        if (!st) st = bt__list_add(targets, "value", err);
    }
    return st;
}

const char *bt_experiment_metric(const struct bt_experiment *x)
{
    if (x->optim_lr_scheduler_type == BT_LR_REDUCE_ON_PLATEAU)
        return "loss"; /* as transformers' TrainingArguments */
    return bt__metric_default(bt__task_ops(x->task_type)->family);
}

static enum bt_status fill_in(struct bt_experiment *x, struct bt_error *err)
{
    enum bt_status st = resolve_data(x, err);
    if (!st) st = resolve_adapter(x, err);
    if (st) return st;
    const struct bt__task_ops *ops = bt__task_ops(x->task_type);
    const enum bt__metric_family family = ops->family;
    if (ops->max_length && !x->set[BT_OPTION_data_max_seq_length]) x->data_max_seq_length = ops->max_length;
    if (!bt_experiment_validates(x)) x->eval_eval_strategy = BT_EVAL_NO;
    if (x->train_data_seed < 0) x->train_data_seed = x->train_seed;
    if (x->optim_head_learning_rate < 0.0) x->optim_head_learning_rate = x->optim_learning_rate;
    if (x->model_freeze_layers > 0) x->model_freeze_embeddings = true;
    if (x->optim_optim == BT_OPTIM_BERT_ADAM) x->optim_correct_bias = false;
    if (x->optim_warmup_steps > 0) x->optim_warmup_ratio = 0.0;
    if (!x->eval_metric_for_best_model) x->eval_metric_for_best_model = bt_strdup(bt_experiment_metric(x));
    if (x->eval_greater_is_better == BT_GREATER_IS_BETTER_AUTO && x->eval_metric_for_best_model)
        x->eval_greater_is_better = bt__metric_greater_is_better(family, x->eval_metric_for_best_model)
                                        ? BT_GREATER_IS_BETTER_TRUE
                                        : BT_GREATER_IS_BETTER_FALSE;
    if (!x->run_name) x->run_name = bt_experiment_name(x);
    if (!x->eval_metric_for_best_model || !x->run_name)
        return bt_fail(err, BT_NOMEM, "no memory for an experiment");
    return BT_OK;
}

enum bt_status bt_experiment_resolve(struct bt_experiment *x, struct bt_error *err)
{
    enum bt_status st = resolve_model(x, err);
    return st ? st : fill_in(x, err);
}

enum bt_status bt__experiment_resolve_data(struct bt_experiment *x, struct bt_error *err)
{
    (void)resolve_model(x, NULL);
    return fill_in(x, err);
}
