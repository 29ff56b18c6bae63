/* What the Predictions view shows: the rows, the confusion matrix, the row under the cursor. */
#include "tui/empty.h"
#include "tui/views/predictions_view.h"

#include "tui/format.h"
#include "tui/layout.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ── the rows ── */

enum { COL_ROW, COL_GOLD, COL_PREDICTED, COL_P, COL_MARGIN, COL_LOSS, COL_TEXT, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [COL_ROW] = {.title = "row", .min = 6, .max = 9, .right = true},
    [COL_GOLD] = {.title = "gold", .min = 6, .max = 14},
    [COL_PREDICTED] = {.title = "predicted", .min = 9, .max = 16},
    [COL_P] = {.title = "conf.", .min = 7, .max = 7, .right = true},
    [COL_MARGIN] = {.title = "margin", .min = 8, .max = 8, .right = true, .drop = 2},
    [COL_LOSS] = {.title = "loss", .min = 7, .max = 7, .right = true, .drop = 1},
    [COL_TEXT] = {.title = "text", .min = 30},
};
static const int sorted_column[PRED_ORDERS] = {[PRED_BY_ROW] = COL_ROW,
                                               [PRED_BY_LOSS] = COL_LOSS,
                                               [PRED_BY_CONFIDENCE] = COL_P,
                                               [PRED_BY_MARGIN] = COL_MARGIN};

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct pred_view *s = ctx;
    const struct bt_prediction *r = &s->p->row[s->index[i]];
    const struct bt_example *x =
        column == COL_TEXT ? pred_example(s->p, s->texts ? s->texts->examples : NULL, r) : NULL;
    bool wrong = r->gold >= 0 && r->gold != r->predicted;
    if (column == COL_ROW) bt_str_addf(out, "%" PRId64, r->id);
    if (column == COL_GOLD) bt_str_add(out, r->gold >= 0 ? pred_label(s->p, r->gold) : "-");
    if (column == COL_PREDICTED)
        bt_str_addf(out, "%s%s", wrong ? "✗ " : "  ", pred_label(s->p, r->predicted));
    if (column == COL_PREDICTED && wrong) *role = ROLE_BAD;
    if (column == COL_P) bt_str_addf(out, "%.3f", (double)r->p);
    if (column == COL_MARGIN) bt_str_addf(out, "%.3f", (double)pred_margin(s->p, r));
    if (column == COL_LOSS && !isnan(r->loss)) bt_str_addf(out, "%.3f", (double)r->loss);
    if (x) bt_str_addn(out, x->text, x->text_n < 2000 ? x->text_n : 2000);
    if (x && x->pair) {
        bt_str_add(out, " | ");
        bt_str_addn(out, x->pair, x->pair_n < 2000 ? x->pair_n : 2000);
    }
}

struct list_look pred_look(const struct view *v)
{
    const struct pred_view *s = v->state;
    enum pred_order o = s->query.order;
    return (struct list_look){.column = columns,
                              .n_columns = s->texts && !s->texts->examples ? COL_TEXT : COLUMNS,
                              .sorted = sorted_column[o],
                              .descending = (o == PRED_BY_LOSS) != s->query.reversed,
                              .focused = v->focus == PRED_LIST,
                              .cell = cell,
                              .ctx = v->state};
}

static const char *name_or_all(const struct pred_view *s, int label)
{
    return label == PRED_ANY ? "any" : pred_label(s->p, label);
}

static void title_of(const struct pred_view *s, struct bt_str *out)
{
    const struct pred_query *q = &s->query;
    size_t at = 0;
    while (at < s->n_steps && s->steps[at] != s->p->step) at++;
    if (s->pinned) bt_str_addf(out, "%s · ", bt_path_base(s->run));
    bt_str_addf(out, "%s · step %" PRId64, pred_split_name(s->split), s->p->step);
    if (s->n_steps > 1) bt_str_addf(out, " (%zu of %zu)", at + 1, s->n_steps);
    bt_str_add(out, " · ");
    format_count(out, (int64_t)s->n);
    if (s->n != s->p->n) {
        bt_str_add(out, " of ");
        format_count(out, (int64_t)s->p->n);
    }
    bt_str_add(out, s->p->n == 1 ? " row" : " rows");
    if (q->errors) bt_str_add(out, ", only errors");
    if (q->gold != PRED_ANY || q->predicted != PRED_ANY)
        bt_str_addf(out, ", %s → %s", name_or_all(s, q->gold), name_or_all(s, q->predicted));
    if (q->text) bt_str_addf(out, ", with “%s”", q->text);
    if (s->loading) bt_str_add(out, " · reading …");
}

static const char *why_no_texts(const struct pred_view *s)
{
    if (!s->texts) return "reading the texts …";
    return s->texts->err.status != BT_OK ? s->texts->err.text : NULL;
}

static void draw_list(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    struct list_look look = pred_look(v);
    title_of(s, &title);
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_LIST);
    bt_str_free(&title);
    const char *why = why_no_texts(s);
    if (why && in.h > 3) { /* rows are shown without their texts; here is the reason */
        bool bad = s->texts != NULL;
        term_print(t, in, in.h - 1, 0, bad ? ROLE_WARN : ROLE_DIM, "%s%s", bad ? "no texts: " : "", why);
        in.h--;
    }
    if (s->n)
        list_draw(t, in, &s->list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s",
                   pred_filtered(s) ? "No row is like that. Esc shows all rows." : "The split has no rows.");
}

/* ── the matrix ── */

enum {
    FIGURES = 3,
    FIGURE_W = 5,
    MOST_LABEL = 12,
    LEAST_CELL = 5,
    FEW = 4 /* cells that go before figures */
};

static int label_width(const struct pred_view *s, int most)
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
    int widest = label_width(s, MOST_LABEL) + 2;
    s->label_width = label_width(s, MOST_LABEL);
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

static void draw_matrix(struct view *v, struct rect area)
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
    if (!s->p || !layout_in(s->matrix_at, y, x) || row < 0 || column < 0 || s->cell_width < 1) return false;
    *gold = s->first_gold + row;
    *predicted = s->first_predicted + column / s->cell_width;
    return *gold <= s->p->n_labels && *predicted <= s->p->n_labels &&
           column / s->cell_width < cells_shown(s, s->matrix_at.w);
}

/* ── the row ── */

enum { MOST_ABOVE = 5 /* scores above the text */ };

static void put_score(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r, int i)
{
    int label_w = label_width(s, d->width / 3), room = d->width - label_w - 10;
    struct bt_str line = {0}, label = {0};
    int n = (int)(r->scores[i] * (float)room + 0.5f);
    int w = bt_text_fit(&label, s->p->label[i], strlen(s->p->label[i]), label_w);
    bt_str_addf(&line, "%s%*s %.3f ", bt_str_text(&label), label_w - w, "", (double)r->scores[i]);
    for (int k = 0; k < n; k++) bt_str_add(&line, "▇");
    const char *mark = i == r->predicted ? (r->gold == i || r->gold < 0 ? "✓" : "✗")
                       : i == r->gold    ? "g"
                                         : " ";
    enum role role = i == r->gold ? ROLE_GOOD : i == r->predicted ? ROLE_BAD : ROLE_TEXT;
    sheet_print(d, role, 0, "%s %s", mark, bt_str_text(&line));
    bt_str_free(&line);
    bt_str_free(&label);
}

/* The label with the greatest score below one that was shown already (−1: none yet); −1: there are no more. */
static int next_score(const struct pred_view *s, const struct bt_prediction *r, int last)
{
    int best = -1;
    for (int i = 0; i < s->p->n_labels; i++) {
        bool after =
            last < 0 || r->scores[i] < r->scores[last] || (r->scores[i] == r->scores[last] && i > last);
        if (after && (best < 0 || r->scores[i] > r->scores[best])) best = i;
    }
    return best;
}

/* A few labels in their order; many by their scores, from one on: the first ones stand above the text, the others below. Returns the last. */
static int put_scores(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r, int from,
                      int most)
{
    if (!r->scores) return -1;
    if (s->p->n_labels <= MOST_ABOVE) {
        for (int i = 0; from < 0 && i < s->p->n_labels; i++) put_score(d, s, r, i);
        return s->p->n_labels - 1;
    }
    int at = from;
    for (int n = 0; n < most; n++) {
        int next = next_score(s, r, at);
        if (next < 0) break;
        put_score(d, s, r, at = next);
    }
    return at;
}

/* p(gold) over the steps: eight heights, a gap where a step says nothing about the row. */
static void put_history(struct sheet *d, const struct pred_view *s, size_t row)
{
    struct bt_str spark = {0};
    float first = NAN, last = NAN;
    size_t known = 0, skipped = s->n_steps - s->n_history;
    int room = d->width - 10;
    size_t from = s->n_history > (size_t)(room > 1 ? room : 1) ? s->n_history - (size_t)room : 0;
    for (size_t k = from; k < s->n_history; k++) {
        float p = s->history[k * s->p->n + row];
        int level = isnan(p) ? 0 : p >= 1 ? 7 : p <= 0 ? 0 : (int)(p * 8);
        char glyph[4];
        size_t n = bt_utf8_encode(isnan(p) ? ' ' : 0x2581 + level, glyph);
        bt_str_addn(&spark, glyph, n);
        if (isnan(p)) continue;
        if (known++ == 0) first = p;
        last = p;
    }
    if (known > 1) {
        sheet_print(d, ROLE_DIM, 0, "p(gold) over steps %" PRId64 " to %" PRId64, s->steps[skipped + from],
                    s->steps[s->n_steps - 1]);
        sheet_print(d, ROLE_ACCENT, 0, "%s  %.2f → %.2f", bt_str_text(&spark), (double)first, (double)last);
    }
    bt_str_free(&spark);
}

static void put_row(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    const struct bt_example *x = pred_example(s->p, s->texts ? s->texts->examples : NULL, r);
    bool wrong = r->gold >= 0 && r->gold != r->predicted;
    if (r->gold < 0)
        sheet_print(d, ROLE_TEXT, 0, "predicted %s", pred_label(s->p, r->predicted));
    else
        sheet_print(d, wrong ? ROLE_BAD : ROLE_GOOD, 0, wrong ? "%s, predicted %s" : "%s, as predicted",
                    pred_label(s->p, r->gold), pred_label(s->p, r->predicted));
    int last = put_scores(d, s, r, -1, MOST_ABOVE);
    if (s->history && r->gold >= 0) put_history(d, s, (size_t)(r - s->p->row));
    if (x) sheet_wrap(d, ROLE_TEXT, 0, x->text, x->text_n);
    if (x && x->pair) sheet_print(d, ROLE_DIM, 0, "second text:");
    if (x && x->pair) sheet_wrap(d, ROLE_TEXT, 0, x->pair, x->pair_n);
    if (x)
        sheet_print(d, ROLE_DIM, 0, "%s:%zu",
                    x->file < s->texts->n_files ? bt_path_base(s->texts->file[x->file]) : "", x->line);
    else if (s->texts && s->texts->examples)
        sheet_print(d, ROLE_WARN, 0, "The file has changed: this row is another one now.");
    if (last >= 0) put_scores(d, s, r, last, s->p->n_labels);
}

static void draw_detail(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct bt_prediction *r = pred_row(s);
    char title[64] = "row";
    if (r) snprintf(title, sizeof title, "row %" PRId64, r->id);
    struct rect in = term_box(t, area, title, v->focus == PRED_DETAIL);
    s->detail_at = area;
    if (!r || in.h < 1 || in.w < 8) return;
    size_t row = (size_t)(r - s->p->row);
    if (row != s->detail_row) s->detail.top = 0;
    s->detail_row = row;
    sheet_begin(&s->detail, in.w);
    put_row(&s->detail, s, r);
    sheet_draw(&s->detail, t, in);
    int below = sheet_rows(&s->detail) - s->detail.top - in.h;
    if (below > 0) term_print(t, area, area.h - 1, 2, ROLE_DIM, " %d more ", below);
}

/* ── nothing to show ── */

static void draw_why_none(struct term *t, struct rect in, const struct pred_view *s,
                          const struct bt_run_status *run)
{
    const char *name = pred_split_name(s->split),
               *other = pred_split_name(s->split == PRED_TEST ? PRED_VALIDATION : PRED_TEST);
    int y = 1;
    if (s->err.status != BT_NOTFOUND) {
        term_text(t, in, y, 2, ROLE_WARN, s->err.text, strlen(s->err.text));
        y += 2;
    } else {
        term_print(t, in, y, 2, ROLE_TEXT, "This run has no predictions of its %s rows%s.", name,
                   run && bt_run_state_alive(run->state) ? " yet" : "");
        term_print(t, in, y + 1, 2, ROLE_DIM, "%s",
                   "They are written whenever the run is evaluated (eval.eval_strategy).");
        y += 3;
    }
    if (s->other_steps)
        term_print(t, in, y, 2, ROLE_TEXT, "t shows those of its %s rows.", other);
    else if (run && bt_run_state_alive(run->state))
        term_print(t, in, y, 2, ROLE_TEXT, "%s", "v in Runs asks the run to evaluate now.");
}

static void draw_empty(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Predictions", true);
    if (!s->run && !app_runs_known(v->app)) return;
    if (!s->run) {
        empty_draw(
            t, in,
            &(struct empty){.role = ROLE_TEXT,
                            .missing = "There is no run yet.",
                            .advice = {"3 Experiment starts one; each evaluation writes its predictions."}});
    } else if (s->err.status != BT_OK) {
        draw_why_none(t, in, s, app_run_status(v->app, s->run));
    } else {
        term_print(t, in, 1, 2, ROLE_DIM, "Reading the predictions of %s …", bt_path_base(s->run));
    }
}

void pred_draw(struct view *v, struct rect area)
{
    enum { LEAST_ROWS = 14 /* for three panes */ };
    const struct pred_view *s = v->state;
    struct rect list, below, matrix, detail;
    if (!s->p) {
        draw_empty(v, area);
        return;
    }
    if (v->zoom || area.h < LEAST_ROWS) {
        (v->focus == PRED_LIST ? draw_list : v->focus == PRED_MATRIX ? draw_matrix : draw_detail)(v, area);
        return;
    }
    layout_rows(area, 560, 7, 8, &list, &below);
    layout_columns(below, 560, 30, 24, &matrix, &detail);
    draw_list(v, list);
    draw_matrix(v, matrix);
    draw_detail(v, detail);
}
