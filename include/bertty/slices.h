/* Slices of predictions that somebody named: expressions that are kept with the runs, in slices.json of the runs directory.
 *
 * Expressions are those of <bertty/row_filter.h>; which columns they may name is for whoever uses them to say. */
#ifndef BERTTY_SLICES_H
#define BERTTY_SLICES_H

#include <bertty/error.h>
#include <stddef.h>

struct bt_slice {
    char *name, *expression;
};
struct bt_slices {
    struct bt_slice *item; /* [n] in the file's order */
    size_t n;
};

/* A directory without the file has none. BT_INVALID: the file is damaged. The caller frees with bt_slices_clear(). */
enum bt_status bt_slices_load(const char *runs_dir, struct bt_slices *out, struct bt_error *err);
void bt_slices_clear(struct bt_slices *s);
/* The expression of that name; NULL: none. Borrowed. */
const char *bt_slices_find(const struct bt_slices *s, const char *name);
/* Keeps it, in place of one of that name; expression NULL: forgets it (BT_NOTFOUND: there is none). A name is a word of at most 60 bytes
 * without control characters. */
enum bt_status bt_slices_save(const char *runs_dir, const char *name, const char *expression,
                              struct bt_error *err);

#endif
