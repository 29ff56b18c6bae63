/* The data map in the Predictions view (<bertty/data_map.h>): a scatter of the training rows whose cells open them.
 *
 * predictions_map.c (state, keys), predictions_map_draw.c, predictions_map_plot.c (the scatter). */
#ifndef TUI_VIEWS_PREDICTIONS_MAP_H
#define TUI_VIEWS_PREDICTIONS_MAP_H

#include "tui/views/predictions_view.h"
#include <bertty/data_map.h>

enum pred_map_order {
    MAP_BY_ROW,
    MAP_BY_CONFIDENCE,
    MAP_BY_VARIABILITY,
    MAP_BY_CORRECTNESS,
    MAP_BY_FORGOTTEN,
    MAP_ORDERS
};

/* Rows of variability [from_x, to_x) and confidence [from_y, to_y); the last cell of an axis holds its end too. */
struct pred_map_box {
    double from_x, to_x, from_y, to_y;
};

/* The plot as cells: counts[row * w + column], the first row at the top. */
struct pred_map_grid {
    int w, h;
    uint32_t *count;
    unsigned char *region; /* of most of its rows */
};

struct pred_map {
    bool loading, again;
    struct bt_map *m; /* NULL: err says why */
    struct bt_error err;
    struct bt_texts *texts;
    struct pred_map_grid grid;
    int x, y;    /* the plot's cursor */
    bool placed; /* … has been put somewhere */
    bool boxed;  /* only rows of the box */
    struct pred_map_box box;
    int region; /* only its rows; −1: all */
    enum pred_map_order order;
    bool reversed;
    size_t *index, n;
    struct list list;
    struct sheet detail;
    size_t detail_row;
    struct rect at[PRED_PANES], plot_at;
    char owner_load;
};

/* predictions_map.c */
void pred_map_load(struct view *v);
void pred_map_forget(struct pred_view *s);
bool pred_map_act(struct view *v, int action, int count); /* false: Esc that leaves the map, too */
bool pred_map_mouse(struct view *v, const struct event *e);
void pred_map_hints(const struct view *v, struct bt_str *out);
const struct bt_map_row *pred_map_row(const struct pred_map *m); /* the list's cursor; NULL: none */
const struct bt_example *pred_map_example(const struct pred_map *m, const struct bt_map_row *r);
/* predictions_map_draw.c */
void pred_map_draw(struct view *v, struct rect area);
struct list_look pred_map_look(const struct view *v);
/* predictions_map_plot.c */
void pred_map_plot(struct view *v, struct rect area);
/* The box of a cell. */
struct pred_map_box pred_map_cell(const struct pred_map_grid *g, int x, int y);
bool pred_map_in(const struct pred_map_box *b, const struct bt_map_row *r);
/* Counts anew for a plot of w × h cells. False: no memory. */
bool pred_map_count(struct pred_map_grid *g, const struct bt_map *m, int w, int h);
void pred_map_grid_free(struct pred_map_grid *g);
/* The sign of a cell: 1 … 9, + ten and more, # a hundred and more, @ a thousand and more. */
uint32_t pred_map_sign(uint32_t count);

#endif
