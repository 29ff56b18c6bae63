/* Named entities: what the files of the task share. */
#ifndef BERTTY_TASKS_NER_H
#define BERTTY_TASKS_NER_H

#include "tasks/tagset.h"
#include "tasks/words.h"

/* A task's own: struct bt__tagset, with the names of the labels. A split's gold, also where no gold is known: */
struct bt__ner_split {
    struct bt__words words;
    struct bt__tagset tags; /* the model's, then O and what else the data has: that can only be missed */
    int outside;            /* number of O */
    int *gold;              /* [words.n] numbers of tags; −1: not known */
    struct bt__tag_survey survey; /* of the data's tags, if they were read */
    size_t unlearnt;              /* words with a tag that the model does not know */
};

static inline const struct bt__ner_split *bt__ner_split(const struct bt__task_data *d)
{
    return d->gold;
}

/* What the model says about the words of one example. Zero-initialise; bt__ner_said_free() releases, memory is kept from one to the next. */
struct bt__ner_said {
    size_t n, cap;
    int *tag;                  /* [n] */
    float *p;                  /* [n] its probability; 1 for words that the model does not see */
    struct bt__tag *meaning;   /* [n] */
    struct bt__entity *entity; /* [entities] */
    size_t entities;
};
enum bt_status bt__ner_read(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, struct bt__ner_said *out,
                            struct bt_error *err);
/* The same of the gold tags; p is not set. */
enum bt_status bt__ner_read_gold(const struct bt__task *t, const struct bt__task_data *d, size_t e,
                                 struct bt__ner_said *out, struct bt_error *err);
void bt__ner_said_free(struct bt__ner_said *s);
/* Of entity i: its type; the mean probability of its words' tags. */
const struct bt__tag *bt__ner_type(const struct bt__ner_said *s, size_t i);
double bt__ner_score(const struct bt__ner_said *s, size_t i);

/* The operations of struct bt__task_ops. */
double bt__ner_loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                    double scale, float *dlogits);
enum bt_status bt__ner_metrics(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err);
enum bt_status bt__ner_row(const struct bt__task *t, const struct bt__task_data *d,
                           const struct bt__logits *l, size_t e, struct bt_json_writer *w,
                           struct bt_error *err);
enum bt_status bt__ner_answer(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, size_t e, struct bt__answers *out,
                              struct bt_error *err);
enum bt_status bt__ner_report(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_evaluation_result *r,
                              struct bt_error *err);

#endif
