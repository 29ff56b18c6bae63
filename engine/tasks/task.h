/* A task: everything in which the kinds of work differ, behind one table of operations.
 *
 * A task knows how examples become sequences and gold values, which head the model gets, what the loss of a sequence is, how logits are read as
 * an answer, and which figures count. The trainer, the evaluation and the predictor know none of it. A new task is one file here and one row in
 * tasks.def; its option is a choice of task.type.
 *
 * Gold, logits and losses are per sequence (a row of struct bt__features); answers, predictions and metrics are per example, which may be several
 * sequences (f.example). Where sequences belong together in a batch (f.group) the loss is that of the whole group. */
#ifndef BERTTY_TASKS_TASK_H
#define BERTTY_TASKS_TASK_H

#include "batch/features.h"
#include "metrics/metrics.h"
#include "model/model.h"
#include "tasks/labels.h"
#include <bertty/dataset.h>
#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/predictor.h>

struct bt__task_ops;

struct bt__task {
    const struct bt__task_ops *ops;
    const struct bt_experiment *x; /* the options; borrowed */
    const struct bt_tokenizer
        *tokenizer;           /* borrowed; NULL: nobody reads tokens, and only texts and pairs are built */
    struct bt__labels labels; /* names of the outputs; none where the outputs have no names */
    void *own;                /* what else ops->learn found; ops->close frees it */
};

/* A split as the task sees it. Zero-initialise; bt__task_data_free() releases. */
struct bt__task_data {
    struct bt_examples *examples; /* NULL: there is no such split */
    bool borrowed;                /* examples belong to somebody else */
    uint32_t *pick; /* [n] which of them: a split may be a part of a file; owned; NULL: all, in order */
    size_t n;       /* examples of the split */
    const char *const *files;       /* of the examples, for messages; borrowed */
    const struct bt__task_ops *ops; /* who built gold */
    struct bt__features f;
    void *gold; /* the task's own; NULL: not known */
    double
        *class_weight; /* [labels.n] how much a label counts in the loss; NULL: 1 (tasks/class_weights.h) */
    void *own;         /* what else the task keeps about its sequences; ops->drop frees it */
};

/* Logits of all sequences of a split: those of sequence i begin at start[i]. */
struct bt__logits {
    float *value;  /* [start[n]] */
    size_t *start; /* [n + 1] */
    int cols;      /* of each row */
};

struct bt__kept;
struct bt__aim;
struct bt__aim_wish;

/* The parts of an answer, in memory that is kept from one to the next. Zero-initialise; bt__answers_free() releases. */
struct bt__answers {
    struct bt_answer *item; /* [n] */
    size_t n, cap;
    struct bt_part *word; /* [words] of the input with their tags, where the task tags words */
    size_t words, words_cap;
    struct bt__kept *kept; /* labels that were made and not found */
};

/* Whether a training example was answered right, and the probability of its gold value. */
struct bt__verdict {
    float p_gold;
    bool right;
};

/* The key of what is drawn for an evaluation. */
#define BT__DRAW_EVAL UINT64_MAX

struct bt__task_ops {
    const char *name, *about;      /* the choice of task.type; one line for people */
    enum bt_example_kind examples; /* what a reader has to fill in */
    enum bt__metric_family family; /* of its figures; the first of them decides which checkpoint is best */
    const char *architecture;      /* transformers' class: "BertForSequenceClassification" */
    const char *problem_type;      /* of config.json; NULL: it has none */

    /* Options that do not fit the task or are missing: *which option, *what is wrong. False: something is. NULL: nothing can be. */
    bool (*check)(const struct bt_experiment *x, int *which, const char **what);

    /* Labels and t->own, from the training examples; from the names of a checkpoint or the experiment where t->labels has them already. train NULL: no
     * data, only those names. */
    enum bt_status (*learn)(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err);
    void (*close)(struct bt__task *t); /* frees t->own; NULL: nothing to free */
    struct bt__head_spec (*head)(const struct bt__task *t);
    /* What decoding goes by beyond the options (struct bt__model_setting): settled from the validation data at each evaluation, left in the model's
     * configuration, and taken from it. NULL: nothing. */
    enum bt_status (*settle)(struct bt__task *t, const struct bt__task_data *validation,
                             const struct bt__logits *l, struct bt_error *err);
    void (*remember)(const struct bt__task *t, struct bt__model_config *c);
    void (*recall)(struct bt__task *t, const struct bt__model_config *c);
    int max_length; /* data.max_seq_length where nobody says it; 0: the option's default */

    /* Fills d->f, and d->gold where the examples have it (gold wanted: those that lack it are an error with file and line). */
    enum bt_status (*build)(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err);
    void (*drop)(struct bt__task_data *d); /* frees d->gold and d->own; NULL: free() does */
    /* Number of the group of examples that a random cut should keep in proportion, 0 … labels − 1; NULL: all are one. −1: none. */
    int (*stratum)(const struct bt__task *t, const struct bt_example *e);
    /* rows[labels.n]: how often each label stands in the split; NULL: the task has no labels. */
    void (*tally)(const struct bt__task *t, const struct bt__task_data *d, int64_t *rows);

    /* What the log and the check say about a split beside the number of its rows, a line; NULL: how many rows were cut. */
    void (*about_data)(const struct bt__task *t, const struct bt__task_data *d, struct bt_str *out);

    /* BT__HEAD_MLM: what sequence i is in the step that key numbers (BT__DRAW_EVAL: in every evaluation). ids and reads [its length] are what the batch gets,
     * target [its reads] the words to guess. Returns how many those are. NULL: sequences are as they were built. */
    int (*draw)(const struct bt__task *t, const struct bt__task_data *d, size_t i, uint64_t key, int32_t *ids,
                uint8_t *reads, int32_t *target);
    /* What sequence i adds to the number that the losses of a step are divided by; NULL: 1. */
    double (*weight)(const struct bt__task *t, const struct bt__task_data *d, size_t i);
    /* Loss of sequence i (of a group: the first), times its weight. Unless NULL, dlogits receives the gradient of scale · loss. Without dlogits the
     * loss is that of an evaluation: no smoothing. */
    double (*loss)(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits);
    /* For the data map; NULL: the task has none. */
    struct bt__verdict (*judge)(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                const float *logits);

    /* The task's figures, without the loss, appended to out. d->gold is known. */
    enum bt_status (*metrics)(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err);
    /* The members of the predictions file's row of example e, behind "id". */
    enum bt_status (*row)(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err);
    /* What the model says about example e. */
    enum bt_status (*answer)(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err);
    /* The number that an explanation of example e is about (tasks/aim.h); out is empty, and freed by the caller in any case. */
    enum bt_status (*aim)(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, const struct bt__aim_wish *wish, struct bt__aim *out,
                          struct bt_error *err);
    /* The tables of `bertty eval`: figures of each label or type, the confusion. NULL: there is nothing but the metrics. */
    enum bt_status (*report)(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, struct bt_evaluation_result *r,
                             struct bt_error *err);
};

/* By the number of task.type's choice. */
const struct bt__task_ops *bt__task_ops(int type);

/* The choice of task.type for a model that says so in its config.json (either may be ""): the first task with such an architecture, classification
 * where it says nothing that we know. One label and no problem_type: regression, as in transformers. */
int bt__task_of_model(const char *architecture, const char *problem_type, int num_labels);
/* What config.json says of a model for this task. */
void bt__task_name_model(const struct bt__task_ops *ops, struct bt__model_config *c);

/* For an experiment; x and tokenizer are borrowed. names [n] from a checkpoint or NULL. The caller frees with bt__task_free(). */
enum bt_status bt__task_create(const struct bt_experiment *x, const struct bt_tokenizer *tokenizer,
                               const struct bt__task_data *train, const char *const *names, size_t n,
                               struct bt__task **out, struct bt_error *err);
void bt__task_free(struct bt__task *t); /* NULL is fine */

/* Example r of a split; the number of its row in the file(s), from 1; where it stands ("file:line"), for messages. */
const struct bt_example *bt__task_example(const struct bt__task_data *d, size_t r);
int64_t bt__task_row(const struct bt__task_data *d, size_t r);
const char *bt__task_file(const struct bt__task_data *d, const struct bt_example *e);
/* Index of the example that sequence i belongs to, and the first sequence of example e; sequences stand in the order of their examples. */
size_t bt__task_example_of(const struct bt__task_data *d, size_t i);
size_t bt__task_first(const struct bt__task_data *d, size_t e);
enum bt_status bt__task_build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                              struct bt__pool *pool, struct bt_error *err);
void bt__task_data_free(struct bt__task_data *d);

static inline const float *bt__logits_at(const struct bt__logits *l, size_t i)
{
    return l->value + l->start[i];
}
static inline size_t bt__logits_rows(const struct bt__logits *l, size_t i)
{
    return (l->start[i + 1] - l->start[i]) / (size_t)l->cols;
}

/* Appends a part; NULL without memory. It may move at the next one. */
struct bt_answer *bt__answers_add(struct bt__answers *a);
struct bt_part *bt__answers_word(struct bt__answers *a);
/* A copy of n bytes for a label, there until the answers are cleared; NULL without memory. */
const char *bt__answers_keep(struct bt__answers *a, const char *text, size_t n);
void bt__answers_clear(struct bt__answers *a);
void bt__answers_free(struct bt__answers *a);

#define TASK(name) extern const struct bt__task_ops bt__task_##name;
#include "tasks/tasks.def"
#undef TASK

#endif
