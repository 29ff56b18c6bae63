/* bertty predictions */
#include "tui/commands/cli_run.h"
#include "tui/views/predictions_filter.h"
#include <bertty/pair_slices.h>
#include <bertty/slices.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "The rows of a split as a run predicted them at an evaluation: gold, predicted, "
                            "confidence, margin, loss and text, a\n"
                            "line each with tabs, or JSON; the last line of --json counts them, with ECE and "
                            "the bins of confidence where the\n"
                            "rows have it. FILTER is as of `bertty data`, over the columns row, gold, "
                            "predicted, correct, confidence, margin,\n"
                            "loss, f1, error, text, pair. --save keeps a filter under a name, for --slice "
                            "and for V in Predictions.\n";

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
    const char *runs, *split, *filter, *slice, *save, *forget;
    int sort;
    int64_t most; /* rows; 0: all */
};

/* What is told. */
struct shown {
    struct bt_predictions *p;
    struct bt_pair_texts texts;
    struct pred_facts facts;
    bool *in;
    size_t *index, n;
};

static void shown_free(struct shown *s)
{
    bt_predictions_free(s->p);
    bt_pair_texts_clear(&s->texts);
    pred_facts_free(&s->facts);
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

static enum bt_status choose(const struct request *q, const char *filter, struct shown *s,
                             struct bt_error *err)
{
    struct pred_query query = {.errors = q->errors,
                               .gold = PRED_ANY,
                               .predicted = PRED_ANY,
                               .slice = PRED_ANY,
                               .group = PRED_ANY,
                               .order = orders[q->sort].order,
                               .facts = &s->facts};
    enum bt_status status = BT_OK;
    s->index = calloc(s->p->n + 1, sizeof *s->index);
    if (!s->index || !pred_facts_make(s->p, &s->facts))
        return bt_fail(err, BT_NOMEM, "no memory for %zu predictions", s->p->n);
    if (filter) status = pred_filter_make(filter, s->p, s->texts.examples, &s->in, err);
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

static void tell_json(const struct shown *s)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    struct bt_calibration c;
    for (size_t i = 0; i < s->n && !cli_output_gone(); i++) {
        pred_write_jsonl(s->p, s->texts.examples, &s->index[i], 1, &out);
        if (out.len) out.data[--out.len] = '\0'; /* the end of the line */
        cli_json(&out);
    }
    pred_calibration_make(s->p, &c);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "split", s->p->split);
    bt_jw_kint(&w, "step", s->p->step);
    bt_jw_kint(&w, "rows", (int64_t)s->p->n);
    bt_jw_kint(&w, "shown", (int64_t)s->n);
    if (c.n > 0) json_bins(&w, &c);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell_lines(const struct shown *s)
{
    struct bt_str out = {0};
    pred_write_tsv(s->p, s->texts.examples, s->index, s->n, &out);
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
    if (status == BT_OK) bt_pair_texts_load(run->dir, s.p->split, &s.texts);
    if (status == BT_OK) status = choose(q, filter, &s, &err);
    if (status == BT_OK && !s.texts.examples) cli_warn("no texts: %s", s.texts.err.text);
    if (status == BT_OK) (q->json ? tell_json : tell_lines)(&s);
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
        CLI_FLAG("errors", 'e', &q.errors, "only wrong predictions"),
        CLI_CHOICE("sort", 0, &q.sort, order_names, "the worst first (default: row)"),
        CLI_INT("rows", 'n', "N", &q.most, 1, 1000000000, "no more than N (default: all)"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "predictions", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (q.filter && q.slice) return cli_misuse("predictions", "--filter and --slice: one of them");
    if (q.save && !q.filter) return cli_misuse("predictions", "--save needs a --filter to keep");
    return predictions(&q, args.v[0]);
}
