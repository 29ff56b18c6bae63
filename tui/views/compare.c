/* The Compare view: the marked runs side by side; two of them prediction by prediction. */
#include "tui/views/compare_view.h"
#include "tui/views/marks.h"

#include <bertty/compare.h>
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

const struct compare_line *compare_current(const struct compare_view *s)
{
    return s->list.cursor < s->lines.n ? &s->lines.line[s->list.cursor] : NULL;
}

/* ── loading ── */

struct job {
    struct view *view;
    char **dir;
    size_t n;
    struct compare_found *found;
};

static void free_texts(char **text, size_t n)
{
    for (size_t i = 0; text && i < n; i++) free(text[i]);
    free(text);
}

static char **copy_texts(const char *const *text, size_t n)
{
    char **out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = bt_strdup(text[i]))) {
            free_texts(out, i);
            return NULL;
        }
    return out;
}

static void found_free(struct compare_found *f)
{
    if (!f) return;
    bt_compare_free(f->compare);
    bt_pairing_free(f->pairing);
    bt_examples_free(f->examples);
    free_texts(f->file, f->n_files);
    free(f);
}

static void job_free(struct job *j)
{
    free_texts(j->dir, j->n);
    found_free(j->found);
    free(j);
}

/* The texts are those of the reference's own files; without them the rows are shown by their numbers. */
static void load_texts(struct compare_found *f, const char *dir)
{
    struct bt_experiment *x = NULL;
    char *path = bt_path_join(dir, "experiment.yaml");
    if (path && bt_experiment_load(path, &x, NULL) == BT_OK) {
        bool test = strcmp(f->pairing->split, "test") == 0;
        const struct bt_string_list *files = test ? &x->data_test_file : &x->data_validation_file;
        struct bt_data_spec spec = bt_experiment_data(x);
        spec.files = (const char *const *)files->item;
        spec.n_files = files->n;
        f->file = files->n ? copy_texts(spec.files, files->n) : NULL;
        f->n_files = f->file ? files->n : 0;
        if (f->file) bt_examples_load(&spec, &f->examples, NULL);
    }
    bt_experiment_free(x);
    free(path);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    struct compare_found *f = j->found;
    const char *const *dir = (const char *const *)j->dir;
    if (bt_compare_load(dir, j->n, &f->compare, &f->err) != BT_OK) return;
    if (j->n != 2 || atomic_load(cancel)) return;
    if (bt_pairing_load(dir[0], dir[1], NULL, &f->pairing, &f->pairing_err) == BT_OK) load_texts(f, dir[0]);
}

static const char *why_no_pairing(const struct compare_found *f)
{
    if (f->compare->n_runs != 2) return "Mark just two runs to see which rows they predict differently.";
    return f->pairing_err.text;
}

static void load(struct view *v);

/* The rows behind a count stay open if they can: the labels of the old pairing go. */
static void take_over(struct view *v, struct compare_found *f)
{
    struct compare_view *s = v->state;
    struct compare_found *old = s->found;
    compare_lines_free(&s->lines);
    s->found = f;
    if (s->in.set.which == COMPARE_PAIR) s->in.open = false;
    if (f->compare && !compare_lines_make(f->compare, f->pairing, why_no_pairing(f), &s->lines))
        app_say(v->app, ROLE_BAD, "not enough memory for the comparison");
    compare_inside_update(s);
    list_resize(&s->list, s->lines.n);
    found_free(old);
    app_redraw(v->app);
}

static bool still_wanted(const struct compare_view *s, const struct job *j)
{
    if (s->n != j->n) return false;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->dir[i], j->dir[i]) != 0) return false;
    return true;
}

static void job_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->view;
    struct compare_view *s = v->state;
    s->busy = false;
    if (!cancelled && still_wanted(s, j)) {
        struct compare_found *f = j->found;
        j->found = NULL;
        take_over(v, f);
    }
    job_free(j);
    if (s->again && !cancelled) load(v);
}

static void load(struct view *v)
{
    struct compare_view *s = v->state;
    s->again = s->busy;
    if (s->busy || s->n < 2) return;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return;
    *j = (struct job){.view = v, .n = s->n, .dir = copy_texts((const char *const *)s->dir, s->n)};
    j->found = calloc(1, sizeof *j->found);
    struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = v};
    s->busy = j->dir && j->found && app_submit(v->app, &task);
    if (!s->busy) job_free(j);
}

/* ── which runs ── */

static void forget(struct compare_view *s)
{
    compare_lines_free(&s->lines);
    found_free(s->found);
    s->found = NULL;
    s->in.open = false;
}

/* FNV-1a of what a comparison depends on. */
static uint64_t mix(uint64_t h, int64_t v)
{
    return (h ^ (uint64_t)v) * 1099511628211u;
}

static uint64_t signature_of(const struct view *v)
{
    const struct compare_view *s = v->state;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_run_status *r = app_run_status(v->app, s->dir[i]);
        if (r) h = mix(mix(mix(mix(h, (int64_t)i), r->state), r->last_step), r->best_step);
    }
    return h;
}

static void put_reference_first(struct compare_view *s)
{
    for (size_t i = 1; s->reference && i < s->n; i++) {
        if (strcmp(s->dir[i], s->reference) != 0) continue;
        char *dir = s->dir[i];
        memmove(s->dir + 1, s->dir, i * sizeof *s->dir);
        s->dir[0] = dir;
        return;
    }
}

/* What is shown is forgotten at once: it is of other runs. */
static void follow_marks(struct view *v)
{
    struct compare_view *s = v->state;
    size_t n;
    const char *const *dir = app_marks(v->app, &n);
    if (s->started && app_marks_version(v->app) == s->marks) return;
    char **copy = copy_texts(dir, n);
    if (!copy) return;
    free_texts(s->dir, s->n);
    s->dir = copy;
    s->n = n;
    s->marks = app_marks_version(v->app);
    s->started = true;
    put_reference_first(s);
    s->signature = signature_of(v);
    s->cell = s->first_cell = 0;
    forget(s);
    load(v);
    app_redraw(v->app);
}

static void tick(struct view *v, double now)
{
    struct compare_view *s = v->state;
    (void)now;
    follow_marks(v);
    uint64_t signature = signature_of(v);
    if (signature == s->signature || s->busy) return;
    s->signature = signature;
    load(v);
}

static void shown(struct view *v)
{
    follow_marks(v);
}

/* ── keys ── */

enum { A_REFERENCE = ACT_OWN, A_SORT, A_RELOAD, A_RUNS };

static const struct action actions[] = {
    {.id = A_REFERENCE, .name = "reference", .keys = "r", .help = "chosen run becomes A (two: swap)"},
    {.id = A_SORT, .name = "sort", .keys = "s", .help = "sort the rows of a count"},
    {.id = A_RELOAD, .name = "reload", .keys = "R", .help = "read the runs again"},
    {.id = A_RUNS, .name = "choose-runs", .keys = "m", .help = "choose the runs to compare"},
};

/* The chosen run; the reference itself gives way to the next one. */
static bool make_reference(struct view *v)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    bool runs = l && (l->kind == COMPARE_RUN || l->kind == COMPARE_METRIC || l->kind == COMPARE_SETTING);
    size_t i = runs && s->cell > 0 && s->cell < s->n && s->n > 2 ? s->cell : 1;
    if (s->n < 2) return false;
    free(s->reference);
    s->reference = bt_strdup(s->dir[i]);
    put_reference_first(s);
    s->cell = s->first_cell = 0;
    forget(s);
    load(v);
    app_say(v->app, ROLE_TEXT, "reference: %s", bt_path_base(s->dir[0]));
    return true;
}

static bool enter(struct view *v)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    struct compare_set set;
    if (l && compare_set_of(&s->lines, l, s->cell, &set)) {
        compare_enter(v, &set);
        return true;
    }
    if (!l || l->kind != COMPARE_METRIC) return false;
    app_open(v->app, VIEW_CHARTS, &(struct app_request){.text = l->text});
    return true;
}

static bool move_cell(struct compare_view *s, long by)
{
    const struct compare_line *l = compare_current(s);
    long n = l && s->found ? (long)compare_cells(&s->lines, l, s->found->compare) : 0;
    long to = (long)s->cell + by;
    if (n < 1) return false;
    s->cell = (size_t)(to < 0 ? 0 : to >= n ? n - 1 : to);
    return true;
}

/* Everything as text with tabs, for a spreadsheet or a message. */
static bool copy_table(struct view *v)
{
    struct compare_view *s = v->state;
    struct bt_str text = {0};
    if (!s->found || !s->found->compare) return false;
    for (size_t i = 0; i < s->n; i++) bt_str_addf(&text, "\t%s", s->found->compare->run[i].id);
    for (size_t i = 0; i < s->lines.n; i++) {
        const struct compare_line *l = &s->lines.line[i];
        bt_str_addf(&text, "\n%s", l->text);
        for (size_t k = 0; k < compare_cells(&s->lines, l, s->found->compare); k++) {
            bt_str_addc(&text, '\t');
            compare_cell(&s->lines, l, s->found->compare, s->found->pairing, k, &text);
        }
    }
    bt_str_addc(&text, '\n');
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "the comparison is copied: %zu lines", s->lines.n);
    bt_str_free(&text);
    return true;
}

static bool act_outside(struct view *v, int action, int count)
{
    struct compare_view *s = v->state;
    switch (action) {
    case A_REFERENCE:
        return make_reference(v);
    case ACT_ENTER:
        return enter(v);
    case ACT_COPY:
        return copy_table(v);
    case ACT_LEFT:
        return move_cell(s, -count);
    case ACT_RIGHT:
        return move_cell(s, count);
    case A_SORT:
        app_say(v->app, ROLE_TEXT, "Enter on a count opens its rows; s sorts them");
        return true;
    default:
        return list_act(&s->list, action, count);
    }
}

static bool act(struct view *v, int action, int count)
{
    struct compare_view *s = v->state;
    app_redraw(v->app);
    if (action == A_RELOAD) {
        load(v);
        return true;
    }
    if (action == A_RUNS) {
        if (!marks_choose(v->app)) app_say(v->app, ROLE_WARN, "there is no run in %s", app_runs_dir(v->app));
        return true;
    }
    if (!s->in.open) return act_outside(v, action, count);
    return action == A_SORT ? compare_inside_sort(v, count) : compare_inside_act(v, action, count);
}

static bool mouse(struct view *v, const struct event *e)
{
    struct compare_view *s = v->state;
    size_t line, cell;
    if (s->in.open) return compare_inside_mouse(v, e);
    app_redraw(v->app);
    if (e->button == MOUSE_WHEEL_UP) return list_act(&s->list, ACT_UP, 3);
    if (e->button == MOUSE_WHEEL_DOWN) return list_act(&s->list, ACT_DOWN, 3);
    if (e->button != MOUSE_LEFT || e->release || !compare_place(s, e->y, e->x, &line, &cell)) return false;
    s->list.cursor = line;
    s->cell = cell;
    move_cell(s, 0);
    return e->twice ? enter(v) : true;
}

static void draw(struct view *v, struct rect area)
{
    const struct compare_view *s = v->state;
    if (s->in.open)
        compare_inside_draw(v, area);
    else
        compare_draw(v, area);
}

static void close_view(struct view *v)
{
    struct compare_view *s = v->state;
    forget(s);
    compare_inside_free(&s->in);
    free_texts(s->dir, s->n);
    free(s->reference);
}

static void hints(struct view *v, struct bt_str *out)
{
    const struct compare_view *s = v->state;
    if (s->in.open)
        bt_str_add(out, "Enter the row in its file  s sort  / filter  y copy  Esc back");
    else if (s->found)
        bt_str_add(out, "Enter rows or chart  ← → cell  r reference  m runs  y copy  R read again");
    else
        bt_str_add(out, "m choose runs");
}

static bool open_view(struct view *v)
{
    (void)v;
    return true;
}

static const struct action signs[] = {
    {.keys = "*", .help = "the best of a metric, and all that are as good"},
    {.keys = "›", .help = "more runs to the right"},
    {.keys = "✗", .help = "a wrong prediction"},
    {.keys = NULL},
};

static const int idle[] = {ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_compare = {
    .name = "Compare",
    .size = sizeof(struct compare_view),
    .panes = 1,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .idle = idle,
    .open = open_view,
    .close = close_view,
    .shown = shown,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .hints = hints,
};
