/* bertty baseline */
#include "tui/commands/cli_run.h"
#include <bertty/baseline.h>
#include <stdlib.h>

static const char about[] =
    "What the experiment's data allow without a BERT, in seconds: a run like others, for Compare, Charts and "
    "Predictions to stand\n"
    "beside trained ones. --kind tfidf: logistic regression over the words' TF-IDF weights, what "
    "scikit-learn's "
    "TfidfVectorizer and\n"
    "LogisticRegression(solver=\"liblinear\") make of them (a pair's second text has weights of its own); of "
    "classification and absa.\n"
    "--kind majority: always the commonest label; of multilabel each label's commonest value, of regression "
    "the "
    "mean.\n"
    "Texts are read as a whole; the model is not read and need not be there. Such a run has no model to "
    "predict, "
    "resume or export.\n";

static const char *const kinds[] = {
#define X(name, word) word,
    BT_BASELINES(X)
#undef X
        NULL};

static void tell(void *ctx, const struct bt_progress *p)
{
    (void)ctx;
    if (p->kind == BT_PROGRESS_WARNING)
        cli_warn("%s", p->text);
    else if (p->text)
        cli_line("%s", p->text);
}

static void warn_only(void *ctx, const struct bt_progress *p)
{
    if (p->kind == BT_PROGRESS_WARNING) tell(ctx, p);
}

static void put_metrics(struct bt_json_writer *w, const char *key, const struct bt_metrics *m)
{
    if (!m->n) return;
    bt_jw_key(w, key);
    bt_jw_object(w);
    for (size_t i = 0; i < m->n; i++) bt_jw_knum(w, m->item[i].name, m->item[i].value);
    bt_jw_end_object(w);
}

static void tell_json(const struct bt_baseline_result *r, const char *kind)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", r->id);
    bt_jw_ktext(&w, "dir", r->dir);
    bt_jw_ktext(&w, "baseline", kind);
    bt_jw_kint(&w, "train_rows", (int64_t)r->train_rows);
    bt_jw_kint(&w, "features", (int64_t)r->features);
    bt_jw_knum(&w, "seconds", r->seconds);
    bt_jw_ktext(&w, "metric", r->metric);
    put_metrics(&w, "validation", &r->validation);
    put_metrics(&w, "test", &r->test);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_result(const struct bt_baseline_result *r)
{
    cli_line("baseline: %s, %.2f s", r->dir, r->seconds);
    if (r->validation.n) cli_line("validation %s %.4f", r->metric, bt_metrics_get(&r->validation, r->metric));
    if (r->test.n) cli_line("test %s %.4f", r->metric, bt_metrics_get(&r->test, r->metric));
}

static int run(const char *path, const struct cli_list *set, struct bt_baseline_request *r, bool json)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_baseline_result result = {.id = NULL};
    enum bt_status st = cli_experiment(path, set, &x, &err);
    r->experiment = x;
    r->progress = json ? warn_only : tell;
    if (!st) st = bt_baseline(r, &result, &err);
    if (!st && json) tell_json(&result, kinds[r->kind]);
    if (!st && !json) tell_result(&result);
    bt_baseline_result_clear(&result);
    bt_experiment_free(x);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_baseline(int argc, char **argv)
{
    bool json = false;
    int kind = BT_BASELINE_TFIDF;
    int64_t ngrams = 1;
    struct cli_list set = {.n = 0};
    struct bt_baseline_request r = {.name = NULL};
    const struct cli_option options[] = {
        CLI_CHOICE("kind", 'k', &kind, kinds, "which (default: tfidf)"),
        CLI_INT("ngrams", 0, "N", &ngrams, 1, 2,
                "of tfidf: 2 counts words that follow each other, too (default: 1)"),
        CLI_TEXT("name", 'n', "NAME", &r.name,
                 "the run's name (default: the experiment's, the kind, and the time)"),
        CLI_TEXT("runs", 0, "DIR", &r.runs_dir,
                 "where the runs are (default: the experiment's run.output_dir)"),
        CLI_LIST("set", 's', "KEY=VALUE", &set,
                 "change an option of the file: --set data.max_train_samples=500"),
        CLI_JSON(&json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "baseline", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code)) {
        r.kind = (enum bt_baseline_kind)kind;
        r.ngrams = (int)ngrams;
        code = run(args.v[0], &set, &r, json);
    }
    free(set.item);
    return code;
}
