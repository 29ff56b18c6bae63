#include "tui/views/charts_scale.h"

#include <bertty/str.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL_WIDTH = 38, PANEL_HEIGHT = 9, LEAST_WIDTH = 16, LEAST_HEIGHT = 6, NICE_TICKS = 6 };

/* ── looks ── */

struct charts_look *charts_look(struct charts_looks *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->look[i].name, name) == 0) return &l->look[i];
    struct charts_look *more = realloc(l->look, (l->n + 1) * sizeof *more);
    if (!more) return NULL;
    l->look = more;
    more[l->n] = (struct charts_look){.name = bt_strdup(name)};
    return more[l->n].name ? &more[l->n++] : NULL;
}

void charts_looks_free(struct charts_looks *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->look[i].name);
    free(l->look);
    *l = (struct charts_looks){0};
}

/* ── which panels, where ── */

size_t charts_filter(const struct charts *c, struct bt_regex *pattern, struct charts_panel **shown)
{
    size_t n = 0, begin, end;
    for (size_t i = 0; i < c->n_panels; i++) {
        const char *name = c->panel[i].name;
        if (!pattern || bt_regex_find(pattern, name, strlen(name), 0, &begin, &end) == BT_MATCH_FOUND)
            shown[n++] = &c->panel[i];
    }
    return n;
}

static int limited(int v, int low, int high)
{
    return v > high ? high : v < low ? low : v;
}

void charts_grid(int width, int height, size_t n, int *columns, int *rows)
{
    int most = n < 64 ? (int)n : 64;
    if (most < 1) most = 1;
    if (!*columns) *columns = limited(width / PANEL_WIDTH, 1, 4);
    *columns = limited(*columns, 1, most);
    *columns = limited(*columns, 1, width / LEAST_WIDTH > 0 ? width / LEAST_WIDTH : 1);
    if (!*rows) *rows = limited(height / PANEL_HEIGHT, 1, 4);
    *rows = limited(*rows, 1, (most + *columns - 1) / *columns);
    *rows = limited(*rows, 1, height / LEAST_HEIGHT > 0 ? height / LEAST_HEIGHT : 1);
}

/* ── ranges ── */

static double to_scale(double v, bool log)
{
    return log ? log10(v) : v;
}

static double from_scale(double v, bool log)
{
    return log ? pow(10, v) : v;
}

/* x never decreases within a curve: the first usable one and the last one are the ends. */
static void widen(struct plot_range *r, const struct charts_curve *curve, bool log)
{
    size_t i = 0;
    if (curve->run->info.baseline) return; /* it stands at every x */
    while (i < curve->n && !(isfinite(curve->x[i]) && (!log || curve->x[i] > 0))) i++;
    if (i == curve->n || !isfinite(curve->x[curve->n - 1])) return;
    if (curve->x[i] < r->min) r->min = curve->x[i];
    if (curve->x[curve->n - 1] > r->max) r->max = curve->x[curve->n - 1];
}

/* The next of 1, 1.5, 2, 3, 4, 6, 8, 10, …: an axis that grows in big steps is seldom drawn anew. */
static double coarse(double v)
{
    static const double factor[] = {1, 1.5, 2, 3, 4, 6, 8};
    double decade = pow(10, floor(log10(v)));
    for (size_t i = 0; i < sizeof factor / sizeof *factor; i++)
        if (v <= factor[i] * decade * (1 + 1e-9)) return factor[i] * decade;
    return 10 * decade;
}

/* How far the axis goes beyond the last point: not at all if all runs are over, at most to the last step that is to come. */
static double end_of(struct charts_panel *const *panel, size_t n, const struct charts_options *o, double last)
{
    bool over = true;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < panel[i]->n; k++) {
            const struct charts_info *info = &panel[i]->curve[k].run->info;
            if (info->baseline) continue;
            over &= !info->live && info->total > 0;
            if ((double)info->total > total) total = (double)info->total;
        }
    double end = over ? last : coarse(last);
    return o->axis == CHARTS_STEP && total >= last && end > total ? total : end;
}

struct plot_range charts_extent(struct charts_panel *const *panel, size_t n, const struct charts_options *o)
{
    struct plot_range r = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < panel[i]->n; k++) widen(&r, &panel[i]->curve[k], o->log_x);
    if (r.min > r.max) return (struct plot_range){.min = o->log_x ? 1 : 0, .max = o->log_x ? 10 : 1};
    if (o->axis == CHARTS_WALL && !o->log_x) return plot_nice(r, false, NICE_TICKS);
    if (r.max > 0) r.max = end_of(panel, n, o, r.max);
    if (!o->log_x && r.min > 0 && r.min < r.max / 2) r.min = 0;
    return r.min < r.max ? r : plot_nice(r, o->log_x, NICE_TICKS);
}

bool charts_zoom(struct plot_range *r, struct plot_range full, bool log, double share, double factor)
{
    double low = to_scale(r->min, log), high = to_scale(r->max, log);
    double first = to_scale(full.min, log), last = to_scale(full.max, log);
    double middle = low + share * (high - low), width = (high - low) * factor;
    double least = (last - first) * 1e-7;
    if (width < least) width = least;
    if (width >= (last - first) * (1 - 1e-9)) {
        *r = full;
        return true;
    }
    low = middle - share * width;
    if (low < first) low = first;
    if (low + width > last) low = last - width;
    *r = (struct plot_range){.min = from_scale(low, log), .max = from_scale(low + width, log)};
    return false;
}

void charts_pan(struct plot_range *r, struct plot_range full, bool log, double share)
{
    double low = to_scale(r->min, log), width = to_scale(r->max, log) - low;
    double first = to_scale(full.min, log), last = to_scale(full.max, log);
    low += share * width;
    if (low + width > last) low = last - width;
    if (low < first) low = first;
    *r = (struct plot_range){.min = from_scale(low, log), .max = from_scale(low + width, log)};
}

/* The first point of the curve at least so far to the right (the last one at least so far to the left), else its end. */
static double next_of(const struct charts_curve *c, double at, double least)
{
    double wanted = at + least;
    if (!c->n || c->run->info.baseline) return (double)NAN;
    size_t i = charts_at(c->x, c->n, wanted);
    if (least < 0) return c->x[i] < at ? c->x[i] : (double)NAN;
    if (c->x[i] < wanted && i + 1 < c->n) i++;
    return c->x[i] > at ? c->x[i] : (double)NAN;
}

double charts_next_x(const struct charts_panel *panel, double at, double least)
{
    double best = (double)NAN;
    for (size_t k = 0; k < panel->n; k++) {
        double x = next_of(&panel->curve[k], at, least);
        if (!isfinite(x)) continue;
        if (isnan(best) || fabs(x - at - least) < fabs(best - at - least)) best = x;
    }
    return isnan(best) ? at : best;
}

double charts_step_at(const struct charts_panel *panel, double at)
{
    const struct charts_curve *c = panel->n ? &panel->curve[0] : NULL;
    return c && c->n ? (double)c->series->step[charts_at(c->x, c->n, at)] : 0;
}

/* ── one panel ── */

struct plot_range charts_values(const struct plot_line *line, size_t n, struct plot_range x, bool log,
                                bool clip)
{
    struct plot_range r;
    if (!plot_values(line, n, x, log, clip, &r))
        return log ? (struct plot_range){.min = 0.1, .max = 1} : (struct plot_range){.min = 0, .max = 1};
    return plot_nice(r, log, 5);
}

static size_t add_lines(const struct charts_panel *panel, bool eval, struct plot_line *line)
{
    size_t n = 0;
    for (size_t i = 0; i < panel->n; i++) {
        const struct charts_curve *c = &panel->curve[i];
        if (c->eval != eval || !c->n) continue;
        struct plot_line one = {.x = c->x, .n = c->n, .colour = c->run->colour};
        one.dashed = eval;
        one.level = c->run->info.baseline;
        one.marked = true;
        one.y = c->smooth ? c->smooth : c->series->value;
        one.block = c->smooth ? c->smooth_blocks : c->blocks;
        line[n++] = one;
        if (!c->smooth) continue;
        one.y = c->series->value;
        one.block = c->blocks;
        one.faint = true;
        one.marked = false;
        line[n++] = one;
    }
    return n;
}

struct ticks {
    struct plot_event *event;
    size_t n;
    const struct charts_options *o;
};

static void add_tick(struct ticks *t, const struct charts_run *r, double step, uint32_t ch)
{
    double x = charts_step_on(r, t->o->axis, step);
    if (isfinite(x)) t->event[t->n++] = (struct plot_event){.x = x, .ch = ch};
}

static bool has_run(const struct charts_panel *panel, const struct charts_run *run)
{
    for (size_t i = 0; i < panel->n; i++)
        if (panel->curve[i].run == run) return true;
    return false;
}

/* Checkpoints, resumes, warnings and the best step, the last on top, of the runs that have a curve here. With several runs only their best
 * steps: the rest would be a thicket. */
static bool add_ticks(const struct charts *c, const struct charts_panel *panel, enum plot_glyphs glyphs,
                      struct ticks *t)
{
    size_t room = 0, n = 0;
    bool ascii = glyphs != PLOT_BRAILLE, alone = c->n_runs == 1;
    for (size_t i = 0; i < c->n_runs; i++) {
        if (c->run[i]->reader) bt_series_resumes(c->run[i]->reader, &n);
        room += c->run[i]->info.n_saved + c->run[i]->info.n_warned + n + 1;
    }
    t->event = calloc(room + 1, sizeof *t->event);
    for (size_t i = 0; t->event && i < c->n_runs; i++) {
        const struct charts_run *r = c->run[i];
        if (!r->reader || !bt_series_count(r->reader) || !has_run(panel, r)) continue;
        const int64_t *resume = bt_series_resumes(r->reader, &n);
        for (size_t k = 0; alone && k < r->info.n_saved; k++)
            add_tick(t, r, (double)r->info.saved[k], ascii ? '^' : 0x25b4);
        for (size_t k = 0; alone && k < n; k++) add_tick(t, r, (double)resume[k], ascii ? 'R' : 0x21bb);
        for (size_t k = 0; alone && k < r->info.n_warned; k++) add_tick(t, r, (double)r->info.warned[k], '!');
        if (r->info.best >= 0) add_tick(t, r, (double)r->info.best, ascii ? '*' : 0x2605);
    }
    return t->event != NULL;
}

static enum plot_x x_kind(enum charts_axis axis)
{
    return axis == CHARTS_WALL ? PLOT_X_CLOCK : axis == CHARTS_RELATIVE ? PLOT_X_DURATION : PLOT_X_NUMBER;
}

bool charts_draw_panel(const struct charts *c, const struct charts_panel *panel,
                       const struct charts_options *o, const struct charts_look *look, struct plot_range x,
                       enum plot_glyphs glyphs, struct charts_drawing *out)
{
    struct ticks t = {.o = o};
    *out = (struct charts_drawing){.line = calloc(2 * panel->n + 1, sizeof *out->line)};
    if (!out->line || !add_ticks(c, panel, glyphs, &t)) {
        charts_drawing_free(out);
        return false;
    }
    size_t n = add_lines(panel, false, out->line);
    n += add_lines(panel, true, out->line + n);
    out->event = t.event;
    bool log_y = look && look->log_y;
    out->spec = (struct plot_spec){.glyphs = glyphs,
                                   .x_kind = x_kind(o->axis),
                                   .log_x = o->log_x,
                                   .log_y = log_y,
                                   .x = x,
                                   .line = out->line,
                                   .n_lines = n,
                                   .event = out->event,
                                   .n_events = t.n,
                                   .cursor = o->cursor,
                                   .cursor_x = o->at};
    out->spec.y = look && look->zoomed ? look->y : charts_values(out->line, n, x, log_y, o->clip);
    return true;
}

void charts_drawing_free(struct charts_drawing *d)
{
    free(d->line);
    free(d->event);
    *d = (struct charts_drawing){0};
}

struct charts_summary charts_summarise(const struct charts_curve *c, struct plot_range x,
                                       const struct charts_options *o)
{
    struct charts_summary s = {.at = o->cursor ? charts_at(c->x, c->n, o->at) : c->n - 1};
    const double *value = c->series->value;
    size_t begin, end;
    plot_window(c->x, c->n, x, &begin, &end);
    if (c->run->info.baseline) begin = 0, end = c->n;
    for (size_t i = begin; i < end; i++) {
        const size_t whole = s.any ? plot_block_at(c->blocks, i, end, false) : 0;
        const struct plot_block *b = whole ? &c->blocks[i / PLOT_BLOCK_POINTS] : NULL;
        if (b && b->least >= value[s.least] && b->greatest <= value[s.greatest]) { /* nothing new in it */
            i += whole - 1;
            continue;
        }
        if (!isfinite(value[i])) continue;
        if (!s.any) s.least = s.greatest = i;
        s.any = true;
        if (value[i] < value[s.least]) s.least = i;
        if (value[i] > value[s.greatest]) s.greatest = i;
    }
    return s;
}

const char *charts_short_id(const char *id)
{
    const char *last = strrchr(id, '-');
    size_t n = last ? strlen(last + 1) : 0;
    return n == 4 && strspn(last + 1, "0123456789abcdef") == n ? last + 1 : id;
}
