#include "tui/commands/cli_run.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum bt_status cli_experiment(const char *path, const struct cli_list *set, struct bt_experiment **x,
                              struct bt_error *err)
{
    enum bt_status st = bt_experiment_load(path, x, err);
    for (size_t i = 0; i < set->n && !st; i++) st = bt_experiment_assign(*x, set->item[i], err);
    return st;
}

enum bt_status cli_run_find(const char *runs, const char *name, char **dir, struct bt_error *err)
{
    int64_t step = BT_STEP_NONE;
    enum bt_status status = bt_run_find(runs, name, dir, &step, err);
    if (status != BT_OK || step == BT_STEP_NONE) return status;
    free(*dir);
    *dir = NULL;
    return bt_fail(err, BT_INVALID, "'%s' names a checkpoint: expected a run", name);
}

/* ── for programs ── */

static void step_or_null(struct bt_json_writer *w, const char *key, int64_t step)
{
    bt_jw_key(w, key);
    if (step < 0)
        bt_jw_null(w);
    else
        bt_jw_int(w, step);
}

void cli_run_json(struct bt_json_writer *w, const struct bt_run_status *s)
{
    bt_jw_ktext(w, "run", s->id);
    bt_jw_ktext(w, "dir", s->dir);
    bt_jw_ktext(w, "name", s->name);
    bt_jw_ktext(w, "state", bt_run_state_name(s->state));
    if (s->place) bt_jw_kint(w, "place", s->place);
    bt_jw_kbool(w, "alive", bt_run_state_alive(s->state));
    bt_jw_ktext(w, "host", s->host);
    bt_jw_kint(w, "pid", s->pid);
    bt_jw_kint(w, "step", s->step);
    bt_jw_kint(w, "total", s->total);
    bt_jw_knum(w, "epoch", s->epoch);
    bt_jw_knum(w, "epochs", s->epochs);
    bt_jw_knum(w, "tokens_per_s", s->tokens_per_s);
    bt_jw_knum(w, "eta_s", s->eta_s);
    bt_jw_knum(w, "train_loss", s->train_loss);
    bt_jw_ktext(w, "metric", s->metric);
    bt_jw_knum(w, "best", s->best);
    step_or_null(w, "best_step", s->best_step);
    bt_jw_knum(w, "last", s->last);
    step_or_null(w, "last_step", s->last_step);
    bt_jw_knum(w, "started", s->started);
    bt_jw_knum(w, "updated", s->updated);
    bt_jw_kbool(w, "steered", s->steered);
    if (s->baseline) bt_jw_ktext(w, "baseline", s->baseline);
    bt_jw_ktext(w, "error", s->error);
    cli_notes_json(w, &s->notes);
}

void cli_notes_json(struct bt_json_writer *w, const struct bt_notes *n)
{
    bt_jw_key(w, "tags");
    bt_jw_array(w);
    for (size_t i = 0; i < n->n_tags; i++) bt_jw_text(w, n->tag[i]);
    bt_jw_end_array(w);
    bt_jw_ktext(w, "note", n->note);
    if (n->fault) bt_jw_ktext(w, "notes_fault", n->fault);
}

void cli_run_tags(struct bt_str *out, const struct bt_notes *n)
{
    for (size_t i = 0; i < n->n_tags; i++) bt_str_addf(out, "%s%s", i ? ", " : "", n->tag[i]);
    if (n->fault) bt_str_add(out, n->fault);
}

void cli_notes_tell(const char *dir, const struct bt_notes *n, enum cli_notes what, bool json, bool id)
{
    struct bt_str text = {0};
    if (json) {
        struct bt_json_writer w = BT_JSON_WRITER(&text);
        bt_jw_object(&w);
        bt_jw_ktext(&w, "run", bt_path_base(dir));
        bt_jw_ktext(&w, "dir", dir);
        cli_notes_json(&w, n);
        bt_jw_end_object(&w);
        cli_json(&text);
    } else {
        if (id) bt_str_addf(&text, "%s: ", bt_path_base(dir));
        if (what == CLI_TELL_TAGS && n->n_tags)
            cli_run_tags(&text, n);
        else if (what == CLI_TELL_TAGS)
            bt_str_add(&text, "no tags");
        else
            bt_str_add(&text, n->note ? n->note : "no note");
        cli_line("%s", bt_str_text(&text));
    }
    bt_str_free(&text);
}

/* ── for people ── */

void cli_run_state(struct cli_table *t, const struct bt_run_status *s)
{
    if (s->place)
        cli_table_cell(t, "%s %lld", bt_run_state_name(s->state), (long long)s->place);
    else
        cli_table_cell(t, "%s", bt_run_state_name(s->state));
}

void cli_run_step(char *out, size_t size, const struct bt_run_status *s)
{
    if (s->total > 0)
        snprintf(out, size, "%lld/%lld", (long long)s->step, (long long)s->total);
    else
        snprintf(out, size, s->step > 0 ? "%lld" : "-", (long long)s->step);
}

void cli_time(char *out, size_t size, double seconds)
{
    time_t t = seconds > 0 && seconds < 1e11 ? (time_t)seconds : 0;
    struct tm parts;
    if (t == 0 || !localtime_r(&t, &parts) || !strftime(out, size, "%Y-%m-%d %H:%M", &parts))
        snprintf(out, size, "-");
}

void cli_duration(char *out, size_t size, double seconds)
{
    long long s = isfinite(seconds) && seconds >= 0 && seconds < 1e12 ? llround(seconds) : -1;
    if (s < 0)
        snprintf(out, size, "-");
    else if (s < 60)
        snprintf(out, size, "%llds", s);
    else if (s < 3600)
        snprintf(out, size, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, size, "%lldh%02lldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, size, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

void cli_bytes(char *out, size_t size, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++) bytes /= 1024;
    snprintf(out, size, "%.*f %s", unit ? 1 : 0, bytes, units[unit]);
}

/* ── stop, pause, resume ── */

static void tell_done(const struct cli_steer *what, const struct bt_run_status *s, bool json)
{
    if (!json) {
        cli_line("%s %s", s->id, s->state == BT_RUN_QUEUED ? "is taken out of the queue" : what->done);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", s->id);
    bt_jw_ktext(&w, "dir", s->dir);
    bt_jw_ktext(&w, "state", bt_run_state_name(s->state));
    bt_jw_ktext(&w, "told", what->word);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

int cli_steer_one(const struct cli_steer *what, const char *runs, const char *name, bool json)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_run_status s = {0};
    char *dir = NULL;
    enum bt_status status = cli_run_find(runs, name, &dir, &err);
    if (status == BT_OK) status = bt_run_status(dir, &s, &err);
    if (status == BT_OK) status = bt_run_control(dir, what->word, &err);
    bool dead = s.id && !bt_run_state_alive(s.state) && s.state != BT_RUN_FINISHED &&
                s.state != BT_RUN_UNKNOWN && s.state != BT_RUN_QUEUED;
    if (status == BT_OK)
        tell_done(what, &s, json);
    else if (dead && what->hint)
        cli_warn("%s; `bertty train --resume %s` %s", err.text, s.id, what->hint);
    else
        cli_fail(&err);
    bt_run_status_clear(&s);
    free(dir);
    return status == BT_OK ? CLI_DONE : CLI_FAILED;
}

int cli_steer(const struct cli_steer *what, int argc, char **argv)
{
    const char *runs = "runs";
    bool json = false;
    const struct cli_option options[] = {CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = what->command, .about = what->about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    for (int i = 0; i < args.n; i++)
        if (cli_steer_one(what, runs, args.v[i], json) != CLI_DONE) code = CLI_FAILED;
    return code;
}
