/* What studies put into the queue when there is room. */
#include "run/study_parts.h"

#include "experiment/value.h"
#include "run/proc.h"
#include "run/queue_file.h"
#include "run/train_parts.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILURES = 3 }; /* trials that fail before any evaluation: the rest would do the same */

/* ── which ── */

static const struct bt_run_status *run_of(const struct bt_run_list *runs, const char *id)
{
    for (size_t i = 0; i < runs->n; i++)
        if (strcmp(runs->run[i].id, id) == 0) return &runs->run[i];
    return NULL;
}

/* A trial whose engine ran on another machine is taken up there. */
static bool here(const struct bt_run_list *runs, const struct bt_trial *t)
{
    struct bt__proc self;
    const struct bt_run_status *run = run_of(runs, t->id);
    bt__proc_self(&self);
    return run && (!run->host || strcmp(run->host, self.host) == 0);
}

/* The trial that is to be queued next; −1: none. */
static ptrdiff_t choose(const struct bt_study *s, const struct bt_run_list *runs)
{
    if (s->held || bt_study_spent(s)) return -1;
    for (size_t i = 0; i < s->n; i++)
        if (s->trial[i].state == BT_TRIAL_LOST && here(runs, &s->trial[i])) return (ptrdiff_t)i;
    ptrdiff_t promoted = bt__promotable(s);
    if (promoted >= 0) return promoted;
    for (size_t i = 0; i < s->n; i++)
        if (s->trial[i].state == BT_TRIAL_PLANNED) return (ptrdiff_t)i;
    return -1;
}

/* ── how ── */

static enum bt_status decide(const struct bt_study *s, const struct bt_trial_report *r, struct bt_error *err)
{
    int lock;
    enum bt_status st = bt__study_lock(s->runs_dir, s->name, &lock, err);
    if (!st) st = bt__results_append(s, r, err);
    if (lock >= 0) close(lock);
    return st;
}

/* The decision first: it stands even if nobody comes to queue the run. */
static enum bt_status take_up(const struct bt_study *s, size_t i, const struct bt_run_status *run,
                              struct bt_error *err)
{
    const struct bt_trial *t = &s->trial[i];
    const bool lost = t->state == BT_TRIAL_LOST;
    const struct bt_trial_report r = {.trial = i,
                                      .step = run->step > 0 ? run->step : 0,
                                      .rung = lost ? -1 : t->rung,
                                      .time = bt__wall(),
                                      .promoted = !lost,
                                      .again = lost};
    enum bt_status st = !lost && t->promoted ? BT_OK : decide(s, &r, err);
    if (st) return st;
    return bt__queue_return(
        run, lost ? "its study takes it up again" : "its study lets it go on from its rung", err);
}

static enum bt_status experiment_of(const struct bt_study *s, const struct bt_trial *t,
                                    struct bt_experiment **out, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    char *path = bt__study_path(s->runs_dir, s->name, "experiment.yaml");
    enum bt_status st =
        path ? bt_experiment_load(path, &x, err) : bt_fail(err, BT_NOMEM, "no memory for a study");
    free(path);
    for (size_t i = 0; i < t->set.n && !st; i++) st = bt_experiment_assign(x, t->set.item[i], err);
    if (!st) {
        free(x->run_name);
        x->run_name = bt_strdup(s->name);
        st = x->run_name ? bt__experiment_ready(x, s->runs_dir, out, err)
                         : bt_fail(err, BT_NOMEM, "no memory for a study");
    }
    bt_experiment_free(x);
    return st;
}

static enum bt_status make(const struct bt_study *s, size_t i, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    struct bt__rundir *made = NULL;
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "study", s->name);
    bt_jw_kint(&w, "trial", (int64_t)i + 1);
    bt_jw_end_object(&w);
    bt_str_addc(&text, '\n');
    const struct bt__queue_file_more more = {.name = "trial.json", .text = &text};
    char *dir = bt_path_join(s->runs_dir, s->trial[i].id);
    enum bt_status st =
        dir ? bt__rundir_clear_remains(dir, err) : bt_fail(err, BT_NOMEM, "no memory for a study");
    if (!st) st = experiment_of(s, &s->trial[i], &x, err);
    if (!st) st = bt__queue_make(s->runs_dir, x, s->trial[i].id, &more, &made, err);
    bt__rundir_free(made);
    bt_experiment_free(x);
    bt_str_free(&text);
    free(dir);
    return st;
}

/* ── whether the study should go on at all ── */

/* What the first trials failed of, if all did before they had a figure. */
static const char *all_fail(const struct bt_study *s, const struct bt_run_list *runs)
{
    size_t failed = 0;
    const char *error = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (s->trial[i].total > 0) return NULL;
        if (s->trial[i].state != BT_TRIAL_FAILED) continue;
        const struct bt_run_status *run = run_of(runs, s->trial[i].id);
        failed++;
        if (run && run->error) error = run->error;
    }
    return failed >= FAILURES ? (error ? error : "no reason is known") : NULL;
}

static enum bt_status queue_one(const struct bt_study *s, size_t i, const struct bt_run_list *runs,
                                struct bt_error *err)
{
    const struct bt_run_status *run = run_of(runs, s->trial[i].id);
    struct bt_error why = {.status = BT_OK};
    if (s->trial[i].state != BT_TRIAL_PLANNED && run) return take_up(s, i, run, err);
    enum bt_status st = make(s, i, &why);
    if (st == BT_INVALID || st == BT_NOTFOUND)
        (void)bt__study_hold(s->runs_dir, s->name, true, why.text,
                             NULL); /* it would be the same the next time */
    return st ? bt_fail(err, st, "study %s: %s", s->name, why.text) : BT_OK;
}

static enum bt_status feed(const struct bt_study *s, const struct bt_run_list *runs, bool *fed,
                           struct bt_error *err)
{
    const char *why = s->held ? NULL : all_fail(s, runs);
    ptrdiff_t next = why ? -1 : choose(s, runs);
    if (why) {
        char text[400];
        snprintf(text, sizeof text, "%d trials have failed before their first evaluation: %.300s", FAILURES,
                 why);
        return bt__study_hold(s->runs_dir, s->name, true, text, err);
    }
    if (next < 0) return BT_OK;
    enum bt_status st = queue_one(s, (size_t)next, runs, err);
    *fed = st == BT_OK;
    return st;
}

/* A study that cannot be read, or has just been refused, does not keep the others from going on. */
enum bt_status bt__study_feed(const char *runs_dir, const struct bt_run_list *runs, bool *fed,
                              struct bt_error *err)
{
    struct bt_string_list names;
    struct bt_error first = {.status = BT_OK};
    *fed = false;
    enum bt_status st = bt_study_names(runs_dir, &names, &first);
    for (size_t i = 0; i < names.n && !*fed; i++) {
        struct bt_study s;
        struct bt_error mine = {.status = BT_OK};
        enum bt_status one = bt_study_load(runs_dir, names.item[i], runs, &s, &mine);
        if (!one) one = feed(&s, runs, fed, &mine);
        if (one && !first.status) first = mine;
        if (one && !st) st = one;
        bt_study_clear(&s);
    }
    bt__list_free(&names);
    return st && !*fed ? bt_fail(err, st, "%s", first.text) : BT_OK;
}

bool bt__study_hungry(const char *runs_dir, const struct bt_run_list *runs)
{
    struct bt_string_list names;
    bool found = false;
    (void)bt_study_names(runs_dir, &names, NULL);
    for (size_t i = 0; i < names.n && !found; i++) {
        struct bt_study s;
        found = bt_study_load(runs_dir, names.item[i], runs, &s, NULL) == BT_OK && choose(&s, runs) >= 0;
        bt_study_clear(&s);
    }
    bt__list_free(&names);
    return found;
}
