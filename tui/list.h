/* A list of rows with a cursor: geometry, motions and drawing; the rows themselves belong to the caller. */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include "tui/term.h"
#include "tui/view.h"
#include <bertty/str.h>

struct list {
    size_t n, cursor, top;
    int left;       /* columns scrolled to the right, in columns that take what is left */
    int wide;       /* how many columns of them the last drawing had to hide */
    int page;       /* rows that the last drawing showed */
    struct rect at; /* where: for the mouse */
};

struct list_column {
    const char *title; /* NULL in all columns: no header line */
    int min, max;      /* width; max 0: takes what is left (shared by all such columns) */
    bool right;        /* aligned to the right */
    bool end;          /* of a text that is too long the end is shown, not the beginning */
    int drop;          /* > 0: left out when there is no room, the greatest first */
};

/* Appends the text of a cell (raw: it is cleaned when shown) and may change *role. */
typedef void list_cell_fn(void *ctx, size_t row, int column, struct bt_str *out, enum role *role);

/* sorted: column with an arrow in its title, −1: none; descending: its direction. */
struct list_look {
    const struct list_column *column;
    int n_columns;
    int sorted;
    bool descending;
    bool focused;
    list_cell_fn *cell;
    void *ctx;
};
void list_draw(struct term *t, struct rect r, struct list *l, const struct list_look *look);

/* Motions (ACT_UP … ACT_HALF_DOWN, ACT_HOME, ACT_END; sideways only where text is hidden); false: another action. HOME and END with a
 * count: that row. */
bool list_act(struct list *l, int action, int count);
/* Wheel and clicks; true: taken. *activated: a double click on the cursor's row; *title: the column whose title was clicked, −1: none. */
bool list_mouse(struct list *l, const struct event *e, const struct list_look *look, bool *activated,
                int *title);
/* The number of rows changed: keeps cursor and top within. */
void list_resize(struct list *l, size_t n);

#endif
