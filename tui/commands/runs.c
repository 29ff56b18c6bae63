/* bertty runs */
#include "tui/commands/cli_run.h"
#include "tui/plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "Each run's state, step, best value of the metric that decides, last training "
                            "loss, and start; the newest first.\n"
                            "A run whose process is gone is lost; `bertty show RUN` says why. Other tools' "
                            "TensorBoard logs are unknown.\n";

enum sort { BY_STARTED, BY_NAME, BY_STATE, BY_BEST, BY_STEP, BY_UPDATED, SORTS };
static const char *const sort_names[] = {"started", "name", "state", "best", "step", "updated", NULL};

/* The state filter's choices: those of BT_RUN_STATES, in its order, and two of our own behind them. */
static const char *const state_names[] = {
#define X(name, text, alive) text,
    BT_RUN_STATES(X)
#undef X
        "alive",
    "ended", NULL};
enum { ALIVE = BT_RUN_UNKNOWN + 1, ENDED };

/* ── order ── */

typedef int compare_runs(const struct bt_run_status *a, const struct bt_run_status *b);

static int greatest_first(double a, double b)
{
    bool no_a = isnan(a), no_b = isnan(b);
    if (no_a || no_b) return no_a - no_b;
    return (a < b) - (a > b);
}

static int as_listed(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return (a > b) - (a < b);
}

static int by_name(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return strcmp(a->id, b->id);
}

static int by_state(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return (a->state > b->state) - (a->state < b->state);
}

static int by_best(const struct bt_run_status *a, const struct bt_run_status *b)
{
    bool loss = a->metric && b->metric && strcmp(a->metric, "loss") == 0 && strcmp(b->metric, "loss") == 0;
    return loss ? greatest_first(-a->best, -b->best) : greatest_first(a->best, b->best);
}

static int by_step(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return (a->step < b->step) - (a->step > b->step);
}

static int by_updated(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return greatest_first(a->updated, b->updated);
}

static compare_runs *const orders[SORTS] = {
    [BY_STARTED] = as_listed, [BY_NAME] = by_name, [BY_STATE] = by_state,
    [BY_BEST] = by_best,      [BY_STEP] = by_step, [BY_UPDATED] = by_updated};

static int ordered(const void *a, const void *b, void *order)
{
    const struct bt_run_status *x = *(const struct bt_run_status *const *)a,
                               *y = *(const struct bt_run_status *const *)b;
    int c = orders[*(const int *)order](x, y);
    return c ? c : as_listed(x, y);
}

static bool wanted(const struct bt_run_status *s, int filter)
{
    if (filter < 0) return true;
    if (filter == ALIVE) return bt_run_state_alive(s->state);
    if (filter == ENDED) return bt_run_state_ended(s->state);
    return (int)s->state == filter;
}

/* Those that are wanted, in order: pointers into l; the caller frees. NULL without memory. */
static const struct bt_run_status **arrange(const struct bt_run_list *l, int filter, int sort, size_t *n)
{
    const struct bt_run_status **out = calloc(l->n + 1, sizeof *out);
    *n = 0;
    for (size_t i = 0; out && i < l->n; i++)
        if (wanted(&l->run[i], filter)) out[(*n)++] = &l->run[i];
    if (out && *n) qsort_r(out, *n, sizeof *out, ordered, &sort);
    return out;
}

/* ── output ── */

static void value_or_dash(char *out, size_t size, double v)
{
    if (isnan(v))
        memcpy(out, "-", 2);
    else
        plot_value(out, size, v);
}

static void tell(const struct bt_run_status *const *run, size_t n)
{
    static const char *const heads[] = {"RUN", "STATE", "STEP", "BEST", "METRIC", "LOSS", "STARTED", "LEFT"};
    struct cli_table t = {.columns = 8, .right = 1 << 2 | 1 << 3 | 1 << 5};
    for (size_t i = 0; i < 8; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < n; i++) {
        const struct bt_run_status *s = run[i];
        char step[48], best[32], loss[32], started[32], left[32] = "";
        cli_run_step(step, sizeof step, s);
        value_or_dash(best, sizeof best, s->best);
        value_or_dash(loss, sizeof loss, s->train_loss);
        cli_time(started, sizeof started, s->started);
        if (bt_run_state_alive(s->state)) cli_duration(left, sizeof left, s->eta_s);
        cli_table_cell(&t, "%s", s->id);
        cli_run_state(&t, s);
        cli_table_cell(&t, "%s", step);
        cli_table_cell(&t, "%s", best);
        cli_table_cell(&t, "%s", s->metric ? s->metric : "-");
        cli_table_cell(&t, "%s", loss);
        cli_table_cell(&t, "%s", started);
        cli_table_cell(&t, "%s", left);
    }
    cli_table_print(&t);
}

static void tell_json(const struct bt_run_status *const *run, size_t n)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_key(&w, "runs");
    bt_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        bt_jw_object(&w);
        cli_run_json(&w, run[i]);
        bt_jw_end_object(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_none(size_t all, const char *runs)
{
    if (all)
        cli_line("none of the %zu runs in %s is in that state", all, runs);
    else
        cli_line("no runs in %s yet: `bertty train EXPERIMENT.yaml` makes one", runs);
}

int cmd_runs(int argc, char **argv)
{
    const char *runs = "runs";
    bool json = false;
    int sort = BY_STARTED, filter = -1;
    const struct cli_option options[] = {
        CLI_JSON(&json),
        CLI_CHOICE("sort", 's', &sort, sort_names, "order (default: started)"),
        CLI_CHOICE("state", 0, &filter, state_names, "only these; alive: with an engine, ended: without one"),
        CLI_RUNS(&runs),
        CLI_END,
    };
    const struct cli_spec spec = {.command = "runs", .about = about, .options = options};
    struct cli_args args;
    struct bt_run_list l;
    struct bt_error err = {.status = BT_OK};
    size_t n;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (bt_run_list(runs, NULL, &l, &err) != BT_OK) return cli_fail(&err);
    const struct bt_run_status **run = arrange(&l, filter, sort, &n);
    if (!run) {
        bt_fail(&err, BT_NOMEM, "no memory for %zu runs", l.n);
        code = cli_fail(&err);
    } else if (json)
        tell_json(run, n);
    else if (n)
        tell(run, n);
    else
        tell_none(l.n, runs);
    free(run);
    bt_run_list_clear(&l);
    return code;
}
