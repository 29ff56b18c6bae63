/* Which experiment says what the columns of the shown file are, and what the model reads of them. */
#include "tui/views/data_view.h"
#include "tui/views/experiment_view.h"

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EXPERIMENTS = 50 };

/* ── while it is opened ── */

static bool lists_file(const struct bt_string_list *l, const char *path)
{
    for (size_t i = 0; i < l->n; i++)
        if (bt_same_file(l->item[i], path)) return true;
    return false;
}

struct bt_experiment *data_load_experiment(const char *path)
{
    struct bt_experiment *x = NULL;
    if (!path || bt_experiment_load(path, &x, NULL) != BT_OK) return NULL;
    if (bt_experiment_resolve(x, NULL) == BT_OK) return x;
    bt_experiment_free(x); /* half resolved: something it names is missing */
    return bt_experiment_load(path, &x, NULL) == BT_OK ? x : NULL;
}

bool data_names_file(const struct bt_experiment *x, const char *path)
{
    return lists_file(&x->data_train_file, path) || lists_file(&x->data_validation_file, path) ||
           lists_file(&x->data_test_file, path);
}

/* Takes the experiment at a path if it names the file, or if there is none yet to take a tokenizer from. */
static void consider(struct data_file *f, const char *path, struct bt_experiment **taken)
{
    struct bt_experiment *x = f->named ? NULL : data_load_experiment(path);
    bool named = x && data_names_file(x, f->path);
    if (!x || (*taken && !named)) {
        bt_experiment_free(x);
        return;
    }
    bt_experiment_free(*taken);
    free(f->experiment);
    *taken = x;
    f->experiment = bt_strdup(path);
    f->named = named;
}

/* Those in a folder. */
static void consider_folder(struct data_file *f, const char *folder, struct bt_experiment **taken)
{
    struct bt_str names = {0};
    int n = 0;
    exp_complete_path(folder, &names);
    for (const char *p = bt_str_text(&names); *p && n < MOST_EXPERIMENTS && !f->named; n++) {
        size_t length = strcspn(p, "\n");
        char *path = bt_strndup(p, length);
        if (path && exp_is_file(path)) consider(f, path, taken);
        free(path);
        p += length + (p[length] == '\n');
    }
    bt_str_free(&names);
}

static char *experiment_of(const char *run)
{
    return run ? bt_path_join(run, "experiment.yaml") : NULL;
}

struct bt_experiment *data_context(struct data_file *f, const char *chosen_from)
{
    struct bt_experiment *x = NULL;
    char *of_run = experiment_of(f->run);
    if (chosen_from) consider(f, chosen_from, &x);
    if (f->named) f->run_awaited = false;
    if (of_run) consider(f, of_run, &x);
    consider_folder(f, "experiments/", &x);
    consider_folder(f, "", &x);
    free(of_run);
    return x;
}

/* ── a run that was not known yet ── */

bool data_same_layout(const struct data_file *a, const struct data_file *b)
{
    const struct bt_data_dialect *x = bt_table_dialect(a->table), *y = bt_table_dialect(b->table);
    size_t n = bt_table_columns(a->table);
    bool same = x->format == y->format && x->delimiter == y->delimiter && x->quoting == y->quoting &&
                x->header == y->header && n == bt_table_columns(b->table);
    for (size_t i = 0; same && i < n; i++)
        same = bt_same_text(bt_table_column(a->table, i), bt_table_column(b->table, i));
    return same;
}

static void exchange(char **a, char **b)
{
    char *held = *a;
    *a = *b;
    *b = held;
}

void data_take_context(struct view *v, struct data_file *from)
{
    struct data_view *s = v->state;
    struct data_file *f = s->file;
    data_lock(f); /* tasks read the columns */
    f->kind = from->kind;
    f->text = from->text;
    f->pair = from->pair;
    f->label = from->label;
    memcpy(f->choice, from->choice, sizeof f->choice);
    f->n_choices = from->n_choices;
    f->named = from->named;
    exchange(&f->separator, &from->separator);
    exchange(&f->experiment, &from->experiment);
    data_unlock(f);
    data_settings_use(v, &from->settings);
    s->sheet_row = SIZE_MAX;
}

void data_context_tick(struct view *v)
{
    struct data_view *s = v->state;
    struct data_file *f = s->file;
    const char *run = app_run(v->app);
    if (!f || !f->run_awaited || !app_runs_known(v->app)) return;
    f->run_awaited = false;
    if (run && !bt_same_text(run, f->run)) data_look_again(v);
}
