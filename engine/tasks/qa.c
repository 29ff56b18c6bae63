/* Questions about a context, answered by a part of it: two numbers for each token, its score as the beginning and as the end. */
#include "metrics/answers.h"
#include "tasks/qa_nbest.h"
#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char NEGATIVE[] = "version_2_with_negative", THRESHOLD[] = "null_score_diff_threshold";

enum { LENGTH = BT_QA_LENGTH };

/* In t->own. */
struct own {
    int negative;     /* questions without an answer were among the training data; −1: not known */
    double threshold; /* what the validation data came to; NaN: not known */
};

static const struct own *own_of(const struct bt__task *t)
{
    return t->own;
}

/* ── options ── */

/* False: neither a number nor auto. auto: NaN. */
static bool threshold_of(const struct bt_experiment *x, double *value)
{
    const char *text = x->task_null_score_diff_threshold ? x->task_null_score_diff_threshold : "0";
    *value = (double)NAN;
    return strcmp(text, "auto") == 0 || bt_parse_double(text, value);
}

static bool wrong(int option, const char *text, int *which, const char **what)
{
    *which = option;
    *what = text;
    return false;
}

static bool check_threshold(const struct bt_experiment *x, int *which, const char **what)
{
    const int option = BT_OPTION_task_null_score_diff_threshold;
    double value;
    if (!threshold_of(x, &value)) return wrong(option, "expected a number or auto", which, what);
    if (isnan(value) && !bt_experiment_validates(x))
        return wrong(option,
                     "auto needs data.validation_file, data.val_set_size or data.num_folds to find it on",
                     which, what);
    if (x->task_version_2_with_negative == BT_NEGATIVE_FALSE && !(fabs(value) <= 0.0))
        return wrong(option, "needs questions without an answer, but task.version_2_with_negative is false",
                     which, what);
    return true;
}

static bool check_windows(const struct bt_experiment *x, int *which, const char **what)
{
    const int64_t length = x->set[BT_OPTION_data_max_seq_length] ? x->data_max_seq_length : LENGTH,
                  room = length - 3 - x->task_max_query_length;
    if (room < 1)
        return wrong(BT_OPTION_task_max_query_length,
                     "leaves no room for the context: expected data.max_seq_length - 4 or less", which, what);
    if (x->task_doc_step > 0 && x->set[BT_OPTION_task_doc_stride] && x->task_doc_stride != 128)
        return wrong(BT_OPTION_task_doc_step, "set together with task.doc_stride, expected one of the two",
                     which, what);
    if (x->task_doc_step < 0 && x->task_doc_stride >= room)
        return wrong(BT_OPTION_task_doc_stride,
                     "an overlap as long as a window's part of the context: expected less than "
                     "data.max_seq_length - task.max_query_length - 3",
                     which, what);
    return true;
}

static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    if (x->data_truncation == BT_TRUNCATION_ONLY_FIRST)
        return wrong(BT_OPTION_data_truncation, "only_first, but a context that is too long becomes windows",
                     which, what);
    return check_windows(x, which, what) && check_threshold(x, which, what);
}

/* ── what is learnt from the data ── */

static bool any_impossible(const struct bt__task_data *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (bt__task_example(d, i)->impossible) return true;
    return false;
}

static enum bt_status learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    struct own *own = malloc(sizeof *own);
    if (!own) return bt_fail(err, BT_NOMEM, "no memory for a task");
    *own = (struct own){.negative = train ? any_impossible(train) : -1, .threshold = (double)NAN};
    t->own = own;
    return BT_OK;
}

static void forget(struct bt__task *t)
{
    free(t->own);
}

static void remember(const struct bt__task *t, struct bt__model_config *c)
{
    const struct own *own = own_of(t);
    if (own->negative >= 0) bt__model_set(c, NEGATIVE, own->negative);
    if (!isnan(own->threshold)) bt__model_set(c, THRESHOLD, own->threshold);
}

static void recall(struct bt__task *t, const struct bt__model_config *c)
{
    struct own *own = t->own;
    double negative = bt__model_setting(c, NEGATIVE);
    if (!isnan(negative)) own->negative = negative > 0.0;
    own->threshold = bt__model_setting(c, THRESHOLD);
}

/* Whether an answer may be none. A model of which nothing is known may say so of data that has such questions. */
static bool negative(const struct bt__task *t, const struct bt__task_data *d)
{
    if (t->x->task_version_2_with_negative != BT_NEGATIVE_AUTO)
        return t->x->task_version_2_with_negative == BT_NEGATIVE_TRUE;
    return own_of(t)->negative >= 0 ? own_of(t)->negative : bt__qa_windows_of(d)->impossible;
}

static struct bt__qa_rules rules_of(const struct bt__task *t, const struct bt__task_data *d)
{
    double threshold;
    if (!threshold_of(t->x, &threshold) || isnan(threshold)) threshold = own_of(t)->threshold;
    return (struct bt__qa_rules){.n_best = (size_t)t->x->task_n_best_size,
                                 .longest = (size_t)t->x->task_max_answer_length,
                                 .negative = negative(t, d),
                                 .threshold = isnan(threshold) ? 0.0 : threshold};
}

/* Questions that have answers, of which none is in the context. */
static size_t unplaced(const struct bt__task_data *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) n += bt__qa_windows_of(d)->window[bt__task_first(d, i)].start < 0;
    return n;
}

static void about_data(const struct bt__task *t, const struct bt__task_data *train, struct bt_str *out)
{
    const size_t odd = bt_examples_misaligned(train->examples), lost = unplaced(train);
    bt_str_addf(out, "%zu questions in %zu windows of at most %lld tokens", train->n, train->f.n,
                (long long)t->x->data_max_seq_length);
    if (train->f.truncated)
        bt_str_addf(out, "; %zu questions are longer than task.max_query_length (%lld) and are cut",
                    train->f.truncated, (long long)t->x->task_max_query_length);
    if (odd) bt_str_addf(out, "; %zu answers are not where the file says", odd);
    if (lost)
        bt_str_addf(out, ", %zu question%s no answer in the context and teach%s nothing", lost,
                    lost == 1 ? " has" : "s have", lost == 1 ? "es" : "");
}

static struct bt__head_spec head(const struct bt__task *t)
{
    (void)t;
    return (struct bt__head_spec){
        .kind = BT__HEAD_TOKENS, .name = "qa_outputs", .outputs = 2, .no_dropout = true};
}

/* ── loss ── */

static const struct bt__qa_window *window_of(const struct bt__task_data *d, size_t i)
{
    return &bt__qa_windows_of(d)->window[i];
}

/* log Σ exp of every second number. */
static double log_sum(const float *l, size_t n)
{
    double top = (double)l[0], sum = 0.0;
    for (size_t i = 1; i < n; i++) top = (double)l[2 * i] > top ? (double)l[2 * i] : top;
    for (size_t i = 0; i < n; i++) sum += exp((double)l[2 * i] - top);
    return top + log(sum);
}

/* Cross-entropy over the tokens of a window of one of the two, as bt__cross_entropy(). */
static double side(const float *l, size_t n, size_t gold, double smoothing, double scale, float *dl)
{
    const double z = log_sum(l, n);
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        double logp = (double)l[2 * i] - z;
        double q = smoothing / (double)n + (i == gold ? 1.0 - smoothing : 0.0);
        if (q > 0.0) loss -= q * logp;
        if (dl) dl[2 * i] = (float)(scale * (exp(logp) - q));
    }
    return loss;
}

static double weight(const struct bt__task *t, const struct bt__task_data *d, size_t i)
{
    (void)t;
    return window_of(d, i)->start < 0 ? 0.0 : 1.0;
}

static double loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits)
{
    const struct bt__qa_window *w = window_of(d, i);
    const size_t n = (size_t)d->f.length[i];
    const double smoothing = dlogits ? t->x->train_label_smoothing_factor : 0.0;
    if (w->start < 0) {
        if (dlogits) memset(dlogits, 0, 2 * n * sizeof *dlogits);
        return 0.0;
    }
    double start = side(logits, n, (size_t)w->start, smoothing, scale / 2.0, dlogits);
    double end = side(logits + 1, n, (size_t)w->end, smoothing, scale / 2.0, dlogits ? dlogits + 1 : NULL);
    return (start + end) / 2.0;
}

static size_t likeliest(const float *l, size_t n, size_t gold, double *p)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (l[2 * i] > l[2 * best]) best = i;
    *p *= exp((double)l[2 * gold] - log_sum(l, n));
    return best;
}

static struct bt__verdict judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                const float *logits)
{
    const struct bt__qa_window *w = window_of(d, i);
    const size_t n = (size_t)d->f.length[i];
    double p = 1.0;
    (void)t;
    if (w->start < 0) return (struct bt__verdict){.p_gold = NAN}; /* not among what is looked at */
    size_t start = likeliest(logits, n, (size_t)w->start, &p),
           end = likeliest(logits + 1, n, (size_t)w->end, &p);
    return (struct bt__verdict){.p_gold = (float)p,
                                .right = start == (size_t)w->start && end == (size_t)w->end};
}

/* ── figures ── */

static const char *context_of(const struct bt_example *e)
{
    return e->pair ? e->pair : "";
}

/* Every question's answer as the scorer takes it; the caller frees both arrays. */
struct results {
    struct bt__answer *answer;
    struct bt__gold_answer *gold;
};

static void results_free(struct results *r)
{
    free(r->answer);
    free(r->gold);
}

static void set_answer(struct bt__answer *a, const struct bt_example *e, const struct bt__qa_span *s,
                       struct bt__gold_answer *gold)
{
    for (uint32_t i = 0; i < e->parts; i++)
        gold[i] = (struct bt__gold_answer){.text = e->part[i].text, .n = e->part[i].n};
    *a = (struct bt__answer){.predicted = context_of(e) + s->begin,
                             .predicted_n = s->end - s->begin,
                             .gold = gold,
                             .golds = e->parts};
}

/* The best answer to each question, whether or not none is better, with its null odds. */
static enum bt_status best_answers(const struct bt__task *t, const struct bt__task_data *d,
                                   const struct bt__logits *l, struct results *r, struct bt_error *err)
{
    const struct bt__qa_rules rules = rules_of(t, d);
    struct bt__qa_nbest k = {.n = 0};
    size_t golds = 0, at = 0;
    for (size_t i = 0; i < d->n; i++) golds += bt__task_example(d, i)->parts;
    r->answer = calloc(d->n + 1, sizeof *r->answer);
    r->gold = calloc(golds + 1, sizeof *r->gold);
    enum bt_status st = r->answer && r->gold
                            ? BT_OK
                            : bt_fail(err, BT_NOMEM, "no memory for the answers to %zu questions", d->n);
    for (size_t i = 0; i < d->n && !st; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        st = bt__qa_nbest(&k, &rules, d, l, i, err);
        if (st) break;
        set_answer(&r->answer[i], e, &k.best, r->gold + at);
        r->answer[i].null_odds = k.null_odds;
        at += e->parts;
    }
    bt__qa_nbest_free(&k);
    return st;
}

static struct bt__answer_results to_score(const struct bt__task *t, const struct bt__task_data *d,
                                          const struct results *r)
{
    const struct bt__qa_rules rules = rules_of(t, d);
    return (struct bt__answer_results){.n = d->n,
                                       .item = r->answer,
                                       .v2 = rules.negative || bt__qa_windows_of(d)->impossible,
                                       .has_null_odds = rules.negative,
                                       .threshold = rules.threshold};
}

static enum bt_status metrics(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    struct results r = {.answer = NULL};
    enum bt_status st = best_answers(t, d, l, &r, err);
    if (!st) {
        const struct bt__answer_results all = to_score(t, d, &r);
        st = bt__answer_metrics(&all, out, err);
    }
    results_free(&r);
    return st;
}

static enum bt_status f1_with(struct bt__answer_results all, double threshold, double *f1,
                              struct bt_error *err)
{
    struct bt_metrics m = {.n = 0};
    all.threshold = threshold;
    enum bt_status st = bt__answer_metrics(&all, &m, err);
    *f1 = bt_metrics_get(&m, "f1");
    return st;
}

/* The official script finds the threshold with questions answered one by one in the order of their odds; it says 0 where it is best to answer none,
 * which a threshold below all odds does. */
static enum bt_status best_threshold(const struct bt__answer_results *all, double *best, struct bt_error *err)
{
    double value, with, without, lowest = HUGE_VAL;
    for (size_t i = 0; i < all->n; i++) lowest = fmin(lowest, all->item[i].null_odds);
    lowest -= 1.0;
    enum bt_status st = bt__answer_threshold(all, true, best, &value, err);
    if (!st) st = f1_with(*all, *best, &with, err);
    if (!st) st = f1_with(*all, lowest, &without, err);
    if (!st && without > with) *best = lowest;
    return st;
}

/* With auto: the threshold that is best on the validation data. */
static enum bt_status settle(struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                             struct bt_error *err)
{
    struct results r = {.answer = NULL};
    double asked, best = 0.0;
    if (!threshold_of(t->x, &asked) || !isnan(asked) || !negative(t, d)) return BT_OK;
    enum bt_status st = best_answers(t, d, l, &r, err);
    if (!st) {
        const struct bt__answer_results all = to_score(t, d, &r);
        st = best_threshold(&all, &best, err);
    }
    if (!st) ((struct own *)t->own)->threshold = best;
    results_free(&r);
    return st;
}

/* ── answers ── */

static void key_text(struct bt_json_writer *w, const char *key, const char *text, size_t n)
{
    bt_jw_key(w, key);
    bt_jw_textn(w, text, n);
}

static void write_nbest(struct bt_json_writer *w, const struct bt__qa_nbest *k, const char *context)
{
    bt_jw_key(w, "nbest");
    bt_jw_array(w);
    for (size_t i = 0; i < k->n; i++) {
        const struct bt__qa_span *s = &k->item[i];
        bt_jw_object(w);
        key_text(w, "text", context + s->begin, s->end - s->begin);
        bt_jw_knum(w, "score", s->p);
        bt_jw_kint(w, "begin", (int64_t)bt_utf8_count(context, s->begin));
        bt_jw_kint(w, "end", (int64_t)bt_utf8_count(context, s->end));
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void write_golds(struct bt_json_writer *w, const struct bt_example *e)
{
    bt_jw_key(w, "golds");
    bt_jw_array(w);
    for (uint32_t i = 0; i < e->parts; i++) bt_jw_textn(w, e->part[i].text, e->part[i].n);
    bt_jw_end_array(w);
}

static enum bt_status score_one(const struct bt__task *t, const struct bt__task_data *d,
                                const struct bt_example *e, const struct bt__qa_span *s,
                                struct bt__answer_score *out, struct bt_error *err)
{
    struct bt__answer a;
    struct bt__gold_answer *gold = calloc((size_t)e->parts + 1, sizeof *gold);
    if (!gold) return bt_fail(err, BT_NOMEM, "no memory for the answers to a question");
    set_answer(&a, e, s, gold);
    enum bt_status st = bt__answer_score(&a, negative(t, d) || e->impossible, out, err);
    free(gold);
    return st;
}

static enum bt_status row(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err)
{
    const struct bt_example *x = bt__task_example(d, e);
    const struct bt__qa_rules rules = rules_of(t, d);
    struct bt__qa_nbest k = {.n = 0};
    struct bt__answer_score score = {.exact = 0.0};
    enum bt_status st = bt__qa_nbest(&k, &rules, d, l, e, err);
    if (!st && d->gold) st = score_one(t, d, x, &k.item[0], &score, err);
    if (!st) {
        if (x->parts) key_text(w, "gold", x->part[0].text, x->part[0].n);
        key_text(w, "prediction", context_of(x) + k.item[0].begin, k.item[0].end - k.item[0].begin);
        if (d->gold) bt_jw_kbool(w, "correct", score.exact > 0.5);
        bt_jw_knum(w, "score", k.item[0].p);
        if (d->gold) {
            write_golds(w, x);
            bt_jw_kint(w, "exact", score.exact > 0.5);
            bt_jw_knum(w, "f1", score.f1);
        }
        if (rules.negative) bt_jw_knum(w, "null_odds", k.null_odds);
        write_nbest(w, &k, context_of(x));
    }
    bt__qa_nbest_free(&k);
    return st;
}

static enum bt_status answer(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err)
{
    const struct bt__qa_rules rules = rules_of(t, d);
    const char *context = context_of(bt__task_example(d, e));
    struct bt__qa_nbest k = {.n = 0};
    enum bt_status st = bt__qa_nbest(&k, &rules, d, l, e, err);
    for (size_t i = 0; i < k.n && !st; i++) {
        const struct bt__qa_span *s = &k.item[i];
        struct bt_answer *a = bt__answers_add(out);
        const char *label = bt__answers_keep(out, context + s->begin, s->end - s->begin);
        if (!a || !label)
            st = bt_fail(err, BT_NOMEM, "no memory for %zu answers", k.n);
        else
            *a = (struct bt_answer){.label = label,
                                    .label_n = s->end - s->begin,
                                    .score = s->p,
                                    .begin = s->begin,
                                    .end = s->end,
                                    .chosen = i == 0};
    }
    bt__qa_nbest_free(&k);
    return st;
}

const struct bt__task_ops bt__task_qa = {
    .name = "qa",
    .about = "the part of a context that answers a question, or that there is none",
    .examples = BT_EXAMPLE_QUESTION,
    .family = BT__METRICS_answers,
    .architecture = "BertForQuestionAnswering",
    .check = check,
    .learn = learn,
    .close = forget,
    .head = head,
    .settle = settle,
    .about_data = about_data,
    .remember = remember,
    .recall = recall,
    .max_length = LENGTH,
    .build = bt__qa_windows_build,
    .drop = bt__qa_windows_drop,
    .weight = weight,
    .loss = loss,
    .judge = judge,
    .metrics = metrics,
    .row = row,
    .answer = answer,
};
