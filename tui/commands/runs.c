/* bertty runs */
#include "tui/commands/cli_run.h"
#include "tui/commands/runs_groups.h"
#include "tui/plot.h"
#include <bertty/run_filter.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char about[] =
    "Each run's state, step, best value of the metric that decides, last training loss, and start; the "
    "newest "
    "first.\n"
    "A run whose process is gone is lost; `bertty show RUN` says why. Other tools' TensorBoard logs are "
    "unknown.\n"
    "\n"
    "--sort: started, name, state, updated, metric (or best), last, loss, step, epoch, progress, speed, "
    "left, "
    "age, a figure (accuracy,\n"
    "last.accuracy, train/grad_norm), a number of the settings (cfg.learning_rate). What is best comes "
    "first.\n"
    "\n"
    "--filter, as in the Runs view:\n"
    "  imdb \"two words\"         in the id, the name or the state\n"
    "  state:failed tag:base    also note: name: host: error: (= instead of : is the whole of it)\n"
    "  metric>0.8 age<24        metric or best, last, loss, step, epoch, progress, speed, left and age "
    "(hours)\n"
    "  accuracy>0.9             any figure, the best value of it; last.accuracy: its last one\n"
    "  cfg.learning_rate>=1e-3  any setting, with or without its group; cfg.optim:sgd\n"
    "  /^imdb-[0-9]+$/          an extended regular expression; note:/…/ on one field\n"
    "  -WORD, A B, A or B, ( )  not, both, one of them\n";

/* What is asked for. */
struct wish {
    const char *runs, *sort, *filter_text;
    int state; /* of state_names; −1: any */
    bool json, reverse, all, groups;
    struct bt_run_filter *filter; /* owned */
    struct bt_run_key key;        /* of sort; owned */
    int order;                    /* of orders; ORDERS: by key */
};

/* The state filter's choices: those of BT_RUN_STATES, in its order, and two of our own behind them. */
static const char *const state_names[] = {
#define X(name, text, alive) text,
    BT_RUN_STATES(X)
#undef X
        "alive",
    "ended", NULL};
enum { ALIVE = BT_RUN_UNKNOWN + 1, ENDED };

/* ── order ── */

enum { BY_STARTED, BY_NAME, BY_STATE, ORDERS };
static const char *const order_names[ORDERS] = {
    [BY_STARTED] = "started", [BY_NAME] = "name", [BY_STATE] = "state"};

struct sorting {
    const struct wish *wish;
    const struct bt_facts *facts;
    double now;
};

static int as_listed(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return (a > b) - (a < b);
}

static int greatest_first(double a, double b, bool reverse)
{
    bool no_a = isnan(a), no_b = isnan(b);
    if (no_a || no_b) return no_a - no_b; /* without a value: last, either way */
    return reverse ? (a > b) - (a < b) : (a < b) - (a > b);
}

static bool loss(const struct bt_run_status *s)
{
    return s->metric && strcmp(s->metric, "loss") == 0;
}

static int by_key(const struct sorting *o, const struct bt_run_status *a, const struct bt_run_status *b)
{
    const struct bt_run_key *k = &o->wish->key;
    struct bt_run_facts f = bt_facts_of(o->facts, a->dir), g = bt_facts_of(o->facts, b->dir);
    double x = bt_run_key_number(k, a, &f, o->now), y = bt_run_key_number(k, b, &g, o->now);
    bool falls = bt_run_key_falls(k) || (k->column == BT_RUN_BEST && loss(a) && loss(b));
    return greatest_first(x, y, falls != o->wish->reverse);
}

static int ordered(const void *a, const void *b, void *ctx)
{
    const struct sorting *o = ctx;
    const struct bt_run_status *x = *(const struct bt_run_status *const *)a,
                               *y = *(const struct bt_run_status *const *)b;
    int way = o->wish->reverse ? -1 : 1, c = 0;
    if (o->wish->order == BY_STARTED) return way * as_listed(x, y);
    if (o->wish->order == BY_NAME) c = way * strcmp(x->id, y->id);
    if (o->wish->order == BY_STATE) c = way * (int)((x->state > y->state) - (x->state < y->state));
    if (o->wish->order == ORDERS) c = by_key(o, x, y);
    return c ? c : as_listed(x, y);
}

static bool in_state(const struct bt_run_status *s, int state)
{
    if (state < 0) return true;
    if (state == ALIVE) return bt_run_state_alive(s->state);
    if (state == ENDED) return bt_run_state_ended(s->state);
    return (int)s->state == state;
}

/* ── which runs ── */

struct found {
    const struct bt_run_status **run; /* [n] pointers into the list, in order; owned */
    size_t n, hidden;                 /* hidden: left out for their tag alone */
};

static enum bt_status arrange(const struct bt_run_list *l, const struct wish *w, const struct bt_facts *facts,
                              struct found *out, struct bt_error *err)
{
    struct sorting order = {.wish = w, .facts = facts, .now = (double)time(NULL)};
    bool hidden = w->all || bt_run_filter_hidden(w->filter);
    out->run = calloc(l->n + 1, sizeof *out->run);
    if (!out->run) return bt_fail(err, BT_NOMEM, "no memory for %zu runs", l->n);
    for (size_t i = 0; i < l->n; i++) {
        const struct bt_run_status *s = &l->run[i];
        struct bt_run_facts f = bt_facts_of(facts, s->dir);
        if (!in_state(s, w->state) || !bt_run_filter_match(w->filter, s, &f, order.now)) continue;
        if (hidden || !bt_notes_tagged(&s->notes, BT_TAG_HIDDEN))
            out->run[out->n++] = s;
        else
            out->hidden++;
    }
    if (out->n) qsort_r(out->run, out->n, sizeof *out->run, ordered, &order);
    return BT_OK;
}

static enum bt_status learn(const struct bt_run_list *l, unsigned need, struct bt_facts **out,
                            struct bt_error *err)
{
    struct bt_facts_wish *wish = need ? calloc(l->n + 1, sizeof *wish) : NULL;
    *out = NULL;
    if (!need) return BT_OK;
    if (!wish) return bt_fail(err, BT_NOMEM, "no memory for %zu runs", l->n);
    for (size_t i = 0; i < l->n; i++) wish[i] = (struct bt_facts_wish){.dir = l->run[i].dir, .need = need};
    enum bt_status st = bt_facts_read(wish, l->n, NULL, NULL, out, err);
    free(wish);
    return st;
}

/* ── output ── */

static void value_or_dash(char *out, size_t size, double v)
{
    if (isnan(v))
        memcpy(out, "-", 2);
    else
        plot_value(out, size, v);
}

static bool any_tags(const struct found *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->run[i]->notes.n_tags) return true;
    return false;
}

static void tell_run(struct cli_table *t, const struct bt_run_status *s)
{
    char step[48], best[32], last_loss[32], started[32], left[32] = "";
    cli_run_step(step, sizeof step, s);
    value_or_dash(best, sizeof best, s->best);
    value_or_dash(last_loss, sizeof last_loss, s->train_loss);
    cli_time(started, sizeof started, s->started);
    if (bt_run_state_alive(s->state)) cli_duration(left, sizeof left, s->eta_s);
    cli_table_cell(t, "%s", s->id);
    cli_run_state(t, s);
    cli_table_cell(t, "%s", step);
    cli_table_cell(t, "%s", best);
    cli_table_cell(t, "%s", s->metric ? s->metric : "-");
    cli_table_cell(t, "%s", last_loss);
    cli_table_cell(t, "%s", started);
    cli_table_cell(t, "%s", left);
}

static void tell(const struct found *f)
{
    static const char *const heads[] = {"RUN",  "STATE",   "STEP", "BEST", "METRIC",
                                        "LOSS", "STARTED", "LEFT", "TAGS"};
    bool tags = any_tags(f);
    struct cli_table t = {.columns = 8 + (size_t)tags, .right = 1 << 2 | 1 << 3 | 1 << 5};
    for (size_t i = 0; i < t.columns; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < f->n; i++) {
        struct bt_str text = {0};
        tell_run(&t, f->run[i]);
        cli_run_tags(&text, &f->run[i]->notes);
        if (tags) cli_table_cell(&t, "%s", bt_str_text(&text));
        bt_str_free(&text);
    }
    cli_table_print(&t);
}

static void tell_json(const struct found *f)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_key(&w, "runs");
    bt_jw_array(&w);
    for (size_t i = 0; i < f->n; i++) {
        bt_jw_object(&w);
        cli_run_json(&w, f->run[i]);
        bt_jw_end_object(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_kint(&w, "hidden", (int64_t)f->hidden);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

/* The runs that were found, as places in the list. */
static enum bt_status tell_groups(const struct found *f, const struct bt_run_list *l,
                                  const struct bt_facts *facts, const struct wish *w, struct bt_error *err)
{
    size_t *row = calloc(f->n + 1, sizeof *row);
    if (!row) return bt_fail(err, BT_NOMEM, "no memory for %zu runs", f->n);
    for (size_t i = 0; i < f->n; i++) row[i] = (size_t)(f->run[i] - l->run);
    bool falls = f->n && loss(f->run[0]);
    const struct runs_groups_wish how = {
        .json = w->json, .by_mean = w->key.column == BT_RUN_BEST, .least_first = falls != w->reverse};
    enum bt_status st = runs_tell_groups(l, row, f->n, facts, &how, err);
    free(row);
    return st;
}

static void tell_people(const struct found *f, const struct wish *w, size_t all)
{
    if (f->n && !w->groups) tell(f);
    if (!all)
        cli_line("no runs in %s yet: `bertty train EXPERIMENT.yaml` makes one", w->runs);
    else if (!f->n && !f->hidden)
        cli_line("none of the %zu runs in %s is %s", all, w->runs,
                 w->filter_text ? "what the filter asks for" : "in that state");
    if (f->hidden) cli_line("%zu hidden: --all shows them", f->hidden);
}

/* ── the command ── */

/* An order's name, or the name of a figure. */
static enum bt_status understand(struct wish *w, struct bt_error *err)
{
    enum bt_status st = bt_run_filter_parse(w->filter_text ? w->filter_text : "", &w->filter, err);
    if (st) return bt_error_prefix(err, st, "--filter");
    w->order = 0;
    while (w->order < ORDERS && strcmp(order_names[w->order], w->sort) != 0) w->order++;
    if (w->order < ORDERS) return BT_OK;
    st = bt_run_key_parse(w->sort, &w->key, err);
    return st ? bt_error_prefix(err, st, "--sort") : BT_OK;
}

/* Names that are figures of no run: known once the runs have been read. */
static enum bt_status check_names(const struct wish *w, const struct bt_facts *facts, struct bt_error *err)
{
    enum bt_status st = bt_run_filter_check(w->filter, facts, err);
    if (st) return bt_error_prefix(err, st, "--filter");
    st = w->order == ORDERS ? bt_run_key_check(&w->key, facts, err) : BT_OK;
    return st ? bt_error_prefix(err, st, "--sort") : BT_OK;
}

static int list_runs(const struct wish *w)
{
    struct bt_run_list l = {0};
    struct bt_facts *facts = NULL;
    struct found found = {.n = 0};
    struct bt_error err = {.status = BT_OK};
    int code = CLI_DONE;
    unsigned need = bt_run_filter_need(w->filter) | bt_run_key_need(&w->key) |
                    (w->groups ? (unsigned)BT_FACTS_SETTINGS : 0);
    enum bt_status st = bt_run_list(w->runs, NULL, &l, &err);
    if (!st) st = learn(&l, need, &facts, &err);
    if (!st && l.n && check_names(w, facts, &err) != BT_OK)
        code = cli_misuse("runs", "%s", err.text);
    else if (!st)
        st = arrange(&l, w, facts, &found, &err);
    if (!st && !code && w->groups) st = tell_groups(&found, &l, facts, w, &err);
    if (!st && !code && w->json && !w->groups)
        tell_json(&found);
    else if (!st && !code && !w->json)
        tell_people(&found, w, l.n);
    free(found.run);
    bt_facts_free(facts);
    bt_run_list_clear(&l);
    return st ? cli_fail(&err) : code;
}

int cmd_runs(int argc, char **argv)
{
    struct wish w = {.runs = "runs", .sort = "started", .state = -1, .key.column = BT_RUN_COLUMNS};
    const struct cli_option options[] = {
        CLI_TEXT("filter", 'f', "WORDS", &w.filter_text, "only these, see above"),
        CLI_TEXT("sort", 's', "KEY", &w.sort, "order (default: started)"),
        CLI_FLAG("reverse", 'r', &w.reverse, "the other way round"),
        CLI_CHOICE("state", 0, &w.state, state_names,
                   "only these; alive: with an engine, ended: without one"),
        CLI_FLAG("groups", 'g', &w.groups,
                 "a row for runs that differ in train.seed alone: mean and deviation of the best metric"),
        CLI_FLAG("all", 'a', &w.all, "those with the tag `hidden` too"),
        CLI_JSON(&w.json),
        CLI_RUNS(&w.runs),
        CLI_END,
    };
    const struct cli_spec spec = {.command = "runs", .about = about, .options = options};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    enum bt_status st = understand(&w, &err);
    if (!st)
        code = list_runs(&w);
    else
        code = st == BT_INVALID ? cli_misuse("runs", "%s", err.text) : cli_fail(&err);
    bt_run_filter_free(w.filter);
    bt_run_key_clear(&w.key);
    return code;
}
