/* Lists to choose from: files to open, files and runs to compare with; paths. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_ENTRIES = 5000 };
enum pick_kind { PICK_FILE, PICK_RUN, PICK_SAVED, PICK_DEFAULTS, PICK_PATH, PICK_FRESH };

/* ── paths ── */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* dir ends with / or is empty. */
static char *entry(const char *dir, const char *name)
{
    struct stat st;
    char *path = bt_strfmt("%s%s", dir, name);
    if (!path || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return path;
    char *slashed = bt_strfmt("%s/", path);
    free(path);
    return slashed;
}

void exp_complete_path(const char *before, struct bt_str *out)
{
    const char *slash = strrchr(before, '/'), *start = slash ? slash + 1 : before;
    char *dir = bt_strndup(before, (size_t)(start - before)), **found = calloc(MOST_ENTRIES, sizeof *found);
    DIR *d = dir && found ? opendir(dir[0] ? dir : ".") : NULL;
    size_t n = 0;
    for (struct dirent *e; d && n < MOST_ENTRIES && (e = readdir(d));) {
        if (strncmp(e->d_name, start, strlen(start)) != 0 || (e->d_name[0] == '.' && start[0] != '.'))
            continue;
        if ((found[n] = entry(dir, e->d_name))) n++;
    }
    if (d) closedir(d);
    if (found) qsort(found, n, sizeof *found, by_text);
    for (size_t i = 0; i < n; i++) {
        bt_str_addf(out, "%s\n", found[i]);
        free(found[i]);
    }
    free(found);
    free(dir);
}

bool exp_is_file(const char *path)
{
    const char *dot = strrchr(path, '.'), *name = bt_path_base(path);
    const size_t n = dot ? (size_t)(dot - name) : 0, probe = sizeof ".probe" - 1;
    if (!dot || dot <= name || (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0)) return false;
    return n <= probe || strncmp(dot - probe, ".probe", probe) != 0;
}

/* ── what there is ── */

static void clear_picks(struct exp_view *s)
{
    for (size_t i = 0; i < s->n_picks; i++) {
        free(s->pick[i].label);
        free(s->pick[i].path);
    }
    free(s->pick);
    s->pick = NULL;
    s->n_picks = 0;
}

void exp_pick_close(struct exp_view *s)
{
    clear_picks(s);
    free(s->files);
}

static void add_pick(struct exp_view *s, enum pick_kind kind, const char *path, const char *label)
{
    for (size_t i = 0; path && i < s->n_picks; i++)
        if (s->pick[i].path && strcmp(s->pick[i].path, path) == 0) return;
    struct exp_pick *more = realloc(s->pick, (s->n_picks + 1) * sizeof *more);
    if (!more) return;
    s->pick = more;
    s->pick[s->n_picks++] = (struct exp_pick){
        .kind = (int)kind, .path = bt_strdup(path), .label = bt_strdup(label ? label : path)};
}

/* ── the files: a task looks now and then, so that a list opens at once ── */

static const double LIST_S = 3.0;

struct listing {
    struct view *v;
    struct bt_str files;
};

static void list_files(void *ctx, const atomic_bool *cancel)
{
    struct listing *l = ctx;
    (void)cancel;
    exp_complete_path("experiments/", &l->files);
    exp_complete_path("", &l->files);
}

static void listed(void *ctx, bool cancelled)
{
    struct listing *l = ctx;
    struct exp_view *s = exp_of(l->v);
    if (!cancelled) {
        free(s->files);
        s->files = bt_str_take(&l->files);
    }
    bt_str_free(&l->files);
    free(l);
}

void exp_list_files(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct listing *l = calloc(1, sizeof *l);
    if (!l) return;
    l->v = v;
    struct app_task t = {.run = list_files, .done = listed, .ctx = l, .owner = &s->files};
    if (!app_submit(v->app, &t)) listed(l, true);
}

void exp_list_tick(struct view *v, double now)
{
    struct exp_view *s = exp_of(v);
    if ((s->files && now - s->listed_at < LIST_S) || app_pending(v->app, &s->files)) return;
    s->listed_at = now;
    exp_list_files(v);
}

static void add_files(struct exp_view *s, const char *lines)
{
    for (const char *p = lines; *p;) {
        size_t n = strcspn(p, "\n");
        char *path = bt_strndup(p, n);
        if (path && exp_is_file(path)) add_pick(s, PICK_FILE, path, NULL);
        free(path);
        p += n + (p[n] == '\n');
    }
}

static void show_picks(struct view *v, const char *title, void (*done)(void *ctx, int index))
{
    struct exp_view *s = exp_of(v);
    const char **item = calloc(s->n_picks + 1, sizeof *item);
    for (size_t i = 0; item && i < s->n_picks; i++) item[i] = s->pick[i].label ? s->pick[i].label : "";
    if (item) app_choose(v->app, title, item, s->n_picks, done, v);
    free(item);
}

static void path_typed(void *ctx, const char *text)
{
    if (text && text[strspn(text, " ")]) exp_open_path(ctx, text);
}

static void complete(void *ctx, const char *before, struct bt_str *out)
{
    (void)ctx;
    exp_complete_path(before, out);
}

static void open_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    struct app_prompt p = {
        .what = "open: ", .history = "open-experiment", .done = path_typed, .complete = complete, .ctx = v};
    if (index < 0 || (size_t)index >= s->n_picks) return;
    switch ((enum pick_kind)s->pick[index].kind) {
    case PICK_FILE:
        exp_open_path(v, s->pick[index].path);
        break;
    case PICK_RUN:
        exp_open_run(v, s->pick[index].path);
        break;
    case PICK_FRESH:
        exp_fresh(v);
        break;
    case PICK_PATH:
        app_ask(v->app, &p);
        break;
    case PICK_SAVED:
    case PICK_DEFAULTS:
        break;
    }
}

/* ── the difference ── */

void exp_other_clear(struct exp_other *o)
{
    bt_experiment_free(o->x);
    free(o->name);
    *o = (struct exp_other){.x = NULL};
}

static void show_other(struct view *v, struct exp_other *o)
{
    struct exp_view *s = exp_of(v);
    exp_other_clear(&s->other);
    s->other = *o;
    s->list.cursor = 0;
    exp_update_rows(v);
    if (s->list.n == 0) {
        app_say(v->app, ROLE_GOOD, "no difference from %s", s->other.name ? s->other.name : "it");
        exp_other_clear(&s->other);
        exp_update_rows(v);
    } else {
        list_act(&s->list, ACT_DOWN, 1);
    }
    app_redraw(v->app);
}

struct other_job {
    struct view *v;
    char *path;
    struct exp_other other;
    enum bt_status status;
    struct bt_error err;
};

static void load_other(void *ctx, const atomic_bool *cancel)
{
    struct other_job *j = ctx;
    (void)cancel;
    j->status = bt_experiment_load(j->path, &j->other.x, &j->err);
}

static void other_loaded(void *ctx, bool cancelled)
{
    struct other_job *j = ctx;
    if (!cancelled && !j->status) {
        show_other(j->v, &j->other);
        j->other = (struct exp_other){.x = NULL};
    } else if (!cancelled) {
        app_say_error(j->v->app, &j->err);
    }
    exp_other_clear(&j->other);
    free(j->path);
    free(j);
}

static void load_difference(struct view *v, const char *path, bool run)
{
    struct other_job *j = calloc(1, sizeof *j);
    if (!j) return;
    j->v = v;
    j->path = run ? bt_path_join(path, "experiment.yaml") : bt_strdup(path);
    j->other.name = bt_strdup(bt_path_base(path));
    j->other.run = run;
    struct app_task t = {.run = load_other, .done = other_loaded, .ctx = j, .owner = v->state};
    if (j->path && j->other.name && app_submit(v->app, &t)) return;
    other_loaded(j, true);
}

static void difference_typed(void *ctx, const char *text)
{
    if (text && text[strspn(text, " ")]) load_difference(ctx, text, false);
}

static void difference_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    struct exp_other o = {.x = NULL};
    struct app_prompt p = {.what = "compare with: ",
                           .history = "open-experiment",
                           .done = difference_typed,
                           .complete = complete,
                           .ctx = v};
    if (index < 0 || (size_t)index >= s->n_picks) return;
    const struct exp_pick *pick = &s->pick[index];
    switch ((enum pick_kind)pick->kind) {
    case PICK_FILE:
        load_difference(v, pick->path, false);
        return;
    case PICK_RUN:
        load_difference(v, pick->path, true);
        return;
    case PICK_PATH:
        app_ask(v->app, &p);
        return;
    case PICK_SAVED:
        (void)bt_experiment_copy(form_saved_values(s->form), &o.x, NULL);
        break;
    case PICK_DEFAULTS:
        (void)bt_experiment_new(&o.x, NULL);
        break;
    case PICK_FRESH:
        break;
    }
    o.name = bt_strdup(pick->label);
    if (o.x && o.name)
        show_other(v, &o);
    else
        exp_other_clear(&o);
}

static void add_runs(struct view *v)
{
    struct exp_view *s = exp_of(v);
    size_t n;
    const char *const *mark = app_marks(v->app, &n), *chosen = app_run(v->app);
    for (size_t i = 0; i < n; i++) add_pick(s, PICK_RUN, mark[i], bt_path_base(mark[i]));
    if (chosen) add_pick(s, PICK_RUN, chosen, bt_path_base(chosen));
    const struct bt_run_list *runs = app_runs(v->app);
    for (size_t i = 0; i < runs->n && i < 100; i++) add_pick(s, PICK_RUN, runs->run[i].dir, runs->run[i].id);
}

void exp_ask_open(struct view *v)
{
    struct exp_view *s = exp_of(v);
    clear_picks(s);
    add_files(s, s->files ? s->files : "");
    add_pick(s, PICK_PATH, NULL, "another path …");
    add_pick(s, PICK_FRESH, NULL, "a new, empty experiment");
    show_picks(v, "open", open_chosen);
}

void exp_ask_difference(struct view *v)
{
    struct exp_view *s = exp_of(v);
    clear_picks(s);
    if (form_path(s->form) && form_dirty(s->form)) add_pick(s, PICK_SAVED, NULL, "what is saved");
    add_runs(v);
    add_files(s, s->files ? s->files : "");
    add_pick(s, PICK_DEFAULTS, NULL, "the defaults");
    add_pick(s, PICK_PATH, NULL, "another path …");
    show_picks(v, "difference from", difference_chosen);
}
