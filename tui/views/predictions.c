/* The Predictions view: what a run says about each row of a split, step by step. */
#include "tui/views/predictions_audit.h"
#include "tui/views/predictions_keys.h"
#include "tui/views/predictions_map.h"

#include "tui/layout.h"
#include <bertty/file.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct bt_prediction *pred_row(const struct pred_view *s)
{
    return s->p && s->list.cursor < s->n ? &s->p->row[s->index[s->list.cursor]] : NULL;
}

bool pred_filtered(const struct pred_view *s)
{
    const struct pred_query *q = &s->query;
    return q->errors || q->gold != PRED_ANY || q->predicted != PRED_ANY || q->slice != PRED_ANY ||
           q->group != PRED_ANY || q->bin || s->expression || s->tag || q->text;
}

/* ── which rows ── */

static int label_of(const struct bt_predictions *p, const char *name)
{
    for (int i = 0; name && i < p->n_labels; i++)
        if (strcmp(p->label[i], name) == 0) return i;
    return PRED_ANY;
}

/* The cell that another view asked for. */
static void take_wanted_cell(struct pred_view *s)
{
    if (!s->wanted_gold && !s->wanted_predicted) return;
    s->query.gold = label_of(s->p, s->wanted_gold);
    s->query.predicted = label_of(s->p, s->wanted_predicted);
    free(s->wanted_gold);
    free(s->wanted_predicted);
    s->wanted_gold = s->wanted_predicted = NULL;
}

/* The row of one of the split's files as a row of the split; 0: not known yet, −1: there is none. */
static int64_t row_of_file(const struct pred_view *s)
{
    const struct bt_examples *e = s->texts ? s->texts->examples : NULL;
    int64_t left = s->wanted, found = s->texts ? -1 : 0;
    for (size_t f = 0; e && f < s->texts->n_files; f++) {
        const bool same = bt_same_file(s->texts->file[f], s->wanted_file);
        for (size_t i = 0; same && found < 0 && i < bt_examples_count(e); i++)
            if (bt_examples_at(e, i)->file == f && --left == 0) found = (int64_t)i + 1;
    }
    return found;
}

static void go_to_id(struct pred_view *s, int64_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->p->row[s->index[i]].id == id) s->list.cursor = i;
}

static bool is_shown(const struct pred_view *s, int64_t id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->p->row[s->index[i]].id == id) return true;
    return false;
}

static void take_wanted_row(struct view *v)
{
    struct pred_view *s = v->state;
    int64_t id = s->wanted_file && s->wanted ? row_of_file(s) : s->wanted;
    if (id == 0) return;
    if (id > 0 && is_shown(s, id))
        go_to_id(s, id);
    else
        app_say(v->app, ROLE_WARN, "there is no prediction for row %" PRId64, s->wanted);
    free(s->wanted_file);
    s->wanted_file = NULL;
    s->wanted = 0;
}

/* The cursor stays on its row if that is still shown. */
void pred_update(struct view *v)
{
    struct pred_view *s = v->state;
    app_redraw(v->app);
    if (!s->p) {
        s->n = 0;
        return;
    }
    const struct bt_prediction *before = s->n && s->list.cursor < s->n && s->index[s->list.cursor] < s->p->n
                                             ? &s->p->row[s->index[s->list.cursor]]
                                             : NULL;
    int64_t id = before ? before->id : 0;
    size_t *more = realloc(s->index, (s->p->n + 1) * sizeof *more);
    if (!more) return;
    s->index = more;
    take_wanted_cell(s);
    s->query.text = s->filter;
    s->query.tag = s->tag;
    s->query.notes = &s->notes;
    pred_slice_apply(v);
    s->query.facts = &s->facts;
    list_resize(&s->side, pred_side_rows(s));
    s->n = pred_select(s->p, s->texts ? s->texts->examples : NULL, &s->query, s->index);
    if (s->gold > s->p->n_labels) s->gold = 0;
    if (s->predicted > s->p->n_labels) s->predicted = 0;
    list_resize(&s->list, s->n);
    if (id) go_to_id(s, id);
    take_wanted_row(v);
}

static void show_all(struct pred_view *s)
{
    free(s->filter);
    free(s->expression);
    free(s->tag);
    s->filter = s->expression = s->tag = NULL;
    pred_slice_forget_rows(s);
    s->query.errors = false;
    s->query.gold = s->query.predicted = s->query.slice = s->query.group = PRED_ANY;
    s->query.bin = 0;
}

static void set_filter(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    free(s->filter);
    s->filter = text && *text ? bt_strdup(text) : NULL;
    pred_update(v);
}

static void filter_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    set_filter(v, text ? text : s->filter_before);
    free(s->filter_before);
    s->filter_before = NULL;
}

static bool ask_filter(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    free(s->filter_before);
    s->filter_before = bt_strdup(s->filter);
    app_ask(v->app, &(struct app_prompt){.what = "rows with: ",
                                         .initial = s->filter ? s->filter : "",
                                         .history = "predictions-filter",
                                         .done = filter_done,
                                         .changed = set_filter,
                                         .ctx = v});
    return true;
}

/* ── which run, split and step ── */

static void load_mode(struct view *v)
{
    const struct pred_view *s = v->state;
    if (s->mode == PRED_AUDIT) pred_audit_load(v);
    if (s->mode == PRED_MAP) pred_map_load(v);
}

static void show_run(struct view *v, const char *dir)
{
    struct pred_view *s = v->state;
    pred_forget(s);
    pred_audit_forget(s);
    pred_map_forget(s);
    free(s->run);
    free(s->kept);
    s->kept = NULL;
    s->sliding = false;
    s->run = bt_strdup(dir);
    s->step = -1;
    if (s->run) pred_load(v);
    load_mode(v);
    app_redraw(v->app);
}

static void follow_choice(struct view *v)
{
    struct pred_view *s = v->state;
    const char *chosen = app_run(v->app);
    if (s->pinned && chosen && strcmp(s->pinned, chosen) == 0) return;
    free(s->pinned);
    s->pinned = NULL;
    bool same = chosen && s->run ? strcmp(chosen, s->run) == 0 : !chosen && !s->run;
    if (!same) show_run(v, chosen);
}

/* A new evaluation, or another end of the run. */
static void follow_run(struct view *v)
{
    struct pred_view *s = v->state;
    const struct bt_run_status *run = s->run ? app_run_status(v->app, s->run) : NULL;
    if (!run || (run->last_step == s->seen_step && run->state == s->seen_state)) return;
    bool first = s->seen_step == 0 && !s->p && s->loading;
    s->seen_step = run->last_step;
    s->seen_state = run->state;
    if (!first) pred_load(v);
    if (!first && s->mode == PRED_MAP) pred_map_load(v); /* another epoch, perhaps */
}

static void tick(struct view *v, double now)
{
    const struct pred_view *s = v->state;
    (void)now;
    follow_choice(v);
    follow_run(v);
    if (s->mode == PRED_AUDIT) pred_audit_follow(v);
}

static bool move_step(struct view *v, int by)
{
    struct pred_view *s = v->state;
    long at = 0, n = (long)s->n_steps;
    if (!s->p) return true;
    int64_t from = s->loading && s->step >= 0 ? s->step : s->p->step;
    while (at < n && s->steps[at] < from) at++;
    long to = at + by;
    if (to < 0 || to >= n) {
        if (n > 1)
            app_say(v->app, ROLE_TEXT, "there are no predictions %s step %" PRId64,
                    by < 0 ? "before" : "after", from);
        else
            app_say(v->app, ROLE_TEXT, "step %" PRId64 " is the only one with predictions", s->p->step);
        return true;
    }
    s->step = s->steps[to];
    pred_load(v);
    return true;
}

static bool other_split(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->run) return false;
    s->split = s->split == PRED_TEST ? PRED_VALIDATION : PRED_TEST;
    pred_forget(s);
    s->step = -1;
    s->list = (struct list){0};
    pred_load(v);
    return true;
}

static void receive(struct view *v, const struct app_request *r)
{
    struct pred_view *s = v->state;
    const char *chosen = app_run(v->app), *run = r->run ? r->run : s->run ? s->run : chosen;
    free(s->pinned);
    s->pinned = run && chosen && strcmp(run, chosen) != 0 ? bt_strdup(chosen) : NULL;
    if (run && (!s->run || strcmp(s->run, run) != 0)) show_run(v, run);
    if (r->step > 0) s->step = r->step;
    show_all(s);
    free(s->wanted_gold);
    free(s->wanted_predicted);
    free(s->wanted_file);
    s->wanted_gold = bt_strdup(r->gold);
    s->wanted_predicted = bt_strdup(r->predicted);
    s->wanted_file = bt_strdup(r->path);
    s->wanted = (int64_t)r->row;
    v->focus = PRED_LIST;
    s->mode = PRED_ROWS;
    if (s->run) pred_load(v);
}

/* ── keys ── */

bool pred_show_chosen(struct view *v)
{
    struct pred_view *s = v->state;
    s->query.errors = false;
    v->focus = PRED_LIST;
    s->list.cursor = s->list.top = 0;
    s->n = 0;
    pred_update(v);
    return true;
}

static bool open_cell(struct view *v)
{
    struct pred_view *s = v->state;
    int n = s->p->n_labels;
    s->query.gold = s->gold < n ? s->gold : PRED_ANY;
    s->query.predicted = s->predicted < n ? s->predicted : PRED_ANY;
    return pred_show_chosen(v);
}

static int within(int at, long by, int n)
{
    long to = at + by;
    return to < 0 ? 0 : to > n ? n : (int)to;
}

/* The next slice that has rows; after the last one: all. */
static bool next_slice(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    if (!pred_slice_name(s->p->kind, 0)) {
        app_say(v->app, ROLE_TEXT, "the cells of the matrix choose among rows of this kind (Tab)");
        return true;
    }
    int at = s->query.slice + 1;
    while (pred_slice_name(s->p->kind, at) && !s->facts.of_slice[at]) at++;
    s->query.slice = pred_slice_name(s->p->kind, at) ? at : PRED_ANY;
    s->list.cursor = s->list.top = 0;
    s->n = 0;
    pred_update(v);
    return true;
}

static bool act_side(struct view *v, int action, int count)
{
    struct pred_view *s = v->state;
    if (s->p->kind == BT_ROWS_NUMBERS) return list_act(&s->list, action, count); /* the point goes along */
    return action == ACT_ENTER ? pred_side_open(v) : list_act(&s->side, action, count);
}

static bool act_matrix(struct view *v, int action, int count)
{
    struct pred_view *s = v->state;
    int n = s->p->n_labels;
    switch (action) {
    case ACT_UP:
    case ACT_DOWN:
        s->gold = within(s->gold, action == ACT_UP ? -count : count, n);
        return true;
    case ACT_LEFT:
    case ACT_RIGHT:
        s->predicted = within(s->predicted, action == ACT_LEFT ? -count : count, n);
        return true;
    case ACT_HOME:
        s->gold = s->predicted = 0;
        return true;
    case ACT_END:
        s->gold = s->predicted = n;
        return true;
    case ACT_ENTER:
        return open_cell(v);
    default:
        return false;
    }
}

static bool act_summary(struct view *v, int action, int count)
{
    const struct pred_view *s = v->state;
    if (pred_threshold_shown(s)) return pred_threshold_act(v, action, count);
    if (pred_calibration_shown(s)) return pred_calibration_act(v, action, count);
    return s->p->kind == BT_ROWS_LABELS ? act_matrix(v, action, count) : act_side(v, action, count);
}

static bool sort(struct view *v, int count)
{
    struct pred_view *s = v->state;
    s->query.order = pred_next_order(s->kind, s->query.order, count);
    s->query.reversed = false;
    s->n = s->query.order == PRED_BY_ROW ? s->n : 0; /* the first of the new order is what is looked for */
    s->list.cursor = s->list.top = 0;
    pred_update(v);
    return true;
}

static bool errors(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    s->query.errors = !s->query.errors;
    pred_update(v);
    return true;
}

static bool reverse(struct view *v)
{
    struct pred_view *s = v->state;
    s->query.reversed = !s->query.reversed;
    s->n = 0;
    s->list.cursor = s->list.top = 0;
    pred_update(v);
    return true;
}

static bool reload(struct view *v)
{
    struct pred_view *s = v->state;
    pred_texts_free(s->texts);
    s->texts = NULL;
    pred_load(v);
    return true;
}

static bool escape(struct view *v)
{
    struct pred_view *s = v->state;
    if (v->zoom) return false;
    if (pred_threshold_shown(s)) return pred_threshold_show(v);
    if (v->focus != PRED_LIST) {
        v->focus = PRED_LIST;
        return true;
    }
    if (!pred_filtered(s)) return false;
    show_all(s);
    pred_update(v);
    return true;
}

/* What stands in the place of the predictions; asked for again: the predictions. */
static bool show_mode(struct view *v, enum pred_mode mode)
{
    struct pred_view *s = v->state;
    if (!s->run) {
        app_say(v->app, ROLE_TEXT, "there is no run yet");
        return true;
    }
    s->mode = s->mode == mode ? PRED_ROWS : mode;
    v->focus = s->mode == PRED_MAP ? PRED_MATRIX : PRED_LIST;
    v->zoom = false;
    load_mode(v);
    return true;
}

static bool act_own(struct view *v, int action, int count)
{
    switch (action) {
    case A_EARLIER:
        return move_step(v, -count);
    case A_LATER:
        return move_step(v, count);
    case A_ERRORS:
        return errors(v);
    case A_SLICE:
        return next_slice(v);
    case A_EXPRESSION:
        return pred_slice_ask(v);
    case A_NAME:
        return pred_slice_name_it(v);
    case A_CHOOSE:
        return pred_slice_choose(v);
    case A_CALIBRATION:
        return pred_calibration_show(v);
    case A_SORT:
        return sort(v, count);
    case A_REVERSE:
        return reverse(v);
    case A_SPLIT:
        return other_split(v);
    case A_PROBE:
    case A_WHY:
        return pred_to_probe(v, action == A_WHY);
    case A_FILE:
        return pred_to_data(v);
    case A_EXPORT:
        return pred_export(v);
    case A_RELOAD:
        return reload(v);
    case A_AUDIT:
        return show_mode(v, PRED_AUDIT);
    case A_MAP:
        return show_mode(v, PRED_MAP);
    case A_THRESHOLD:
        return pred_threshold_show(v);
    case A_BEST:
        return pred_threshold_best(v);
    case A_TAG:
        return pred_notes_tag(v);
    case A_NOTE:
        return pred_notes_write(v);
    case A_TAGGED:
        return pred_notes_choose(v);
    case A_UNDO:
        return pred_threshold_forget(v);
    default:
        if (action >= A_KEEP && action <= A_QUEUE)
            app_say(v->app, ROLE_TEXT, "that is a key of the label audit: A shows it");
        return true;
    }
}

/* Esc leaves a mode when there is nothing more to come out of. */
static bool act_mode(struct view *v, int action, int count)
{
    const struct pred_view *s = v->state;
    if ((s->mode == PRED_AUDIT ? pred_audit_act : pred_map_act)(v, action, count)) return true;
    return action == ACT_ESCAPE && !v->zoom && show_mode(v, s->mode);
}

static bool act(struct view *v, int action, int count)
{
    struct pred_view *s = v->state;
    app_redraw(v->app);
    if (s->mode != PRED_ROWS && action != A_AUDIT && action != A_MAP) return act_mode(v, action, count);
    if (action >= ACT_OWN) return act_own(v, action, count);
    if (action == ACT_ESCAPE) return escape(v);
    if (action == ACT_SEARCH) return ask_filter(v);
    if (action == ACT_COPY) return pred_copy(v);
    if (!s->p) return false;
    if (v->focus == PRED_MATRIX && act_summary(v, action, count)) return true;
    if (action == ACT_ENTER) return pred_to_probe(v, false);
    if (v->focus == PRED_DETAIL) return sheet_act(&s->detail, action, count);
    return v->focus == PRED_LIST && list_act(&s->list, action, count);
}

static bool mouse_list(struct view *v, const struct event *e)
{
    struct pred_view *s = v->state;
    struct list_look look = pred_look(v);
    bool activated = false;
    int title = -1;
    if (!list_mouse(&s->list, e, &look, &activated, &title)) return false;
    v->focus = PRED_LIST;
    enum pred_order order = title >= 0 ? pred_column_order(s->kind, title) : PRED_ORDERS;
    if (order != PRED_ORDERS) {
        s->query.reversed = s->query.order == order && !s->query.reversed;
        s->query.order = order;
        pred_update(v);
    }
    if (activated) pred_to_probe(v, false);
    return true;
}

static bool mouse(struct view *v, const struct event *e)
{
    struct pred_view *s = v->state;
    int gold, predicted;
    bool wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
    app_redraw(v->app);
    if (s->mode == PRED_AUDIT) return pred_audit_mouse(v, e);
    if (s->mode == PRED_MAP) return pred_map_mouse(v, e);
    if (!s->p) return false;
    bool alone = v->zoom;
    if ((!alone || v->focus == PRED_DETAIL) && layout_in(s->detail_at, e->y, e->x)) {
        if (wheel) sheet_scroll(&s->detail, e->button == MOUSE_WHEEL_UP ? -2 : 2);
        if (e->button == MOUSE_LEFT && !e->release) v->focus = PRED_DETAIL;
        return true;
    }
    if (pred_threshold_shown(s) && layout_in(s->matrix_at, e->y, e->x)) {
        if (e->button == MOUSE_LEFT && !e->release) v->focus = PRED_MATRIX;
        return true;
    }
    if (pred_calibration_shown(s) && (!alone || v->focus == PRED_MATRIX) && pred_calibration_mouse(v, e))
        return true;
    if (s->p->kind != BT_ROWS_LABELS && (!alone || v->focus == PRED_MATRIX) && pred_side_mouse(v, e))
        return true;
    if ((!alone || v->focus == PRED_MATRIX) && pred_place(s, e->y, e->x, &gold, &predicted)) {
        if (e->button != MOUSE_LEFT || e->release) return false;
        s->gold = gold;
        s->predicted = predicted;
        v->focus = PRED_MATRIX;
        return e->twice ? open_cell(v) : true;
    }
    return (!alone || v->focus == PRED_LIST) && mouse_list(v, e);
}

/* ── the view ── */

static bool open_view(struct view *v)
{
    struct pred_view *s = v->state;
    s->step = -1;
    s->query.gold = s->query.predicted = s->query.slice = s->query.group = PRED_ANY;
    s->query.bin = 0;
    s->detail_row = SIZE_MAX;
    return true;
}

static void close_view(struct view *v)
{
    struct pred_view *s = v->state;
    pred_forget(s);
    pred_audit_forget(s);
    pred_map_forget(s);
    free(s->kept);
    free(s->audit);
    free(s->map);
    sheet_free(&s->detail);
    free(s->run);
    free(s->pinned);
    free(s->filter);
    free(s->filter_before);
    free(s->expression);
    free(s->tag);
    bt_slices_clear(&s->slices);
    free(s->index);
    free(s->wanted_file);
    free(s->wanted_gold);
    free(s->wanted_predicted);
    free(s->export_path);
}

static const int idle[] = {ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_predictions = {
    .name = "Predictions",
    .size = sizeof(struct pred_view),
    .panes = PRED_PANES,
    .actions = pred_actions,
    .n_actions = PRED_ACTIONS,
    .signs = pred_signs,
    .idle = idle,
    .open = open_view,
    .close = close_view,
    .receive = receive,
    .keep = pred_keep,
    .restore = pred_restore,
    .draw = pred_draw,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .hints = pred_hints,
};
