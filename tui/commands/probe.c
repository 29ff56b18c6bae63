/* bertty probe */
#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include <bertty/json.h>
#include <bertty/predictor.h>
#include <bertty/probe_set.h>
#include <bertty/run.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "SET is a file of inputs and what a model is expected to say of them:\n"
    "\n"
    "    probes:\n"
    "      - name: negation                       # else the text\n"
    "        text: This film is not good.\n"
    "        expect: negative                     # minimum functionality\n"
    "        at_least: 0.6                        # its probability; at_most likewise\n"
    "      - text: Anna liked the film.\n"
    "        same_for: [Peter liked the film.]    # invariance\n"
    "        tolerance: 0.1                       # of every probability\n"
    "      - text: The food was fine.\n"
    "        rises_for: [The food was lovely.]    # direction; or falls_for\n"
    "        label: positive\n"
    "        by: 0.05\n"
    "\n"
    "pair is the second text, choices are the texts to choose from; a variant may be {text: …, pair: …}. Of "
    "label sets and\n"
    "entities (\"PER: Anna\") expect lists all; of a regression at_least and at_most stand alone. What a "
    "run's "
    "checkpoint said is\n"
    "kept in RUN/probes. Exit code 3: not all is as expected.\n";

enum { NAME_WIDTH = 40, SAID_WIDTH = 60 };

struct request {
    const char *set, *model, *runs;
    bool all, json;
    int64_t threads;
};

/* ── one scoring ── */

static enum bt_status score(const struct request *q, const struct bt_probe_set *s, const struct cli_model *m,
                            struct bt_probe_results **out, struct bt_error *err)
{
    struct bt_predictor *p = NULL;
    const struct bt_predictor_spec spec = {
        .model_dir = m->dir, .run_dir = m->run, .threads = (int)q->threads};
    enum bt_status st = bt_predictor_open(&spec, &p, err);
    if (!st) st = bt_probe_set_score(s, p, NULL, out, err);
    bt_predictor_free(p);
    if (!st && m->run && m->step >= 0) st = bt_probe_history_add(m->run, s, m->step, *out, err);
    return st;
}

static void tell_table(const struct bt_probe_set *s, const struct bt_probe_results *r)
{
    static const char *const titles[] = {"", "probe", "kind", "score", "said", "expected"};
    struct cli_table t = {.columns = 6, .right = 1 << 3};
    for (size_t k = 0; k < 6; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < r->n; i++) {
        const struct bt_probe_result *one = &r->result[i];
        cli_table_cell(&t, "%s", one->passed ? "ok" : "FAIL");
        cli_table_text(&t, s->probe[i].name, strlen(s->probe[i].name), NAME_WIDTH);
        cli_table_cell(&t, "%s", bt_probe_kind_name(s->probe[i].kind));
        cli_table_cell(&t, "%.3f", one->score);
        cli_table_text(&t, one->said, strlen(one->said), SAID_WIDTH);
        cli_table_cell(&t, "%s", one->why ? one->why : "");
    }
    cli_table_print(&t);
}

/* "minimum 4 of 4, invariance 2 of 3" */
static void add_kinds(struct bt_str *out, const struct bt_probe_set *s, const struct bt_probe_results *r)
{
    static const enum bt_probe_kind first[] = {BT_PROBE_MINIMUM, BT_PROBE_INVARIANCE, BT_PROBE_RISE};
    for (size_t k = 0; k < sizeof first / sizeof *first; k++) {
        const char *name = bt_probe_kind_name(first[k]);
        size_t n = 0, passed = 0;
        for (size_t i = 0; i < r->n; i++) {
            if (strcmp(bt_probe_kind_name(s->probe[i].kind), name) != 0) continue;
            n++;
            passed += r->result[i].passed;
        }
        if (n) bt_str_addf(out, "%s%s %zu of %zu", out->len ? ", " : "", name, passed, n);
    }
}

static void tell_json(const struct bt_probe_set *s, const struct bt_probe_results *r)
{
    struct bt_str out = {0};
    for (size_t i = 0; i < r->n; i++) {
        const struct bt_probe *p = &s->probe[i];
        struct bt_json_writer w = BT_JSON_WRITER(&out);
        bt_jw_object(&w);
        bt_jw_ktext(&w, "probe", p->name);
        bt_jw_kint(&w, "line", p->line);
        bt_jw_ktext(&w, "kind", bt_probe_kind_name(p->kind));
        bt_jw_kbool(&w, "passed", r->result[i].passed);
        bt_jw_knum(&w, "score", r->result[i].score);
        bt_jw_ktext(&w, "said", r->result[i].said);
        bt_jw_ktext(&w, "expected", r->result[i].why);
        bt_jw_ktext(&w, "worst", p->input[r->result[i].worst].text);
        bt_jw_end_object(&w);
        cli_json(&out);
    }
    bt_str_free(&out);
}

static void tell_sum(const struct request *q, const struct bt_probe_set *s, const struct cli_model *m,
                     const struct bt_probe_results *r)
{
    struct bt_str out = {0}, kinds = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    add_kinds(&kinds, s, r);
    if (!q->json && m->step >= 0)
        cli_line("%s: %zu of %zu as expected at step %lld (%s)", q->model, r->passed, r->n,
                 (long long)m->step, bt_str_text(&kinds));
    else if (!q->json)
        cli_line("%s: %zu of %zu as expected (%s)", q->model, r->passed, r->n, bt_str_text(&kinds));
    bt_str_free(&kinds);
    if (!q->json) return;
    bt_jw_object(&w);
    bt_jw_ktext(&w, "set", s->name);
    bt_jw_ktext(&w, "model", q->model);
    if (m->step >= 0) bt_jw_kint(&w, "step", m->step);
    bt_jw_kint(&w, "probes", (int64_t)r->n);
    bt_jw_kint(&w, "passed", (int64_t)r->passed);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static int probe_one(const struct request *q, const struct bt_probe_set *s, const struct cli_model *m)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_probe_results *r = NULL;
    if (score(q, s, m, &r, &err)) {
        bt_probe_results_free(r);
        return cli_fail(&err);
    }
    if (q->json)
        tell_json(s, r);
    else
        tell_table(s, r);
    tell_sum(q, s, m, r);
    const int code = r->passed == r->n ? CLI_DONE : CLI_UNMET;
    bt_probe_results_free(r);
    return code;
}

/* ── every checkpoint ── */

/* Those that are on the disk and not known yet. */
static enum bt_status score_missing(const struct request *q, const struct bt_probe_set *s, const char *run,
                                    struct bt_error *err)
{
    struct bt_probe_history *h = NULL;
    int64_t *steps = NULL;
    size_t n = 0;
    enum bt_status st = bt_run_checkpoints(run, &steps, &n, err);
    if (!st) st = bt_probe_history_load(run, s, &h, err);
    for (size_t i = 0; i < n && !st; i++) {
        struct bt_probe_results *r = NULL;
        struct cli_model m = {.run = (char *)run, .step = steps[i]};
        int64_t found;
        if (bt_probe_history_has(h, steps[i])) continue;
        if (cli_interrupted()) st = bt_fail(err, BT_CANCELLED, "interrupted");
        cli_progress("step %lld (%zu of %zu)", (long long)steps[i], i + 1, n);
        if (!st) st = bt_run_checkpoint(run, steps[i], &m.dir, &found, err);
        if (!st) st = score(q, s, &m, &r, err);
        free(m.dir);
        bt_probe_results_free(r);
    }
    cli_progress(NULL);
    bt_probe_history_free(h);
    free(steps);
    return st;
}

static const struct bt_probe_verdict *verdict(const struct bt_probe_history *h, size_t i, size_t k)
{
    return &h->verdict[i * h->n_steps + k];
}

/* A mark for each step: + as expected, x not, . not known. */
static void tell_history(const struct bt_probe_set *s, const struct bt_probe_history *h)
{
    struct cli_table t = {.columns = 4};
    struct bt_str steps = {0};
    for (size_t k = 0; k < h->n_steps; k++)
        bt_str_addf(&steps, "%s%lld", k ? ", " : "", (long long)h->step[k]);
    cli_line("steps %s; + as expected, x not, . not known", bt_str_text(&steps));
    bt_str_free(&steps);
    for (size_t i = 0; i < h->n; i++) {
        struct bt_str marks = {0};
        const char *said = "";
        for (size_t k = 0; k < h->n_steps; k++) {
            const struct bt_probe_verdict *v = verdict(h, i, k);
            bt_str_addc(&marks, (char)(!v->known ? '.' : v->passed ? '+' : 'x'));
            if (v->known) said = v->said;
        }
        cli_table_cell(&t, "%s", bt_str_text(&marks));
        cli_table_text(&t, s->probe[i].name, strlen(s->probe[i].name), NAME_WIDTH);
        cli_table_cell(&t, "%s", bt_probe_kind_name(s->probe[i].kind));
        cli_table_text(&t, said, strlen(said), SAID_WIDTH);
        bt_str_free(&marks);
    }
    cli_table_print(&t);
}

static void tell_flip(const struct request *q, const struct bt_probe_set *s, const struct bt_probe_history *h,
                      const struct bt_probe_flip *f)
{
    const struct bt_probe_verdict *from = verdict(h, f->probe, f->from), *to = verdict(h, f->probe, f->to);
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    if (!q->json) {
        cli_line("step %lld: %s %s: %s (step %lld: %s)", (long long)h->step[f->to],
                 to->passed ? "mended" : "broken", s->probe[f->probe].name, to->said,
                 (long long)h->step[f->from], from->said);
        return;
    }
    bt_jw_object(&w);
    bt_jw_kint(&w, "flip", h->step[f->to]);
    bt_jw_ktext(&w, "probe", s->probe[f->probe].name);
    bt_jw_kbool(&w, "passed", to->passed);
    bt_jw_ktext(&w, "said", to->said);
    bt_jw_kint(&w, "before", h->step[f->from]);
    bt_jw_ktext(&w, "said_before", from->said);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void json_history(const struct bt_probe_set *s, const struct bt_probe_history *h)
{
    struct bt_str out = {0};
    for (size_t i = 0; i < h->n; i++)
        for (size_t k = 0; k < h->n_steps; k++) {
            const struct bt_probe_verdict *v = verdict(h, i, k);
            struct bt_json_writer w = BT_JSON_WRITER(&out);
            if (!v->known) continue;
            bt_jw_object(&w);
            bt_jw_kint(&w, "step", h->step[k]);
            bt_jw_ktext(&w, "probe", s->probe[i].name);
            bt_jw_ktext(&w, "kind", bt_probe_kind_name(s->probe[i].kind));
            bt_jw_kbool(&w, "passed", v->passed);
            bt_jw_knum(&w, "score", v->score);
            bt_jw_ktext(&w, "said", v->said);
            bt_jw_end_object(&w);
            cli_json(&out);
        }
    bt_str_free(&out);
}

/* Of the newest step that is known. */
static int tell_last(const struct request *q, const struct bt_probe_set *s, const struct bt_probe_history *h)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    const size_t k = h->n_steps - 1;
    size_t known = 0, passed = 0;
    for (size_t i = 0; i < h->n; i++) {
        known += verdict(h, i, k)->known;
        passed += verdict(h, i, k)->known && verdict(h, i, k)->passed;
    }
    if (!q->json)
        cli_line("%s: %zu of %zu as expected at step %lld", q->model, passed, known, (long long)h->step[k]);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "set", s->name);
    bt_jw_ktext(&w, "model", q->model);
    bt_jw_kint(&w, "step", h->step[k]);
    bt_jw_kint(&w, "steps", (int64_t)h->n_steps);
    bt_jw_kint(&w, "probes", (int64_t)known);
    bt_jw_kint(&w, "passed", (int64_t)passed);
    bt_jw_end_object(&w);
    if (q->json) cli_json(&out);
    bt_str_free(&out);
    return passed == known ? CLI_DONE : CLI_UNMET;
}

static int tell_all(const struct request *q, const struct bt_probe_set *s, const struct bt_probe_history *h,
                    struct bt_error *err)
{
    struct bt_probe_flip *flip;
    size_t n;
    if (!h->n_steps) return cli_fail((bt_fail(err, BT_NOTFOUND, "%s: no checkpoint yet", q->model), err));
    if (!bt_probe_flips(h, &flip, &n)) return cli_fail((bt_fail(err, BT_NOMEM, "out of memory"), err));
    if (q->json)
        json_history(s, h);
    else
        tell_history(s, h);
    for (size_t i = 0; i < n; i++) tell_flip(q, s, h, &flip[i]);
    free(flip);
    return tell_last(q, s, h);
}

static int probe_all(const struct request *q, const struct bt_probe_set *s, const char *run)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_probe_history *h = NULL;
    enum bt_status st =
        run ? score_missing(q, s, run, &err)
            : bt_fail(&err, BT_INVALID, "%s: --all is for a run, which has checkpoints", q->model);
    if (!st) st = bt_probe_history_load(run, s, &h, &err);
    const int code = st ? cli_fail(&err) : tell_all(q, s, h, &err);
    bt_probe_history_free(h);
    return code;
}

/* ── the command ── */

static int run(const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_probe_set *s = NULL;
    struct cli_model m = {.step = -1};
    int code;
    enum bt_status st = bt_probe_set_load(q->set, &s, &err);
    if (!st) st = cli_model_find(q->runs, q->model, &m, &err);
    cli_catch_interrupts();
    if (st)
        code = cli_fail(&err);
    else
        code = q->all ? probe_all(q, s, m.run) : probe_one(q, s, &m);
    bt_probe_set_free(s);
    cli_model_clear(&m);
    return code;
}

int cmd_probe(int argc, char **argv)
{
    struct request q = {.threads = 0};
    const struct cli_option options[] = {
        CLI_FLAG("all", 'a', &q.all,
                 "every checkpoint of the run that is there or was scored before, and where probes flipped"),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "probe", .about = about, .options = options, .min_args = 2, .max_args = 2};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    q.set = args.v[0];
    q.model = args.v[1];
    return run(&q);
}
