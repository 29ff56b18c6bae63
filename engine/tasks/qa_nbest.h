/* The answers that a question's logits speak for. */
#ifndef BERTTY_TASKS_QA_NBEST_H
#define BERTTY_TASKS_QA_NBEST_H

#include "tasks/qa_windows.h"

struct bt__qa_span {
    uint32_t begin, end; /* bytes of the context; both 0: there is no answer */
    double score;        /* start + end logit */
    double p;            /* softmax of the scores that are kept */
};

struct bt__qa_candidate;

/* A question's answers, in memory that is kept from one to the next. Zero-initialise; bt__qa_nbest_free() releases. */
struct bt__qa_nbest {
    struct bt__qa_span *item; /* [n] what is answered, then the rest by falling score */
    size_t n, cap;
    struct bt__qa_span best; /* what is answered if there must be an answer */
    double null_odds;        /* score of no answer − score of best */
    struct bt__qa_candidate *candidate;
    size_t candidates, candidates_cap;
    struct bt__qa_place *start, *end; /* [top] */
    size_t top;
};

struct bt__qa_rules {
    size_t n_best, longest; /* tokens of an answer */
    bool negative;          /* there may be no answer */
    double threshold;       /* of null_odds */
};

/* Those of the task's options and of what it learnt. */
struct bt__qa_rules bt__qa_rules_of(const struct bt__task *t, const struct bt__task_data *d);

enum bt_status bt__qa_nbest(struct bt__qa_nbest *k, const struct bt__qa_rules *rules,
                            const struct bt__task_data *d, const struct bt__logits *l, size_t e,
                            struct bt_error *err);
void bt__qa_nbest_free(struct bt__qa_nbest *k);

#endif
