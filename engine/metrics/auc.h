/* Ranking of examples by a score. */
#ifndef BERTTY_METRICS_AUC_H
#define BERTTY_METRICS_AUC_H

#include <stdbool.h>
#include <stddef.h>

struct bt__ranked {
    float score;
    bool gold;
};
/* Highest score first. */
void bt__rank(struct bt__ranked *r, size_t n);
/* Area under the ROC curve of ranked examples, ties counting half; NaN if the gold ones are none or all, or a score is NaN. */
double bt__ranked_auc(const struct bt__ranked *r, size_t n);
/* Mean precision at each step of recall, ties taken together; 0 without gold ones; NaN if a score is NaN. */
double bt__ranked_precision(const struct bt__ranked *r, size_t n);

#endif
