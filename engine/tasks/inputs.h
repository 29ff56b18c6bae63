/* The tokens of examples that are a text or two: what most tasks give to the model. */
#ifndef BERTTY_TASKS_INPUTS_H
#define BERTTY_TASKS_INPUTS_H

#include "tasks/task.h"

struct bt__features_options bt__features_options_of(const struct bt_experiment *x);
/* With model.pooling mean: the head reads all tokens of f. */
enum bt_status bt__task_pooling(const struct bt__task *t, struct bt__features *f, struct bt_error *err);
/* d->f from n texts or pairs that the task has made, a sequence each, read as model.pooling says; group > 1: so many of them are an example. Without a
 * tokenizer the sequences have no tokens. */
enum bt_status bt__task_texts(const struct bt__task *t, struct bt__task_data *d, const struct bt__text *texts,
                              size_t n, int group, struct bt__pool *pool, struct bt_error *err);
/* d->f from the examples' text and pair, one sequence an example; with data.truncation: sliding_window several of those that are
 * too long: each trains with the example's gold, and what the model says is the mean of their outputs. */
enum bt_status bt__task_inputs(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                               struct bt_error *err);
/* The head of a task that says something about a whole sequence. */
struct bt__head_spec bt__pooled_head(const struct bt__task *t, int outputs);
/* The operations learn and head of a task with one output, which has no name. */
enum bt_status bt__nameless_learn(struct bt__task *t, const struct bt__task_data *train,
                                  struct bt_error *err);
struct bt__head_spec bt__nameless_head(const struct bt__task *t);
/* For check: the columns of text and label are named. */
bool bt__check_columns(const struct bt_experiment *x, int *which, const char **what);
/* Output col of example e: the mean over its sequences. */
double bt__task_mean(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int col);

#endif
