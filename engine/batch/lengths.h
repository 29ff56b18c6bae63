/* Quantiles and a histogram of lengths. */
#ifndef BERTTY_BATCH_LENGTHS_H
#define BERTTY_BATCH_LENGTHS_H

#include <bertty/data_report.h>

/* length [n] is sorted; scratch [n]. */
void bt__lengths(struct bt_lengths *out, uint32_t *length, size_t n, uint32_t *scratch);

#endif
