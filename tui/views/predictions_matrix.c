/* The confusion matrix of the Predictions view. */
#include "tui/views/predictions_view.h"

#include "tui/layout.h"
#include <bertty/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FIGURES = 3,
    FIGURE_W = 5,
    MOST_LABEL = 12,
    LEAST_CELL = 5,
    FEW = 4 /* cells that go before figures */
};

int pred_label_width(const struct pred_view *s, int most)
{
    int widest = 4;
    for (int i = 0; i < s->p->n_labels; i++) {
        int w = bt_text_width(s->p->label[i], strlen(s->p->label[i]));
        if (w > widest) widest = w;
    }
    return widest < most ? widest : most;
}

/* Cells shrink down to what their counts need before columns are scrolled away. */
static void size_cells(struct pred_view *s, int room)
{
    char digits[24];
    int least = snprintf(digits, sizeof digits, "%zu", s->p->n) + 2;
    int widest = pred_label_width(s, MOST_LABEL) + 2;
    s->label_width = pred_label_width(s, MOST_LABEL);
    if (least < LEAST_CELL) least = LEAST_CELL;
    int few = s->p->n_labels < FEW ? s->p->n_labels : FEW;
    s->figures = room - s->label_width - FIGURES * FIGURE_W < few * least ? 0 : FIGURES;
    int fair = (room - s->label_width - s->figures * FIGURE_W) / (s->p->n_labels + 1);
    s->cell_width = fair > widest ? widest : fair < least ? least : fair;
}

static int cells_shown(const struct pred_view *s, int room)
{
    int n = (room - s->label_width - s->figures * FIGURE_W) / s->cell_width;
    if (n < 1) n = (room - s->label_width) / s->cell_width;
    return n < 1 ? 1 : n > s->p->n_labels + 1 ? s->p->n_labels + 1 : n;
}

static void scroll_to(int *first, int at, int shown, int n)
{
    if (at < *first) *first = at;
    if (at >= *first + shown) *first = at - shown + 1;
    if (*first + shown > n) *first = n > shown ? n - shown : 0;
}

static void put_right(struct term *t, struct rect r, int y, int x, int w, enum role role, const char *text)
{
    struct rect at = {.y = r.y + y, .x = r.x + x, .h = 1, .w = x + w > r.w ? r.w - x : w};
    int width = bt_text_width(text, strlen(text));
    if (at.w > 0) term_text(t, at, 0, width < at.w ? at.w - width : 0, role, text, strlen(text));
}

static const char *label_or_all(const struct pred_view *s, int i)
{
    return i < s->p->n_labels ? s->p->label[i] : "all";
}

static void draw_matrix_head(struct term *t, struct rect in, const struct pred_view *s, int shown)
{
    static const char *const figure[FIGURES] = {"prec", "rec", "F1"};
    int x = s->label_width;
    term_print(t, (struct rect){.y = in.y, .x = in.x, .h = 1, .w = s->label_width}, 0, 0, ROLE_DIM, "%s",
               "gold");
    for (int i = 0; i < shown; i++, x += s->cell_width) {
        struct rect at = {.y = in.y, .x = in.x + x + 1, .h = 1, .w = s->cell_width - 1};
        const char *label = label_or_all(s, s->first_predicted + i);
        int w = bt_text_width(label, strlen(label));
        term_text(t, at, 0, w < at.w ? at.w - w : 0, ROLE_HEADER, label, strlen(label));
    }
    for (int i = 0; i < s->figures && x + FIGURE_W <= in.w; i++, x += FIGURE_W)
        put_right(t, in, 0, x, FIGURE_W, ROLE_DIM, figure[i]);
}

static void draw_cell(struct term *t, struct rect in, int y, int x, const struct view *v, int gold,
                      int predicted)
{
    const struct pred_view *s = v->state;
    int n = s->p->n_labels;
    size_t count =
        pred_matrix_cell(&s->matrix, gold < n ? gold : PRED_ANY, predicted < n ? predicted : PRED_ANY);
    char text[32];
    enum role role = ROLE_TEXT;
    if (gold < n && predicted < n && count) role = gold == predicted ? ROLE_GOOD : ROLE_BAD;
    if (count == 0) role = ROLE_DIM;
    snprintf(text, sizeof text, "%zu", count);
    put_right(t, in, y, x, s->cell_width, role, text);
    if (gold == s->gold && predicted == s->predicted)
        term_paint(t, in, y, x + 1, s->cell_width - 1,
                   v->focus == PRED_MATRIX ? ROLE_CURSOR : ROLE_CURSOR_IDLE);
}

static void draw_figures(struct term *t, struct rect in, int y, int x, const struct pred_view *s, int gold)
{
    const struct pred_class *c = gold < s->p->n_labels ? &s->matrix.of[gold] : NULL;
    const double of_class[FIGURES] = {c ? c->precision : NAN, c ? c->recall : NAN, c ? c->f1 : NAN};
    const double of_all[FIGURES] = {NAN, s->matrix.accuracy, s->matrix.macro_f1};
    for (int i = 0; i < s->figures && x + FIGURE_W <= in.w; i++, x += FIGURE_W) {
        char text[16] = "";
        double value = c ? of_class[i] : of_all[i];
        if (!isnan(value)) snprintf(text, sizeof text, "%.3f", value);
        if (text[0] == '0') memmove(text, text + 1, sizeof text - 1); /* .724 */
        if (value >= 0.9995) text[3] = '\0';                          /* 1.0 */
        put_right(t, in, y, x, FIGURE_W, ROLE_TEXT, text[0] ? text : "-");
    }
}

/* Titles of columns are cut where there are many: here is what the cursor's cell stands for. */
static void matrix_title(const struct view *v, struct bt_str *out)
{
    const struct pred_view *s = v->state;
    bt_str_add(out, "gold ↓ predicted →");
    if (v->focus != PRED_MATRIX) return;
    bt_str_clear(out);
    bt_str_addf(out, "%s → %s", label_or_all(s, s->gold), label_or_all(s, s->predicted));
}

void pred_matrix_draw(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    matrix_title(v, &title);
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_MATRIX);
    bt_str_free(&title);
    int n = s->p->n_labels + 1;
    s->matrix_at = in;
    if (in.h < 2 || in.w < 10) return;
    size_cells(s, in.w);
    int wide = cells_shown(s, in.w), high = in.h - 1 < n ? in.h - 1 : n;
    scroll_to(&s->first_gold, s->gold, high, n);
    scroll_to(&s->first_predicted, s->predicted, wide, n);
    draw_matrix_head(t, in, s, wide);
    for (int i = 0; i < high; i++) {
        int gold = s->first_gold + i, x = s->label_width;
        struct rect at = {.y = in.y + 1 + i, .x = in.x, .h = 1, .w = s->label_width};
        const char *label = label_or_all(s, gold);
        term_text(t, at, 0, 0, gold < s->p->n_labels ? ROLE_TEXT : ROLE_DIM, label, strlen(label));
        for (int k = 0; k < wide; k++, x += s->cell_width)
            draw_cell(t, in, 1 + i, x, v, gold, s->first_predicted + k);
        draw_figures(t, in, 1 + i, x, s, gold);
    }
}

bool pred_place(const struct pred_view *s, int y, int x, int *gold, int *predicted)
{
    int row = y - s->matrix_at.y - 1, column = x - s->matrix_at.x - s->label_width;
    if (!s->p || s->p->kind != BT_ROWS_LABELS || pred_calibration_shown(s) || pred_threshold_shown(s) ||
        !layout_in(s->matrix_at, y, x) || row < 0 || column < 0 || s->cell_width < 1)
        return false;
    *gold = s->first_gold + row;
    *predicted = s->first_predicted + column / s->cell_width;
    return *gold <= s->p->n_labels && *predicted <= s->p->n_labels &&
           column / s->cell_width < cells_shown(s, s->matrix_at.w);
}
