/* Learning-rate schedules, as factors of the base rate. Formulas: transformers' optimization.py, by the same names; reduce_lr_on_plateau:
 * PyTorch's class, whose state moves with the evaluations. */
#ifndef BERTTY_OPTIM_SCHEDULE_H
#define BERTTY_OPTIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum bt__schedule_kind {
    BT__SCHEDULE_LINEAR,
    BT__SCHEDULE_COSINE,
    BT__SCHEDULE_COSINE_WITH_RESTARTS,
    BT__SCHEDULE_POLYNOMIAL,
    BT__SCHEDULE_CONSTANT,
    BT__SCHEDULE_CONSTANT_WITH_WARMUP,
    BT__SCHEDULE_INVERSE_SQRT,
    BT__SCHEDULE_REDUCE_LR_ON_PLATEAU
};

struct bt__schedule {
    enum bt__schedule_kind kind;
    int64_t warmup, total; /* optimiser steps */
    double base;           /* the base rate: the polynomial's end is absolute */
    int64_t cycles;        /* of cosine_with_restarts */
    double power, end;     /* of polynomial */
    double reduced; /* of reduce_lr_on_plateau: the factor that is reached, see bt__plateau_step(); 0: 1 */
};

/* The factor of update number step, counted from 0; in [0, 1]. */
double bt__schedule_factor(const struct bt__schedule *s, int64_t step);

/* Evaluations without a better figure. */
struct bt__plateau {
    bool any; /* best is one: there was an evaluation */
    double best;
    int64_t stale;
    double factor; /* of the base rate */
};

struct bt__plateau_rule {
    bool greater; /* is better */
    double factor;
    int64_t patience;
    double base; /* a reduction of less than 1e-8 is none */
};

/* After an evaluation. True: the rate was reduced. */
bool bt__plateau_step(struct bt__plateau *p, const struct bt__plateau_rule *rule, double figure);

#endif
