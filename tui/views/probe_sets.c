/* Probe sets: the files, scored for the models that are shown; within one its probes, each with its past. Enter makes a probe the text. */
#include "tui/views/probe_view.h"

#include "tui/empty.h"
#include "tui/spark.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE = 8 /* columns */, MOST_FLIPS = 100 /* that are told */, LEAST = 3 /* lines of the list */ };

static struct probe_sets *sets_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->sets;
}

static const struct probe_scored *found_of(const struct view *v)
{
    return sets_of(v)->work.found;
}

/* The set that is open, or that the cursor is at; NULL: there is none. */
static const struct probe_scored_set *set_at(const struct probe_sets *w)
{
    const struct probe_scored *x = w->work.found;
    for (size_t i = 0; x && w->open && i < x->n; i++)
        if (strcmp(x->set[i].path, w->open) == 0) return &x->set[i];
    return x && !w->open && w->list.cursor < x->n ? &x->set[w->list.cursor] : NULL;
}

/* ── computing ── */

/* What is computed: whether the other checkpoints' turn is next. */
static void *order(const struct view *v)
{
    bool *fill = malloc(sizeof *fill);
    if (fill) *fill = sets_of(v)->fill;
    return fill;
}

static void *run(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace)
{
    return probe_score(c, w, *(const bool *)order, &pace->stop, probe_pace_progress, pace);
}

static void result_free(void *result)
{
    probe_scored_free(result);
}

static const struct probe_work_ops work = {
    .always = true, .order = order, .order_free = free, .run = run, .result_free = result_free};

/* Are these the models that were asked last? */
static bool is_of(const struct probe_view *s, const struct probe_scored *x)
{
    if (!s->found || x->models != s->found->n || x->models != s->n) return false;
    for (size_t i = 0; i < x->models; i++)
        if (strcmp(x->dir[i], s->dir[i]) != 0 || /* a model that could not be opened has no step */
            (x->step[i] >= 0 && !s->found->answer[i].error && x->step[i] != s->found->answer[i].step))
            return false;
    return true;
}

bool probe_sets_due(struct probe_view *s)
{
    struct probe_sets *w = &s->sets;
    const struct probe_scored *x = w->work.found;
    if (!w->wanted || w->work.job) return false;
    if (!x || w->again || !is_of(s, x)) {
        w->again = w->fill = false;
        return true;
    }
    w->fill = x->missing && !x->filled; /* what is shown comes first, then what it was before */
    return w->fill;
}

void probe_sets_changed(struct probe_view *s, bool typing)
{
    struct probe_sets *w = &s->sets;
    if (!w->work.job) return;
    w->again |= !w->fill;
    probe_work_changed(&w->work, typing);
    w->work.due = false; /* probe_sets_due() tells */
}

/* ── keys ── */

void probe_sets_show(struct view *v)
{
    struct probe_sets *w = sets_of(v);
    w->wanted = w->again = true;
    probe_below_show(v, BELOW_SETS);
    v->focus = PROBE_KEPT;
}

static void go_in(struct probe_sets *w)
{
    const struct probe_scored_set *s = set_at(w);
    if (!s || !s->set) return;
    w->open = bt_strdup(s->path);
    w->outer = w->list;
    w->list = (struct list){.n = s->set->n};
}

static void come_out(struct probe_sets *w)
{
    free(w->open);
    w->open = NULL;
    w->list = w->outer;
}

/* Choices stand one a line. */
static char *second_text(const struct bt_probe_input *in)
{
    struct bt_str lines = {0};
    if (!in->n_choices) return bt_strdup(in->pair);
    for (size_t i = 0; i < in->n_choices; i++) bt_str_addf(&lines, "%s%s", i ? "\n" : "", in->choice[i]);
    return bt_str_take(&lines);
}

/* The probe's text; of one that failed for a variant that variant. */
static void take(struct view *v)
{
    const struct probe_sets *w = sets_of(v);
    const struct probe_scored_set *s = set_at(w);
    if (!s || !s->set || w->list.cursor >= s->set->n) return;
    const struct bt_probe *p = &s->set->probe[w->list.cursor];
    const struct bt_probe_result *r = s->of[0] ? &s->of[0]->result[w->list.cursor] : NULL;
    const struct bt_probe_input *in = &p->input[r && !r->passed ? r->worst : 0];
    char *second = second_text(in);
    probe_take_text(v, in->text, second);
    free(second);
    if (in != p->input)
        app_say(v->app, ROLE_TEXT, "the variant that it fails for; the original: %s", p->input[0].text);
}

static bool act(struct view *v, int action, int count)
{
    struct probe_sets *w = sets_of(v);
    if (action == ACT_ENTER && w->open)
        take(v);
    else if (action == ACT_ENTER)
        go_in(w);
    else if (action == ACT_ESCAPE && w->open)
        come_out(w);
    else
        return list_act(&w->list, action, count);
    return true;
}

/* ── the sets ── */

static const struct list_column set_columns[] = {{.title = "set", .min = 12, .max = 30},
                                                 {.title = "as expected", .min = 11, .max = 24},
                                                 {.title = "past", .min = CURVE, .max = CURVE, .drop = 1},
                                                 {.title = "", .min = 8}};
enum { SET, EXPECTED, PAST, ABOUT };

/* The share of probes that were as expected at each step that knows any. */
static void add_past(struct bt_str *out, const struct bt_probe_history *h, enum plot_glyphs glyphs)
{
    float *share = h ? calloc(h->n_steps + 1, sizeof *share) : NULL;
    size_t n = 0;
    for (size_t k = 0; share && k < h->n_steps; k++) {
        size_t known = 0, passed = 0;
        for (size_t i = 0; i < h->n; i++) {
            known += h->verdict[i * h->n_steps + k].known;
            passed += h->verdict[i * h->n_steps + k].known && h->verdict[i * h->n_steps + k].passed;
        }
        if (known) share[n++] = (float)passed / (float)known;
    }
    if (n) spark_add(out, share, n, CURVE, glyphs);
    free(share);
}

/* "12 of 14, 13 of 14": of each model. */
static void add_counts(struct bt_str *out, const struct probe_scored *x, const struct probe_scored_set *s)
{
    for (size_t i = 0; i < x->models; i++) {
        if (s->of[i])
            bt_str_addf(out, "%s%zu of %zu", i ? ", " : "", s->of[i]->passed, s->of[i]->n);
        else
            bt_str_addf(out, "%s-", i ? ", " : "");
    }
}

static const char *fault_of(const struct probe_scored *x, const struct probe_scored_set *s)
{
    for (size_t i = 0; i < x->models && !s->error; i++)
        if (s->fault[i]) return s->fault[i];
    return s->error;
}

static void set_cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct view *v = ctx;
    const struct probe_scored *x = found_of(v);
    const struct probe_scored_set *s = &x->set[row];
    const char *fault = fault_of(x, s);
    if (column == SET) bt_str_add(out, s->set ? s->set->name : bt_path_base(s->path));
    if (column == EXPECTED && !s->error) add_counts(out, x, s);
    if (column == PAST) add_past(out, s->history, term_glyphs(app_term(v->app)));
    if (column != ABOUT) return;
    if (fault) *role = ROLE_BAD;
    bt_str_add(out, fault ? fault : s->path);
}

/* ── its probes ── */

static const struct list_column probe_columns[PROBE_SET_COLUMNS] = {
    {.title = "", .min = 1, .max = PROBE_MODELS},
    {.title = "score", .min = 6, .max = 7, .right = true},
    {.title = "past", .min = CURVE, .max = CURVE, .drop = 2},
    {.title = "kind", .min = 10, .max = 10, .drop = 1},
    {.title = "probe", .min = 10},
    {.title = "says", .min = 8, .drop = 3}};
enum { MARK, SCORE, CURVED, KIND, NAME, SAYS };

static void add_curve(struct bt_str *out, const struct bt_probe_history *h, size_t i, enum plot_glyphs glyphs)
{
    float *score = h ? calloc(h->n_steps + 1, sizeof *score) : NULL;
    size_t n = 0;
    for (size_t k = 0; score && k < h->n_steps; k++)
        if (h->verdict[i * h->n_steps + k].known) score[n++] = (float)h->verdict[i * h->n_steps + k].score;
    if (n) spark_add(out, score, n, CURVE, glyphs);
    free(score);
}

static void add_marks(struct bt_str *out, const struct probe_scored *x, const struct probe_scored_set *s,
                      size_t i)
{
    for (size_t m = 0; m < x->models; m++)
        bt_str_addc(out, !s->of[m] ? '-' : s->of[m]->result[i].passed ? '+' : 'x');
}

static void probe_cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct view *v = ctx;
    const struct probe_scored *x = found_of(v);
    const struct probe_scored_set *s = set_at(sets_of(v));
    if (!s || !s->set || row >= s->set->n) return;
    const struct bt_probe *p = &s->set->probe[row];
    const struct bt_probe_result *r = s->of[0] ? &s->of[0]->result[row] : NULL;
    if (r && !r->passed && column != SCORE && column != CURVED) *role = ROLE_BAD;
    if (column == MARK) add_marks(out, x, s, row);
    if (column == SCORE && r) bt_str_addf(out, "%.4f", r->score);
    if (column == CURVED) add_curve(out, s->history, row, term_glyphs(app_term(v->app)));
    if (column == KIND) bt_str_add(out, bt_probe_kind_name(p->kind));
    if (column == NAME) bt_str_add(out, p->name);
    if (column == SAYS && r) bt_str_add(out, r->said);
}

/* ── what is below the list ── */

static const struct bt_probe_verdict *verdict(const struct bt_probe_history *h, size_t i, size_t k)
{
    return &h->verdict[i * h->n_steps + k];
}

static void tell_flip(struct sheet *d, const struct probe_scored_set *s, const struct bt_probe_flip *f,
                      bool name)
{
    const struct bt_probe_history *h = s->history;
    const struct bt_probe_verdict *from = verdict(h, f->probe, f->from), *to = verdict(h, f->probe, f->to);
    struct bt_str line = {0};
    bt_str_addf(&line, "step %lld: %s", (long long)h->step[f->to], to->passed ? "mended" : "broken");
    if (name) bt_str_addf(&line, " %s", s->set->probe[f->probe].name);
    bt_str_addf(&line, ": %s (step %lld: %s)", to->said, (long long)h->step[f->from], from->said);
    sheet_wrap(d, to->passed ? ROLE_GOOD : ROLE_BAD, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

/* The newest first. which: of one probe; SIZE_MAX: of all. */
static void tell_flips(struct sheet *d, const struct probe_scored_set *s, size_t which)
{
    size_t n = 0;
    for (size_t i = s->n_flips; i-- > 0;) {
        if (which != SIZE_MAX && s->flip[i].probe != which) continue;
        if (n++ < MOST_FLIPS) tell_flip(d, s, &s->flip[i], which == SIZE_MAX);
    }
    if (n > MOST_FLIPS) sheet_print(d, ROLE_DIM, 1, "… and %zu more: bertty probe --all", n - MOST_FLIPS);
    if (!n && s->history && s->history->n_steps > 1)
        sheet_print(d, ROLE_DIM, 1, "no flips in %zu checkpoints", s->history->n_steps);
}

/* "++x+  steps 10 … 40": each checkpoint that knows it. */
static void tell_marks(struct sheet *d, const struct bt_probe_history *h, size_t i)
{
    struct bt_str line = {0};
    if (!h || !h->n_steps) return;
    for (size_t k = 0; k < h->n_steps; k++)
        bt_str_addc(&line, !verdict(h, i, k)->known ? '.' : verdict(h, i, k)->passed ? '+' : 'x');
    bt_str_addf(&line, "  step %lld", (long long)h->step[0]);
    if (h->n_steps > 1) bt_str_addf(&line, " … %lld", (long long)h->step[h->n_steps - 1]);
    sheet_wrap(d, ROLE_DIM, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void tell_result(struct sheet *d, const struct bt_probe *p, const struct bt_probe_result *r)
{
    struct bt_str line = {0};
    bt_str_addf(&line, "%s", r->said);
    if (r->why) bt_str_addf(&line, "; expected %s", r->why);
    if (!r->passed && r->worst) bt_str_addf(&line, "; for: %s", p->input[r->worst].text);
    sheet_wrap(d, r->passed ? ROLE_TEXT : ROLE_BAD, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void tell_probe(struct sheet *d, const struct probe_scored *x, const struct probe_scored_set *s,
                       size_t i)
{
    const struct bt_probe *p = &s->set->probe[i];
    if (strcmp(p->name, p->input[0].text) != 0)
        sheet_wrap(d, ROLE_DIM, 1, p->input[0].text, strlen(p->input[0].text));
    for (size_t m = 0; m < x->models; m++)
        if (s->of[m]) tell_result(d, p, &s->of[m]->result[i]);
    tell_marks(d, s->history, i);
    tell_flips(d, s, i);
}

static void tell(const struct probe_sets *w, struct sheet *d)
{
    const struct probe_scored *x = w->work.found;
    const struct probe_scored_set *s = set_at(w);
    const char *fault = s ? fault_of(x, s) : NULL;
    int done, all;
    if (probe_work_progress(&w->work, &done, &all)) {
        if (all)
            sheet_print(d, ROLE_DIM, 1, "other checkpoints: %d of %d …", done, all);
        else
            sheet_print(d, ROLE_DIM, 1, "%s", "scoring …");
    }
    if (x && x->trouble) sheet_wrap(d, ROLE_WARN, 1, x->trouble, strlen(x->trouble));
    if (fault) sheet_wrap(d, ROLE_BAD, 1, fault, strlen(fault));
    if (!s || !s->set) return;
    if (!w->open)
        tell_flips(d, s, SIZE_MAX);
    else if (w->list.cursor < s->set->n)
        tell_probe(d, x, s, w->list.cursor);
}

/* ── drawing ── */

static struct list_look look(struct view *v)
{
    struct probe_sets *w = sets_of(v);
    const struct probe_scored *x = w->work.found;
    const bool open = w->open != NULL;
    memcpy(w->column, probe_columns, sizeof w->column);
    w->column[MARK].min = x && x->models ? (int)x->models : 1;
    return (struct list_look){.column = open ? w->column : set_columns,
                              .n_columns = open ? PROBE_SET_COLUMNS : 4,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = open ? probe_cell : set_cell,
                              .ctx = v};
}

static void draw_none(struct view *v, struct rect in)
{
    static const struct empty none = {
        .role = ROLE_TEXT,
        .missing = "There is no probe set.",
        .advice = {"experiments/NAME.probe.yaml makes one: texts, and what a model is to say of them.",
                   "`bertty help probe` shows the form."}};
    if (found_of(v))
        empty_draw(app_term(v->app), in, &none);
    else
        term_print(app_term(v->app), in, 0, 1, ROLE_DIM, "%s", "scoring …");
}

/* Half of the lines, or what the list leaves, are for what is told of the one at the cursor. */
static int lines_below(const struct probe_sets *w, int all)
{
    const int rows = sheet_rows(&w->sheet), left = w->list.n < (size_t)all ? all - 1 - (int)w->list.n : 0;
    int under = left > all / 2 ? left : all / 2;
    if (under > rows) under = rows;
    return all - under < LEAST ? (all > LEAST ? all - LEAST : 0) : under;
}

static void draw(struct view *v, struct rect r)
{
    struct probe_sets *w = sets_of(v);
    struct term *t = app_term(v->app);
    const struct probe_scored *x = found_of(v);
    const struct probe_scored_set *s = set_at(w);
    if (w->open && (!s || !s->set)) come_out(w); /* its file has gone, or is damaged by now */
    s = set_at(w);
    const struct rect in = term_box(t, r, w->open ? s->set->name : "Probe sets", v->focus == PROBE_KEPT);
    if (!x || !x->n) {
        draw_none(v, in);
        return;
    }
    list_resize(&w->list, w->open ? s->set->n : x->n);
    sheet_begin(&w->sheet, in.w - 1);
    tell(w, &w->sheet);
    const int under = lines_below(w, in.h);
    const int rows = w->list.n < (size_t)(in.h - under) ? (int)w->list.n + 1 : in.h - under;
    const struct list_look how = look(v);
    list_draw(t, (struct rect){.y = in.y, .x = in.x, .h = rows, .w = in.w}, &w->list, &how);
    w->sheet.top = 0;
    if (under > 0)
        sheet_draw(&w->sheet, t, (struct rect){.y = in.y + rows, .x = in.x, .h = in.h - rows, .w = in.w});
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_sets *w = sets_of(v);
    const struct list_look how = look(v);
    bool activated = false;
    int title = -1;
    if (found_of(v) && list_mouse(&w->list, e, &how, &activated, &title) && activated) act(v, ACT_ENTER, 1);
}

static void hints(const struct view *v, struct bt_str *out)
{
    bt_str_add(out, sets_of(v)->open ? "i type  Enter make it the text  Esc the sets  s kept"
                                     : "i type  Enter its probes  c checkpoint  m runs  s kept");
}

/* The text of the probe under the cursor. */
static const char *copied(const struct view *v)
{
    const struct probe_sets *w = sets_of(v);
    const struct probe_scored_set *s = set_at(w);
    if (!s || !w->open) return s ? s->path : NULL;
    return s->set && w->list.cursor < s->set->n ? s->set->probe[w->list.cursor].input[0].text : NULL;
}

const struct probe_below_ops probe_below_sets = {
    .draw = draw, .act = act, .mouse = mouse, .hints = hints, .copied = copied};

void probe_sets_open(struct probe_view *s)
{
    s->sets.work = (struct probe_work){.ops = &work};
}

void probe_sets_free(struct probe_view *s)
{
    probe_work_free(&s->sets.work);
    sheet_free(&s->sets.sheet);
    free(s->sets.open);
}
