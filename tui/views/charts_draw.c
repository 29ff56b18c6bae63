/* Drawing the charts: the line above them, the grid of panels, the table under a panel that has all the room. */
#include "tui/empty.h"
#include "tui/views/charts_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TABLE_LEAST = 18 /* height from which a single panel has its table */, GAP = 8 };

static const char *const axis_name[] = {"step", "epoch", "tokens", "time", "clock"};

void charts_x_text(enum charts_axis axis, double x, char *text, size_t size)
{
    time_t at = isfinite(x) ? (time_t)x : 0;
    struct tm tm;
    if (axis == CHARTS_STEP || axis == CHARTS_TOKENS)
        snprintf(text, size, "%.0f", x);
    else if (axis == CHARTS_EPOCH)
        snprintf(text, size, "%.2f", x);
    else if (axis == CHARTS_WALL && localtime_r(&at, &tm))
        strftime(text, size, "%m-%d %H:%M:%S", &tm);
    else if (x >= 3600)
        snprintf(text, size, "%.0fh%02.0fm%02.0fs", floor(x / 3600), floor(fmod(x, 3600) / 60), fmod(x, 60));
    else if (x >= 60)
        snprintf(text, size, "%.0fm%02.0fs", floor(x / 60), floor(fmod(x, 60)));
    else
        snprintf(text, size, "%.1fs", x);
}

/* ── small parts ── */

static uint32_t dash(const struct term *t)
{
    return term_unicode(t) ? 0x2504 : '-';
}

static int put(struct term *t, struct rect r, int y, int x, enum role role, const char *text)
{
    return term_text(t, r, y, x, role, text, strlen(text));
}

static enum plot_glyphs marker_glyphs(const struct term *t)
{
    return term_unicode(t) ? PLOT_BRAILLE : PLOT_ASCII;
}

static void put_marker(struct term *t, struct rect r, int y, int x, const struct charts_run *run)
{
    term_put(t, r, y, x, role_series(run->colour), plot_marker(run->colour, marker_glyphs(t)));
}

/* ── the line above ── */

static void settings_text(const struct charts_view *s, struct bt_str *out)
{
    char at[48];
    const struct charts_options *o = &s->o;
    if (s->filter) bt_str_addf(out, "%s%s  ", s->filter[0] == '/' ? "" : "/", s->filter);
    if (o->weight > 0) bt_str_addf(out, "smooth %.2f  ", o->weight);
    if (o->clip) bt_str_add(out, "clip  ");
    if (o->zoomed) bt_str_add(out, "zoom  ");
    bt_str_addf(out, "x: %s%s", o->log_x ? "log " : "", axis_name[o->axis]);
    if (!o->cursor) return;
    charts_x_text(o->axis, o->at, at, sizeof at);
    bt_str_addf(out, " = %s", at);
}

/* Columns that a run's entry takes. */
static int draw_run(struct term *t, struct rect r, int x, const struct charts_run *run, bool alone)
{
    const char *name = alone ? run->id : charts_short_id(run->id), *text = "";
    put_marker(t, r, 0, x, run);
    int n = 2 + put(t, r, 0, x + 2, ROLE_TEXT, name);
    bool damaged = run->reader && bt_series_damage(run->reader, &text) > 0;
    if (run->error || damaged) n += put(t, r, 0, x + n, ROLE_BAD, run->error ? " unreadable" : " damaged");
    if (!run->loaded && !run->error) n += put(t, r, 0, x + n, ROLE_DIM, " reading");
    return n + 2;
}

static void draw_header(struct term *t, const struct charts_view *s, struct rect r)
{
    struct bt_str text = {0};
    settings_text(s, &text);
    int width = bt_text_width(bt_str_text(&text), text.len);
    int left = r.w - width - 1 > r.w / 3 ? r.w - width - 1 : r.w / 3;
    term_text(t, r, 0, left, ROLE_DIM, bt_str_text(&text), text.len);
    bt_str_free(&text);
    struct rect runs = {.y = r.y, .x = r.x, .h = 1, .w = left - 1};
    int x = 0;
    for (size_t i = 0; i < s->data.n_runs; i++) {
        const char *name = charts_short_id(s->data.run[i]->id);
        int need = s->data.n_runs == 1 ? 0 : 2 + bt_text_width(name, strlen(name));
        if (x && x + need + 4 > runs.w) {
            term_print(t, runs, 0, x, ROLE_DIM, "+%zu", s->data.n_runs - i);
            return;
        }
        x += draw_run(t, runs, x, s->data.run[i], s->data.n_runs == 1);
    }
}

/* ── values in a panel's first line ── */

static bool has_training(const struct charts_panel *p, const struct charts_run *run)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->curve[i].run == run && !p->curve[i].eval && p->curve[i].n) return true;
    return false;
}

static bool is_test(const struct charts_curve *c)
{
    return charts_split(c->series->tag) == 4 && strncmp(c->series->tag, "test", 4) == 0;
}

/* A marker stands for a run, dashes for its evaluations where there is a curve of its training, too. */
static int draw_value(struct term *t, struct rect r, int x, const struct charts_panel *p,
                      const struct charts_curve *c, const struct charts_options *o)
{
    char text[32];
    size_t at = o->cursor ? charts_at(c->x, c->n, o->at) : c->n - 1;
    plot_value(text, sizeof text, c->series->value[at]);
    int label = is_test(c) ? 5 : 2, need = label + (int)strlen(text);
    if (x + need > r.w) return -1;
    if (is_test(c))
        put(t, r, 0, x, role_series(c->run->colour), "test");
    else if (c->eval && has_training(p, c->run))
        term_put(t, r, 0, x, role_series(c->run->colour), dash(t));
    else
        put_marker(t, r, 0, x, c->run);
    put(t, r, 0, x + label, isnan(c->series->value[at]) ? ROLE_BAD : ROLE_TEXT, text);
    return need + 2;
}

static void draw_values(struct term *t, struct rect r, const struct charts_view *s,
                        const struct charts_panel *p)
{
    int x = 0;
    for (size_t i = 0; i < s->data.n_runs; i++)
        for (int eval = 0; eval < 2; eval++)
            for (size_t k = 0; k < p->n; k++) {
                const struct charts_curve *c = &p->curve[k];
                if (c->run != s->data.run[i] || c->eval != (eval != 0) || !c->n) continue;
                int n = draw_value(t, r, x, p, c, &s->o);
                if (n < 0) {
                    put(t, r, 0, r.w - 1, ROLE_DIM, term_unicode(t) ? "…" : "~");
                    return;
                }
                x += n;
            }
}

/* ── the table under a single panel ── */

struct column {
    const char *title;
    int width;
    int least; /* width of the pane from which it is shown */
};
enum { C_RUN, C_KIND, C_VALUE, C_SMOOTH, C_STEP, C_LEAST, C_LEAST_AT, C_GREATEST, C_GREATEST_AT, COLUMNS };
static const struct column columns[COLUMNS] = {
    [C_RUN] = {.title = "run", .width = 0},
    [C_KIND] = {.title = "of", .width = 7},
    [C_VALUE] = {.title = "last", .width = 10},
    [C_SMOOTH] = {.title = "smooth", .width = 10, .least = 100},
    [C_STEP] = {.title = "step", .width = 8},
    [C_LEAST] = {.title = "min", .width = 10},
    [C_LEAST_AT] = {.title = "at step", .width = 8, .least = 90},
    [C_GREATEST] = {.title = "max", .width = 10},
    [C_GREATEST_AT] = {.title = "at step", .width = 8, .least = 90},
};

static int name_width(int width)
{
    int left = width;
    for (int k = 1; k < COLUMNS; k++)
        if (width >= columns[k].least) left -= columns[k].width;
    return left;
}

static void cell_text(const struct charts_curve *c, const struct charts_summary *m, int column, char *text,
                      size_t size)
{
    const double *value = c->series->value;
    const int64_t *step = c->series->step;
    text[0] = '\0';
    int split = charts_split(c->series->tag);
    if (column == C_KIND) snprintf(text, size, "%.*s", split ? split : 5, split ? c->series->tag : "train");
    if (column == C_VALUE) plot_value(text, size, value[m->at]);
    if (column == C_SMOOTH && c->smooth) plot_value(text, size, c->smooth[m->at]);
    if (column == C_STEP) snprintf(text, size, "%lld", (long long)step[m->at]);
    if (!m->any) return;
    if (column == C_LEAST) plot_value(text, size, value[m->least]);
    if (column == C_LEAST_AT) snprintf(text, size, "%lld", (long long)step[m->least]);
    if (column == C_GREATEST) plot_value(text, size, value[m->greatest]);
    if (column == C_GREATEST_AT) snprintf(text, size, "%lld", (long long)step[m->greatest]);
}

static void table_row(struct term *t, struct rect r, int y, const struct charts_curve *c,
                      const struct charts_summary *m, const struct charts_options *o)
{
    int x = name_width(r.w);
    struct rect name = {.y = r.y, .x = r.x, .h = r.h, .w = x - 1};
    if (c) put_marker(t, name, y, 0, c->run);
    put(t, name, y, 2, c ? ROLE_TEXT : ROLE_HEADER, c ? c->run->id : columns[0].title);
    for (int k = 1; k < COLUMNS; k++) {
        char text[32];
        if (r.w < columns[k].least) continue;
        snprintf(text, sizeof text, "%s", k == C_VALUE && o->cursor ? "cursor" : columns[k].title);
        if (c) cell_text(c, m, k, text, sizeof text);
        x += columns[k].width;
        put(t, r, y, x - (int)strlen(text), c ? ROLE_TEXT : ROLE_HEADER, text);
    }
}

static void draw_table(struct term *t, struct rect r, const struct charts_view *s,
                       const struct charts_panel *p)
{
    int y = 0;
    table_row(t, r, y++, NULL, NULL, &s->o);
    for (size_t i = 0; i < 2 * s->data.n_runs; i++)
        for (size_t k = 0; k < p->n && y < r.h; k++) {
            const struct charts_curve *c = &p->curve[k];
            if (c->run != s->data.run[i / 2] || c->eval != (i % 2 == 1) || !c->n) continue;
            struct charts_summary m = charts_summarise(c, charts_shown_x(s), &s->o);
            table_row(t, r, y++, c, &m, &s->o);
        }
}

/* ── a panel ── */

static void mix(uint64_t *h, uint64_t v)
{
    *h = (*h ^ v) * 0x9e3779b97f4a7c15u;
    *h ^= *h >> 29;
}

static void mix_number(uint64_t *h, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    mix(h, bits);
}

/* All that a plot is drawn from. */
static uint64_t key_of(const struct charts_panel *p, const struct plot_spec *spec)
{
    const double number[] = {spec->x.min, spec->x.max, spec->y.min, spec->y.max,
                             spec->cursor ? spec->cursor_x : 0.0};
    const int option[] = {spec->width, spec->height, (int)spec->glyphs, (int)spec->x_kind,
                          spec->log_x, spec->log_y,  spec->cursor};
    uint64_t h = spec->n_lines + 1;
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) mix_number(&h, number[i]);
    for (size_t i = 0; i < sizeof option / sizeof *option; i++) mix(&h, (uint64_t)option[i]);
    for (size_t i = 0; i < spec->n_events; i++) {
        mix_number(&h, spec->event[i].x);
        mix(&h, spec->event[i].ch);
    }
    for (size_t i = 0; i < p->n; i++) {
        mix(&h, p->curve[i].made);
        mix(&h, p->curve[i].smooth != NULL);
        mix(&h, p->curve[i].run->colour);
        mix(&h, p->curve[i].run->info.baseline);
    }
    return h;
}

static bool reserve_cells(struct charts_picture *p, size_t n)
{
    if (n <= p->room) return true;
    struct plot_cell *more = realloc(p->cell, n * sizeof *more);
    if (!more) return false;
    *p = (struct charts_picture){.cell = more, .room = n};
    return true;
}

/* Some empty cells right of a dot take on its look, which nobody sees on a blank: fewer changes of colour are sent. */
static void bridge_gaps(struct plot_cell *row, int n)
{
    for (int x = 1, last = -1; x < n; x++) {
        if (row[x - 1].role == PLOT_LINE || row[x - 1].role == PLOT_FAINT) last = x - 1;
        if (row[x].role == PLOT_EMPTY || last < 0) continue;
        for (int gap = last + 1; x - last <= GAP && gap < x; gap++)
            row[gap] = (struct plot_cell){.ch = ' ', .role = row[last].role, .colour = row[last].colour};
        last = -1;
    }
}

/* Draws, unless it is the same as the last time. */
static void draw_picture(struct charts_picture *to, const struct charts_panel *p,
                         const struct plot_spec *spec)
{
    const uint64_t key = key_of(p, spec);
    if (to->key == key) return;
    plot_draw(spec, to->cell, &to->area);
    for (int y = 0; y < spec->height; y++) bridge_gaps(to->cell + y * spec->width, spec->width);
    to->key = key;
}

static void draw_plot(struct term *t, struct charts_view *s, struct charts_panel *p, struct rect box,
                      struct rect r)
{
    struct charts_drawing d;
    struct charts_picture *picture = &s->picture[s->n_places];
    const struct charts_look *look = charts_look(&s->looks, p->name);
    if (s->n_places == CHARTS_PLACES || r.w <= 0 || r.h <= 0 ||
        !reserve_cells(picture, (size_t)r.w * (size_t)r.h))
        return;
    if (!charts_draw_panel(&s->data, p, &s->o, look, charts_shown_x(s), term_glyphs(t), &d)) return;
    d.spec.width = r.w;
    d.spec.height = r.h;
    draw_picture(picture, p, &d.spec);
    term_plot(t, r, picture->cell);
    struct charts_place *place = &s->place[s->n_places++];
    *place = (struct charts_place){.panel = p, .box = box, .plot = r, .area = picture->area, .spec = d.spec};
    place->spec.line = NULL;
    place->spec.event = NULL;
    charts_drawing_free(&d);
}

static void draw_panel(struct view *v, struct rect r, size_t i, bool alone)
{
    struct charts_view *s = v->state;
    struct term *t = app_term(v->app);
    struct charts_panel *p = s->shown[i];
    const struct charts_look *look = charts_look(&s->looks, p->name);
    struct bt_str title = {0};
    if (!charts_prepare(p, s->o.axis, s->o.weight)) return;
    bt_str_addf(&title, "%s%s%s", p->name, look && look->log_y ? " log" : "",
                look && look->zoomed ? " zoomed" : "");
    if (alone && s->n_shown > 1) bt_str_addf(&title, " %zu/%zu", i + 1, s->n_shown);
    struct rect in = term_box(t, r, bt_str_text(&title), i == s->focus);
    bt_str_free(&title);
    int rows = alone && in.h >= TABLE_LEAST ? 1 + (int)(p->n < 64 ? p->n : 64) : 0;
    if (rows > in.h / 3) rows = in.h / 3;
    if (rows) {
        in.h -= rows;
        draw_table(t, (struct rect){.y = in.y + in.h, .x = in.x, .h = rows, .w = in.w}, s, p);
    } else if (in.h >= 5) {
        draw_values(t, in, s, p);
        in.y++;
        in.h--;
    }
    draw_plot(t, s, p, r, in);
}

/* ── the grid ── */

/* Neighbours share their borders. */
static struct rect cell_of(struct rect area, int columns_n, int rows_n, int i)
{
    int row = i / columns_n, column = i % columns_n;
    int x0 = (area.w - 1) * column / columns_n, x1 = (area.w - 1) * (column + 1) / columns_n;
    int y0 = (area.h - 1) * row / rows_n, y1 = (area.h - 1) * (row + 1) / rows_n;
    return (struct rect){.y = area.y + y0, .x = area.x + x0, .h = y1 - y0 + 1, .w = x1 - x0 + 1};
}

static void draw_grid(struct view *v, struct rect area)
{
    struct charts_view *s = v->state;
    int c = s->columns, r = s->rows;
    charts_grid(area.w, area.h, s->n_shown, &c, &r);
    size_t page = (size_t)c * (size_t)r, first = s->focus / page * page;
    s->page = page;
    s->across = c;
    for (size_t i = first; i < first + page && i < s->n_shown; i++)
        draw_panel(v, cell_of(area, c, r, (int)(i - first)), i, page == 1);
    term_outline(app_term(v->app), cell_of(area, c, r, (int)(s->focus - first)));
    if (s->n_shown > page)
        term_print(app_term(v->app), area, area.h - 1, 2, ROLE_DIM, " %zu-%zu of %zu ", first + 1,
                   first + page < s->n_shown ? first + page : s->n_shown, s->n_shown);
}

/* ── nothing to show ── */

static const struct empty *what_is_missing(const struct charts_view *s)
{
    static const struct empty
        no_run =
            {.role = ROLE_TEXT,
             .missing = "There is no run to show.",
             .advice = {"3 Experiment starts one; Space in 1 Runs marks those to show, and so does m here.",
                        "A directory with TensorBoard event files is a run, too."}},
        no_match = {.role = ROLE_TEXT,
                    .missing = "No metric has that in its name.",
                    .advice = {"/ changes the filter, Esc clears it."}},
        no_points = {.role = ROLE_TEXT,
                     .missing = "Nothing was logged yet.",
                     .advice = {"The first values appear as soon as they are written (run.logging_steps)."}},
        reading = {.role = ROLE_DIM, .missing = "Reading …"};
    bool loaded = true;
    for (size_t i = 0; i < s->data.n_runs; i++) loaded &= s->data.run[i]->loaded || s->data.run[i]->error;
    if (!s->data.n_runs) return &no_run;
    if (s->data.n_panels) return &no_match;
    return loaded ? &no_points : &reading;
}

static void draw_empty(struct view *v, struct rect r)
{
    const struct charts_view *s = v->state;
    const struct empty *missing = what_is_missing(s);
    struct empty broken = {.role = ROLE_BAD};
    for (size_t i = 0; i < s->data.n_runs && !s->data.n_panels; i++)
        if (s->data.run[i]->error) broken.missing = s->data.run[i]->error;
    empty_draw(app_term(v->app), term_box(app_term(v->app), r, "Charts", true),
               broken.missing ? &broken : missing);
}

void charts_draw(struct view *v, struct rect area)
{
    struct charts_view *s = v->state;
    s->n_places = 0;
    charts_update(v);
    if (s->data.n_runs) {
        draw_header(app_term(v->app), s, area);
        area.y++;
        area.h--;
    }
    if (s->batch.open)
        charts_batch_draw(v, area);
    else if (!s->n_shown)
        draw_empty(v, area);
    else if (v->zoom)
        draw_panel(v, area, s->focus, true);
    else
        draw_grid(v, area);
}
