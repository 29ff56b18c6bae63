/* bertty train: the engine in this process, or with --detach in one of its own. */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <bertty/train.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] = "Trains the model of an experiment file, in a run directory of its own. Without "
                            "--detach this process does the\n"
                            "work: the first Ctrl-C stops it with a checkpoint, the second one at once. With "
                            "--detach a process of its own\n"
                            "does: it goes on when the terminal is closed; `bertty runs` tells about it, "
                            "`bertty stop` and others steer it.\n"
                            "--resume RUN goes on from the newest intact checkpoint, --resume RUN@STEP from "
                            "that one, and comes to the same\n"
                            "bits as a run that never stopped.\n"
                            "With --queue the run waits until fewer runs are alive than the queue lets run "
                            "at a time (`bertty queue`).\n";

struct request {
    bool json, detach, force, queue;
    const char *experiment, *name, *runs, *resume, *queued;
    struct cli_list set;
    int64_t announce;
};

/* ── progress ── */

static void clock_text(double seconds, char *out, size_t size)
{
    if (!isfinite(seconds) || seconds < 0.0)
        snprintf(out, size, "?");
    else if (seconds < 3600.0)
        snprintf(out, size, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out, size, "%dh%02dm", (int)(seconds / 3600.0), (int)seconds / 60 % 60);
}

static void tell_step(const struct bt_progress *p)
{
    char left[24];
    clock_text(p->eta_s, left, sizeof left);
    if (cli_on_terminal())
        cli_progress("step %lld/%lld  epoch %.2f  loss %.4f  %.0f tokens/s  %s left", (long long)p->step,
                     (long long)p->total, p->epoch, p->loss, p->tokens_per_s, left);
    else
        cli_line("step %lld/%lld  epoch %.2f  loss %.4f  %.0f tokens/s  %s left", (long long)p->step,
                 (long long)p->total, p->epoch, p->loss, p->tokens_per_s, left);
}

/* A terminal that takes nothing at the moment: what would only be dropped is not made. */
static bool terminal_waits(void)
{
    struct pollfd p[] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {.fd = STDERR_FILENO, .events = POLLOUT}};
    if (poll(p, 2, 0) < 0) return false;
    for (int i = 0; i < 2; i++)
        if (isatty(p[i].fd) && !(p[i].revents & (POLLOUT | POLLERR | POLLHUP))) return true;
    return false;
}

static void tell(void *ctx, const struct bt_progress *p)
{
    (void)ctx;
    if (terminal_waits()) return;
    switch (p->kind) {
    case BT_PROGRESS_TEXT:
        cli_line("%s", p->text);
        break;
    case BT_PROGRESS_START:
        cli_line("run %s", p->dir);
        break;
    case BT_PROGRESS_STEP:
        tell_step(p);
        break;
    case BT_PROGRESS_EVAL:
        cli_line("%s", p->text);
        break;
    case BT_PROGRESS_SAVED:
        cli_line("checkpoint %s saved", p->text);
        break;
    case BT_PROGRESS_WARNING:
        cli_warn("%s", p->text);
        break;
    }
}

static void put_metrics(struct bt_json_writer *w, const struct bt_metrics *m)
{
    bt_jw_object(w);
    for (size_t i = 0; i < m->n; i++) bt_jw_knum(w, m->item[i].name, m->item[i].value);
    bt_jw_end_object(w);
}

static void json_numbers(struct bt_json_writer *w, const struct bt_progress *p)
{
    bt_jw_kint(w, "step", p->step);
    bt_jw_kint(w, "total", p->total);
    bt_jw_knum(w, "epoch", p->epoch);
    if (p->kind == BT_PROGRESS_STEP) {
        bt_jw_knum(w, "loss", p->loss);
        bt_jw_knum(w, "learning_rate", p->learning_rate);
        bt_jw_knum(w, "tokens_per_s", p->tokens_per_s);
        bt_jw_knum(w, "eta_s", p->eta_s);
    }
}

/* One object a line: {"event": "step", …}. */
static void tell_json(void *ctx, const struct bt_progress *p)
{
    static const char *const names[] = {
        [BT_PROGRESS_TEXT] = "text", [BT_PROGRESS_START] = "start",      [BT_PROGRESS_STEP] = "step",
        [BT_PROGRESS_EVAL] = "eval", [BT_PROGRESS_SAVED] = "checkpoint", [BT_PROGRESS_WARNING] = "warning"};
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bool words = p->kind == BT_PROGRESS_TEXT || p->kind == BT_PROGRESS_WARNING;
    (void)ctx;
    if (terminal_waits()) return;
    bt_jw_object(&w);
    bt_jw_ktext(&w, "event", names[p->kind]);
    if (words) bt_jw_ktext(&w, "text", p->text);
    if (p->kind == BT_PROGRESS_START) bt_jw_ktext(&w, "dir", p->dir);
    if (p->kind == BT_PROGRESS_SAVED) bt_jw_ktext(&w, "checkpoint", p->text);
    if (!words) json_numbers(&w, p);
    if (p->kind == BT_PROGRESS_EVAL) {
        bt_jw_ktext(&w, "split", p->split);
        bt_jw_kbool(&w, "best", p->best);
        bt_jw_key(&w, "metrics");
        put_metrics(&w, p->metrics);
    }
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static bool interrupted(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

/* ── the result ── */

static void json_mark(struct bt_json_writer *w, const char *key, int64_t step, const struct bt_metrics *m)
{
    bt_jw_key(w, key);
    if (step < 0) {
        bt_jw_null(w);
        return;
    }
    bt_jw_object(w);
    bt_jw_kint(w, "step", step);
    bt_jw_key(w, "metrics");
    put_metrics(w, m);
    bt_jw_end_object(w);
}

static void json_result(const struct bt_train_result *r, const char *error)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "state", r->state);
    bt_jw_ktext(&w, "run", r->id);
    bt_jw_ktext(&w, "dir", r->dir);
    json_mark(&w, "best", r->best_step, &r->best);
    json_mark(&w, "last", r->last_step, &r->last);
    if (r->test.n) {
        bt_jw_key(&w, "test");
        bt_jw_object(&w);
        bt_jw_key(&w, "metrics");
        put_metrics(&w, &r->test);
        bt_jw_end_object(&w);
    }
    bt_jw_kint(&w, "train_tokens", r->train_tokens);
    bt_jw_knum(&w, "train_seconds", r->train_seconds);
    bt_jw_knum(&w, "tokens_per_s", r->tokens_per_s);
    bt_jw_knum(&w, "max_rss_mib", r->max_rss_mib);
    if (error) bt_jw_ktext(&w, "error", error);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_result(const struct bt_train_result *r)
{
    cli_line("%s: %s", r->state, r->dir);
    cli_line("%lld tokens in %.1f s of training: %.0f tokens/s; at most %.0f MiB of memory",
             (long long)r->train_tokens, r->train_seconds, r->tokens_per_s, r->max_rss_mib);
    if (r->best_step >= 0)
        cli_line("validation %s %.4f (best, step %lld)", r->metric, bt_metrics_get(&r->best, r->metric),
                 (long long)r->best_step);
    if (r->test.n) cli_line("test %s %.4f", r->metric, bt_metrics_get(&r->test, r->metric));
}

/* ── the command ── */

static int end(const struct request *q, enum bt_status st, const struct bt_train_result *r,
               const struct bt_error *err)
{
    if (q->json && r->dir) json_result(r, st ? err->text : NULL);
    if (st) return cli_fail(err);
    if (!q->json) tell_result(r);
    return cli_interrupted() ? CLI_INTERRUPTED : CLI_DONE;
}

/* What fails before the engine begins: whoever launched us waits for a word. */
static void announce_failure(const struct request *q, const struct bt_error *err)
{
    char *line = q->announce >= 0 ? bt_strfmt("!%s\n", err->text) : NULL;
    if (line && !bt_write_all((int)q->announce, line, strlen(line))) cli_warn("nobody waits for the run");
    free(line);
}

/* The run has ended, in whatever way: room for the next. */
static void let_queue_go_on(const struct bt_train_result *r, bool json)
{
    struct bt_queue_taken taken;
    if (!r->dir || cli_terminated()) return;
    char *runs = bt_path_above(r->dir), *by = bt_strfmt("the engine of %s", r->id);
    if (runs && by) {
        (void)cli_queue_take(runs, by, r->dir, &taken);
        for (size_t i = 0; i < taken.n && !json; i++)
            cli_line("the queue goes on: started %s", bt_path_base(taken.dir[i]));
        bt_queue_taken_clear(&taken);
    }
    free(runs);
    free(by);
}

static int train_here(const struct request *q, const char *dir, int64_t step)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_train_result result = {.state = "failed", .best_step = -1, .last_step = -1};
    enum bt_status st = dir ? BT_OK : cli_experiment(q->experiment, &q->set, &x, &err);
    struct bt_train_request r = {.experiment = x,
                                 .name = q->name,
                                 .runs_dir = q->runs,
                                 .resume = dir,
                                 .resume_step = step,
                                 .force = q->force,
                                 .queued = q->queued,
                                 .announce = (int)q->announce,
                                 .progress = q->json ? tell_json : tell,
                                 .interrupted = interrupted};
    cli_flush_lines(true);
    cli_catch_interrupts();
    if (st) announce_failure(q, &err);
    cli_never_wait(true);
    if (!st) st = bt_train(&r, &result, &err);
    cli_never_wait(false);
    let_queue_go_on(&result, q->json);
    int code = end(q, st, &result, &err);
    bt_train_result_clear(&result);
    bt_experiment_free(x);
    return code;
}

/* A process of its own; dir and step as of bt_run_find, NULL for a new run. */
static int launch(const struct request *q, const char *dir, int64_t step)
{
    struct bt_error err = {.status = BT_OK};
    char *started = NULL,
         *from = dir && step >= 0 ? bt_strfmt("%s@%lld", dir, (long long)step) : bt_strdup(dir);
    struct bt_launch l = {.experiment = q->experiment,
                          .set = q->set.item,
                          .n_set = q->set.n,
                          .name = q->name,
                          .runs_dir = q->runs,
                          .resume = from,
                          .force = q->force};
    enum bt_status st = bt_run_launch(&l, &started, &err);
    free(from);
    if (st) return cli_fail(&err);
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", bt_path_base(started));
    bt_jw_ktext(&w, "dir", started);
    bt_jw_end_object(&w);
    if (q->json)
        cli_json(&out);
    else
        cli_line("run %s", started);
    bt_str_free(&out);
    free(started);
    return CLI_DONE;
}

/* A run that waits for its turn. */
static int enqueue(const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    char *dir = NULL;
    enum bt_status st = cli_experiment(q->experiment, &q->set, &x, &err);
    if (!st) st = bt_queue_add(x, q->name, q->runs, &dir, &err);
    bt_experiment_free(x);
    int code = st ? cli_fail(&err) : cli_queue_added(dir, q->json);
    free(dir);
    return code;
}

/* RUN, RUN@STEP, RUN@best or RUN@last. */
static enum bt_status find_run(const struct request *q, char **dir, int64_t *step, struct bt_error *err)
{
    char *path = NULL;
    enum bt_status st = bt_run_find(q->runs ? q->runs : "runs", q->resume, dir, step, err);
    if (!st && *step < BT_STEP_NONE) st = bt_run_checkpoint(*dir, *step, &path, step, err);
    free(path);
    return st;
}

static int train(const struct request *q)
{
    char *dir = NULL;
    int64_t step = BT_STEP_NONE;
    struct bt_error err = {.status = BT_OK};
    if (q->queue) return enqueue(q);
    if (q->resume && find_run(q, &dir, &step, &err)) {
        announce_failure(q, &err);
        free(dir);
        return cli_fail(&err);
    }
    int code = q->detach ? launch(q, dir, step) : train_here(q, dir, step);
    free(dir);
    return code;
}

static int misused(const struct request *q)
{
    if (!q->experiment && !q->resume)
        return cli_misuse("train", "expected an experiment file or --resume RUN");
    if (q->experiment && q->resume)
        return cli_misuse("train", "an experiment file and --resume together: a run has its own");
    if (q->resume && (q->name || q->set.n))
        return cli_misuse("train", "--name and --set do not go with --resume: a run stays what it is");
    if (q->queue && q->resume)
        return cli_misuse("train",
                          "--queue does not go with --resume: `bertty resume RUN --queue` does that");
    if (q->queue && q->detach)
        return cli_misuse("train", "--queue and --detach together: a queued run is detached when it starts");
    if (q->force && !q->resume) return cli_misuse("train", "--force goes with --resume only");
    return CLI_DONE;
}

int cmd_train(int argc, char **argv)
{
    struct request q = {.announce = -1};
    const struct cli_option options[] = {
        CLI_LIST("set", 's', "KEY=VALUE", &q.set,
                 "change an option of the file: --set optim.learning_rate=5e-5"),
        CLI_TEXT("name", 'n', "NAME", &q.name, "the run's name (default: the experiment's, and the time)"),
        CLI_TEXT("runs", 0, "DIR", &q.runs, "where the runs are (default: the experiment's run.output_dir)"),
        CLI_TEXT("resume", 'r', "RUN", &q.resume, "go on with a run: an id, a path, RUN@STEP"),
        CLI_FLAG("force", 'f', &q.force, "resume although the data changed or the optimiser was not saved"),
        CLI_FLAG("detach", 'd', &q.detach,
                 "train in a process of its own, and return once it has its directory"),
        CLI_FLAG("queue", 'q', &q.queue, "let it wait in the queue until there is room, and return at once"),
        CLI_TEXT("queued", 0, "BY", &q.queued, NULL), /* bt_queue_take() takes only what still waits */
        CLI_JSON(&q.json),
        CLI_INT("announce", 0, "FD", &q.announce, 3, 1023,
                NULL), /* bt_run_launch() waits for the directory */
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "train", .about = about, .options = options, .min_args = 0, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) {
        free(q.set.item);
        return code;
    }
    q.experiment = args.n ? args.v[0] : NULL;
    code = misused(&q);
    if (code == CLI_DONE) code = train(&q);
    free(q.set.item);
    return code;
}
