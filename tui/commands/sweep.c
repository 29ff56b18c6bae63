/* bertty sweep: from an experiment file to a study whose trials run. */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/file.h>
#include <bertty/study.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "The file says what is to be tried, beside the settings that all trials share:\n"
    "\n"
    "  sweep:\n"
    "    search: grid              every combination; or random, with trials: N and seed: N\n"
    "    options:                  lists, or ranges; those of a grid have steps: N\n"
    "      optim.learning_rate: {min: 1e-5, max: 1e-4, scale: log, steps: 4}\n"
    "      train.train_batch_size: [16, 32]\n"
    "    seeds: [42, 43, 44]       each combination with each of them\n"
    "    stopping: asha            one of reduction_factor (3) goes on from each of rungs (2); or median: "
    "what falls behind "
    "ends\n"
    "                              (startup_trials: 5, warmup_fraction: 0.2); or none\n"
    "    metric: accuracy          of the evaluations (default: eval.metric_for_best_model)\n"
    "    max_tokens: 5e6           nothing more is started then; likewise max_time: 2h, of training\n"
    "\n"
    "Trials are ordinary runs. They are started when nothing else is queued, as many at a time as the queue "
    "lets run, and whoever ends a run "
    "starts the\n"
    "next: nothing watches over them, and nothing is lost when an engine dies. The same command again adds "
    "what the file has that the study "
    "has not.\n"
    "`bertty study` tells how it stands.\n";

struct request {
    const char *file, *name, *runs;
    struct cli_list set;
    bool dry, json;
};

static void tell_json(const struct request *r, const struct bt_study_outline *o,
                      const struct bt_queue_taken *taken)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "study", o->name);
    bt_jw_ktext(&w, "runs_dir", o->runs_dir);
    bt_jw_kint(&w, "had", (int64_t)o->had);
    bt_jw_kint(&w, "added", (int64_t)o->n);
    bt_jw_kbool(&w, "dry_run", r->dry);
    bt_jw_key(&w, "trials");
    bt_jw_array(&w);
    for (size_t i = 0; i < o->n; i++) {
        bt_jw_array(&w);
        for (size_t k = 0; k < o->trial[i].n; k++) bt_jw_text(&w, o->trial[i].item[k]);
        bt_jw_end_array(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_key(&w, "started");
    bt_jw_array(&w);
    for (size_t i = 0; i < taken->n; i++) bt_jw_text(&w, bt_path_base(taken->dir[i]));
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell(const struct request *r, const struct bt_study_outline *o,
                 const struct bt_queue_taken *taken)
{
    for (size_t i = 0; i < o->n && r->dry; i++) {
        struct bt_str line = {0};
        for (size_t k = 0; k < o->trial[i].n; k++) bt_str_addf(&line, "  %s", o->trial[i].item[k]);
        cli_line("%zu%s", o->had + i + 1, bt_str_text(&line));
        bt_str_free(&line);
    }
    cli_line("study %s: %zu trial%s%s%s", o->name, o->n, o->n == 1 ? "" : "s", o->had ? " more" : "",
             r->dry ? "; nothing was made" : "");
    for (size_t i = 0; i < taken->n; i++) cli_line("started %s", bt_path_base(taken->dir[i]));
    if (!r->dry && !taken->n) cli_line("nothing was started now: `bertty queue` tells what runs and waits");
}

static enum bt_status begin(const struct request *r, struct bt_study_outline *o, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    struct bt_sweep sweep = {.n = 0};
    enum bt_status st = cli_experiment(r->file, &r->set, &x, err);
    if (!st) st = bt_sweep_load(r->file, &sweep, err);
    const struct bt_study_request what = {
        .experiment = x, .sweep = &sweep, .name = r->name, .runs_dir = r->runs};
    if (!st) st = bt_study_begin(&what, r->dry, o, err);
    bt_sweep_clear(&sweep);
    bt_experiment_free(x);
    return st;
}

static int sweep_file(const struct request *r)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_study_outline o = {.n = 0};
    struct bt_queue_taken taken = {.n = 0};
    enum bt_status st = begin(r, &o, &err);
    if (!st && !r->dry) (void)cli_queue_take(o.runs_dir, "bertty sweep", NULL, &taken);
    if (!st && r->json)
        tell_json(r, &o, &taken);
    else if (!st)
        tell(r, &o, &taken);
    bt_queue_taken_clear(&taken);
    bt_study_outline_clear(&o);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_sweep(int argc, char **argv)
{
    struct request r = {.dry = false};
    const struct cli_option options[] = {
        CLI_TEXT("name", 'n', "STUDY", &r.name, "what the study is called (default: as its experiment)"),
        CLI_LIST("set", 's', "KEY=VALUE", &r.set, "a setting of all trials instead of the file's"),
        CLI_TEXT("runs", 0, "DIR", &r.runs, "where its runs lie (default: the experiment's run.output_dir)"),
        CLI_FLAG("dry-run", 0, &r.dry, "list the trials, and make nothing"),
        CLI_JSON(&r.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "sweep", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    r.file = args.v[0];
    code = sweep_file(&r);
    free(r.set.item);
    return code;
}
