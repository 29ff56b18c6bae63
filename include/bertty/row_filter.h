/* Filters of a table's rows, as a person writes them:
 *
 *     label = pos and length(text) > 200        score >= 0.5 or not text ~ /re/i        `my column` != "a b"        "anywhere"
 *
 * Comparisons are = != < <= > >= and ~ !~ (matches /re/, holds "text"); and, or, not, parentheses join them; length(column) counts
 * characters, pieces(column) word pieces. A word is the column of that name (or `in backquotes`, or a number of columns without
 * names); right of a comparison a word that is no column is text. Two numbers are compared as numbers, all else by code points; what is compared with a
 * number and is none is never equal, less or greater. A text or an expression alone is looked for in all cells. */
#ifndef BERTTY_ROW_FILTER_H
#define BERTTY_ROW_FILTER_H

#include <bertty/dataset.h>
#include <bertty/error.h>
#include <bertty/num.h>
#include <bertty/str.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_table;
struct bt_row;
struct bt_row_filter;

/* Columns are those of the table, which need not live on. *at (or NULL): byte where the mistake stands. The caller frees *out. A
 * filter belongs to one thread at a time. */
enum bt_status bt_row_filter_parse(const char *text, const struct bt_table *t, struct bt_row_filter **out,
                                   size_t *at, struct bt_error *err);
/* The same for rows that are no table's: their cells in the order of the names, which need not live on either. */
enum bt_status bt_row_filter_parse_names(const char *text, const char *const *name, size_t columns,
                                         struct bt_row_filter **out, size_t *at, struct bt_error *err);
void bt_row_filter_free(struct bt_row_filter *f); /* NULL is fine */
/* Whether it looks at a column's cells: others need not be there. */
bool bt_row_filter_reads(const struct bt_row_filter *f, size_t column);

/* Whether it asks for word pieces: then it needs something that counts them, before it is used. */
bool bt_row_filter_needs_pieces(const struct bt_row_filter *f);
typedef size_t bt_row_pieces_fn(void *ctx, const char *text, size_t n);
void bt_row_filter_pieces(struct bt_row_filter *f, bt_row_pieces_fn *fn, void *ctx);

bool bt_row_filter_holds(struct bt_row_filter *f, const struct bt_row *r);

/* The cells of rows that are no table's, those alone that the filter reads. Zero-initialise, bt_filter_cells_for(), then for each row
 * put every cell and ask; texts are borrowed until then. */
enum { BT_FILTER_CELLS = 16 };
struct bt_filter_cells {
    struct bt_row_filter *filter; /* the caller's */
    size_t columns;
    char *cell[BT_FILTER_CELLS];
    size_t size[BT_FILTER_CELLS];
    bool reads[BT_FILTER_CELLS];
    char number[BT_FILTER_CELLS][BT_NUMBER_SIZE];
};
void bt_filter_cells_for(struct bt_filter_cells *c, struct bt_row_filter *f, size_t columns);
void bt_filter_cells_text(struct bt_filter_cells *c, size_t column, const char *text,
                          size_t n);                                             /* NULL: "" */
void bt_filter_cells_number(struct bt_filter_cells *c, size_t column, double x); /* NaN: "" */
/* An example's text (words: those of a sentence, a space between) and its second text; x NULL: "". scratch holds the words. */
void bt_filter_cells_example(struct bt_filter_cells *c, size_t text, size_t pair, const struct bt_example *x,
                             bool words, struct bt_str *scratch);
bool bt_filter_cells_hold(const struct bt_filter_cells *c);
/* Texts on which an expression took too long and was given up (as if it did not match). */
size_t bt_row_filter_gave_up(const struct bt_row_filter *f);

#endif
