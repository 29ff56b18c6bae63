/* A list to choose from, with a line that filters it. */
#include "tui/app_private.h"
#include "tui/layout.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 100 };

struct choice {
    char *title, **item;
    size_t n;
    size_t *shown; /* indexes of the items that pass the filter: list.n of them */
    struct edit *filter;
    struct list list;
    struct rect at; /* of the last drawing */
    void (*done)(void *ctx, int index);
    void *ctx;
};

static void choice_free(struct choice *c)
{
    if (!c) return;
    for (size_t i = 0; c->item && i < c->n; i++) free(c->item[i]);
    free(c->item);
    free(c->shown);
    free(c->title);
    edit_free(c->filter);
    free(c);
}

static void choice_end(struct app *a, int index)
{
    struct choice *c = overlay_take(a);
    c->done(c->ctx, index);
    choice_free(c);
}

static void choice_drop(struct app *a)
{
    choice_end(a, -1);
}

static void accept(struct app *a)
{
    struct choice *c = a->overlay_state;
    if (c->list.n) choice_end(a, (int)c->shown[c->list.cursor]);
}

static void filter_items(struct choice *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (strcasestr(c->item[i], edit_text(c->filter))) c->shown[n++] = i;
    c->list.cursor = c->list.top = 0;
    list_resize(&c->list, n);
}

static int motion_of(int32_t key)
{
    switch (key) {
    case KEY_CODE_UP:
    case KEY_CTRL('p'):
        return ACT_UP;
    case KEY_CODE_DOWN:
    case KEY_CTRL('n'):
        return ACT_DOWN;
    case KEY_CODE_PAGE_UP:
        return ACT_PAGE_UP;
    case KEY_CODE_PAGE_DOWN:
        return ACT_PAGE_DOWN;
    default:
        return ACT_NONE;
    }
}

static void choice_key(struct app *a, const struct event *e)
{
    struct choice *c = a->overlay_state;
    bool changed;
    int motion = e->kind == EVENT_KEY ? motion_of(e->key) : ACT_NONE;
    if (e->kind == EVENT_KEY && event_gives_up(e))
        choice_end(a, -1);
    else if (e->kind == EVENT_KEY && e->key == KEY_CODE_ENTER)
        accept(a);
    else if (motion != ACT_NONE)
        list_act(&c->list, motion, 1);
    else if (edit_key(c->filter, e, &changed) && changed)
        filter_items(c);
}

static void choice_cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    struct choice *c = ctx;
    (void)column;
    (void)role;
    bt_str_add(out, c->item[c->shown[row]]);
}

static const struct list_column choice_columns[] = {{.min = 8}};

static struct list_look choice_look(struct choice *c)
{
    return (struct list_look){.column = choice_columns,
                              .n_columns = 1,
                              .sorted = -1,
                              .focused = true,
                              .cell = choice_cell,
                              .ctx = c};
}

static void choice_mouse(struct app *a, const struct event *e)
{
    struct choice *c = a->overlay_state;
    struct list_look look = choice_look(c);
    bool activated, press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    int title;
    if (press && !layout_in(c->at, e->y, e->x))
        choice_end(a, -1);
    else if (edit_click(c->filter, e))
        return;
    else if (list_mouse(&c->list, e, &look, &activated, &title) && activated)
        accept(a);
}

static struct rect choice_rect(const struct choice *c, struct rect screen)
{
    int w = bt_text_width(c->title, strlen(c->title)) + 8, h = (int)c->n + 3;
    for (size_t i = 0; i < c->n; i++) {
        int width = bt_text_width(c->item[i], strlen(c->item[i])) + 4;
        if (width > w) w = width;
    }
    if (w < 30) w = 30;
    if (w > MAX_WIDTH) w = MAX_WIDTH;
    if (w > screen.w - 2) w = screen.w - 2;
    if (h > screen.h - 4) h = screen.h - 4;
    return (struct rect){.y = (screen.h - h) / 2, .x = (screen.w - w) / 2, .h = h, .w = w};
}

static void choice_draw(struct app *a, struct rect screen)
{
    struct choice *c = a->overlay_state;
    struct rect r = choice_rect(c, screen);
    struct list_look look = choice_look(c);
    c->at = r;
    term_fill(a->term, r, ROLE_TEXT, ' ');
    struct rect in = term_box(a->term, r, c->title, true), line = in, rows = in;
    line.h = 1;
    rows.y++;
    rows.h--;
    rows.x++;
    rows.w -= 2;
    line.x += 1 + term_print(a->term, line, 0, 1, ROLE_KEY, "/ ");
    line.w -= 4;
    edit_draw(c->filter, a->term, line, ROLE_TEXT, true);
    list_draw(a->term, rows, &c->list, &look);
    if (!c->list.n) term_print(a->term, rows, 0, 0, ROLE_DIM, "nothing matches");
}

static const struct overlay choice_overlay = {
    .draw = choice_draw, .key = choice_key, .mouse = choice_mouse, .paste = choice_key, .drop = choice_drop};

void app_choose(struct app *a, const char *title, const char *const *items, size_t n,
                void (*done)(void *ctx, int index), void *ctx)
{
    struct choice *c = calloc(1, sizeof *c);
    bool good = c && (c->title = bt_strdup(title)) && (c->item = calloc(n + 1, sizeof *c->item)) &&
                (c->shown = calloc(n + 1, sizeof *c->shown)) && (c->filter = edit_new(false));
    for (; good && c->n < n; c->n++) good = (c->item[c->n] = bt_strdup(items[c->n])) != NULL;
    if (!good) {
        choice_free(c);
        done(ctx, -1);
        return;
    }
    c->done = done;
    c->ctx = ctx;
    filter_items(c);
    overlay_open(a, &choice_overlay, c);
}
