/* bertty compare */
#include "tui/commands/compare_pair.h"
#include "tui/plot.h"
#include <bertty/compare.h>
#include <math.h>
#include <stdlib.h>

static const char about[] =
    "Runs side by side: the settings that differ, and the metrics at each run's best step (else its last),\n"
    "the best one marked with *. For two runs also what they predict differently on the same rows: who says\n"
    "what; the exact McNemar test (the probability that runs of equal accuracy differ at least so "
    "unevenly);\n"
    "each metric with the 95 % interval of B - A and its p by the paired bootstrap (1000 draws, always the\n"
    "same ones); the difference in slices of the rows: by gold label, by length, and by each --slice, a "
    "filter\n"
    "as of `bertty data` over the columns row, gold, a, b, p_a, p_b, loss_a, loss_b, text, pair.\n"
    "RUN is an id under the runs directory or a path, also of another tool's TensorBoard logs; RUN@400 "
    "(@best,\n"
    "@last) is what it was at step 400, and both may be of one run.\n";

struct request {
    bool json, rows;
    const char *split;
    struct cli_list slices;
    struct bt_run_at *run; /* [n], ours */
    size_t n;
};

/* ── for people ── */

static void letters(struct cli_table *t, int n)
{
    cli_table_cell(t, "%s", "");
    for (int i = 0; i < n; i++) cli_table_cell(t, "%c", 'A' + i % 26);
}

static void tell_runs(const struct bt_compare *c)
{
    struct cli_table t = {.columns = 4};
    for (size_t i = 0; i < c->n_runs; i++) {
        const struct bt_compare_run *r = &c->run[i];
        cli_table_cell(&t, "%c", 'A' + (int)(i % 26));
        cli_table_cell(&t, "%s", r->id);
        cli_table_cell(&t, "%s", *r->state ? r->state : "-");
        if (r->best_step >= 0)
            cli_table_cell(&t, "best step %lld", (long long)r->best_step);
        else if (r->last_step >= 0)
            cli_table_cell(&t, "last step %lld", (long long)r->last_step);
        else
            cli_table_cell(&t, "no step yet");
    }
    cli_table_print(&t);
}

static void tell_settings(const struct bt_compare *c)
{
    if (c->n_settings == 0) {
        cli_line("%s", "");
        cli_line("no setting differs");
        return;
    }
    struct cli_table t = {.columns = c->n_runs + 1};
    letters(&t, (int)c->n_runs);
    for (size_t i = 0; i < c->n_settings; i++) {
        cli_table_cell(&t, "%s", c->setting[i].key);
        for (size_t k = 0; k < c->n_runs; k++)
            cli_table_cell(&t, "%s", c->setting[i].value[k] ? c->setting[i].value[k] : "-");
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

static void tell_metrics(const struct bt_compare *c)
{
    struct cli_table t = {.columns = c->n_runs + 1, .right = ~1u};
    if (c->n_metrics == 0) return;
    letters(&t, (int)c->n_runs);
    for (size_t i = 0; i < c->n_metrics; i++) {
        const struct bt_compare_metric *m = &c->metric[i];
        cli_table_cell(&t, "%s", m->name);
        for (size_t k = 0; k < c->n_runs; k++) {
            char text[32];
            plot_value(text, sizeof text, m->value[k]);
            cli_table_cell(&t, "%s%s", isnan(m->value[k]) ? "-" : text, m->best == (int)k ? "*" : " ");
        }
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

void compare_tell(const struct bt_compare *c)
{
    tell_runs(c);
    tell_settings(c);
    tell_metrics(c);
}

/* ── for programs ── */

static void json_runs(struct bt_json_writer *w, const struct bt_compare *c)
{
    bt_jw_key(w, "runs");
    bt_jw_array(w);
    for (size_t i = 0; i < c->n_runs; i++) {
        bt_jw_object(w);
        bt_jw_ktext(w, "run", c->run[i].id);
        bt_jw_ktext(w, "dir", c->run[i].dir);
        if (c->run[i].step >= 0) bt_jw_kint(w, "step", c->run[i].step);
        bt_jw_ktext(w, "state", *c->run[i].state ? c->run[i].state : NULL);
        bt_jw_kint(w, "best_step", c->run[i].best_step);
        bt_jw_kint(w, "last_step", c->run[i].last_step);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

/* Counts as whole numbers; what an event file holds as a float no longer than that. */
static void json_number(struct bt_json_writer *w, double v)
{
    if (fabs(v) < 1e15 && v == nearbyint(v))
        bt_jw_int(w, (int64_t)v);
    else if ((double)(float)v == v)
        bt_jw_float(w, (float)v);
    else
        bt_jw_num(w, v);
}

static void json_tables(struct bt_json_writer *w, const struct bt_compare *c)
{
    bt_jw_key(w, "settings");
    bt_jw_object(w);
    for (size_t i = 0; i < c->n_settings; i++) {
        bt_jw_key(w, c->setting[i].key);
        bt_jw_array(w);
        for (size_t k = 0; k < c->n_runs; k++) bt_jw_text(w, c->setting[i].value[k]);
        bt_jw_end_array(w);
    }
    bt_jw_end_object(w);
    bt_jw_key(w, "metrics");
    bt_jw_object(w);
    for (size_t i = 0; i < c->n_metrics; i++) {
        bt_jw_key(w, c->metric[i].name);
        bt_jw_object(w);
        bt_jw_key(w, "values");
        bt_jw_array(w);
        for (size_t k = 0; k < c->n_runs; k++) json_number(w, c->metric[i].value[k]);
        bt_jw_end_array(w);
        bt_jw_kint(w, "best", c->metric[i].best);
        bt_jw_end_object(w);
    }
    bt_jw_end_object(w);
}

/* ── the command ── */

static void tell(const struct request *q, const struct bt_compare *c, const struct bt_versus *p)
{
    if (!q->json) {
        compare_tell(c);
        if (p->pairing) compare_pair_tell(p, q->rows);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    json_runs(&w, c);
    json_tables(&w, c);
    if (p->pairing) compare_pair_json(&w, p, q->rows);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static int compare(const struct request *q)
{
    struct bt_compare *c;
    struct bt_versus p = {.pairing = NULL};
    struct bt_error err = {0};
    if (bt_compare_load(q->run, q->n, &c, &err) != BT_OK) return cli_fail(&err);
    enum bt_status status = BT_NOTFOUND;
    if (q->n == 2) {
        const struct bt_versus_request r = {.first = q->run[0],
                                            .second = q->run[1],
                                            .split = q->split,
                                            .expression = q->slices.item,
                                            .expressions = q->slices.n};
        status = bt_versus_load(&r, NULL, &p, &err);
    }
    /* runs without predictions are still worth comparing, unless a split was asked for */
    bool asked = q->split || q->slices.n,
         fatal = q->n == 2 && status != BT_OK && (status != BT_NOTFOUND || asked);
    if (!fatal) tell(q, c, &p);
    bt_versus_clear(&p);
    bt_compare_free(c);
    return fatal ? cli_fail(&err) : CLI_DONE;
}

int cmd_compare(int argc, char **argv)
{
    const char *runs = "runs";
    struct request q = {0};
    const struct cli_option options[] = {
        CLI_JSON(&q.json),
        CLI_RUNS(&runs),
        CLI_TEXT("split", 's', "NAME", &q.split,
                 "whose predictions (default: the first that both runs have)"),
        CLI_LIST("slice", 0, "FILTER", &q.slices, "the rows that it holds for, as a slice; again for more"),
        CLI_FLAG("rows", 'r', &q.rows, "list the rows that are predicted differently"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "compare", .about = about, .options = options, .min_args = 2, .max_args = -1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code)) {
        if (q.slices.n && args.n != 2)
            code = cli_misuse("compare", "--slice is for two runs, found %d", args.n);
        else
            code = compare_find("compare", runs, &args, &q.run, &q.n);
        if (code == CLI_DONE) code = compare(&q);
    }
    compare_found_free(q.run, q.n);
    free(q.slices.item);
    return code;
}
