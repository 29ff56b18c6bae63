/* What the files of the family answers share. */
#ifndef BERTTY_METRICS_ANSWERS_VIEW_H
#define BERTTY_METRICS_ANSWERS_VIEW_H

#include "metrics/answers.h"

struct bt__answer_sum {
    double exact, f1;
    size_t n;
};
struct bt__best_threshold {
    double value, threshold;
};
struct bt__answers_view {
    const struct bt__answer_results *r;
    struct bt__answer_score *score;       /* [n], before r's threshold */
    struct bt__answer_sum all, has, none; /* behind it; of the questions with and without an answer */
    struct bt__best_threshold best_exact, best_f1;
};

/* Fills score, which the caller frees. */
enum bt_status bt__answers_score(struct bt__answers_view *v, struct bt_error *err);
/* Fills best_exact and best_f1 from score. */
enum bt_status bt__answers_best(struct bt__answers_view *v, struct bt_error *err);

#endif
