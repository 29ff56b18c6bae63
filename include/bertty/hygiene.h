/* Whether the splits of a data set are clean: inputs that stand twice, with two labels, or in two files. The caller frees with bt_hygiene_free(). */
#ifndef BERTTY_HYGIENE_H
#define BERTTY_HYGIENE_H

#include <bertty/dataset.h>

enum bt_hygiene_kind {
    BT_HYGIENE_DUPLICATES, /* rows whose input (text and pair) stood before in the file */
    BT_HYGIENE_CONFLICTS,  /* inputs that stand with more than one label; rows: all of them */
    BT_HYGIENE_OVERLAP,    /* rows whose input stands in another file, before this one */
    BT_HYGIENE_SAME_LABEL  /* … with the same label */
};

struct bt_hygiene_count {
    enum bt_hygiene_kind kind;
    size_t file, other; /* other: the earlier file, of overlaps */
    size_t count;
    size_t *row, n; /* rows of file, from 0, ascending */
};

struct bt_hygiene {
    size_t *rows; /* [n_files] of each file */
    size_t n_files;
    struct bt_hygiene_count *count; /* by file, then kind, then other file; those that are 0 too */
    size_t n;
};

/* Each of the spec's files is a split of its own, read one after the other; the spec's watch is told. */
enum bt_status bt_hygiene_find(const struct bt_data_spec *spec, struct bt_hygiene **out,
                               struct bt_error *err);
void bt_hygiene_free(struct bt_hygiene *h); /* NULL is fine */

#endif
