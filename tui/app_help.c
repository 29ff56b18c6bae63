/* The keys of the view in front and of the workbench. */
#include "tui/app_private.h"
#include "tui/sheet.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LINES = 256,
    MAX_ROWS = 512,
    KEYS_WIDTH = 16,
    TWO_COLUMNS_FROM = 110,
    COLUMN = 74,
    BESIDE_PAGE = 5,
    BESIDE = 8
};

struct help_line {
    const char *heading; /* or an action */
    const struct action *action;
    const struct view_ops *view; /* whose it is; NULL: common */
};

struct help {
    struct help_line line[MAX_LINES];
    int n, top, page;
};

static void add(struct help *h, struct help_line line)
{
    if (h->n < MAX_LINES) h->line[h->n++] = line;
}

/* A shared action that does nothing in the view, or that the view has a key and a help of its own for. */
static bool idle(const struct view_ops *front, int action)
{
    const bool panes = action == ACT_NEXT_PANE || action == ACT_PREVIOUS_PANE || action == ACT_ZOOM ||
                       action == ACT_LARGER || action == ACT_SMALLER || action == ACT_USUAL_SIZE;
    if (panes && front->panes < 2) return true;
    for (const int *a = front->idle; a && *a != ACT_NONE; a++)
        if (*a == action) return true;
    for (size_t i = 0; i < front->n_actions; i++)
        if (front->actions[i].id == action) return true;
    return false;
}

static void add_actions(struct help *h, const struct view_ops *front, const struct view_ops *view,
                        const struct action *actions, size_t n)
{
    const char *group = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!view && idle(front, actions[i].id)) continue;
        const char *of = actions[i].group ? actions[i].group : view ? view->name : "";
        if (!group || strcmp(group, of) != 0) {
            if (h->n) add(h, (struct help_line){.heading = ""});
            add(h, (struct help_line){.heading = group = of});
        }
        add(h, (struct help_line){.action = &actions[i], .view = view});
    }
}

static void add_signs(struct help *h, const struct action *sign)
{
    if (!sign) return;
    add(h, (struct help_line){.heading = ""});
    add(h, (struct help_line){.heading = "Marks"});
    for (; sign->keys; sign++) add(h, (struct help_line){.action = sign});
}

/* A row of the screen: a heading, or a part of an action's help. */
struct help_row {
    int line;
    size_t at, n; /* of the help's text */
};

struct help_rows {
    struct help_row row[MAX_ROWS];
    int n;
};

/* Long help goes on in the rows below. */
static void break_line(const struct help *h, int line, int width, struct help_rows *out)
{
    const struct help_line *l = &h->line[line];
    const char *text = l->heading ? "" : l->action->help;
    size_t n = strlen(text), at = 0;
    do {
        size_t fit = sheet_fit(text + at, n - at, width);
        if (out->n < MAX_ROWS) out->row[out->n++] = (struct help_row){.line = line, .at = at, .n = fit};
        at += fit;
    } while (at < n);
}

static void draw_row(struct app *a, struct rect cell, const struct help *h, const struct help_row *row)
{
    const struct help_line *l = &h->line[row->line];
    if (l->heading) {
        term_text(a->term, cell, 0, 0, ROLE_TITLE, l->heading, strlen(l->heading));
        return;
    }
    term_text(a->term, cell, 0, KEYS_WIDTH, ROLE_TEXT, l->action->help + row->at, row->n);
    if (row->at) return;
    struct bt_str keys = {0};
    struct rect left = cell;
    left.w = KEYS_WIDTH - 1;
    if (l->action->id == ACT_NONE)
        bt_str_add(&keys, l->action->keys);
    else
        keymap_keys(a->keys, l->view, l->action->id, &keys);
    term_text(a->term, left, 0, 1, ROLE_KEY, bt_str_text(&keys), keys.len);
    bt_str_free(&keys);
}

static void draw_columns(struct app *a, struct rect in, struct help *h, const struct help_rows *all,
                         int columns)
{
    int rows = (all->n + columns - 1) / columns, part = in.w / columns;
    for (int c = 0; c < columns; c++) {
        for (int i = 0; i < h->page && h->top + i < rows; i++) {
            int at = c * rows + h->top + i;
            struct rect cell = {.y = in.y + i, .x = in.x + c * part + 1, .h = 1, .w = part - 2};
            if (at < all->n) draw_row(a, cell, h, &all->row[at]);
        }
    }
}

static void help_draw(struct app *a, struct rect screen)
{
    struct help *h = a->overlay_state;
    struct help_rows all = {0};
    int columns = screen.w >= TWO_COLUMNS_FROM ? 2 : 1;
    int w = columns * COLUMN + 4;
    if (w + BESIDE > screen.w) w = screen.w; /* no slivers of what lies beneath */
    for (int i = 0; i < h->n; i++) break_line(h, i, (w - 2) / columns - 2 - KEYS_WIDTH, &all);
    int rows = (all.n + columns - 1) / columns;
    int height = rows + 3 < screen.h - 2 ? rows + 3 : screen.h - 2;
    struct rect r = {.y = (screen.h - height) / 2, .x = (screen.w - w) / 2, .h = height, .w = w};
    term_fill(a->term, r, ROLE_TEXT, ' ');
    struct rect in = term_box(a->term, r, "Keys", true);
    h->page = in.h - 1;
    int most = rows > h->page ? rows - h->page : 0;
    if (h->top > most) h->top = most;
    draw_columns(a, in, h, &all, columns);
    bool more = h->top < most;
    term_print(a->term, in, in.h - 1, 1, ROLE_DIM, "%s0 begins a count: 012j · other keys close",
               more ? "j ↓ more · " : "");
}

static void scroll(struct help *h, int by)
{
    h->top += by;
    if (h->top < 0) h->top = 0;
}

static void help_key(struct app *a, const struct event *e)
{
    struct help *h = a->overlay_state;
    switch (keymap_find(a->keys, NULL, e)) {
    case ACT_UP:
        scroll(h, -1);
        break;
    case ACT_DOWN:
        scroll(h, 1);
        break;
    case ACT_PAGE_UP:
    case ACT_HALF_UP:
        scroll(h, -h->page);
        break;
    case ACT_PAGE_DOWN:
    case ACT_HALF_DOWN:
        scroll(h, h->page);
        break;
    case ACT_HOME:
        h->top = 0;
        break;
    case ACT_END:
        h->top = h->n;
        break;
    default:
        free(overlay_take(a));
    }
}

static void help_mouse(struct app *a, const struct event *e)
{
    struct help *h = a->overlay_state;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
        scroll(h, e->button == MOUSE_WHEEL_UP ? -3 : 3);
    else if (e->button == MOUSE_LEFT && !e->release && !e->drag)
        free(overlay_take(a));
}

static void help_drop(struct app *a)
{
    free(overlay_take(a));
}

static const struct overlay help_overlay = {
    .draw = help_draw, .key = help_key, .mouse = help_mouse, .drop = help_drop};

void help_open(struct app *a)
{
    struct help *h = calloc(1, sizeof *h);
    const struct view_ops *ops = app_front(a)->ops;
    size_t n;
    int rows, columns;
    if (!h) return;
    /* Keys may come before the first drawing, which says what a page is. */
    term_size(a->term, &rows, &columns);
    h->page = rows > BESIDE_PAGE ? rows - BESIDE_PAGE : 1;
    add_actions(h, ops, ops, ops->actions, ops->n_actions);
    add_signs(h, ops->signs);
    const struct action *common = keymap_common(&n);
    add_actions(h, ops, NULL, common, n);
    overlay_open(a, &help_overlay, h);
}
