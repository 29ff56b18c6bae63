/* Telling whoever waits for long work on a file how far it is. */
#ifndef BERTTY_DATASET_WATCH_H
#define BERTTY_DATASET_WATCH_H

#include <bertty/dataset.h>

/* doing: static, "reading"; done of all, or of = 0: nothing is known. BT_CANCELLED if nobody wants it any more. */
enum bt_status bt__watch_tell(const struct bt_data_spec *spec, const char *doing, const char *path,
                              uint64_t done, uint64_t of, struct bt_error *err);

/* The same for rows of a file, once in so many. */
enum bt_status bt__watch_row(const struct bt_data_spec *spec, const char *doing, const char *path, size_t row,
                             size_t rows, struct bt_error *err);

#endif
