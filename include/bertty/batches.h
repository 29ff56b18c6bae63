/* Which rows a run trained on at each step, and what each of them lost: from a spike of the loss to the texts that made it.
 *
 * The caller frees with bt_batches_free(). Calls read the whole file: a screen makes them on a worker. */
#ifndef BERTTY_BATCHES_H
#define BERTTY_BATCHES_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

struct bt_batch_row {
    int64_t step; /* from 1, as in the curves */
    int64_t row;  /* of the training file(s), from 1; of packed text the line in which the sequence begins */
    int window;   /* of an example that is read in several sequences, from 1; 0: it is one */
    float
        loss; /* as the step found it, before its update, with what the experiment adds (smoothing); not times the row's weight */
};

struct bt_batches {
    struct bt_batch_row *row; /* [n], in the order of their training */
    size_t n;
    int64_t first,
        last; /* the steps that they are from: other ones than were asked for if nothing is kept of those */
    int64_t oldest, newest; /* steps that the file has */
    size_t damaged;         /* records that could not be read */
};

/* The rows of steps first … last of a run. Where none of these was kept: those of the nearest step. BT_NOTFOUND: the run kept none at all (it is
 * another tool's, of an older version, or has not logged anything yet). */
enum bt_status bt_batches_load(const char *dir, int64_t first, int64_t last, struct bt_batches **out,
                               struct bt_error *err);
void bt_batches_free(struct bt_batches *b); /* NULL is fine */

/* The worst first; NaN is worse than anything. Of the same loss: by step, row and window. */
void bt_batches_sort(struct bt_batches *b);

/* The steps that a logged point sums up: (the step before the first of them, step], of a run that logs every `every` steps. */
int64_t bt_batches_first(int64_t step, int64_t every);

#endif
