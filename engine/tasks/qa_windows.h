/* Questions and their contexts as sequences: [CLS] question [SEP] window of the context [SEP]. */
#ifndef BERTTY_TASKS_QA_WINDOWS_H
#define BERTTY_TASKS_QA_WINDOWS_H

#include "tasks/task.h"

struct bt__qa_window {
    size_t place;     /* of the whole context's first token in begin and end */
    uint32_t from, n; /* tokens of the context that stand in it */
    uint32_t first;   /* where they begin in the sequence */
    int32_t start,
        end; /* gold, tokens of the sequence: both 0, [CLS], without an answer in it; −1: not known */
};

/* In struct bt__task_data's own; freed by bt__qa_windows_drop(). */
struct bt__qa_windows {
    struct bt__qa_window *window; /* [f.n] */
    uint32_t *begin, *end;        /* of the contexts' tokens: bytes of their context */
    bool impossible;              /* a question has no answer; false where gold is not known */
};

/* How many tokens of a question are kept, and how many of a context a window has room for behind n tokens of a question. */
size_t bt__qa_query_length(const struct bt_experiment *x, size_t tokens);
size_t bt__qa_room(const struct bt_experiment *x, size_t n);

/* d->f, d->own, and d->gold if it is wanted. */
enum bt_status bt__qa_windows_build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                                    struct bt__pool *pool, struct bt_error *err);
void bt__qa_windows_drop(struct bt__task_data *d);

static inline const struct bt__qa_windows *bt__qa_windows_of(const struct bt__task_data *d)
{
    return d->own;
}

#endif
