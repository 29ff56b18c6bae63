/* The training rows nearest to the text in the first model's eyes. Their vectors are made once for a checkpoint, by a task of its own: typing goes on. */
#include "tui/views/probe_view.h"

#include "tui/format.h"
#include <bertty/experiment.h>
#include <bertty/neighbours.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTED = 10 /* the nearest, whose labels are counted */ };

/* Never changed once they are made; shared by the view and by what looks through them. */
struct probe_rows {
    atomic_uint shares;
    char *dir;
    int64_t step;
    struct bt_examples *e;
    struct bt_vectors *v;
};

/* The making of them. */
struct making {
    const struct view *view;
    struct probe_rows *rows;
    atomic_size_t done, all;
    struct bt_error err;
};

/* What was found. */
struct nearest {
    struct probe_rows *rows;
    struct bt_neighbour item[PROBE_NEAREST];
    size_t n;
    char *error;
};

static struct probe_near *near_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->near;
}

static struct probe_rows *share(struct probe_rows *r)
{
    atomic_fetch_add(&r->shares, 1);
    return r;
}

static void drop(struct probe_rows *r)
{
    if (!r || atomic_fetch_sub(&r->shares, 1) > 1) return;
    bt_vectors_free(r->v);
    bt_examples_free(r->e);
    free(r->dir);
    free(r);
}

/* ── vectors of the rows ── */

static void making_progress(void *ctx, size_t done, size_t rows)
{
    struct making *m = ctx;
    atomic_store(&m->done, done);
    atomic_store(&m->all, rows);
}

static enum bt_status load_rows(struct probe_rows *r, const struct bt_predictor *p, struct bt_error *err)
{
    const struct bt_data_spec spec = bt_experiment_split(bt_predictor_experiment(p), "train");
    if (!spec.n_files) return bt_fail(err, BT_NOTFOUND, "the run's experiment names no training data");
    return bt_examples_load(&spec, &r->e, err);
}

static void making_run(void *ctx, const atomic_bool *cancel)
{
    struct making *m = ctx;
    struct bt_predictor *p = NULL;
    char *path = NULL;
    int64_t found;
    enum bt_status st = bt_run_checkpoint(m->rows->dir, m->rows->step, &path, &found, &m->err);
    const struct bt_predictor_spec open = {
        .model_dir = path, .run_dir = m->rows->dir, .threads = probe_threads(), .vectors = true};
    const struct bt_vectors_spec spec = {
        .keep = true, .cancel = cancel, .progress = making_progress, .ctx = m};
    if (!st) st = bt_predictor_open(&open, &p, &m->err);
    if (!st) st = load_rows(m->rows, p, &m->err);
    if (!st) (void)bt_vectors_of_rows(p, m->rows->e, &spec, &m->rows->v, &m->err);
    bt_predictor_free(p);
    free(path);
}

static void making_done(void *ctx, bool cancelled)
{
    struct making *m = ctx;
    struct probe_near *w = near_of(m->view);
    w->making = NULL;
    if (!cancelled) {
        drop(w->rows);
        w->rows = share(m->rows);
        w->err = m->err;
        w->work.due = true;
        app_redraw_now(m->view->app);
    }
    drop(m->rows);
    free(m);
}

static struct making *making_new(const struct view *v, const char *dir, int64_t step)
{
    struct making *m = calloc(1, sizeof *m);
    struct probe_rows *r = calloc(1, sizeof *r);
    if (r) *r = (struct probe_rows){.dir = bt_strdup(dir), .step = step};
    if (m && r && r->dir) {
        atomic_init(&r->shares, 1);
        *m = (struct making){.view = v, .rows = r};
        return m;
    }
    if (r) free(r->dir);
    free(r);
    free(m);
    return NULL;
}

/* They are those of the checkpoint that is asked; else they are made. */
static bool have_rows(const struct view *v)
{
    const struct probe_view *s = v->state;
    struct probe_near *w = near_of(v);
    const char *dir = s->n ? s->dir[0] : NULL;
    const int64_t step = s->found && s->found->n ? s->found->answer[0].step : -1;
    if (!dir || step < 0) return false;
    if (w->rows && w->rows->step == step && strcmp(w->rows->dir, dir) == 0) return w->rows->v != NULL;
    if (w->making) {
        app_redraw(v->app); /* its progress */
        return false;
    }
    struct making *m = making_new(v, dir, step);
    const struct app_task task = {.run = making_run, .done = making_done, .ctx = m, .owner = w};
    if (m && app_submit(v->app, &task)) {
        w->making = m;
    } else if (m) {
        drop(m->rows);
        free(m);
    }
    return false;
}

/* ── looking through them ── */

static void *order(const struct view *v)
{
    return have_rows(v) ? share(near_of(v)->rows) : NULL;
}

static void order_free(void *order)
{
    drop(order);
}

static void result_free(void *result)
{
    struct nearest *x = result;
    if (!x) return;
    drop(x->rows);
    free(x->error);
    free(x);
}

static void *run(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace)
{
    struct nearest *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->rows = share(order);
    x->error = probe_nearest(c, w, x->rows->v, x->item, &x->n);
    if (!atomic_load(&pace->stop)) return x;
    result_free(x);
    return NULL;
}

static const struct probe_work_ops work = {
    .order = order, .order_free = order_free, .run = run, .result_free = result_free};

/* ── drawing ── */

static const struct list_column columns[] = {{.title = "cosine", .min = 6, .max = 6, .right = true},
                                             {.title = "row", .min = 4, .max = 8, .right = true},
                                             {.title = "label", .min = 6, .max = 14, .drop = 1},
                                             {.title = "text", .min = 10}};
enum { COSINE, ROW, LABEL, TEXT };

static const struct bt_example *example(const struct nearest *x, size_t i)
{
    return bt_examples_at(x->rows->e, x->item[i].row);
}

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct nearest *x = ctx;
    const struct bt_example *e = example(x, row);
    if (column == COSINE) bt_str_addf(out, "%.3f", x->item[row].cosine);
    if (column == ROW) bt_str_addf(out, "%zu", x->item[row].row + 1);
    if (column == LABEL && e->label) bt_str_addn(out, e->label, e->label_n);
    if (column == TEXT) bt_example_text(e, out);
    if (column == LABEL) *role = ROLE_ACCENT;
}

static struct list_look look(const struct view *v, struct nearest *x)
{
    return (struct list_look){.column = columns,
                              .n_columns = 4,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = cell,
                              .ctx = x};
}

static bool same_label(const struct bt_example *a, const struct bt_example *b)
{
    return a->label && b->label && strcmp(a->label, b->label) == 0;
}

/* "of the nearest 10: pos 8, neg 2", in the order of the nearest of each. */
static void count_labels(const struct nearest *x, struct bt_str *out)
{
    const size_t n = x->n < COUNTED ? x->n : COUNTED;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        bool told = !example(x, i)->label;
        for (size_t k = 0; k < n; k++) {
            told |= k < i && same_label(example(x, k), example(x, i));
            same += same_label(example(x, k), example(x, i));
        }
        if (told) continue;
        if (i == 0) bt_str_addf(out, "; of the nearest %zu", n);
        bt_str_addf(out, "%s %s %zu", i ? "," : ":", example(x, i)->label, same);
    }
}

static void tell(const struct view *v, struct sheet *d)
{
    const struct probe_near *w = near_of(v);
    const struct nearest *x = w->work.found;
    struct bt_str line = {0};
    if (w->making && atomic_load(&w->making->all))
        sheet_print(d, ROLE_DIM, 1, "vectors of the training rows: %zu of %zu …",
                    atomic_load(&w->making->done), atomic_load(&w->making->all));
    else if (w->making)
        sheet_print(d, ROLE_DIM, 1, "%s", "reading the training rows …");
    else if (w->err.status)
        sheet_wrap(d, ROLE_BAD, 1, w->err.text, strlen(w->err.text));
    else if (!x)
        sheet_print(d, ROLE_DIM, 1, "%s", "The training rows nearest to the text stand here.");
    if (x && x->error) sheet_wrap(d, ROLE_BAD, 1, x->error, strlen(x->error));
    if (!x || x->error) return;
    bt_str_addf(&line, "%zu of %zu training rows", x->n, x->rows->v->n);
    count_labels(x, &line);
    sheet_wrap(d, ROLE_DIM, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void draw(struct view *v, struct rect r)
{
    struct probe_near *w = near_of(v);
    struct term *t = app_term(v->app);
    struct nearest *x = w->work.found;
    const struct rect in = term_box(t, r, "Nearest training rows", v->focus == PROBE_KEPT);
    sheet_begin(&w->sheet, in.w - 1);
    tell(v, &w->sheet);
    const int rows = sheet_rows(&w->sheet), head = rows < in.h ? rows : in.h;
    sheet_draw(&w->sheet, t, (struct rect){.y = in.y, .x = in.x, .h = head, .w = in.w});
    if (!x || x->error || head == in.h) return;
    const struct list_look how = look(v, x);
    list_resize(&w->list, x->n);
    list_draw(t, (struct rect){.y = in.y + head, .x = in.x, .h = in.h - head, .w = in.w}, &w->list, &how);
    if (w->work.due || w->work.job) term_shade(t, in, ROLE_DIM);
}

/* ── keys ── */

static const struct bt_example *chosen(const struct view *v)
{
    const struct probe_near *w = near_of(v);
    const struct nearest *x = w->work.found;
    return x && !x->error && w->list.cursor < x->n ? example(x, w->list.cursor) : NULL;
}

static const char *copied(const struct view *v)
{
    const struct bt_example *e = chosen(v);
    return e ? e->text : NULL;
}

static bool act(struct view *v, int action, int count)
{
    const struct bt_example *e = chosen(v);
    if (action != ACT_ENTER) return list_act(&near_of(v)->list, action, count);
    if (e && e->text) probe_take_text(v, e->text, e->pair);
    return true;
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_near *w = near_of(v);
    struct nearest *x = w->work.found;
    bool activated = false;
    int title = -1;
    if (!x || x->error) return;
    const struct list_look how = look(v, x);
    if (list_mouse(&w->list, e, &how, &activated, &title) && activated) act(v, ACT_ENTER, 1);
}

static void hints(const struct view *v, struct bt_str *out)
{
    (void)v;
    bt_str_add(out, "i type  Enter make it the text  y copy  r kept texts");
}

const struct probe_below_ops probe_below_near = {
    .draw = draw, .act = act, .mouse = mouse, .hints = hints, .copied = copied};

void probe_near_open(struct probe_view *s)
{
    s->near.work = (struct probe_work){.ops = &work, .due = true};
}

void probe_near_free(struct probe_view *s)
{
    probe_work_free(&s->near.work);
    sheet_free(&s->near.sheet);
    drop(s->near.rows);
}
