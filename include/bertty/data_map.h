/* The data map of a run: how the model took each training example, from what the training steps said of it epoch by epoch (RUN/dynamics). It costs the training nothing that it
 * does not do anyway.
 *
 * Swayamdipta et al. 2020, "Dataset Cartography: Mapping and Diagnosing Datasets with Training Dynamics", section 2: over E epochs in which an example was trained on
 *     confidence   μ = 1/E Σ p_e(gold)
 *     variability  σ = √(1/E Σ (p_e(gold) − μ)²)
 *     correctness  the share of the epochs in which the prediction was right
 * and of Toneva et al. 2019, "An Empirical Study of Example Forgetting", a forgetting event: right in one epoch, wrong in the next in which it was seen.
 *
 * Regions. The paper takes a third of the data by each figure; here each example is in one: ambiguous is the third that varies most (fewer where that would part equal ones), the rest is easy-to-learn from a mean probability of 0.5 on,
 * else hard-to-learn.
 *
 * A map owns everything that hangs on it. Reading may be slow: let a worker do it. */
#ifndef BERTTY_DATA_MAP_H
#define BERTTY_DATA_MAP_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bt_map_region { BT_MAP_EASY, BT_MAP_AMBIGUOUS, BT_MAP_HARD, BT_MAP_REGIONS };
const char *bt_map_region_name(enum bt_map_region r); /* "easy-to-learn" */

struct bt_map_row {
    int64_t id; /* of the training data, from 1 */
    int epochs; /* E: in which it was seen */
    double confidence, variability, correctness;
    int forgotten; /* forgetting events */
    bool learnt;   /* was right at least once */
    enum bt_map_region region;
};
struct bt_map {
    struct bt_map_row *row; /* [n] by id */
    size_t n;
    int64_t *epoch; /* [n_epochs] that were read, ascending, from 1 */
    size_t n_epochs;
    float *p;     /* [n, n_epochs] p(gold); NaN: not seen in that epoch */
    bool *right;  /* [n, n_epochs] */
    double limit; /* variability from which on a row is ambiguous; infinite: none is */
    size_t count[BT_MAP_REGIONS];
};
/* BT_NOTFOUND: the run kept nothing (another tool's, none has ended yet, or a task without such figures: regression, mlm). BT_INVALID, with file and line: a damaged
 * file. Epochs beyond the last 1000 are left out. */
enum bt_status bt_map_load(const char *dir, struct bt_map **out, struct bt_error *err);
void bt_map_free(struct bt_map *m); /* m may be NULL */
/* What the figures of a row are, from p and right [n]: all but id and region. */
void bt_map_sum_up(const float *p, const bool *right, size_t n, struct bt_map_row *out);

#endif
