/* What the Runs view does to a run: each a task, its result told at the bottom. */
#include "tui/format.h"
#include "tui/views/runs_view.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum job_kind { JOB_CONTROL, JOB_RESUME, JOB_REMOVE };

struct job {
    struct view *v;
    enum job_kind kind;
    char **dir;
    size_t n;
    char *command; /* of JOB_CONTROL */
    bool force;    /* of JOB_RESUME: although the data changed */
    char *runs_dir;
    enum bt_status status;
    struct bt_error err;
    size_t removed;
};

static void free_dirs(char **dir, size_t n)
{
    for (size_t i = 0; i < n; i++) free(dir[i]);
    free(dir);
}

static void job_free(struct job *j)
{
    free_dirs(j->dir, j->n);
    free(j->command);
    free(j->runs_dir);
    free(j);
}

void runs_forget_doomed(struct runs_view *s)
{
    free_dirs(s->doomed, s->n_doomed);
    s->doomed = NULL;
    s->n_doomed = 0;
}

/* ── on a worker ── */

static void run_control(struct job *j, const atomic_bool *cancel)
{
    (void)cancel;
    j->status = bt_run_control(j->dir[0], j->command, &j->err);
}

static void run_resume(struct job *j, const atomic_bool *cancel)
{
    struct bt_launch l = {.resume = j->dir[0], .runs_dir = j->runs_dir, .force = j->force};
    char *dir = NULL;
    (void)cancel;
    j->status = bt_run_launch(&l, &dir, &j->err);
    free(dir);
}

static void run_remove(struct job *j, const atomic_bool *cancel)
{
    for (size_t i = 0; i < j->n && !j->status && !atomic_load(cancel); i++) {
        j->status = bt_run_remove(j->dir[i], &j->err);
        j->removed += !j->status;
    }
}

static void run_job(void *ctx, const atomic_bool *cancel)
{
    static void (*const run[])(struct job *, const atomic_bool *) = {
        [JOB_CONTROL] = run_control, [JOB_RESUME] = run_resume, [JOB_REMOVE] = run_remove};
    struct job *j = ctx;
    run[j->kind](j, cancel);
}

/* ── back on the drawing thread ── */

static void job_done(void *ctx, bool cancelled);

/* Takes over dir and command. */
static struct job *job_new(struct view *v, enum job_kind kind, char **dir, size_t n, char *command)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j) {
        free_dirs(dir, n);
        free(command);
        return NULL;
    }
    *j = (struct job){.v = v,
                      .kind = kind,
                      .dir = dir,
                      .n = n,
                      .command = command,
                      .runs_dir = bt_strdup(app_runs_dir(v->app))};
    return j;
}

static void submit_job(struct view *v, struct job *j)
{
    struct app_task t = {.run = run_job, .done = job_done, .ctx = j, .owner = v->state};
    bool whole = j && j->dir && j->n && (j->command || j->kind != JOB_CONTROL);
    if (whole && app_submit(v->app, &t)) return;
    app_say(v->app, ROLE_BAD, "no memory");
    if (j) job_free(j);
}

static void submit(struct view *v, enum job_kind kind, char **dir, size_t n, char *command)
{
    submit_job(v, job_new(v, kind, dir, n, command));
}

static char **one_dir(const char *dir)
{
    char **list = calloc(1, sizeof *list);
    if (list && !(list[0] = bt_strdup(dir))) {
        free(list);
        return NULL;
    }
    return list;
}

static void size_text(struct bt_str *out, double bytes)
{
    double mib = bytes / (1024.0 * 1024.0);
    if (mib >= 1024.0)
        bt_str_addf(out, "%.1f GiB", mib / 1024.0);
    else if (mib >= 1.0)
        bt_str_addf(out, "%.0f MiB", mib);
    else
        bt_str_addf(out, "%.0f KiB", bytes / 1024.0);
}

static void delete_doomed(void *ctx)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    char **dir = s->doomed;
    size_t n = s->n_doomed;
    s->doomed = NULL;
    s->n_doomed = 0;
    if (n) submit(v, JOB_REMOVE, dir, n, NULL);
}

static void removed(struct job *j)
{
    for (size_t i = 0; i < j->removed; i++) app_mark(j->v->app, j->dir[i], false);
    if (!j->status && j->n == 1)
        app_say(j->v->app, ROLE_GOOD, "%s deleted", bt_path_base(j->dir[0]));
    else if (!j->status)
        app_say(j->v->app, ROLE_GOOD, "%zu runs deleted", j->removed);
}

static void controlled(struct job *j)
{
    const char *id = bt_path_base(j->dir[0]);
    app_say(j->v->app, ROLE_GOOD, "%s: %s asked for", id, j->command);
}

static void resumed(struct job *j)
{
    app_choose_run(j->v->app, j->dir[0]);
    app_say(j->v->app, ROLE_GOOD, "%s goes on", bt_path_base(j->dir[0]));
}

static void resume_all_the_same(void *ctx)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    struct job *j = s->n_doomed ? job_new(v, JOB_RESUME, one_dir(s->doomed[0]), 1, NULL) : NULL;
    if (j) j->force = true;
    if (s->n_doomed) submit_job(v, j);
    runs_forget_doomed(s);
}

/* What only a person can decide: the engine names its option for it. */
static bool asks_for_force(const struct job *j)
{
    return j->kind == JOB_RESUME && j->status && !j->force && strstr(j->err.text, "--force");
}

static void ask_for_force(const struct job *j)
{
    struct runs_view *s = runs_of(j->v);
    struct bt_str text = {.data = NULL};
    runs_forget_doomed(s);
    s->doomed = one_dir(j->dir[0]);
    s->n_doomed = s->doomed ? 1 : 0;
    bt_str_addf(&text, "resume all the same? %s", j->err.text);
    app_confirm(j->v->app, bt_str_text(&text), resume_all_the_same, j->v);
    bt_str_free(&text);
}

static void job_done(void *ctx, bool cancelled)
{
    static void (*const tell[])(struct job *) = {
        [JOB_CONTROL] = controlled, [JOB_RESUME] = resumed, [JOB_REMOVE] = removed};
    struct job *j = ctx;
    if (!cancelled) {
        if (j->kind == JOB_REMOVE || !j->status) tell[j->kind](j);
        if (asks_for_force(j) && app_in_front(j->v->app, j->v))
            ask_for_force(j);
        else if (j->status)
            app_say_error(j->v->app, &j->err);
        app_refresh(j->v->app);
    }
    job_free(j);
}

/* ── actions ── */

/* An engine must be there to hear a command. */
static bool needs_engine(struct view *v, const struct bt_run_status *here, const char *what)
{
    if (bt_run_state_alive(here->state)) return true;
    app_say(v->app, ROLE_WARN, "%s is %s: nothing to %s", here->id, bt_run_state_name(here->state), what);
    return false;
}

static void control(struct view *v, const char *dir, const char *command)
{
    submit(v, JOB_CONTROL, one_dir(dir), 1, bt_strdup(command));
}

static void stop_doomed(void *ctx)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    if (s->n_doomed) control(v, s->doomed[0], "stop");
    runs_forget_doomed(s);
}

static void remember(struct runs_view *s, const char *dir)
{
    runs_forget_doomed(s);
    s->doomed = one_dir(dir);
    s->n_doomed = s->doomed ? 1 : 0;
}

void runs_ask_about(struct view *v, const struct bt_run_status *here)
{
    remember(runs_of(v), here->dir);
}

const struct bt_run_status *runs_asked(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_status *run = s->n_doomed ? app_run_status(v->app, s->doomed[0]) : NULL;
    runs_forget_doomed(s);
    return run;
}

static void stop(struct view *v, const struct bt_run_status *here)
{
    struct bt_str text = {.data = NULL};
    bool queued = here->state == BT_RUN_QUEUED;
    if (!queued && !needs_engine(v, here, "stop")) return;
    remember(runs_of(v), here->dir);
    bt_str_addf(&text,
                queued ? "Take %s out of the queue? (Q queues it again)"
                       : "Stop %s with a checkpoint? (R resumes)",
                here->id);
    app_confirm(v->app, bt_str_text(&text), stop_doomed, v);
    bt_str_free(&text);
}

static void pause_or_go_on(struct view *v, const struct bt_run_status *here)
{
    if (needs_engine(v, here, "pause"))
        control(v, here->dir, here->state == BT_RUN_PAUSED ? "resume" : "pause");
}

static void checkpoint(struct view *v, const struct bt_run_status *here)
{
    if (needs_engine(v, here, "save")) control(v, here->dir, "checkpoint");
}

static void evaluate(struct view *v, const struct bt_run_status *here)
{
    if (needs_engine(v, here, "evaluate")) control(v, here->dir, "eval");
}

static void resume(struct view *v, const struct bt_run_status *here)
{
    if (bt_run_state_alive(here->state)) {
        if (here->state == BT_RUN_PAUSED)
            control(v, here->dir, "resume");
        else
            app_say(v->app, ROLE_WARN, "%s is %s already", here->id, bt_run_state_name(here->state));
    } else if (here->state == BT_RUN_QUEUED) {
        runs_queue_start(v, here);
    } else if (here->state == BT_RUN_FINISHED) {
        app_say(v->app, ROLE_WARN, "%s has finished: e makes a new run from its settings", here->id);
    } else {
        app_say(v->app, ROLE_TEXT, "starting %s again …", here->id);
        submit(v, JOB_RESUME, one_dir(here->dir), 1, NULL);
    }
}

static void rate_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    struct bt_str command = {.data = NULL};
    double rate;
    if (text && *text && s->n_doomed) {
        if (!bt_parse_double(text, &rate) || rate < 0.0) {
            app_say(v->app, ROLE_BAD, "\"%s\" is no learning rate, expected a number from 0 on", text);
        } else {
            bt_str_addf(&command, "set learning_rate=%s", text);
            control(v, s->doomed[0], bt_str_text(&command));
        }
    }
    bt_str_free(&command);
    runs_forget_doomed(s);
}

static void ask_rate(struct view *v, const struct bt_run_status *here)
{
    if (!needs_engine(v, here, "change")) return;
    remember(runs_of(v), here->dir);
    struct app_prompt p = {
        .what = "peak learning rate from now on: ", .history = "learning-rate", .done = rate_typed, .ctx = v};
    app_ask(v->app, &p);
}

static void name_marked(struct bt_str *text, char **dir, size_t n)
{
    enum { NAMED = 6 };
    bt_str_addf(text, "Delete the %zu marked runs ", n);
    for (size_t i = 0; i < n && i < NAMED; i++) {
        bt_str_add(text, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        format_run_id(text, bt_path_base(dir[i]));
    }
    if (n > NAMED) bt_str_addf(text, " and %zu more", n - NAMED);
}

/* The question stands at once (a key typed meanwhile must not answer it), so the size is what is known by now. */
static void ask_to_delete(struct view *v, char **dir, size_t n)
{
    struct runs_view *s = runs_of(v);
    struct bt_str text = {.data = NULL};
    runs_forget_doomed(s);
    s->doomed = dir;
    s->n_doomed = n;
    if (n == 0) return;
    if (n > 1)
        name_marked(&text, dir, n);
    else
        bt_str_addf(&text, "Delete %s", bt_path_base(dir[0]));
    if (n == 1 && s->facts.dir && strcmp(s->facts.dir, dir[0]) == 0) {
        bt_str_add(&text, " (");
        size_text(&text, s->facts.bytes);
        bt_str_add(&text, ")");
    }
    bt_str_add(&text, " for good?");
    app_confirm(v->app, bt_str_text(&text), delete_doomed, v);
    bt_str_free(&text);
}

/* The run under the cursor; if that is marked, all marked ones. None of them may have an engine. */
static void delete_runs(struct view *v, const struct bt_run_status *here)
{
    size_t n_marks, n = 0;
    const char *const *mark = app_marks(v->app, &n_marks);
    bool many = n_marks > 1 && app_marked(v->app, here->dir);
    char **dir = calloc(many ? n_marks : 1, sizeof *dir);
    const struct bt_run_status *busy = NULL;
    for (size_t i = 0; dir && i < (many ? n_marks : 1); i++) {
        const struct bt_run_status *s = many ? app_run_status(v->app, mark[i]) : here;
        if (!s) continue;
        if (!bt_run_state_ended(s->state)) busy = s;
        if ((dir[n] = bt_strdup(s->dir))) n++;
    }
    if (busy) {
        app_say(v->app, ROLE_WARN, "%s is %s: stop it first (x)", busy->id, bt_run_state_name(busy->state));
        free_dirs(dir, n);
    } else {
        ask_to_delete(v, dir, n);
    }
}

static void clone(struct view *v, const struct bt_run_status *here)
{
    app_open(v->app, VIEW_EXPERIMENT, &(struct app_request){.run = here->dir, .step = -1});
}

static void new_run(struct view *v)
{
    app_open(v->app, VIEW_EXPERIMENT, NULL);
}

static void set_reference(struct view *v, const struct bt_run_status *here)
{
    struct runs_view *s = runs_of(v);
    bool same = s->reference && strcmp(s->reference, here->dir) == 0;
    free(s->reference);
    s->reference = same ? NULL : bt_strdup(here->dir);
    app_say(v->app, ROLE_TEXT, "settings are compared with %s", same ? "the defaults" : here->id);
}

static void copy_id(struct view *v, const struct bt_run_status *here)
{
    term_copy(app_term(v->app), here->id, strlen(here->id));
    app_say(v->app, ROLE_TEXT, "copied: %s", here->id);
}

static void to_charts(struct view *v, const struct bt_run_status *here)
{
    app_choose_run(v->app, here->dir);
    app_open(v->app, VIEW_CHARTS, NULL);
}

static void go(struct view *v, const struct bt_run_status *here, enum view_id view)
{
    app_choose_run(v->app, here->dir);
    app_open(v->app, view, &(struct app_request){.run = here->dir, .step = -1});
}

static void to_predictions(struct view *v, const struct bt_run_status *here)
{
    go(v, here, VIEW_PREDICTIONS);
}

static void to_probe(struct view *v, const struct bt_run_status *here)
{
    go(v, here, VIEW_PROBE);
}

static void to_log(struct view *v, const struct bt_run_status *here)
{
    go(v, here, VIEW_LOG);
}

struct deed {
    int action;
    void (*run)(struct view *v, const struct bt_run_status *here);
};

static const struct deed deeds[] = {
    {.action = ACT_ENTER, .run = to_charts},
    {.action = ACT_COPY, .run = copy_id},
    {.action = ACT_STOP, .run = stop},
    {.action = ACT_PAUSE, .run = pause_or_go_on},
    {.action = ACT_RESUME, .run = resume},
    {.action = ACT_CHECKPOINT, .run = checkpoint},
    {.action = ACT_EVALUATE, .run = evaluate},
    {.action = ACT_RATE, .run = ask_rate},
    {.action = ACT_DELETE, .run = delete_runs},
    {.action = ACT_QUEUE, .run = runs_queue_again},
    {.action = ACT_QUEUE_UP, .run = runs_queue_up},
    {.action = ACT_QUEUE_DOWN, .run = runs_queue_down},
    {.action = ACT_QUEUE_FIRST, .run = runs_queue_first},
    {.action = ACT_CLONE, .run = clone},
    {.action = ACT_REFERENCE, .run = set_reference},
    {.action = ACT_PREDICTIONS, .run = to_predictions},
    {.action = ACT_PROBE, .run = to_probe},
    {.action = ACT_LOG, .run = to_log},
    {.action = ACT_TAGS, .run = runs_ask_tags},
    {.action = ACT_NOTE, .run = runs_ask_note},
    {.action = ACT_HIDE, .run = runs_hide},
};

bool runs_do(struct view *v, int action)
{
    const struct bt_run_status *here = runs_here(v);
    if (action == ACT_NEW || (!here && action == ACT_ENTER && app_runs(v->app)->n == 0)) {
        new_run(v);
        return true;
    }
    if (runs_group_here(v) && action == ACT_ENTER) {
        runs_open_group(v);
        return true;
    }
    if (action == ACT_QUEUE_HOLD || action == ACT_QUEUE_LIMIT) {
        (action == ACT_QUEUE_HOLD ? runs_queue_hold : runs_queue_limit)(v);
        return true;
    }
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (deeds[i].action != action) continue;
        if (here)
            deeds[i].run(v, here);
        else
            app_say(v->app, ROLE_TEXT,
                    runs_group_here(v) ? "this is for one run: Enter opens the group"
                                       : "there is no run under the cursor");
        return true;
    }
    return false;
}
