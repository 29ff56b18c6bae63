/* bertty predict */
#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include "tui/commands/predict_tell.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/predictor.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "RUN is a run's id or directory (RUN@STEP, RUN@best and RUN@last name a checkpoint; else the best, else "
    "the\n"
    "last), MODEL any Hugging Face directory with a trained classifier. The texts come from --text, from "
    "FILE or\n"
    "from standard input: plain text, a line each. Where the run was trained on pairs, and for a MODEL in "
    "lines\n"
    "that hold one, a tab stands between the two texts. A line of output for each: label<TAB>probability.\n";

enum { CHUNK = 512 /* lines worked on together */ };

struct work {
    struct bt_predictor *p;
    bool json;
    enum { SINGLE, PAIRS, EITHER } kind;
    struct bt_input in[CHUNK];
    char *line[CHUNK]; /* what in points into, ours */
    size_t n;
};

/* ── output ── */

/* A bt_answer_fn; ctx: the work. */
static void tell(void *ctx, size_t i, const struct bt_output *out)
{
    const struct work *w = ctx;
    struct bt_str text = {.len = 0};
    if (w->json) {
        predict_tell_json(bt_predictor_task(w->p), &w->in[i], out, &text);
        cli_json(&text);
    } else {
        predict_tell_text(bt_predictor_task(w->p), &w->in[i], out, &text);
        cli_data(bt_str_text(&text), text.len);
    }
    bt_str_free(&text);
}

/* ── input ── */

static enum bt_status take_line(struct work *w, const struct cli_lines *l, struct bt_error *err)
{
    char *line = malloc(l->n + 1);
    if (!line) return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for a line", l->name, l->number);
    memcpy(line, l->line, l->n + 1);
    char *tab = w->kind == SINGLE ? NULL : memchr(line, '\t', l->n);
    if (w->kind == PAIRS && !tab) {
        free(line);
        return bt_fail(err, BT_INVALID, "%s:%zu: no tab in the line, expected TEXT<tab>PAIR", l->name,
                       l->number);
    }
    struct bt_input *in = &w->in[w->n];
    *in = (struct bt_input){.text = line, .text_n = tab ? (size_t)(tab - line) : l->n};
    if (tab) {
        in->pair = tab + 1;
        in->pair_n = l->n - in->text_n - 1;
    }
    w->line[w->n++] = line;
    return BT_OK;
}

static enum bt_status flush(struct work *w, struct bt_error *err)
{
    enum bt_status st = w->n ? bt_predict_all(w->p, w->in, w->n, tell, w, NULL, err) : BT_OK;
    for (size_t i = 0; i < w->n; i++) free(w->line[i]);
    w->n = 0;
    return st;
}

static enum bt_status predict_lines(struct work *w, const char *path, struct bt_error *err)
{
    struct cli_lines l;
    enum bt_status st = cli_lines_open(&l, path, err), rest;
    if (st) return st;
    while (!st && !cli_output_gone() && cli_lines_next(&l, err)) {
        st = take_line(w, &l, err);
        if (st || (w->n < CHUNK && !cli_lines_would_wait(&l))) continue;
        if (w->n < CHUNK) cli_flush_lines(true); /* somebody waits for the answer */
        st = flush(w, err);
    }
    if (!st) st = err->status;
    struct bt_error ignored;
    rest = flush(w, st ? &ignored : err); /* what stood before a bad line is answered still */
    cli_lines_close(&l);
    if (!st) st = rest;
    return !st && cli_interrupted() ? bt_fail(err, BT_CANCELLED, "interrupted") : st;
}

static enum bt_status predict_one(struct work *w, const char *text, const char *pair, struct bt_error *err)
{
    w->in[0] = (struct bt_input){
        .text = text, .text_n = strlen(text), .pair = pair, .pair_n = pair ? strlen(pair) : 0};
    struct bt_output out;
    enum bt_status st = bt_predict(w->p, &w->in[0], &out, err);
    if (!st) tell(w, 0, &out);
    return st;
}

/* ── the command ── */

/* Whether the run's inputs are pairs. */
static enum bt_status find_kind(struct work *w, const char *run, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    w->kind = EITHER;
    if (!run) return BT_OK;
    char *path = bt_path_join(run, "experiment.yaml");
    enum bt_status st = path ? bt_experiment_load(path, &x, err) : bt_fail(err, BT_NOMEM, "no memory");
    if (!st) w->kind = x->data_text_pair_column ? PAIRS : SINGLE;
    bt_experiment_free(x);
    free(path);
    return st;
}

static enum bt_status open_work(struct work *w, const char *runs, const char *name, int threads,
                                struct bt_error *err)
{
    struct cli_model m;
    enum bt_status st = cli_model_find(runs, name, &m, err);
    if (st) return st;
    struct bt_predictor_spec spec = {.model_dir = m.dir, .run_dir = m.run, .threads = threads};
    st = find_kind(w, m.run, err);
    if (!st) st = bt_predictor_open(&spec, &w->p, err);
    cli_model_clear(&m);
    return st;
}

static void close_work(struct work *w)
{
    bt_predictor_free(w->p);
    free(w);
}

int cmd_predict(int argc, char **argv)
{
    bool json = false;
    const char *text = NULL, *pair = NULL, *runs = NULL;
    int64_t threads = 0;
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &text, "the text, instead of a FILE"),
        CLI_TEXT("pair", 'p', "TEXT", &pair, "the second text, for a model of pairs"),
        CLI_INT("threads", 0, "N", &threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&runs),
        CLI_JSON(&json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "predict", .about = about, .options = options, .min_args = 1, .max_args = 2};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (text && args.n == 2)
        return cli_misuse("predict", "--text and a FILE were given, expected one of them");
    if (pair && !text) return cli_misuse("predict", "--pair was given without --text");
    struct bt_error err;
    struct work *w = calloc(1, sizeof *w);
    if (!w) return cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    w->json = json;
    enum bt_status st = open_work(w, runs, args.v[0], (int)threads, &err);
    if (!st && text && w->kind != EITHER && (w->kind == PAIRS) != (pair != NULL))
        st = bt_fail(&err, BT_INVALID, "%s was trained on %s", args.v[0],
                     pair ? "single texts, but --pair was given" : "pairs: --pair is missing");
    cli_catch_interrupts();
    if (!st)
        st = text ? predict_one(w, text, pair, &err) : predict_lines(w, args.n == 2 ? args.v[1] : NULL, &err);
    close_work(w);
    return st ? cli_fail(&err) : CLI_DONE;
}
