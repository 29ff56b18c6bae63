/* The `sweep:` section of an experiment file: which settings a study tries, and how long each.
 *
 *     sweep:
 *       search: random                # or grid: every combination, in the order of the lists
 *       trials: 20                    # of a random search
 *       options:
 *         optim.learning_rate: {min: 1e-5, max: 1e-4, scale: log}
 *         train.train_batch_size: [16, 32]
 *       seeds: [42, 43]               # each combination with each of them
 *       stopping: asha                # or median, or none
 *
 * The caller clears with bt_sweep_clear(), also after a failure. */
#ifndef BERTTY_SWEEP_H
#define BERTTY_SWEEP_H

#include <bertty/experiment.h>
#include <bertty/yaml.h>

enum bt_sweep_search { BT_SWEEP_GRID, BT_SWEEP_RANDOM };
enum bt_sweep_stopping {
    BT_SWEEP_NONE, /* every trial runs to its end */
    BT_SWEEP_ASHA, /* successive halving, asynchronous: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", algorithm 2 */
    BT_SWEEP_MEDIAN /* Golovin et al. 2017, "Google Vizier", section 3.2.2 */
};
const char *bt_sweep_stopping_name(enum bt_sweep_stopping s); /* as the section has it */
enum { BT_SWEEP_MOST = 10000 };                               /* trials */

/* What one option takes. */
struct bt_sweep_axis {
    const struct bt_option *option;
    struct bt_string_list value; /* as YAML; none: the range */
    double low, high;            /* both included */
    bool log;                    /* even in the logarithm */
    int64_t steps;               /* of a grid, both ends among them; of random draws 0 */
};

struct bt_sweep {
    enum bt_sweep_search search;
    enum bt_sweep_stopping stopping;
    struct bt_sweep_axis *axis; /* [n] in the order of the file */
    size_t n;
    struct bt_string_list seed; /* values of train.seed; none: the experiment's */
    char *metric;               /* of evaluations, "accuracy"; NULL: eval.metric_for_best_model */
    int64_t trials;             /* combinations that a random search draws */
    int64_t draw;               /* its seed */
    int64_t reduction_factor;   /* ASHA: one of so many goes on from a rung; 2 … 100 */
    int64_t rungs; /* ASHA: before the end, at reduction_factor^−1, ^−2, … of the steps; 1 … 10 */
    int64_t startup_trials; /* median: others to compare with; at least 1 */
    double warmup_fraction; /* median: of the steps, before anything is stopped; 0 … 1 */
    int64_t max_tokens;     /* of all trials' training; 0: no limit */
    double max_seconds;     /* likewise; 0: no limit */
};

/* section: the value of `sweep`; file stands in messages. BT_INVALID. */
enum bt_status bt_sweep_read(const struct bt_yaml *section, const char *file, struct bt_sweep *out,
                             struct bt_error *err);
/* Of an experiment file, or of its n bytes, which name stands for in messages. BT_NOTFOUND: it has no such section. */
enum bt_status bt_sweep_parse(const char *text, size_t n, const char *name, struct bt_sweep *out,
                              struct bt_error *err);
enum bt_status bt_sweep_load(const char *path, struct bt_sweep *out, struct bt_error *err);
void bt_sweep_clear(struct bt_sweep *s);

/* The settings of the trials in order, each a list of "group.name=value": as the experiment writes the values, equal lists once. The caller frees with
 * bt_sweep_plan_clear(), also after a failure. BT_INVALID: more than BT_SWEEP_MOST. */
struct bt_sweep_plan {
    struct bt_string_list *trial; /* [n] */
    size_t n;
};
enum bt_status bt_sweep_make_plan(const struct bt_sweep *s, struct bt_sweep_plan *out, struct bt_error *err);
void bt_sweep_plan_clear(struct bt_sweep_plan *p);

#endif
