/* What a threshold on a probability decides, and what comes of it: for two labels (one of them is the positive one) and for sets of labels (each by itself, or one threshold for all).
 * A label is given from a probability of the threshold on (p ≥ t, both as floats: 0.65 in the file is 0.65), as task.threshold has it and scikit-learn's precision_recall_curve.
 *
 *     precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)    accuracy = (TP + TN) / rows
 *
 * For all labels of sets at once the counts are those of all labels (micro), and accuracy is the share of rows whose whole set is right.
 *
 * Made once for a file of predictions; then each question costs a few binary searches. */
#ifndef BERTTY_THRESHOLD_H
#define BERTTY_THRESHOLD_H

#include <bertty/run.h>

enum { BT_THRESHOLD_ALL = -1 /* all labels of sets */ };

struct bt_threshold_at {
    size_t tp, fp, fn, tn;
    double precision, recall, f1, accuracy; /* NaN: nothing to divide by */
};

struct bt_thresholds; /* owns what it needs: the predictions need not live on */
/* From the rows with a gold value. BT_UNSUPPORTED: rows of another kind, or more than two labels. */
enum bt_status bt_thresholds_make(const struct bt_predictions *p, struct bt_thresholds **out,
                                  struct bt_error *err);
void bt_thresholds_free(struct bt_thresholds *t); /* t may be NULL */
/* label: the positive one; BT_THRESHOLD_ALL only of sets. */
struct bt_threshold_at bt_thresholds_at(const struct bt_thresholds *t, int label, double threshold);
/* The threshold with the greatest F1, one of the probabilities; of several the greatest. NaN: no row has the label. */
double bt_thresholds_best(const struct bt_thresholds *t, int label);

/* Decides anew, as if it had been predicted so. threshold [n_labels]: of a label; NaN: as it was decided. Of two labels one at most has a threshold: it is the positive one. */
enum bt_status bt_predictions_decide(struct bt_predictions *p, const double *threshold, struct bt_error *err);

#endif
