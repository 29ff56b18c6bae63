/* bertty study: how a sweep's trials stand, and what they tell. */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/study.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Alone, the command lists the studies that `bertty sweep` has made. With a name it lists the trials, the "
    "best first, and what each option "
    "makes of the\n"
    "metric: the mean over the trials that have each value (one option at a time: what two do together is "
    "not seen), and for numbers Spearman's "
    "rank\n"
    "correlation.\n"
    "\n"
    "  pause STUDY    start no further trial; those that run go on (`bertty stop RUN` ends them)\n"
    "  go STUDY       go on\n"
    "  remove STUDY   forget the study; its runs stay, as ordinary ones\n"
    "\n"
    "A trial is planned, queued, running, waiting (at a rung of ASHA: it goes on if it turns out to be among "
    "the best), cut (by the median rule), "
    "finished,\n"
    "failed, lost (its engine died; it is taken up again) or halted (by a person; `bertty resume RUN "
    "--queue` lets it go on).\n";

struct request {
    const char *runs;
    bool json;
};

enum { STATES = BT_TRIAL_LOST + 1 };

/* ── the trials ── */

static int best_first(const void *a, const void *b, void *study)
{
    const struct bt_study *s = study;
    const struct bt_trial *x = *(const struct bt_trial *const *)a, *y = *(const struct bt_trial *const *)b;
    if (bt_study_better(s, x->best, y->best)) return -1;
    if (bt_study_better(s, y->best, x->best)) return 1;
    return (x > y) - (x < y);
}

static const struct bt_trial **ranked(const struct bt_study *s)
{
    const struct bt_trial **t = calloc(s->n + 1, sizeof *t);
    if (!t) return NULL;
    for (size_t i = 0; i < s->n; i++) t[i] = &s->trial[i];
    qsort_r(t, s->n, sizeof *t, best_first, (void *)(uintptr_t)s);
    return t;
}

static void number_cell(struct cli_table *t, double v)
{
    if (isnan(v))
        cli_table_cell(t, "-");
    else
        cli_table_cell(t, "%.4g", v);
}

static void state_cell(struct cli_table *t, const struct bt_study *s, const struct bt_trial *trial)
{
    if (trial->state == BT_TRIAL_WAITING)
        cli_table_cell(t, "waiting %d/%lld", trial->rung + 1, (long long)s->rungs);
    else
        cli_table_cell(t, "%s", bt_trial_state_name(trial->state));
}

static void tell_trials(const struct bt_study *s, const struct bt_study_option *o, size_t n)
{
    const size_t shown = n < 24 ? n : 24;
    const struct bt_trial **row = ranked(s);
    struct cli_table t = {.columns = 6 + shown, .right = 1 | 1 << 2 | 1 << 3 | 1 << 4};
    cli_table_cell(&t, "#");
    cli_table_cell(&t, "STATE");
    cli_table_cell(&t, "STEP");
    cli_table_cell(&t, "LAST");
    cli_table_cell(&t, "BEST");
    for (size_t k = 0; k < shown; k++) cli_table_cell(&t, "%s", o[k].option->name);
    cli_table_cell(&t, "RUN");
    for (size_t i = 0; row && i < s->n; i++) {
        cli_table_cell(&t, "%zu", (size_t)(row[i] - s->trial) + 1);
        state_cell(&t, s, row[i]);
        if (row[i]->total)
            cli_table_cell(&t, "%lld/%lld", (long long)row[i]->step, (long long)row[i]->total);
        else
            cli_table_cell(&t, "-");
        number_cell(&t, row[i]->value);
        number_cell(&t, row[i]->best);
        for (size_t k = 0; k < shown; k++) {
            const char *value = bt_trial_value(row[i], o[k].option);
            cli_table_cell(&t, "%s", value ? value : "-");
        }
        cli_table_cell(&t, "%s", row[i]->id);
    }
    cli_table_print(&t);
    free(row);
}

/* ── what it comes to ── */

static void count(const struct bt_study *s, size_t number[STATES])
{
    for (size_t i = 0; i < s->n; i++) number[s->trial[i].state]++;
}

static void tell_sum(const struct bt_study *s)
{
    size_t number[STATES] = {0};
    char time[32];
    struct bt_str line = {0};
    const struct bt_trial *best = bt_study_best(s);
    count(s, number);
    for (int i = 0; i < STATES; i++)
        if (number[i])
            bt_str_addf(&line, "%s%zu %s", line.len ? ", " : "", number[i],
                        bt_trial_state_name((enum bt_trial_state)i));
    cli_duration(time, sizeof time, s->seconds);
    cli_line("%s: %s; %zu trials: %s; %lld tokens, %s of training", s->name, bt_study_standing(s), s->n,
             bt_str_text(&line), (long long)s->tokens, time);
    if (best) cli_line("best %s: %.4g, trial %zu", s->metric, best->best, (size_t)(best - s->trial) + 1);
    if (s->why) cli_line("paused: %s", s->why);
    if (s->n_damaged) cli_line("%zu lines of its results could not be read", s->n_damaged);
    bt_str_free(&line);
}

static void tell_option(const struct bt_study *s, const struct bt_study_option *o)
{
    struct cli_table t = {.columns = 5, .right = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4};
    if (o->n == 0) return;
    cli_table_cell(&t, "%s", o->option->key);
    cli_table_cell(&t, "TRIALS");
    cli_table_cell(&t, "MEAN");
    cli_table_cell(&t, "SD");
    cli_table_cell(&t, "BEST");
    for (size_t i = 0; i < o->n; i++) {
        cli_table_cell(&t, "%s", o->value[i].text);
        cli_table_cell(&t, "%zu", o->value[i].n);
        number_cell(&t, o->value[i].mean);
        number_cell(&t, o->value[i].sd);
        number_cell(&t, o->value[i].best);
    }
    cli_line("%s", "");
    cli_table_print(&t);
    if (!isnan(o->spearman)) cli_line("rank correlation with %s: %+.2f", s->metric, o->spearman);
}

/* ── JSON ── */

static void trial_json(struct bt_json_writer *w, const struct bt_study *s, const struct bt_trial *t)
{
    bt_jw_object(w);
    bt_jw_kint(w, "trial", (int64_t)(t - s->trial) + 1);
    bt_jw_ktext(w, "run", t->id);
    bt_jw_ktext(w, "state", bt_trial_state_name(t->state));
    bt_jw_kint(w, "step", t->step);
    bt_jw_kint(w, "total", t->total);
    bt_jw_knum(w, "last", t->value);
    bt_jw_knum(w, "best", t->best);
    bt_jw_kint(w, "tokens", t->tokens);
    bt_jw_knum(w, "seconds", t->seconds);
    if (t->rung >= 0) bt_jw_kint(w, "rung", t->rung + 1);
    bt_jw_key(w, "settings");
    bt_jw_object(w);
    for (size_t i = 0; i < t->set.n; i++) {
        struct bt_str key = {0};
        const size_t n = strcspn(t->set.item[i], "=");
        bt_str_addn(&key, t->set.item[i], n);
        bt_jw_ktext(w, bt_str_text(&key), t->set.item[i] + n + 1);
        bt_str_free(&key);
    }
    bt_jw_end_object(w);
    bt_jw_end_object(w);
}

static void option_json(struct bt_json_writer *w, const struct bt_study_option *o)
{
    bt_jw_object(w);
    bt_jw_ktext(w, "option", o->option->key);
    bt_jw_knum(w, "spearman", o->spearman);
    bt_jw_key(w, "values");
    bt_jw_array(w);
    for (size_t i = 0; i < o->n; i++) {
        bt_jw_object(w);
        bt_jw_ktext(w, "value", o->value[i].text);
        bt_jw_kint(w, "trials", (int64_t)o->value[i].n);
        bt_jw_knum(w, "mean", o->value[i].mean);
        bt_jw_knum(w, "sd", o->value[i].sd);
        bt_jw_knum(w, "best", o->value[i].best);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
    bt_jw_end_object(w);
}

static void head_json(struct bt_json_writer *w, const struct bt_study *s)
{
    const struct bt_trial *best = bt_study_best(s);
    bt_jw_ktext(w, "study", s->name);
    bt_jw_ktext(w, "state", bt_study_standing(s));
    bt_jw_ktext(w, "why", s->why);
    bt_jw_ktext(w, "metric", s->metric);
    bt_jw_kbool(w, "greater_is_better", s->greater_is_better);
    bt_jw_kint(w, "tokens", s->tokens);
    bt_jw_knum(w, "seconds", s->seconds);
    bt_jw_kint(w, "n_trials", (int64_t)s->n);
    bt_jw_kint(w, "best_trial", best ? (int64_t)(best - s->trial) + 1 : 0);
    bt_jw_knum(w, "best", best ? best->best : (double)NAN);
    bt_jw_kint(w, "damaged_lines", (int64_t)s->n_damaged);
}

static void study_json(const struct bt_study *s, const struct bt_study_option *o, size_t n)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    head_json(&w, s);
    bt_jw_key(&w, "trials");
    bt_jw_array(&w);
    for (size_t i = 0; i < s->n; i++) trial_json(&w, s, &s->trial[i]);
    bt_jw_end_array(&w);
    bt_jw_key(&w, "options");
    bt_jw_array(&w);
    for (size_t i = 0; i < n; i++) option_json(&w, &o[i]);
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

/* ── the command ── */

static int show(const struct request *r, const char *name)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_study s;
    struct bt_study_option *o = NULL;
    size_t n = 0;
    enum bt_status st = bt_study_load(r->runs, name, NULL, &s, &err);
    if (!st) st = bt_study_options(&s, &o, &n, &err);
    if (!st && r->json) study_json(&s, o, n);
    if (!st && !r->json) {
        tell_trials(&s, o, n);
        tell_sum(&s);
        for (size_t i = 0; i < n; i++) tell_option(&s, &o[i]);
    }
    bt_study_options_free(o, n);
    bt_study_clear(&s);
    return st ? cli_fail(&err) : CLI_DONE;
}

static void list_json(const struct bt_study *s, size_t n)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_key(&w, "studies");
    bt_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        bt_jw_object(&w);
        head_json(&w, &s[i]);
        bt_jw_end_object(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void list_table(const struct request *r, const struct bt_study *s, size_t n)
{
    static const char *const heads[] = {"STUDY", "STATE", "TRIALS", "ENDED", "METRIC", "BEST"};
    struct cli_table t = {.columns = 6, .right = 1 << 2 | 1 << 3 | 1 << 5};
    if (n == 0) cli_line("no study in %s: `bertty sweep EXPERIMENT.yaml` makes one", r->runs);
    for (size_t i = 0; i < 6 && n; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < n; i++) {
        size_t number[STATES] = {0};
        const struct bt_trial *best = bt_study_best(&s[i]);
        count(&s[i], number);
        cli_table_cell(&t, "%s", s[i].name);
        cli_table_cell(&t, "%s", bt_study_standing(&s[i]));
        cli_table_cell(&t, "%zu", s[i].n);
        cli_table_cell(&t, "%zu", number[BT_TRIAL_FINISHED] + number[BT_TRIAL_CUT] + number[BT_TRIAL_FAILED]);
        cli_table_cell(&t, "%s", s[i].metric);
        number_cell(&t, best ? best->best : (double)NAN);
    }
    cli_table_print(&t);
}

static int list(const struct request *r)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_string_list names;
    struct bt_run_list runs = {.n = 0};
    size_t n = 0;
    int code = CLI_DONE;
    enum bt_status st = bt_study_names(r->runs, &names, &err);
    struct bt_study *s = calloc(names.n + 1, sizeof *s);
    if (!st && !s) st = bt_fail(&err, BT_NOMEM, "no memory for the studies");
    if (!st && names.n) st = bt_run_list(r->runs, NULL, &runs, &err);
    for (size_t i = 0; i < names.n && !st; i++) {
        struct bt_error mine = {.status = BT_OK};
        enum bt_status one = bt_study_load(r->runs, names.item[i], &runs, &s[n], &mine);
        if (one) code = cli_fail(&mine);
        if (one) bt_study_clear(&s[n]);
        n += one == BT_OK;
    }
    if (st)
        code = cli_fail(&err);
    else if (r->json)
        list_json(s, n);
    else
        list_table(r, s, n);
    for (size_t i = 0; i < n; i++) bt_study_clear(&s[i]);
    for (size_t i = 0; i < names.n; i++) free(names.item[i]);
    free(names.item);
    free(s);
    bt_run_list_clear(&runs);
    return code;
}

static int go_on(const struct request *r)
{
    struct bt_queue_taken taken;
    enum bt_status st = cli_queue_take(r->runs, "bertty study", NULL, &taken);
    bt_queue_taken_clear(&taken);
    return st ? CLI_FAILED : CLI_DONE;
}

static int act(const struct request *r, const char *word, const char *name)
{
    struct bt_error err = {.status = BT_OK};
    const bool pause = strcmp(word, "pause") == 0, go = strcmp(word, "go") == 0;
    if (!pause && !go && strcmp(word, "remove") != 0)
        return cli_misuse("study", "no '%s' here: expected a study, or pause, go or remove before it", word);
    enum bt_status st =
        pause || go ? bt_study_hold(r->runs, name, pause, &err) : bt_study_remove(r->runs, name, &err);
    if (st) return cli_fail(&err);
    if (!pause && !go) return list(r);
    int code = go ? go_on(r) : CLI_DONE;
    return code == CLI_DONE ? show(r, name) : code;
}

int cmd_study(int argc, char **argv)
{
    struct request r = {.runs = "runs"};
    const struct cli_option options[] = {CLI_JSON(&r.json), CLI_RUNS(&r.runs), CLI_END};
    const struct cli_spec spec = {.command = "study", .about = about, .options = options, .max_args = 2};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (args.n == 2) return act(&r, args.v[0], args.v[1]);
    return args.n ? show(&r, args.v[0]) : list(&r);
}
