/* The data map's list, its row and which pane stands where. */
#include "tui/views/predictions_map.h"

#include "tui/empty.h"
#include "tui/format.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ── the list ── */

enum { ROW, CONFIDENCE, VARIABILITY, RIGHT, FORGOTTEN, TEXT, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [ROW] = {.title = "row", .min = 5, .max = 8, .right = true},
    [CONFIDENCE] = {.title = "conf", .min = 6, .max = 6, .right = true},
    [VARIABILITY] = {.title = "var", .min = 5, .max = 6, .right = true},
    [RIGHT] = {.title = "right", .min = 6, .max = 6, .right = true, .drop = 1},
    [FORGOTTEN] = {.title = "forgot", .min = 7, .max = 7, .right = true, .drop = 2},
    [TEXT] = {.title = "text", .min = 8},
};

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    enum { MOST = 2000 };
    const struct pred_map *m = ctx;
    const struct bt_map_row *r = &m->m->row[m->index[i]];
    const struct bt_example *x = column == TEXT ? pred_map_example(m, r) : NULL;
    if (column == ROW) bt_str_addf(out, "%" PRId64, r->id);
    if (column == CONFIDENCE) bt_str_addf(out, "%.3f", r->confidence);
    if (column == VARIABILITY) bt_str_addf(out, "%.3f", r->variability);
    if (column == RIGHT) bt_str_addf(out, "%.0f/%d", r->correctness * r->epochs, r->epochs);
    if (column == FORGOTTEN && r->learnt) bt_str_addf(out, "%d", r->forgotten);
    if (column == FORGOTTEN && !r->learnt) bt_str_add(out, "never");
    if (column == CONFIDENCE && r->region == BT_MAP_HARD) *role = ROLE_BAD;
    if (x && x->text) bt_str_addn(out, x->text, x->text_n < MOST ? x->text_n : MOST);
    for (uint32_t k = 0; x && !x->text && k < x->parts; k++)
        bt_str_addf(out, "%s%s", k ? " " : "", x->part[k].text);
}

struct list_look pred_map_look(const struct view *v)
{
    static const int column_of[MAP_ORDERS] = {[MAP_BY_ROW] = ROW,
                                              [MAP_BY_CONFIDENCE] = CONFIDENCE,
                                              [MAP_BY_VARIABILITY] = VARIABILITY,
                                              [MAP_BY_CORRECTNESS] = RIGHT,
                                              [MAP_BY_FORGOTTEN] = FORGOTTEN};
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    const bool up = m->order == MAP_BY_ROW || m->order == MAP_BY_CONFIDENCE || m->order == MAP_BY_CORRECTNESS;
    return (struct list_look){.column = columns,
                              .n_columns = COLUMNS,
                              .sorted = column_of[m->order],
                              .descending = up == m->reversed,
                              .focused = v->focus == PRED_LIST,
                              .cell = cell,
                              .ctx = m};
}

static void list_title(const struct pred_map *m, struct bt_str *out)
{
    format_count(out, (int64_t)m->n);
    if (m->n != m->m->n) {
        bt_str_add(out, " of ");
        format_count(out, (int64_t)m->m->n);
    }
    bt_str_add(out, m->m->n == 1 ? " row" : " rows");
    if (m->region >= 0) bt_str_addf(out, ", %s", bt_map_region_name((enum bt_map_region)m->region));
    if (m->boxed) bt_str_addf(out, ", conf %.2f, var %.2f", m->box.from_y, m->box.from_x);
}

static void draw_list(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    struct list_look look = pred_map_look(v);
    list_title(m, &title);
    struct rect in = term_box(t, area, bt_str_text(&title), look.focused);
    bt_str_free(&title);
    const char *why = m->texts && m->texts->err.status ? m->texts->err.text : NULL;
    if (why && in.h > 3) {
        term_print(t, in, in.h - 1, 0, ROLE_WARN, "no texts: %s", why);
        in.h--;
    }
    if (m->n)
        list_draw(t, in, &m->list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s", "No row is there. Esc shows all.");
}

/* ── the row ── */

/* p(gold) over the epochs: eight heights, a gap where it was not seen. */
static void put_epochs(struct sheet *d, const struct pred_map *m, size_t row)
{
    struct bt_str spark = {0};
    const float *p = m->m->p + row * m->m->n_epochs;
    const size_t n = m->m->n_epochs, room = d->width > 8 ? (size_t)d->width - 2 : 6,
                 from = n > room ? n - room : 0;
    for (size_t e = from; e < n; e++) {
        char glyph[4];
        const int level = isnan(p[e]) || p[e] <= 0 ? 0 : p[e] >= 1 ? 7 : (int)(p[e] * 8);
        bt_str_addn(&spark, glyph, bt_utf8_encode(isnan(p[e]) ? ' ' : 0x2581 + level, glyph));
    }
    sheet_print(d, ROLE_DIM, 0, "p(gold) in epochs %" PRId64 " to %" PRId64, m->m->epoch[from],
                m->m->epoch[n - 1]);
    sheet_print(d, ROLE_ACCENT, 0, "%s", bt_str_text(&spark));
    bt_str_free(&spark);
}

static void put_row(struct sheet *d, const struct pred_map *m, const struct bt_map_row *r)
{
    const struct bt_example *x = pred_map_example(m, r);
    sheet_print(d, ROLE_TITLE, 0, "%s", bt_map_region_name(r->region));
    sheet_print(d, ROLE_TEXT, 0, "confidence  %.4f", r->confidence);
    sheet_print(d, ROLE_TEXT, 0, "variability %.4f%s", r->variability, r->epochs > 1 ? "" : ": of one epoch");
    sheet_print(d, ROLE_TEXT, 0, "right in %.0f of %d epochs", r->correctness * r->epochs, r->epochs);
    if (r->forgotten)
        sheet_print(d, ROLE_TEXT, 0, "forgotten %d time%s", r->forgotten, r->forgotten == 1 ? "" : "s");
    else
        sheet_print(d, ROLE_TEXT, 0, r->learnt ? "never forgotten" : "never learnt");
    put_epochs(d, m, (size_t)(r - m->m->row));
    if (!x) return;
    if (x->label) sheet_print(d, ROLE_TEXT, 0, "label: %s", x->label);
    if (x->text) sheet_wrap(d, ROLE_TEXT, 0, x->text, x->text_n);
    struct bt_str parts = {0};
    for (uint32_t k = 0; k < x->parts; k++)
        bt_str_addf(&parts, "%s%s%s%s", k ? " " : "", x->part[k].text, x->part[k].tag ? "/" : "",
                    x->part[k].tag ? x->part[k].tag : "");
    if (parts.len) sheet_wrap(d, ROLE_DIM, 0, bt_str_text(&parts), parts.len);
    bt_str_free(&parts);
    if (x->pair) sheet_print(d, ROLE_DIM, 0, "second text:");
    if (x->pair) sheet_wrap(d, ROLE_TEXT, 0, x->pair, x->pair_n);
    sheet_print(d, ROLE_DIM, 0, "%s:%zu",
                x->file < m->texts->n_files ? bt_path_base(m->texts->file[x->file]) : "", x->line);
}

static void draw_detail(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    struct term *t = app_term(v->app);
    const struct bt_map_row *r = pred_map_row(m);
    struct bt_str title = {0};
    bt_str_add(&title, "row");
    if (r) bt_str_addf(&title, " %" PRId64, r->id);
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_DETAIL);
    bt_str_free(&title);
    if (!r || in.h < 1 || in.w < 8) return;
    const size_t row = (size_t)(r - m->m->row);
    if (row != m->detail_row) m->detail.top = 0;
    m->detail_row = row;
    sheet_begin(&m->detail, in.w);
    put_row(&m->detail, m, r);
    sheet_draw(&m->detail, t, in);
    int below = sheet_rows(&m->detail) - m->detail.top - in.h;
    if (below > 0) term_print(t, area, area.h - 1, 2, ROLE_DIM, " %d more ", below);
}

/* ── panes ── */

static void draw_waiting(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    const struct pred_map *m = s->map;
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "data map", true);
    if (in.h < 1 || in.w < 8) return;
    if (m->err.status == BT_NOTFOUND)
        empty_draw(
            t, in,
            &(struct empty){
                .role = ROLE_TEXT,
                .missing = "This run kept no figures of its training examples.",
                .advice = {
                    "They are written at the end of each epoch, for tasks whose rows can be right or wrong.",
                    "m shows the predictions again."}});
    else if (m->err.status)
        empty_draw(t, in,
                   &(struct empty){.role = ROLE_WARN,
                                   .missing = m->err.text,
                                   .advice = {"m shows the predictions again."}});
    else
        term_print(t, in, 1, 2, ROLE_DIM, "Reading the epochs of %s …", bt_path_base(s->run));
}

static void split(struct view *v, struct rect area, struct rect pane[PRED_PANES])
{
    enum { LEAST_ROWS = 12, LEAST_COLUMNS = 64 };
    const struct border side = {.number = 2,
                                .share = 560,
                                .min_first = 36,
                                .min_second = 30,
                                .first = 1 << PRED_MATRIX,
                                .second = 1 << PRED_LIST | 1 << PRED_DETAIL};
    const struct border below = {.number = 3,
                                 .rows = true,
                                 .share = 500,
                                 .min_first = 6,
                                 .min_second = 6,
                                 .first = 1 << PRED_LIST,
                                 .second = 1 << PRED_DETAIL};
    struct rect right;
    for (int i = 0; i < PRED_PANES; i++) pane[i] = (struct rect){.h = 0};
    if (v->zoom || area.h < LEAST_ROWS || area.w < LEAST_COLUMNS) {
        pane[v->focus] = area;
        return;
    }
    app_split(v, &side, area, &pane[PRED_MATRIX], &right);
    app_split(v, &below, right, &pane[PRED_LIST], &pane[PRED_DETAIL]);
}

void pred_map_draw(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    if (!m) return;
    if (!m->m) {
        draw_waiting(v, area);
        return;
    }
    m->list.at = m->plot_at = (struct rect){.h = 0};
    split(v, area, m->at);
    if (m->at[PRED_MATRIX].h) pred_map_plot(v, m->at[PRED_MATRIX]);
    if (m->at[PRED_LIST].h) draw_list(v, m->at[PRED_LIST]);
    if (m->at[PRED_DETAIL].h) draw_detail(v, m->at[PRED_DETAIL]);
}
