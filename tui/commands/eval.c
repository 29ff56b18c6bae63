/* bertty eval */
#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include "tui/commands/cli_predictor.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/predictor.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "RUN is a run's id or directory (RUN@STEP, RUN@best and RUN@last name a "
                            "checkpoint; else the best, else the\n"
                            "last), MODEL any Hugging Face directory with a trained classifier. A file is "
                            "read with the run's own data\n"
                            "settings unless an option says otherwise; for a MODEL the options say which "
                            "columns hold text and label.\n";

struct request {
    bool json, unlabelled;
    const char *text, *pair, *label, *tokens, *tags, *context, *aspect, *delimiter, *runs, *squad, *glue;
    int format, header, quoting; /* −1: not given */
    int64_t threads;
    int precision;
    struct cli_list data, choice;
};

/* What stands open while a model is measured. */
struct work {
    struct cli_model model;
    struct bt_predictor *p;
    struct bt_evaluation_result *r;
};

/* ── for people ── */

static void tell_head(const struct work *w, const struct request *q)
{
    struct bt_str text = {.len = 0};
    bt_str_add(&text, w->model.run ? bt_path_base(w->model.run) : w->model.dir);
    if (w->model.run && w->model.step >= 0) bt_str_addf(&text, " at step %lld", (long long)w->model.step);
    bt_str_add(&text, " on ");
    for (size_t i = 0; i < q->data.n; i++) bt_str_addf(&text, "%s%s", i ? ", " : "", q->data.item[i]);
    cli_line("%s", bt_str_text(&text));
    cli_line("%zu rows, %.0f tokens/s", w->r->rows, w->r->tokens_per_s);
    bt_str_free(&text);
}

static void tell_metrics(const struct bt_evaluation_result *r)
{
    struct cli_table t = {.columns = 2, .right = 2};
    if (r->metrics.n == 0) return;
    for (size_t i = 0; i < r->metrics.n; i++) {
        cli_table_cell(&t, "%s", r->metrics.item[i].name);
        cli_table_cell(&t, "%.4f", r->metrics.item[i].value);
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

static void tell_classes(const struct work *w)
{
    static const char *const labels[] = {"label", "precision", "recall", "f1", "rows"}, *const types[] = {
                                                                                            "type",
                                                                                            "precision",
                                                                                            "recall", "f1",
                                                                                            "entities"};
    const char *const *heads = bt_predictor_task(w->p) == BT_TYPE_NER ? types : labels;
    struct cli_table t = {.columns = 5, .right = ~1u};
    if (w->r->n_labels == 0) return;
    for (int i = 0; i < 5; i++) cli_table_cell(&t, "%s", heads[i]);
    for (int i = 0; i < w->r->n_labels; i++) {
        cli_table_cell(&t, "%s", w->r->label[i]);
        cli_table_cell(&t, "%.4f", w->r->precision[i]);
        cli_table_cell(&t, "%.4f", w->r->recall[i]);
        cli_table_cell(&t, "%.4f", w->r->f1[i]);
        cli_table_cell(&t, "%lld", (long long)w->r->support[i]);
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

enum { WIDEST = 30 /* labels that a matrix can show beside each other */ };

static void tell_confusion(const struct work *w)
{
    const int n = w->r->n_labels;
    if (n > WIDEST || !w->r->confusion) return;
    struct cli_table t = {.columns = (size_t)n + 1, .right = ~1u};
    cli_table_cell(&t, "gold \\ predicted");
    for (int i = 0; i < n; i++) cli_table_cell(&t, "%s", w->r->label[i]);
    for (int i = 0; i < n; i++) {
        cli_table_cell(&t, "%s", w->r->label[i]);
        for (int j = 0; j < n; j++) cli_table_cell(&t, "%lld", (long long)w->r->confusion[i * n + j]);
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

/* ── for programs ── */

static void tell_details_json(const struct work *w)
{
    const struct bt_evaluation_result *r = w->r;
    struct bt_str text = {.len = 0};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    bt_jw_object(&j);
    bt_jw_key(&j, "labels");
    bt_jw_array(&j);
    for (int i = 0; i < r->n_labels; i++) {
        bt_jw_object(&j);
        bt_jw_ktext(&j, "label", w->r->label[i]);
        bt_jw_kint(&j, "rows", r->support[i]);
        bt_jw_knum(&j, "precision", r->precision[i]);
        bt_jw_knum(&j, "recall", r->recall[i]);
        bt_jw_knum(&j, "f1", r->f1[i]);
        if (r->confusion) {
            bt_jw_key(&j, "predicted");
            bt_jw_array(&j);
            for (int k = 0; k < r->n_labels; k++) bt_jw_int(&j, r->confusion[i * r->n_labels + k]);
            bt_jw_end_array(&j);
        }
        bt_jw_end_object(&j);
    }
    bt_jw_end_array(&j);
    bt_jw_end_object(&j);
    cli_json(&text);
    bt_str_free(&text);
}

static void tell_json(const struct bt_evaluation_result *r)
{
    struct bt_str text = {.len = 0};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    bt_jw_object(&j);
    bt_jw_kint(&j, "rows", (int64_t)r->rows);
    bt_jw_key(&j, "metrics");
    bt_jw_object(&j);
    for (size_t i = 0; i < r->metrics.n; i++)
        bt_jw_knum(&j, r->metrics.item[i].name, r->metrics.item[i].value);
    bt_jw_end_object(&j);
    bt_jw_knum(&j, "tokens_per_s", r->tokens_per_s);
    bt_jw_end_object(&j);
    cli_json(&text);
    bt_str_free(&text);
}

/* ── the command ── */

static struct bt_data_spec settings(const struct work *w, const struct request *q)
{
    struct bt_data_spec s = bt_experiment_data(bt_predictor_experiment(w->p));
    if (q->text) s.text_column = q->text;
    if (q->pair) s.text_pair_column = q->pair;
    if (q->label) s.label_column = q->label;
    if (q->tokens) s.tokens_column = q->tokens;
    if (q->tags) s.tags_column = q->tags;
    if (q->context) s.context_column = q->context;
    if (q->aspect) s.aspect_column = q->aspect;
    if (q->choice.n) {
        s.choice_columns = q->choice.item;
        s.n_choice_columns = q->choice.n;
    }
    if (q->unlabelled) s.label_column = s.class_names_file = NULL;
    if (q->delimiter) s.dialect.delimiter = q->delimiter[0];
    if (q->format >= 0) s.dialect.format = (enum bt_data_format)q->format;
    if (q->header >= 0) s.dialect.header = q->header - 1;
    if (q->quoting >= 0) s.dialect.quoting = q->quoting - 1;
    return s;
}

/* Whether somebody has to say where text and label stand. */
static bool has_columns(const struct bt_data_spec *s)
{
    return s->kind == BT_EXAMPLE_TEXT || s->kind == BT_EXAMPLE_LABEL_SET;
}

/* With --squad and --glue the answers go to files. */
static enum bt_status evaluate(struct work *w, const struct request *q, const struct bt_data_spec *data,
                               struct bt_error *err)
{
    struct bt_str rows = {.len = 0};
    enum bt_status st = bt_predictor_eval(w->p, q->data.item, q->data.n, data,
                                          q->squad || q->glue ? &rows : NULL, &w->r, err);
    if (!st && q->squad) st = bt_squad_files_write(q->squad, bt_str_text(&rows), rows.len, err);
    if (!st && q->glue) st = bt_glue_file_write(q->glue, bt_str_text(&rows), rows.len, err);
    bt_str_free(&rows);
    return st;
}

static enum bt_status measure(struct work *w, const char *name, const struct request *q, struct bt_error *err)
{
    enum bt_status st = cli_model_find(q->runs, name, &w->model, err);
    if (st) return st;
    const struct bt_predictor_spec spec = {.model_dir = w->model.dir,
                                           .run_dir = w->model.run,
                                           .precision = cli_precision(q->precision),
                                           .threads = (int)q->threads};
    st = bt_predictor_open(&spec, &w->p, err);
    if (st) return st;
    const struct bt_data_spec data = settings(w, q);
    if (has_columns(&data) && (!data.text_column || (!data.label_column && !q->unlabelled)))
        return bt_fail(err, BT_INVALID,
                       "%s has no run that says how its data is read: expected --text and --label", name);
    if (q->squad && data.kind != BT_EXAMPLE_QUESTION)
        return bt_fail(err, BT_INVALID, "%s does not answer questions: --squad is of no use", name);
    st = q->glue ? bt_glue_file_check(w->p, q->glue, err) : BT_OK;
    return st ? st : evaluate(w, q, &data, err);
}

static void tell(const struct work *w, const struct request *q)
{
    if (q->json) {
        if (w->r->n_labels) tell_details_json(w);
        tell_json(w->r);
        return;
    }
    tell_head(w, q);
    if (q->glue) cli_line("predictions for GLUE: %s", q->glue);
    tell_metrics(w->r);
    tell_classes(w);
    tell_confusion(w);
}

static int run(const char *name, const struct request *q)
{
    struct work w = {.p = NULL};
    struct bt_error err;
    enum bt_status st = measure(&w, name, q, &err);
    if (!st) tell(&w, q);
    bt_evaluation_result_free(w.r);
    bt_predictor_free(w.p);
    cli_model_clear(&w.model);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_eval(int argc, char **argv)
{
    static const char *const formats[] = {"auto",  "csv",     "tsv",  "jsonl", "conll",
                                          "squad", "semeval", "swag", "text",  NULL};
    static const char *const switches[] = {"auto", "false", "true", NULL};
    struct request q = {.format = -1, .header = -1, .quoting = -1};
    const struct cli_option options[] = {
        CLI_LIST("data", 'd', "FILE", &q.data,
                 "the labelled data (required; several files are taken as one)"),
        CLI_TEXT("text", 't', "COL", &q.text, "column of the text: its name or number from 1"),
        CLI_TEXT("pair", 'p', "COL", &q.pair, "column of the second text of a pair"),
        CLI_TEXT("label", 'l', "COL", &q.label, "column of the label"),
        CLI_TEXT("tokens", 0, "COL", &q.tokens, "column or member of the words"),
        CLI_TEXT("tags", 0, "COL", &q.tags, "column or member of the words' tags"),
        CLI_TEXT("context", 0, "COL", &q.context, "column or member of the passage that a question is about"),
        CLI_TEXT("aspect", 'a', "COL", &q.aspect, "column of the aspect that a label is about"),
        CLI_LIST("choice", 'c', "COL", &q.choice, "column of a choice; stands once for each"),
        CLI_TEXT(
            "squad", 0, "DIR", &q.squad,
            "write predictions.json, nbest_predictions.json and null_odds.json for SQuAD's scripts there"),
        CLI_TEXT(
            "glue", 'g', "FILE", &q.glue,
            "write the predictions for gluebenchmark.com there; its name says for which task: CoLA.tsv, …"),
        CLI_FLAG("unlabelled", 'u', &q.unlabelled, "the data has no labels: no metrics, --glue's file only"),
        CLI_CHOICE("format", 'f', &q.format, formats,
                   "format of the files: auto, csv, tsv, jsonl, conll, squad, semeval, swag, text"),
        CLI_TEXT("delimiter", 0, "CHAR", &q.delimiter, "what stands between columns"),
        CLI_CHOICE("header", 0, &q.header, switches, "the first row names the columns: auto, true, false"),
        CLI_CHOICE("quoting", 0, &q.quoting, switches, "\"…\" encloses cells: auto, true, false"),
        CLI_PRECISION(&q.precision),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "eval", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code))
        ;
    else if (q.data.n == 0)
        code = cli_misuse("eval", "--data is missing: expected a file");
    else if (q.unlabelled && !q.glue)
        code = cli_misuse("eval", "--unlabelled was given without --glue");
    else if (q.unlabelled && q.label)
        code = cli_misuse("eval", "--unlabelled and --label were given, expected one of them");
    else if (q.glue && q.data.n > 1)
        code = cli_misuse("eval", "--glue is for one file of data, %zu were given", q.data.n);
    else if (q.delimiter && strlen(q.delimiter) != 1)
        code = cli_misuse("eval", "--delimiter: found '%s', expected one character", q.delimiter);
    else
        code = run(args.v[0], &q);
    free(q.data.item);
    free(q.choice.item);
    return code;
}
