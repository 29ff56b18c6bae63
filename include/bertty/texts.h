/* The texts that a run's rows were made of, as its files have them now. */
#ifndef BERTTY_TEXTS_H
#define BERTTY_TEXTS_H

#include <bertty/dataset.h>

/* Zero-initialise; bt_texts_clear() releases. */
struct bt_texts {
    enum bt_example_kind kind;
    struct bt_examples *examples; /* NULL: err says why */
    size_t most;                  /* no row behind this one was read; 0: all were */
    char **file;                  /* [n_files] of the examples */
    size_t n_files;
    struct bt_error err;
};

/* Of a split as bt_experiment_split() names them, up to row `most` (0: all; rows count from 1). Reads files. */
void bt_texts_read(const struct bt_experiment *x, const char *split, size_t most, struct bt_texts *out);
/* Likewise, of a run. */
void bt_texts_load(const char *run, const char *split, size_t most, struct bt_texts *out);
void bt_texts_clear(struct bt_texts *t);
/* NULL: the files have no such row, or no more. Borrowed. */
const struct bt_example *bt_texts_row(const struct bt_texts *t, int64_t row);

#endif
