/* What the metrics of one side of a pairing are made of, row by row, so that they can be had for any choice of the rows, each as often as wanted.
 *
 * bt__tally_make() reserves, bt__tally_free() releases; what a tally reads is borrowed from the pairing. */
#ifndef BERTTY_EXPLAIN_TALLY_H
#define BERTTY_EXPLAIN_TALLY_H

#include "metrics/metrics.h"
#include "metrics/numbers.h"
#include <bertty/calibration.h>
#include <bertty/compare.h>

struct bt__amount {
    uint32_t slot;
    double amount;
};

/* Numbers: values, the rows in their order, and the ranks of the rows that were chosen. */
struct bt__ranking {
    double *value, *rank; /* [n] */
    size_t *order;        /* [n] ascending */
};

struct bt__tally {
    enum bt_rows_kind kind;
    enum bt__metric_family family;
    size_t n, classes;
    bool calibrated; /* the rows tell the probability of what they predict */
    size_t *start;   /* [n + 1] row i adds item[start[i]] … */
    struct bt__amount *item;
    size_t items, cap;
    double *sum; /* [slots] */
    size_t slots;
    struct bt__class_counts *count;  /* [classes] scratch */
    struct bt__ranking gold, said;   /* BT_ROWS_NUMBERS */
    struct bt__numbers_view numbers; /* … of the rows that were chosen */
    double *scratch;
};

/* side: 0 or 1. */
enum bt_status bt__tally_make(const struct bt_pairing *p, int side, struct bt__tally *t,
                              struct bt_error *err);
void bt__tally_free(struct bt__tally *t);
/* The metrics that rows of the kind have, NULL behind the last; static. */
const char *const *bt__tally_metrics(const struct bt__tally *t);
/* Chooses row i weight[i] times; the weights' sum is n. */
void bt__tally_choose(struct bt__tally *t, const uint32_t *weight);
/* Of the rows that were chosen. */
double bt__tally_value(const struct bt__tally *t, const char *metric);
bool bt__tally_greater_is_better(const struct bt__tally *t, const char *metric);

#endif
