/* What loading gives. Texts and parts lie in chunks that never move. */
#ifndef BERTTY_DATASET_STORE_H
#define BERTTY_DATASET_STORE_H

#include <bertty/dataset.h>

struct bt__chunk;

struct bt_examples {
    struct bt_example *at;
    size_t n, cap, invalid_utf8, empty, misaligned;
    const char **odd; /* [n_odd], in the chunks */
    size_t n_odd;
    const char **found; /* [n_found] one a file, in the chunks */
    size_t n_found;
    struct bt__chunk *chunk;
};

#endif
