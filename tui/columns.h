/* What the columns of a table hold, seen from its first rows, and which of them are likely the text and the label. */
#ifndef TUI_COLUMNS_H
#define TUI_COLUMNS_H

#include <bertty/table.h>

enum column_kind {
    COLUMN_EMPTY,
    COLUMN_INTEGER,
    COLUMN_NUMBER,
    COLUMN_VALUES, /* a few values that come again and again, not all of them numbers */
    COLUMN_TEXT,
};

struct column {
    enum column_kind kind;
    size_t filled;   /* rows whose cell is not empty */
    size_t distinct; /* different cells; COLUMNS_DISTINCT: that many or more */
    double bytes;    /* mean length of a filled cell */
};

enum { COLUMNS_ROWS = 1000, COLUMNS_DISTINCT = 51 };

/* The caller frees *out, which has bt_table_columns() entries, with free(). Rows that cannot be read are passed over. */
enum bt_status columns_look(struct bt_table *t, struct column **out, struct bt_error *err);
/* "text", "3 values", "integer, 2 values", …: into out, cut if need be. */
void column_describe(const struct column *c, char *out, size_t size);

struct column_guess {
    ptrdiff_t text, pair, label; /* −1: none, or no telling */
};
struct column_guess columns_guess(const struct bt_table *t, const struct column *c);

#endif
