/* bertty predictions */
#include "tui/commands/cli_run.h"
#include "tui/views/predictions_filter.h"
#include <bertty/num.h>
#include <bertty/pair_slices.h>
#include <bertty/slices.h>
#include <bertty/threshold.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "The rows of a split as a run predicted them at an evaluation: gold, predicted, "
    "confidence, margin, loss and text, a\n"
    "line each with tabs, or JSON; the last line of --json counts them, with ECE and "
    "the bins of confidence where the\n"
    "rows have it. FILTER is as of `bertty data`, over the columns row, gold, "
    "predicted, correct, confidence, margin,\n"
    "loss, f1, error, text, pair, tags, note. --save keeps a filter under a name, for --slice "
    "and for V in Predictions.\n"
    "--threshold 0.3 decides anew: of two labels the second is given from 0.3 on, "
    "of sets every label; with LABEL=0.3 that\n"
    "one; best is the threshold with the best F1 on these rows. What comes of it "
    "is told on standard error, or in --json's last line.\n";

static const struct order {
    const char *name;
    enum pred_order order;
} orders[] = {{.name = "row", .order = PRED_BY_ROW},
              {.name = "loss", .order = PRED_BY_LOSS},
              {.name = "confidence", .order = PRED_BY_CONFIDENCE},
              {.name = "margin", .order = PRED_BY_MARGIN},
              {.name = "error", .order = PRED_BY_ERROR},
              {.name = "f1", .order = PRED_BY_QUALITY}};
static const char *const order_names[] = {"row", "loss", "confidence", "margin", "error", "f1", NULL};

struct request {
    bool json, errors;
    const char *runs, *split, *filter, *slice, *save, *forget, *tag;
    int sort;
    int64_t most; /* rows; 0: all */
    struct cli_list threshold;
};

/* What is told. */
struct shown {
    struct bt_predictions *p;
    struct bt_texts texts;
    struct bt_row_notes notes;
    struct pred_facts facts;
    struct bt_thresholds *thresholds; /* NULL: none was asked for */
    double *threshold;                /* [p->n_labels]; NaN: as predicted */
    bool *in;
    size_t *index, n;
};

static void shown_free(struct shown *s)
{
    bt_predictions_free(s->p);
    bt_texts_clear(&s->texts);
    bt_row_notes_clear(&s->notes);
    pred_facts_free(&s->facts);
    bt_thresholds_free(s->thresholds);
    free(s->threshold);
    free(s->in);
    free(s->index);
}

static enum bt_status load(const struct bt_run_at *run, const char *split, struct shown *s,
                           struct bt_error *err)
{
    static const char *const usual[] = {"validation", "test", "eval", "dev"};
    int64_t step = run->step == BT_STEP_LAST ? INT64_MAX : run->step < 0 ? -1 : run->step;
    enum bt_status status = BT_NOTFOUND;
    if (split) return bt_predictions_load(run->dir, split, step, &s->p, err);
    for (size_t i = 0; status == BT_NOTFOUND && i < sizeof usual / sizeof *usual; i++)
        status = bt_predictions_load(run->dir, usual[i], step, &s->p, err);
    if (status == BT_NOTFOUND) bt_fail(err, BT_NOTFOUND, "%s: there are no predictions", run->dir);
    return status;
}

/* ── thresholds ── */

/* "LABEL=0.3", "best": the label (BT_THRESHOLD_ALL: all of sets) and the number. */
static enum bt_status parse_threshold(const struct shown *s, const char *word, int *label, double *value,
                                      struct bt_error *err)
{
    const char *equals = strrchr(word, '='), *number = equals ? equals + 1 : word;
    *label = s->p->kind == BT_ROWS_SETS ? BT_THRESHOLD_ALL : 1;
    for (int i = 0; equals && i <= s->p->n_labels; i++) {
        const size_t n = (size_t)(equals - word);
        if (i == s->p->n_labels)
            return bt_fail(err, BT_INVALID, "--threshold %.100s: there is no such label", word);
        if (strlen(s->p->label[i]) != n || strncmp(s->p->label[i], word, n) != 0) continue;
        *label = i;
        break;
    }
    if (strcmp(number, "best") == 0) {
        *value = bt_thresholds_best(s->thresholds, *label);
        return isnan(*value) ? bt_fail(err, BT_INVALID, "--threshold %.100s: no row has the label", word)
                             : BT_OK;
    }
    if (bt_parse_double(number, value) && *value >= 0 && *value <= 1) return BT_OK;
    return bt_fail(err, BT_INVALID, "--threshold %.100s: expected a number from 0 to 1, or best", word);
}

static enum bt_status set_threshold(struct shown *s, const char *word, struct bt_error *err)
{
    int label;
    double value;
    enum bt_status st = parse_threshold(s, word, &label, &value, err);
    if (st) return st;
    if (s->p->kind != BT_ROWS_SETS && !isnan(s->threshold[1 - label]))
        return bt_fail(err, BT_INVALID, "--threshold %.100s: of two labels one is the positive one", word);
    for (int i = 0; i < s->p->n_labels; i++)
        if (label == BT_THRESHOLD_ALL || i == label) s->threshold[i] = value;
    return BT_OK;
}

static enum bt_status decide(const struct request *q, struct shown *s, struct bt_error *err)
{
    const size_t n = (size_t)s->p->n_labels;
    enum bt_status st = q->threshold.n ? bt_thresholds_make(s->p, &s->thresholds, err) : BT_OK;
    if (st || !q->threshold.n) return st;
    if (!(s->threshold = calloc(n + 1, sizeof *s->threshold)))
        return bt_fail(err, BT_NOMEM, "no memory for thresholds");
    for (size_t i = 0; i < n; i++) s->threshold[i] = (double)NAN;
    for (size_t i = 0; i < q->threshold.n && !st; i++) st = set_threshold(s, q->threshold.item[i], err);
    return st ? st : bt_predictions_decide(s->p, s->threshold, err);
}

/* Where all labels of sets have the same one they are told as one. */
static bool for_all(const struct shown *s)
{
    bool same = s->p->kind == BT_ROWS_SETS;
    for (int i = 0; same && i < s->p->n_labels; i++) same = s->threshold[i] == s->threshold[0];
    return same;
}

static void json_threshold(struct bt_json_writer *w, const char *name, const struct bt_thresholds *t,
                           int label, double value)
{
    const struct bt_threshold_at at = bt_thresholds_at(t, label, value);
    bt_jw_object(w);
    bt_jw_ktext(w, "label", name);
    bt_jw_knum(w, "threshold", value);
    bt_jw_kint(w, "tp", (int64_t)at.tp);
    bt_jw_kint(w, "fp", (int64_t)at.fp);
    bt_jw_kint(w, "fn", (int64_t)at.fn);
    bt_jw_kint(w, "tn", (int64_t)at.tn);
    bt_jw_knum(w, "precision", at.precision);
    bt_jw_knum(w, "recall", at.recall);
    bt_jw_knum(w, "f1", at.f1);
    bt_jw_knum(w, "accuracy", at.accuracy);
    bt_jw_end_object(w);
}

static void json_thresholds(struct bt_json_writer *w, const struct shown *s)
{
    bt_jw_key(w, "thresholds");
    bt_jw_array(w);
    if (for_all(s)) json_threshold(w, NULL, s->thresholds, BT_THRESHOLD_ALL, s->threshold[0]);
    for (int i = 0; !for_all(s) && i < s->p->n_labels; i++)
        if (!isnan(s->threshold[i])) json_threshold(w, s->p->label[i], s->thresholds, i, s->threshold[i]);
    bt_jw_end_array(w);
}

static void warn_threshold(const char *name, const struct bt_thresholds *t, int label, double value)
{
    const struct bt_threshold_at at = bt_thresholds_at(t, label, value);
    cli_warn("%s from %.6g on: precision %.4f, recall %.4f, F1 %.4f, %s %.4f; TP %zu, FP %zu, FN %zu, TN %zu",
             name, value, at.precision, at.recall, at.f1,
             label == BT_THRESHOLD_ALL ? "rows all right" : "accuracy", at.accuracy, at.tp, at.fp, at.fn,
             at.tn);
}

static void tell_thresholds(const struct shown *s)
{
    if (for_all(s)) warn_threshold("all labels", s->thresholds, BT_THRESHOLD_ALL, s->threshold[0]);
    for (int i = 0; !for_all(s) && i < s->p->n_labels; i++)
        if (!isnan(s->threshold[i])) warn_threshold(s->p->label[i], s->thresholds, i, s->threshold[i]);
}

static enum bt_status choose(const struct request *q, const char *filter, struct shown *s,
                             struct bt_error *err)
{
    struct pred_query query = {.errors = q->errors,
                               .gold = PRED_ANY,
                               .predicted = PRED_ANY,
                               .slice = PRED_ANY,
                               .group = PRED_ANY,
                               .tag = q->tag,
                               .notes = &s->notes,
                               .order = orders[q->sort].order,
                               .facts = &s->facts};
    enum bt_status status = BT_OK;
    s->index = calloc(s->p->n + 1, sizeof *s->index);
    if (!s->index || !pred_facts_make(s->p, &s->facts))
        return bt_fail(err, BT_NOMEM, "no memory for %zu predictions", s->p->n);
    if (filter) status = pred_filter_make(filter, s->p, s->texts.examples, &s->notes, &s->in, err);
    query.in = s->in;
    if (status == BT_OK) s->n = pred_select(s->p, s->texts.examples, &query, s->index);
    if (q->most && s->n > (size_t)q->most) s->n = (size_t)q->most;
    return status;
}

/* ── telling ── */

static void json_bins(struct bt_json_writer *w, const struct bt_calibration *c)
{
    bt_jw_knum(w, "ece", bt_calibration_ece(c));
    bt_jw_key(w, "calibration");
    bt_jw_array(w);
    for (int b = 0; b < BT_CALIBRATION_BINS; b++) {
        const struct bt_calibration_bin *x = &c->bin[b];
        bt_jw_object(w);
        bt_jw_knum(w, "from", (double)b / BT_CALIBRATION_BINS);
        bt_jw_knum(w, "to", (double)(b + 1) / BT_CALIBRATION_BINS);
        bt_jw_kint(w, "rows", (int64_t)x->n);
        bt_jw_knum(w, "confidence", x->n > 0 ? x->confidence / x->n : (double)NAN);
        bt_jw_knum(w, "right", x->n > 0 ? x->right / x->n : (double)NAN);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static struct pred_written written_of(const struct shown *s)
{
    return (struct pred_written){.p = s->p, .texts = s->texts.examples, .notes = &s->notes};
}

static void tell_json(const struct shown *s)
{
    const struct pred_written of = written_of(s);
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    struct bt_calibration c;
    for (size_t i = 0; i < s->n && !cli_output_gone(); i++) {
        pred_write_jsonl(&of, &s->index[i], 1, &out);
        if (out.len) out.data[--out.len] = '\0'; /* the end of the line */
        cli_json(&out);
    }
    pred_calibration_make(s->p, &c);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "split", s->p->split);
    bt_jw_kint(&w, "step", s->p->step);
    bt_jw_kint(&w, "rows", (int64_t)s->p->n);
    bt_jw_kint(&w, "shown", (int64_t)s->n);
    if (s->threshold) json_thresholds(&w, s);
    if (c.n > 0) json_bins(&w, &c);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_lines(const struct shown *s)
{
    const struct pred_written of = written_of(s);
    struct bt_str out = {0};
    pred_write_tsv(&of, s->index, s->n, &out);
    for (const char *at = bt_str_text(&out), *end; *at && (end = strchr(at, '\n')); at = end + 1)
        cli_data(at, (size_t)(end - at));
    bt_str_free(&out);
}

/* ── the command ── */

static int tell(const struct request *q, const struct bt_run_at *run, const char *filter)
{
    struct shown s = {.p = NULL};
    struct bt_error err = {0};
    enum bt_status status = load(run, q->split, &s, &err);
    if (status == BT_OK) bt_texts_load(run->dir, s.p->split, bt_predictions_last_row(s.p), &s.texts);
    if (status == BT_OK) status = bt_row_notes_load(run->dir, s.p->split, &s.notes, &err);
    if (status == BT_OK && s.notes.others)
        cli_warn("%zu tagged rows of another version of the data are not told", s.notes.others);
    if (status == BT_OK) status = decide(q, &s, &err);
    if (status == BT_OK) status = choose(q, filter, &s, &err);
    if (status == BT_OK && !s.texts.examples) cli_warn("no texts: %s", s.texts.err.text);
    if (status == BT_OK) (q->json ? tell_json : tell_lines)(&s);
    if (status == BT_OK && s.threshold && !q->json) tell_thresholds(&s);
    shown_free(&s);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}

/* The filter that was asked for, checked; NULL: none. In *kept what a named one is borrowed from. */
static enum bt_status filter_of(const struct request *q, struct bt_slices *kept, const char **filter,
                                struct bt_error *err)
{
    enum bt_status status = BT_OK;
    *filter = q->filter;
    if (q->slice) {
        status = bt_slices_load(q->runs, kept, err);
        if (status == BT_OK && !(*filter = bt_slices_find(kept, q->slice)))
            status = bt_fail(err, BT_NOTFOUND, "there is no slice '%s' in %s", q->slice, q->runs);
    }
    if (status == BT_OK && *filter) status = pred_filter_check(*filter, err);
    if (status == BT_OK && q->save) status = bt_slices_save(q->runs, q->save, *filter, err);
    if (status == BT_OK && q->forget) status = bt_slices_save(q->runs, q->forget, NULL, err);
    return status;
}

static int predictions(const struct request *q, const char *name)
{
    struct bt_slices kept = {.n = 0};
    struct bt_error err = {0};
    struct bt_run_at run = {.dir = NULL};
    char *dir = NULL;
    const char *filter;
    enum bt_status status = bt_run_find(q->runs, name, &dir, &run.step, &err);
    run.dir = dir;
    if (status == BT_OK) status = filter_of(q, &kept, &filter, &err);
    int code = status == BT_OK ? tell(q, &run, filter) : cli_fail(&err);
    bt_slices_clear(&kept);
    free(dir);
    return code;
}

int cmd_predictions(int argc, char **argv)
{
    struct request q = {.runs = "runs"};
    const struct cli_option options[] = {
        CLI_JSON(&q.json),
        CLI_RUNS(&q.runs),
        CLI_TEXT("split", 's', "NAME", &q.split, "validation, test, … (default: the first there is)"),
        CLI_TEXT("filter", 'f', "FILTER", &q.filter, "only rows that it holds for"),
        CLI_TEXT("slice", 0, "NAME", &q.slice, "… the filter that was kept under this name"),
        CLI_TEXT("save", 0, "NAME", &q.save, "keep --filter under this name"),
        CLI_TEXT("forget", 0, "NAME", &q.forget, "forget the filter of this name"),
        CLI_TEXT("tag", 0, "TAG", &q.tag, "only rows with this tag (bertty annotate)"),
        CLI_FLAG("errors", 'e', &q.errors, "only wrong predictions"),
        CLI_CHOICE("sort", 0, &q.sort, order_names, "the worst first (default: row)"),
        CLI_LIST("threshold", 0, "[LABEL=]P", &q.threshold,
                 "decide anew: a label is given from this probability on, or best"),
        CLI_INT("rows", 'n', "N", &q.most, 1, 1000000000, "no more than N (default: all)"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "predictions", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) {
        free(q.threshold.item);
        return code;
    }
    if (q.filter && q.slice)
        code = cli_misuse("predictions", "--filter and --slice: one of them");
    else if (q.save && !q.filter)
        code = cli_misuse("predictions", "--save needs a --filter to keep");
    else
        code = predictions(&q, args.v[0]);
    free(q.threshold.item);
    return code;
}
