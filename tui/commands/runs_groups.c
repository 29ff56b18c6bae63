#include "tui/commands/runs_groups.h"

#include "tui/commands/cli_run.h"
#include "tui/plot.h"
#include <math.h>
#include <stdlib.h>

/* A row: several runs, or one alone. */
struct row {
    const size_t *member;
    size_t place, n, n_values;
    const char *metric;
    double mean, sd;
    struct bt_welch versus;
};

struct answer {
    const struct bt_run_list *list;
    const struct bt_facts *facts;
    struct bt_run_groups groups;
    struct row *row; /* [n] */
    size_t n;
};

static struct row row_of(const struct bt_run_groups *g, const struct bt_run_list *l, const size_t *run)
{
    ptrdiff_t of = g->of[*run];
    const struct bt_run_status *s = &l->run[*run];
    if (of == BT_ALONE)
        return (struct row){.member = run,
                            .n = 1,
                            .n_values = isnan(s->best) ? 0u : 1u,
                            .metric = s->metric,
                            .mean = s->best,
                            .sd = (double)NAN,
                            .versus = {.p = (double)NAN}};
    const struct bt_run_group *m = &g->group[of];
    return (struct row){.member = m->member,
                        .n = m->n,
                        .n_values = m->n_values,
                        .metric = m->metric,
                        .mean = m->mean,
                        .sd = m->sd,
                        .versus = m->versus};
}

struct direction {
    bool by_mean, least_first;
};

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
    const struct row *a = pa, *b = pb;
    const struct direction *d = ctx;
    int c = isnan(a->mean) - isnan(b->mean);
    if (!d->by_mean) return (a->place > b->place) - (a->place < b->place);
    if (!c) c = (a->mean > b->mean) - (a->mean < b->mean);
    if (!isnan(a->mean) && !isnan(b->mean) && !d->least_first) c = -c;
    return c ? c : (a->place > b->place) - (a->place < b->place);
}

static void value_cell(struct cli_table *t, const char *before, double v)
{
    char text[PLOT_TICK_TEXT] = "-";
    if (!isnan(v)) plot_value(text, sizeof text, v);
    cli_table_cell(t, "%s%s", isnan(v) ? "" : before, text);
}

static void add_seed(struct bt_str *out, const struct bt_run_list *l, size_t run,
                     const struct bt_facts *facts)
{
    struct bt_run_facts f = bt_facts_of(facts, l->run[run].dir);
    if (f.settings) bt_str_addf(out, "%s%lld", out->len ? " " : "", (long long)f.settings->train_seed);
}

/* "learning_rate 1e-3 optim sgd": what tells a group from the others. */
static void add_settings(struct bt_str *out, const struct bt_run_groups *g, const struct bt_experiment *x)
{
    for (size_t o = 0; x && o < BT_OPTIONS; o++) {
        if (!g->told[o]) continue;
        bt_str_addf(out, "%s%s ", out->len ? " " : "", bt_options(NULL)[o].name);
        bt_experiment_get(x, &bt_options(NULL)[o], out);
    }
}

static void row_for_people(struct cli_table *t, const struct row *r, const struct answer *a)
{
    struct bt_str seeds = {0}, settings = {0};
    const struct bt_run_status *first = &a->list->run[r->member[0]];
    for (size_t i = 0; i < r->n; i++) add_seed(&seeds, a->list, r->member[i], a->facts);
    add_settings(&settings, &a->groups, bt_facts_of(a->facts, first->dir).settings);
    cli_table_cell(t, "%zu", r->n);
    cli_table_cell(t, "%s", r->n > 1 && first->name ? first->name : first->id);
    value_cell(t, "", r->mean);
    value_cell(t, "±", r->sd);
    value_cell(t, "", r->versus.p);
    cli_table_cell(t, "%s", r->metric ? r->metric : "-");
    cli_table_cell(t, "%s", bt_str_text(&seeds));
    cli_table_cell(t, "%s", bt_str_text(&settings));
    bt_str_free(&seeds);
    bt_str_free(&settings);
}

static void settings_for_programs(struct bt_json_writer *w, const struct answer *a, const char *dir)
{
    const struct bt_experiment *x = bt_facts_of(a->facts, dir).settings;
    bt_jw_key(w, "settings");
    bt_jw_object(w);
    for (size_t o = 0; x && o < BT_OPTIONS; o++) {
        struct bt_str value = {0};
        if (!a->groups.told[o]) continue;
        bt_experiment_get(x, &bt_options(NULL)[o], &value);
        bt_jw_ktext(w, bt_options(NULL)[o].key, bt_str_text(&value));
        bt_str_free(&value);
    }
    bt_jw_end_object(w);
}

static void versus_for_programs(struct bt_json_writer *w, const struct bt_welch *v)
{
    bt_jw_key(w, "versus_best");
    if (isnan(v->p)) {
        bt_jw_null(w);
        return;
    }
    const double margin = bt_welch_margin(v);
    bt_jw_object(w);
    bt_jw_knum(w, "difference", v->difference);
    bt_jw_knum(w, "low", v->difference - margin);
    bt_jw_knum(w, "high", v->difference + margin);
    bt_jw_knum(w, "t", v->t);
    bt_jw_knum(w, "df", v->df);
    bt_jw_knum(w, "p", v->p);
    bt_jw_end_object(w);
}

static void row_for_programs(struct bt_json_writer *w, const struct row *r, const struct answer *a)
{
    bt_jw_object(w);
    bt_jw_key(w, "runs");
    bt_jw_array(w);
    for (size_t i = 0; i < r->n; i++) bt_jw_text(w, a->list->run[r->member[i]].id);
    bt_jw_end_array(w);
    bt_jw_key(w, "seeds");
    bt_jw_array(w);
    for (size_t i = 0; i < r->n; i++) {
        struct bt_run_facts f = bt_facts_of(a->facts, a->list->run[r->member[i]].dir);
        if (f.settings)
            bt_jw_int(w, f.settings->train_seed);
        else
            bt_jw_null(w);
    }
    bt_jw_end_array(w);
    settings_for_programs(w, a, a->list->run[r->member[0]].dir);
    bt_jw_ktext(w, "metric", r->metric);
    bt_jw_kint(w, "n", (int64_t)r->n_values);
    bt_jw_knum(w, "mean", r->mean);
    bt_jw_knum(w, "sd", r->sd);
    versus_for_programs(w, &r->versus);
    bt_jw_end_object(w);
}

static void tell(const struct answer *a, bool json)
{
    static const char *const heads[] = {"RUNS", "NAME", "BEST", "SD", "P", "METRIC", "SEEDS", "SETTINGS"};
    struct cli_table t = {.columns = 8, .right = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4};
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_key(&w, "groups");
    bt_jw_array(&w);
    for (size_t i = 0; i < t.columns && !json && a->n; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < a->n; i++) {
        if (json)
            row_for_programs(&w, &a->row[i], a);
        else
            row_for_people(&t, &a->row[i], a);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    if (json) cli_json(&out);
    cli_table_print(&t);
    bt_str_free(&out);
}

enum bt_status runs_tell_groups(const struct bt_run_list *l, const size_t *run, size_t n,
                                const struct bt_facts *facts, const struct runs_groups_wish *wish,
                                struct bt_error *err)
{
    struct direction d = {.by_mean = wish->by_mean, .least_first = wish->least_first};
    struct answer a = {.list = l, .facts = facts, .row = calloc(n + 1, sizeof *a.row)};
    bool fine = a.row && bt_run_groups_make(l, run, n, facts, &a.groups);
    for (size_t i = 0; fine && i < n; i++) {
        struct row r = row_of(&a.groups, l, &run[i]);
        r.place = i;
        if (r.member[0] == run[i]) a.row[a.n++] = r;
    }
    if (fine && a.n) qsort_r(a.row, a.n, sizeof *a.row, compare_rows, &d);
    if (fine) tell(&a, wish->json);
    if (fine) bt_run_groups_clear(&a.groups);
    free(a.row);
    return fine ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for %zu runs", n);
}
