/* The label names of a task, and their indices. The caller frees with bt__labels_free(). */
#ifndef BERTTY_TASKS_LABELS_H
#define BERTTY_TASKS_LABELS_H

#include <bertty/error.h>
#include <stddef.h>

struct bt__labels {
    char **name; /* n of them, all different */
    int n;
};

/* From names in their order (an option, a checkpoint); copied. */
enum bt_status bt__labels_from_names(struct bt__labels *l, const char *const *names, size_t n,
                                     struct bt_error *err);
/* The different values among n texts, sorted: as numbers if all are integers, else bytewise. */
enum bt_status bt__labels_from_values(struct bt__labels *l, const char *const *values, const size_t *lengths,
                                      size_t n, struct bt_error *err);
/* Index of a label or −1. */
int bt__labels_find(const struct bt__labels *l, const char *text, size_t n);
void bt__labels_free(struct bt__labels *l);

#endif
