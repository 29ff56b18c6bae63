#include "tui/views/charts_export.h"

#include "tui/plot_svg.h"
#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct curve {
    char *run, *tag;
    bool eval, level;
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
    *to = (struct curve){
        .eval = from->eval, .level = from->run->info.baseline, .colour = from->run->colour, .n = from->n};
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

void charts_export_svg(const struct charts_export *e, struct bt_str *out)
{
    struct plot_svg_line *line = calloc(e->n + 1, sizeof *line);
    struct plot_svg p = {.title = e->name, .spec = &e->spec, .line = line, .n = e->n};
    for (size_t k = 0; line && k < e->n; k++) {
        const struct curve *c = &e->curve[k];
        line[k] = (struct plot_svg_line){.x = c->x,
                                         .y = c->value,
                                         .smooth = c->smooth,
                                         .n = c->n,
                                         .colour = c->colour,
                                         .dashed = c->eval,
                                         .level = c->level,
                                         .run = c->run,
                                         .tag = c->tag};
    }
    if (line)
        plot_svg(&p, out);
    else
        out->failed = true;
    free(line);
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
        one.level = c->level;
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
