/* Whether the splits are clean: duplicates, conflicting labels and overlap between the files of the experiment; each count opens its rows. */
#include "tui/format.h"
#include "tui/views/data_view.h"

#include <bertty/file.h>
#include <bertty/hygiene.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 64 };

struct data_hygiene {
    struct bt_hygiene *found; /* NULL: being looked for, or failed */
    struct bt_error err;
    char *of, *experiment; /* of: the experiment or the file */
    char *path[MOST_FILES];
    const char *split[MOST_FILES];
    size_t n;
};

void data_hygiene_clear(struct data_view *s)
{
    struct data_hygiene *h = s->hygiene;
    s->hygiene = NULL;
    s->hygiene_list = (struct list){.n = 0};
    if (!h) return;
    bt_hygiene_free(h->found);
    for (size_t i = 0; i < h->n; i++) free(h->path[i]);
    free(h->of);
    free(h->experiment);
    free(h);
}

/* ── looking ── */

struct data_looking {
    struct view *v;
    struct data_file *file;
    struct data_hygiene *got;
    const atomic_bool *cancel;         /* the worker's; what it is doing: */
    _Atomic(const char *) doing, path; /* NULL: nothing yet; of got */
    atomic_int percent;
};

static void add_path(struct data_hygiene *h, const char *path, const char *split)
{
    if (h->n == MOST_FILES || !(h->path[h->n] = bt_strdup(path))) return;
    h->split[h->n++] = split;
}

static void add_paths(struct data_hygiene *h, const struct bt_string_list *l, const char *split)
{
    for (size_t i = 0; i < l->n; i++) add_path(h, l->item[i], split);
}

static const char *column_name(const struct data_file *f, ptrdiff_t column)
{
    return column >= 0 ? bt_table_column(f->table, (size_t)column) : NULL;
}

/* A file that no experiment names: as its columns were guessed. */
static struct bt_data_spec spec_of_file(const struct data_file *f)
{
    return (struct bt_data_spec){.dialect = *bt_table_dialect(f->table),
                                 .kind = f->kind,
                                 .text_column = column_name(f, f->text),
                                 .text_pair_column = column_name(f, f->pair),
                                 .label_column = column_name(f, f->label)};
}

static bool look_tell(void *ctx, const char *doing, const char *path, double done)
{
    struct data_looking *l = ctx;
    atomic_store(&l->percent, (int)(done * 100));
    atomic_store(&l->path, path);
    atomic_store(&l->doing, doing);
    return !atomic_load(l->cancel);
}

static void look_run(void *ctx, const atomic_bool *cancel)
{
    struct data_looking *l = ctx;
    const struct bt_data_watch watch = {.tell = look_tell, .ctx = l};
    struct data_hygiene *h = l->got;
    struct bt_experiment *x = h->experiment ? data_load_experiment(h->experiment) : NULL;
    struct bt_data_spec spec = x ? bt_experiment_data(x) : spec_of_file(l->file);
    if (x) {
        add_paths(h, &x->data_train_file, "train");
        add_paths(h, &x->data_validation_file, "validation");
        add_paths(h, &x->data_test_file, "test");
    } else {
        add_path(h, l->file->path, "");
    }
    spec.files = (const char *const *)h->path;
    spec.n_files = h->n;
    spec.watch = &watch;
    l->cancel = cancel;
    bt_hygiene_find(&spec, &h->found, &h->err);
    bt_experiment_free(x);
}

static void look_done(void *ctx, bool cancelled)
{
    struct data_looking *l = ctx;
    struct data_view *s = l->v->state;
    if (s->looking == l) s->looking = NULL;
    if (!cancelled && l->got->err.status != BT_CANCELLED) {
        data_hygiene_clear(s);
        s->hygiene = l->got;
        l->got = NULL;
        list_resize(&s->hygiene_list, s->hygiene->found ? s->hygiene->found->n : 0);
        app_redraw_now(l->v->app);
    }
    if (l->got) {
        struct data_view holder = {.hygiene = l->got};
        data_hygiene_clear(&holder);
    }
    data_file_unref(l->file);
    free(l);
}

static void look(struct view *v)
{
    struct data_view *s = v->state;
    struct data_looking *l = calloc(1, sizeof *l);
    const char *of = s->file->named ? s->file->experiment : s->file->path;
    app_cancel(v->app, &s->owner_hygiene);
    data_hygiene_clear(s);
    if (l) l->got = calloc(1, sizeof *l->got);
    if (!l || !l->got) {
        free(l);
        return;
    }
    l->got->of = bt_strdup(of);
    l->got->experiment = s->file->named ? bt_strdup(of) : NULL;
    l->v = v;
    l->file = data_file_ref(s->file);
    struct app_task t = {.run = look_run, .done = look_done, .ctx = l, .owner = &s->owner_hygiene};
    s->looking = l;
    if (!app_submit(v->app, &t)) look_done(l, true);
}

static void stop_looking(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->looking) return;
    app_cancel(v->app, &s->owner_hygiene);
    s->looking = NULL;
    app_say(v->app, ROLE_TEXT, "the comparison of the splits is stopped: S begins anew");
}

void data_hygiene(struct view *v, bool anew)
{
    struct data_view *s = v->state;
    const char *of = s->file->named ? s->file->experiment : s->file->path;
    const struct data_hygiene *h = s->looking ? s->looking->got : s->hygiene;
    bool there = h && h->of && strcmp(h->of, of) == 0;
    s->page = DATA_HYGIENE;
    if (anew || !there) look(v);
}

void data_hygiene_tick(struct view *v)
{
    const struct data_view *s = v->state;
    if (s->page == DATA_HYGIENE && s->looking) app_redraw(v->app);
}

/* ── drawing ── */

enum { COL_FILE, COL_WHAT, COL_COUNT, COL_SHARE, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [COL_FILE] = {.title = "file", .min = 8, .max = 24},
    [COL_WHAT] = {.title = "what", .min = 20},
    [COL_COUNT] = {.title = "count", .min = 9, .max = 12, .right = true},
    [COL_SHARE] = {.title = "of rows", .min = 8, .max = 8, .right = true},
};

static void describe(const struct data_hygiene *h, const struct bt_hygiene_count *c, struct bt_str *out)
{
    static const char *const what[] = {[BT_HYGIENE_DUPLICATES] = "rows that stood before",
                                       [BT_HYGIENE_CONFLICTS] = "inputs with more than one label",
                                       [BT_HYGIENE_OVERLAP] = "rows also in ",
                                       [BT_HYGIENE_SAME_LABEL] = "… with the same label"};
    bt_str_add(out, what[c->kind]);
    if (c->kind != BT_HYGIENE_OVERLAP) return;
    bt_str_add(out, bt_path_base(h->path[c->other]));
    if (*h->split[c->other]) bt_str_addf(out, " (%s)", h->split[c->other]);
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct data_hygiene *h = ((const struct data_view *)ctx)->hygiene;
    const struct bt_hygiene_count *c = &h->found->count[i];
    bool inner = c->kind == BT_HYGIENE_SAME_LABEL;
    if (c->count == 0) *role = ROLE_DIM;
    if (c->count && column >= COL_COUNT) *role = ROLE_WARN;
    if (column == COL_FILE && !inner) bt_str_add(out, bt_path_base(h->path[c->file]));
    if (column == COL_FILE && !inner && *h->split[c->file]) bt_str_addf(out, " (%s)", h->split[c->file]);
    if (column == COL_WHAT) describe(h, c, out);
    if (column == COL_COUNT) format_count(out, (int64_t)c->count);
    if (column == COL_SHARE && h->found->rows[c->file])
        bt_str_addf(out, "%.1f %%", 100 * (double)c->n / (double)h->found->rows[c->file]);
}

static struct list_look look_of(struct data_view *s)
{
    return (struct list_look){
        .column = columns, .n_columns = COLUMNS, .sorted = -1, .focused = true, .cell = cell, .ctx = s};
}

static void put_progress(struct sheet *p, const struct data_looking *l)
{
    const char *doing = atomic_load(&l->doing), *path = atomic_load(&l->path);
    sheet_print(p, ROLE_TEXT, 0, "Reading the files and comparing their inputs …");
    if (doing)
        sheet_print(p, ROLE_TEXT, 2, "%s %s: %d %%", doing, bt_path_base(path), atomic_load(&l->percent));
    sheet_print(p, ROLE_DIM, 2, "Esc stops it; other views may be used meanwhile.");
}

void data_hygiene_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct data_hygiene *h = s->hygiene;
    struct bt_str title = {0};
    bt_str_add(&title, "Splits");
    if (h) bt_str_addf(&title, " · %s · %zu file%s", bt_path_base(h->of), h->n, h->n == 1 ? "" : "s");
    if (!h && s->looking) bt_str_addf(&title, " · %s", bt_path_base(s->looking->got->of));
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    struct list_look how = look_of(s);
    if (h && h->found) {
        list_draw(t, in, &s->hygiene_list, &how);
        return;
    }
    sheet_begin(&s->sheet, in.w - 2);
    if (h)
        sheet_wrap(&s->sheet, ROLE_BAD, 0, h->err.text, strlen(h->err.text));
    else if (s->looking)
        put_progress(&s->sheet, s->looking);
    else
        sheet_print(&s->sheet, ROLE_TEXT, 0, "There was not enough memory to compare the inputs.");
    sheet_draw(&s->sheet, t, (struct rect){.y = in.y + 1, .x = in.x + 1, .h = in.h - 1, .w = in.w - 2});
}

/* ── opening the rows ── */

static void short_name(const struct data_hygiene *h, const struct bt_hygiene_count *c, struct bt_str *out)
{
    static const char *const what[] = {[BT_HYGIENE_DUPLICATES] = "duplicates",
                                       [BT_HYGIENE_CONFLICTS] = "conflicting labels",
                                       [BT_HYGIENE_OVERLAP] = "also in ",
                                       [BT_HYGIENE_SAME_LABEL] = "with the same label in "};
    bt_str_add(out, what[c->kind]);
    if (c->kind == BT_HYGIENE_OVERLAP || c->kind == BT_HYGIENE_SAME_LABEL)
        bt_str_add(out, bt_path_base(h->path[c->other]));
}

void data_given_clear(struct data_view *s)
{
    free(s->given.path);
    free(s->given.what);
    free(s->given.row);
    s->given = (struct data_given){.n = 0};
}

void data_hygiene_opened(struct view *v)
{
    struct data_view *s = v->state;
    struct data_given *g = &s->given;
    if (g->path && s->file && strcmp(g->path, s->file->path) == 0)
        data_filter_given(v, g->what, g->row, g->n);
    data_given_clear(s);
}

static bool open_rows(struct view *v)
{
    struct data_view *s = v->state;
    const struct data_hygiene *h = s->hygiene;
    struct bt_str name = {0};
    if (!h || !h->found || s->hygiene_list.cursor >= h->found->n) return true;
    const struct bt_hygiene_count *c = &h->found->count[s->hygiene_list.cursor];
    if (c->count == 0) {
        app_say(v->app, ROLE_TEXT, "there are none");
        return true;
    }
    data_given_clear(s);
    short_name(h, c, &name);
    s->given = (struct data_given){.path = bt_strdup(h->path[c->file]),
                                   .what = bt_str_take(&name),
                                   .row = malloc(c->n * sizeof *c->row),
                                   .n = c->n};
    if (s->given.row) memcpy(s->given.row, c->row, c->n * sizeof *c->row);
    if (!s->given.path || !s->given.what || !s->given.row) {
        data_given_clear(s);
        return true;
    }
    bool here = strcmp(s->given.path, s->file->path) == 0;
    if (here) {
        s->page = DATA_ROWS;
        data_hygiene_opened(v);
    } else {
        data_open(v, h->path[c->file], h->experiment, 0);
    }
    return true;
}

bool data_hygiene_act(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    if (action == ACT_ENTER) return open_rows(v);
    if (action != ACT_ESCAPE) return list_act(&s->hygiene_list, action, count);
    s->page = DATA_ROWS;
    stop_looking(v);
    return true;
}

bool data_hygiene_mouse(struct view *v, const struct event *e)
{
    struct data_view *s = v->state;
    struct list_look how = look_of(s);
    bool activated = false;
    int title = -1;
    if (!s->hygiene || !s->hygiene->found || !list_mouse(&s->hygiene_list, e, &how, &activated, &title))
        return false;
    if (activated) open_rows(v);
    return true;
}
