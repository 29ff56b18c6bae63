#include "run/trial.h"

#include "run/proc.h"
#include "run/rundir.h"
#include "run/study_parts.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 16, TRIES = 10 };

struct bt__trial {
    char *runs_dir, *study, *metric;
    size_t number; /* from 0 */
};

/* ── opening ── */

static enum bt_status take(struct bt__trial *t, const struct bt_json *v, struct bt_error *err)
{
    struct bt_study s = {.n = 0};
    const char *study = bt_json_text(bt_json_get(v, "study"), "");
    const int64_t number = bt_json_int(bt_json_get(v, "trial"), 0);
    if (!bt__run_name_ok(study) || number < 1)
        return bt_fail(err, BT_DAMAGED, "expected {\"study\": \"NAME\", \"trial\": NUMBER}");
    enum bt_status st = bt__study_read(t->runs_dir, study, &s, err);
    if (!st && (size_t)number > s.n)
        st = bt_fail(err, BT_DAMAGED, "the study %s has %zu trials, found number %lld", study, s.n,
                     (long long)number);
    t->number = (size_t)number - 1;
    t->study = bt_strdup(study);
    t->metric = bt_strdup(s.metric);
    if (!st && (!t->study || !t->metric)) st = bt_fail(err, BT_NOMEM, "no memory for a trial");
    bt_study_clear(&s);
    return st;
}

static enum bt_status read_file(const char *path, struct bt__trial *t, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = bt_json_load(path, MAX_FILE, &why);
    enum bt_status st = v ? take(t, v, err) : bt_fail(err, why.status, "%s", why.text);
    bt_json_free(v);
    return st;
}

enum bt_status bt__trial_open(const char *dir, struct bt__trial **out, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    char *path = bt_path_join(dir, "trial.json");
    *out = NULL;
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a trial");
    if (bt_path_exists(path)) {
        *out = calloc(1, sizeof **out);
        if (*out) (*out)->runs_dir = bt_path_above(dir);
        st = *out && (*out)->runs_dir ? read_file(path, *out, err)
                                      : bt_fail(err, BT_NOMEM, "no memory for a trial");
    }
    free(path);
    if (!st) return BT_OK;
    bt__trial_free(*out);
    *out = NULL;
    return st;
}

void bt__trial_free(struct bt__trial *t)
{
    if (!t) return;
    free(t->runs_dir);
    free(t->study);
    free(t->metric);
    free(t);
}

int64_t bt__trial_number(const struct bt__trial *t)
{
    return (int64_t)t->number + 1;
}

const char *bt__trial_study(const struct bt__trial *t)
{
    return t->study;
}

const char *bt__trial_metric(const struct bt__trial *t)
{
    return t->metric;
}

/* ── deciding ── */

/* The rung that this evaluation is the first to reach; −1: none. Steps behind it may have been done before a crash. */
static int new_rung(const struct bt_study *s, size_t trial, const struct bt_trial_report *r)
{
    int before = -1;
    if (s->stopping != BT_SWEEP_ASHA || r->step >= r->total) return -1;
    for (size_t i = 0; i < s->n_reports; i++)
        if (s->report[i].trial == trial && s->report[i].step < r->step && s->report[i].rung > before)
            before = s->report[i].rung;
    int rung = bt__rung_of(s, r->step, r->total);
    return rung > before ? rung : -1;
}

static void at_rung(const struct bt_study *s, const struct bt_trial_report *r,
                    struct bt_trial_report *decision, struct bt__trial_answer *out)
{
    const struct bt_trial *t = &s->trial[r->trial];
    /* it may have been further before its engine died */
    bool before = t->rung > r->rung || t->promoted, on = before || bt__among_best(s, r->trial, r->rung);
    decision->promoted = on && !before;
    out->stop = !on;
    snprintf(out->text, sizeof out->text,
             "rung %d of %lld: %.40s %.4g is%s among the best 1/%lld so far: the trial %s", r->rung + 1,
             (long long)s->rungs, s->metric, r->value, on ? "" : " not", (long long)s->reduction_factor,
             on ? "goes on" : "waits");
}

static void decide(const struct bt_study *s, const struct bt_trial_report *r,
                   struct bt_trial_report *decision, struct bt__trial_answer *out)
{
    if (r->rung >= 0) at_rung(s, r, decision, out);
    if (s->stopping != BT_SWEEP_MEDIAN || !bt__below_median(s, r->trial)) return;
    decision->cut = out->stop = true;
    snprintf(out->text, sizeof out->text,
             "the best %.40s, %.4g, is worse than the median of the other trials at this point: the trial "
             "ends here",
             s->metric, s->trial[r->trial].best);
}

static enum bt_status load(const struct bt__trial *t, struct bt_study *s, struct bt_error *err)
{
    enum bt_status st = bt_study_load(t->runs_dir, t->study, NULL, s, err);
    if (!st && t->number >= s->n) st = bt_fail(err, BT_DAMAGED, "the study has only %zu trials", s->n);
    return st;
}

/* What the study knows of this evaluation already: the engine was killed behind it, or has waited there. */
static const struct bt_trial_report *known(const struct bt_study *s, const struct bt_trial_report *r)
{
    for (size_t i = s->n_reports; i-- > 0;)
        if (s->report[i].trial == r->trial && s->report[i].evaluated)
            return s->report[i].step == r->step ? &s->report[i] : NULL;
    return NULL;
}

static enum bt_status report(const struct bt__trial *t, struct bt_trial_report *r,
                             struct bt__trial_answer *out, struct bt_error *err)
{
    struct bt_study s;
    enum bt_status st = load(t, &s, err);
    const struct bt_trial_report *before = st ? NULL : known(&s, r);
    if (before) *r = *before;
    if (!st && !before) {
        r->rung = new_rung(&s, t->number, r);
        st = bt__results_append(&s, r, err);
        if (!st) st = bt__results_take(&s, r, err);
    }
    struct bt_trial_report decision = {.trial = r->trial, .step = r->step, .time = r->time, .rung = r->rung};
    if (!st) decide(&s, r, &decision, out);
    if (!st && (decision.promoted || decision.cut)) st = bt__results_append(&s, &decision, err);
    bt_study_clear(&s);
    return st;
}

enum bt_status bt__trial_report(const struct bt__trial *t, const struct bt_trial_report *r,
                                struct bt__trial_answer *out, struct bt_error *err)
{
    struct bt_trial_report mine = *r;
    int lock = -1;
    *out = (struct bt__trial_answer){.stop = false};
    mine.trial = t->number;
    mine.time = bt__wall();
    mine.evaluated = true;
    enum bt_status st = BT_BUSY;
    for (int i = 0; i < TRIES && st == BT_BUSY; i++) st = bt__study_lock(t->runs_dir, t->study, &lock, err);
    if (!st) st = report(t, &mine, out, err);
    if (lock >= 0) close(lock);
    return st;
}
