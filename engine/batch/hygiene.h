/* Comparing the inputs of files, file by file. */
#ifndef BERTTY_BATCH_HYGIENE_H
#define BERTTY_BATCH_HYGIENE_H

#include "batch/input_index.h"
#include <bertty/hygiene.h>

/* Zero-initialise, set index.kind; bt__hygiene_end() releases. */
struct bt__hygiene {
    struct bt__input_index index;
    struct bt_hygiene *h; /* its files and counts up to now; NULL: nothing */
};

/* The next file, the only one of spec; the counts of it are the last ones of h, from *first on. */
enum bt_status bt__hygiene_add(struct bt__hygiene *x, const struct bt_data_spec *spec,
                               const struct bt_examples *ex, size_t *first, struct bt_error *err);
void bt__hygiene_end(struct bt__hygiene *x);

#endif
