/* How far a model may be trusted when it says how sure it is: confidence against the share that is right, in equal bins (Guo et al. 2017).
 *
 * Zero-initialise, add each prediction, read. */
#ifndef BERTTY_CALIBRATION_H
#define BERTTY_CALIBRATION_H

#include <stdbool.h>

enum { BT_CALIBRATION_BINS = 15 };

struct bt_calibration_bin {
    double n;          /* predictions (their weights) in (b/15, (b + 1)/15] */
    double confidence; /* the sum of their probabilities */
    double right;      /* those that are right */
};
struct bt_calibration {
    double n; /* all; those of probability 0 are in no bin */
    struct bt_calibration_bin bin[BT_CALIBRATION_BINS];
};

/* The bin of a probability; −1: none, as for 0 and NaN. */
int bt_calibration_bin(double p);
/* p: the probability of what was predicted; weight: how often it counts. */
void bt_calibration_add(struct bt_calibration *c, double p, bool right, double weight);
/* Expected calibration error: Σ over bins of |right − confidence| / n; 0 without any. */
double bt_calibration_ece(const struct bt_calibration *c);

#endif
