/* What there is to open: the files that the chosen run and the experiments name, and those in the current directory. */
#include "tui/empty.h"
#include "tui/format.h"
#include "tui/views/data_view.h"
#include "tui/views/experiment_view.h"

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MOST_SOURCES = 500 };

struct listing {
    struct view *v;
    char *run;
    struct data_source *source;
    size_t n;
    char here[4096]; /* the working directory */
};

static void source_free(struct data_source *x)
{
    free(x->path);
    free(x->what);
    free(x->of);
    free(x->experiment);
}

static void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++) source_free(&l->source[i]);
    free(l->source);
    free(l->run);
    free(l);
}

static bool listed(const struct listing *l, const char *path, const char *of)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->source[i].path, path) == 0 && (!*of || strcmp(l->source[i].of, of) == 0)) return true;
    return false;
}

static size_t inside(const char *here, const char *path)
{
    size_t n = strlen(here);
    return n > 1 && strncmp(path, here, n) == 0 && path[n] == '/' ? n + 1 : 0;
}

static void add(struct listing *l, const char *path, const char *what, const char *of, const char *experiment)
{
    if (l->n >= MOST_SOURCES || listed(l, path, of)) return;
    struct data_source *more = realloc(l->source, (l->n + 1) * sizeof *more);
    if (!more) return;
    l->source = more;
    struct data_source x = {.path = bt_strdup(path),
                            .what = bt_strdup(what),
                            .of = bt_strdup(of),
                            .experiment = bt_strdup(experiment),
                            .shown = inside(l->here, path),
                            .there = access(path, R_OK) == 0};
    if (x.path && x.what && x.of)
        l->source[l->n++] = x;
    else
        source_free(&x);
}

static void add_experiment(struct listing *l, const char *path, const char *of)
{
    struct bt_experiment *x = NULL;
    if (bt_experiment_load(path, &x, NULL) != BT_OK) return;
    bt_experiment_resolve(x, NULL); /* what it finds is enough */
    const struct {
        const struct bt_string_list *files;
        const char *what;
    } split[] = {{&x->data_train_file, "train"},
                 {&x->data_validation_file, "validation"},
                 {&x->data_test_file, "test"}};
    for (size_t i = 0; i < sizeof split / sizeof *split; i++)
        for (size_t k = 0; k < split[i].files->n; k++)
            add(l, split[i].files->item[k], split[i].what, of, path);
    bt_experiment_free(x);
}

static bool ends_with(const char *path, const char *const *ends, size_t n)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < n; i++)
        if (strcasecmp(dot, ends[i]) == 0) return true;
    return false;
}

/* Every entry of a folder whose name ends in one of those. */
static void each_entry(struct listing *l, const char *folder, bool experiments)
{
    static const char *const data[] = {".csv", ".tsv", ".jsonl", ".ndjson", ".seg", ".conll"};
    struct bt_str names = {0};
    exp_complete_path(folder, &names);
    for (const char *p = bt_str_text(&names); *p;) {
        size_t n = strcspn(p, "\n");
        char *path = bt_strndup(p, n);
        if (path && experiments && exp_is_file(path)) add_experiment(l, path, path);
        if (path && !experiments && ends_with(path, data, sizeof data / sizeof *data))
            add(l, path, "", "", NULL);
        free(path);
        p += n + (p[n] == '\n');
    }
    bt_str_free(&names);
}

static void list_run(void *ctx, const atomic_bool *cancel)
{
    struct listing *l = ctx;
    char *path = l->run ? bt_path_join(l->run, "experiment.yaml") : NULL;
    (void)cancel;
    struct bt_str of = {0};
    if (!getcwd(l->here, sizeof l->here)) l->here[0] = '\0';
    if (path) format_run_id(&of, bt_path_base(l->run));
    if (path) add_experiment(l, path, bt_str_text(&of));
    bt_str_free(&of);
    free(path);
    each_entry(l, "experiments/", true);
    each_entry(l, "", true);
    each_entry(l, "", false);
}

void data_sources_clear(struct data_view *s)
{
    for (size_t i = 0; i < s->n_sources; i++) source_free(&s->source[i]);
    free(s->source);
    free(s->sources_run);
    s->source = NULL;
    s->sources_run = NULL;
    s->n_sources = 0;
}

static void list_done(void *ctx, bool cancelled)
{
    struct listing *l = ctx;
    if (!cancelled) {
        struct data_view *s = l->v->state;
        data_sources_clear(s);
        s->source = l->source;
        s->n_sources = l->n;
        s->sources_run = l->run;
        l->source = NULL;
        l->run = NULL;
        l->n = 0;
        list_resize(&s->sources_list, s->n_sources);
        app_redraw(l->v->app);
    }
    listing_free(l);
}

void data_list_sources(struct view *v)
{
    struct data_view *s = v->state;
    struct listing *l = calloc(1, sizeof *l);
    if (!l) return;
    *l = (struct listing){.v = v, .run = bt_strdup(app_run(v->app))};
    struct app_task t = {.run = list_run, .done = list_done, .ctx = l, .owner = &s->owner_files};
    app_cancel(v->app, &s->owner_files);
    s->sources_asked = app_submit(v->app, &t);
    if (!s->sources_asked) listing_free(l);
}

/* ── drawing ── */

enum { COL_FILE, COL_WHAT, COL_OF, COL_FOLDER, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [COL_FILE] = {.title = "file", .min = 12, .max = 40},
    [COL_WHAT] = {.title = "part", .min = 10, .max = 10},
    [COL_OF] = {.title = "of", .min = 12, .max = 36, .drop = 1},
    [COL_FOLDER] = {.title = "folder", .min = 8, .drop = 2, .end = true},
};

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct data_view *s = ctx;
    const struct data_source *x = &s->source[i];
    const char *base = bt_path_base(x->path);
    const char *const text[COLUMNS] = {[COL_FILE] = base, [COL_WHAT] = x->what, [COL_OF] = x->of};
    if (column == COL_FOLDER)
        bt_str_addn(out, x->path + x->shown, (size_t)(base - x->path) - x->shown);
    else
        bt_str_add(out, text[column]);
    if (!x->there) *role = ROLE_DIM;
    if (!x->there && column == COL_FILE) bt_str_add(out, " (not there)");
}

static struct list_look look_of(struct data_view *s)
{
    return (struct list_look){
        .column = columns, .n_columns = COLUMNS, .sorted = -1, .focused = true, .cell = cell, .ctx = s};
}

static void draw_empty(struct view *v, struct rect in)
{
    static const struct empty
        none =
            {.role = ROLE_TEXT,
             .missing = "No run, no experiment and no file here names a data file.",
             .advice =
                 {"o asks for a path (Tab completes it): CSV, TSV, JSONL, SQuAD, CoNLL, .seg or plain text.",
                  "In a shell: bertty --open FILE"}},
        looking = {.role = ROLE_DIM, .missing = "Looking for data files …"};
    const struct data_view *s = v->state;
    empty_draw(app_term(v->app), in, app_pending(v->app, &s->owner_files) ? &looking : &none);
}

void data_files_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct term *t = app_term(v->app);
    struct list_look look = look_of(s);
    struct bt_str title = {0};
    bt_str_add(&title, "Data: which file?");
    if (s->opening) bt_str_addf(&title, " · opening %s …", bt_path_base(s->opening));
    struct rect in = term_box(t, area, bt_str_text(&title), true), list = in;
    bt_str_free(&title);
    if (s->error.status != BT_OK) {
        term_text(t, in, 0, 1, ROLE_BAD, s->error.text, strlen(s->error.text));
        list.y += 2;
        list.h -= 2;
    }
    if (s->n_sources)
        list_draw(t, list, &s->sources_list, &look);
    else
        draw_empty(v, list);
}

/* ── keys ── */

static bool open_source(struct view *v)
{
    struct data_view *s = v->state;
    size_t i = s->sources_list.cursor;
    if (i >= s->n_sources) return false;
    data_open(v, s->source[i].path, s->source[i].experiment, 0);
    return true;
}

bool data_files_act(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    switch (action) {
    case ACT_ENTER:
        return open_source(v);
    case ACT_ESCAPE:
        if (!s->file) return false;
        s->page = DATA_ROWS;
        return true;
    case ACT_COPY:
        if (s->sources_list.cursor >= s->n_sources) return false;
        const char *path = s->source[s->sources_list.cursor].path;
        term_copy(app_term(v->app), path, strlen(path));
        app_say(v->app, ROLE_TEXT, "the path is copied");
        return true;
    default:
        return list_act(&s->sources_list, action, count);
    }
}

bool data_files_mouse(struct view *v, const struct event *e)
{
    struct data_view *s = v->state;
    struct list_look look = look_of(s);
    bool activated = false;
    int title = -1;
    if (!list_mouse(&s->sources_list, e, &look, &activated, &title)) return false;
    if (activated) open_source(v);
    return true;
}

static void path_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    if (text && *text) data_open(v, text, NULL, 0);
}

static void path_complete(void *ctx, const char *before, struct bt_str *out)
{
    (void)ctx;
    exp_complete_path(before, out);
}

void data_ask_path(struct view *v)
{
    app_ask(v->app, &(struct app_prompt){.what = "open: ",
                                         .history = "data-open",
                                         .done = path_done,
                                         .complete = path_complete,
                                         .ctx = v});
}
