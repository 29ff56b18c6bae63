/* bertty counterfactual */
#include "tui/commands/cli.h"
#include "tui/commands/cli_predictor.h"
#include "tui/commands/counterfactual_tell.h"
#include <bertty/experiment.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Variants of a text, ranked by how much what the model says changes. RUN and MODEL are those of `bertty "
    "predict`.\n"
    "  drop     each word is left out\n"
    "  swap     each word becomes another: one that the checkpoint's own MLM head puts in its place, or "
    "where it "
    "has none\n"
    "           one whose embedding is nearest\n"
    "  negate   \"is\" becomes \"is not\", \"isn't\" \"is\", and the like: a few rules for English\n"
    "  typo     of each word two letters changed over, one left out, one doubled, one hit beside the key "
    "(--seed)\n"
    "  case     upper and lower case, where the tokenizer tells them apart\n"
    "  list     words of --words: in place of those that the text has, or of every word where it has none\n"
    "With --file the rows of a file are asked about, each by itself.\n"
    "An entity changes when another type or extent is found, an answer when another place of the passage "
    "is.\n"
    "--flip looks for the fewest words that have to be others for the model to decide otherwise, or for "
    "--target "
    "(HotFlip,\n"
    "Ebrahimi et al. 2018): the gradient estimates every replacement by a word of the vocabulary, the best "
    "--tries "
    "of them are\n"
    "asked, the best stays, up to --most words; those that turn out not to be needed are undone. "
    "--similarity keeps "
    "to words\n"
    "whose embeddings are like those that they replace.\n";

struct request {
    bool json, flip;
    const char *text, *pair, *file, *runs, *vary, *target;
    struct cli_list choice, rows, kinds, words;
    int64_t threads, word, seed, limit, most, tries;
    double similarity;
};

struct work {
    struct cli_predictor of;
    const struct request *q;
    struct cli_list list; /* the words, each by itself; the array and text are ours */
    char *words;
    int field;
    unsigned kinds;
    atomic_bool cancel;
};

/* ── what is asked ── */

static enum bt_status read_kinds(struct work *w, struct bt_error *err)
{
    for (size_t i = 0; i < w->q->kinds.n; i++) {
        int k = 0;
        while (bt_varies[k] && strcmp(bt_varies[k], w->q->kinds.item[i]) != 0) k++;
        if (!bt_varies[k])
            return bt_fail(err, BT_INVALID, "--kind %.40s: expected drop, swap, negate, typo, case or list",
                           w->q->kinds.item[i]);
        w->kinds |= 1u << k;
    }
    return BT_OK;
}

/* "Anna,Peter" and again: words between commas. */
static enum bt_status read_words(struct work *w, struct bt_error *err)
{
    struct bt_str all = {0};
    for (size_t i = 0; i < w->q->words.n; i++) bt_str_addf(&all, "%s,", w->q->words.item[i]);
    w->list.item = calloc(all.len + 1, sizeof *w->list.item);
    w->words = bt_str_take(&all);
    if (!w->list.item || !w->words) return bt_fail(err, BT_NOMEM, "no memory for the words of --words");
    for (char *at = w->words, *end; (end = strchr(at, ',')); at = end + 1) {
        char *last = end;
        *end = '\0';
        at += strspn(at, " ");
        while (last > at && last[-1] == ' ') *--last = '\0';
        if (*at) w->list.item[w->list.n++] = at;
    }
    return BT_OK;
}

static enum bt_status read_field(struct work *w, struct bt_error *err)
{
    const char *name = w->q->vary;
    int64_t choice;
    if (!name || strcmp(name, "text") == 0) return BT_OK;
    w->field = BT_VARY_PAIR;
    if (strcmp(name, "pair") == 0) return BT_OK;
    if (!bt_parse_int64(name, &choice) || choice < 0 || choice > 1000)
        return bt_fail(err, BT_INVALID, "--vary %.40s: expected text, pair or the number of a choice from 0",
                       name);
    w->field = BT_VARY_CHOICE + (int)choice;
    return BT_OK;
}

static void progress(void *ctx, int done, int all)
{
    struct work *w = ctx;
    if (cli_interrupted()) atomic_store(&w->cancel, true);
    cli_progress("%d of %d %s", done, all, w->q->flip ? "words" : "variants");
}

static enum bt_status vary(struct work *w, const struct bt_input *in, int64_t row, struct bt_error *err)
{
    struct bt_variants *v = NULL;
    const struct bt_vary_spec spec = {.field = w->field,
                                      .kinds = w->kinds,
                                      .word = w->list.item,
                                      .words = w->list.n,
                                      .seed = (uint64_t)w->q->seed,
                                      .cancel = &w->cancel,
                                      .progress = progress,
                                      .ctx = w};
    enum bt_status st = bt_vary(w->of.p, in, &spec, &v, err);
    cli_progress(NULL);
    if (st) return st;
    if (w->q->json)
        counterfactual_json_variants(v, w->of.name, row);
    else
        counterfactual_tell_variants(v, (size_t)w->q->limit, row);
    bt_variants_free(v);
    return BT_OK;
}

static enum bt_status flip(struct work *w, const struct bt_input *in, int64_t row, struct bt_error *err)
{
    struct bt_flip *f = NULL;
    const struct bt_flip_spec spec = {.field = w->field,
                                      .target = w->q->target,
                                      .word = w->q->word,
                                      .most = (int)w->q->most,
                                      .tries = (int)w->q->tries,
                                      .similarity = w->q->similarity,
                                      .cancel = &w->cancel,
                                      .progress = progress,
                                      .ctx = w};
    enum bt_status st = bt_flip_find(w->of.p, in, &spec, &f, err);
    cli_progress(NULL);
    if (st) return st;
    if (w->q->json)
        counterfactual_json_flip(f, w->of.name, row);
    else
        counterfactual_tell_flip(f, row);
    bt_flip_free(f);
    return BT_OK;
}

/* ── the command ── */

/* row: of a file, from 1; 0: of none. */
static enum bt_status ask(void *ctx, const struct bt_input *in, int64_t row, struct bt_error *err)
{
    struct work *w = ctx;
    enum bt_status st = cli_predictor_fits(&w->of, in, w->q->choice.n, err);
    if (!st && cli_interrupted()) st = bt_fail(err, BT_CANCELLED, "interrupted");
    if (!st) st = w->q->flip ? flip(w, in, row, err) : vary(w, in, row, err);
    return st;
}

static enum bt_status ask_text(struct work *w, struct bt_error *err)
{
    const struct request *q = w->q;
    struct bt_input in;
    struct bt_part *part;
    enum bt_status st = cli_input_of(q->text, q->pair, &q->choice, &in, &part, err);
    if (!st) st = ask(w, &in, 0, err);
    free(part);
    return st;
}

static int run(const struct cli_args *args, const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct work w = {.q = q};
    atomic_init(&w.cancel, false);
    enum bt_status st = read_kinds(&w, &err);
    if (!st) st = read_words(&w, &err);
    if (!st) st = read_field(&w, &err);
    if (st) {
        free(w.list.item);
        free(w.words);
        return cli_misuse("counterfactual", "%s", err.text);
    }
    cli_catch_interrupts();
    st = cli_predictor_open(&w.of, q->runs, args->v[0], q->threads, false, &err);
    if (!st) st = q->text ? ask_text(&w, &err) : cli_predictor_rows(&w.of, q->file, &q->rows, ask, &w, &err);
    cli_predictor_close(&w.of);
    free(w.list.item);
    free(w.words);
    return st ? cli_fail(&err) : CLI_DONE;
}

static bool sensible(const struct request *q, int *code)
{
    *code = CLI_DONE;
    if (!q->text == !q->file)
        *code = cli_misuse("counterfactual", "expected --text or --file%s", q->text ? ", not both" : "");
    else if ((q->pair || q->choice.n) && !q->text)
        *code = cli_misuse("counterfactual", "--%s was given without --text", q->pair ? "pair" : "choice");
    else if (q->rows.n && !q->file)
        *code = cli_misuse("counterfactual", "--row was given without --file");
    else if (q->flip && (q->kinds.n || q->words.n))
        *code = cli_misuse("counterfactual", "--kind and --words are for variants, not for --flip");
    else if (!q->flip && (q->target || q->word || q->most || q->tries || q->similarity > 0.0))
        *code =
            cli_misuse("counterfactual", "--target, --word, --most, --tries and --similarity are for --flip");
    return *code == CLI_DONE;
}

int cmd_counterfactual(int argc, char **argv)
{
    struct request q = {.limit = 20};
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &q.text, "the text"),
        CLI_TEXT("pair", 'p', "TEXT", &q.pair, "the second text, the aspect, or the passage"),
        CLI_LIST("choice", 'c', "TEXT", &q.choice, "one of the texts to choose from; stands twice or more"),
        CLI_TEXT("file", 0, "FILE", &q.file, "the input is in this file"),
        CLI_LIST("row", 'r', "N", &q.rows, "its row N, from 1; may be given again (default: all)"),
        CLI_TEXT("vary", 0, "WHICH", &q.vary,
                 "which is varied: text (default), pair, or the number of a choice from 0"),
        CLI_LIST("kind", 'k', "KIND", &q.kinds, "variants of this kind; may be given again (default: all)"),
        CLI_LIST("words", 'w', "WORD,…", &q.words, "words of your own that take the place of others"),
        CLI_INT("seed", 0, "N", &q.seed, 0, INT64_MAX >> 11, "of the typos (default: 0)"),
        CLI_INT("limit", 'n', "N", &q.limit, 1, BT_VARIANTS, "lines without --json (default: 20)"),
        CLI_FLAG("flip", 'f', &q.flip, "the fewest words that change what the model decides"),
        CLI_TEXT("target", 0, "LABEL", &q.target, "flip: the label to reach (default: any other)"),
        CLI_INT("word", 0, "N", &q.word, 1, INT32_MAX, "flip: of tags and [MASK]s, which word or mask"),
        CLI_INT("most", 0, "N", &q.most, 1, 1000, "flip: words that are replaced (default: 5)"),
        CLI_INT("tries", 0, "N", &q.tries, 1, 10000, "flip: replacements asked for each (default: 50)"),
        CLI_REAL("similarity", 0, "X", &q.similarity, 0, 1,
                 "flip: cosine to the old word, at least (default: any)"),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "counterfactual", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code) && sensible(&q, &code)) code = run(&args, &q);
    free(q.choice.item);
    free(q.rows.item);
    free(q.kinds.item);
    free(q.words.item);
    return code;
}
