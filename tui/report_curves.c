/* The curves of a report: a figure for each metric, all runs in it. */
#include "tui/plot_svg.h"
#include "tui/report_parts.h"

#include <bertty/file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FIGURES = 12 };

struct figure {
    const char *name; /* "loss": all tags that end so */
    struct plot_svg_line *line;
    struct plot_line *plot; /* the same for the scales */
    size_t n;
};

static bool is_eval(const char *tag)
{
    return strncmp(tag, "eval/", 5) == 0;
}

/* The loss of the training, and all that was evaluated. */
static bool is_shown(const char *tag)
{
    return is_eval(tag) || strcmp(tag, "train/loss") == 0;
}

static bool add_line(struct figure *f, const struct report *r, size_t run, const struct bt_series *s)
{
    double *x = calloc(s->n + 1, sizeof *x);
    struct plot_svg_line *line = x ? realloc(f->line, (f->n + 1) * sizeof *line) : NULL;
    if (line) f->line = line;
    struct plot_line *plot = line ? realloc(f->plot, (f->n + 1) * sizeof *plot) : NULL;
    if (!plot) {
        free(x);
        return false;
    }
    f->plot = plot;
    for (size_t i = 0; i < s->n; i++) x[i] = (double)s->step[i];
    line[f->n] = (struct plot_svg_line){.x = x,
                                        .y = s->value,
                                        .n = s->n,
                                        .colour = (unsigned)run,
                                        .dashed = is_eval(s->tag),
                                        .level = r->compare->run[run].baseline,
                                        .run = r->compare->run[run].id,
                                        .tag = s->tag,
                                        .mark = report_letter(run)};
    plot[f->n] = (struct plot_line){.x = x, .y = s->value, .n = s->n, .level = line[f->n].level};
    f->n++;
    return true;
}

static void figure_free(struct figure *f)
{
    for (size_t i = 0; i < f->n; i++) free((double *)(uintptr_t)f->line[i].x);
    free(f->line);
    free(f->plot);
}

static bool collect(struct figure *f, const struct report *r)
{
    bool good = true;
    for (size_t run = 0; good && run < r->own->n; run++)
        for (size_t i = 0; good && i < bt_series_count(r->own->events[run]); i++) {
            const struct bt_series *s = bt_series_at(r->own->events[run], i);
            if (s->n && is_shown(s->tag) && strcmp(bt_path_base(s->tag), f->name) == 0)
                good = add_line(f, r, run, s);
        }
    return good;
}

static struct plot_range steps_of(const struct figure *f)
{
    struct plot_range x = {.min = INFINITY, .max = -INFINITY};
    for (size_t k = 0; k < f->n; k++) {
        if (f->line[k].level) continue;
        x.min = fmin(x.min, f->line[k].x[0]);
        x.max = fmax(x.max, f->line[k].x[f->line[k].n - 1]);
    }
    if (x.min > x.max) x.min = x.max = 0.0; /* baselines alone */
    if (!(x.max > x.min)) x.max = x.min + 1;
    return x;
}

static void draw(const struct report *r, const char *name, int which, struct bt_str *out)
{
    struct figure f = {.name = name};
    struct plot_spec spec = {.x_kind = PLOT_X_NUMBER};
    char part[16];
    if (collect(&f, r) && f.n) {
        spec.x = steps_of(&f);
        if (plot_values(f.plot, f.n, spec.x, false, true, &spec.y)) {
            spec.y = plot_nice(spec.y, false, 8);
            snprintf(part, sizeof part, "-%d", which);
            const struct plot_svg p = {.title = name, .spec = &spec, .line = f.line, .n = f.n, .part = part};
            bt_str_add(out, "<figure>\n");
            plot_svg(&p, out);
            bt_str_add(out, "</figure>\n");
        }
    }
    figure_free(&f);
}

void report_curves(const struct report *r, struct bt_str *out)
{
    const char *seen[MOST_FIGURES];
    int n = 0;
    for (size_t run = 0; run < r->own->n; run++)
        for (size_t i = 0; i < bt_series_count(r->own->events[run]); i++) {
            const char *tag = bt_series_at(r->own->events[run], i)->tag, *name = bt_path_base(tag);
            int k = 0;
            while (k < n && strcmp(seen[k], name) != 0) k++;
            if (k < n || n == MOST_FIGURES || !is_shown(tag)) continue;
            seen[n] = name;
            draw(r, name, n++, out);
        }
    if (!n) bt_str_add(out, "<p>No run has logged anything yet.</p>\n");
}
