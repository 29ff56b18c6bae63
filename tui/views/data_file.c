/* The file that the Data view shows: opening it, finding its rows in the background, and walks over them. */
#include "tui/views/data_view.h"

#include <bertty/experiment.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_BYTES = 8 << 20 };

/* ── the lock ── */

void data_lock(struct data_file *f)
{
    pthread_mutex_lock(&f->turn);
    pthread_mutex_lock(&f->lock);
    pthread_mutex_unlock(&f->turn);
}

void data_unlock(struct data_file *f)
{
    pthread_mutex_unlock(&f->lock);
}

/* ── its life ── */

struct data_file *data_file_ref(struct data_file *f)
{
    f->refs++;
    return f;
}

void data_file_unref(struct data_file *f)
{
    if (!f || --f->refs > 0) return;
    bt_table_free(f->table);
    data_tokens_unref(f->tokens);
    pthread_mutex_destroy(&f->turn);
    pthread_mutex_destroy(&f->lock);
    free(f->path);
    free(f->column);
    free(f->experiment);
    free(f->run);
    data_settings_free(&f->settings);
    free(f->settings_of);
    free(f->separator);
    free(f);
}

static struct data_file *file_new(const char *path)
{
    struct data_file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = bt_strdup(path))) {
        free(f);
        return NULL;
    }
    pthread_mutex_init(&f->turn, NULL);
    pthread_mutex_init(&f->lock, NULL);
    f->refs = 1;
    f->text = f->pair = f->label = -1;
    return f;
}

/* ── opening ── */

struct opening {
    struct view *v;
    struct data_file *again; /* it is shown already, and looked at anew; NULL: another file */
    struct data_file *file;
    char *experiment; /* that it was chosen from; NULL: none */
    size_t row;
    struct bt_error err;
};

static void open_run(void *ctx, const atomic_bool *cancel)
{
    struct opening *o = ctx;
    const struct bt_data_dialect dialect = {.quoting = -1, .header = -1};
    struct bt_experiment *x = data_context(o->file, o->experiment);
    (void)cancel;
    bool told = x && o->file->named;
    struct bt_data_spec spec;
    if (told) spec = bt_experiment_data(x);
    enum bt_status st = told ? bt_table_open_as(o->file->path, &spec, &o->file->table, &o->err)
                             : bt_table_open(o->file->path, &dialect, &o->file->table, &o->err);
    if (!st) st = columns_look(o->file->table, &o->file->column, &o->err);
    if (!st) {
        o->err = (struct bt_error){0}; /* of rows that cannot be parsed: they are shown as they stand */
        data_take_columns(o->file, x);
        if (x) data_settings_take(&o->file->settings, x);
    }
    bt_experiment_free(x);
}

static void opening_free(struct opening *o)
{
    data_file_unref(o->again);
    data_file_unref(o->file);
    free(o->experiment);
    free(o);
}

static void show_file(struct view *v, struct data_file *f, size_t row)
{
    struct data_view *s = v->state;
    data_close_file(v);
    s->file = f;
    s->width = calloc(bt_table_columns(f->table) + 1, sizeof *s->width);
    if (f->text >= 0) s->column = (size_t)f->text;
    s->page = DATA_ROWS;
    s->wanted = row;
    data_index(v);
    data_follow_edits(v);
}

static void open_done(void *ctx, bool cancelled)
{
    struct opening *o = ctx;
    struct view *v = o->v;
    struct data_view *s = v->state;
    if (!cancelled) {
        app_redraw_now(v->app);
        free(s->opening);
        s->opening = NULL;
        s->error = o->err;
    }
    if (!cancelled && o->err.status == BT_OK) {
        show_file(v, o->file, o->row);
        o->file = NULL;
    } else if (!cancelled) {
        s->page = s->file ? s->page : DATA_FILES;
        app_say_error(v->app, &o->err);
    }
    if (!cancelled) data_hygiene_opened(v);
    opening_free(o);
}

/* Nobody has done anything yet that showing the file anew would undo. */
static bool untouched(const struct data_view *s)
{
    return s->page == DATA_ROWS && !s->filter.on && !s->needle && !s->sort.on && !s->opening;
}

/* What is known of the rows stays if they are read as they were. */
static void again_done(void *ctx, bool cancelled)
{
    struct opening *o = ctx;
    struct data_view *s = o->v->state;
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    bool fine = !cancelled && o->err.status == BT_OK && s->file == o->again;
    if (fine && data_same_layout(s->file, o->file)) {
        data_take_context(o->v, o->file);
    } else if (fine && untouched(s)) {
        show_file(o->v, o->file, row == SIZE_MAX ? 0 : row + 1);
        o->file = NULL;
    }
    if (fine) app_redraw(o->v->app);
    opening_free(o);
}

/* NULL: no memory. */
static struct opening *opening_new(struct view *v, const char *path, const char *experiment, size_t row)
{
    struct opening *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    *o = (struct opening){.v = v, .experiment = bt_strdup(experiment), .row = row, .file = file_new(path)};
    if (o->file) {
        o->file->run = bt_strdup(app_run(v->app));
        o->file->run_awaited = !app_runs_known(v->app);
        return o;
    }
    opening_free(o);
    return NULL;
}

void data_open(struct view *v, const char *path, const char *experiment, size_t row)
{
    struct data_view *s = v->state;
    struct opening *o = opening_new(v, path, experiment, row);
    struct app_task t = {.run = open_run, .done = open_done, .ctx = o, .owner = &s->owner_open};
    app_cancel(v->app, &s->owner_open);
    if (!o || !app_submit(v->app, &t)) {
        app_say(v->app, ROLE_BAD, "%s: not enough memory to open it", path);
        if (o) opening_free(o);
        return;
    }
    free(s->opening);
    s->opening = bt_strdup(path);
    app_redraw(v->app);
}

void data_look_again(struct view *v)
{
    struct data_view *s = v->state;
    struct opening *o = opening_new(v, s->file->path, NULL, 0);
    if (!o) return;
    o->again = data_file_ref(s->file);
    struct app_task t = {.run = open_run, .done = again_done, .ctx = o, .owner = &s->owner_context};
    if (!app_submit(v->app, &t)) opening_free(o);
}

void data_close_file(struct view *v)
{
    struct data_view *s = v->state;
    const void *const owners[] = {&s->owner_index,  &s->owner_find,    &s->owner_filter,
                                  &s->owner_counts, &s->owner_lengths, &s->owner_words,
                                  &s->owner_sort,   &s->owner_edits,   &s->owner_context};
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) data_walk_stop(v, owners[i]);
    data_sort_clear(v);
    data_filter_clear(v);
    data_counts_clear(s);
    data_lengths_clear(s);
    data_forget_rows(s);
    data_file_unref(s->file);
    free(s->width);
    s->file = NULL;
    s->width = NULL;
    s->searching = s->indexing = s->halted = false;
    s->cursor = s->top = s->column = s->first_column = s->wanted = 0;
    s->left = s->queued = 0;
    s->index_err = (struct bt_error){0};
}

/* ── finding the rows ── */

struct indexing {
    struct view *v;
    struct data_file *file;
    bool done;
    struct bt_error err;
};

/* Holds no lock: one thread may scan beside one that reads. */
static void index_run(void *ctx, const atomic_bool *cancel)
{
    struct indexing *i = ctx;
    bt_table_scan(i->file->table, INDEX_BYTES, cancel, &i->done, &i->err);
}

static void unpark(struct view *v);

static void go_to_wanted(struct data_view *s)
{
    size_t rows = bt_table_rows(s->file->table);
    if (!s->wanted || (rows < s->wanted && !bt_table_complete(s->file->table))) return;
    data_go_to(s, s->wanted - 1);
    s->wanted = 0;
}

static void index_done(void *ctx, bool cancelled)
{
    struct indexing *i = ctx;
    struct view *v = i->v;
    struct data_view *s = v->state;
    bool ours = s->file == i->file, go_on = ours && !cancelled && !i->done && i->err.status == BT_OK;
    if (ours) {
        s->indexing = false;
        if (i->err.status != BT_CANCELLED) s->index_err = i->err;
        if (go_on)
            app_redraw(v->app);
        else
            app_redraw_now(v->app); /* that all rows are known is waited for */
        go_to_wanted(s);
        unpark(v);
    }
    data_file_unref(i->file);
    free(i);
    if (go_on) data_index(v);
}

void data_index(struct view *v)
{
    struct data_view *s = v->state;
    if (s->file) go_to_wanted(s);
    if (!s->file || s->indexing || bt_table_complete(s->file->table)) return;
    struct indexing *i = calloc(1, sizeof *i);
    if (!i) return;
    *i = (struct indexing){.v = v, .file = data_file_ref(s->file)};
    struct app_task t = {.run = index_run, .done = index_done, .ctx = i, .owner = &s->owner_index};
    s->indexing = app_submit(v->app, &t);
    if (s->indexing) return;
    data_file_unref(i->file);
    free(i);
}

/* ── walks ── */

static void walk_free(struct data_walk *w)
{
    row_set_free(&w->only);
    data_tokens_unref(w->tokens);
    data_file_unref(w->file);
    w->free(w);
}

size_t data_walk_rows(const struct data_walk *w)
{
    return w->some ? w->only.n : bt_table_rows(w->file->table);
}

size_t data_walk_row(const struct data_walk *w, size_t i)
{
    return w->some ? row_set_at(&w->only, i) : i;
}

bool data_walk_shown(struct data_walk *w)
{
    const struct data_filter *f = &((const struct data_view *)w->v->state)->filter;
    w->some = f->on;
    return !f->on || row_set_copy(&f->rows, &w->only);
}

double data_walk_progress(const struct data_walk *w)
{
    size_t rows = data_walk_rows(w);
    double part = rows ? (double)w->at / (double)rows : 1;
    return w->some ? part : part * bt_table_progress(w->file->table);
}

bool data_walk_partial(const struct data_walk *w)
{
    return w->ended && (w->err.status != BT_OK || (!w->some && !bt_table_complete(w->file->table)));
}

static void walk_run(void *ctx, const atomic_bool *cancel)
{
    struct data_walk *w = ctx;
    w->slice(w, cancel);
}

static void walk_done(void *ctx, bool cancelled);

static void walk_submit(struct data_walk *w)
{
    struct app_task t = {.run = walk_run, .done = walk_done, .ctx = w, .owner = w->owner};
    if (!app_submit(w->v->app, &t)) walk_free(w);
}

static void walk_done(void *ctx, bool cancelled)
{
    struct data_walk *w = ctx;
    struct data_view *s = w->v->state;
    if (cancelled || w->file != s->file) {
        walk_free(w);
        return;
    }
    bool all = w->some || bt_table_complete(w->file->table) || s->halted || s->index_err.status != BT_OK;
    w->ended = w->ended || w->err.status != BT_OK || (all && w->at >= data_walk_rows(w));
    w->turn(w);
    app_redraw(w->v->app);
    if (w->ended) {
        walk_free(w);
    } else if (w->at < data_walk_rows(w) || all) { /* all: turn() has found more to do */
        walk_submit(w);
    } else {
        w->next = s->parked;
        s->parked = w;
    }
}

static void unpark(struct view *v)
{
    struct data_view *s = v->state;
    struct data_walk *w = s->parked;
    s->parked = NULL;
    while (w) {
        struct data_walk *next = w->next;
        walk_submit(w);
        w = next;
    }
}

void data_walk_start(struct data_walk *w)
{
    struct data_view *s = w->v->state;
    w->file = data_file_ref(s->file);
    w->tokens = data_tokens_ref(s->file->tokens);
    walk_submit(w);
}

void data_walk_stop(struct view *v, const void *owner)
{
    struct data_view *s = v->state;
    app_cancel(v->app, owner);
    for (struct data_walk **at = &s->parked; *at;) {
        struct data_walk *w = *at;
        if (w->owner != owner) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        walk_free(w);
    }
}

bool data_walk_going(const struct view *v, const void *owner)
{
    const struct data_view *s = v->state;
    for (const struct data_walk *w = s->parked; w; w = w->next)
        if (w->owner == owner) return true;
    return app_pending(v->app, owner) > 0;
}
