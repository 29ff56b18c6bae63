/* bertty show */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include "tui/commands/show_batch.h"
#include "tui/plot.h"
#include <bertty/events.h>
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char about[] = "How a run stands, its metrics at the best and at the last evaluation, the "
                            "settings that are not the defaults, and\n"
                            "what is kept on the disk.\n"
                            "--batch: what the loss at a step was made of, the worst rows first. A point "
                            "of the curve is the mean of all\n"
                            "steps since the point before it (run.logging_steps): all of these are "
                            "shown; FIRST-LAST shows just those steps.\n";

/* All that is shown. Owned. */
struct report {
    struct bt_run_status status;
    struct bt_series_reader *events;          /* NULL: none */
    struct bt_experiment *experiment, *plain; /* NULL: another tool's run */
    int64_t *checkpoint;
    size_t n_checkpoints;
    int64_t best, last; /* checkpoints that best and last mean; −1: none */
};

/* ── collecting ── */

static void report_free(struct report *r)
{
    bt_run_status_clear(&r->status);
    bt_series_free(r->events);
    bt_experiment_free(r->experiment);
    bt_experiment_free(r->plain);
    free(r->checkpoint);
}

static enum bt_status load_settings(struct report *r, const char *dir, struct bt_error *err)
{
    enum bt_status status = bt_run_experiment(dir, &r->experiment, err);
    if (status == BT_NOTFOUND) return BT_OK;
    return status ? status : bt_experiment_new(&r->plain, err);
}

static int64_t checkpoint_of(const char *dir, int64_t wish)
{
    char *path = NULL;
    int64_t step = -1;
    if (bt_run_checkpoint(dir, wish, &path, &step, NULL) != BT_OK) return -1;
    free(path);
    return step;
}

static enum bt_status collect(const char *dir, struct report *r, struct bt_error *err)
{
    enum bt_status status = bt_run_status(dir, &r->status, err);
    if (status == BT_OK && r->status.state == BT_RUN_QUEUED) r->status.place = cli_queue_place(r->status.dir);
    if (status == BT_OK) status = bt_series_load(dir, &r->events, err);
    if (status == BT_OK) status = load_settings(r, dir, err);
    if (status == BT_OK) status = bt_run_checkpoints(dir, &r->checkpoint, &r->n_checkpoints, err);
    r->best = r->status.best_step >= 0 ? checkpoint_of(dir, BT_STEP_BEST) : -1;
    r->last = checkpoint_of(dir, BT_STEP_LAST);
    return status;
}

/* Bytes of the regular files below a directory, and how many. */
static double disk_use(const char *dir, int depth, size_t *files)
{
    DIR *d = opendir(dir);
    double sum = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat info;
        char *path = bt_path_join(dir, e->d_name);
        bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (path && !dots && lstat(path, &info) == 0) {
            if (S_ISDIR(info.st_mode) && depth > 0) sum += disk_use(path, depth - 1, files);
            if (S_ISREG(info.st_mode)) {
                sum += (double)info.st_size;
                ++*files;
            }
        }
        free(path);
    }
    if (d) closedir(d);
    return sum;
}

static double disk_use_below(const char *dir, const char *name, size_t *files)
{
    char *path = bt_path_join(dir, name);
    *files = 0;
    double sum = path ? disk_use(path, 2, files) : 0;
    free(path);
    return sum;
}

/* ── metrics ── */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* At the step, else at the last one before it. NaN: none. */
static double value_at(const struct bt_series *s, int64_t step)
{
    double v = (double)NAN;
    for (size_t i = 0; i < s->n && (step < 0 || s->step[i] <= step); i++) v = s->value[i];
    return v;
}

static int64_t last_evaluation(const struct report *r)
{
    int64_t last = r->status.last_step;
    for (size_t i = 0; i < bt_series_count(r->events) && r->status.last_step < 0; i++) {
        const struct bt_series *s = bt_series_at(r->events, i);
        if (begins(s->tag, "eval/") && s->n && s->step[s->n - 1] > last) last = s->step[s->n - 1];
    }
    return last;
}

static void value_cell(struct cli_table *t, double v)
{
    char text[32] = "-";
    if (!isnan(v)) plot_value(text, sizeof text, v);
    cli_table_cell(t, "%s", text);
}

static void step_cell(struct cli_table *t, const char *what, int64_t step)
{
    if (step >= 0)
        cli_table_cell(t, "%s (step %lld)", what, (long long)step);
    else
        cli_table_cell(t, "%s", what);
}

static void metric_heads(struct cli_table *t, int64_t best, int64_t last)
{
    cli_line("%s", "");
    cli_table_cell(t, "metric");
    step_cell(t, "best", best);
    step_cell(t, "last", last);
}

static void tell_metrics(const struct report *r)
{
    struct cli_table t = {.columns = 3, .right = 1 << 1 | 1 << 2};
    int64_t best = r->status.best_step, last = last_evaluation(r);
    for (size_t i = 0; i < bt_series_count(r->events); i++) {
        const struct bt_series *s = bt_series_at(r->events, i);
        bool test = begins(s->tag, "test/");
        if (!test && !begins(s->tag, "eval/")) continue;
        if (t.n == 0) metric_heads(&t, best, last);
        cli_table_cell(&t, "%s", s->tag);
        value_cell(&t, test || best < 0 ? (double)NAN : value_at(s, best));
        value_cell(&t, value_at(s, test ? -1 : last));
    }
    cli_table_print(&t);
}

static void json_metrics_at(struct bt_json_writer *w, const struct report *r, const char *key,
                            const char *prefix, int64_t step)
{
    bt_jw_key(w, key);
    bt_jw_object(w);
    if (step >= 0) bt_jw_kint(w, "step", step);
    bt_jw_key(w, "metrics");
    bt_jw_object(w);
    for (size_t i = 0; i < bt_series_count(r->events); i++) {
        const struct bt_series *s = bt_series_at(r->events, i);
        double v = begins(s->tag, prefix) ? value_at(s, step) : (double)NAN;
        if (isnan(v)) continue;
        bt_jw_key(w, s->tag + strlen(prefix));
        bt_jw_float(w, (float)v);
    }
    bt_jw_end_object(w);
    bt_jw_end_object(w);
}

/* ── settings ── */

typedef void tell_setting(void *ctx, const char *key, const char *value);

static void each_setting(const struct report *r, tell_setting *tell_one, void *ctx)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    for (size_t i = 0; r->plain && i < n; i++) {
        struct bt_str text = {0};
        if (bt_experiment_equal(r->experiment, r->plain, &o[i])) continue;
        bt_experiment_get(r->experiment, &o[i], &text);
        tell_one(ctx, o[i].key, bt_str_text(&text));
        bt_str_free(&text);
    }
}

static void setting_row(void *ctx, const char *key, const char *value)
{
    cli_table_cell(ctx, "%s", key);
    cli_table_cell(ctx, "%s", value);
}

static void setting_member(void *ctx, const char *key, const char *value)
{
    bt_jw_ktext(ctx, key, value);
}

static void tell_settings(const struct report *r)
{
    struct cli_table t = {.columns = 2};
    each_setting(r, setting_row, &t);
    if (!t.n) return;
    cli_line("%s", "");
    cli_line("settings that are not the defaults");
    cli_table_print(&t);
}

/* ── files ── */

static void tell_files(const struct report *r)
{
    struct cli_table t = {.columns = 3, .right = 1 << 1};
    char size[32];
    size_t files;
    for (size_t i = 0; i < r->n_checkpoints; i++) {
        long long step = (long long)r->checkpoint[i];
        char *name = bt_strfmt("checkpoints/step-%06lld", step);
        cli_bytes(size, sizeof size, name ? disk_use_below(r->status.dir, name, &files) : 0);
        cli_table_cell(&t, "%s", name ? name : "");
        cli_table_cell(&t, "%s", size);
        cli_table_cell(&t, "%s%s", step == r->best ? "best " : "", step == r->last ? "last" : "");
        free(name);
    }
    double bytes = disk_use_below(r->status.dir, "predictions", &files);
    if (files) {
        cli_bytes(size, sizeof size, bytes);
        cli_table_cell(&t, "predictions");
        cli_table_cell(&t, "%s", size);
        cli_table_cell(&t, "%zu files", files);
    }
    cli_bytes(size, sizeof size, disk_use_below(r->status.dir, ".", &files));
    cli_table_cell(&t, "in all");
    cli_table_cell(&t, "%s", size);
    cli_table_cell(&t, "%zu files", files);
    cli_line("%s", "");
    cli_table_print(&t);
}

static void json_files(struct bt_json_writer *w, const struct report *r)
{
    size_t files;
    bt_jw_key(w, "checkpoints");
    bt_jw_array(w);
    for (size_t i = 0; i < r->n_checkpoints; i++) {
        char *name = bt_strfmt("checkpoints/step-%06lld", (long long)r->checkpoint[i]);
        bt_jw_object(w);
        bt_jw_kint(w, "step", r->checkpoint[i]);
        bt_jw_kint(w, "bytes", name ? (int64_t)disk_use_below(r->status.dir, name, &files) : 0);
        bt_jw_kbool(w, "best", r->checkpoint[i] == r->best);
        bt_jw_kbool(w, "last", r->checkpoint[i] == r->last);
        bt_jw_end_object(w);
        free(name);
    }
    bt_jw_end_array(w);
    bt_jw_kint(w, "bytes", (int64_t)disk_use_below(r->status.dir, ".", &files));
}

/* ── the command ── */

static void row(struct cli_table *t, const char *key, const char *value)
{
    cli_table_cell(t, "%s", key);
    cli_table_cell(t, "%s", value);
}

static void tell_status(const struct bt_run_status *s)
{
    struct cli_table t = {.columns = 2};
    char step[48], started[32], updated[32], left[32];
    cli_run_step(step, sizeof step, s);
    cli_time(started, sizeof started, s->started);
    cli_time(updated, sizeof updated, s->updated);
    cli_duration(left, sizeof left, s->eta_s);
    row(&t, "run", s->id);
    row(&t, "directory", s->dir);
    cli_table_cell(&t, "state");
    cli_run_state(&t, s);
    if (s->baseline) {
        cli_table_cell(&t, "baseline");
        cli_table_cell(&t, "%s, without a model", s->baseline);
    }
    if (s->error) row(&t, bt_run_state_alive(s->state) ? "warning" : "why", s->error);
    if (s->epochs > 0) {
        cli_table_cell(&t, "step");
        cli_table_cell(&t, "%s, epoch %.2f of %.4g", step, s->epoch, s->epochs);
    } else
        row(&t, "step", step);
    if (s->tokens_per_s > 0) {
        cli_table_cell(&t, "speed");
        cli_table_cell(&t, "%.0f tokens/s", s->tokens_per_s);
    }
    if (bt_run_state_alive(s->state)) row(&t, "left", left);
    row(&t, "started", started);
    row(&t, "updated", updated);
    if (s->host) row(&t, "host", s->host);
    if (s->steered) row(&t, "steered", "a setting was changed while it ran");
    if (s->notes.n_tags || s->notes.fault) {
        struct bt_str tags = {0};
        cli_run_tags(&tags, &s->notes);
        row(&t, "tags", bt_str_text(&tags));
        bt_str_free(&tags);
    }
    if (s->notes.note) row(&t, "note", s->notes.note);
    cli_table_print(&t);
}

static void tell_json(const struct report *r)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    cli_run_json(&w, &r->status);
    bt_jw_key(&w, "metrics");
    bt_jw_object(&w);
    if (r->status.best_step >= 0) json_metrics_at(&w, r, "best", "eval/", r->status.best_step);
    json_metrics_at(&w, r, "last", "eval/", last_evaluation(r));
    json_metrics_at(&w, r, "test", "test/", -1);
    bt_jw_end_object(&w);
    bt_jw_key(&w, "settings");
    bt_jw_object(&w);
    each_setting(r, setting_member, &w);
    bt_jw_end_object(&w);
    json_files(&w, r);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

int cmd_show(int argc, char **argv)
{
    const char *runs = "runs";
    const char *batch = NULL;
    bool json = false;
    const struct cli_option options[] = {
        CLI_TEXT("batch", 'b', "STEP", &batch, "the rows that a step trained on, with their losses"),
        CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = "show", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    struct report r = {0};
    char *dir = NULL;
    int64_t first = 0, last = 0;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (batch && !show_batch_steps(batch, &first, &last))
        return cli_misuse("show", "--batch: found \"%s\", expected a step from 1 or FIRST-LAST", batch);
    enum bt_status status = cli_run_find(runs, args.v[0], &dir, &err);
    if (status == BT_OK && batch) {
        status = show_batch(dir, first, last, json, &err);
        free(dir);
        return status == BT_OK ? CLI_DONE : cli_fail(&err);
    }
    if (status == BT_OK) status = collect(dir, &r, &err);
    if (status == BT_OK && json) tell_json(&r);
    if (status == BT_OK && !json) {
        tell_status(&r.status);
        tell_metrics(&r);
        tell_settings(&r);
        tell_files(&r);
    }
    report_free(&r);
    free(dir);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}
