/* Learning-rate schedules, as factors of the base rate. Formulas: transformers' optimization.py, by the same names. */
#ifndef BERTTY_OPTIM_SCHEDULE_H
#define BERTTY_OPTIM_SCHEDULE_H

#include <stdint.h>

enum bt__schedule_kind {
    BT__SCHEDULE_LINEAR,
    BT__SCHEDULE_COSINE,
    BT__SCHEDULE_POLYNOMIAL,
    BT__SCHEDULE_CONSTANT,
    BT__SCHEDULE_CONSTANT_WITH_WARMUP,
    BT__SCHEDULE_INVERSE_SQRT
};

struct bt__schedule {
    enum bt__schedule_kind kind;
    int64_t warmup, total; /* optimiser steps */
    double base;           /* the base rate: the polynomial's end of 1e-7 is absolute */
};

/* The factor of update number step, counted from 0; in [0, 1]. */
double bt__schedule_factor(const struct bt__schedule *s, int64_t step);

#endif
