/* bertty data */
#include "tui/columns.h"
#include "tui/commands/cli.h"
#include "tui/commands/cli_data.h"
#include "tui/commands/cli_model.h"
#include "tui/commands/cli_rows.h"
#include <bertty/data_report.h>
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/hub.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "What data files are like: labels, lengths in characters and word pieces, rows "
                            "that are cut, unknown pieces,\n"
                            "duplicates, inputs with conflicting labels, and rows of one file that stand in "
                            "another one (the training\n"
                            "data's answers in the test data). Each file is a split of its own.\n"
                            "Format, delimiter, quoting, header and columns are found from the content "
                            "unless an option names them: tables,\n"
                            "CoNLL words, SQuAD questions, SemEval aspects, SWAG choices; with an "
                            "EXPERIMENT.yaml in place of FILE, or a RUN as\n"
                            "--model, they are what that says. Word pieces need a --model.\n"
                            "With --filter or --sort the rows of one file instead, a line each: number and "
                            "cells. A filter: label = pos and\n"
                            "length(text) > 200; score >= 0.5 or not text ~ /re/i; `my column` != \"a b\"; "
                            "pieces(text) > 128; \"in any cell\"; /re/.\n";

struct request {
    bool json;
    const char *text, *pair, *label, *aspect, *context, *tokens, *tags, *separator;
    const char *delimiter, *classes, *model, *runs;
    int kind, format, header, quoting; /* −1: not given */
    int64_t max_length;                /* −1: not given */
    struct cli_rows rows;
    struct bt_data_spec spec;
};

/* What stands open meanwhile. */
struct work {
    struct request *q;
    struct cli_model model;
    struct bt_experiment *x; /* the run's or the one given; NULL: none */
    const char **experiment_files;
    struct bt_tokenizer *tokenizer;
    struct bt_table *table; /* of the first file */
    bool label_first;       /* nobody named columns, and its lines begin with a label and a blank */
    struct column *column;
    struct bt_data_report *r;
};

/* ── settings ── */

static bool is_experiment(const char *path)
{
    size_t n = strlen(path);
    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) || (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

static enum bt_status files_of_experiment(struct work *w, struct bt_error *err)
{
    const struct bt_string_list *lists[] = {&w->x->data_train_file, &w->x->data_validation_file,
                                            &w->x->data_test_file};
    size_t n = 0;
    w->experiment_files = calloc(lists[0]->n + lists[1]->n + lists[2]->n + 1, sizeof *w->experiment_files);
    if (!w->experiment_files) return bt_fail(err, BT_NOMEM, "no memory for the files' names");
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < lists[i]->n; k++) w->experiment_files[n++] = lists[i]->item[k];
    }
    const char *path = w->q->spec.files[0];
    w->q->spec.files = w->experiment_files;
    w->q->spec.n_files = n;
    return n ? BT_OK : bt_fail(err, BT_INVALID, "%s: names no data file", path);
}

static enum bt_status load_experiment(struct work *w, struct bt_error *err)
{
    if (w->q->spec.n_files == 1 && is_experiment(w->q->spec.files[0])) {
        enum bt_status st = bt_experiment_load(w->q->spec.files[0], &w->x, err);
        return st ? st : files_of_experiment(w, err);
    }
    if (!w->model.run) return BT_OK;
    enum bt_status st = bt_run_experiment(w->model.run, &w->x, err);
    return st == BT_NOTFOUND ? BT_OK : st;
}

static void settle_spec(struct work *w)
{
    struct request *q = w->q;
    struct bt_data_spec s = {.dialect = {.header = -1, .quoting = -1}};
    if (w->x) s = bt_experiment_data(w->x);
    s.files = q->spec.files;
    s.n_files = q->spec.n_files;
    if (q->text) s.text_column = q->text;
    if (q->pair) s.text_pair_column = q->pair;
    if (q->label) s.label_column = q->label;
    if (q->aspect) s.aspect_column = q->aspect;
    if (q->context) s.context_column = q->context;
    if (q->tokens) s.tokens_column = q->tokens;
    if (q->tags) s.tags_column = q->tags;
    if (q->separator) s.label_separator = q->separator;
    if (q->kind >= 0) s.kind = (enum bt_example_kind)q->kind;
    if (q->classes) s.class_names_file = q->classes;
    if (q->delimiter) s.dialect.delimiter = q->delimiter[0];
    if (q->format >= 0) s.dialect.format = (enum bt_data_format)q->format;
    if (q->header >= 0) s.dialect.header = q->header - 1;
    if (q->quoting >= 0) s.dialect.quoting = q->quoting - 1;
    if (q->max_length < 0) q->max_length = w->x ? w->x->data_max_seq_length : 0;
    q->spec = s;
}

/* auto|true|false → −1, 1, 0 */
static int tristate(int choice)
{
    return choice == 0 ? -1 : choice == 1;
}

static enum bt_status load_tokenizer(struct work *w, struct bt_error *err)
{
    struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    const char *dir = w->model.dir;
    if (!dir && w->x) dir = w->x->model_name_or_path;
    if (!dir) return BT_OK;
    if (!w->model.dir && bt_hub_find(dir, &w->model.dir, err)) {
        cli_warn("%s; word pieces are not counted", err->text);
        *err = (struct bt_error){.status = BT_OK};
        return BT_OK;
    }
    if (w->x) {
        opt.do_lower_case = tristate(w->x->model_do_lower_case);
        opt.strip_accents = tristate(w->x->model_strip_accents);
        if (w->x->model_tokenizer_compat == BT_TOKENIZER_COMPAT_GOOGLE) opt.compat = BT_COMPAT_GOOGLE;
    }
    return bt_tokenizer_of_model(w->model.dir, &opt, &w->tokenizer, err);
}

static bool has_column(const struct work *w, const char *name)
{
    for (size_t i = 0; i < bt_table_columns(w->table); i++) {
        if (strcmp(bt_table_column(w->table, i), name) == 0) return true;
    }
    return false;
}

/* What the first file's examples are, where neither an option nor an experiment says it. */
static void settle_kind(struct work *w)
{
    struct request *q = w->q;
    enum bt_data_format format = bt_table_dialect(w->table)->format;
    if (w->x || q->kind >= 0 || q->text) return;
    q->spec.kind = bt_data_format_kind(format);
    if (format == BT_DATA_JSONL && has_column(w, "tokens") &&
        (has_column(w, "tags") || has_column(w, "ner_tags")))
        q->spec.kind = BT_EXAMPLE_WORDS;
    if (q->spec.kind == BT_EXAMPLE_TEXT && has_column(w, "question") && has_column(w, "context") &&
        has_column(w, "answers"))
        q->spec.kind = BT_EXAMPLE_QUESTION;
    if (q->aspect && q->spec.kind == BT_EXAMPLE_TEXT) q->spec.kind = BT_EXAMPLE_ASPECT;
}

/* Kinds whose columns the reader knows itself, unless they are named. */
static bool needs_columns(const struct work *w)
{
    enum bt_example_kind kind = w->q->spec.kind;
    bool fixed = bt_data_format_kind(bt_table_dialect(w->table)->format) != BT_EXAMPLE_TEXT;
    return !fixed && kind != BT_EXAMPLE_WORDS && kind != BT_EXAMPLE_QUESTION && kind != BT_EXAMPLE_PLAIN;
}

/* A label, a blank and a text on each line: the table anew, with blanks between its columns. */
static enum bt_status split_at_blanks(struct work *w, struct bt_error *err)
{
    struct bt_data_spec *s = &w->q->spec;
    s->dialect.delimiter = ' ';
    s->text_column = "2-";
    if (!s->label_column) s->label_column = "1";
    w->label_first = true;
    bt_table_free(w->table);
    w->table = NULL;
    return bt_table_open_as(s->files[0], s, &w->table, err);
}

/* The first file's columns; those that nobody named are guessed. */
static enum bt_status settle_columns(struct work *w, struct bt_error *err)
{
    struct bt_data_spec *s = &w->q->spec;
    bool known = w->x || w->q->kind >= 0 || w->q->text;
    enum bt_status st = known ? bt_table_open_as(s->files[0], s, &w->table, err)
                              : bt_table_open(s->files[0], &s->dialect, &w->table, err);
    if (!st) /* a record that is too long is not read twice */
        st = bt_table_scan(w->table, 1, NULL, &(bool){false}, err);
    if (!st) st = columns_look(w->table, &w->column, err);
    if (!st) settle_kind(w);
    if (st || s->text_column || !needs_columns(w)) return st;
    if (bt_table_label_first(w->table)) return split_at_blanks(w, err);
    struct column_guess g = columns_guess(w->table, w->column);
    if (g.text < 0) return BT_OK;
    s->text_column = bt_table_column(w->table, (size_t)g.text);
    if (!s->text_pair_column && g.pair >= 0) s->text_pair_column = bt_table_column(w->table, (size_t)g.pair);
    if (!s->label_column && g.label >= 0) s->label_column = bt_table_column(w->table, (size_t)g.label);
    return BT_OK;
}

static bool has(const char *dir, const char *name)
{
    char *path = bt_path_join(dir, name);
    bool there = path && bt_path_exists(path);
    free(path);
    return there;
}

/* A directory with nothing but a vocabulary will do. */
static enum bt_status find_model(struct work *w, struct bt_error *err)
{
    const char *name = w->q->model;
    bool vocabulary = has(name, "vocab.txt") || has(name, "tokenizer.json");
    if (!vocabulary || has(name, "config.json")) return cli_model_find(w->q->runs, name, &w->model, err);
    w->model.dir = bt_strdup(name);
    return w->model.dir ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", name);
}

static enum bt_status prepare(struct work *w, struct bt_error *err)
{
    enum bt_status st = w->q->model ? find_model(w, err) : BT_OK;
    if (!st) st = load_experiment(w, err);
    if (st) return st;
    settle_spec(w);
    st = load_tokenizer(w, err);
    return st ? st : settle_columns(w, err);
}

/* ── running ── */

static int ask_for_column(const struct work *w)
{
    if (w->q->json)
        cli_data_columns_json(w->table, w->column);
    else
        cli_data_columns(w->q->spec.files[0], w->table, w->column);
    if (bt_table_rows(w->table) == 0) {
        cli_warn("%s: no rows, expected at least one", w->q->spec.files[0]);
        return CLI_FAILED;
    }
    return cli_misuse("data", "%s: which column is the text? Give --text COL (and --label COL)",
                      w->q->spec.files[0]);
}

static bool wants_rows(const struct request *q)
{
    return q->rows.filter || q->rows.sort;
}

static bool on_progress(void *ctx, const char *doing, const char *path, double done)
{
    (void)ctx;
    cli_progress("%s %s: %.0f %%", doing, bt_path_base(path), 100 * done);
    return !cli_interrupted();
}

static int report(struct work *w)
{
    static const struct bt_data_watch watch = {.tell = on_progress};
    struct request *q = w->q;
    struct bt_error err = {0};
    bool given = q->text != NULL;
    enum bt_status st = prepare(w, &err);
    if (!st && wants_rows(q)) {
        q->rows.tokenizer = w->tokenizer;
        q->rows.json = q->json;
        return cli_rows(w->table, q->spec.files[0], &q->rows);
    }
    if (!st && !q->spec.text_column && needs_columns(w)) return ask_for_column(w);
    cli_catch_interrupts();
    q->spec.watch = &watch;
    if (!st) st = bt_data_report(&q->spec, w->tokenizer, (size_t)q->max_length, &w->r, &err);
    cli_progress(NULL);
    if (st) return cli_fail(&err);
    const struct cli_data_facts facts = {.spec = &q->spec,
                                         .dialect = bt_table_dialect(w->table),
                                         .max_length = (size_t)q->max_length,
                                         .guessed = !given && !w->x,
                                         .label_first = w->label_first};
    if (q->json)
        cli_data_json(w->r, &facts);
    else
        cli_data_tell(w->r, &facts);
    return CLI_DONE;
}

static int run(struct request *q)
{
    struct work w = {.q = q};
    int code = report(&w);
    bt_data_report_free(w.r);
    free(w.column);
    bt_table_free(w.table);
    bt_tokenizer_free(w.tokenizer);
    bt_experiment_free(w.x);
    free(w.experiment_files);
    cli_model_clear(&w.model);
    return code;
}

int cmd_data(int argc, char **argv)
{
    static const char *const formats[] = {"auto",  "csv",     "tsv",  "jsonl", "conll",
                                          "squad", "semeval", "swag", "text",  NULL};
    static const char *const kinds[] = {"text",   "labels",  "words", "question",
                                        "aspect", "choices", "plain", NULL};
    static const char *const switches[] = {"auto", "false", "true", NULL};
    struct request q = {
        .kind = -1, .format = -1, .header = -1, .quoting = -1, .max_length = -1, .rows.limit = -1};
    const struct cli_option options[] = {
        CLI_TEXT("model", 'm', "MODEL|RUN", &q.model, "count word pieces with this model's vocabulary"),
        CLI_TEXT("text", 't', "COL", &q.text, "column of the text: its name or number from 1"),
        CLI_TEXT("pair", 'p', "COL", &q.pair, "column of the second text of a pair"),
        CLI_TEXT("label", 'l', "COL", &q.label, "column of the label"),
        CLI_TEXT("aspect", 'a', "COL", &q.aspect, "column of the aspect that a label is about"),
        CLI_TEXT("context", 0, "COL", &q.context, "column of the passage that a question is about"),
        CLI_TEXT("tokens", 0, "COL", &q.tokens, "column or member of the words"),
        CLI_TEXT("tags", 0, "COL", &q.tags, "column or member of the words' tags"),
        CLI_TEXT("separator", 0, "TEXT", &q.separator,
                 "what stands between the labels of a set (default: a comma)"),
        CLI_CHOICE("kind", 'k', &q.kind, kinds,
                   "what a row is: text, labels (a set of them), words, question, aspect, choices, plain"),
        CLI_TEXT("class-names", 0, "FILE", &q.classes, "names for the labels 0, 1, …, a line each"),
        CLI_INT("max-length", 0, "N", &q.max_length, 0, 65536,
                "count the rows that are longer than so many word pieces (default: the run's, else none)"),
        CLI_CHOICE("format", 'f', &q.format, formats,
                   "format of the files: auto, csv, tsv, jsonl, conll, squad, semeval, swag, text"),
        CLI_TEXT("delimiter", 0, "CHAR", &q.delimiter, "what stands between columns"),
        CLI_CHOICE("header", 0, &q.header, switches, "the first row names the columns: auto, true, false"),
        CLI_CHOICE("quoting", 0, &q.quoting, switches, "\"…\" encloses cells: auto, true, false"),
        CLI_TEXT("filter", 'F', "EXPR", &q.rows.filter,
                 "print the rows for which this is true, and how many"),
        CLI_TEXT("sort", 's', "COL", &q.rows.sort, "print the rows in the order of this column"),
        CLI_FLAG("reverse", 'r', &q.rows.reversed, "… the other way round"),
        CLI_INT("limit", 'n', "N", &q.rows.limit, 0, 1e15,
                "print so many rows (default: all); the count is of all"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "data", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (q.delimiter && strlen(q.delimiter) != 1)
        return cli_misuse("data", "--delimiter: found '%s', expected one character", q.delimiter);
    if (wants_rows(&q) && args.n != 1)
        return cli_misuse("data", "--filter and --sort: found %d files, expected one", args.n);
    if (!wants_rows(&q) && (q.rows.reversed || q.rows.limit >= 0))
        return cli_misuse("data", "--reverse and --limit go with --filter or --sort");
    q.spec.files = (const char *const *)args.v;
    q.spec.n_files = (size_t)args.n;
    return run(&q);
}
