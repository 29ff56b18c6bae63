/* Which predictions are shown in which order, and what they amount to. No terminal, no files. */
#ifndef TUI_VIEWS_PREDICTIONS_ROWS_H
#define TUI_VIEWS_PREDICTIONS_ROWS_H

#include "tui/views/predictions_facts.h"
#include <bertty/calibration.h>
#include <bertty/dataset.h>
#include <bertty/row_notes.h>
#include <bertty/run.h>
#include <bertty/str.h>

enum pred_order {
    PRED_BY_ROW,
    PRED_BY_LOSS,
    PRED_BY_CONFIDENCE,
    PRED_BY_MARGIN,
    PRED_BY_ERROR,    /* of numbers: its size */
    PRED_BY_GOLD,     /* … the gold number */
    PRED_BY_VALUE,    /* … the predicted one */
    PRED_BY_MISTAKES, /* how many things are wrong in the row */
    PRED_BY_QUALITY,  /* of answers: F1 */
    PRED_ORDERS
};
enum { PRED_ANY = -1 };

struct pred_query {
    bool errors;                      /* only wrong ones; of numbers: those farther off than the mean */
    int gold, predicted;              /* label, or PRED_ANY */
    int slice, group;                 /* of the facts, or PRED_ANY */
    int bin;                          /* 1 + the bin of confidence, as in struct bt_calibration; 0: any */
    const char *tag;                  /* only rows that have it; NULL: any */
    const struct bt_row_notes *notes; /* NULL: there are none */
    const bool *in;                   /* [n] rows that may be shown; NULL: all */
    const char *text; /* in a text of the example or the prediction, whatever the case; NULL: any */
    enum pred_order order;
    bool reversed;                  /* else: rows and numbers upwards, the worst first */
    const struct pred_facts *facts; /* NULL: no slices, groups and mistakes */
};

/* Whether something is wrong in a row (of numbers: more than on average). */
bool pred_wrong(const struct bt_predictions *p, const struct pred_facts *f, const struct bt_prediction *r);

/* Whether the rows' p is the probability of what was predicted. */
bool pred_calibrates(enum bt_rows_kind kind);
/* Of the rows with a gold value. */
void pred_calibration_make(const struct bt_predictions *p, struct bt_calibration *out);

/* Score of the first less that of the second label. */
float pred_margin(const struct bt_predictions *p, const struct bt_prediction *r);
/* NaN: the row has no gold label. */
float pred_gold_score(const struct bt_prediction *r);
const char *pred_label(const struct bt_predictions *p, int label); /* "" for −1 */
/* The example of a row; NULL: there are no texts, or the file no longer says what it said. */
const struct bt_example *pred_example(const struct bt_predictions *p, const struct bt_examples *texts,
                                      const struct bt_prediction *r);
/* Into index [p->n]; returns how many. texts may be NULL. */
size_t pred_select(const struct bt_predictions *p, const struct bt_examples *texts,
                   const struct pred_query *q, size_t *index);

struct pred_class {
    size_t gold, predicted, right;
    double precision, recall, f1; /* NaN: none of that class */
};
struct pred_matrix {
    int n;
    size_t *cell;          /* [gold * n + predicted] */
    struct pred_class *of; /* [n] */
    size_t rows, wrong;    /* with a gold label */
    double accuracy, macro_f1;
};
bool pred_matrix_make(const struct bt_predictions *p, struct pred_matrix *m); /* false: no memory */
void pred_matrix_free(struct pred_matrix *m);
/* Rows of a cell; PRED_ANY sums over that side. */
size_t pred_matrix_cell(const struct pred_matrix *m, int gold, int predicted);

/* What rows are written from. */
struct pred_written {
    const struct bt_predictions *p;
    const struct bt_examples *texts;  /* NULL: none */
    const struct bt_row_notes *notes; /* NULL or empty: no columns of tags and notes */
};
/* Appends the rows of an index: with tabs and a header, or as JSON lines. */
void pred_write_tsv(const struct pred_written *of, const size_t *index, size_t n, struct bt_str *out);
void pred_write_jsonl(const struct pred_written *of, const size_t *index, size_t n, struct bt_str *out);

#endif
