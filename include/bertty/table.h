/* A data file of any size as rows and cells, for looking at: opens at once, finds the rows' places in the background.
 *
 * An own scanner finds records (one kept offset every 256 rows); cells are parsed when a row is asked for. One thread may run
 * bt_table_scan() while another one reads rows that are known already; everything else belongs to one thread at a time. */
#ifndef BERTTY_TABLE_H
#define BERTTY_TABLE_H

#include <bertty/dataset.h>
#include <bertty/regex.h>
#include <bertty/row_filter.h>
#include <bertty/str.h>
#include <stdatomic.h>

struct bt_table;

/* Reads the first page only: dialect, columns, and as many rows as 1 MiB holds are known at return. */
enum bt_status bt_table_open(const char *path, const struct bt_data_dialect *dialect, struct bt_table **out,
                             struct bt_error *err);
/* The same as a task reads it: kind, dialect and columns are the spec's, its files are not looked at. */
enum bt_status bt_table_open_as(const char *path, const struct bt_data_spec *spec, struct bt_table **out,
                                struct bt_error *err);
void bt_table_free(struct bt_table *t); /* NULL is fine; no scan may be under way */

/* The dialect as found; format, delimiter, quoting and header are never "auto" in it. */
const struct bt_data_dialect *bt_table_dialect(const struct bt_table *t);
size_t bt_table_columns(const struct bt_table *t);
/* Name of a column: the header's, the JSON key, else "1", "2", …; borrowed. */
const char *bt_table_column(const struct bt_table *t, size_t i);

/* Where a table of one column has lines that all begin with a label and a blank ("DESC:manner How did …"): the first of them. Else NULL. */
const char *bt_table_label_first(const struct bt_table *t);

/* Finds further rows in about max_bytes (0: all). *done: the end of the file was reached. cancel may be NULL. */
enum bt_status bt_table_scan(struct bt_table *t, size_t max_bytes, const atomic_bool *cancel, bool *done,
                             struct bt_error *err);
size_t bt_table_rows(const struct bt_table *t); /* known so far, the header not counted; any thread */
double
bt_table_progress(const struct bt_table *t); /* share of the file that was scanned, [0, 1]; any thread */
bool bt_table_complete(const struct bt_table *t);

/* One row. Zero-initialise; memory is reused; bt_row_free() releases. A ragged row has n ≠ bt_table_columns(). */
struct bt_row {
    char **cell;    /* [n], NUL-terminated at cell_n; raw bytes: clean before showing */
    size_t *cell_n; /* [n] */
    size_t n, cap;
    size_t line; /* of its first line in the file, from 1; 0 if not known */
    size_t mark_cell, mark,
        mark_n; /* bytes of a cell that the row is about, where the format says which: the aspect in its
                                       sentence, the first answer in its context; mark_n 0: none */
    struct bt_str text; /* private */
};
/* BT_NOTFOUND beyond the rows that are known. BT_INVALID: the record cannot be parsed (its raw bytes are then cell 0). */
enum bt_status bt_table_row(struct bt_table *t, size_t row, struct bt_row *r, struct bt_error *err);
void bt_row_free(struct bt_row *r);

/* Index of a column by name or number from 1; −1 if there is none. */
ptrdiff_t bt_table_find_column(const struct bt_table *t, const char *name);

struct bt_table_query {
    struct bt_row_filter *filter; /* the row fulfils it; else */
    struct bt_regex *regex;       /* it matches in any cell …; else */
    const char *needle;           /* these bytes stand in any cell … */
    ptrdiff_t column;             /* … or in this one; −1: any */
    bool whole;                   /* the needle is the whole cell */
};
/* The first row at or after from (backwards: at or before) that matches, among the known rows; looks at about max_bytes, and not much longer than
 * 2 ms if there is a limit. *row receives it
 * with BT_OK; BT_NOTFOUND: none up to *row, the place to go on from (bt_table_rows() or SIZE_MAX at the end). */
enum bt_status bt_table_search(struct bt_table *t, const struct bt_table_query *q, size_t from,
                               bool backwards, size_t max_bytes, const atomic_bool *cancel, size_t *row,
                               struct bt_error *err);

#endif
