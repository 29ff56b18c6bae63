/* bertty compare */
#include "tui/commands/cli_run.h"
#include "tui/plot.h"
#include <bertty/compare.h>
#include <math.h>
#include <stdlib.h>

static const char about[] =
    "Runs side by side: the settings that differ, and the metrics at each run's best step (else its last),\n"
    "the best one marked with *. For two runs also what they predict differently on the same rows, and the\n"
    "exact McNemar test: the probability that runs of equal accuracy differ at least so unevenly.\n"
    "RUN is an id under the runs directory or a path, also of another tool's TensorBoard logs.\n";

struct request {
    bool json, rows;
    const char *split;
    const char **dir; /* the runs' directories, ours */
    int n;
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

/* Numbers and answers may have no confidence. */
static void said_cell(struct cli_table *t, const char *said, double p)
{
    const char *text = *said ? said : "(none)";
    if (isnan(p))
        cli_table_cell(t, "%s", text);
    else
        cli_table_cell(t, "%s %.2f", text, p);
}

static void tell_rows(const struct bt_pairing *p)
{
    struct cli_table t = {.columns = 4, .right = 1};
    static const char *const heads[] = {"row", "gold", "A", "B"};
    for (int i = 0; i < 4; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_pair_row *r = &p->row[i];
        if (r->first == r->second) continue;
        cli_table_cell(&t, "%lld", (long long)r->id);
        cli_table_cell(&t, "%s", r->gold);
        said_cell(&t, r->first, r->p_first);
        said_cell(&t, r->second, r->p_second);
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

static void tell_pairing(const struct bt_pairing *p, bool rows)
{
    cli_line("%s", "");
    cli_line("predictions on %s, %zu rows (A at step %lld, B at step %lld)", p->split, p->n,
             (long long)p->step_first, (long long)p->step_second);
    bool numbers = p->kind == BT_ROWS_NUMBERS;
    if (numbers)
        cli_line("  A nearer to gold %zu, B nearer to gold %zu, as near as the other %zu",
                 p->count[BT_ONLY_FIRST], p->count[BT_ONLY_SECOND], p->count[BT_BOTH_RIGHT]);
    else
        cli_line("  both right %zu, only A right %zu, only B right %zu, both wrong %zu",
                 p->count[BT_BOTH_RIGHT], p->count[BT_ONLY_FIRST], p->count[BT_ONLY_SECOND],
                 p->count[BT_BOTH_WRONG]);
    cli_line("  same prediction on %.1f %%, %s p = %.4g",
             p->n ? 100.0 * (double)p->agree / (double)p->n : 0.0,
             numbers ? "sign test" : "McNemar's exact test", p->p);
    if (p->only_first || p->only_second || p->gold_differs)
        cli_line("  left out: %zu rows only in A, %zu only in B, %zu with different gold labels",
                 p->only_first, p->only_second, p->gold_differs);
    if (rows && p->agree < p->n) tell_rows(p);
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

static void json_rows(struct bt_json_writer *w, const struct bt_pairing *p)
{
    bt_jw_key(w, "rows_that_differ");
    bt_jw_array(w);
    for (size_t i = 0; i < p->n; i++) {
        if (p->row[i].first == p->row[i].second) continue;
        bt_jw_object(w);
        bt_jw_kint(w, "id", p->row[i].id);
        bt_jw_ktext(w, "gold", p->row[i].gold);
        bt_jw_ktext(w, "first", p->row[i].first);
        bt_jw_ktext(w, "second", p->row[i].second);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void json_pairing(struct bt_json_writer *w, const struct bt_pairing *p, bool rows)
{
    bt_jw_key(w, "predictions");
    bt_jw_object(w);
    bt_jw_ktext(w, "split", p->split);
    bt_jw_kint(w, "rows", (int64_t)p->n);
    bt_jw_kint(w, "both_right", (int64_t)p->count[BT_BOTH_RIGHT]);
    bt_jw_kint(w, "only_first_right", (int64_t)p->count[BT_ONLY_FIRST]);
    bt_jw_kint(w, "only_second_right", (int64_t)p->count[BT_ONLY_SECOND]);
    bt_jw_kint(w, "both_wrong", (int64_t)p->count[BT_BOTH_WRONG]);
    bt_jw_kint(w, "agree", (int64_t)p->agree);
    bt_jw_kint(w, "only_in_first", (int64_t)p->only_first);
    bt_jw_kint(w, "only_in_second", (int64_t)p->only_second);
    bt_jw_kint(w, "gold_differs", (int64_t)p->gold_differs);
    bt_jw_knum(w, "mcnemar_p", p->p);
    if (rows) json_rows(w, p);
    bt_jw_end_object(w);
}

/* ── the command ── */

static void tell(const struct request *q, const struct bt_compare *c, const struct bt_pairing *p)
{
    if (!q->json) {
        tell_runs(c);
        tell_settings(c);
        tell_metrics(c);
        if (p) tell_pairing(p, q->rows);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    json_runs(&w, c);
    json_tables(&w, c);
    if (p) json_pairing(&w, p, q->rows);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static int compare(const struct request *q)
{
    struct bt_compare *c;
    struct bt_pairing *p = NULL;
    struct bt_error err = {0};
    if (bt_compare_load(q->dir, (size_t)q->n, &c, &err) != BT_OK) return cli_fail(&err);
    enum bt_status status = BT_NOTFOUND;
    if (q->n == 2) status = bt_pairing_load(q->dir[0], q->dir[1], q->split, &p, &err);
    /* runs without predictions are still worth comparing, unless a split was asked for */
    bool fatal = q->n == 2 && status != BT_OK && (status != BT_NOTFOUND || q->split);
    if (!fatal) tell(q, c, p);
    bt_pairing_free(p);
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
        CLI_FLAG("rows", 'r', &q.rows, "list the rows that are predicted differently"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "compare", .about = about, .options = options, .min_args = 2, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (args.n > 31) return cli_misuse("compare", "%d runs, expected at most 31", args.n);
    char *dir[31] = {0};
    struct bt_error err = {0};
    for (int i = 0; i < args.n && code == CLI_DONE; i++)
        if (cli_run_find(runs, args.v[i], &dir[i], &err) != BT_OK) code = cli_fail(&err);
    q.dir = (const char **)dir;
    q.n = args.n;
    if (code == CLI_DONE) code = compare(&q);
    for (int i = 0; i < args.n; i++) free(dir[i]);
    return code;
}
