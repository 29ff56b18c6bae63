/* What tasks with one label an example share: classification of texts and pairs, the sentiment about an aspect. */
#ifndef BERTTY_TASKS_CLASSES_H
#define BERTTY_TASKS_CLASSES_H

#include "tasks/aim.h"

/* Labels from option or checkpoint, else the different ones of the training data; at least two. */
enum bt_status bt__classes_learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err);
/* A label of the data as a number: by its name, or, where the labels have no names of their own (LABEL_0, …), the number itself; −1. */
int bt__classes_index(const struct bt__labels *l, const char *text, size_t n);
/* The error that e's label is none of them: BT_INVALID. */
enum bt_status bt__classes_unknown(const struct bt__task *t, const struct bt__task_data *d,
                                   const struct bt_example *e, const char *text, size_t n,
                                   struct bt_error *err);
/* d->gold: int [n], −1 where gold is not wanted and there is none. */
enum bt_status bt__classes_gold(const struct bt__task *t, struct bt__task_data *d, bool gold,
                                struct bt_error *err);
/* The operations of struct bt__task_ops. */
struct bt__head_spec bt__classes_head(const struct bt__task *t);
int bt__classes_stratum(const struct bt__task *t, const struct bt_example *e);
void bt__classes_tally(const struct bt__task *t, const struct bt__task_data *d, int64_t *rows);
double bt__classes_weight(const struct bt__task *t, const struct bt__task_data *d, size_t i);
double bt__classes_loss(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                        const float *logits, double scale, float *dlogits);
struct bt__verdict bt__classes_judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                     const float *logits);
enum bt_status bt__classes_metrics(const struct bt__task *t, const struct bt__task_data *d,
                                   const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err);
enum bt_status bt__classes_row(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, size_t e, struct bt_json_writer *w,
                               struct bt_error *err);
enum bt_status bt__classes_answer(const struct bt__task *t, const struct bt__task_data *d,
                                  const struct bt__logits *l, size_t e, struct bt__answers *out,
                                  struct bt_error *err);
enum bt_status bt__classes_report(const struct bt__task *t, const struct bt__task_data *d,
                                  const struct bt__logits *l, struct bt_evaluation_result *r,
                                  struct bt_error *err);

/* What the tables of these tasks share: everything but name, about, examples, check and build. */
#define BT__CLASSES_OPS                                                                                      \
    .family = BT__METRICS_labels, .architecture = "BertForSequenceClassification",                           \
    .problem_type = "single_label_classification", .learn = bt__classes_learn, .head = bt__classes_head,     \
    .stratum = bt__classes_stratum, .tally = bt__classes_tally, .weight = bt__classes_weight,                \
    .loss = bt__classes_loss, .judge = bt__classes_judge, .metrics = bt__classes_metrics,                    \
    .row = bt__classes_row, .answer = bt__classes_answer, .aim = bt__aim_classes,                            \
    .report = bt__classes_report

#endif
