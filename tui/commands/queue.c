/* bertty queue: what waits, and what becomes of it. */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <bertty/file.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Runs wait in their runs directory: `bertty train FILE --queue` and `bertty resume RUN --queue` put them "
    "there. When one\n"
    "ends, its engine starts the next; if it was killed, the workbench does, or the next of limit, go, run "
    "and "
    "--queue. Runs that\n"
    "were launched without the queue count as running. Alone, the command lists what waits, in order.\n"
    "\n"
    "  up, down, first, last RUN   change the order\n"
    "  remove RUN…                 out of the queue: the run is stopped\n"
    "  limit N                     so many runs at a time on this machine, 1 to 64 (at first 1)\n"
    "  pause, go                   start nothing from now on, or go on\n"
    "  run [RUN]                   start what can be started now; with RUN that one at once, whatever the "
    "limit\n";

struct request {
    const char *runs;
    bool json;
    char **arg; /* behind the word */
    int n;
    struct bt_queue_taken taken;
};

/* ── telling ── */

static bool elsewhere(const struct bt_run_status *s)
{
    char host[65] = "";
    (void)!gethostname(host, sizeof host - 1);
    return s->host && strcmp(s->host, host) != 0;
}

static void json_list(struct bt_json_writer *w, const struct bt_queue *q)
{
    bt_jw_key(w, "queue");
    bt_jw_array(w);
    for (size_t i = 0; i < q->n; i++) {
        bt_jw_object(w);
        cli_run_json(w, q->run[i]);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void tell_json(const struct request *r, const struct bt_queue *q)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "limit", q->limit);
    bt_jw_kbool(&w, "held", q->held);
    bt_jw_kint(&w, "alive", (int64_t)q->alive);
    bt_jw_key(&w, "started");
    bt_jw_array(&w);
    for (size_t i = 0; i < r->taken.n; i++) bt_jw_text(&w, bt_path_base(r->taken.dir[i]));
    bt_jw_end_array(&w);
    json_list(&w, q);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_table(const struct bt_queue *q)
{
    static const char *const heads[] = {"#", "RUN", "STEP", "QUEUED", "ON"};
    struct cli_table t = {.columns = 4, .right = 1 | 1 << 2};
    for (size_t i = 0; i < q->n; i++)
        if (elsewhere(q->run[i])) t.columns = 5;
    for (size_t i = 0; i < t.columns; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < q->n; i++) {
        const struct bt_run_status *s = q->run[i];
        char step[48], since[32];
        cli_run_step(step, sizeof step, s);
        cli_time(since, sizeof since, s->updated);
        cli_table_cell(&t, "%lld", (long long)s->place);
        cli_table_cell(&t, "%s", s->id);
        cli_table_cell(&t, "%s", step);
        cli_table_cell(&t, "%s", since);
        if (t.columns == 5) cli_table_cell(&t, "%s", s->host ? s->host : "-");
    }
    cli_table_print(&t);
}

static void tell(const struct request *r, const struct bt_queue *q)
{
    for (size_t i = 0; i < r->taken.n; i++) cli_line("started %s", r->taken.dir[i]);
    if (q->n == 0)
        cli_line("nothing is queued in %s: `bertty train FILE --queue` does that", r->runs);
    else
        tell_table(q);
    cli_line("%zu running, %lld at a time%s", q->alive, (long long)q->limit,
             q->held ? "; held: `bertty queue go` lets it go on" : "");
}

static int show(const struct request *r)
{
    struct bt_queue q;
    struct bt_error err = {.status = BT_OK};
    enum bt_status st = bt_queue_load(r->runs, &q, &err);
    if (!st && r->json)
        tell_json(r, &q);
    else if (!st)
        tell(r, &q);
    bt_queue_clear(&q);
    return st ? cli_fail(&err) : CLI_DONE;
}

/* ── doing ── */

static int take(struct request *r)
{
    return cli_queue_take(r->runs, "bertty queue", NULL, &r->taken) ? CLI_FAILED : CLI_DONE;
}

static int move(struct request *r, int how)
{
    struct bt_error err = {.status = BT_OK};
    char *dir = NULL;
    enum bt_status st = cli_run_find(r->runs, r->arg[0], &dir, &err);
    if (!st) st = bt_queue_move(dir, (enum bt_queue_move)how, NULL, &err);
    free(dir);
    return st ? cli_fail(&err) : CLI_DONE;
}

static int take_out(struct request *r, int unused)
{
    int code = CLI_DONE;
    (void)unused;
    for (int i = 0; i < r->n; i++) {
        struct bt_error err = {.status = BT_OK};
        char *dir = NULL;
        enum bt_status st = cli_run_find(r->runs, r->arg[i], &dir, &err);
        if (!st) st = bt_queue_remove(dir, &err);
        if (st) code = cli_fail(&err);
        free(dir);
    }
    return code;
}

static int limit(struct request *r, int unused)
{
    struct bt_error err = {.status = BT_OK};
    int64_t n;
    (void)unused;
    if (!bt_parse_int64(r->arg[0], &n) || n < 1 || n > BT_QUEUE_MOST)
        return cli_misuse("queue", "limit '%s': expected a number from 1 to %d", r->arg[0], BT_QUEUE_MOST);
    return bt_queue_limit(r->runs, n, &err) ? cli_fail(&err) : take(r);
}

static int hold(struct request *r, int held)
{
    struct bt_error err = {.status = BT_OK};
    if (bt_queue_hold(r->runs, held != 0, &err)) return cli_fail(&err);
    return held ? CLI_DONE : take(r);
}

/* A person has asked: what was queued on another machine may start here too. */
static int run(struct request *r, int unused)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_queue_taking how = {
        .runs_dir = r->runs, .by = "bertty queue run", .anywhere = true, .patience_s = 60};
    char *dir = NULL, *above = NULL;
    (void)unused;
    enum bt_status st = r->n ? cli_run_find(r->runs, r->arg[0], &dir, &err) : BT_OK;
    if (!st && dir) {
        how.only = dir;
        how.runs_dir = above = bt_path_above(dir);
        if (!above) st = bt_fail(&err, BT_NOMEM, "no memory");
    }
    if (!st) st = bt_queue_take(&how, &r->taken, &err);
    free(dir);
    free(above);
    return st ? cli_fail(&err) : CLI_DONE;
}

/* ── the command ── */

struct deed {
    const char *word;
    int least, most; /* arguments; most −1: any number */
    const char *what;
    int (*run)(struct request *r, int how);
    int how;
};

static const struct deed deeds[] = {
    {.word = "up", .least = 1, .most = 1, .what = "a RUN", .run = move, .how = BT_QUEUE_UP},
    {.word = "down", .least = 1, .most = 1, .what = "a RUN", .run = move, .how = BT_QUEUE_DOWN},
    {.word = "first", .least = 1, .most = 1, .what = "a RUN", .run = move, .how = BT_QUEUE_FIRST},
    {.word = "last", .least = 1, .most = 1, .what = "a RUN", .run = move, .how = BT_QUEUE_LAST},
    {.word = "remove", .least = 1, .most = -1, .what = "a RUN", .run = take_out},
    {.word = "limit", .least = 1, .most = 1, .what = "a number", .run = limit},
    {.word = "pause", .what = "nothing", .run = hold, .how = 1},
    {.word = "go", .what = "nothing", .run = hold},
    {.word = "run", .most = 1, .what = "a RUN or nothing", .run = run},
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

static int unknown(const char *word)
{
    const char *names[DEEDS];
    for (size_t i = 0; i < DEEDS; i++) names[i] = deeds[i].word;
    const char *near = bt_nearest(word, names, DEEDS);
    if (near) return cli_misuse("queue", "no '%s' here (did you mean '%s'?)", word, near);
    return cli_misuse("queue", "no '%s' here: `bertty queue --help` lists what there is", word);
}

static int act(struct request *r, const char *word)
{
    const struct deed *d = NULL;
    for (size_t i = 0; i < DEEDS; i++)
        if (strcmp(deeds[i].word, word) == 0) d = &deeds[i];
    if (!d) return unknown(word);
    if (r->n < d->least || (d->most >= 0 && r->n > d->most))
        return cli_misuse("queue", "%s: expected %s behind it", word, d->what);
    int code = d->run(r, d->how);
    return code == CLI_DONE ? show(r) : code;
}

int cmd_queue(int argc, char **argv)
{
    struct request r = {.runs = "runs"};
    const struct cli_option options[] = {CLI_JSON(&r.json), CLI_RUNS(&r.runs), CLI_END};
    const struct cli_spec spec = {.command = "queue", .about = about, .options = options, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    r.arg = args.v + 1;
    r.n = args.n - 1;
    code = args.n ? act(&r, args.v[0]) : show(&r);
    bt_queue_taken_clear(&r.taken);
    return code;
}
