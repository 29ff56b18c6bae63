/* bertty explain */
#include "tui/commands/cli.h"
#include "tui/commands/cli_predictor.h"
#include "tui/commands/explain_tell.h"
#include <bertty/experiment.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "How much each token of an input adds to what the model says about it: to the logit of the label that it "
    "decides\n"
    "for, or of --target; with --of probability to its probability. RUN and MODEL are those of `bertty "
    "predict`.\n"
    "The input is --text (and --pair or --choice), or rows of FILE, which is read as the run's training data "
    "is (for a\n"
    "MODEL without such settings: a text a line, a tab before its pair).\n"
    "  gradient     gradient × input of the word embeddings\n"
    "  integrated   integrated gradients from a baseline: [CLS] [PAD] … [SEP], or zeros. The scores' sum "
    "should be what\n"
    "               the baseline and the input differ by; steps are doubled until it is within --tolerance "
    "(default)\n"
    "  occlusion    what is lost when a token or word is masked, padded or deleted\n"
    "  attention    what the token looks at that the answer is read from, in a layer, by one head or the "
    "mean "
    "of all\n"
    "  rollout      the same through all layers\n"
    "--target is a label or a tag; an answer of the n best; a choice's number or text; a word for a [MASK]. "
    "--word says\n"
    "of which word the tag, of which [MASK] the word is explained. A bar to the right speaks for the target, "
    "one to the\n"
    "left against it.\n";

enum { BAR = 41 /* columns */ };

struct request {
    bool json;
    const char *text, *pair, *file, *runs;
    struct cli_list choice, rows;
    int64_t threads, word, steps, most, layer, head;
    int method, of, baseline, rule, occlude, by;
    double tolerance;
    const char *target;
};

struct work {
    struct cli_predictor of;
    struct request *q;
    struct bt_explain_spec how;
    atomic_bool cancel;
};

/* ── one input ── */

static void progress(void *ctx, int done, int all)
{
    struct work *w = ctx;
    if (cli_interrupted()) atomic_store(&w->cancel, true);
    cli_progress("%d of %d %s", done, all, w->how.method == BT_EXPLAIN_INTEGRATED ? "steps" : "tokens");
}

/* row: of a file, from 1; 0: of none. */
static enum bt_status explain(void *ctx, const struct bt_input *in, int64_t row, struct bt_error *err)
{
    struct work *w = ctx;
    struct bt_explanation *x = NULL;
    struct bt_str json = {.len = 0};
    enum bt_status st = cli_predictor_fits(&w->of, in, w->q->choice.n, err);
    if (!st && cli_interrupted()) st = bt_fail(err, BT_CANCELLED, "interrupted");
    if (!st) st = bt_explain(w->of.p, in, &w->how, &x, err);
    cli_progress(NULL);
    if (st) return st;
    if (w->q->json) {
        explain_tell_json(&w->how, x, in, row, &json);
        cli_json(&json);
    } else {
        if (row) cli_line("row %lld", (long long)row);
        explain_tell_text(&w->how, x, BAR);
    }
    bt_str_free(&json);
    bt_explanation_free(x);
    return BT_OK;
}

static enum bt_status explain_text(struct work *w, struct bt_error *err)
{
    struct bt_input in;
    struct bt_part *part;
    enum bt_status st = cli_input_of(w->q->text, w->q->pair, &w->q->choice, &in, &part, err);
    if (!st) st = explain(w, &in, 0, err);
    free(part);
    return st;
}

/* ── the command ── */

static struct bt_explain_spec spec_of(const struct request *q, struct work *w)
{
    return (struct bt_explain_spec){.method = (enum bt_explain_method)q->method,
                                    .of = (enum bt_explain_of)q->of,
                                    .baseline = (enum bt_explain_baseline)q->baseline,
                                    .rule = (enum bt_explain_rule)q->rule,
                                    .occlude = (enum bt_explain_occlude)q->occlude,
                                    .words = q->by == 1,
                                    .target = q->target,
                                    .word = q->word,
                                    .steps = (int)q->steps,
                                    .most_steps = (int)q->most,
                                    .tolerance = q->tolerance,
                                    .layer = (int)q->layer,
                                    .head = (int)q->head,
                                    .cancel = &w->cancel,
                                    .progress = progress,
                                    .ctx = w};
}

static int run(const struct cli_args *args, struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct work w = {.q = q};
    atomic_init(&w.cancel, false);
    w.how = spec_of(q, &w);
    enum bt_status st = cli_predictor_open(&w.of, q->runs, args->v[0], q->threads, false, &err);
    cli_catch_interrupts();
    if (!st)
        st = q->text ? explain_text(&w, &err)
                     : cli_predictor_rows(&w.of, q->file, &q->rows, explain, &w, &err);
    cli_predictor_close(&w.of);
    return st ? cli_fail(&err) : CLI_DONE;
}

static bool sensible(const struct request *q, int *code)
{
    *code = CLI_DONE;
    if (!q->text == !q->file)
        *code = cli_misuse("explain", "expected --text or --file%s", q->text ? ", not both" : "");
    else if ((q->pair || q->choice.n) && !q->text)
        *code = cli_misuse("explain", "--%s was given without --text", q->pair ? "pair" : "choice");
    else if (q->rows.n && !q->file)
        *code = cli_misuse("explain", "--row was given without --file");
    else if (q->most && q->steps && q->most < q->steps)
        *code = cli_misuse("explain", "--most-steps is less than --steps");
    else if ((q->layer || q->head) && q->method != BT_EXPLAIN_ATTENTION)
        *code = cli_misuse("explain", "--layer and --head are for --method attention");
    return *code == CLI_DONE;
}

int cmd_explain(int argc, char **argv)
{
    static const char *const by[] = {"piece", "word", NULL};
    struct request q = {.method = BT_EXPLAIN_INTEGRATED};
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &q.text, "the text"),
        CLI_TEXT("pair", 'p', "TEXT", &q.pair, "the second text, the aspect, or the passage"),
        CLI_LIST("choice", 'c', "TEXT", &q.choice, "one of the texts to choose from; stands twice or more"),
        CLI_TEXT("file", 'f', "FILE", &q.file, "the input is in this file"),
        CLI_LIST("row", 'r', "N", &q.rows, "its row N, from 1; may be given again (default: all)"),
        CLI_CHOICE("method", 'm', &q.method, bt_explain_methods, "how (default: integrated)"),
        CLI_TEXT("target", 0, "LABEL", &q.target, "what for (default: what the model decides for)"),
        CLI_INT("word", 0, "N", &q.word, 1, INT32_MAX, "of tags and [MASK]s: of which word or mask"),
        CLI_CHOICE("of", 0, &q.of, bt_explain_ofs, "what the scores add up to (default: logit)"),
        CLI_CHOICE("by", 0, &q.by, by, "what has a score (default: piece)"),
        CLI_CHOICE("baseline", 0, &q.baseline, bt_explain_baselines, "integrated: from where (default: pad)"),
        CLI_CHOICE("rule", 0, &q.rule, bt_explain_rules, "integrated: its points (default: gauss-legendre)"),
        CLI_INT("steps", 0, "N", &q.steps, 1, 100000, "integrated: how many at first (default: 50)"),
        CLI_INT("most-steps", 0, "N", &q.most, 1, 100000, "integrated: no more than this (default: 800)"),
        CLI_REAL("tolerance", 0, "X", &q.tolerance, 1e-9, 1e9, "integrated: error allowed (default: 0.05)"),
        CLI_CHOICE("occlude", 0, &q.occlude, bt_explain_occludes, "occlusion: by what (default: mask)"),
        CLI_INT("layer", 0, "N", &q.layer, 1, 1000, "attention: which layer (default: the last)"),
        CLI_INT("head", 0, "N", &q.head, 1, 1000, "attention: which head (default: the mean of all)"),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "explain", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code) && sensible(&q, &code)) code = run(&args, &q);
    free(q.choice.item);
    free(q.rows.item);
    return code;
}
