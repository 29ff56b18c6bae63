#include <bertty/run_groups.h>

#include "metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void bt_run_groups_clear(struct bt_run_groups *g)
{
    for (size_t i = 0; i < g->n; i++) free(g->group[i].member);
    free(g->group);
    free(g->of);
    *g = (struct bt_run_groups){.n = 0};
}

/* A run that may be one of several. */
struct candidate {
    const char *key;
    size_t place; /* in row */
};

static int by_key(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = strcmp(x->key, y->key);
    return c ? c : (x->place > y->place) - (x->place < y->place);
}

static int by_first(const void *a, const void *b)
{
    const struct bt_run_group *x = a, *y = b;
    return (x->member[0] > y->member[0]) - (x->member[0] < y->member[0]);
}

static void sum_up(struct bt_run_group *g, const struct bt_run_list *list)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < g->n; i++) {
        const struct bt_run_status *s = &list->run[g->member[i]];
        g->n_alive += bt_run_state_alive(s->state);
        g->step += s->step;
        g->total += s->total;
        if (isnan(s->best)) continue;
        if (!g->metric) g->metric = s->metric;
        g->n_values++;
        sum += s->best;
    }
    g->mean = g->n_values ? sum / (double)g->n_values : (double)NAN;
    for (size_t i = 0; i < g->n; i++) {
        double off = list->run[g->member[i]].best - g->mean;
        if (!isnan(off)) squares += off * off;
    }
    g->sd = g->n_values > 1 ? sqrt(squares / (double)(g->n_values - 1)) : (double)NAN;
}

/* Members are places in row for now. */
static bool add_group(struct bt_run_groups *out, const struct candidate *c, size_t n)
{
    struct bt_run_group *g = realloc(out->group, (out->n + 1) * sizeof *g);
    if (!g) return false;
    out->group = g;
    g[out->n] = (struct bt_run_group){.key = c[0].key, .member = calloc(n, sizeof *g->member), .n = n};
    if (!g[out->n].member) return false;
    for (size_t i = 0; i < n; i++) g[out->n].member[i] = c[i].place;
    out->n++;
    return true;
}

static void number_groups(struct bt_run_groups *out, const struct bt_run_list *list, const size_t *row)
{
    if (out->n) qsort(out->group, out->n, sizeof *out->group, by_first);
    for (size_t i = 0; i < out->n; i++) {
        struct bt_run_group *g = &out->group[i];
        for (size_t k = 0; k < g->n; k++) {
            g->member[k] = row[g->member[k]];
            out->of[g->member[k]] = (ptrdiff_t)i;
        }
        sum_up(g, list);
    }
}

static const struct bt_run_group *best_of(const struct bt_run_groups *out, const char *metric)
{
    const struct bt_run_group *best = NULL;
    for (size_t i = 0; i < out->n; i++) {
        const struct bt_run_group *g = &out->group[i];
        if (!g->metric || strcmp(g->metric, metric) != 0 || isnan(g->mean)) continue;
        if (!best || (bt__metric_falls(metric) ? g->mean < best->mean : g->mean > best->mean)) best = g;
    }
    return best;
}

static void test_groups(struct bt_run_groups *out)
{
    for (size_t i = 0; i < out->n; i++) {
        struct bt_run_group *g = &out->group[i];
        const struct bt_run_group *best = g->metric ? best_of(out, g->metric) : NULL;
        g->versus = (struct bt_welch){.p = (double)NAN};
        if (!best || best == g) continue;
        const struct bt_sample a = {.n = best->n_values, .mean = best->mean, .sd = best->sd},
                               b = {.n = g->n_values, .mean = g->mean, .sd = g->sd};
        g->versus = bt_welch_test(&a, &b);
    }
}

/* What tells one group from another. */
static void compare_groups(struct bt_run_groups *out, const struct bt_run_list *list,
                           const struct bt_facts *facts)
{
    const struct bt_experiment *a = NULL;
    for (size_t i = 0; i < out->n; i++) {
        const char *dir = list->run[out->group[i].member[0]].dir;
        const struct bt_experiment *b = bt_facts_of(facts, dir).settings;
        for (size_t o = 0; a && b && o < BT_OPTIONS; o++)
            out->told[o] |= o != BT_OPTION_train_seed && !bt_experiment_equal(a, b, &bt_options(NULL)[o]) &&
                            !(bt_option_repeats(a, o) && bt_option_repeats(b, o));
        if (!a) a = b;
    }
}

bool bt_run_groups_make(const struct bt_run_list *list, const size_t *row, size_t n_rows,
                        const struct bt_facts *facts, struct bt_run_groups *out)
{
    size_t n = 0;
    struct candidate *c = calloc(n_rows + 1, sizeof *c);
    *out = (struct bt_run_groups){.of = calloc(list->n + 1, sizeof *out->of)};
    bool fine = c && out->of;
    for (size_t i = 0; fine && i < list->n; i++) out->of[i] = BT_ALONE;
    for (size_t i = 0; fine && i < n_rows; i++) {
        const struct bt_run_status *s = &list->run[row[i]];
        struct bt_run_facts f = bt_facts_of(facts, s->dir);
        if (f.group && !s->steered && !s->baseline) c[n++] = (struct candidate){.key = f.group, .place = i};
    }
    if (n) qsort(c, n, sizeof *c, by_key);
    for (size_t from = 0, to; fine && from < n; from = to) {
        for (to = from + 1; to < n && strcmp(c[to].key, c[from].key) == 0;) to++;
        if (to - from > 1) fine = add_group(out, c + from, to - from);
    }
    if (fine) {
        number_groups(out, list, row);
        compare_groups(out, list, facts);
        test_groups(out);
    } else {
        bt_run_groups_clear(out);
    }
    free(c);
    return fine;
}
