/* Multiple choice: which of several texts goes with a text, as in SWAG. Each choice is a sequence of its own, [CLS] text [SEP] choice [SEP], with
 * one output; the loss is the cross-entropy over the outputs of an example's choices (transformers' BertForMultipleChoice). */
#include "metrics/labels.h"
#include "tasks/aim.h"
#include "tasks/inputs.h"
#include "tasks/softmax.h"
#include "tasks/task.h"
#include <bertty/num.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns are the reader's matter: SWAG's files have them by themselves. */
static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    *which = x->task_labels.n ? BT_OPTION_task_labels : BT_OPTION_data_aspect_column;
    *what = x->task_labels.n ? "multiple_choice has no labels: the choices are each example's own"
                             : "multiple_choice has no aspects";
    return x->task_labels.n == 0 && !x->data_aspect_column;
}

/* ── examples ── */

static enum bt_status same_number(const struct bt__task_data *d, struct bt_error *err)
{
    const uint32_t choices = d->n ? bt__task_example(d, 0)->parts : 2;
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        if (e->parts < 2)
            return bt_fail(err, BT_INVALID, "%s:%zu: %u choice%s, expected at least two", bt__task_file(d, e),
                           e->line, e->parts, e->parts == 1 ? "" : "s");
        if (e->parts != choices)
            return bt_fail(err, BT_INVALID, "%s:%zu: %u choices, expected %u as in the examples before",
                           bt__task_file(d, e), e->line, e->parts, choices);
    }
    return BT_OK;
}

static enum bt_status sequences(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                                struct bt_error *err)
{
    const size_t choices = d->n ? bt__task_example(d, 0)->parts : 2;
    struct bt__text *texts = calloc(d->n * choices + 1, sizeof *texts);
    if (!texts) return bt_fail(err, BT_NOMEM, "no memory for %zu examples", d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        for (size_t k = 0; k < choices; k++)
            texts[i * choices + k] = (struct bt__text){
                .text = e->text, .text_n = e->text_n, .pair = e->part[k].text, .pair_n = e->part[k].n};
    }
    enum bt_status st = bt__task_texts(t, d, texts, d->n * choices, (int)choices, pool, err);
    free(texts);
    return st;
}

/* d->gold: int [n], the number of the right choice; −1 where it is not wanted and there is none. */
static enum bt_status read_gold(struct bt__task_data *d, bool gold, struct bt_error *err)
{
    int *to = calloc(d->n + 1, sizeof *to);
    if (!to) return bt_fail(err, BT_NOMEM, "no memory for %zu labels", d->n);
    d->gold = to;
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        int64_t number = -1;
        if (e->label && (!bt_parse_int64(e->label, &number) || number < 0 || number >= e->parts)) number = -1;
        if (gold && number < 0)
            return bt_fail(err, BT_INVALID, "%s:%zu: no label, expected the number of the right choice",
                           bt__task_file(d, e), e->line);
        to[i] = (int)number;
    }
    return BT_OK;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    enum bt_status st = same_number(d, err);
    if (!st) st = sequences(t, d, pool, err);
    return st ? st : read_gold(d, gold, err);
}

static int gold_of(const struct bt__task_data *d, size_t e)
{
    return d->gold ? ((const int *)d->gold)[e] : -1;
}

static int choices_of(const struct bt__task_data *d)
{
    return d->f.group;
}

/* The outputs of example e's choices, side by side. */
static const float *logits_of(const struct bt__task_data *d, const struct bt__logits *l, size_t e)
{
    return bt__logits_at(l, bt__task_first(d, e));
}

/* ── loss and figures ── */

static double weight(const struct bt__task *t, const struct bt__task_data *d, size_t i)
{
    (void)t;
    return gold_of(d, bt__task_example_of(d, i)) < 0 ? 0.0 : 1.0;
}

static double loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits)
{
    int gold = gold_of(d, bt__task_example_of(d, i));
    if (gold < 0) {
        for (int k = 0; dlogits && k < choices_of(d); k++) dlogits[k] = 0.0f;
        return 0.0;
    }
    return bt__cross_entropy(logits, choices_of(d), gold, dlogits ? t->x->train_label_smoothing_factor : 0.0,
                             scale, dlogits);
}

static struct bt__verdict judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                const float *logits)
{
    int gold = gold_of(d, bt__task_example_of(d, i));
    (void)t;
    if (gold < 0) return (struct bt__verdict){.p_gold = 0.0f};
    double off = bt__cross_entropy(logits, choices_of(d), gold, 0.0, 1.0, NULL);
    return (struct bt__verdict){.p_gold = (float)exp(-off),
                                .right = bt__argmax(logits, choices_of(d)) == gold};
}

static enum bt_status metrics(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    int *predicted = calloc(d->n + 1, sizeof *predicted);
    (void)t;
    if (!predicted) return bt_fail(err, BT_NOMEM, "no memory for %zu answers", d->n);
    for (size_t e = 0; e < d->n; e++) predicted[e] = bt__argmax(logits_of(d, l, e), choices_of(d));
    const struct bt__label_results r = {
        .n = d->n, .classes = choices_of(d), .gold = d->gold, .predicted = predicted};
    enum bt_status st = bt__choice_metrics(&r, out, err);
    free(predicted);
    return st;
}

/* ── answers ── */

static const char *numbered(int i, char *to, size_t cap)
{
    snprintf(to, cap, "%d", i);
    return to;
}

static void put_choice(struct bt_json_writer *w, const char *number_key, const char *text_key,
                       const struct bt_example *x, int i)
{
    char number[16];
    bt_jw_ktext(w, number_key, numbered(i, number, sizeof number));
    bt_jw_key(w, text_key);
    bt_jw_textn(w, x->part[i].text, x->part[i].n);
}

static void put_numbers(struct bt_json_writer *w, const float *logits, const float *p, int n)
{
    char number[16];
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (int i = 0; i < n; i++) {
        bt_jw_key(w, numbered(i, number, sizeof number));
        bt_jw_float(w, p[i]);
    }
    bt_jw_end_object(w);
    bt_jw_key(w, "logits");
    bt_jw_array(w);
    for (int i = 0; i < n; i++) bt_jw_float(w, logits[i]);
    bt_jw_end_array(w);
}

/* Rows speak of the choices by their numbers: those are the same in all rows, and a table of them shows a liking for a place. */
static enum bt_status row(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err)
{
    const struct bt_example *x = bt__task_example(d, e);
    const float *logits = logits_of(d, l, e);
    const int n = choices_of(d), best = bt__argmax(logits, n), gold = gold_of(d, e);
    float *p = calloc((size_t)n, sizeof *p);
    (void)t;
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for %d scores", n);
    bt__softmax(logits, n, p);
    if (gold >= 0) put_choice(w, "gold", "gold_choice", x, gold);
    put_choice(w, "prediction", "choice", x, best);
    if (gold >= 0) bt_jw_kbool(w, "correct", gold == best);
    bt_jw_key(w, "score");
    bt_jw_float(w, p[best]);
    put_numbers(w, logits, p, n);
    if (gold >= 0) {
        bt_jw_key(w, "loss");
        bt_jw_float(w, (float)bt__cross_entropy(logits, n, gold, 0.0, 1.0, NULL));
    }
    free(p);
    return BT_OK;
}

static enum bt_status answer(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err)
{
    const struct bt_example *x = bt__task_example(d, e);
    const float *logits = logits_of(d, l, e);
    const int n = choices_of(d), best = bt__argmax(logits, n);
    float *p = calloc((size_t)n, sizeof *p);
    bool ok = p != NULL;
    (void)t;
    if (ok) bt__softmax(logits, n, p);
    for (int i = 0; i < n && ok; i++) {
        struct bt_answer *a = bt__answers_add(out);
        const char *text = bt__answers_keep(out, x->part[i].text, x->part[i].n);
        ok = a && text;
        if (ok)
            *a = (struct bt_answer){
                .label = text, .label_n = x->part[i].n, .score = (double)p[i], .chosen = i == best};
    }
    free(p);
    return ok ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for %d choices", n);
}

/* Of the choices the one with this number or text; −1: there is none. */
static int choice_of(const struct bt_example *x, const char *target)
{
    int64_t number;
    if (bt_parse_int64(target, &number) && number >= 0 && number < x->parts) return (int)number;
    for (uint32_t i = 0; i < x->parts; i++)
        if (x->part[i].n == strlen(target) && memcmp(x->part[i].text, target, x->part[i].n) == 0)
            return (int)i;
    return -1;
}

static enum bt_status aim(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, const struct bt__aim_wish *wish, struct bt__aim *out,
                          struct bt_error *err)
{
    const struct bt_example *x = bt__task_example(d, e);
    const int best = bt__argmax(logits_of(d, l, e), choices_of(d));
    const int choice = wish->target ? choice_of(x, wish->target) : best;
    (void)t;
    enum bt_status st = bt__aim_no_word(wish, err);
    if (st) return st;
    if (choice < 0)
        return bt_fail(err, BT_INVALID, "no choice \"%.60s\", expected a number from 0 to %d or a text",
                       wish->target, choices_of(d) - 1);
    out->sequence = bt__task_first(d, e) + (size_t)choice;
    out->cell[0] = (struct bt__aim_cell){.token = BT__AIM_WHOLE};
    out->cells = 1;
    out->norm = BT__NORM_GROUP;
    bt_str_addf(&out->name, "%d: ", choice);
    bt_str_addn(&out->name, x->part[choice].text, x->part[choice].n);
    return BT_OK;
}

const struct bt__task_ops bt__task_multiple_choice = {
    .name = "multiple_choice",
    .about = "which of several texts goes with a text",
    .examples = BT_EXAMPLE_CHOICES,
    .family = BT__METRICS_choices,
    .architecture = "BertForMultipleChoice",
    .check = check,
    .learn = bt__nameless_learn,
    .head = bt__nameless_head,
    .build = build,
    .weight = weight,
    .loss = loss,
    .judge = judge,
    .metrics = metrics,
    .row = row,
    .answer = answer,
    .aim = aim,
};
