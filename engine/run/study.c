/* A study as it is read: the plan, what came of it, and how its runs stand. */
#include "run/study_parts.h"

#include "experiment/value.h"
#include "run/dir_lock.h"
#include "run/rundir.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 64 << 20, TRIES = 5 };
static const char folder[] = ".studies";

char *bt__study_path(const char *runs_dir, const char *name, const char *file)
{
    if (!file) return bt_strfmt("%s/%s/%s", runs_dir, folder, name);
    return bt_strfmt("%s/%s/%s/%s", runs_dir, folder, name, file);
}

enum bt_status bt__study_lock(const char *runs_dir, const char *name, int *fd, struct bt_error *err)
{
    char *dir = bt__study_path(runs_dir, name, NULL);
    *fd = -1;
    enum bt_status st =
        dir ? bt__dir_lock(dir, "the study", fd, err) : bt_fail(err, BT_NOMEM, "no memory for a study");
    free(dir);
    return st;
}

/* ── which there are ── */

bool bt__studies_exist(const char *runs_dir)
{
    char *path = bt_path_join(runs_dir, folder);
    bool there = path && bt_path_exists(path);
    free(path);
    return there;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct dated {
    char *name;
    double created;
};

static int by_age(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    return (x->created > y->created) - (x->created < y->created);
}

/* One that cannot be read is told of where it is asked for: here it comes last. */
static enum bt_status sort_by_age(const char *runs_dir, struct bt_string_list *l, struct bt_error *err)
{
    struct dated *all = calloc(l->n + 1, sizeof *all);
    if (!all) return bt_fail(err, BT_NOMEM, "no memory for the studies");
    qsort(l->item, l->n, sizeof *l->item, by_text);
    for (size_t i = 0; i < l->n; i++) {
        struct bt_study s;
        all[i] = (struct dated){.name = l->item[i], .created = (double)INFINITY};
        if (bt__study_read(runs_dir, l->item[i], &s, NULL) == BT_OK) all[i].created = s.created;
        bt_study_clear(&s);
    }
    qsort(all, l->n, sizeof *all,
          by_age); /* names settle what is equal: the sort of glibc is stable as long as there is memory */
    for (size_t i = 0; i < l->n; i++) l->item[i] = all[i].name;
    free(all);
    return BT_OK;
}

static enum bt_status add_if_study(const char *runs_dir, const char *name, struct bt_string_list *out,
                                   struct bt_error *err)
{
    if (!bt__run_name_ok(name)) return BT_OK;
    char *file = bt__study_path(runs_dir, name, "study.json");
    if (!file) return bt_fail(err, BT_NOMEM, "no memory for the studies");
    bool there = bt_path_exists(file);
    free(file);
    return there ? bt__list_add(out, name, err) : BT_OK;
}

enum bt_status bt_study_names(const char *runs_dir, struct bt_string_list *out, struct bt_error *err)
{
    *out = (struct bt_string_list){.n = 0};
    char *path = bt_path_join(runs_dir, folder);
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for the studies");
    DIR *d = opendir(path);
    enum bt_status st = d || errno == ENOENT || errno == ENOTDIR ? BT_OK : bt_fail_errno(err, "%s", path);
    free(path);
    for (struct dirent *e; d && !st && (e = readdir(d));) st = add_if_study(runs_dir, e->d_name, out, err);
    if (d) closedir(d);
    return st || out->n < 2 ? st : sort_by_age(runs_dir, out, err);
}

/* ── study.json ── */

struct plan {
    struct bt_study *s;
    const char *path;
    struct bt_error *err;
};

static enum bt_status damaged(const struct plan *p, const char *expected)
{
    return bt_fail(p->err, BT_DAMAGED, "%s: expected %s", p->path, expected);
}

static enum bt_status take_setting(const struct plan *p, const char *key, const struct bt_json *v,
                                   struct bt_trial *t)
{
    const char *value = bt_json_text(v, NULL);
    const struct bt_option *o = bt_option_find(key);
    if (!o || !value) return damaged(p, "settings of options in \"set\"");
    char *text = bt_strfmt("%s=%s", o->key, value);
    enum bt_status st =
        text ? bt__list_add(&t->set, text, p->err) : bt_fail(p->err, BT_NOMEM, "no memory for a study");
    free(text);
    return st;
}

static enum bt_status take_trial(const struct plan *p, const struct bt_json *v)
{
    struct bt_trial *t = &p->s->trial[p->s->n];
    const char *id = bt_json_text(bt_json_get(v, "run"), "");
    const struct bt_json *set = bt_json_get(v, "set");
    if (!bt__run_name_ok(id)) return damaged(p, "a run's name as \"run\" of each trial");
    if (bt_json_kind(set) != BT_JSON_OBJECT) return damaged(p, "an object as \"set\" of each trial");
    *t = (struct bt_trial){.id = bt_strdup(id), .value = (double)NAN, .best = (double)NAN, .rung = -1};
    p->s->n++;
    enum bt_status st = t->id ? BT_OK : bt_fail(p->err, BT_NOMEM, "no memory for a study");
    for (const void *it = bt_json_first(set); it && !st; it = bt_json_next(set, it))
        st = take_setting(p, bt_json_key(it), bt_json_value(it), t);
    return st;
}

static enum bt_status take_trials(const struct plan *p, const struct bt_json *list)
{
    size_t n = bt_json_len(list);
    if (bt_json_kind(list) != BT_JSON_ARRAY || n > BT_SWEEP_MOST)
        return damaged(p, "a list of at most 10,000 \"trials\"");
    p->s->trial = calloc(n + 1, sizeof *p->s->trial);
    if (!p->s->trial) return bt_fail(p->err, BT_NOMEM, "no memory for a study");
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < n && !st; i++) st = take_trial(p, bt_json_at(list, i));
    return st;
}

static enum bt_status take_rules(const struct plan *p, const struct bt_json *v)
{
    struct bt_study *s = p->s;
    const char *stopping = bt_json_text(bt_json_get(v, "stopping"), "");
    int k = 0;
    while (k < 3 && strcmp(stopping, bt_sweep_stopping_name((enum bt_sweep_stopping)k)) != 0) k++;
    s->stopping = (enum bt_sweep_stopping)k;
    s->reduction_factor = bt_json_int(bt_json_get(v, "reduction_factor"), 0);
    s->rungs = bt_json_int(bt_json_get(v, "rungs"), 0);
    s->startup_trials = bt_json_int(bt_json_get(v, "startup_trials"), 0);
    s->warmup_fraction = bt_json_number(bt_json_get(v, "warmup_fraction"), -1.0);
    s->max_tokens = bt_json_int(bt_json_get(v, "max_tokens"), 0);
    s->max_seconds = bt_json_number(bt_json_get(v, "max_seconds"), 0.0);
    bool fine = k < 3 && s->reduction_factor >= 2 && s->reduction_factor <= 100 && s->rungs >= 1 &&
                s->rungs <= 10 && s->startup_trials >= 1 && s->warmup_fraction >= 0.0 &&
                s->warmup_fraction <= 1.0 && s->max_tokens >= 0 && s->max_seconds >= 0.0;
    return fine ? BT_OK : damaged(p, "the rules that `bertty sweep` writes");
}

static enum bt_status take_plan(const struct plan *p, const struct bt_json *v)
{
    struct bt_study *s = p->s;
    const char *metric = bt_json_text(bt_json_get(v, "metric"), NULL);
    if (bt_json_kind(v) != BT_JSON_OBJECT || !metric) return damaged(p, "an object with a \"metric\"");
    s->metric = bt_strdup(metric);
    s->why = bt_strdup(bt_json_text(bt_json_get(v, "why"), NULL));
    s->greater_is_better = bt_json_bool(bt_json_get(v, "greater_is_better"), true);
    s->held = bt_json_bool(bt_json_get(v, "held"), false);
    s->created = bt_json_number(bt_json_get(v, "created"), 0.0);
    if (!s->metric) return bt_fail(p->err, BT_NOMEM, "no memory for a study");
    enum bt_status st = take_rules(p, v);
    return st ? st : take_trials(p, bt_json_get(v, "trials"));
}

enum bt_status bt__study_read(const char *runs_dir, const char *name, struct bt_study *out,
                              struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    *out = (struct bt_study){.name = bt_strdup(name), .runs_dir = bt_strdup(runs_dir)};
    char *path = bt__study_path(runs_dir, name, "study.json");
    if (!path || !out->name || !out->runs_dir) {
        free(path);
        return bt_fail(err, BT_NOMEM, "no memory for a study");
    }
    struct bt_json *v = bt_json_load(path, MAX_FILE, &why);
    const struct plan p = {.s = out, .path = path, .err = err};
    enum bt_status st = v                           ? take_plan(&p, v)
                        : why.status == BT_NOTFOUND ? bt_fail(err, BT_NOTFOUND, "%s: no such study", name)
                                                    : bt_fail(err, why.status, "%s", why.text);
    bt_json_free(v);
    free(path);
    return st;
}

void bt_study_clear(struct bt_study *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->trial[i].id);
        bt__list_free(&s->trial[i].set);
    }
    free(s->trial);
    free(s->report);
    free(s->name);
    free(s->runs_dir);
    free(s->why);
    free(s->metric);
    *s = (struct bt_study){.n = 0};
}

static void write_trial(struct bt_json_writer *w, const struct bt_trial *t)
{
    bt_jw_object(w);
    bt_jw_ktext(w, "run", t->id);
    bt_jw_key(w, "set");
    bt_jw_object(w);
    for (size_t i = 0; i < t->set.n; i++) {
        const char *value;
        const struct bt_option *o = bt__setting_option(t->set.item[i], &value);
        bt_jw_ktext(w, o->key, value);
    }
    bt_jw_end_object(w);
    bt_jw_end_object(w);
}

static void write_plan(struct bt_json_writer *w, const struct bt_study *s)
{
    bt_jw_object(w);
    bt_jw_ktext(w, "study", s->name);
    bt_jw_knum(w, "created", s->created);
    bt_jw_kbool(w, "held", s->held);
    bt_jw_ktext(w, "why", s->why);
    bt_jw_ktext(w, "metric", s->metric);
    bt_jw_kbool(w, "greater_is_better", s->greater_is_better);
    bt_jw_ktext(w, "stopping", bt_sweep_stopping_name(s->stopping));
    bt_jw_kint(w, "reduction_factor", s->reduction_factor);
    bt_jw_kint(w, "rungs", s->rungs);
    bt_jw_kint(w, "startup_trials", s->startup_trials);
    bt_jw_knum(w, "warmup_fraction", s->warmup_fraction);
    bt_jw_kint(w, "max_tokens", s->max_tokens);
    bt_jw_knum(w, "max_seconds", s->max_seconds);
    bt_jw_key(w, "trials");
    bt_jw_array(w);
    for (size_t i = 0; i < s->n; i++) write_trial(w, &s->trial[i]);
    bt_jw_end_array(w);
    bt_jw_end_object(w);
}

enum bt_status bt__study_write(const struct bt_study *s, struct bt_error *err)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    write_plan(&w, s);
    bt_str_addc(&text, '\n');
    char *path = bt__study_path(s->runs_dir, s->name, "study.json");
    enum bt_status st = path && !text.failed ? bt_file_write_atomic(path, text.data, text.len, err)
                                             : bt_fail(err, BT_NOMEM, "no memory for a study");
    free(path);
    bt_str_free(&text);
    return st;
}

/* ── the runs ── */

const char *bt_trial_state_name(enum bt_trial_state s)
{
    static const char *const names[] = {
        [BT_TRIAL_PLANNED] = "planned", [BT_TRIAL_QUEUED] = "queued", [BT_TRIAL_RUNNING] = "running",
        [BT_TRIAL_WAITING] = "waiting", [BT_TRIAL_CUT] = "cut",       [BT_TRIAL_FINISHED] = "finished",
        [BT_TRIAL_FAILED] = "failed",   [BT_TRIAL_HALTED] = "halted", [BT_TRIAL_LOST] = "lost"};
    return names[s];
}

/* Lost at the step at which it was taken up the last times: it would be lost again. */
static bool hopeless(const struct bt_study *s, size_t trial, int64_t step)
{
    int tries = 0;
    for (size_t i = 0; i < s->n_reports; i++)
        tries += s->report[i].trial == trial && s->report[i].again && s->report[i].step == step;
    return tries >= TRIES;
}

static enum bt_trial_state state_of(const struct bt_study *s, size_t i, const struct bt_run_status *run)
{
    const struct bt_trial_report *last = NULL;
    if (bt_run_state_alive(run->state)) return BT_TRIAL_RUNNING;
    switch (run->state) {
    case BT_RUN_QUEUED:
        return BT_TRIAL_QUEUED;
    case BT_RUN_FINISHED:
        return BT_TRIAL_FINISHED;
    case BT_RUN_FAILED:
    case BT_RUN_DIVERGED:
        return BT_TRIAL_FAILED;
    case BT_RUN_LOST:
        return hopeless(s, i, run->step) ? BT_TRIAL_FAILED : BT_TRIAL_LOST;
    case BT_RUN_UNKNOWN:
        return BT_TRIAL_PLANNED;
    default:
        break;
    }
    for (size_t k = 0; k < s->n_reports; k++)
        if (s->report[k].trial == i && !s->report[k].again) last = &s->report[k];
    if (!last || last->step != run->step) return BT_TRIAL_HALTED;
    return last->cut ? BT_TRIAL_CUT : last->rung >= 0 ? BT_TRIAL_WAITING : BT_TRIAL_HALTED;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const struct bt_run_status *const *)a)->id,
                  (*(const struct bt_run_status *const *)b)->id);
}

enum bt_status bt__study_states(struct bt_study *s, const struct bt_run_list *runs, struct bt_error *err)
{
    const struct bt_run_status **sorted = calloc(runs->n + 1, sizeof *sorted);
    if (!sorted) return bt_fail(err, BT_NOMEM, "no memory for a study");
    for (size_t i = 0; i < runs->n; i++) sorted[i] = &runs->run[i];
    qsort(sorted, runs->n, sizeof *sorted, by_id);
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_run_status key = {.id = s->trial[i].id}, *wanted = &key;
        const struct bt_run_status **found = bsearch(&wanted, sorted, runs->n, sizeof *sorted, by_id);
        s->trial[i].state = found ? state_of(s, i, *found) : BT_TRIAL_PLANNED;
        /* whose run was deleted after its end is not run again */
        if (!found && s->trial[i].total > 0 && s->trial[i].step >= s->trial[i].total)
            s->trial[i].state = BT_TRIAL_FINISHED;
    }
    free(sorted);
    return BT_OK;
}

enum bt_status bt_study_load(const char *runs_dir, const char *name, const struct bt_run_list *runs,
                             struct bt_study *out, struct bt_error *err)
{
    struct bt_run_list mine = {.n = 0};
    *out = (struct bt_study){.n = 0};
    if (!bt__run_name_ok(name)) return bt_fail(err, BT_NOTFOUND, "\"%.100s\": no such study", name);
    enum bt_status st = bt__study_read(runs_dir, name, out, err);
    if (!st) st = bt__results_read(out, err);
    if (!st && !runs) st = bt_run_list(runs_dir, NULL, &mine, err);
    if (!st) st = bt__study_states(out, runs ? runs : &mine, err);
    bt_run_list_clear(&mine);
    return st;
}
