/* Borders between panes: where they are, and how the mouse and keys move them. */
#include "tui/app_private.h"
#include "tui/layout.h"
#include <string.h>

/* A pane that the user has made small; without a wish the view's own minima hold. */
enum { LEAST_COLUMNS = 24, LEAST_ROWS = 4, COLUMNS_AT_ONCE = 2 };

static int least(const struct border *b, int usual)
{
    int most = b->rows ? LEAST_ROWS : LEAST_COLUMNS;
    return usual < most ? usual : most;
}

/* own: the share that the user gave the first part, or 0. */
static void split(const struct border *b, int own, struct rect r, struct rect *first, struct rect *second)
{
    int min_first = own ? least(b, b->min_first) : b->min_first;
    int min_second = own ? least(b, b->min_second) : b->min_second;
    (b->rows ? layout_rows : layout_columns)(r, own ? own : b->share, min_first, min_second, first, second);
}

void app_split(struct view *v, const struct border *b, struct rect r, struct rect *first, struct rect *second)
{
    struct app *a = v->app;
    split(b, v->share[b->number], r, first, second);
    if (a->n_borders < MAX_BORDERS)
        a->border[a->n_borders++] = (struct drawn_border){.is = *b, .area = r, .second = *second};
}

/* ── moving ── */

/* The first part gets so many cells, if both then have enough. */
static void give_first(struct view *v, struct drawn_border *d, int cells)
{
    int length = d->is.rows ? d->area.h : d->area.w;
    int most = length + 1 - least(&d->is, d->is.min_second), fewest = least(&d->is, d->is.min_first);
    if (cells > most) cells = most;
    if (cells < fewest) cells = fewest;
    v->share[d->is.number] = layout_share(length, cells);
    split(&d->is, v->share[d->is.number], d->area, &(struct rect){.h = 0},
          &d->second); /* more keys may come before the next frame */
}

static int cells_of_first(const struct drawn_border *d)
{
    return d->is.rows ? d->second.y - d->area.y + 1 : d->second.x - d->area.x + 1;
}

/* The innermost border of the focused pane; NULL: it has none. */
static struct drawn_border *border_of_focus(struct app *a)
{
    unsigned pane = 1U << a->view[a->front].focus;
    for (int i = a->n_borders; i-- > 0;)
        if ((a->border[i].is.first | a->border[i].is.second) & pane) return &a->border[i];
    return NULL;
}

void border_act(struct app *a, int action, int count)
{
    struct view *v = app_front(a);
    struct drawn_border *d = border_of_focus(a);
    if (action == ACT_USUAL_SIZE) {
        memset(v->share, 0, sizeof v->share);
        return;
    }
    if (!d) {
        app_say(a, ROLE_DIM, "%s", "no border to move: the pane stands alone");
        return;
    }
    long by = (long)count * (d->is.rows ? 1 : COLUMNS_AT_ONCE), length = d->is.rows ? d->area.h : d->area.w;
    if (by > length) by = length;
    bool in_first = d->is.first & 1U << v->focus;
    give_first(v, d, cells_of_first(d) + (int)((action == ACT_LARGER) == in_first ? by : -by));
}

/* ── the mouse ── */

static bool on_border(const struct drawn_border *d, const struct event *e)
{
    struct rect line = d->second;
    if (d->is.rows)
        line.h = 1;
    else
        line.w = 1;
    return layout_in(line, e->y, e->x);
}

static const struct drawn_border *border_at(const struct app *a, const struct event *e)
{
    for (int i = a->n_borders; i-- > 0;)
        if (on_border(&a->border[i], e)) return &a->border[i];
    return NULL;
}

static void drag_to(struct app *a, const struct event *e)
{
    struct drawn_border *d = &a->held;
    give_first(app_front(a), d, d->is.rows ? e->y - d->area.y + 1 : e->x - d->area.x + 1);
}

/* Pressed and let go where it was: a click, which is the view's. */
static void let_go(struct app *a, const struct event *e)
{
    const struct view *v = app_front(a);
    struct event press = *e;
    press.release = false;
    press.button = MOUSE_LEFT;
    a->holding = false;
    if (!a->moved && v->ops->mouse) v->ops->mouse(app_front(a), &press);
}

bool border_mouse(struct app *a, const struct event *e)
{
    if (a->holding && (e->release || e->drag)) {
        if (e->release)
            let_go(a, e);
        else
            drag_to(a, e);
        a->moved = true;
        return true;
    }
    if (e->button != MOUSE_LEFT || e->release || e->drag) return false;
    const struct drawn_border *d = border_at(a, e);
    a->holding = d && !e->twice;
    a->moved = false;
    if (!d) return false;
    if (e->twice)
        app_front(a)->share[d->is.number] = 0;
    else
        a->held = *d;
    return true;
}
