#include "tui/plot_svg.h"

#include "tui/markup.h"
#include <math.h>

enum { WIDTH = 900, HEIGHT = 540, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 40, LEGEND = 18, COLOURS = 8 };

static const char *svg_colour(unsigned n)
{
    static const char *const colour[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#56b4e9", "#e69f00", "#000000", "#7f7f7f"};
    return colour[n % COLOURS];
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
    const char *part;
    struct bt_str *out, style;
    bool down;
};

static void pen_to(struct pen *p, double x, double y)
{
    if (!p->down)
        bt_str_addf(p->out, "<path clip-path=\"url(#plot%s)\" %s d=\"", p->part ? p->part : "",
                    bt_str_text(&p->style));
    bt_str_addf(p->out, "%s%.1f %.1f", p->down ? " L" : "M", x, y);
    p->down = true;
}

static void pen_up(struct pen *p)
{
    if (p->down) bt_str_add(p->out, "\"/>\n");
    p->down = false;
}

/* Of the points that fall into half a pixel only the extremes are kept; a line is cut where there is no value to draw. */
static void svg_line(struct pen *p, const struct plot_svg_line *c, const double *value)
{
    const double level = c->level && c->n ? svg_y(p->spec, value[c->n - 1]) : (double)NAN;
    if (isfinite(level)) {
        pen_to(p, LEFT, level);
        pen_to(p, WIDTH - RIGHT, level);
        pen_up(p);
    }
    if (c->level) return;
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

/* Of a file the colour, of a page's part the class that has it. */
static void add_style(const struct plot_svg *p, const struct plot_svg_line *c, const char *class,
                      struct bt_str *out)
{
    if (p->part)
        bt_str_addf(out, "class=\"%s s%u\"", class, c->colour % COLOURS);
    else
        bt_str_addf(out, "class=\"%s\" stroke=\"%s\"", class, svg_colour(c->colour));
}

static void svg_curve(const struct plot_svg *p, const struct plot_svg_line *c, struct bt_str *out)
{
    struct pen pen = {.spec = p->spec, .part = p->part, .out = out};
    if (c->smooth) {
        add_style(p, c, "raw", &pen.style);
        svg_line(&pen, c, c->y);
        bt_str_clear(&pen.style);
    }
    add_style(p, c, "line", &pen.style);
    if (c->dashed) bt_str_add(&pen.style, " stroke-dasharray=\"7 4\"");
    svg_line(&pen, c, c->smooth ? c->smooth : c->y);
    bt_str_free(&pen.style);
}

/* Colours alone would not tell the runs apart: the last point has the mark. */
static void svg_mark(const struct plot_svg *p, const struct plot_svg_line *c, struct bt_str *out)
{
    size_t i = c->n;
    const double *y = c->smooth ? c->smooth : c->y;
    while (!c->level && i && !(isfinite(svg_y(p->spec, y[i - 1])) && isfinite(svg_x(p->spec, c->x[i - 1]))))
        i--;
    if (!c->mark || !i) return;
    bt_str_addf(out, "<text x=\"%.1f\" y=\"%.1f\">", c->level ? LEFT + 4 : svg_x(p->spec, c->x[i - 1]) + 4,
                svg_y(p->spec, y[i - 1]) + 4);
    markup_text(out, c->mark);
    bt_str_add(out, "</text>\n");
}

static void svg_legend(const struct plot_svg *p, struct bt_str *out)
{
    for (size_t k = 0; k < p->n; k++) {
        const struct plot_svg_line *c = &p->line[k];
        double y = HEIGHT + (double)k * LEGEND + 8;
        bt_str_add(out, "<path ");
        add_style(p, c, "line", out);
        bt_str_addf(out, "%s d=\"M%d %.0f h40\"/>\n", c->dashed ? " stroke-dasharray=\"7 4\"" : "", LEFT,
                    y - 4);
        bt_str_addf(out, "<text x=\"%d\" y=\"%.0f\">", LEFT + 50, y);
        if (c->mark) bt_str_addf(out, "%s ", c->mark);
        markup_text(out, c->run);
        bt_str_add(out, " ");
        markup_text(out, c->tag);
        bt_str_add(out, "</text>\n");
    }
}

const char *plot_svg_style(void)
{
    return "svg{max-width:100%;height:auto;fill:currentColor}svg text{font:12px sans-serif}svg "
           ".title{font-size:16px}\n"
           ".line{fill:none;stroke-width:2}.raw{fill:none;opacity:.3}.grid{stroke:#8884}.frame{fill:none;"
           "stroke:#888}\n"
           ".s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#009e73}.s3{stroke:#cc79a7}.s4{stroke:#56b4e9}"
           ".s5{stroke:#e69f00}.s6{stroke:currentColor}.s7{stroke:#7f7f7f}\n";
}

static void open_file(double height, struct bt_str *out)
{
    bt_str_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\">\n", WIDTH,
                height);
    bt_str_add(out, "<style>text{font:12px sans-serif}.title{font-size:16px}.line{fill:none;stroke-width:2}"
                    ".raw{fill:none;opacity:.3}.grid{stroke:#ddd}.frame{fill:none;stroke:#888}</style>\n");
    bt_str_add(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
}

void plot_svg(const struct plot_svg *p, struct bt_str *out)
{
    double height = HEIGHT + (double)p->n * LEGEND + 10;
    if (p->part)
        bt_str_addf(out, "<svg width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\">\n", WIDTH,
                    height, WIDTH, height);
    else
        open_file(height, out);
    bt_str_addf(out,
                "<clipPath id=\"plot%s\"><rect x=\"%d\" "
                "y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>\n",
                p->part ? p->part : "", LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    bt_str_addf(out, "<text class=\"title\" x=\"%d\" y=\"%d\">", LEFT, TOP - 14);
    markup_text(out, p->title);
    bt_str_add(out, "</text>\n");
    svg_axes(p->spec, out);
    for (size_t k = 0; k < p->n; k++) svg_curve(p, &p->line[k], out);
    for (size_t k = 0; k < p->n; k++) svg_mark(p, &p->line[k], out);
    svg_legend(p, out);
    bt_str_add(out, "</svg>\n");
}
