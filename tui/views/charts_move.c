/* Moving about in the charts: the panel with the focus, the cursor, zoom and pan, the mouse. */
#include "tui/views/charts_view.h"

#include "tui/layout.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ZOOM = 0.75; /* of the width, for one step */
static const double PAN = 0.2;

struct plot_range charts_shown_x(const struct charts_view *s)
{
    return s->o.zoomed ? s->o.x : s->full;
}

struct charts_panel *charts_focused(const struct charts_view *s)
{
    return s->focus < s->n_shown ? s->shown[s->focus] : NULL;
}

struct charts_look *charts_focused_look(struct charts_view *s)
{
    struct charts_panel *p = charts_focused(s);
    return p ? charts_look(&s->looks, p->name) : NULL;
}

/* ── focus and cursor ── */

static bool focus_by(struct charts_view *s, long by)
{
    long to = (long)s->focus + by, last = (long)s->n_shown - 1;
    charts_set_focus(s, (size_t)(to < 0 ? 0 : to > last ? (last < 0 ? 0 : last) : to));
    return true;
}

/* Where a cursor begins: at the last point that is shown. */
static double cursor_start(const struct charts_view *s)
{
    struct plot_range x = charts_shown_x(s);
    struct charts_panel *p = charts_focused(s);
    double last = x.min;
    for (size_t i = 0; p && i < p->n; i++) {
        const struct charts_curve *c = &p->curve[i];
        if (!c->n) continue;
        double at = c->x[charts_at(c->x, c->n, x.max)];
        if (at > last) last = at;
    }
    return last;
}

bool charts_cursor(struct view *v, int count)
{
    struct charts_view *s = v->state;
    (void)count;
    s->o.at = cursor_start(s);
    s->o.cursor = !s->o.cursor && s->n_shown;
    return true;
}

/* The window follows a cursor that leaves it. */
static void keep_cursor_in(struct charts_view *s)
{
    bool log = s->o.log_x;
    if (!s->o.zoomed || (log && s->o.at <= 0)) return;
    double low = log ? log10(s->o.x.min) : s->o.x.min, high = log ? log10(s->o.x.max) : s->o.x.max;
    double at = log ? log10(s->o.at) : s->o.at;
    double by = at < low ? at - low : at > high ? at - high : 0;
    if (by != 0) charts_pan(&s->o.x, s->full, log, by / (high - low));
}

/* One column to the side, and at least to the next point. */
static bool move_cursor(struct view *v, int count)
{
    struct charts_view *s = v->state;
    struct charts_panel *p = charts_focused(s);
    if (!p) return false;
    if (!s->o.cursor) return charts_cursor(v, 1);
    const struct charts_place *place = NULL;
    for (size_t i = 0; i < s->n_places; i++)
        if (s->place[i].panel == p) place = &s->place[i];
    for (int i = 0; i < abs(count); i++) {
        double least = 0;
        if (place && place->area.width > 1) {
            int column = plot_column(&place->spec, &place->area, s->o.at) + (count < 0 ? -1 : 1);
            least = plot_x_at(&place->spec, &place->area, column) - s->o.at;
        }
        if (count < 0 && least >= 0) least = -1e-9;
        s->o.at = charts_next_x(p, s->o.at, least);
    }
    keep_cursor_in(s);
    return true;
}

bool charts_cursor_left(struct view *v, int count)
{
    return move_cursor(v, -count);
}

bool charts_cursor_right(struct view *v, int count)
{
    return move_cursor(v, count);
}

static bool cursor_to(struct charts_view *s, double at)
{
    if (!isfinite(at)) return false;
    s->o.cursor = true;
    s->o.at = at;
    keep_cursor_in(s);
    return true;
}

/* The best checkpoints, one run after the other. */
bool charts_cursor_best(struct view *v, int count)
{
    struct charts_view *s = v->state;
    double first = (double)NAN, next = (double)NAN;
    (void)count;
    for (size_t i = 0; i < s->data.n_runs; i++) {
        const struct charts_run *r = s->data.run[i];
        if (r->info.best < 0 || !r->reader || !bt_series_count(r->reader)) continue;
        double at = charts_step_on(r, s->o.axis, (double)r->info.best);
        if (!(at >= first)) first = at;
        if (s->o.cursor && at > s->o.at && !(at >= next)) next = at;
    }
    if (cursor_to(s, isnan(next) ? first : next)) return true;
    app_say(v->app, ROLE_WARN, "no run here has a best checkpoint yet");
    return true;
}

static bool cursor_to_end(struct charts_view *s, bool last)
{
    struct charts_panel *p = charts_focused(s);
    double at = (double)NAN;
    for (size_t i = 0; p && i < p->n; i++) {
        const struct charts_curve *c = &p->curve[i];
        if (!c->n) continue;
        double x = c->x[last ? c->n - 1 : 0];
        if (isnan(at) || (last ? x > at : x < at)) at = x;
    }
    return cursor_to(s, at);
}

/* ── keys that every view knows ── */

static bool alone_motion(struct view *v, int action, int count)
{
    struct charts_view *s = v->state;
    switch (action) {
    case ACT_LEFT:
        return charts_cursor_left(v, count);
    case ACT_RIGHT:
        return charts_cursor_right(v, count);
    case ACT_UP:
    case ACT_PAGE_UP:
        return focus_by(s, -count);
    case ACT_DOWN:
    case ACT_PAGE_DOWN:
        return focus_by(s, count);
    case ACT_HOME:
        return cursor_to_end(s, false);
    case ACT_END:
        return cursor_to_end(s, true);
    default:
        return false;
    }
}

bool charts_motion(struct view *v, int action, int count)
{
    struct charts_view *s = v->state;
    long page = s->page ? (long)s->page : 1;
    if (!s->n_shown) return false;
    if (v->zoom) return alone_motion(v, action, count);
    switch (action) {
    case ACT_LEFT:
        return focus_by(s, -count);
    case ACT_RIGHT:
        return focus_by(s, count);
    case ACT_UP:
        return focus_by(s, -(long)count * s->across);
    case ACT_DOWN:
        return focus_by(s, (long)count * s->across);
    case ACT_HOME:
        return focus_by(s, -(long)s->n_shown);
    case ACT_END:
        return focus_by(s, (long)s->n_shown);
    case ACT_HALF_UP:
    case ACT_PAGE_UP:
        return focus_by(s, -page * count);
    case ACT_HALF_DOWN:
    case ACT_PAGE_DOWN:
        return focus_by(s, page * count);
    default:
        return false;
    }
}

/* ── zoom and pan ── */

static bool zoom_x(struct charts_view *s, double share, double factor)
{
    struct plot_range x = charts_shown_x(s);
    s->o.zoomed = !charts_zoom(&x, s->full, s->o.log_x, share, factor);
    s->o.x = x;
    return true;
}

/* Around the cursor if it is seen, else around the middle. */
static double zoom_centre(const struct charts_view *s)
{
    struct plot_range x = charts_shown_x(s);
    bool log = s->o.log_x;
    if (!s->o.cursor || s->o.at < x.min || s->o.at > x.max || (log && s->o.at <= 0)) return 0.5;
    return log ? log10(s->o.at / x.min) / log10(x.max / x.min) : (s->o.at - x.min) / (x.max - x.min);
}

bool charts_zoom_x(struct view *v, int count)
{
    return zoom_x(v->state, zoom_centre(v->state), pow(ZOOM, count));
}

bool charts_unzoom_x(struct view *v, int count)
{
    return zoom_x(v->state, zoom_centre(v->state), pow(ZOOM, -count));
}

/* The y axis of a panel: what it shows, and what it would show of itself. */
static bool y_ranges(struct charts_view *s, struct charts_panel *p, const struct charts_look *look,
                     struct plot_range *shown, struct plot_range *full)
{
    struct charts_drawing d;
    struct charts_look all = {.log_y = look->log_y};
    struct charts_options o = s->o;
    o.clip = false;
    if (!charts_draw_panel(&s->data, p, &s->o, look, charts_shown_x(s), PLOT_ASCII, &d)) return false;
    *shown = d.spec.y;
    charts_drawing_free(&d);
    if (!charts_draw_panel(&s->data, p, &o, &all, charts_shown_x(s), PLOT_ASCII, &d)) return false;
    *full = d.spec.y;
    charts_drawing_free(&d);
    return true;
}

static bool change_y(struct charts_view *s, struct charts_panel *p, double share, double factor, double pan)
{
    struct plot_range y, full;
    struct charts_look *look = p ? charts_look(&s->looks, p->name) : NULL;
    if (!look || !y_ranges(s, p, look, &y, &full)) return false;
    if (factor != 1)
        look->zoomed = !charts_zoom(&y, full, look->log_y, share, factor);
    else if (look->zoomed)
        charts_pan(&y, full, look->log_y, pan);
    look->y = y;
    return true;
}

bool charts_zoom_y(struct view *v, int count)
{
    return change_y(v->state, charts_focused(v->state), 0.5, pow(ZOOM, count), 0);
}

bool charts_unzoom_y(struct view *v, int count)
{
    return change_y(v->state, charts_focused(v->state), 0.5, pow(ZOOM, -count), 0);
}

static bool pan_x(struct view *v, double share)
{
    struct charts_view *s = v->state;
    if (s->o.zoomed)
        charts_pan(&s->o.x, s->full, s->o.log_x, share);
    else
        app_say(v->app, ROLE_TEXT, "all of the axis is shown: + zooms in");
    return true;
}

static bool pan_y(struct view *v, double share)
{
    struct charts_look *look = charts_focused_look(v->state);
    if (look && !look->zoomed) app_say(v->app, ROLE_TEXT, "all of the axis is shown: > zooms in");
    return change_y(v->state, charts_focused(v->state), 0, 1, share);
}

bool charts_pan_left(struct view *v, int count)
{
    return pan_x(v, -PAN * count);
}

bool charts_pan_right(struct view *v, int count)
{
    return pan_x(v, PAN * count);
}

bool charts_pan_up(struct view *v, int count)
{
    return pan_y(v, PAN * count);
}

bool charts_pan_down(struct view *v, int count)
{
    return pan_y(v, -PAN * count);
}

bool charts_reset(struct view *v, int count)
{
    struct charts_view *s = v->state;
    (void)count;
    s->o.zoomed = false;
    for (size_t i = 0; i < s->looks.n; i++) s->looks.look[i].zoomed = false;
    return true;
}

/* ── the mouse ── */

static struct charts_place *place_at(struct charts_view *s, int y, int x)
{
    for (size_t i = 0; i < s->n_places; i++)
        if (layout_in(s->place[i].box, y, x)) return &s->place[i];
    return NULL;
}

static void focus_panel(struct charts_view *s, const struct charts_panel *p)
{
    for (size_t i = 0; i < s->n_shown; i++)
        if (s->shown[i] == p) charts_set_focus(s, i);
}

/* Over the plot and below it the wheel zooms the x axis around the pointer, left of it the y axis. */
static void wheel(struct charts_view *s, const struct charts_place *p, const struct event *e)
{
    double factor = e->button == MOUSE_WHEEL_UP ? ZOOM : 1 / ZOOM;
    int column = e->x - p->plot.x - p->area.left, row = e->y - p->plot.y - p->area.top;
    if (column < 0)
        change_y(s, p->panel, 1 - (row + 0.5) / (p->area.height > 0 ? p->area.height : 1), factor, 0);
    else
        zoom_x(s, (column + 0.5) / (p->area.width > 0 ? p->area.width : 1), factor);
}

static void drag(struct charts_view *s, const struct charts_place *p, const struct event *e)
{
    if (s->o.zoomed && p->area.width > 0)
        charts_pan(&s->o.x, s->full, s->o.log_x, (double)(s->drag_x - e->x) / p->area.width);
    if (p->area.height > 0) change_y(s, p->panel, 0, 1, (double)(e->y - s->drag_y) / p->area.height);
    s->drag_y = e->y;
    s->drag_x = e->x;
}

static void click(struct view *v, const struct charts_place *p, const struct event *e)
{
    struct charts_view *s = v->state;
    int column = e->x - p->plot.x - p->area.left;
    focus_panel(s, p->panel);
    s->drag_y = e->y;
    s->drag_x = e->x;
    if (e->twice) {
        v->zoom = !v->zoom;
    } else if (column >= 0 && column < p->area.width && e->y > p->box.y) {
        s->o.cursor = true;
        s->o.at = plot_x_at(&p->spec, &p->area, column);
    }
}

bool charts_mouse(struct view *v, const struct event *e)
{
    struct charts_view *s = v->state;
    if (s->batch.open) return charts_batch_mouse(v, e);
    if (!charts_update(v)) return false;
    struct charts_place *p = place_at(s, e->y, e->x);
    if (!p) return false;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
        wheel(s, p, e);
    else if (e->button == MOUSE_RIGHT)
        s->o.cursor = false;
    else if (e->button != MOUSE_LEFT || e->release)
        return e->release;
    else if (e->drag)
        drag(s, p, e);
    else
        click(v, p, e);
    app_redraw(v->app);
    return true;
}
