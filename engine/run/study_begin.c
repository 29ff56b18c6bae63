/* Making a study, adding to it, holding and forgetting it. */
#include "run/study_parts.h"

#include "experiment/value.h"
#include "metrics/metrics.h"
#include "run/proc.h"
#include "run/queue_file.h"
#include "run/rundir.h"
#include "run/train_parts.h"
#include "tasks/task.h"
#include <bertty/file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE = 20; /* seconds: somebody may be starting an engine */
enum { MAX_FILE = 1 << 20, ID_BYTES = 100, VALUE_BYTES = 24 };

struct beginning {
    const struct bt_study_request *req;
    struct bt_experiment *ready; /* resolved */
    struct bt_str base;          /* what all trials have in common, as experiment.yaml */
    struct bt_sweep_plan plan;
    struct bt_study s; /* as it is, and then as it will be */
    bool there;        /* it is a study already */
};

/* ── what all have in common ── */

/* The options whose values say where something lies: they are kept as the absolute paths that they mean now. */
static bool is_place(size_t option)
{
    static const size_t places[] = {BT_OPTION_model_name_or_path,   BT_OPTION_data_train_file,
                                    BT_OPTION_data_validation_file, BT_OPTION_data_test_file,
                                    BT_OPTION_data_label_decisions, BT_OPTION_data_class_names_file};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] == option) return true;
    return false;
}

/* Only what the file or the command says: what follows from other options is to follow from those of each trial. */
static void write_base(const struct bt_experiment *x, const struct bt_experiment *ready, struct bt_str *out)
{
    const struct bt_option *o = bt_options(NULL);
    const char *group = "";
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        bool own = x->set[i] && i != BT_OPTION_run_output_dir && i != BT_OPTION_run_name;
        if (!own) continue;
        if (strcmp(group, o[i].group) != 0) bt_str_addf(out, "%s%s:\n", out->len ? "\n" : "", o[i].group);
        group = o[i].group;
        bt_str_addf(out, "  %s: ", o[i].name);
        bt_experiment_get(is_place(i) ? ready : x, &o[i], out);
        bt_str_addc(out, '\n');
    }
}

/* ── the trials ── */

/* "NAME-007-learning_rate-3e-05-seed-42" */
static char *trial_id(const char *study, size_t number, const struct bt_string_list *set)
{
    struct bt_str id = {0};
    bt_str_addf(&id, "%.40s-%03zu", study, number);
    for (size_t i = 0; i < set->n; i++) {
        const char *dot = strchr(set->item[i], '.'), *equals = strchr(set->item[i], '=');
        const char *name = dot && dot < equals ? dot + 1 : set->item[i];
        const char *value = strrchr(equals, '/') ? strrchr(equals, '/') + 1 : equals + 1;
        bt_str_addf(&id, "-%.*s-%.*s", (int)(equals - name), name, VALUE_BYTES, value);
    }
    char *text = bt_str_take(&id);
    if (!text) return NULL;
    if (strlen(text) > ID_BYTES) text[ID_BYTES] = '\0';
    bt__run_name_clean(text);
    return text;
}

static bool has_trial(const struct bt_study *s, const struct bt_string_list *set)
{
    for (size_t i = 0; i < s->n; i++)
        if (bt__list_same(&s->trial[i].set, set)) return true;
    return false;
}

/* A place as the path that it means; x has resolved it. */
static enum bt_status keep_place(const struct bt_experiment *x, const struct bt_option *o, char **setting,
                                 struct bt_error *err)
{
    struct bt_str text = {0};
    bt_str_addf(&text, "%s=", o->key);
    bt_experiment_get(x, o, &text);
    char *absolute = bt_str_take(&text);
    if (!absolute) return bt_fail(err, BT_NOMEM, "no memory for a study");
    free(*setting);
    *setting = absolute;
    return BT_OK;
}

static enum bt_status apply(struct bt_experiment *x, struct bt_string_list *set, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    bool place = false;
    for (size_t i = 0; i < set->n && !st; i++) {
        st = bt_experiment_assign(x, set->item[i], err);
        place |= is_place(bt_option_index(bt__setting_option(set->item[i], NULL)));
    }
    if (!st) st = bt_experiment_validate(x, NULL, err);
    if (st || !place) return st;
    st = bt_experiment_resolve(x, err);
    for (size_t i = 0; i < set->n && !st; i++) {
        const struct bt_option *o = bt__setting_option(set->item[i], NULL);
        if (is_place(bt_option_index(o))) st = keep_place(x, o, &set->item[i], err);
    }
    return st;
}

/* What a trial would be refused for is said now. */
static enum bt_status check_trial(const struct beginning *b, struct bt_string_list *set, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    struct bt_str text = {0};
    enum bt_status st = bt_experiment_copy(b->req->experiment, &x, err);
    if (!st) st = apply(x, set, err);
    bt_experiment_free(x);
    if (!st) return BT_OK;
    for (size_t i = 0; i < set->n; i++) bt_str_addf(&text, "%s%s", i ? ", " : "", set->item[i]);
    bt_error_prefix(err, st, "sweep: with %.200s", bt_str_text(&text));
    bt_str_free(&text);
    return st;
}

/* Nobody else's run is taken for a trial's. */
static enum bt_status check_id(const struct bt_study *s, const char *id, struct bt_error *err)
{
    char *dir = bt_path_join(s->runs_dir, id);
    bool taken = dir && bt_path_exists(dir);
    free(dir);
    if (!dir) return bt_fail(err, BT_NOMEM, "no memory for a study");
    return taken ? bt_fail(err, BT_EXISTS, "%s: there is a run of that name already: expected another --name",
                           id)
                 : BT_OK;
}

/* Copies of what outline lists become trials of the study. */
static enum bt_status add_trials(struct bt_study *s, const struct bt_study_outline *o, struct bt_error *err)
{
    struct bt_trial *more = realloc(s->trial, (s->n + o->n + 1) * sizeof *more);
    if (!more) return bt_fail(err, BT_NOMEM, "no memory for a study");
    s->trial = more;
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < o->n && !st; i++) {
        struct bt_trial *t = &s->trial[s->n];
        *t = (struct bt_trial){.id = trial_id(s->name, s->n + 1, &o->trial[i]), .rung = -1};
        s->n++;
        if (!t->id) st = bt_fail(err, BT_NOMEM, "no memory for a study");
        if (!st) st = bt__list_append(&t->set, &o->trial[i], err);
        if (!st) st = check_id(s, t->id, err);
    }
    return st;
}

/* ── what the study is ── */

static enum bt_status check_request(const struct beginning *b, const char *metric, struct bt_error *err)
{
    const struct bt_experiment *x = b->ready;
    const enum bt__metric_family family = bt__task_ops(x->task_type)->family;
    if (x->eval_eval_strategy == BT_EVAL_NO)
        return bt_fail(err, BT_INVALID,
                       "sweep: trials are compared by their evaluations: expected validation data and an "
                       "eval.eval_strategy other than no");
    if (!bt__metric_known(family, metric)) {
        struct bt_str names = {0};
        bt__metric_names(family, &names);
        bt_fail(err, BT_INVALID, "sweep: metric \"%.40s\": expected one of %s", metric, bt_str_text(&names));
        bt_str_free(&names);
        return BT_INVALID;
    }
    if (b->req->sweep->stopping == BT_SWEEP_ASHA && x->run_save_strategy == BT_SAVE_NO)
        return bt_fail(
            err, BT_INVALID,
            "sweep: stopping: asha lets trials wait at rungs: expected a run.save_strategy other than no");
    return BT_OK;
}

static enum bt_status set_rules(struct beginning *b, const char *metric, struct bt_error *err)
{
    const struct bt_sweep *w = b->req->sweep;
    struct bt_study *s = &b->s;
    s->stopping = w->stopping;
    s->reduction_factor = w->reduction_factor;
    s->rungs = w->rungs;
    s->startup_trials = w->startup_trials;
    s->warmup_fraction = w->warmup_fraction;
    s->greater_is_better = bt__metric_greater_is_better(bt__task_ops(b->ready->task_type)->family, metric);
    s->created = bt__wall();
    s->metric = bt_strdup(metric);
    return s->metric ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a study");
}

static enum bt_status other(const struct bt_study *s, const char *what, struct bt_error *err)
{
    return bt_fail(err, BT_INVALID,
                   "study %s: %s is not what it began with: expected the same, or another --name", s->name,
                   what);
}

static enum bt_status check_rules(const struct bt_study *s, const struct bt_sweep *w, const char *metric,
                                  struct bt_error *err)
{
    if (strcmp(s->metric, metric) != 0) return other(s, "the metric", err);
    if (s->stopping != w->stopping) return other(s, "stopping", err);
    if (s->reduction_factor != w->reduction_factor) return other(s, "reduction_factor", err);
    if (s->rungs != w->rungs) return other(s, "rungs", err);
    if (s->startup_trials != w->startup_trials) return other(s, "startup_trials", err);
    bool same = fabs(s->warmup_fraction - w->warmup_fraction) <= 0.0;
    return same ? BT_OK : other(s, "warmup_fraction", err);
}

/* The first option in which the experiment of the study and the one of now differ. */
static enum bt_status tell_difference(const struct beginning *b, const char *text, size_t n,
                                      struct bt_error *err)
{
    struct bt_experiment *was = NULL, *is = NULL;
    const struct bt_option *o = bt_options(NULL);
    enum bt_status st = bt_experiment_parse(text, n, "experiment.yaml", &was, err);
    if (!st) st = bt_experiment_parse(b->base.data, b->base.len, "experiment", &is, err);
    for (size_t i = 0; i < BT_OPTIONS && !st; i++)
        if (!bt_experiment_equal(was, is, &o[i])) st = other(&b->s, o[i].key, err);
    bt_experiment_free(was);
    bt_experiment_free(is);
    return st;
}

static enum bt_status check_base(const struct beginning *b, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    char *path = bt__study_path(b->s.runs_dir, b->s.name, "experiment.yaml"), *text = NULL;
    size_t n = 0;
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a study");
    enum bt_status st = bt_file_read(path, MAX_FILE, &text, &n, &why);
    if (st) bt_fail(err, st, "%s", why.text);
    if (!st) st = tell_difference(b, text, n, err);
    free(text);
    free(path);
    return st;
}

/* ── beginning ── */

static enum bt_status take_name(struct beginning *b, struct bt_study_outline *out, struct bt_error *err)
{
    const struct bt_study_request *r = b->req;
    out->runs_dir = bt_strdup(b->ready->run_output_dir);
    out->name = r->name ? bt_strdup(r->name) : bt_experiment_name(r->experiment);
    if (!out->runs_dir || !out->name) return bt_fail(err, BT_NOMEM, "no memory for a study");
    if (!r->name) bt__run_name_clean(out->name);
    if (strlen(out->name) > ID_BYTES && !r->name) out->name[ID_BYTES] = '\0';
    if (bt__run_name_ok(out->name)) return BT_OK;
    return bt_fail(err, BT_INVALID,
                   "study name \"%.100s\": expected letters, digits, '.', '_' and '-', no '.' or '-' first",
                   out->name);
}

static enum bt_status read_old(struct beginning *b, const struct bt_study_outline *out, const char *metric,
                               struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    enum bt_status st = bt__study_read(out->runs_dir, out->name, &b->s, &why);
    b->there = st == BT_OK;
    if (st == BT_NOTFOUND) return set_rules(b, metric, err);
    if (st) return bt_fail(err, st, "%s", why.text);
    st = check_rules(&b->s, b->req->sweep, metric, err);
    return st ? st : check_base(b, err);
}

static enum bt_status outline(struct beginning *b, struct bt_study_outline *out, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    out->had = b->s.n;
    out->trial = calloc(b->plan.n + 1, sizeof *out->trial);
    if (!out->trial) return bt_fail(err, BT_NOMEM, "no memory for a study");
    for (size_t i = 0; i < b->plan.n && !st; i++) {
        st = check_trial(b, &b->plan.trial[i], err);
        if (st || has_trial(&b->s, &b->plan.trial[i])) continue;
        out->trial[out->n++] = b->plan.trial[i];
        b->plan.trial[i] = (struct bt_string_list){.n = 0};
    }
    b->s.max_tokens = b->req->sweep->max_tokens;
    b->s.max_seconds = b->req->sweep->max_seconds;
    if (!st && b->s.n + out->n > BT_SWEEP_MOST)
        st = bt_fail(err, BT_INVALID, "study %s: more than %d trials", b->s.name, BT_SWEEP_MOST);
    return st ? st : add_trials(&b->s, out, err);
}

static enum bt_status prepare(struct beginning *b, struct bt_study_outline *out, struct bt_error *err)
{
    const struct bt_study_request *r = b->req;
    const char *metric = r->sweep->metric ? r->sweep->metric : b->ready->eval_metric_for_best_model;
    enum bt_status st = check_request(b, metric, err);
    if (!st) st = take_name(b, out, err);
    if (!st) write_base(r->experiment, b->ready, &b->base);
    if (!st && b->base.failed) st = bt_fail(err, BT_NOMEM, "no memory for a study");
    if (!st) st = bt_sweep_make_plan(r->sweep, &b->plan, err);
    if (!st) st = read_old(b, out, metric, err);
    return st ? st : outline(b, out, err);
}

static enum bt_status write_all(struct beginning *b, struct bt_error *err)
{
    char *dir = bt__study_path(b->s.runs_dir, b->s.name, NULL),
         *base = bt__study_path(b->s.runs_dir, b->s.name, "experiment.yaml");
    enum bt_status st = dir && base ? bt_mkdirs(dir, err) : bt_fail(err, BT_NOMEM, "no memory for a study");
    if (!st && !b->there) st = bt_file_write_atomic(base, bt_str_text(&b->base), b->base.len, err);
    if (!st) st = bt__study_write(&b->s, err);
    free(dir);
    free(base);
    return st;
}

enum bt_status bt_study_begin(const struct bt_study_request *r, bool dry, struct bt_study_outline *out,
                              struct bt_error *err)
{
    struct beginning b = {.req = r};
    int lock = -1;
    *out = (struct bt_study_outline){.n = 0};
    enum bt_status st = bt__experiment_ready(r->experiment, r->runs_dir, &b.ready, err);
    /* the queue's lock: nobody makes a trial's run, or another study of that name, meanwhile */
    if (!st && !dry) st = bt__queue_lock(b.ready->run_output_dir, PATIENCE, &lock, err);
    if (!st) st = prepare(&b, out, err);
    if (!st && !dry) st = write_all(&b, err);
    if (lock >= 0) close(lock);
    bt_experiment_free(b.ready);
    bt_str_free(&b.base);
    bt_sweep_plan_clear(&b.plan);
    bt_study_clear(&b.s);
    if (st) bt_study_outline_clear(out);
    return st;
}

void bt_study_outline_clear(struct bt_study_outline *o)
{
    for (size_t i = 0; i < o->n; i++) bt__list_free(&o->trial[i]);
    free(o->trial);
    free(o->name);
    free(o->runs_dir);
    *o = (struct bt_study_outline){.n = 0};
}

/* ── later ── */

enum bt_status bt__study_hold(const char *runs_dir, const char *name, bool held, const char *why,
                              struct bt_error *err)
{
    struct bt_study s;
    enum bt_status st = bt__study_read(runs_dir, name, &s, err);
    if (!st) {
        free(s.why);
        s.held = held;
        s.why = bt_strdup(why);
        st = bt__study_write(&s, err);
    }
    bt_study_clear(&s);
    return st;
}

/* Nothing is locked, and no directory made for it, where there is no such study. */
static enum bt_status lock_study(const char *runs_dir, const char *name, int *lock, struct bt_error *err)
{
    struct bt_study s = {.n = 0};
    *lock = -1;
    if (!bt__run_name_ok(name)) return bt_fail(err, BT_NOTFOUND, "\"%.100s\": no such study", name);
    enum bt_status st = bt__study_read(runs_dir, name, &s, err);
    bt_study_clear(&s);
    return st ? st : bt__queue_lock(runs_dir, PATIENCE, lock, err);
}

enum bt_status bt_study_hold(const char *runs_dir, const char *name, bool held, struct bt_error *err)
{
    int lock;
    enum bt_status st = lock_study(runs_dir, name, &lock, err);
    if (!st) st = bt__study_hold(runs_dir, name, held, NULL, err);
    if (lock >= 0) close(lock);
    return st;
}

static enum bt_status forget(const struct bt_study *s, struct bt_error *err)
{
    static const char *const files[] = {"study.json", "results.jsonl", "experiment.yaml", NULL};
    for (size_t i = 0; i < s->n; i++)
        if (s->trial[i].state == BT_TRIAL_QUEUED || s->trial[i].state == BT_TRIAL_RUNNING)
            return bt_fail(err, BT_BUSY, "study %s: %s is %s: expected no trial that is queued or running",
                           s->name, s->trial[i].id, bt_trial_state_name(s->trial[i].state));
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && !st; i++) {
        char *path = bt__study_path(s->runs_dir, s->name, files[i]);
        if (!path) return bt_fail(err, BT_NOMEM, "no memory for a study");
        int failed = files[i] ? (bt_path_exists(path) ? unlink(path) : 0) : rmdir(path);
        if (failed) st = bt_fail_errno(err, "%s", path);
        free(path);
    }
    return st;
}

enum bt_status bt_study_remove(const char *runs_dir, const char *name, struct bt_error *err)
{
    struct bt_study s = {.n = 0};
    int lock;
    enum bt_status st = lock_study(runs_dir, name, &lock, err);
    if (!st) st = bt_study_load(runs_dir, name, NULL, &s, err);
    if (!st) st = forget(&s, err);
    if (lock >= 0) close(lock);
    bt_study_clear(&s);
    return st;
}
