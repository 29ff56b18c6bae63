/* A comparison as one HTML page that needs nothing else: no network, no scripts; light or dark as the reader's system is.
 *
 * report_load() reads (a worker's work), the rest only writes down. The caller frees with report_free(). */
#ifndef TUI_REPORT_H
#define TUI_REPORT_H

#include <bertty/versus.h>

enum { REPORT_RUNS = 31, REPORT_ROWS = 12 };

/* The worst examples of a kind. */
struct report_rows {
    const char *title; /* static */
    const char *run;   /* whose they are; NULL: of both */
    const struct bt_pairing *pairing;
    const struct bt_examples *examples; /* NULL: there are no texts */
    size_t row[REPORT_ROWS];            /* of the pairing, the worst first */
    size_t n, of;                       /* shown, and how many there are */
};

struct report_own; /* private */
struct report {
    struct bt_compare *compare;
    struct bt_versus versus;    /* of two runs; its pairing is NULL: versus_err says why */
    struct bt_error versus_err; /* BT_OK: there are not two runs */
    struct report_rows *rows;   /* [n_rows] */
    size_t n_rows;
    struct report_own *own;
};

/* r: split and expressions count for two runs; its first and second do not. cancel may be NULL. */
enum bt_status report_load(const struct bt_run_at *run, size_t n, const struct bt_versus_request *r,
                           const atomic_bool *cancel, struct report **out, struct bt_error *err);
void report_free(struct report *r); /* NULL is fine */
/* Appends the page. */
void report_html(const struct report *r, struct bt_str *out);

/* Appends the text of a row as far as a report shows it. */
void report_row_text(const struct report_rows *rows, size_t i, struct bt_str *out);

#endif
