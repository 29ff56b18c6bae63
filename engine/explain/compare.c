#include "metrics/metrics.h"
#include "run/find.h"

#include <bertty/compare.h>
#include <bertty/events.h>
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── what is read of a run's curves ── */

static bool evaluated(const char *tag)
{
    return strncmp(tag, "eval/", 5) == 0 || strncmp(tag, "test/", 5) == 0;
}

/* The value at the step, else the last one before it; the last of all if step < 0. */
static double value_at(const struct bt_series *s, int64_t step)
{
    if (!s || s->n == 0) return (double)NAN;
    size_t i = s->n - 1;
    while (step >= 0 && i > 0 && s->step[i] > step) i--;
    return step >= 0 && s->step[i] > step ? (double)NAN : s->value[i];
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct bt_series *s)
{
    double *copy = s && s->n ? malloc(s->n * sizeof *copy) : NULL;
    if (!copy) return (double)NAN;
    memcpy(copy, s->value, s->n * sizeof *copy);
    qsort(copy, s->n, sizeof *copy, by_number);
    double middle = copy[s->n / 2];
    free(copy);
    return middle;
}

static double greatest(const struct bt_series *s)
{
    double most = (double)NAN;
    for (size_t i = 0; s && i < s->n; i++)
        if (!(s->value[i] <= most)) most = s->value[i];
    return most;
}

static double last_value(const struct bt_series *s)
{
    return value_at(s, -1);
}

/* Between the first and the last value: what came before and after is not in it. */
static double seconds(const struct bt_series *s)
{
    return s && s->n ? s->wall[s->n - 1] - s->wall[0] : (double)NAN;
}

static double steps(const struct bt_series *s)
{
    return s && s->n ? (double)s->step[s->n - 1] : (double)NAN;
}

/* Figures of the training, after the evaluations. */
static const struct figure {
    const char *name, *tag;
    double (*of)(const struct bt_series *s);
} figures[] = {
    {.name = "train/loss", .tag = "train/loss", .of = last_value},
    {.name = "steps", .tag = "train/loss", .of = steps},
    {.name = "seconds_logged", .tag = "train/loss", .of = seconds},
    {.name = "train/tokens_per_s", .tag = "train/tokens_per_s", .of = median},
    {.name = "system/rss_mib", .tag = "system/rss_mib", .of = greatest},
};

enum { FIGURES = sizeof figures / sizeof *figures };

/* An evaluation's value at the step that is compared. */
struct fact {
    char *tag;
    double value;
};

/* What the tables are made of. Not the curves themselves: hundreds of runs may be compared. */
struct source {
    struct bt_experiment *x;
    struct fact *fact; /* in the order of their tags */
    size_t n;
    double figure[FIGURES];
    bool has[FIGURES];
};

static void free_source(struct source *src)
{
    bt_experiment_free(src->x);
    for (size_t i = 0; i < src->n; i++) free(src->fact[i].tag);
    free(src->fact);
}

/* Whose evaluations are compared; −1: the last. */
static int64_t step_of(const struct bt_compare_run *r)
{
    if (r->step == BT_STEP_LAST) return -1;
    return r->step < 0 ? r->best_step : r->step;
}

static bool take_facts(const struct bt_series_reader *events, int64_t step, struct source *src)
{
    const size_t n = bt_series_count(events);
    if (n && !(src->fact = calloc(n, sizeof *src->fact))) return false;
    for (size_t i = 0; i < n; i++) {
        const struct bt_series *s = bt_series_at(events, i);
        if (!evaluated(s->tag)) continue;
        if (!(src->fact[src->n].tag = bt_strdup(s->tag))) return false;
        src->fact[src->n++].value = value_at(s, step);
    }
    for (size_t i = 0; i < FIGURES; i++) {
        const struct bt_series *s = bt_series_find(events, figures[i].tag);
        src->has[i] = s != NULL;
        src->figure[i] = figures[i].of(s);
    }
    return true;
}

static double fact_of(const struct source *src, const char *tag)
{
    for (size_t i = 0; i < src->n; i++)
        if (strcmp(src->fact[i].tag, tag) == 0) return src->fact[i].value;
    return (double)NAN;
}

/* ── one run ── */

static char *run_state(const char *dir, bool *baseline)
{
    char *path = bt_path_join(dir, "status.json");
    struct bt_json *status = path ? bt_json_load(path, BT__MAX_STATUS, NULL) : NULL;
    const char *kind = bt_json_text(bt_json_get(status, "baseline"), NULL);
    char *state =
        kind ? bt_strfmt("%s baseline", kind) : bt_strdup(bt_json_text(bt_json_get(status, "state"), ""));
    *baseline = kind != NULL;
    bt_json_free(status);
    free(path);
    return state;
}

static int64_t last_step(struct bt_series_reader *events)
{
    int64_t last = -1;
    for (size_t i = 0; i < bt_series_count(events); i++) {
        const struct bt_series *s = bt_series_at(events, i);
        if (s->n && s->step[s->n - 1] > last) last = s->step[s->n - 1];
    }
    return last;
}

/* "movie-reviews-…@400" */
static char *id_of(const struct bt_compare_run *run)
{
    const char *id = bt_path_base(run->dir);
    if (run->step == BT_STEP_NONE) return bt_strdup(id);
    if (run->step == BT_STEP_BEST || run->step == BT_STEP_LAST)
        return bt_strfmt("%s@%s", id, run->step == BT_STEP_BEST ? "best" : "last");
    return bt_strfmt("%s@%lld", id, (long long)run->step);
}

static enum bt_status read_events(const char *dir, struct bt_compare_run *run, struct source *src,
                                  struct bt_error *err)
{
    struct bt_series_reader *events;
    enum bt_status st = bt_series_load(dir, &events, err);
    if (!st) {
        run->last_step = last_step(events);
        if (!take_facts(events, step_of(run), src)) st = bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    }
    bt_series_free(events);
    return st;
}

static enum bt_status load_run(const struct bt_run_at *at, struct bt_compare_run *run, struct source *src,
                               struct bt_error *err)
{
    const char *dir = at->dir;
    run->step = at->step;
    run->best_step = bt__linked_step(dir, "best");
    enum bt_status status = read_events(dir, run, src, err);
    if (status != BT_OK) return status;
    status = bt_run_experiment(dir, &src->x, err);
    if (status != BT_OK && status != BT_NOTFOUND) return status;
    run->dir = bt_strdup(dir);
    while (run->dir && strlen(run->dir) > 1 && run->dir[strlen(run->dir) - 1] == '/')
        run->dir[strlen(run->dir) - 1] = '\0';
    run->id = run->dir ? id_of(run) : NULL;
    run->state = run_state(dir, &run->baseline);
    return run->dir && run->id && run->state ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
}

/* ── settings ── */

static bool differs(const struct source *src, size_t n, const struct bt_option *o)
{
    const struct bt_experiment *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!src[i].x) continue;
        if (first && !bt_experiment_equal(first, src[i].x, o)) return true;
        first = src[i].x;
    }
    return false;
}

static bool add_setting(struct bt_compare *c, const struct source *src, const struct bt_option *o)
{
    struct bt_compare_setting *s = &c->setting[c->n_settings];
    s->key = o->key;
    s->value = calloc(c->n_runs, sizeof *s->value);
    if (!s->value) return false;
    c->n_settings++;
    for (size_t i = 0; i < c->n_runs; i++) {
        struct bt_str text = {0};
        if (!src[i].x) continue;
        bt_experiment_get(src[i].x, o, &text);
        if (!(s->value[i] = bt_str_take(&text))) return false;
    }
    return true;
}

static bool compare_settings(struct bt_compare *c, const struct source *src)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    c->setting = calloc(n, sizeof *c->setting);
    if (!c->setting) return false;
    for (size_t i = 0; i < n; i++) {
        /* where a run is kept says nothing about what it does */
        if (strcmp(o[i].key, "run.name") == 0 || strcmp(o[i].key, "run.output_dir") == 0) continue;
        if (differs(src, c->n_runs, &o[i]) && !add_setting(c, src, &o[i])) return false;
    }
    return true;
}

/* ── metrics ── */

static void judge(struct bt_compare_metric *m, size_t n)
{
    size_t have = 0, equal = 0;
    m->best = -1;
    for (size_t i = 0; i < n; i++) {
        if (isnan(m->value[i])) continue;
        have++;
        bool better = m->best < 0 || (m->higher_is_better ? m->value[i] > m->value[m->best]
                                                          : m->value[i] < m->value[m->best]);
        if (better) m->best = (int)i;
    }
    for (size_t i = 0; i < n; i++)
        if (m->best >= 0 && m->value[i] == m->value[m->best]) equal++;
    if (!m->judged || have < 2 || equal == have) m->best = -1;
}

static struct bt_compare_metric *add_metric(struct bt_compare *c, const char *name)
{
    struct bt_compare_metric *m = realloc(c->metric, (c->n_metrics + 1) * sizeof *m);
    if (!m) return NULL;
    c->metric = m;
    m = &m[c->n_metrics];
    *m = (struct bt_compare_metric){.name = bt_strdup(name), .value = calloc(c->n_runs, sizeof *m->value)};
    if (m->name && m->value) {
        c->n_metrics++;
        return m;
    }
    free(m->name);
    free(m->value);
    return NULL;
}

static bool has_metric(const struct bt_compare *c, const char *name)
{
    for (size_t i = 0; i < c->n_metrics; i++)
        if (strcmp(c->metric[i].name, name) == 0) return true;
    return false;
}

static bool compare_evaluation(struct bt_compare *c, const struct source *src, const char *tag)
{
    struct bt_compare_metric *m = add_metric(c, tag);
    if (!m) return false;
    m->judged = true;
    m->higher_is_better = !bt__metric_falls(bt_path_base(tag));
    for (size_t i = 0; i < c->n_runs; i++) m->value[i] = fact_of(&src[i], tag);
    judge(m, c->n_runs);
    return true;
}

static bool compare_figure(struct bt_compare *c, const struct source *src, size_t which)
{
    bool any = false;
    for (size_t i = 0; i < c->n_runs; i++) any |= src[i].has[which];
    struct bt_compare_metric *m = any ? add_metric(c, figures[which].name) : NULL;
    if (!m) return !any;
    for (size_t i = 0; i < c->n_runs; i++) m->value[i] = src[i].figure[which];
    m->best = -1;
    return true;
}

static bool compare_metrics(struct bt_compare *c, const struct source *src)
{
    for (size_t i = 0; i < c->n_runs; i++)
        for (size_t k = 0; k < src[i].n; k++) {
            const char *tag = src[i].fact[k].tag;
            if (!has_metric(c, tag) && !compare_evaluation(c, src, tag)) return false;
        }
    for (size_t i = 0; i < FIGURES; i++)
        if (!compare_figure(c, src, i)) return false;
    return true;
}

/* ── all of it ── */

enum bt_status bt_compare_load(const struct bt_run_at *runs, size_t n, struct bt_compare **out,
                               struct bt_error *err)
{
    struct bt_compare *c = calloc(1, sizeof *c);
    struct source *src = calloc(n ? n : 1, sizeof *src);
    enum bt_status status = BT_OK;
    if (c && src && (c->run = calloc(n ? n : 1, sizeof *c->run))) c->n_runs = n;
    if (!c || !src || !c->run) status = bt_fail(err, BT_NOMEM, "no memory to compare %zu runs", n);
    for (size_t i = 0; i < n && status == BT_OK; i++) status = load_run(&runs[i], &c->run[i], &src[i], err);
    if (status == BT_OK && (!compare_settings(c, src) || !compare_metrics(c, src)))
        status = bt_fail(err, BT_NOMEM, "no memory to compare %zu runs", n);
    for (size_t i = 0; src && i < n; i++) free_source(&src[i]);
    free(src);
    if (status == BT_OK)
        *out = c;
    else
        bt_compare_free(c);
    return status;
}

void bt_compare_free(struct bt_compare *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->n_runs; i++) {
        free(c->run[i].dir);
        free(c->run[i].id);
        free(c->run[i].state);
    }
    for (size_t i = 0; i < c->n_settings; i++) {
        for (size_t k = 0; k < c->n_runs; k++) free(c->setting[i].value[k]);
        free(c->setting[i].value);
    }
    for (size_t i = 0; i < c->n_metrics; i++) {
        free(c->metric[i].name);
        free(c->metric[i].value);
    }
    free(c->run);
    free(c->setting);
    free(c->metric);
    free(c);
}
