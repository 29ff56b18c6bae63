/* Calibration in the Predictions view: how often the model is right when it is how sure, as a table of bins and as a curve. */
#include "tui/views/predictions_view.h"

#include "tui/format.h"
#include "tui/layout.h"
#include <math.h>
#include <stdlib.h>

bool pred_calibration_shown(const struct pred_view *s)
{
    return s->calibrated && s->p && pred_calibrates(s->p->kind);
}

bool pred_calibration_show(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    if (!pred_calibrates(s->p->kind) || s->calibration.n == 0) {
        app_say(v->app, ROLE_TEXT, "%s",
                pred_calibrates(s->p->kind)
                    ? "no row has both a gold value and a confidence"
                    : "the confidence of rows of this kind is not the probability of being right");
        return true;
    }
    s->calibrated = !s->calibrated;
    return true;
}

/* ── the bins ── */

/* The surest first, those without rows left out; returns how many. */
static int bins_of(const struct pred_view *s, int bin[BT_CALIBRATION_BINS])
{
    int n = 0;
    for (int b = BT_CALIBRATION_BINS; b-- > 0;)
        if (s->calibration.bin[b].n > 0) bin[n++] = b;
    return n;
}

enum { CONFIDENCE, ROWS, SAID, RIGHT, GAP, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [CONFIDENCE] = {.title = "confidence", .min = 11, .max = 12},
    [ROWS] = {.title = "rows", .min = 5, .max = 8, .right = true},
    [SAID] = {.title = "said", .min = 5, .max = 7, .right = true},
    [RIGHT] = {.title = "right", .min = 5, .max = 7, .right = true},
    [GAP] = {.title = "gap", .min = 6, .max = 8, .right = true, .drop = 1},
};

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct pred_view *s = ctx;
    int bin[BT_CALIBRATION_BINS];
    if ((int)i >= bins_of(s, bin)) return;
    const struct bt_calibration_bin *b = &s->calibration.bin[bin[i]];
    double said = b->confidence / b->n, right = b->right / b->n;
    if (bin[i] + 1 == s->query.bin) *role = ROLE_MARK;
    if (column == CONFIDENCE)
        bt_str_addf(out, "%.2f to %.2f", (double)bin[i] / BT_CALIBRATION_BINS,
                    (double)(bin[i] + 1) / BT_CALIBRATION_BINS);
    if (column == ROWS) format_count(out, (int64_t)b->n);
    if (column == SAID) bt_str_addf(out, "%.3f", said);
    if (column == RIGHT) bt_str_addf(out, "%.3f", right);
    if (column == GAP) bt_str_addf(out, "%+.3f", right - said);
}

static struct list_look look_of(const struct view *v)
{
    return (struct list_look){.column = columns,
                              .n_columns = COLUMNS,
                              .sorted = -1,
                              .focused = v->focus == PRED_MATRIX,
                              .cell = cell,
                              .ctx = v->state};
}

static bool open_bin(struct view *v)
{
    struct pred_view *s = v->state;
    int bin[BT_CALIBRATION_BINS], n = bins_of(s, bin);
    if (s->bins.cursor >= (size_t)n) return false;
    s->query.bin = bin[s->bins.cursor] + 1;
    return pred_show_chosen(v);
}

bool pred_calibration_act(struct view *v, int action, int count)
{
    struct pred_view *s = v->state;
    return action == ACT_ENTER ? open_bin(v) : list_act(&s->bins, action, count);
}

bool pred_calibration_mouse(struct view *v, const struct event *e)
{
    struct pred_view *s = v->state;
    struct list_look look = look_of(v);
    bool activated = false;
    int title = -1;
    if (!layout_in(s->matrix_at, e->y, e->x)) return false;
    if (e->button == MOUSE_LEFT && !e->release) v->focus = PRED_MATRIX;
    list_mouse(&s->bins, e, &look, &activated, &title);
    return activated ? open_bin(v) : true;
}

/* ── the curve ── */

enum { L_SAME, L_CURVE, LINES };

static void draw_curve(struct term *t, struct rect in, const struct pred_view *s)
{
    static const double ends[] = {0, 1};
    double said[BT_CALIBRATION_BINS], right[BT_CALIBRATION_BINS];
    int bin[BT_CALIBRATION_BINS], n = bins_of(s, bin);
    double least = 1;
    struct plot_cell *cells = calloc((size_t)in.w * (size_t)in.h, sizeof *cells);
    for (int i = 0; i < n; i++) {
        const struct bt_calibration_bin *b = &s->calibration.bin[bin[n - 1 - i]];
        said[i] = b->confidence / b->n;
        right[i] = b->right / b->n;
        least = fmin(least, fmin(said[i], right[i]));
    }
    const struct plot_line line[LINES] = {
        [L_SAME] = {.x = ends, .y = ends, .n = 2, .faint = true, .dashed = true},
        [L_CURVE] = {.x = said, .y = right, .n = (size_t)n, .marked = true}};
    const struct plot_spec spec = {.width = in.w,
                                   .height = in.h,
                                   .glyphs = term_glyphs(t),
                                   .x = {.min = fmin(floor(said[0] * 10) / 10, 0.9), .max = 1},
                                   .y = {.min = fmin(floor(least * 10) / 10, 0.9), .max = 1},
                                   .line = line,
                                   .n_lines = LINES};
    struct plot_area area;
    if (cells) plot_draw(&spec, cells, &area);
    if (cells) term_plot(t, in, cells);
    free(cells);
}

/* ── the pane ── */

void pred_calibration_draw(struct view *v, struct rect area)
{
    enum { TABLE = 42, LEAST_CURVE = 21, LEAST_HIGH = 6 };
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    int bin[BT_CALIBRATION_BINS];
    bt_str_addf(&title, "calibration · ECE %.4f", bt_calibration_ece(&s->calibration));
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_MATRIX);
    bt_str_free(&title);
    struct list_look look = look_of(v);
    s->matrix_at = in;
    if (in.h < 2 || in.w < 10) return;
    list_resize(&s->bins, (size_t)bins_of(s, bin));
    struct rect table = in, curve = in;
    if (in.w >= TABLE + LEAST_CURVE && in.h >= LEAST_HIGH) { /* beside each other */
        table.w = TABLE;
        curve.x += TABLE + 1;
        curve.w -= TABLE + 1;
    } else if (in.h >= 2 * LEAST_HIGH + BT_CALIBRATION_BINS / 2) { /* the one over the other */
        curve.h = in.h / 2;
        table.y += curve.h;
        table.h -= curve.h;
    } else {
        curve.h = 0;
    }
    if (curve.h && s->bins.n) draw_curve(t, curve, s);
    list_draw(t, table, &s->bins, &look);
}
