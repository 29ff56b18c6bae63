/* Passing over the records of a table whose lines and quotes are as they should be, at the speed of memory. */
#ifndef BERTTY_DATASET_PLAIN_LINES_H
#define BERTTY_DATASET_PLAIN_LINES_H

#include <bertty/dataset.h>

struct bt__plain {
    size_t bytes; /* passed over: whole records and empty lines */
    size_t rows;  /* records that are not empty */
    size_t empty; /* lines that are */
    size_t lines; /* all of them, those within quoted cells too */
};

/* At most max_rows records from p on, where a record begins, of n bytes: up to the first one that needs a closer look (a " that neither
 * encloses a cell nor is doubled in one, a CR alone, a blank at the beginning of a JSON line) or whose end is not there. What is passed over is what
 * bt__record_find() would find. as_written: a doubled " needs a closer look too, so that the texts of the cells stand in what is passed over. */
void bt__plain_lines(const struct bt_data_dialect *d, const char *p, size_t n, size_t max_rows,
                     bool as_written, struct bt__plain *out);

#endif
