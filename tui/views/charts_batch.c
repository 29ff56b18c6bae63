/* From a point of the curves to what made it: the rows that its steps trained on, the worst first. */
#include "tui/empty.h"
#include "tui/views/charts_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COL_LOSS, COL_STEP, COL_GOLD, COL_WHERE, COL_TEXT, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [COL_LOSS] = {.title = "loss", .min = 7, .max = 8, .right = true},
    [COL_STEP] = {.title = "step", .min = 5, .max = 9, .right = true, .drop = 2},
    [COL_GOLD] = {.title = "gold", .min = 8, .max = 20},
    [COL_WHERE] = {.title = "where", .min = 12, .max = 28, .drop = 1},
    [COL_TEXT] = {.title = "text", .min = 20},
};

/* ── reading ── */

struct job {
    struct view *v;
    char *run;
    int64_t step;
    struct batch_rows *rows;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    batch_rows_free(j->rows);
    free(j->run);
    free(j);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    batch_rows_load(j->run, j->step, 0, &j->rows, &j->err);
}

static void job_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct charts_batch *b = &((struct charts_view *)j->v->state)->batch;
    if (!cancelled && b->open && b->loading && b->step == j->step && strcmp(b->run, j->run) == 0) {
        b->rows = j->rows;
        b->err = j->err;
        b->loading = false;
        b->list = (struct list){0};
        list_resize(&b->list, b->rows ? b->rows->batches->n : 0);
        j->rows = NULL;
        app_redraw_now(j->v->app);
    }
    job_free(j);
}

static void forget(struct charts_batch *b)
{
    batch_rows_free(b->rows);
    free(b->run);
    b->rows = NULL;
    b->run = NULL;
    b->open = b->loading = false;
}

void charts_batch_close(struct view *v)
{
    struct charts_view *s = v->state;
    app_cancel(v->app, &s->batch.owner);
    forget(&s->batch);
}

static void free_choice(struct charts_view *s)
{
    for (size_t i = 0; i < s->n_batch_runs; i++) free(s->batch_run[i]);
    free(s->batch_run);
    s->batch_run = NULL;
    s->n_batch_runs = 0;
}

void charts_batch_free(struct charts_view *s)
{
    forget(&s->batch);
    sheet_free(&s->batch.row);
    free_choice(s);
}

static bool open_batch(struct view *v, const char *run, int64_t step)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    charts_batch_close(v);
    struct job *j = calloc(1, sizeof *j);
    if (j) *j = (struct job){.v = v, .run = bt_strdup(run), .step = step};
    b->run = bt_strdup(run);
    if (!j || !j->run || !b->run ||
        !app_submit(v->app,
                    &(struct app_task){.run = job_run, .done = job_done, .ctx = j, .owner = &b->owner})) {
        if (j) job_free(j);
        app_say(v->app, ROLE_BAD, "not enough memory for a batch");
        return true;
    }
    b->step = step;
    b->open = b->loading = true;
    return true;
}

/* ── which run, which step ── */

/* The step of a run at the cursor in a panel: that of its training curve where it has one. −1: the run has no point there. */
static int64_t step_of(const struct charts_view *s, const struct charts_panel *p, const struct charts_run *r)
{
    const struct charts_curve *found = NULL;
    for (size_t i = 0; i < p->n; i++) {
        const struct charts_curve *c = &p->curve[i];
        if (c->run == r && c->n && (!found || (found->eval && !c->eval))) found = c;
    }
    if (!found) return -1;
    return found->series->step[s->o.cursor ? charts_at(found->x, found->n, s->o.at) : found->n - 1];
}

static void run_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct charts_view *s = v->state;
    if (index >= 0 && (size_t)index < s->n_batch_runs) {
        const char *dir = s->batch_run[index];
        int64_t step = -1;
        struct charts_panel *p = charts_update(v) ? charts_focused(s) : NULL;
        for (size_t i = 0; p && i < s->data.n_runs; i++)
            if (strcmp(s->data.run[i]->dir, dir) == 0) step = step_of(s, p, s->data.run[i]);
        if (step >= 0) open_batch(v, dir, step);
    }
    free_choice(s);
    app_redraw(v->app);
}

/* Runs with a point in the panel, to choose from. */
static bool choose_run(struct view *v, const struct charts_panel *p)
{
    struct charts_view *s = v->state;
    const char **name = calloc(s->data.n_runs + 1, sizeof *name);
    free_choice(s);
    s->batch_run = calloc(s->data.n_runs + 1, sizeof *s->batch_run);
    for (size_t i = 0; name && s->batch_run && i < s->data.n_runs; i++) {
        const struct charts_run *r = s->data.run[i];
        if (step_of(s, p, r) < 0 || !(s->batch_run[s->n_batch_runs] = bt_strdup(r->dir))) continue;
        name[s->n_batch_runs++] = r->id;
    }
    if (s->n_batch_runs) app_choose(v->app, "The batch of which run?", name, s->n_batch_runs, run_chosen, v);
    free(name);
    return true;
}

bool charts_batch_open(struct view *v, int count)
{
    struct charts_view *s = v->state;
    const struct charts_panel *p = charts_focused(s);
    const struct charts_run *only = NULL;
    size_t n = 0;
    (void)count;
    for (size_t i = 0; p && i < s->data.n_runs; i++)
        if (step_of(s, p, s->data.run[i]) >= 0) {
            only = s->data.run[i];
            n++;
        }
    if (!n) return false;
    return n == 1 ? open_batch(v, only->dir, step_of(s, p, only)) : choose_run(v, p);
}

/* ── drawing ── */

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct batch_rows *b = ctx;
    const struct bt_batch_row *r = &b->batches->row[i];
    char text[32];
    switch (column) {
    case COL_LOSS:
        plot_value(text, sizeof text, (double)r->loss);
        bt_str_add(out, text);
        if (!isfinite(r->loss)) *role = ROLE_BAD;
        break;
    case COL_STEP:
        bt_str_addf(out, "%" PRId64, r->step);
        break;
    case COL_GOLD:
        batch_rows_gold(b, i, out);
        break;
    case COL_WHERE:
        batch_rows_where(b, i, out);
        break;
    default:
        batch_rows_text(b, i, out);
    }
}

static struct list_look look_of(struct charts_batch *b)
{
    return (struct list_look){.column = columns,
                              .n_columns = COLUMNS,
                              .sorted = COL_LOSS,
                              .descending = true,
                              .focused = true,
                              .cell = cell,
                              .ctx = b->rows};
}

/* The row with the cursor, whole. */
static void draw_row(struct term *t, struct rect r, struct charts_batch *b)
{
    const size_t i = b->list.cursor;
    struct bt_str where = {0}, gold = {0}, text = {0}, value = {0};
    struct rect in = term_box(t, r, "Row", false);
    char loss[32];
    batch_rows_where(b->rows, i, &where);
    batch_rows_gold(b->rows, i, &value);
    if (value.len) bt_str_addf(&gold, "gold: %s", bt_str_text(&value));
    batch_rows_text(b->rows, i, &text);
    plot_value(loss, sizeof loss, (double)b->rows->batches->row[i].loss);
    sheet_begin(&b->row, in.w);
    sheet_print(&b->row, ROLE_DIM, 0, "%s  loss %s", bt_str_text(&where), loss);
    if (gold.len) sheet_wrap(&b->row, ROLE_HEADER, 0, bt_str_text(&gold), gold.len);
    if (batch_rows_example(b->rows, i))
        sheet_wrap(&b->row, ROLE_TEXT, 0, bt_str_text(&text), text.len);
    else
        sheet_print(&b->row, ROLE_WARN, 0, "%s",
                    b->rows->texts.examples ? "The training file no longer has this row."
                                            : b->rows->texts.err.text);
    sheet_draw(&b->row, t, in);
    bt_str_free(&where);
    bt_str_free(&gold);
    bt_str_free(&value);
    bt_str_free(&text);
}

static void title_of(const struct charts_batch *b, const char *run, struct bt_str *out)
{
    char mean[32];
    bt_str_addf(out, "batch of %s: ", charts_short_id(run));
    if (!b->rows) {
        bt_str_addf(out, "step %" PRId64, b->step);
        return;
    }
    batch_rows_title(b->rows, out);
    plot_value(mean, sizeof mean, b->rows->mean);
    bt_str_addf(out, ", %zu rows, mean loss %s", b->rows->batches->n, mean);
    if (b->rows->batches->damaged) bt_str_addf(out, ", %zu records damaged", b->rows->batches->damaged);
}

static void draw_missing(struct term *t, struct rect in, const struct charts_batch *b)
{
    struct empty e = {.role = ROLE_DIM, .missing = "Reading …"};
    if (!b->loading)
        e = (struct empty){.role = b->err.status == BT_NOTFOUND ? ROLE_TEXT : ROLE_BAD,
                           .missing = b->err.status ? b->err.text : "The record has no rows.",
                           .advice = {"A run of this version keeps its batches from its first step on."}};
    empty_draw(t, in, &e);
}

void charts_batch_draw(struct view *v, struct rect area)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    struct term *t = app_term(v->app);
    const int below = area.h >= 16 ? area.h / 3 : 0;
    struct bt_str title = {0};
    title_of(b, strrchr(b->run, '/') ? strrchr(b->run, '/') + 1 : b->run, &title);
    struct rect top = area, row = area;
    const bool rows = b->rows && b->rows->batches->n;
    if (rows && below) {
        top.h -= below - 1; /* they share a border */
        row.y += top.h - 1;
        row.h = below;
    }
    struct rect in = term_box(t, top, bt_str_text(&title), true);
    bt_str_free(&title);
    if (!rows) {
        draw_missing(t, in, b);
        return;
    }
    struct list_look look = look_of(b);
    list_draw(t, in, &b->list, &look);
    if (below) draw_row(t, row, b);
}

/* ── keys ── */

static bool open_row(struct view *v)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    struct app_request q = {.run = b->run, .step = -1};
    if (!b->rows || b->list.cursor >= b->rows->batches->n) return false;
    if (batch_rows_place(b->rows, b->list.cursor, &q.path, &q.row))
        app_open(v->app, VIEW_DATA, &q);
    else
        app_say(v->app, ROLE_WARN, "row %" PRId64 ": the training file cannot be read or no longer has it",
                b->rows->batches->row[b->list.cursor].row);
    return true;
}

static bool copy_row(struct view *v)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    struct bt_str text = {0};
    enum role role = ROLE_TEXT;
    if (!b->rows || b->list.cursor >= b->rows->batches->n) return false;
    for (int k = 0; k < COLUMNS; k++) {
        if (k) bt_str_addc(&text, '\t');
        cell(b->rows, b->list.cursor, k, &text, &role);
    }
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "row %" PRId64 " copied", b->rows->batches->row[b->list.cursor].row);
    bt_str_free(&text);
    return true;
}

bool charts_batch_act(struct view *v, int action, int count)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    switch (action) {
    case ACT_ENTER:
        return open_row(v);
    case ACT_ESCAPE:
        charts_batch_close(v);
        return true;
    case ACT_COPY:
        return copy_row(v);
    default:
        return list_act(&b->list, action, count);
    }
}

bool charts_batch_mouse(struct view *v, const struct event *e)
{
    struct charts_batch *b = &((struct charts_view *)v->state)->batch;
    bool activated = false;
    int title = -1;
    if (!b->rows) return false;
    struct list_look look = look_of(b);
    if (!list_mouse(&b->list, e, &look, &activated, &title)) return false;
    if (activated) open_row(v);
    app_redraw(v->app);
    return true;
}
