/* What people noted about rows of a split's predictions: tags and a text each, in RUN/predictions/SPLIT.notes.jsonl, a line a row:
 *     {"row": 12, "data": "<sha256>", "tags": ["odd"], "note": "irony"}
 * A line is about the row of that version of the data (<bertty/data_hash.h>; null: the run does not tell which) that the run has predicted: lines about other versions stay where they are and are
 * counted. Tags and notes are as in <bertty/notes.h>.
 *
 * A bt_row_notes owns its texts; bt_row_notes_clear() frees them. */
#ifndef BERTTY_ROW_NOTES_H
#define BERTTY_ROW_NOTES_H

#include <bertty/data_hash.h>
#include <bertty/notes.h>

struct bt_row_note {
    int64_t row; /* as in the predictions, from 1 */
    struct bt_notes notes;
};
struct bt_row_notes {
    struct bt_row_note *item; /* [n] by row */
    size_t n;
    size_t others;           /* rows of other versions of the data */
    char data[BT_DATA_HASH]; /* the run's version; "": not known */
};
/* No file: none. BT_DAMAGED, BT_INVALID: a line that cannot be understood. */
enum bt_status bt_row_notes_load(const char *dir, const char *split, struct bt_row_notes *out,
                                 struct bt_error *err);
void bt_row_notes_clear(struct bt_row_notes *n);
/* Of a row; NULL: nothing. Borrowed. n may be NULL. */
const struct bt_notes *bt_row_notes_of(const struct bt_row_notes *n, int64_t row);

/* Changes what is noted about n rows, by one atomic replacement under a lock of the directory; *out (or NULL) is what stands there then. A file that cannot be understood
 * stays as it is. Errors as of bt_notes_change(). */
enum bt_status bt_row_notes_change(const char *dir, const char *split, const int64_t *row, size_t n,
                                   const struct bt_notes_change *c, struct bt_row_notes *out,
                                   struct bt_error *err);

#endif
