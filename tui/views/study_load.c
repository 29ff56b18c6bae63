/* Reading a study, and the order of its trials. */
#include "tui/views/study_view.h"

#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void study_found_free(struct study_found *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->names.n; i++) free(f->names.item[i]);
    free(f->names.item);
    bt_study_options_free(f->option, f->n_options);
    bt_study_clear(&f->study);
    free(f);
}

const struct bt_study *study_shown(const struct study_view *s)
{
    return s->found && s->found->study.name && !s->found->err.status ? &s->found->study : NULL;
}

const struct bt_trial *study_current(const struct study_view *s)
{
    const struct bt_study *study = study_shown(s);
    return study && s->row && s->list.cursor < study->n ? &study->trial[s->row[s->list.cursor]] : NULL;
}

size_t study_number(const struct bt_study *s, const struct bt_trial *t)
{
    return (size_t)(t - s->trial) + 1;
}

/* ── order ── */

static double figure_of(const struct bt_study *s, const struct bt_trial *t, int column)
{
    switch (column) {
    case COL_STATE:
        return (double)t->state;
    case COL_STEP:
        return t->total ? (double)t->step / (double)t->total : -1.0;
    case COL_LAST:
        return t->value;
    case COL_BEST:
        return t->best;
    default:
        return (double)study_number(s, t);
    }
}

/* Numbers by size, other values by text. */
static int by_setting(const struct bt_trial *a, const struct bt_trial *b, const struct bt_option *o)
{
    const char *x = bt_trial_value(a, o), *y = bt_trial_value(b, o);
    double p, q;
    if (!x || !y) return (x == NULL) - (y == NULL);
    return bt_parse_double(x, &p) && bt_parse_double(y, &q) ? (p > q) - (p < q) : strcmp(x, y);
}

/* What has no figure comes last, upwards and downwards. */
static int in_order(const void *left, const void *right, void *ctx)
{
    const struct study_view *s = ctx;
    const struct bt_study *study = &s->found->study;
    const struct bt_trial *a = &study->trial[*(const size_t *)left],
                          *b = &study->trial[*(const size_t *)right];
    const double x = figure_of(study, a, s->sorted), y = figure_of(study, b, s->sorted);
    if (isnan(x) != isnan(y)) return isnan(x) ? 1 : -1;
    int c = s->sorted < COL_OPTIONS ? (x > y) - (x < y)
                                    : by_setting(a, b, s->found->option[s->sorted - COL_OPTIONS].option);
    if (s->descending) c = -c;
    return c ? c : (a > b) - (a < b);
}

/* The cursor stays with its trial. */
void study_sort(struct study_view *s)
{
    const struct bt_study *study = study_shown(s);
    const size_t kept = study && s->row && s->list.cursor < study->n ? s->row[s->list.cursor] : SIZE_MAX;
    if (!study || !s->row) return;
    if (s->sorted >= COL_OPTIONS && (size_t)(s->sorted - COL_OPTIONS) >= s->found->n_options)
        s->sorted = COL_BEST;
    for (size_t i = 0; i < study->n; i++) s->row[i] = i;
    qsort_r(s->row, study->n, sizeof *s->row, in_order, s);
    list_resize(&s->list, study->n);
    for (size_t i = 0; i < study->n && kept != SIZE_MAX; i++)
        if (s->row[i] == kept) s->list.cursor = i;
    list_resize(&s->list, study->n);
}

/* ── reading ── */

struct look {
    struct view *view;
    char *runs_dir, *wanted;
    struct study_found *found;
};

static void look_free(struct look *l)
{
    study_found_free(l->found);
    free(l->runs_dir);
    free(l->wanted);
    free(l);
}

static bool has(const struct bt_string_list *names, const char *name)
{
    for (size_t i = 0; name && i < names->n; i++)
        if (strcmp(names->item[i], name) == 0) return true;
    return false;
}

static void read_study(void *ctx, const atomic_bool *cancel)
{
    struct look *l = ctx;
    struct study_found *f = l->found;
    (void)cancel;
    if (bt_study_names(l->runs_dir, &f->names, &f->err) || f->names.n == 0) return;
    const char *name = has(&f->names, l->wanted) ? l->wanted : f->names.item[f->names.n - 1];
    if (!bt_study_load(l->runs_dir, name, NULL, &f->study, &f->err))
        (void)bt_study_options(&f->study, &f->option, &f->n_options, &f->err);
}

/* The same study keeps its order and its cursor; another one begins with the best. */
static void take(struct study_view *s, struct study_found *found)
{
    const struct bt_study *before = study_shown(s);
    bool same = before && found->study.name && strcmp(before->name, found->study.name) == 0;
    size_t n = found->study.n, *row = calloc(n + 1, sizeof *row);
    for (size_t i = 0; row && i < n; i++) row[i] = s->row && same && before && i < before->n ? s->row[i] : i;
    study_found_free(s->found);
    free(s->row);
    s->found = found;
    s->row = row;
    if (!same) {
        s->list = s->side = (struct list){0};
        s->sorted = COL_BEST;
        s->descending = found->study.greater_is_better;
    }
    if (!row) bt_fail(&found->err, BT_NOMEM, "no memory for the study's trials");
    study_sort(s);
    if (!same) s->list.cursor = 0;
}

static void was_read(void *ctx, bool cancelled)
{
    struct look *l = ctx;
    struct view *v = l->view;
    struct study_view *s = study_of(v);
    s->busy = false;
    if (!cancelled) {
        take(s, l->found);
        l->found = NULL;
        app_redraw(v->app);
    }
    look_free(l);
    if (s->again) study_load(v);
}

void study_load(struct view *v)
{
    struct study_view *s = study_of(v);
    struct look *l = s->busy ? NULL : calloc(1, sizeof *l);
    s->again = s->busy;
    if (!l) return;
    *l = (struct look){.view = v,
                       .runs_dir = bt_strdup(app_runs_dir(v->app)),
                       .wanted = bt_strdup(s->wanted),
                       .found = calloc(1, sizeof *l->found)};
    s->version = app_runs_version(v->app);
    struct app_task task = {.run = read_study, .done = was_read, .ctx = l, .owner = v};
    s->busy = l->runs_dir && l->found && app_submit(v->app, &task);
    if (!s->busy) look_free(l);
}
