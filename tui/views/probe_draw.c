/* How the Probe view looks: the text on top, what the models say beneath, the texts that were kept beside or below. */
#include "tui/empty.h"
#include "tui/format.h"
#include "tui/views/probe_view.h"

#include "tui/layout.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <math.h>
#include <string.h>

enum { WIDE = 100, BAR = 0x2588, HALF_BAR = 0x258c, THRESHOLD = 0x2502, MARK = 0x25b8, NAME = 18 };

/* ── the models' answers ── */

static void bar(struct term *t, struct rect r, int y, int x, int width, double p, enum role role)
{
    int halves = (int)(p * width * 2.0 + 0.5);
    term_fill(t, (struct rect){.y = r.y + y, .x = r.x + x, .h = 1, .w = halves / 2}, role, BAR);
    if (halves % 2) term_put(t, r, y, x + halves / 2, role, HALF_BAR);
}

/* Long labels and choices take up to half of the line. */
static int name_width(const struct probe_answer *a, int width)
{
    int widest = NAME;
    for (int i = 0; i < a->n; i++) {
        int w = bt_text_width(a->said[i].label, strlen(a->said[i].label));
        if (w > widest) widest = w;
    }
    int most = widest > NAME ? width / 2 : width / 3;
    return widest < most ? widest : most;
}

static void score_line(struct term *t, struct rect r, int y, const struct probe_answer *a, int i, bool stale)
{
    const struct probe_said *said = &a->said[i];
    bool top = said->chosen;
    int name = name_width(a, r.w), room = r.w - name - 13;
    enum role role = stale ? ROLE_DIM : top ? ROLE_MARK : ROLE_TEXT;
    struct rect label = {.y = r.y + y, .x = r.x + 3, .h = 1, .w = name};
    if (top) term_put(t, r, y, 1, role, MARK);
    term_text(t, label, 0, 0, role, said->label, strlen(said->label));
    term_print(t, r, y, name + 4, role, "%.4f", said->score);
    if (room <= 2) return;
    bar(t, r, y, name + 11, room, said->score, stale ? ROLE_DIM : role_series((unsigned)i));
    if (a->threshold >= 0 && a->threshold <= 1) /* from here on the label is given */
        term_put(t, r, y, name + 11 + (int)(a->threshold * room), ROLE_MARK, THRESHOLD);
}

/* How many labels have a higher score (or the same one, and come before). */
static int rank_of(const struct probe_answer *a, int which)
{
    int above = 0;
    for (int i = 0; i < a->n; i++)
        above += a->said[i].score > a->said[which].score ||
                 (a->said[i].score == a->said[which].score && i < which);
    return above;
}

/* As many labels as fit into `rows` lines: those with the highest scores, in id2label's order. */
static int scores(struct term *t, struct rect r, int y, int rows, const struct probe_answer *a, bool stale)
{
    int line = 0;
    for (int i = 0; i < a->n && line < rows; i++)
        if (a->n <= rows || rank_of(a, i) < rows) score_line(t, r, y + line++, a, i, stale);
    return line;
}

static void answer_head(struct view *v, struct rect r, int y, size_t i)
{
    struct probe_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct probe_answer *a = &s->found->answer[i];
    unsigned colour = app_run_colour(v->app, s->dir[i]);
    enum { FIGURES = 36 }; /* beside the name */
    const char *id = bt_path_base(s->dir[i]);
    struct bt_str name = {0};
    if (3 + bt_text_width(id, strlen(id)) <= r.w - FIGURES)
        bt_str_add(&name, id);
    else
        format_run_id(&name, id);
    term_put(t, r, y, 1, role_series(colour), plot_marker(colour, term_glyphs(t)));
    int x = 3 + term_text(t, (struct rect){.y = r.y, .x = r.x, .h = r.h, .w = r.w - FIGURES + 4}, y, 3,
                          ROLE_TITLE, bt_str_text(&name), name.len);
    bt_str_free(&name);
    if (a->error) return;
    x += 1 + term_print(t, r, y, x + 1, ROLE_DIM, "step %lld", (long long)a->step);
    if (!a->tokens) return;
    x += 1 + term_print(t, r, y, x + 1, ROLE_DIM, "%.1f ms", a->ms);
    if (a->truncated)
        term_print(t, r, y, x + 2, ROLE_WARN, "cut to %d tokens", a->tokens);
    else
        term_print(t, r, y, x + 2, ROLE_DIM, "%d of %d tokens", a->tokens, a->most);
}

/* What is needed for an answer, as soon as there is a text. */
static void missing(struct view *v, struct rect r, int y, const struct probe_form *form)
{
    const struct probe_view *s = v->state;
    struct term *t = app_term(v->app);
    const char *text = s->found->text, *pair = s->found->pair;
    if (!form->both || !text || !*text) return;
    if (form->lines)
        term_print(t, r, y, 3, ROLE_DIM, "%s", "two choices or more, one a line (Tab)");
    else if (!pair || !*pair)
        term_print(t, r, y, 3, ROLE_DIM, "%s: nothing there yet (Tab)", form->pair);
}

static int one_answer(struct view *v, struct rect r, int y, size_t i, int rows)
{
    struct probe_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct probe_answer *a = &s->found->answer[i];
    answer_head(v, r, y, i);
    if (a->error) {
        term_text(t, r, y + 1, 3, ROLE_BAD, a->error, strlen(a->error));
        return 2;
    }
    if (!a->tokens) {
        missing(v, r, y + 1, probe_form(a->task));
        return 2;
    }
    sheet_begin(&s->sheet, r.w - 2);
    if (!probe_tell(s, a, s->found->text, s->found->pair)) return 1 + scores(t, r, y + 1, rows, a, s->stale);
    struct rect in = {
        .y = r.y + y + 1, .x = r.x + 1, .h = rows < r.h - y - 1 ? rows : r.h - y - 1, .w = r.w - 2};
    if (in.h < 1) return 1;
    sheet_draw(&s->sheet, t, in);
    if (s->stale) term_shade(t, in, ROLE_DIM);
    int used = sheet_rows(&s->sheet);
    return 1 + (used < in.h ? used : in.h);
}

static void pieces_line(struct view *v, struct rect r, int y)
{
    struct probe_view *s = v->state;
    if (!s->found->pieces || !*s->found->pieces) return;
    int x = term_print(app_term(v->app), r, y, 1, ROLE_DIM, "%s", "pieces ");
    term_text(app_term(v->app), r, y, 1 + x, ROLE_DIM, s->found->pieces, strlen(s->found->pieces));
}

static void answers(struct view *v, struct rect r)
{
    struct probe_view *s = v->state;
    struct rect in = term_box(app_term(v->app), r, probe_form(s->task)->answers, false);
    if (!s->found) {
        term_print(app_term(v->app), in, 0, 1, ROLE_DIM, "%s", "opening the model …");
        return;
    }
    int y = 0, share = (in.h - 1) / (int)(s->found->n ? s->found->n : 1) - 1;
    for (size_t i = 0; i < s->found->n && y < in.h; i++) y += one_answer(v, in, y, i, share < 1 ? 1 : share);
    if (y < in.h) pieces_line(v, in, in.h - 1);
}

static void below(struct view *v, struct rect r)
{
    struct probe_view *s = v->state;
    s->at[PROBE_KEPT] = r;
    probe_below_ops(v)->draw(v, r);
}

/* ── the whole ── */

static void text_box(struct view *v, struct rect r, enum probe_pane pane, const char *title)
{
    struct probe_view *s = v->state;
    bool focused = (int)pane == v->focus;
    struct rect in = term_box(app_term(v->app), r, title, focused);
    s->at[pane] = r;
    edit_draw(pane == PROBE_TEXT ? s->text : s->pair, app_term(v->app), in, ROLE_TEXT, focused);
}

static void inputs(struct view *v, struct rect r)
{
    struct probe_view *s = v->state;
    struct rect first = r, second;
    s->at[PROBE_PAIR] = (struct rect){.h = 0};
    const struct probe_form *form = probe_form(s->task);
    bool long_pair = form->passage || form->lines;
    const struct border b = {.number = 3,
                             .rows = true,
                             .share = long_pair ? 250 : 500,
                             .min_first = 3,
                             .min_second = 3,
                             .first = 1 << PROBE_TEXT,
                             .second = 1 << PROBE_PAIR};
    if (s->pair_shown) app_split(v, &b, r, &first, &second);
    text_box(v, first, PROBE_TEXT, s->pair_shown ? form->first : form->text);
    if (s->pair_shown) text_box(v, second, PROBE_PAIR, form->pair);
}

static void nothing(struct view *v, struct rect area)
{
    static const struct empty none = {
        .role = ROLE_TEXT,
        .missing = "There is no run to ask.",
        .advice = {"3 Experiment starts one: it can be asked as soon as it has saved a checkpoint."}};
    struct term *t = app_term(v->app);
    empty_draw(t, term_box(t, area, "Probe", true), &none);
}

static void zoomed(struct view *v, struct rect area)
{
    struct probe_view *s = v->state;
    if (v->focus == PROBE_KEPT)
        below(v, area);
    else
        text_box(v, area, (enum probe_pane)v->focus,
                 s->pair_shown && v->focus == PROBE_PAIR ? probe_form(s->task)->pair
                                                         : probe_form(s->task)->text);
}

static void split_top(struct view *v, struct rect area, struct rect *top, struct rect *rest)
{
    const struct probe_view *s = v->state;
    const struct probe_form *form = probe_form(s->task);
    int lines = (s->pair_shown ? 7 : 5) + (area.h > 28 ? 2 : 0);
    if (s->pair_shown && (form->passage || form->lines)) lines += area.h > 28 ? 3 : 2;
    const struct border b = {.number = 0,
                             .rows = true,
                             .share = 1000 * lines / area.h,
                             .min_first = s->pair_shown ? 5 : 3,
                             .min_second = 8,
                             .first = 1 << PROBE_TEXT | 1 << PROBE_PAIR,
                             .second = 1 << PROBE_KEPT};
    app_split(v, &b, area, top, rest);
}

/* The answers are no pane. */
static void split_rest(struct view *v, struct rect rest, struct rect *left, struct rect *right)
{
    const struct probe_view *s = v->state;
    const bool wide = rest.w >= WIDE;
    const struct border b = {.number = wide ? 1 : 2,
                             .rows = !wide,
                             .share = wide                     ? 560
                                      : s->below != BELOW_KEPT ? 400
                                                               : 580,
                             .min_first = wide ? 40 : 5,
                             .min_second = wide ? 40 : 4,
                             .second = 1 << PROBE_KEPT};
    app_split(v, &b, rest, left, right);
}

void probe_draw(struct view *v, struct rect area)
{
    struct probe_view *s = v->state;
    struct rect top, rest, left, right;
    memset(s->at, 0, sizeof s->at);
    if (!app_run(v->app) && !s->n) {
        nothing(v, area);
        return;
    }
    if (v->zoom) {
        zoomed(v, area);
        return;
    }
    split_top(v, area, &top, &rest);
    split_rest(v, rest, &left, &right);
    inputs(v, top); /* lower ones last: their titles stand in the shared edges */
    answers(v, left);
    below(v, right);
}
