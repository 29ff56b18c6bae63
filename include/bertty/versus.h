/* All that can be told of two runs' predictions (or of one run's at two steps): the paired rows, who says what, the paired bootstrap, slices.
 *
 * Slow (files, 1000 resamples): a worker's work. bt_versus_clear() releases. */
#ifndef BERTTY_VERSUS_H
#define BERTTY_VERSUS_H

#include <bertty/bootstrap.h>
#include <bertty/compare.h>
#include <bertty/pair_slices.h>

struct bt_versus {
    struct bt_pairing *pairing; /* NULL: not loaded; all the rest is empty then */
    struct bt_pair_matrix matrix;
    struct bt_bootstrap bootstrap;
    struct bt_texts texts; /* of the first run's files */
    struct bt_pair_slices slices;
};

struct bt_versus_request {
    struct bt_run_at first, second;
    const char *split;             /* NULL: the first that both have */
    const char *const *expression; /* slices beside those by label and by length; [expressions] */
    size_t expressions;
};
/* BT_NOTFOUND: there is no split that both predicted. cancel may be NULL. */
enum bt_status bt_versus_load(const struct bt_versus_request *r, const atomic_bool *cancel,
                              struct bt_versus *out, struct bt_error *err);
void bt_versus_clear(struct bt_versus *v);

#endif
