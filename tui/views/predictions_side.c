/* What the rows of a kind without a confusion matrix amount to: figures, a table of labels or types with the slices below it; of numbers the
 * scatter plot. */
#include "tui/views/predictions_view.h"

#include "tui/format.h"
#include "tui/layout.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── figures ── */

/* As many on a line as fit; returns the lines. */
static int draw_figures(struct term *t, struct rect in, const struct pred_facts *f)
{
    const bool percent = f->kind == BT_ROWS_ANSWERS;
    int y = 0, x = 0;
    for (int i = 0; i < f->n_figures; i++) {
        char value[32] = "-";
        double v = f->figure[i].value;
        if (!isnan(v))
            snprintf(value, sizeof value,
                     v == floor(v) && fabs(v) < 1e9 ? "%.0f"
                     : fabs(v) >= 10 || percent     ? "%.2f"
                                                    : "%.4f",
                     v);
        int need = (int)(strlen(f->figure[i].name) + 1 + strlen(value));
        if (x > 0 && x + need > in.w) {
            y++;
            x = 0;
        }
        if (y >= in.h) return y;
        x += term_print(t, in, y, x, ROLE_DIM, "%s ", f->figure[i].name);
        x += term_print(t, in, y, x, ROLE_TEXT, "%s", value) + 2;
    }
    return f->n_figures ? y + 1 : 0;
}

/* ── groups and slices ── */

static size_t slices(const struct pred_view *s)
{
    size_t n = 0;
    while (pred_slice_name(s->p->kind, (int)n)) n++;
    return n;
}

size_t pred_side_rows(const struct pred_view *s)
{
    return s->p && s->p->kind != BT_ROWS_LABELS ? s->facts.n_groups + slices(s) : 0;
}

enum { NAME, PRECISION, RECALL, F1, GOLD, COLUMNS };
static const struct list_column with_groups[COLUMNS] = {
    [NAME] = {.title = "", .min = 8},
    [PRECISION] = {.title = "prec", .min = 6, .max = 6, .right = true, .drop = 2},
    [RECALL] = {.title = "rec", .min = 6, .max = 6, .right = true, .drop = 1},
    [F1] = {.title = "F1", .min = 6, .max = 6, .right = true},
    [GOLD] = {.title = "gold", .min = 6, .max = 8, .right = true},
};
static const struct list_column slices_alone[] = {{.title = "rows that are", .min = 8},
                                                  {.title = "", .min = 6, .max = 9, .right = true}};

static void add_share(struct bt_str *out, double x)
{
    if (isnan(x))
        bt_str_add(out, "-");
    else
        bt_str_addf(out, "%.3f", x);
}

static void group_cell(const struct pred_group *g, int column, struct bt_str *out)
{
    if (column == NAME) bt_str_add(out, g->name);
    if (column == PRECISION) add_share(out, g->precision);
    if (column == RECALL) add_share(out, g->recall);
    if (column == F1) add_share(out, g->f1);
    if (column == GOLD) format_count(out, (int64_t)g->gold);
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct pred_view *s = ctx;
    int last = s->facts.n_groups ? GOLD : 1;
    if (i < s->facts.n_groups) {
        group_cell(&s->facts.group[i], column, out);
        return;
    }
    int slice = (int)(i - s->facts.n_groups);
    *role = slice == s->query.slice ? ROLE_MARK : ROLE_DIM;
    if (column == NAME)
        bt_str_addf(out, "%s%s", s->facts.n_groups ? "rows: " : "", pred_slice_name(s->p->kind, slice));
    if (column == last) format_count(out, (int64_t)s->facts.of_slice[slice]);
}

static struct list_look look_of(const struct view *v)
{
    struct pred_view *s = v->state;
    bool groups = s->facts.n_groups > 0;
    return (struct list_look){.column = groups ? with_groups : slices_alone,
                              .n_columns = groups ? COLUMNS : 2,
                              .sorted = -1,
                              .focused = v->focus == PRED_MATRIX,
                              .cell = cell,
                              .ctx = s};
}

bool pred_side_open(struct view *v)
{
    struct pred_view *s = v->state;
    size_t at = s->side.cursor, groups = s->facts.n_groups;
    if (at >= pred_side_rows(s)) return false;
    s->query.group = at < groups ? (int)at : PRED_ANY;
    s->query.slice = at < groups ? PRED_ANY : (int)(at - groups);
    return pred_show_chosen(v);
}

bool pred_side_mouse(struct view *v, const struct event *e)
{
    struct pred_view *s = v->state;
    struct list_look look = look_of(v);
    bool activated = false;
    int title = -1;
    if (!layout_in(s->matrix_at, e->y, e->x)) return false;
    if (e->button == MOUSE_LEFT && !e->release) v->focus = PRED_MATRIX;
    if (s->p->kind == BT_ROWS_NUMBERS) return true;
    list_mouse(&s->side, e, &look, &activated, &title);
    return activated ? pred_side_open(v) : true;
}

/* ── the scatter plot ── */

/* The pairs of numbers; their range on both axes. */
static size_t pairs(const struct bt_predictions *p, double *gold, double *value, struct plot_range *range)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_prediction *r = &p->row[i];
        if (!isfinite(r->gold_value) || !isfinite(r->value)) continue;
        gold[n] = r->gold_value;
        value[n++] = r->value;
        range->min = fmin(range->min, fmin(r->gold_value, r->value));
        range->max = fmax(range->max, fmax(r->gold_value, r->value));
    }
    return n;
}

enum { L_SAME, L_POINTS, L_CURSOR, LINES };

static void draw_scatter(struct term *t, struct rect in, const struct pred_view *s)
{
    const struct bt_prediction *r = pred_row(s);
    struct plot_range range = {.min = INFINITY, .max = -INFINITY};
    double *gold = calloc(s->p->n + 1, sizeof *gold), *value = calloc(s->p->n + 1, sizeof *value);
    struct plot_cell *cells =
        in.w > 0 && in.h > 0 ? calloc((size_t)in.w * (size_t)in.h, sizeof *cells) : NULL;
    size_t n = gold && value ? pairs(s->p, gold, value, &range) : 0;
    if (cells && n && in.h >= 4) {
        range = plot_nice(range, false, 5);
        const double ends[] = {range.min, range.max};
        struct plot_line line[LINES] = {
            [L_SAME] = {.x = ends, .y = ends, .n = 2, .faint = true, .dashed = true},
            [L_POINTS] = {.x = gold, .y = value, .n = n, .scattered = true},
            [L_CURSOR] = {.x = r ? &r->gold_value : NULL,
                          .y = r ? &r->value : NULL,
                          .n = r != NULL,
                          .colour = 3,
                          .scattered = true,
                          .marked = true}};
        struct plot_spec spec = {.width = in.w,
                                 .height = in.h,
                                 .glyphs = term_glyphs(t),
                                 .x = range,
                                 .y = range,
                                 .line = line,
                                 .n_lines = LINES};
        struct plot_area area;
        plot_draw(&spec, cells, &area);
        term_plot(t, in, cells);
    } else if (!n) {
        term_print(t, in, 0, 1, ROLE_DIM, "%s", "No row has a gold number.");
    }
    free(cells);
    free(gold);
    free(value);
}

/* ── the pane ── */

static const char *title_of(enum bt_rows_kind kind)
{
    static const char *const title[] = {
        [BT_ROWS_LABELS] = "",       [BT_ROWS_SETS] = "labels",     [BT_ROWS_NUMBERS] = "gold → predicted ↑",
        [BT_ROWS_TAGS] = "entities", [BT_ROWS_ANSWERS] = "answers", [BT_ROWS_MASKS] = "masked words"};
    return title[kind];
}

void pred_side_draw(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, title_of(s->p->kind), v->focus == PRED_MATRIX);
    struct list_look look = look_of(v);
    s->matrix_at = in;
    if (in.h < 2 || in.w < 10) return;
    int used = draw_figures(t, in, &s->facts);
    in.y += used;
    in.h -= used;
    if (s->p->kind == BT_ROWS_NUMBERS)
        draw_scatter(t, in, s);
    else if (in.h > 1)
        list_draw(t, in, &s->side, &look);
}
