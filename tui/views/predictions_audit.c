#include "tui/views/predictions_audit.h"

#include "tui/empty.h"
#include "tui/layout.h"
#include "tui/views/predictions_keys.h"
#include <bertty/file.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ── rows ── */

const struct bt_audit_row *pred_audit_row(const struct pred_audit *a)
{
    return a->f.a && a->list.cursor < a->n ? &a->f.a->row[a->index[a->list.cursor]] : NULL;
}

const struct bt_example *pred_audit_example(const struct pred_audit *a, const struct bt_audit_row *r)
{
    const struct bt_examples *e = a->f.texts ? a->f.texts->examples : NULL;
    if (!e || r->id < 1 || (uint64_t)r->id > bt_examples_count(e)) return NULL;
    return bt_examples_at(e, (size_t)r->id - 1);
}

void pred_audit_select(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    const struct bt_audit *of = a->f.a;
    const size_t most = !of ? 0 : a->all ? of->n : of->n_flagged;
    const size_t before = a->list.cursor < a->n ? a->index[a->list.cursor] : a->start;
    size_t *more = realloc(a->index, (most + 1) * sizeof *more), cursor = 0;
    if (!more) return;
    a->index = more;
    a->n = 0;
    for (size_t i = 0; i < most; i++) {
        if (a->open && a->decided[i].verdict) continue;
        if (i < before) cursor = a->n + 1;
        if (i == before) cursor = a->n;
        a->index[a->n++] = i;
    }
    a->list.cursor = cursor;
    list_resize(&a->list, a->n);
    app_redraw(v->app);
}

void pred_audit_to_open(struct pred_audit *a)
{
    const size_t n = a->f.a ? a->f.a->n_flagged : 0;
    a->n = 0;
    a->start = 0;
    while (a->start < n && a->decided[a->start].verdict) a->start++;
    if (a->start == n) a->start = 0;
}

/* ── the list ── */

enum { ROW, GIVEN, P_GIVEN, LIKELY, P_LIKELY, QUALITY, DECISION, TEXT, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [ROW] = {.title = "row", .min = 5, .max = 8, .right = true},
    [GIVEN] = {.title = "given", .min = 8, .max = 12},
    [P_GIVEN] = {.title = "p", .min = 5, .max = 5, .right = true, .drop = 2},
    [LIKELY] = {.title = "suggested", .min = 9, .max = 12},
    [P_LIKELY] = {.title = "p", .min = 5, .max = 5, .right = true, .drop = 3},
    [QUALITY] = {.title = "quality", .min = 7, .max = 7, .right = true, .drop = 1},
    [DECISION] = {.title = "decision", .min = 10, .max = 18},
    [TEXT] = {.title = "text", .min = 24},
};

/* "✓ keep", "→ negative", "− drop" */
static void add_decision(const struct pred_audit *a, size_t row, struct bt_str *out)
{
    const struct pred_decided *d = &a->decided[row];
    if (d->verdict == BT_KEEP) bt_str_add(out, "✓ keep");
    if (d->verdict == BT_RELABEL)
        bt_str_addf(out, "→ %s", d->label < 0 ? "another" : a->f.a->label[d->label]);
    if (d->verdict == BT_DROP) bt_str_add(out, "− drop");
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    enum { MOST = 2000 };
    const struct pred_audit *a = ctx;
    const struct bt_audit_row *r = &a->f.a->row[a->index[i]];
    const struct bt_example *x = column == TEXT ? pred_audit_example(a, r) : NULL;
    if (column == ROW) bt_str_addf(out, "%" PRId64, r->id);
    if (column == GIVEN) bt_str_add(out, a->f.a->label[r->given]);
    if (column == P_GIVEN) bt_str_addf(out, "%.3f", (double)r->p_given);
    if (column == LIKELY) bt_str_add(out, a->f.a->label[r->likely]);
    if (column == P_LIKELY) bt_str_addf(out, "%.3f", (double)r->p_likely);
    if (column == QUALITY) bt_str_addf(out, "%.3f", bt_audit_quality(r));
    if (column == DECISION) add_decision(a, a->index[i], out);
    if (column == DECISION) *role = ROLE_ACCENT;
    if (x && x->text) bt_str_addn(out, x->text, x->text_n < MOST ? x->text_n : MOST);
    if (x && x->pair) bt_str_addf(out, " | %.500s", x->pair);
    if (a->decided[a->index[i]].verdict && column != DECISION) *role = ROLE_DIM;
}

static struct list_look look_of(const struct view *v)
{
    const struct pred_view *s = v->state;
    return (struct list_look){.column = columns,
                              .n_columns = COLUMNS,
                              .sorted = -1,
                              .focused = v->focus == PRED_LIST,
                              .cell = cell,
                              .ctx = s->audit};
}

static const char *why_no_texts(const struct pred_audit *a)
{
    if (a->f.other.status) return a->f.other.text;
    return a->f.texts && a->f.texts->err.status ? a->f.texts->err.text : NULL;
}

static void draw_list(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    struct list_look look = look_of(v);
    bt_str_addf(&title, "label audit · %s · %zu of %zu suspected · %zu of %zu decided%s%s", a->f.name,
                a->f.a->n_flagged, a->f.a->n, pred_audit_done(a), a->f.a->n_flagged,
                a->all ? " · all rows" : "", a->open ? " · only undecided" : "");
    struct rect in = term_box(t, area, bt_str_text(&title), look.focused);
    bt_str_free(&title);
    const char *why = why_no_texts(a);
    if (why && in.h > 3) {
        term_print(t, in, in.h - 1, 0, ROLE_WARN, "%s", why);
        in.h--;
    }
    if (a->n)
        list_draw(t, in, &a->list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s",
                   !a->f.a->n_flagged && !a->all ? "No label looks wrong. f shows all rows."
                                                 : "Everything here is decided. e shows it again.");
}

/* ── what the rows amount to ── */

static void put_joint(struct sheet *d, const struct bt_audit *a)
{
    sheet_print(d, ROLE_DIM, 0, "given → probably: rows");
    for (int i = 0; i < a->labels; i++)
        for (int k = 0; k < a->labels; k++) {
            const int64_t n = a->joint[i * a->labels + k];
            if (i == k || !n) continue;
            sheet_print(d, ROLE_BAD, 0, "%s → %s: %" PRId64, a->label[i], a->label[k], n);
        }
}

static void draw_side(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    struct sheet *d = &a->side;
    struct rect in = term_box(app_term(v->app), area, "decisions", v->focus == PRED_MATRIX);
    if (in.h < 1 || in.w < 8) return;
    struct bt_str line = {0};
    sheet_begin(d, in.w);
    bt_str_addf(&line, "%zu of %zu decided: %zu kept, %zu relabelled, %zu dropped", pred_audit_done(a),
                a->f.a->n_flagged, a->count[BT_KEEP], a->count[BT_RELABEL], a->count[BT_DROP]);
    sheet_wrap(d, ROLE_TEXT, 0, bt_str_text(&line), line.len);
    bt_str_clear(&line);
    bt_str_addf(&line, "in %s; data.label_decisions applies it", a->f.path);
    sheet_wrap(d, ROLE_DIM, 0, bt_str_text(&line), line.len);
    bt_str_free(&line);
    put_joint(d, a->f.a);
    sheet_draw(d, app_term(v->app), in);
}

/* ── the row ── */

static void put_row(struct sheet *d, const struct pred_audit *a, const struct bt_audit_row *r)
{
    const struct bt_example *x = pred_audit_example(a, r);
    const size_t row = (size_t)(r - a->f.a->row);
    struct bt_str decision = {0};
    add_decision(a, row, &decision);
    sheet_print(d, ROLE_BAD, 0, "given      %.3f %s", (double)r->p_given, a->f.a->label[r->given]);
    sheet_print(d, ROLE_GOOD, 0, "suggested  %.3f %s", (double)r->p_likely, a->f.a->label[r->likely]);
    sheet_print(d, ROLE_TEXT, 0, "quality    %.3f%s", bt_audit_quality(r), r->flagged ? ", suspected" : "");
    if (decision.len) sheet_print(d, ROLE_ACCENT, 0, "decided    %s", bt_str_text(&decision));
    bt_str_free(&decision);
    if (!x) return;
    if (x->label && strcmp(x->label, a->f.a->label[r->given]) != 0)
        sheet_print(d, ROLE_WARN, 0, "in the file it is %s", x->label);
    if (x->text) sheet_wrap(d, ROLE_TEXT, 0, x->text, x->text_n);
    if (x->pair) sheet_print(d, ROLE_DIM, 0, "second text:");
    if (x->pair) sheet_wrap(d, ROLE_TEXT, 0, x->pair, x->pair_n);
    sheet_print(d, ROLE_DIM, 0, "%s:%zu",
                x->file < a->f.texts->n_files ? bt_path_base(a->f.texts->file[x->file]) : "", x->line);
}

static void draw_detail(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    struct term *t = app_term(v->app);
    const struct bt_audit_row *r = pred_audit_row(a);
    struct bt_str title = {0};
    bt_str_add(&title, "row");
    if (r) bt_str_addf(&title, " %" PRId64, r->id);
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_DETAIL);
    bt_str_free(&title);
    if (!r || in.h < 1 || in.w < 8) return;
    size_t row = (size_t)(r - a->f.a->row);
    if (row != a->detail_row) a->detail.top = 0;
    a->detail_row = row;
    sheet_begin(&a->detail, in.w);
    put_row(&a->detail, a, r);
    sheet_draw(&a->detail, t, in);
    int below = sheet_rows(&a->detail) - a->detail.top - in.h;
    if (below > 0) term_print(t, area, area.h - 1, 2, ROLE_DIM, " %d more ", below);
}

/* ── runs that are missing ── */

static void put_fold(struct sheet *d, const struct bt_audit_fold *f)
{
    const bool ended = f->there && bt_run_state_ended(f->state),
               fine = f->there && f->state == BT_RUN_FINISHED;
    struct bt_str line = {0};
    bt_str_addf(&line, "%s %s: %s",
                fine                        ? "✓"
                : ended                     ? "✗"
                : !f->there                 ? "·"
                : f->state == BT_RUN_QUEUED ? "○"
                                            : "●",
                bt_path_base(f->dir), f->there ? bt_run_state_name(f->state) : "not queued yet");
    if (f->there && bt_run_state_alive(f->state) && f->total)
        bt_str_addf(&line, ", step %" PRId64 " of %" PRId64, f->step, f->total);
    if (ended && !fine && f->error) bt_str_addf(&line, ": %s", f->error);
    sheet_wrap(d,
               fine       ? ROLE_GOOD
               : ended    ? ROLE_BAD
               : f->there ? ROLE_TEXT
                          : ROLE_WARN,
               2, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void put_plan(struct sheet *d, const struct pred_audit_found *f)
{
    static const char what[] =
        "Each row is judged by a run that has not seen it: the training rows are cut into parts, "
        "and for each part there is a run that is trained on the others.";
    const size_t missing = f->plan.n - f->plan.finished - f->plan.alive;
    sheet_wrap(d, ROLE_DIM, 0, what, sizeof what - 1);
    sheet_print(d, ROLE_TEXT, 0, "%zu of %zu runs are finished:", f->plan.finished, f->plan.n);
    for (size_t i = 0; i < f->plan.n; i++) put_fold(d, &f->plan.fold[i]);
    if (missing)
        sheet_print(d, ROLE_TEXT, 0, "Q queues the %zu that %s missing.", missing,
                    missing == 1 ? "is" : "are");
    else
        sheet_print(d, ROLE_TEXT, 0, "The list is here when the last one is trained.");
}

static void draw_waiting(struct view *v, struct rect area)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    bt_str_add(&title, "label audit");
    if (a->f.name) bt_str_addf(&title, " · %s", a->f.name);
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    if (in.h < 3 || in.w < 8) return;
    in = (struct rect){.y = in.y + 1, .x = in.x + 1, .h = in.h - 1, .w = in.w - 2};
    if (a->f.err.status)
        empty_draw(t, in,
                   &(struct empty){.role = ROLE_WARN,
                                   .missing = a->f.err.text,
                                   .advice = {"A shows the predictions again."}});
    else if (!a->f.plan.n)
        term_print(t, in, 0, 0, ROLE_DIM, "Reading the audit of %s …", bt_path_base(s->run));
    else {
        sheet_begin(&a->side, in.w);
        put_plan(&a->side, &a->f);
        sheet_draw(&a->side, t, in);
    }
}

void pred_audit_draw(struct view *v, struct rect area)
{
    static const int share = 520; /* the list's */
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    if (!a || !a->f.a) {
        if (a) draw_waiting(v, area);
        return;
    }
    a->list.at = (struct rect){.h = 0};
    pred_panes(v, area, true, share, a->at);
    if (a->at[PRED_LIST].h) draw_list(v, a->at[PRED_LIST]);
    if (a->at[PRED_MATRIX].h) draw_side(v, a->at[PRED_MATRIX]);
    if (a->at[PRED_DETAIL].h) draw_detail(v, a->at[PRED_DETAIL]);
}

/* ── keys ── */

static bool toggle(struct view *v, bool *what)
{
    *what = !*what;
    pred_audit_select(v);
    return true;
}

static bool open_file(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_audit_row *r = pred_audit_row(s->audit);
    if (r && !pred_open_row(v, s->audit->f.texts, r->id))
        app_say(v->app, ROLE_WARN, "row %" PRId64 ": its text cannot be read", r->id);
    return true;
}

static bool to_probe(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_audit_row *r = pred_audit_row(s->audit);
    const struct bt_example *x = r ? pred_audit_example(s->audit, r) : NULL;
    const struct app_request q = {
        .run = s->run, .step = -1, .text = x ? x->text : NULL, .pair = x ? x->pair : NULL};
    if (q.text)
        app_open(v->app, VIEW_PROBE, &q);
    else
        app_say(v->app, ROLE_TEXT, "there is no text to try");
    return true;
}

static bool act_own(struct view *v, int action)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    const struct bt_audit_row *r = pred_audit_row(a);
    switch (action) {
    case A_KEEP:
        return pred_audit_decide(v, BT_KEEP, 0);
    case A_RELABEL:
        return r ? pred_audit_decide(v, BT_RELABEL, r->likely) : true;
    case A_DROP:
        return pred_audit_decide(v, BT_DROP, 0);
    case A_UNDO:
        return pred_audit_undo(v);
    case A_ERRORS:
        return toggle(v, &a->open);
    case A_SLICE:
        return toggle(v, &a->all);
    case A_FILE:
        return open_file(v);
    case A_PROBE:
        return to_probe(v);
    default:
        app_say(v->app, ROLE_TEXT, "that is a key of the predictions: A shows them again");
        return true;
    }
}

bool pred_audit_act(struct view *v, int action, int count)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    if (!a) return false;
    if (action == A_RELOAD) {
        pred_audit_load(v);
        return true;
    }
    if (action == A_QUEUE) return pred_audit_queue(v);
    if (action == ACT_ESCAPE) {
        if (v->zoom || v->focus == PRED_LIST) return false;
        v->focus = PRED_LIST;
        return true;
    }
    if (!a->f.a) return action < ACT_OWN && sheet_act(&a->side, action, count);
    if (action >= ACT_OWN) return act_own(v, action);
    if (action == ACT_ENTER) return pred_audit_choose(v);
    if (v->focus == PRED_DETAIL) return sheet_act(&a->detail, action, count);
    return v->focus == PRED_MATRIX ? sheet_act(&a->side, action, count) : list_act(&a->list, action, count);
}

bool pred_audit_mouse(struct view *v, const struct event *e)
{
    enum { WHEEL = 3 };
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    struct list_look look = look_of(v);
    bool activated = false, wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
    int title = -1;
    if (!a || !a->f.a) return false;
    for (int i = PRED_MATRIX; i < PRED_PANES; i++) {
        if (!a->at[i].h || !layout_in(a->at[i], e->y, e->x)) continue;
        if (wheel)
            sheet_scroll(i == PRED_MATRIX ? &a->side : &a->detail,
                         e->button == MOUSE_WHEEL_UP ? -WHEEL : WHEEL);
        if (e->button == MOUSE_LEFT && !e->release) v->focus = i;
        return true;
    }
    if (!list_mouse(&a->list, e, &look, &activated, &title)) return false;
    v->focus = PRED_LIST;
    return activated ? pred_audit_choose(v) : true;
}

void pred_audit_hints(const struct view *v, struct bt_str *out)
{
    const struct pred_view *s = v->state;
    const struct pred_audit *a = s->audit;
    if (!a || !a->f.a)
        bt_str_add(out, "Q queue what is missing  R read again  A predictions");
    else if (v->focus == PRED_LIST)
        bt_str_add(out, "K keep  r relabel  Enter choose  d drop  u undo  e undecided  f all rows  o file  A "
                        "predictions");
    else
        bt_str_add(out, "↑ ↓ scroll  Tab rows  K keep  r relabel  d drop  u undo  A predictions");
}
