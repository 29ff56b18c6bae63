/* bertty audit */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/audit.h>
#include <bertty/dataset.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char about[] = "Which labels of the training data are probably wrong. The experiment is trained "
                            "so many times (--folds), each time "
                            "without another\n"
                            "part of the rows, and what each run says of its part is compared with the "
                            "labels (confident learning, Northcutt et "
                            "al. 2021).\n"
                            "The runs are called NAME-audit-1of5 and so on and go through the queue. The "
                            "command waits for them; Ctrl-C ends the "
                            "waiting only,\n"
                            "and the same command again goes on from there. The list: suspected rows first, "
                            "each with its label, the likelier one, "
                            "and the\n"
                            "probabilities of both.\n";

enum { TEXT_WIDTH = 60, LABEL_WIDTH = 20 };

struct request {
    const char *experiment, *runs;
    struct cli_list set;
    int64_t folds, limit;
    bool detach, json;
};

/* ── the runs ── */

static void tell_plan(const struct bt_audit_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->fold[i].there && p->fold[i].state != BT_RUN_QUEUED && !bt_run_state_ended(p->fold[i].state)) {
            cli_progress("%zu of %zu runs are finished; %s: step %lld of %lld", p->finished, p->n,
                         bt_path_base(p->fold[i].dir), (long long)p->fold[i].step,
                         (long long)p->fold[i].total);
            return;
        }
    cli_progress("%zu of %zu runs are finished, the next waits for its turn", p->finished, p->n);
}

/* The first that has ended and is not finished. */
static enum bt_status failed(const struct bt_audit_plan *p, struct bt_error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_audit_fold *f = &p->fold[i];
        if (f->there && f->state != BT_RUN_FINISHED && bt_run_state_ended(f->state))
            return bt_fail(err, BT_INVALID,
                           "%s: %s%s%s; the same command again goes on from its newest checkpoint",
                           bt_path_base(f->dir), bt_run_state_name(f->state), f->error ? ": " : "",
                           f->error ? f->error : "");
    }
    return BT_OK;
}

static void take(const struct request *q, const struct bt_experiment *x)
{
    struct bt_queue_taken taken;
    (void)cli_queue_take(q->runs ? q->runs : x->run_output_dir, "bertty audit", NULL, &taken);
    bt_queue_taken_clear(&taken);
}

/* Until all are finished; BT_CANCELLED after Ctrl-C. */
static enum bt_status wait_for(const struct request *q, const struct bt_experiment *x,
                               struct bt_audit_plan *p, struct bt_error *err)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    enum bt_status st = BT_OK;
    while (!st && p->finished < p->n) {
        if (cli_interrupted())
            st = bt_fail(err, BT_CANCELLED,
                         "interrupted: the runs go on, the same command again waits for them");
        if (!st) st = failed(p, err);
        if (st) break;
        take(q, x);
        tell_plan(p);
        nanosleep(&pause, NULL);
        bt_audit_plan_clear(p);
        st = bt_audit_plan(x, q->folds, q->runs, p, err);
    }
    cli_progress(NULL);
    return st;
}

/* ── the list ── */

/* The data as the first run read it. */
static struct bt_examples *examples_of(const struct bt_audit_plan *p, struct bt_experiment **x,
                                       struct bt_error *err)
{
    struct bt_examples *e = NULL;
    if (bt_run_experiment(p->fold[0].dir, x, err)) return NULL;
    const struct bt_data_spec spec = bt_experiment_split(*x, "train");
    bt_examples_load(&spec, &e, err);
    return e;
}

static const struct bt_example *example(const struct bt_examples *e, const struct bt_audit_row *r)
{
    return e && r->id >= 1 && (size_t)r->id <= bt_examples_count(e) ? bt_examples_at(e, (size_t)r->id - 1)
                                                                    : NULL;
}

static void tell_rows(const struct bt_audit *a, const struct bt_examples *e, size_t n)
{
    static const char *const titles[] = {"row", "given", "p", "likelier", "p", "text"};
    struct cli_table t = {.columns = 6, .right = 1 << 0 | 1 << 2 | 1 << 4};
    for (size_t k = 0; k < 6; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < n; i++) {
        const struct bt_audit_row *r = &a->row[i];
        const struct bt_example *x = example(e, r);
        const char *given = a->label[r->given], *likely = a->label[r->likely];
        cli_table_cell(&t, "%lld", (long long)r->id);
        cli_table_text(&t, given, strlen(given), LABEL_WIDTH);
        cli_table_cell(&t, "%.3f", (double)r->p_given);
        cli_table_text(&t, likely, strlen(likely), LABEL_WIDTH);
        cli_table_cell(&t, "%.3f", (double)r->p_likely);
        cli_table_text(&t, x ? x->text : "", x ? x->text_n : 0, TEXT_WIDTH);
    }
    cli_table_print(&t);
}

static void json_row(const struct bt_audit *a, const struct bt_examples *e, size_t i, struct bt_str *out)
{
    const struct bt_audit_row *r = &a->row[i];
    const struct bt_example *x = example(e, r);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "row", r->id);
    bt_jw_kbool(&w, "flagged", r->flagged);
    bt_jw_ktext(&w, "given", a->label[r->given]);
    bt_jw_knum(&w, "p_given", (double)r->p_given);
    bt_jw_ktext(&w, "likelier", a->label[r->likely]);
    bt_jw_knum(&w, "p_likelier", (double)r->p_likely);
    if (x) bt_jw_kint(&w, "line", (int64_t)x->line);
    if (x) bt_jw_key(&w, "text");
    if (x) bt_jw_textn(&w, x->text, x->text_n);
    if (x && x->pair) bt_jw_key(&w, "pair");
    if (x && x->pair) bt_jw_textn(&w, x->pair, x->pair_n);
    bt_jw_end_object(&w);
    cli_json(out);
}

static void json_sum(const struct bt_audit *a, const struct bt_audit_plan *p)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "rows", (int64_t)a->n);
    bt_jw_kint(&w, "flagged", (int64_t)a->n_flagged);
    bt_jw_kint(&w, "folds", (int64_t)p->n);
    bt_jw_key(&w, "labels");
    bt_jw_array(&w);
    for (int l = 0; l < a->labels; l++) bt_jw_text(&w, a->label[l]);
    bt_jw_end_array(&w);
    bt_jw_key(&w, "joint");
    bt_jw_array(&w);
    for (int i = 0; i < a->labels; i++) {
        bt_jw_array(&w);
        for (int j = 0; j < a->labels; j++) bt_jw_int(&w, a->joint[i * a->labels + j]);
        bt_jw_end_array(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static int tell(const struct request *q, const struct bt_audit_plan *p)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_audit *a = NULL;
    if (bt_audit_load(p, &a, &err)) return cli_fail(&err);
    struct bt_examples *e = examples_of(p, &x, &err);
    if (!e) cli_warn("no texts: %s", err.text);
    size_t n = q->limit < 0 ? a->n_flagged : (size_t)q->limit;
    if (n > a->n) n = a->n;
    if (q->json) {
        struct bt_str out = {0};
        for (size_t i = 0; i < n && !cli_output_gone(); i++) json_row(a, e, i, &out);
        bt_str_free(&out);
        json_sum(a, p);
    } else {
        if (n) tell_rows(a, e, n);
        cli_line("%zu of %zu labels are probably wrong", a->n_flagged, a->n);
    }
    bt_examples_free(e);
    bt_experiment_free(x);
    bt_audit_free(a);
    return CLI_DONE;
}

/* ── the command ── */

static int detached(const struct request *q, const struct bt_audit_plan *p, size_t queued)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "folds", (int64_t)p->n);
    bt_jw_kint(&w, "finished", (int64_t)p->finished);
    bt_jw_kint(&w, "queued", (int64_t)queued);
    bt_jw_end_object(&w);
    if (q->json)
        cli_json(&out);
    else
        cli_line("%zu of %zu runs are finished, %zu were queued now", p->finished, p->n, queued);
    bt_str_free(&out);
    return CLI_DONE;
}

static int run(const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_audit_plan p = {.n = 0};
    size_t queued = 0;
    int code = CLI_DONE;
    cli_catch_interrupts();
    enum bt_status st = cli_experiment(q->experiment, &q->set, &x, &err);
    if (!st) st = bt_audit_plan(x, q->folds, q->runs, &p, &err);
    if (!st) st = bt_audit_queue(x, &p, q->runs, &queued, &err);
    if (!st && queued) take(q, x);
    const bool away = !st && q->detach && p.finished < p.n;
    if (away) code = detached(q, &p, queued);
    if (!st && !away) {
        bt_audit_plan_clear(&p);
        st = bt_audit_plan(x, q->folds, q->runs, &p, &err);
        if (!st) st = wait_for(q, x, &p, &err);
        if (!st) code = tell(q, &p);
    }
    bt_audit_plan_clear(&p);
    bt_experiment_free(x);
    return st ? cli_fail(&err) : code;
}

int cmd_audit(int argc, char **argv)
{
    struct request q = {.folds = BT_AUDIT_FOLDS, .limit = -1};
    const struct cli_option options[] = {
        CLI_INT("folds", 'k', "N", &q.folds, 2, BT_AUDIT_MOST_FOLDS,
                "parts of the training rows (default: 5)"),
        CLI_INT("limit", 'n', "ROWS", &q.limit, 0, INT64_MAX / 4,
                "how many rows are listed (default: those that are suspected)"),
        CLI_LIST("set", 's', "KEY=VALUE", &q.set, "an option of the experiment, as train has it"),
        CLI_FLAG("detach", 'd', &q.detach, "queue what is missing and come back"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "audit", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code)) {
        q.experiment = args.v[0];
        code = run(&q);
    }
    free(q.set.item);
    return code;
}
