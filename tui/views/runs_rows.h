/* Which runs the Runs view shows, in which order. No terminal, no files. Rows are indices into the list of runs that was given. */
#ifndef TUI_VIEWS_RUNS_ROWS_H
#define TUI_VIEWS_RUNS_ROWS_H

#include <bertty/run_filter.h>

enum runs_column {
    RUNS_MARK,
    RUNS_STATE,
    RUNS_ID,
    RUNS_BEST,
    RUNS_AT,
    RUNS_LAST,
    RUNS_LOSS,
    RUNS_CURVE, /* of the training loss */
    RUNS_PROGRESS,
    RUNS_EPOCH,
    RUNS_SPEED,
    RUNS_ETA,
    RUNS_AGE,
    RUNS_TAGS, /* where there are any */
    RUNS_COLUMNS
};

struct runs_which {
    const struct bt_run_filter *filter; /* NULL: all */
    const struct bt_facts *facts;       /* what the filter needs to know; NULL: nothing */
    bool hidden;                        /* those with the tag `hidden` too */
};

/* ── order ── */

struct runs_order {
    enum runs_column column;
    bool descending;
    double now;
    bool (*marked)(void *ctx, const char *dir);
    void *ctx;
};
/* Fills row (room for list->n) with the runs that match, sorted; returns how many. Runs without a value come last, equal ones newest first. */
size_t runs_rows(const struct bt_run_list *list, const struct runs_which *which,
                 const struct runs_order *order, size_t *row);
/* How many are left out for the tag `hidden`. */
size_t runs_hidden(const struct bt_run_list *list, const struct runs_which *which);
/* The number that a column stands for; NaN: none. */
double runs_number(const struct bt_run_status *s, enum runs_column column, double now);
/* Whether larger values are what one looks for first. */
bool runs_descending_first(enum runs_column column);

/* ── texts ── */

/* "42s", "3m", "2h05", "5d"; "" for NaN and negative. */
void runs_duration(struct bt_str *out, double seconds);

#endif
