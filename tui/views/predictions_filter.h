/* Rows of predictions by an expression of <bertty/row_filter.h>, over the columns row, gold, predicted, correct (1 or 0), confidence, margin, loss,
 * f1 (of answers), error (of numbers), text, pair, tags (one blank
 * between them), note. No terminal, no files. */
#ifndef TUI_VIEWS_PREDICTIONS_FILTER_H
#define TUI_VIEWS_PREDICTIONS_FILTER_H

#include "tui/views/predictions_rows.h"

enum bt_status pred_filter_check(const char *expression, struct bt_error *err);
/* *in [p->n]: whether it holds for each row; the caller frees. texts and notes may be NULL: then every text is "". */
enum bt_status pred_filter_make(const char *expression, const struct bt_predictions *p,
                                const struct bt_examples *texts, const struct bt_row_notes *notes, bool **in,
                                struct bt_error *err);

#endif
