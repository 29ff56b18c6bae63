/* Notes of many runs, read again and again. */
#ifndef BERTTY_RUN_NOTES_H
#define BERTTY_RUN_NOTES_H

#include <bertty/run.h>

/* Reads s->notes of the directory `name` below `at` (AT_FDCWD: name is a path) if its file is not the one that they came from. */
void bt__notes_refresh(int at, const char *name, struct bt_run_status *s);

/* Tags and note, as members of an object: from one that was read (where: for messages), and into one that is being written. */
enum bt_status bt__notes_take(const struct bt_json *v, const char *where, struct bt_notes *out,
                              struct bt_error *err);
void bt__notes_put(struct bt_json_writer *w, const struct bt_notes *n);
/* Whether a change may be made at all; then, to make it. */
enum bt_status bt__notes_check(const struct bt_notes_change *c, struct bt_error *err);
enum bt_status bt__notes_apply(struct bt_notes *n, const struct bt_notes_change *c, const char *where,
                               struct bt_error *err);

#endif
