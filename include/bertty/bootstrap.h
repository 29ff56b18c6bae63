/* How much two runs' metrics on the same rows would differ on other rows of the kind: the paired bootstrap (Efron & Tibshirani 1993; Koehn 2004).
 *
 * Rows are drawn with replacement BT_BOOTSTRAP_DRAWS times, for both runs the same ones, and each metric is computed anew from the drawn rows.
 * The numbers drawn depend on the number of rows alone: of n rows, place j of draw b is row ⌊u·n / 2^32⌋, u the 32 random bits of
 * (BT_BOOTSTRAP_SEED, stream 0, step b, position j) of engine/base/rng.h. The same two runs give the same figures whenever they are asked.
 *
 * Slow on many rows (about 2 s for 100,000): a worker's work. */
#ifndef BERTTY_BOOTSTRAP_H
#define BERTTY_BOOTSTRAP_H

#include <bertty/compare.h>
#include <stdatomic.h>

enum { BT_BOOTSTRAP_DRAWS = 1000, BT_BOOTSTRAP_SEED = 1, BT_BOOTSTRAP_METRICS = 5 };

struct bt_bootstrap_metric {
    const char *name; /* as in `bertty eval`; static */
    bool higher_is_better;
    double first, second; /* on all paired rows; NaN: not defined, as a correlation with a constant */
    double difference;    /* second − first */
    double low,
        high; /* its 95 % interval: the quantiles .025 and .975 of the draws, interpolated; NaN: no draw has it */
    double p;     /* two-sided: min(1, 2·(1 + min(#≤0, #≥0)) / (1 + draws)) */
    size_t draws; /* in which both are defined */
};
struct bt_bootstrap {
    size_t n; /* metrics */
    struct bt_bootstrap_metric metric[BT_BOOTSTRAP_METRICS];
};

/* cancel may be NULL. Without rows, or for masked words: n = 0. */
enum bt_status bt_bootstrap_make(const struct bt_pairing *p, const atomic_bool *cancel,
                                 struct bt_bootstrap *out, struct bt_error *err);

#endif
