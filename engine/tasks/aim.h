/* What an explanation is about: one number F that the model computes, out of all that it says about an example.
 *
 * F is a sum of logits, or the probability that they come to. Each task has an operation (struct bt__task_ops, aim) that finds it for what was asked. */
#ifndef BERTTY_TASKS_AIM_H
#define BERTTY_TASKS_AIM_H

#include "tasks/task.h"

/* How logits become a probability. */
enum bt__aim_norm {
    BT__NORM_NONE,    /* they do not: a regression's number */
    BT__NORM_OUTPUTS, /* softmax over the outputs of a row */
    BT__NORM_SIGMOID, /* each output by itself */
    BT__NORM_ROWS,    /* softmax over the rows of a sequence; of two outputs the product */
    BT__NORM_GROUP    /* softmax over the sequences of an example */
};

enum { BT__AIM_WHOLE = -1 }; /* in place of a token: the head says something about the whole sequence */

struct bt__aim_cell {
    int token; /* of the sequence, that the head reads; BT__AIM_WHOLE */
    int output;
};

struct bt__aim {
    size_t sequence; /* of the split */
    struct bt__aim_cell cell[2];
    int cells;
    enum bt__aim_norm norm;
    struct bt_str name; /* what F speaks for: a label, an answer, a word; freed by bt__aim_free() */
};
void bt__aim_free(struct bt__aim *a);

struct bt__aim_wish {
    const char *target; /* label, tag, answer, choice or word; NULL: what the model decides for */
    int64_t
        word; /* of tags the number of a word, of masks that of a mask, from 1; 0: the task's own choice */
};

/* For tasks that have nothing to choose: BT_INVALID if something was. what: "gives one number". */
enum bt_status bt__aim_no_target(const struct bt__aim_wish *wish, const char *what, struct bt_error *err);
/* … no word to choose. */
enum bt_status bt__aim_no_word(const struct bt__aim_wish *wish, struct bt_error *err);
/* Number of the label that is wished for; −1 where none is. BT_INVALID, with those there are: it is not known. */
enum bt_status bt__aim_label(const struct bt__task *t, const char *target, int *label, struct bt_error *err);
/* The aim of an output of the whole sequence: of a text that was read in windows, the one that speaks for it most. */
void bt__aim_output(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int output,
                    struct bt__aim *out);

/* The operation of tasks with labels for a whole text, of which one holds (classes) or any number (sets). */
enum bt_status bt__aim_classes(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                               struct bt__aim *out, struct bt_error *err);
enum bt_status bt__aim_sets(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err);
/* Those of tasks that have files of their own. */
enum bt_status bt__aim_tags(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err);
enum bt_status bt__aim_answer(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                              struct bt__aim *out, struct bt_error *err);
enum bt_status bt__aim_mask(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err);

#endif
