/* Pictures of a study: the trials as lines over the options, and the best so far against time. */
#include "tui/views/study_view.h"

#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── parallel coordinates ── */

/* One axis: an option, or the metric as the last. */
struct axis {
    const struct bt_study_option *option; /* NULL: the metric */
    bool log;
    double low, high; /* of numbers */
    bool numbers;
};

static bool number_of(const char *text, double *v)
{
    return text && bt_parse_double(text, v) && isfinite(*v);
}

static struct axis axis_of(const struct bt_study_option *o)
{
    struct axis a = {.option = o, .low = (double)INFINITY, .high = (double)-INFINITY, .numbers = o->n > 0};
    double v = 0.0;
    for (size_t i = 0; i < o->n; i++) {
        a.numbers &= number_of(o->value[i].text, &v);
        a.low = fmin(a.low, v);
        a.high = fmax(a.high, v);
    }
    a.log = a.numbers && a.low > 0.0 && a.high >= 10.0 * a.low;
    return a;
}

/* Above: the better. */
static struct axis metric_axis(const struct bt_study *s)
{
    struct axis a = {.numbers = true, .low = (double)INFINITY, .high = (double)-INFINITY};
    for (size_t i = 0; i < s->n; i++) {
        if (isnan(s->trial[i].best)) continue;
        a.low = fmin(a.low, s->trial[i].best);
        a.high = fmax(a.high, s->trial[i].best);
    }
    return a;
}

/* Where a trial crosses an axis, 0 … 1 from below; NaN: it has no value there. */
static double height(const struct bt_study *s, const struct axis *a, const struct bt_trial *t)
{
    double v = t->best, low = a->low, high = a->high;
    const char *text = a->option ? bt_trial_value(t, a->option->option) : NULL;
    if (a->option && !text) return (double)NAN;
    if (a->option && !a->numbers) {
        size_t i = 0;
        while (i < a->option->n && strcmp(a->option->value[i].text, text) != 0) i++;
        if (i == a->option->n) return (double)NAN;
        return a->option->n < 2 ? 0.5 : (double)i / (double)(a->option->n - 1);
    }
    if (a->option && !number_of(text, &v)) return (double)NAN;
    if (a->log) {
        v = log(v);
        low = log(low);
        high = log(high);
    }
    double share = high > low ? (v - low) / (high - low) : 0.5;
    return a->option || s->greater_is_better ? share : 1.0 - share;
}

static void end_text(const struct bt_study *s, const struct axis *a, bool top, struct bt_str *out)
{
    const bool upper = a->option || s->greater_is_better ? top : !top;
    if (a->option && !a->numbers) {
        if (a->option->n) bt_str_add(out, a->option->value[top ? a->option->n - 1 : 0].text);
        return;
    }
    char text[PLOT_TICK_TEXT];
    plot_value(text, sizeof text, upper ? a->high : a->low);
    if (a->low <= a->high) bt_str_add(out, text);
}

/* A text in the middle of its axis, those of the ends inside; what is left for each keeps neighbours apart. */
static void put_text(struct term *t, struct rect in, int y, size_t i, size_t n, enum role role,
                     const char *text, size_t bytes)
{
    const int apart = n > 1 ? (in.w - 1) / (int)(n - 1) : in.w,
              x = n > 1 ? (int)(i * (size_t)(in.w - 1) / (n - 1)) : 0;
    const int room = (i == 0 || i + 1 == n ? apart * 5 / 8 : apart * 6 / 8) - 1;
    struct bt_str fits = {0};
    bt_text_fit(&fits, text, bytes, room > 1 ? room : 1);
    const int w = bt_text_width(bt_str_text(&fits), fits.len);
    int left = i == 0 ? 0 : i + 1 == n ? in.w - w : x - w / 2;
    term_text(t, in, y, left < 0 ? 0 : left, role, bt_str_text(&fits), fits.len);
    bt_str_free(&fits);
}

static void axis_texts(struct view *v, struct rect in, const struct axis *a, size_t i, size_t n)
{
    const struct bt_study *s = study_shown(study_of(v));
    struct term *t = app_term(v->app);
    const char *name = a->option ? a->option->option->name : s->metric;
    struct bt_str top = {0}, bottom = {0};
    end_text(s, a, true, &top);
    end_text(s, a, false, &bottom);
    put_text(t, in, 0, i, n, ROLE_ACCENT, name, strlen(name));
    put_text(t, in, 1, i, n, ROLE_DIM, bt_str_text(&top), top.len);
    put_text(t, in, in.h - 1, i, n, ROLE_DIM, bt_str_text(&bottom), bottom.len);
    bt_str_free(&top);
    bt_str_free(&bottom);
}

/* The plot without its own axes, which would tell shares. How much room they take is seen by drawing it once. */
static void draw_bare(struct term *t, struct rect in, struct plot_spec *spec)
{
    enum { MOST_W = 24, MOST_H = 4 };
    const size_t most = (size_t)(in.w + MOST_W) * (size_t)(in.h + MOST_H);
    struct plot_cell *cell = calloc(most, sizeof *cell),
                     *bare = calloc((size_t)in.w * (size_t)in.h, sizeof *bare);
    struct plot_area area = {.width = in.w, .height = in.h};
    spec->width = in.w;
    spec->height = in.h;
    for (int pass = 0; cell && pass < 2;
         pass++) { /* first as large as the pane, then with what its axes took */
        spec->width += in.w - area.width;
        spec->height += in.h - area.height;
        if (spec->width > in.w + MOST_W || spec->height > in.h + MOST_H) break;
        memset(cell, 0, most * sizeof *cell);
        plot_draw(spec, cell, &area);
    }
    for (int y = 0; cell && bare && y < in.h && y < area.height; y++)
        for (int x = 0; x < in.w && x < area.width; x++)
            bare[y * in.w + x] = cell[(area.top + y) * spec->width + area.left + x];
    if (cell && bare) term_plot(t, in, bare);
    free(cell);
    free(bare);
}

struct bundle {
    struct axis axis[STUDY_SHOWN + 1];
    size_t n; /* axes */
    double x[STUDY_SHOWN + 1], *y;
    struct plot_line *line;
};

static bool make_bundle(struct study_view *view, struct bundle *b)
{
    const struct bt_study *s = study_shown(view);
    const struct bt_trial *here = study_current(view);
    const size_t shown = view->found->n_options < STUDY_SHOWN ? view->found->n_options : STUDY_SHOWN;
    for (size_t i = 0; i < shown; i++)
        if (view->found->option[i].n) b->axis[b->n++] = axis_of(&view->found->option[i]);
    b->axis[b->n++] = metric_axis(s);
    for (size_t i = 0; i < b->n; i++) b->x[i] = (double)i;
    b->y = calloc(s->n * b->n + 1, sizeof *b->y);
    b->line = calloc(s->n + 1, sizeof *b->line);
    if (!b->y || !b->line) return false;
    for (size_t i = 0; i < s->n; i++) {
        double *y = b->y + i * b->n;
        for (size_t k = 0; k < b->n; k++) y[k] = height(s, &b->axis[k], &s->trial[i]);
        if (isnan(s->trial[i]
                      .best)) /* it has no end yet: no line, rather than a mark that there is no number */
            for (size_t k = 0; k < b->n; k++) y[k] = 0.0;
        const bool chosen = &s->trial[i] == here;
        b->line[i] = (struct plot_line){.x = b->x,
                                        .y = y,
                                        .n = isnan(s->trial[i].best) ? 0 : b->n,
                                        .colour = chosen ? 1 : 0,
                                        .faint = !chosen};
    }
    return true;
}

void study_plot_lines(struct view *v, struct rect in)
{
    struct study_view *view = study_of(v);
    struct term *t = app_term(v->app);
    struct bundle b = {.n = 0};
    if (in.h < 5 || in.w < 20) return;
    if (!bt_study_best(study_shown(view))) {
        term_print(t, in, 0, 0, ROLE_DIM, "%s", "no trial has a figure yet");
        return;
    }
    if (make_bundle(view, &b) && b.n > 1) {
        struct plot_spec spec = {.glyphs = term_glyphs(t),
                                 .x = {.min = 0, .max = (double)(b.n - 1)},
                                 .y = {.min = 0, .max = 1},
                                 .line = b.line,
                                 .n_lines = study_shown(view)->n};
        struct rect plot = {.y = in.y + 2, .x = in.x, .h = in.h - 3, .w = in.w};
        draw_bare(t, plot, &spec);
        for (size_t i = 0; i < b.n; i++) axis_texts(v, in, &b.axis[i], i, b.n);
    }
    free(b.y);
    free(b.line);
}

/* ── the best so far ── */

struct history {
    double *x, *y, *all_x, *all_y; /* the staircase; every evaluation */
    size_t n, n_all;
};

static void add_step(struct history *h, double x, double y)
{
    if (h->n) { /* level until now */
        h->x[h->n] = x;
        h->y[h->n] = h->y[h->n - 1];
        h->n++;
    }
    h->x[h->n] = x;
    h->y[h->n++] = y;
}

static bool make_history(const struct bt_study *s, struct history *h)
{
    double best = (double)NAN, last = 0.0;
    double *room = calloc(6 * s->n_reports + 4, sizeof *room);
    if (!room) return false;
    *h = (struct history){.x = room,
                          .y = room + 2 * s->n_reports + 1,
                          .all_x = room + 4 * s->n_reports + 2,
                          .all_y = room + 5 * s->n_reports + 3};
    for (size_t i = 0; i < s->n_reports; i++) {
        const struct bt_trial_report *r = &s->report[i];
        if (!r->evaluated || isnan(r->value)) continue;
        last = fmax(r->time - s->created, last); /* a clock that was set back goes on from where it was */
        h->all_x[h->n_all] = last;
        h->all_y[h->n_all++] = r->value;
        if (!bt_study_better(s, r->value, best)) continue;
        best = r->value;
        add_step(h, last, best);
    }
    if (h->n && last > h->x[h->n - 1]) {
        h->x[h->n] = last;
        h->y[h->n] = best;
        h->n++;
    }
    return true;
}

void study_plot_time(struct view *v, struct rect in)
{
    const struct bt_study *s = study_shown(study_of(v));
    struct term *t = app_term(v->app);
    struct history h;
    if (in.h < 5 || in.w < 20 || !make_history(s, &h)) return;
    const struct plot_line line[] = {
        {.x = h.all_x, .y = h.all_y, .n = h.n_all, .faint = true, .scattered = true},
        {.x = h.x, .y = h.y, .n = h.n, .colour = 1, .marked = true}};
    struct plot_range y, x = {.min = 0, .max = h.n_all ? h.all_x[h.n_all - 1] : 1};
    struct plot_cell *cell = calloc((size_t)in.w * (size_t)in.h, sizeof *cell);
    if (!(x.max > 0)) x.max = 1;
    if (cell && plot_values(line, 2, x, false, true, &y)) {
        const struct plot_spec spec = {.width = in.w,
                                       .height = in.h,
                                       .glyphs = term_glyphs(t),
                                       .x_kind = PLOT_X_DURATION,
                                       .x = x,
                                       .y = plot_nice(y, false, 5),
                                       .line = line,
                                       .n_lines = 2};
        struct plot_area area;
        plot_draw(&spec, cell, &area);
        term_plot(t, in, cell);
    } else {
        term_print(t, in, 0, 0, ROLE_DIM, "%s", "no trial has a figure yet");
    }
    free(cell);
    free(h.x);
}
