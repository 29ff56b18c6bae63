#include "tui/views/charts_export.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct curve {
    char *run, *tag;
    bool eval;
    unsigned colour;
    size_t n;
    int64_t *step;
    double *wall, *value, *x, *smooth; /* smooth may be NULL */
};

struct charts_export {
    char *name;
    struct plot_spec spec; /* without lines and ticks */
    struct curve *curve;
    size_t n;
    struct plot_event *event;
};

/* ── the copy ── */

static bool copy(void *to, const void *from, size_t n, size_t size)
{
    void *p = malloc(n * size + 1);
    if (p && n) memcpy(p, from, n * size);
    *(void **)to = p;
    return p != NULL;
}

static bool copy_curve(struct curve *to, const struct charts_curve *from)
{
    const struct bt_series *s = from->series;
    *to = (struct curve){.eval = from->eval, .colour = from->run->colour, .n = from->n};
    to->run = bt_strdup(from->run->id);
    to->tag = bt_strdup(s->tag);
    bool good = to->run && to->tag;
    good &= copy(&to->step, s->step, from->n, sizeof *s->step);
    good &= copy(&to->wall, s->wall, from->n, sizeof *s->wall);
    good &= copy(&to->value, s->value, from->n, sizeof *s->value);
    good &= copy(&to->x, from->x, from->n, sizeof *from->x);
    if (from->smooth) good &= copy(&to->smooth, from->smooth, from->n, sizeof *from->smooth);
    return good;
}

struct charts_export *charts_export_take(const struct charts_panel *panel, const struct charts_drawing *d)
{
    struct charts_export *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->spec = d->spec;
    e->name = bt_strdup(panel->name);
    e->curve = calloc(panel->n + 1, sizeof *e->curve);
    bool good = e->name && e->curve && copy(&e->event, d->event, d->spec.n_events, sizeof *d->event);
    e->spec.event = e->event;
    for (size_t i = 0; good && i < panel->n; i++)
        if (panel->curve[i].n) good = copy_curve(&e->curve[e->n++], &panel->curve[i]);
    if (good) return e;
    charts_export_free(e);
    return NULL;
}

void charts_export_free(struct charts_export *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->n; i++) {
        struct curve *c = &e->curve[i];
        free(c->run);
        free(c->tag);
        free(c->step);
        free(c->wall);
        free(c->value);
        free(c->x);
        free(c->smooth);
    }
    free(e->curve);
    free(e->event);
    free(e->name);
    free(e);
}

/* ── CSV ── */

static void csv_text(struct bt_str *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        bt_str_add(out, text);
        return;
    }
    bt_str_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"') bt_str_addc(out, '"');
        bt_str_addc(out, *text);
    }
    bt_str_addc(out, '"');
}

/* Event files hold floats: no more digits than those need. */
static void number(struct bt_str *out, double v)
{
    char text[BT_NUMBER_SIZE];
    if (isnan(v))
        bt_str_add(out, "nan");
    else if (isinf(v))
        bt_str_add(out, v > 0 ? "inf" : "-inf");
    else
        bt_str_add(out, (double)(float)v == v ? bt_format_float((float)v, text) : bt_format_double(v, text));
}

void charts_export_csv(const struct charts_export *e, struct bt_str *out)
{
    bt_str_add(out, "run,tag,step,wall_time,value,smoothed\n");
    for (size_t k = 0; k < e->n; k++) {
        const struct curve *c = &e->curve[k];
        for (size_t i = 0; i < c->n; i++) {
            csv_text(out, c->run);
            bt_str_addc(out, ',');
            csv_text(out, c->tag);
            bt_str_addf(out, ",%" PRId64 ",%.3f,", c->step[i], c->wall[i]);
            number(out, c->value[i]);
            bt_str_addc(out, ',');
            if (c->smooth) number(out, (double)(float)c->smooth[i]);
            bt_str_addc(out, '\n');
        }
    }
}

/* ── SVG ── */

enum { WIDTH = 900, HEIGHT = 540, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 40, LEGEND = 18 };

static void svg_text(struct bt_str *out, const char *text)
{
    struct bt_str clean = {0};
    bt_text_clean(&clean, text, strlen(text));
    for (const char *p = bt_str_text(&clean); *p; p++) {
        const char *entity = *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : *p == '&' ? "&amp;" : NULL;
        if (entity)
            bt_str_add(out, entity);
        else
            bt_str_addc(out, *p);
    }
    bt_str_free(&clean);
}

static const char *svg_colour(unsigned n)
{
    static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                         "#56b4e9", "#e69f00", "#000000", "#7f7f7f"};
    return colour[n % (sizeof colour / sizeof *colour)];
}

static double share_of(double v, struct plot_range r, bool log)
{
    if (log) return v > 0 ? log10(v / r.min) / log10(r.max / r.min) : (double)NAN;
    return (v - r.min) / (r.max - r.min);
}

static double svg_x(const struct plot_spec *s, double x)
{
    return LEFT + share_of(x, s->x, s->log_x) * (WIDTH - LEFT - RIGHT);
}

static double svg_y(const struct plot_spec *s, double y)
{
    return HEIGHT - BOTTOM - share_of(y, s->y, s->log_y) * (HEIGHT - TOP - BOTTOM);
}

static void svg_axes(const struct plot_spec *s, struct bt_str *out)
{
    struct plot_tick tick[PLOT_MAX_TICKS];
    int n = plot_ticks(s->y, PLOT_X_NUMBER, s->log_y, 8, tick);
    for (int i = 0; i < n; i++) {
        double y = svg_y(s, tick[i].at);
        bt_str_addf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT,
                    WIDTH - RIGHT, y, y);
        bt_str_addf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 6, y + 4,
                    tick[i].text);
    }
    n = plot_ticks(s->x, s->x_kind, s->log_x, 10, tick);
    for (int i = 0; i < n; i++)
        bt_str_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", svg_x(s, tick[i].at),
                    HEIGHT - BOTTOM + 18, tick[i].text);
    bt_str_addf(out, "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", LEFT, TOP,
                WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
}

struct pen {
    const struct plot_spec *spec;
    struct bt_str *out, style;
    bool down;
};

static void pen_to(struct pen *p, double x, double y)
{
    if (!p->down) bt_str_addf(p->out, "<path clip-path=\"url(#plot)\" %s d=\"", bt_str_text(&p->style));
    bt_str_addf(p->out, "%s%.1f %.1f", p->down ? " L" : "M", x, y);
    p->down = true;
}

static void pen_up(struct pen *p)
{
    if (p->down) bt_str_add(p->out, "\"/>\n");
    p->down = false;
}

/* Of the points that fall into half a pixel only the extremes are kept; a line is cut where there is no value to draw. */
static void svg_line(struct pen *p, const struct curve *c, const double *value)
{
    for (size_t i = 0; i < c->n;) {
        double x = svg_x(p->spec, c->x[i]), least = INFINITY, greatest = -INFINITY;
        bool gap = false;
        for (size_t first = i; i < c->n && !gap; i++) {
            if (i > first && !(svg_x(p->spec, c->x[i]) < x + 0.5)) break;
            double y = svg_y(p->spec, value[i]);
            gap = !isfinite(y) || !isfinite(x);
            if (!gap && y < least) least = y;
            if (!gap && y > greatest) greatest = y;
        }
        if (least <= greatest) pen_to(p, x, least);
        if (least < greatest) pen_to(p, x, greatest);
        if (gap) pen_up(p);
    }
    pen_up(p);
}

static void svg_curve(const struct plot_spec *s, const struct curve *c, struct bt_str *out)
{
    struct pen p = {.spec = s, .out = out};
    if (c->smooth) {
        bt_str_addf(&p.style, "class=\"raw\" stroke=\"%s\"", svg_colour(c->colour));
        svg_line(&p, c, c->value);
        bt_str_clear(&p.style);
    }
    bt_str_addf(&p.style, "class=\"line\" stroke=\"%s\"%s", svg_colour(c->colour),
                c->eval ? " stroke-dasharray=\"7 4\"" : "");
    svg_line(&p, c, c->smooth ? c->smooth : c->value);
    bt_str_free(&p.style);
}

static void svg_legend(const struct charts_export *e, struct bt_str *out)
{
    for (size_t k = 0; k < e->n; k++) {
        const struct curve *c = &e->curve[k];
        double y = HEIGHT + (double)k * LEGEND + 8;
        bt_str_addf(out, "<path class=\"line\" stroke=\"%s\"%s d=\"M%d %.0f h40\"/>\n", svg_colour(c->colour),
                    c->eval ? " stroke-dasharray=\"7 4\"" : "", LEFT, y - 4);
        bt_str_addf(out, "<text x=\"%d\" y=\"%.0f\">", LEFT + 50, y);
        svg_text(out, c->run);
        bt_str_add(out, " ");
        svg_text(out, c->tag);
        bt_str_add(out, "</text>\n");
    }
}

void charts_export_svg(const struct charts_export *e, struct bt_str *out)
{
    double height = HEIGHT + (double)e->n * LEGEND + 10;
    bt_str_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\">\n", WIDTH,
                height);
    bt_str_add(out, "<style>text{font:12px sans-serif}.title{font-size:16px}.line{fill:none;stroke-width:2}"
                    ".raw{fill:none;opacity:.3}.grid{stroke:#ddd}.frame{fill:none;stroke:#888}</style>\n");
    bt_str_addf(
        out,
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n<clipPath id=\"plot\"><rect x=\"%d\" "
        "y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>\n",
        LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    bt_str_addf(out, "<text class=\"title\" x=\"%d\" y=\"%d\">", LEFT, TOP - 14);
    svg_text(out, e->name);
    bt_str_add(out, "</text>\n");
    svg_axes(&e->spec, out);
    for (size_t k = 0; k < e->n; k++) svg_curve(&e->spec, &e->curve[k], out);
    svg_legend(e, out);
    bt_str_add(out, "</svg>\n");
}

/* ── characters ── */

enum { COLUMNS = 100, ROWS = 30 };

static size_t text_lines(const struct charts_export *e, struct plot_line *line)
{
    size_t n = 0;
    for (size_t k = 0; k < e->n; k++) {
        const struct curve *c = &e->curve[k];
        struct plot_line one = {.x = c->x, .y = c->smooth ? c->smooth : c->value, .n = c->n};
        one.colour = c->colour;
        one.dashed = c->eval;
        one.marked = true;
        line[n++] = one;
    }
    return n;
}

static void put_rows(const struct plot_cell *cell, struct bt_str *out)
{
    for (int y = 0; y < ROWS; y++) {
        int end = COLUMNS;
        while (end && cell[y * COLUMNS + end - 1].ch == ' ') end--;
        for (int x = 0; x < end; x++) {
            char bytes[4];
            bt_str_addn(out, bytes, bt_utf8_encode((int32_t)cell[y * COLUMNS + x].ch, bytes));
        }
        bt_str_addc(out, '\n');
    }
}

void charts_export_text(const struct charts_export *e, struct bt_str *out)
{
    struct plot_cell *cell = malloc(sizeof *cell * COLUMNS * ROWS);
    struct plot_line *line = calloc(e->n + 1, sizeof *line);
    struct plot_spec spec = e->spec;
    struct plot_area area;
    if (cell && line) {
        spec.width = COLUMNS;
        spec.height = ROWS;
        spec.cursor = false;
        spec.line = line;
        spec.n_lines = text_lines(e, line);
        plot_draw(&spec, cell, &area);
        bt_text_clean(out, e->name, strlen(e->name));
        bt_str_addc(out, '\n');
        put_rows(cell, out);
    } else {
        out->failed = true;
    }
    for (size_t k = 0; k < e->n; k++) {
        char mark[4], value[32];
        bt_str_addn(out, mark, bt_utf8_encode((int32_t)plot_marker(e->curve[k].colour, spec.glyphs), mark));
        plot_value(value, sizeof value, e->curve[k].value[e->curve[k].n - 1]);
        bt_str_addf(out, "  %-8s  ", value);
        bt_text_clean(out, e->curve[k].run, strlen(e->curve[k].run));
        bt_str_add(out, "  ");
        bt_text_clean(out, e->curve[k].tag, strlen(e->curve[k].tag));
        bt_str_addc(out, '\n');
    }
    free(cell);
    free(line);
}

/* ── files ── */

static const struct kind {
    const char *ending;
    void (*make)(const struct charts_export *e, struct bt_str *out);
} kinds[] = {
    {.ending = ".csv", .make = charts_export_csv},
    {.ending = ".svg", .make = charts_export_svg},
    {.ending = ".txt", .make = charts_export_text},
};

static const struct kind *kind_of(const char *path)
{
    const char *ending = strrchr(bt_path_base(path), '.');
    for (size_t i = 0; ending && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(ending, kinds[i].ending) == 0) return &kinds[i];
    return NULL;
}

enum bt_status charts_export_check(const char *path, struct bt_error *err)
{
    if (kind_of(path)) return BT_OK;
    return bt_fail(err, BT_INVALID, "%s: the name must end with .csv, .svg or .txt", path);
}

enum bt_status charts_export_write(const struct charts_export *e, const char *path, struct bt_error *err)
{
    const struct kind *kind = kind_of(path);
    struct bt_str out = {0};
    if (!kind) return charts_export_check(path, err);
    kind->make(e, &out);
    enum bt_status status = out.failed ? bt_fail(err, BT_NOMEM, "%s: not enough memory", path)
                                       : bt_file_write_atomic(path, out.data, out.len, err);
    bt_str_free(&out);
    return status;
}
