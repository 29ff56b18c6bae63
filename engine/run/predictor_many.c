/* Many inputs, and labelled files. */
#include "run/predictor_parts.h"

#include "metrics/metrics.h"
#include "tasks/classification.h"
#include "tasks/labels.h"
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_SEQS = 64, BATCH_ROWS = 2048 };

struct cancel {
    const atomic_bool *flag;
};

static bool go_on(void *ctx)
{
    const struct cancel *c = ctx;
    return !atomic_load(c->flag);
}

enum bt_status bt__predictor_run(struct bt_predictor *p, const struct bt__features *f, const int *gold,
                                 const atomic_bool *cancel, struct bt__evaluation *e, struct bt_error *err)
{
    struct cancel c = {.flag = cancel};
    struct bt__pass_limits limits = bt__evaluation_limits(f, BATCH_SEQS, BATCH_ROWS);
    enum bt_status st = bt__predictor_reserve(p, &limits, err);
    if (st) return st;
    return bt__evaluate(p->pass, p->m, &limits, f, gold, cancel ? go_on : NULL, &c, e, err);
}

static void softmax_rows(const float *logits, size_t n, int classes, float *scores)
{
    for (size_t i = 0; i < n; i++)
        bt__softmax(logits + i * (size_t)classes, classes, scores + i * (size_t)classes);
}

enum bt_status bt_predict_all(struct bt_predictor *p, const struct bt_input *in, size_t n, float *logits,
                              float *scores, const atomic_bool *cancel, struct bt_error *err)
{
    struct bt__features f;
    struct bt__evaluation e;
    struct bt__text *text = calloc(n + 1, sizeof *text);
    if (!text) return bt_fail(err, BT_NOMEM, "no memory for %zu inputs", n);
    for (size_t i = 0; i < n; i++)
        text[i] = (struct bt__text){
            .text = in[i].text, .pair = in[i].pair, .text_n = in[i].text_n, .pair_n = in[i].pair_n};
    enum bt_status st = bt__predictor_features(p, text, n, &f, err);
    free(text);
    if (st) return st;
    st = bt__predictor_run(p, &f, NULL, cancel, &e, err);
    bt__features_free(&f);
    if (st) return st;
    size_t size = n * (size_t)p->m->num_labels * sizeof *logits;
    if (scores) softmax_rows(e.logits, n, p->m->num_labels, scores);
    if (logits && size) memcpy(logits, e.logits, size);
    bt__evaluation_free(&e);
    return BT_OK;
}

/* ── evaluation ── */

/* A label of the data as a number of the model's: its name, or, where the model's labels have no names of
 * their own (LABEL_0, …), the number itself. */
static int label_index(const struct bt__labels *names, const char *text, size_t n)
{
    int at = bt__labels_find(names, text, n);
    char digits[16];
    int64_t number;
    if (at >= 0 || n == 0 || n >= sizeof digits || strncmp(names->name[0], "LABEL_", 6) != 0) return at;
    memcpy(digits, text, n);
    digits[n] = '\0';
    return bt_parse_int64(digits, &number) && number >= 0 && number < names->n ? (int)number : -1;
}

static enum bt_status unknown_label(const struct bt_data_spec *spec, const struct bt_example *e,
                                    const struct bt__labels *names, struct bt_error *err)
{
    struct bt_str list = {.len = 0};
    for (int i = 0; i < names->n && i < 8; i++)
        bt_str_addf(&list, "%s\"%.30s\"", i ? ", " : "", names->name[i]);
    if (names->n > 8) bt_str_addf(&list, ", … (%d)", names->n);
    enum bt_status st =
        bt_fail(err, BT_INVALID, "%s:%zu: label \"%.*s\" is none of the model's: %s", spec->files[e->file],
                e->line, e->label_n > 40 ? 40 : (int)e->label_n, e->label, bt_str_text(&list));
    bt_str_free(&list);
    return st;
}

static enum bt_status gold_of(const struct bt_predictor *p, const struct bt_data_spec *spec,
                              const struct bt_examples *data, int *gold, struct bt_error *err)
{
    const struct bt__labels names = {.name = p->m->config.label_names, .n = p->m->num_labels};
    for (size_t i = 0; i < bt_examples_count(data); i++) {
        const struct bt_example *e = bt_examples_at(data, i);
        gold[i] = e->label ? label_index(&names, e->label, e->label_n) : -1;
        if (gold[i] < 0) return unknown_label(spec, e, &names, err);
    }
    return BT_OK;
}

static enum bt_status features_of(struct bt_predictor *p, const struct bt_examples *data,
                                  struct bt__features *f, struct bt_error *err)
{
    size_t n = bt_examples_count(data);
    struct bt__text *text = calloc(n + 1, sizeof *text);
    if (!text) return bt_fail(err, BT_NOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        const struct bt_example *e = bt_examples_at(data, i);
        text[i] =
            (struct bt__text){.text = e->text, .pair = e->pair, .text_n = e->text_n, .pair_n = e->pair_n};
    }
    enum bt_status st = bt__predictor_features(p, text, n, f, err);
    free(text);
    return st;
}

static struct bt_evaluation_result *result_of(size_t rows, int labels)
{
    size_t k = (size_t)labels;
    struct bt_evaluation_result *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->rows = rows;
    r->n_labels = labels;
    r->confusion = calloc(k * k, sizeof *r->confusion);
    r->precision = calloc(k, sizeof *r->precision);
    r->recall = calloc(k, sizeof *r->recall);
    r->f1 = calloc(k, sizeof *r->f1);
    r->gold = calloc(rows, sizeof *r->gold);
    r->predicted = calloc(rows, sizeof *r->predicted);
    r->scores = calloc(rows * k, sizeof *r->scores);
    if (r->confusion && r->precision && r->recall && r->f1 && r->gold && r->predicted && r->scores) return r;
    bt_evaluation_result_free(r);
    return NULL;
}

static void fill(struct bt_evaluation_result *r, const struct bt__evaluation *e)
{
    size_t k = (size_t)r->n_labels;
    bt__evaluation_metrics(e, &r->metrics);
    r->tokens_per_s = e->seconds > 0.0 ? (double)e->tokens / e->seconds : 0.0;
    memcpy(r->confusion, e->confusion.count, k * k * sizeof *r->confusion);
    for (int c = 0; c < r->n_labels; c++) {
        struct bt__prf one = bt__metric_class(&e->confusion, c);
        r->precision[c] = one.precision;
        r->recall[c] = one.recall;
        r->f1[c] = one.f1;
    }
    softmax_rows(e->logits, r->rows, r->n_labels, r->scores);
    for (size_t i = 0; i < r->rows; i++) r->predicted[i] = bt__argmax(e->logits + i * k, r->n_labels);
}

static enum bt_status evaluate(struct bt_predictor *p, const struct bt_data_spec *spec,
                               const struct bt_examples *data, struct bt_evaluation_result *r,
                               struct bt_error *err)
{
    struct bt__features f;
    struct bt__evaluation e;
    enum bt_status st = gold_of(p, spec, data, r->gold, err);
    if (!st) st = features_of(p, data, &f, err);
    if (st) return st;
    st = bt__predictor_run(p, &f, r->gold, NULL, &e, err);
    bt__features_free(&f);
    if (st) return st;
    fill(r, &e);
    bt__evaluation_free(&e);
    return BT_OK;
}

/* Which settings count, and whether they are enough. */
static enum bt_status settings(const struct bt_predictor *p, const struct bt_data_spec *given,
                               struct bt_data_spec *spec, struct bt_error *err)
{
    if (!given && !p->x)
        return bt_fail(err, BT_INVALID, "%s: this model has no run whose data settings could be used",
                       p->dir);
    *spec = given ? *given : bt_experiment_data(p->x);
    if (spec->text_column && spec->label_column) return BT_OK;
    return bt_fail(err, BT_INVALID, "which column holds the %s? (a name or a number from 1)",
                   spec->text_column ? "label" : "text");
}

enum bt_status bt_predictor_eval(struct bt_predictor *p, const char *const *files, size_t n_files,
                                 const struct bt_data_spec *given, struct bt_evaluation_result **out,
                                 struct bt_error *err)
{
    struct bt_data_spec spec;
    struct bt_examples *data = NULL;
    enum bt_status st = settings(p, given, &spec, err);
    spec.files = files;
    spec.n_files = n_files;
    if (!st) st = bt_examples_load(&spec, &data, err);
    if (st) return st;
    size_t rows = bt_examples_count(data);
    struct bt_evaluation_result *r = rows ? result_of(rows, p->m->num_labels) : NULL;
    if (!rows)
        st = bt_fail(err, BT_INVALID, "%s: there are no rows in it", files[0]);
    else if (!r)
        st = bt_fail(err, BT_NOMEM, "no memory for the results of %zu rows", rows);
    else
        st = evaluate(p, &spec, data, r, err);
    bt_examples_free(data);
    if (st)
        bt_evaluation_result_free(r);
    else
        *out = r;
    return st;
}

void bt_evaluation_result_free(struct bt_evaluation_result *r)
{
    if (!r) return;
    free(r->confusion);
    free(r->precision);
    free(r->recall);
    free(r->f1);
    free(r->gold);
    free(r->predicted);
    free(r->scores);
    free(r);
}
