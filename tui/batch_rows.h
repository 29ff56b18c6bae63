/* The batch behind a point of a run's curves: its rows with their texts and losses, the worst first. No terminal.
 *
 * The caller frees with batch_rows_free(). Loading reads the training file(s) whole: a screen does it on a worker. Texts are raw: to be cleaned
 * before they are shown. */
#ifndef TUI_BATCH_ROWS_H
#define TUI_BATCH_ROWS_H

#include <bertty/batches.h>
#include <bertty/str.h>
#include <bertty/texts.h>
#include <stdbool.h>

struct batch_rows {
    int64_t asked;              /* step */
    struct bt_batches *batches; /* of steps first … last, a point of the curves; sorted */
    double mean;                /* of the losses; NaN if one is */
    struct bt_texts texts;      /* of the training rows */
};

/* The steps that the point at `step` sums up (or of which it is one, or the nearest ones there are). last > 0: exactly steps `step` … last.
 * BT_NOTFOUND: the run keeps no batches. */
enum bt_status batch_rows_load(const char *run, int64_t step, int64_t last, struct batch_rows **out,
                               struct bt_error *err);
void batch_rows_free(struct batch_rows *b); /* NULL is fine */

/* "step 37", "steps 31 to 40", and whether these are what was asked for: appended. */
void batch_rows_title(const struct batch_rows *b, struct bt_str *out);
/* The example of row i; NULL: it is not (or no longer) in the file. Borrowed. */
const struct bt_example *batch_rows_example(const struct batch_rows *b, size_t i);
/* All its texts, and its gold value as a person reads it, appended; nothing where there is none. */
void batch_rows_text(const struct batch_rows *b, size_t i, struct bt_str *out);
void batch_rows_gold(const struct batch_rows *b, size_t i, struct bt_str *out);
/* Where it stands, as a person reads it: "train.tsv:12 window 2", "train.json q17", "row 12". */
void batch_rows_where(const struct batch_rows *b, size_t i, struct bt_str *out);
/* Its file (borrowed) and its number within it, from 1; false: not known. */
bool batch_rows_place(const struct batch_rows *b, size_t i, const char **file, size_t *row);

#endif
