/* Names for the labels 0, 1, …: a file with a name a line. */
#ifndef BERTTY_DATASET_CLASSES_H
#define BERTTY_DATASET_CLASSES_H

#include <bertty/error.h>
#include <stddef.h>

struct bt__classes { /* zero-initialise; bt__classes_free() releases */
    const char *path;
    char *text; /* NULL: labels stay as they are */
    const char **name;
    size_t n;
};

enum bt_status bt__classes_load(const char *path, struct bt__classes *c, struct bt_error *err);
void bt__classes_free(struct bt__classes *c);
/* The name of a label: that of a number, or a name that is one already; NULL if it is neither. */
const char *bt__classes_find(const struct bt__classes *c, const char *label);

#endif
