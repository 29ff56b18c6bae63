/* bertty audit */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/audit.h>
#include <bertty/dataset.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/label_decisions.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char about[] =
    "Which labels of the training data are probably wrong. The experiment is trained "
    "so many times (--folds), each time "
    "without another\n"
    "part of the rows, and what each run says of its part (the geometric mean over its epochs) is compared "
    "with the labels\n"
    "(confident learning, Northcutt et al. 2021).\n"
    "The runs are called NAME-audit-1of5 and so on and go through the queue. The "
    "command waits for them; Ctrl-C ends the "
    "waiting only,\n"
    "and the same command again goes on from there. The list: suspected rows first, "
    "each with its label, the likelier one, "
    "and the\n"
    "probabilities of both, and what was decided about it. --decide 12=keep, 12=drop, "
    "12=relabel (to the likelier\n"
    "label), 12=relabel:LABEL, 12=undo: decisions go to RUNS/NAME.decisions.jsonl, or "
    "where data.label_decisions\n"
    "says; the data stay as they are.\n";

enum { TEXT_WIDTH = 60, LABEL_WIDTH = 20 };

struct request {
    const char *experiment, *runs;
    struct cli_list set, decide;
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

/* What is listed. */
struct listed {
    struct bt_audit *a;
    struct bt_experiment *x;   /* the first run's */
    struct bt_examples *texts; /* the data as they are now; NULL: they cannot be read */
    struct bt_label_decisions decided;
    char *path; /* of the decisions */
    char data[BT_DATA_HASH];
    struct bt_error
        other; /* the data, or those that were decided about, are of another version: nothing is decided then */
};

static void listed_free(struct listed *l)
{
    bt_audit_free(l->a);
    bt_examples_free(l->texts);
    bt_label_decisions_clear(&l->decided);
    bt_experiment_free(l->x);
    free(l->path);
}

static enum bt_status settings_of(const struct bt_audit_plan *p, struct listed *l, struct bt_error *err)
{
    char *runs = bt_path_above(p->fold[0].dir);
    enum bt_status st =
        runs ? bt_run_experiment(p->fold[0].dir, &l->x, err) : bt_fail(err, BT_NOMEM, "no memory");
    if (!st && !(l->path = bt_audit_decisions_path(l->x, runs))) st = bt_fail(err, BT_NOMEM, "no memory");
    free(runs);
    return st;
}

static enum bt_status load(const struct bt_audit_plan *p, struct listed *l, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    enum bt_status st = bt_audit_load(p, &l->a, err);
    if (!st) st = settings_of(p, l, err);
    if (st) return st;
    const struct bt_data_spec spec = bt_experiment_split(l->x, "train");
    if (bt_examples_load(&spec, &l->texts, &why)) cli_warn("no texts: %s", why.text);
    if (l->texts) bt_audit_data(p, &spec, l->data, &l->other);
    if (bt_path_exists(l->path)) st = bt_label_decisions_load(l->path, &l->decided, err);
    if (!st && *l->data && !l->other.status)
        bt_label_decisions_about(&l->decided, l->path, l->data, &l->other);
    if (!st && l->other.status) cli_warn("%s", l->other.text);
    return st;
}

static const struct bt_example *example(const struct bt_examples *e, const struct bt_audit_row *r)
{
    return e && r->id >= 1 && (size_t)r->id <= bt_examples_count(e) ? bt_examples_at(e, (size_t)r->id - 1)
                                                                    : NULL;
}

/* "relabel: negative"; "": nothing. */
static void decision_cell(struct cli_table *t, const struct bt_label_decision *d)
{
    struct bt_str text = {0};
    if (d) bt_str_add(&text, bt_verdict_name(d->verdict));
    if (d && d->label) bt_str_addf(&text, ": %s", d->label);
    cli_table_text(t, bt_str_text(&text), text.len, LABEL_WIDTH);
    bt_str_free(&text);
}

static void tell_rows(const struct listed *l, size_t n)
{
    enum { COLUMNS = 8 };
    static const char *const titles[COLUMNS] = {"row", "given",   "p",        "likelier",
                                                "p",   "quality", "decision", "text"};
    const struct bt_audit *a = l->a;
    struct cli_table t = {.columns = COLUMNS, .right = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 5};
    for (size_t k = 0; k < COLUMNS; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < n; i++) {
        const struct bt_audit_row *r = &a->row[i];
        const struct bt_example *x = example(l->texts, r);
        const char *given = a->label[r->given], *likely = a->label[r->likely];
        cli_table_cell(&t, "%lld", (long long)r->id);
        cli_table_text(&t, given, strlen(given), LABEL_WIDTH);
        cli_table_cell(&t, "%.3f", (double)r->p_given);
        cli_table_text(&t, likely, strlen(likely), LABEL_WIDTH);
        cli_table_cell(&t, "%.3f", (double)r->p_likely);
        cli_table_cell(&t, "%.3f", bt_audit_quality(r));
        decision_cell(&t, bt_label_decisions_of(&l->decided, r->id));
        cli_table_text(&t, x ? x->text : "", x ? x->text_n : 0, TEXT_WIDTH);
    }
    cli_table_print(&t);
}

static void json_row(const struct listed *l, size_t i, struct bt_str *out)
{
    const struct bt_audit *a = l->a;
    const struct bt_audit_row *r = &a->row[i];
    const struct bt_example *x = example(l->texts, r);
    const struct bt_label_decision *d = bt_label_decisions_of(&l->decided, r->id);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "row", r->id);
    bt_jw_kbool(&w, "flagged", r->flagged);
    bt_jw_ktext(&w, "given", a->label[r->given]);
    bt_jw_knum(&w, "p_given", (double)r->p_given);
    bt_jw_ktext(&w, "likelier", a->label[r->likely]);
    bt_jw_knum(&w, "p_likelier", (double)r->p_likely);
    bt_jw_knum(&w, "quality", bt_audit_quality(r));
    if (d) bt_jw_ktext(&w, "decision", bt_verdict_name(d->verdict));
    if (d && d->label) bt_jw_ktext(&w, "label", d->label);
    if (x) bt_jw_kint(&w, "line", (int64_t)x->line);
    if (x) bt_jw_key(&w, "text");
    if (x) bt_jw_textn(&w, x->text, x->text_n);
    if (x && x->pair) bt_jw_key(&w, "pair");
    if (x && x->pair) bt_jw_textn(&w, x->pair, x->pair_n);
    bt_jw_end_object(&w);
    cli_json(out);
}

/* How many of the suspected rows somebody has decided about. */
static size_t decided_of(const struct listed *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->a->n_flagged; i++)
        n += bt_label_decisions_of(&l->decided, l->a->row[i].id) != NULL;
    return n;
}

static void json_sum(const struct listed *l, const struct bt_audit_plan *p)
{
    const struct bt_audit *a = l->a;
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "rows", (int64_t)a->n);
    bt_jw_kint(&w, "flagged", (int64_t)a->n_flagged);
    bt_jw_kint(&w, "decided", (int64_t)decided_of(l));
    bt_jw_ktext(&w, "decisions", l->path);
    bt_jw_kint(&w, "folds", (int64_t)p->n);
    bt_jw_key(&w, "labels");
    bt_jw_array(&w);
    for (int k = 0; k < a->labels; k++) bt_jw_text(&w, a->label[k]);
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

static void tell_list(const struct request *q, const struct bt_audit_plan *p, const struct listed *l)
{
    size_t n = q->limit < 0 ? l->a->n_flagged : (size_t)q->limit;
    if (n > l->a->n) n = l->a->n;
    if (q->json) {
        struct bt_str out = {0};
        for (size_t i = 0; i < n && !cli_output_gone(); i++) json_row(l, i, &out);
        bt_str_free(&out);
        json_sum(l, p);
        return;
    }
    if (n) tell_rows(l, n);
    cli_line("%zu of %zu labels are probably wrong", l->a->n_flagged, l->a->n);
    if (l->decided.n) cli_line("%zu of them are decided: %s", decided_of(l), l->path);
}

/* ── decisions ── */

static const struct bt_audit_row *row_of(const struct bt_audit *a, int64_t id)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->row[i].id == id) return &a->row[i];
    return NULL;
}

/* "12=relabel:negative"; label is borrowed from word. */
static enum bt_status parse(const char *word, int64_t *row, enum bt_verdict *verdict, const char **label,
                            struct bt_error *err)
{
    const char *equals = strchr(word, '='), *what = equals ? equals + 1 : "", *colon = strchr(what, ':');
    const size_t n = colon ? (size_t)(colon - what) : strlen(what);
    char *number = bt_strndup(word, equals ? (size_t)(equals - word) : 0);
    bool fine = number && bt_parse_int64(number, row);
    free(number);
    *label = colon ? colon + 1 : NULL;
    *verdict = BT_DROP;
    while (*verdict != BT_UNDECIDED &&
           (strlen(bt_verdict_name(*verdict)) != n || strncmp(what, bt_verdict_name(*verdict), n) != 0))
        --*verdict;
    fine &= *verdict != BT_UNDECIDED || strcmp(what, "undo") == 0;
    if (fine && (!colon || *verdict == BT_RELABEL)) return BT_OK;
    return bt_fail(err, BT_INVALID,
                   "--decide %.100s: expected ROW=keep, drop, relabel, relabel:LABEL or undo", word);
}

static enum bt_status decide(const struct listed *l, const char *word, struct bt_error *err)
{
    enum bt_verdict verdict;
    const char *label;
    int64_t id;
    enum bt_status st = parse(word, &id, &verdict, &label, err);
    const struct bt_audit *a = l->a;
    const struct bt_audit_row *r = st ? NULL : row_of(a, id);
    if (!st && !r)
        st = bt_fail(err, BT_NOTFOUND, "--decide %.100s: the audit has no row %lld", word, (long long)id);
    int to = 0;
    while (!st && label && to < a->labels && strcmp(a->label[to], label) != 0) to++;
    if (!st && to == a->labels)
        st = bt_fail(err, BT_INVALID, "--decide %.100s: \"%.60s\" is not one of the labels", word, label);
    if (st) return st;
    const struct bt_example *x = example(l->texts, r);
    const struct bt_label_decision d = {.row = id,
                                        .verdict = verdict,
                                        .given = x && x->label ? (char *)x->label : a->label[r->given],
                                        .label =
                                            verdict == BT_RELABEL ? a->label[label ? to : r->likely] : NULL};
    return bt_label_decisions_set(l->path, &d, *l->data ? l->data : NULL, err);
}

static int tell(const struct request *q, const struct bt_audit_plan *p)
{
    struct bt_error err = {.status = BT_OK};
    struct listed l = {.a = NULL};
    enum bt_status st = load(p, &l, &err);
    if (!st && q->decide.n && l.other.status)
        st = bt_fail(&err, BT_INVALID, "nothing is decided about other data");
    for (size_t i = 0; i < q->decide.n && !st; i++) st = decide(&l, q->decide.item[i], &err);
    if (!st && q->decide.n) {
        bt_label_decisions_clear(&l.decided);
        st = bt_path_exists(l.path) ? bt_label_decisions_load(l.path, &l.decided, &err) : BT_OK;
    }
    if (!st) tell_list(q, p, &l);
    listed_free(&l);
    return st ? cli_fail(&err) : CLI_DONE;
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
        CLI_LIST("decide", 0, "ROW=WHAT", &q.decide,
                 "keep, drop, relabel, relabel:LABEL or undo; may be given again and again"),
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
    free(q.decide.item);
    return code;
}
