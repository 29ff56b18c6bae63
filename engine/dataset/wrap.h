/* Examples that were not read from a file. */
#ifndef BERTTY_DATASET_WRAP_H
#define BERTTY_DATASET_WRAP_H

#include <bertty/dataset.h>

/* The n examples are copied, what they point to is borrowed. The caller frees with bt_examples_free(). */
enum bt_status bt__examples_wrap(const struct bt_example *at, size_t n, struct bt_examples **out,
                                 struct bt_error *err);

#endif
