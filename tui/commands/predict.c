/* bertty predict */
#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include "tui/commands/cli_predictor.h"
#include "tui/commands/predict_tell.h"
#include <bertty/experiment.h>
#include <bertty/predictor.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "RUN is a run's id or directory (RUN@STEP, RUN@best and RUN@last name a checkpoint; else the best, else "
    "the\n"
    "last), MODEL any Hugging Face directory with a trained classifier. The texts come from --text, from "
    "FILE or\n"
    "from standard input: plain text, a line each. Where the run was trained on pairs, and for a MODEL in "
    "lines\n"
    "that hold one, a tab stands between the two texts. A line of output for each: label<TAB>probability.\n"
    "Of a model that finds entities: type<TAB>begin<TAB>end<TAB>text<TAB>probability for each (characters of "
    "the "
    "text;\n"
    "the mean over its words), and an empty line behind those of a text; --conll gives every word and its "
    "tag "
    "instead.\n"
    "With --words FILE holds words that are cut already: CoNLL's columns, or JSONL with lists of tokens.\n"
    "Of a model that answers questions: answer<TAB>probability, the answer empty where there is none. Text "
    "is "
    "the\n"
    "question, pair the passage; FILE holds question<TAB>passage, or is a JSON file as SQuAD's.\n"
    "Of a model of aspects the pair is the aspect. Of one that chooses: choice<TAB>probability; a line is\n"
    "text<TAB>choice<TAB>choice…, or --choice stands once for each.\n";

enum { CHUNK = 512 /* lines worked on together */ };

struct request {
    bool json, conll, words;
    const char *text, *pair, *runs;
    struct cli_list choice;
    int64_t threads;
    int precision;
};

struct work {
    struct bt_predictor *p;
    bool json, conll;
    enum { SINGLE, PAIRS, EITHER, CHOICES } kind;
    struct bt_input in[CHUNK];
    char *line[CHUNK];           /* what in points into, ours */
    struct bt_part *part[CHUNK]; /* choices of in, ours */
    size_t n;
};

/* ── output ── */

/* Each line by itself: on a terminal all else that could move the cursor is taken out. */
static void print_lines(const struct bt_str *s)
{
    const char *text = bt_str_text(s), *end = text + s->len, *next;
    for (; (next = memchr(text, '\n', (size_t)(end - text))); text = next + 1)
        cli_data(text, (size_t)(next - text));
    cli_data(text, (size_t)(end - text));
}

/* A bt_answer_fn; ctx: the work. */
static void tell(void *ctx, size_t i, const struct bt_output *out)
{
    const struct work *w = ctx;
    struct bt_str text = {.len = 0};
    if (w->json) {
        predict_tell_json(bt_predictor_task(w->p), &w->in[i], out, &text);
        cli_json(&text);
    } else {
        if (w->conll)
            predict_tell_conll(out, &text);
        else
            predict_tell_text(bt_predictor_experiment(w->p), &w->in[i], out, &text);
        print_lines(&text);
    }
    bt_str_free(&text);
}

/* ── input ── */

static enum bt_status flush(struct work *w, struct bt_error *err)
{
    enum bt_status st = w->n ? bt_predict_all(w->p, w->in, w->n, tell, w, NULL, err) : BT_OK;
    for (size_t i = 0; i < w->n; i++) {
        free(w->line[i]);
        free(w->part[i]);
        w->line[i] = NULL;
        w->part[i] = NULL;
    }
    w->n = 0;
    return st;
}

static enum bt_status take_pair(struct work *w, const struct cli_lines *l, char *line, struct bt_error *err)
{
    const char *tab = w->kind == SINGLE ? NULL : memchr(line, '\t', l->n);
    if (w->kind == PAIRS && !tab)
        return bt_fail(err, BT_INVALID, "%s:%zu: no tab in the line, expected TEXT<tab>PAIR", l->name,
                       l->number);
    struct bt_input *in = &w->in[w->n];
    *in = (struct bt_input){.text = line, .text_n = tab ? (size_t)(tab - line) : l->n};
    if (tab) {
        in->pair = tab + 1;
        in->pair_n = l->n - in->text_n - 1;
    }
    return BT_OK;
}

/* What stands between the tabs behind the text. Together go only inputs with equally many choices. */
static enum bt_status take_choices(struct work *w, const struct cli_lines *l, char *line,
                                   struct bt_error *err)
{
    const char *at = memchr(line, '\t', l->n), *end = line + l->n;
    const size_t text_n = at ? (size_t)(at - line) : l->n;
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) n += line[i] == '\t';
    if (n < 2)
        return bt_fail(err, BT_INVALID, "%s:%zu: %zu tab%s in the line, expected TEXT<tab>CHOICE<tab>CHOICE…",
                       l->name, l->number, n, n == 1 ? "" : "s");
    enum bt_status st = w->n && w->in[w->n - 1].parts != n ? flush(w, err) : BT_OK;
    struct bt_part *part = st ? NULL : calloc(n, sizeof *part);
    if (!st && !part) st = bt_fail(err, BT_NOMEM, "%s:%zu: no memory for %zu choices", l->name, l->number, n);
    if (st) return st;
    for (size_t i = 0; i < n; i++) {
        const char *from = at + 1, *stop = memchr(from, '\t', (size_t)(end - from));
        at = stop ? stop : end;
        part[i] = (struct bt_part){.text = from, .n = (size_t)(at - from), .at = -1};
    }
    w->in[w->n] = (struct bt_input){.text = line, .text_n = text_n, .part = part, .parts = (uint32_t)n};
    w->part[w->n] = part;
    return BT_OK;
}

static enum bt_status take_line(struct work *w, const struct cli_lines *l, struct bt_error *err)
{
    char *line = malloc(l->n + 1);
    if (!line) return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for a line", l->name, l->number);
    memcpy(line, l->line, l->n + 1);
    enum bt_status st = w->kind == CHOICES ? take_choices(w, l, line, err) : take_pair(w, l, line, err);
    if (st)
        free(line);
    else
        w->line[w->n++] = line;
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

static enum bt_status predict_one(struct work *w, const struct request *q, struct bt_error *err)
{
    w->in[0] = (struct bt_input){
        .text = q->text, .text_n = strlen(q->text), .pair = q->pair, .pair_n = q->pair ? strlen(q->pair) : 0};
    struct bt_output out;
    struct bt_part *part = w->part[0] = q->choice.n ? calloc(q->choice.n, sizeof *part) : NULL;
    if (q->choice.n && !part) return bt_fail(err, BT_NOMEM, "no memory for %zu choices", q->choice.n);
    for (size_t i = 0; i < q->choice.n; i++)
        part[i] = (struct bt_part){.text = q->choice.item[i], .n = strlen(q->choice.item[i]), .at = -1};
    w->in[0].part = part;
    w->in[0].parts = (uint32_t)q->choice.n;
    enum bt_status st = bt_predict(w->p, &w->in[0], &out, err);
    if (!st) tell(w, 0, &out);
    return st;
}

/* Examples of a file that is read as training data is. */
static enum bt_status predict_examples(struct work *w, const char *path, struct bt_error *err)
{
    struct bt_examples *e = NULL;
    struct bt_data_spec spec = bt_experiment_data(bt_predictor_experiment(w->p));
    spec.files = &path;
    spec.n_files = 1;
    spec.tags_column = spec.class_names_file = NULL; /* there may be none: they are what is asked for */
    enum bt_status st = bt_examples_load(&spec, &e, err);
    if (st) return st;
    const size_t n = bt_examples_count(e);
    for (size_t i = 0; i < n && !st && !cli_output_gone(); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        w->in[w->n++] = (struct bt_input){.text = x->text,
                                          .text_n = x->text_n,
                                          .pair = x->pair,
                                          .pair_n = x->pair_n,
                                          .part = x->part,
                                          .parts = x->parts};
        if (w->n == CHUNK || i + 1 == n) st = flush(w, err);
        if (!st && cli_interrupted()) st = bt_fail(err, BT_CANCELLED, "interrupted");
    }
    w->n = 0;
    bt_examples_free(e);
    return st;
}

/* Whether FILE is to be read as JSON: no question begins with a brace. */
static bool holds_json(const struct work *w, const char *file)
{
    char head[256];
    const char *name;
    int fd;
    if (bt_predictor_task(w->p) != BT_TYPE_QA || !file || strcmp(file, "-") == 0) return false;
    if (cli_text_open(file, &name, &fd, NULL)) return false;
    ssize_t n = read(fd, head, sizeof head - 1);
    close(fd);
    head[n > 0 ? n : 0] = '\0';
    const char *p = head + (strncmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    return p[strspn(p, " \t\r\n")] == '{';
}

/* ── the command ── */

/* Whether the run's inputs are pairs. */
static enum bt_status find_kind(struct work *w, const char *run, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    w->kind = EITHER;
    if (!run) return BT_OK;
    enum bt_status st = bt_run_experiment(run, &x, err);
    if (!st) w->kind = x->data_text_pair_column ? PAIRS : SINGLE;
    bt_experiment_free(x);
    return st;
}

static enum bt_status open_work(struct work *w, const struct request *q, const char *name,
                                struct bt_error *err)
{
    struct cli_model m;
    enum bt_status st = cli_model_find(q->runs, name, &m, err);
    if (st) return st;
    const struct bt_predictor_spec spec = {.model_dir = m.dir,
                                           .run_dir = m.run,
                                           .precision = cli_precision(q->precision),
                                           .threads = (int)q->threads};
    st = find_kind(w, m.run, err);
    if (!st) st = bt_predictor_open(&spec, &w->p, err);
    cli_model_clear(&m);
    return st;
}

static void close_work(struct work *w)
{
    bt_predictor_free(w->p);
    free(w->part[0]);
    free(w);
}

static bool sensible(const struct request *q, const struct cli_args *args, int *code)
{
    *code = CLI_DONE;
    if (q->text && args->n == 2)
        *code = cli_misuse("predict", "--text and a FILE were given, expected one of them");
    else if (q->pair && !q->text)
        *code = cli_misuse("predict", "--pair was given without --text");
    else if (q->choice.n && !q->text)
        *code = cli_misuse("predict", "--choice was given without --text");
    else if (q->choice.n == 1)
        *code = cli_misuse("predict", "one --choice was given, expected at least two");
    else if (q->words && args->n < 2)
        *code = cli_misuse("predict", "--words was given without a FILE");
    else if (q->conll && q->json)
        *code = cli_misuse("predict", "--conll and --json were given, expected one of them");
    return *code == CLI_DONE;
}

/* Whether the model can do what was asked for. */
static enum bt_status fits(struct work *w, const char *name, const struct request *q, struct bt_error *err)
{
    const int task = bt_predictor_task(w->p);
    const bool tags = task == BT_TYPE_NER;
    if (tags) w->kind = SINGLE;
    if (task == BT_TYPE_QA || task == BT_TYPE_ABSA) w->kind = PAIRS;
    if (!tags && (q->words || q->conll))
        return bt_fail(err, BT_INVALID, "%s gives no tags to words: --%s is of no use", name,
                       q->words ? "words" : "conll");
    if (task == BT_TYPE_MULTIPLE_CHOICE) w->kind = CHOICES;
    if (task != BT_TYPE_MULTIPLE_CHOICE && q->choice.n)
        return bt_fail(err, BT_INVALID, "%s does not choose: --choice is of no use", name);
    if (q->text && w->kind == CHOICES && (q->pair || !q->choice.n))
        return bt_fail(err, BT_INVALID, "%s chooses one of several texts: expected --choice for each%s", name,
                       q->pair ? ", no --pair" : "");
    if (!q->text || w->kind == EITHER || w->kind == CHOICES || (w->kind == PAIRS) == (q->pair != NULL))
        return BT_OK;
    return bt_fail(err, BT_INVALID, "%s was trained on %s", name,
                   q->pair ? "single texts, but --pair was given" : "pairs: --pair is missing");
}

static int run(const struct cli_args *args, const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct work *w = calloc(1, sizeof *w);
    const char *file = args->n == 2 ? args->v[1] : NULL;
    if (!w) return cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    w->json = q->json;
    w->conll = q->conll;
    enum bt_status st = open_work(w, q, args->v[0], &err);
    if (!st) st = fits(w, args->v[0], q, &err);
    cli_catch_interrupts();
    if (!st && q->text)
        st = predict_one(w, q, &err);
    else if (!st)
        st = q->words || holds_json(w, file) ? predict_examples(w, file, &err) : predict_lines(w, file, &err);
    close_work(w);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_predict(int argc, char **argv)
{
    struct request q = {.threads = 0};
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &q.text, "the text, instead of a FILE"),
        CLI_TEXT("pair", 'p', "TEXT", &q.pair, "the second text, for a model of pairs; the aspect"),
        CLI_LIST("choice", 'c', "TEXT", &q.choice, "one of the texts to choose from; stands twice or more"),
        CLI_FLAG("words", 'w', &q.words, "FILE holds words that are cut already"),
        CLI_FLAG("conll", 0, &q.conll, "words and tags as columns"),
        CLI_PRECISION(&q.precision),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "predict", .about = about, .options = options, .min_args = 1, .max_args = 2};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code) && sensible(&q, &args, &code)) code = run(&args, &q);
    free(q.choice.item);
    return code;
}
