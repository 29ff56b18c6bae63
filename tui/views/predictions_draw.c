/* What the Predictions view shows: the rows, and which panes stand where. */
#include "tui/empty.h"
#include "tui/views/predictions_audit.h"
#include "tui/views/predictions_map.h"

#include "tui/format.h"
#include "tui/layout.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ── the rows ── */

static const char *name_or_all(const struct pred_view *s, int label)
{
    return label == PRED_ANY ? "any" : pred_label(s->p, label);
}

/* Orders whose column may have no room. */
static const char *order_name(enum pred_order order)
{
    static const char *const name[PRED_ORDERS] = {
        [PRED_BY_LOSS] = "loss", [PRED_BY_CONFIDENCE] = "confidence", [PRED_BY_MARGIN] = "margin"};
    return (size_t)order < PRED_ORDERS ? name[order] : NULL;
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
    if (q->errors && s->p->kind == BT_ROWS_NUMBERS)
        bt_str_addf(out, ", farther off than %.3g", s->facts.mean_error);
    else if (q->errors)
        bt_str_add(out, ", only errors");
    if (q->slice != PRED_ANY) bt_str_addf(out, ", %s", pred_slice_name(s->p->kind, q->slice));
    if (q->group != PRED_ANY && (size_t)q->group < s->facts.n_groups)
        bt_str_addf(out, ", with %s", s->facts.group[q->group].name);
    if (q->bin)
        bt_str_addf(out, ", confidence %.2f to %.2f", (double)(q->bin - 1) / BT_CALIBRATION_BINS,
                    (double)q->bin / BT_CALIBRATION_BINS);
    if (q->gold != PRED_ANY || q->predicted != PRED_ANY)
        bt_str_addf(out, ", %s → %s", name_or_all(s, q->gold), name_or_all(s, q->predicted));
    if (s->tag) bt_str_addf(out, ", tagged %s", s->tag);
    pred_threshold_title(s, out);
    if (s->expression) bt_str_addf(out, ", %s", s->expression);
    if (q->text) bt_str_addf(out, ", with “%s”", q->text);
    if (order_name(q->order)) bt_str_addf(out, " · by %s", order_name(q->order));
    if (s->loading) bt_str_add(out, " · reading …");
}

static const char *why_no_texts(const struct pred_view *s)
{
    if (!s->texts) return "reading the texts …";
    return s->texts->err.status != BT_OK ? s->texts->err.text : NULL;
}

/* Rows are shown without their texts, or without what was noted about them: here is the reason. False: nothing is missing. */
static bool draw_why(struct term *t, struct rect line, const struct pred_view *s)
{
    const char *why = why_no_texts(s);
    if (why)
        term_print(t, line, 0, 0, s->texts ? ROLE_WARN : ROLE_DIM, "%s%s", s->texts ? "no texts: " : "", why);
    else if (s->notes_err.status)
        term_print(t, line, 0, 0, ROLE_WARN, "no tags: %s", s->notes_err.text);
    else if (s->notes.others)
        term_print(t, line, 0, 0, ROLE_DIM, "%zu tagged row%s of another version of the data %s not shown",
                   s->notes.others, s->notes.others == 1 ? "" : "s", s->notes.others == 1 ? "is" : "are");
    else
        return false;
    return true;
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
    const struct rect last = {.y = in.y + in.h - 1, .x = in.x, .h = 1, .w = in.w};
    if (in.h > 3 && draw_why(t, last, s)) in.h--;
    if (s->n)
        list_draw(t, in, &s->list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s",
                   pred_filtered(s) ? "No row is like that. Esc shows all rows." : "The split has no rows.");
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
                   run && !bt_run_state_ended(run->state) ? " yet" : "");
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

static void draw_side(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    (pred_threshold_shown(s)        ? pred_threshold_draw
     : pred_calibration_shown(s)    ? pred_calibration_draw
     : s->p->kind == BT_ROWS_LABELS ? pred_matrix_draw
                                    : pred_side_draw)(v, area);
}

/* Sentences and passages want room: the pane that sums up is the narrower one then. */
static void split_below(struct view *v, struct rect below, bool texts, struct rect *side, struct rect *detail)
{
    const struct border b = {.number = 1,
                             .share = texts ? 400 : 560,
                             .min_first = 30,
                             .min_second = 24,
                             .first = 1 << PRED_MATRIX,
                             .second = 1 << PRED_DETAIL};
    app_split(v, &b, below, side, detail);
}

void pred_panes(struct view *v, struct rect area, bool texts, int share, struct rect pane[PRED_PANES])
{
    enum { LEAST_ROWS = 14 /* for three panes */ };
    const struct border b = {.number = 0,
                             .rows = true,
                             .share = share,
                             .min_first = 7,
                             .min_second = 8,
                             .first = 1 << PRED_LIST,
                             .second = 1 << PRED_MATRIX | 1 << PRED_DETAIL};
    struct rect below;
    for (int i = 0; i < PRED_PANES; i++) pane[i] = (struct rect){.h = 0};
    if (v->zoom || area.h < LEAST_ROWS) {
        pane[v->focus] = area;
        return;
    }
    app_split(v, &b, area, &pane[PRED_LIST], &below);
    split_below(v, below, texts, &pane[PRED_MATRIX], &pane[PRED_DETAIL]);
}

void pred_draw(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct rect pane[PRED_PANES];
    s->detail_at = s->matrix_at = s->list.at = (struct rect){.h = 0};
    if (s->mode == PRED_AUDIT) {
        pred_audit_draw(v, area);
        return;
    }
    if (s->mode == PRED_MAP) {
        pred_map_draw(v, area);
        return;
    }
    if (!s->p) {
        draw_empty(v, area);
        return;
    }
    const bool labels = s->p->kind == BT_ROWS_LABELS;
    const bool texts = !labels && s->p->kind != BT_ROWS_NUMBERS && !pred_threshold_shown(s);
    pred_panes(v, area, texts, labels ? 560 : 460, pane);
    if (pane[PRED_LIST].h) draw_list(v, pane[PRED_LIST]);
    if (pane[PRED_MATRIX].h) draw_side(v, pane[PRED_MATRIX]);
    if (pane[PRED_DETAIL].h) pred_detail_draw(v, pane[PRED_DETAIL]);
}
