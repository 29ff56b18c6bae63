/* Where two runs differ: the paired rows in slices (by gold label, by length, by an expression), and the texts of the rows.
 *
 * Expressions are those of <bertty/row_filter.h> over the columns row, gold, a, b (what the runs say), p_a, p_b, loss_a, loss_b, text, pair. */
#ifndef BERTTY_PAIR_SLICES_H
#define BERTTY_PAIR_SLICES_H

#include <bertty/compare.h>
#include <bertty/str.h>
#include <bertty/texts.h>

/* ── texts ── */

/* The example of a row, if the file still says the same as when it was predicted (as far as rows of its kind tell); else NULL. Borrowed. */
const struct bt_example *bt_pair_example(const struct bt_pairing *p, const struct bt_examples *e,
                                         const struct bt_pair_row *row);
/* Appends all its texts: of a sentence the words, of a question the passage too. */
void bt_pair_add_text(const struct bt_pairing *p, const struct bt_example *x, struct bt_str *out);

/* ── slices ── */

enum bt_slice_by { BT_SLICE_LABEL, BT_SLICE_LENGTH, BT_SLICE_EXPRESSION };
struct bt_pair_slice {
    enum bt_slice_by by;
    char *name;  /* the label, "length 12 to 40" (characters), the expression */
    size_t *row; /* [n] of the pairing, ascending */
    size_t n;
    size_t count[BT_OUTCOMES];
    double first,
        second; /* means of the rows' quality (accuracy; of answers F1); of numbers mean |error|; NaN: no row */
    double p;   /* as in struct bt_pairing, of these rows alone */
};
struct bt_pair_slices {
    struct bt_pair_slice *slice;
    size_t n;
};

/* By label (of at most 64) and by length, if the texts are there (t may be NULL), then by each expression. BT_INVALID: an expression is wrong. */
enum bt_status bt_pair_slices_make(const struct bt_pairing *p, const struct bt_texts *t,
                                   const char *const *expression, size_t n, struct bt_pair_slices *out,
                                   struct bt_error *err);
void bt_pair_slices_clear(struct bt_pair_slices *s);
/* Whether an expression may be asked for. */
enum bt_status bt_pair_slice_check(const char *expression, struct bt_error *err);

#endif
