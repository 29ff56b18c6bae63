/* How often each label comes. Zero-initialise; bt__label_counts_take() hands the counts over, bt__label_counts_free() releases. */
#ifndef BERTTY_BATCH_LABEL_COUNTS_H
#define BERTTY_BATCH_LABEL_COUNTS_H

#include <bertty/data_report.h>

struct bt__label_counts {
    struct bt_label_count *label;
    size_t n, cap;
    uint32_t *slot; /* [slots] 1 + index; 0: free */
    size_t slots;
};

/* One more of a label of n bytes. False without memory. */
bool bt__label_counts_add(struct bt__label_counts *l, const char *text, size_t n);
/* The counts, most frequent first, for the caller to free with their texts. */
void bt__label_counts_take(struct bt__label_counts *l, struct bt_label_count **label, size_t *n);

#endif
