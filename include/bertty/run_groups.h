/* Repetitions: runs whose settings differ in nothing but train.seed (and the name), and what they reached together. A run that was steered stands alone. */
#ifndef BERTTY_RUN_GROUPS_H
#define BERTTY_RUN_GROUPS_H

#include <bertty/run_facts.h>

/* Do two means differ by more than their seeds? Welch 1947, "The generalization of Student's problem when several different population variances are involved"; two-sided. */
struct bt_sample {
    size_t n;
    double mean, sd; /* sd: of the sample (n − 1) */
};
struct bt_welch {
    double difference; /* of the means, the first less the second */
    double error;      /* standard error of the difference */
    double t, df, p;   /* NaN: fewer than two values in one, or no spread in both */
};
struct bt_welch bt_welch_test(const struct bt_sample *a, const struct bt_sample *b);
/* The 95 % interval of the difference is the difference ± this; milliseconds. */
double bt_welch_margin(const struct bt_welch *w);

struct bt_run_group {
    const char *key;     /* the same for the same settings, borrowed from the facts */
    size_t *member;      /* [n ≥ 2] runs of the list, in the order of row */
    size_t n, n_alive;   /* n_alive: with an engine */
    const char *metric;  /* borrowed from the list; NULL: no evaluation yet */
    size_t n_values;     /* members that have a best value of it */
    double mean, sd;     /* of these; sd: of the sample (n − 1), NaN for fewer than two */
    int64_t step, total; /* sums */
    /* The group with the best mean of the same metric, less this one; p is NaN: it is that group, or there is nothing to test. */
    struct bt_welch versus;
};

enum { BT_ALONE = -1 };
struct bt_run_groups {
    struct bt_run_group *group; /* [n] in the order of their first members */
    size_t n;
    bool told[BT_OPTIONS]; /* options in which the groups differ from each other */
    ptrdiff_t *of;         /* for every run of the list: its group's number, or BT_ALONE */
};
/* Groups the n_rows runs that row names. The facts must hold their settings (BT_FACTS_SETTINGS). False: no memory, *out is empty. */
bool bt_run_groups_make(const struct bt_run_list *list, const size_t *row, size_t n_rows,
                        const struct bt_facts *facts, struct bt_run_groups *out);
void bt_run_groups_clear(struct bt_run_groups *g);

#endif
