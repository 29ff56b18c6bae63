/* Metrics on results that one can count by hand; against the reference packages: tests/golden/test_metrics.py. */
#include "metrics/answers.h"
#include "metrics/labels.h"
#include "metrics/language.h"
#include "metrics/numbers.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bt_error err;
static struct bt_metrics m;

static void is(const char *name, double wanted)
{
    double got = bt_metrics_get(&m, name);
    if (!(fabs(got - wanted) <= 1e-12)) fail_msg("%s: %.17g, expected %.17g", name, got, wanted);
}

static void absent(const char *name)
{
    for (size_t i = 0; i < m.n; i++) assert_string_not_equal(m.item[i].name, name);
}

static void is_nan(const char *name)
{
    for (size_t i = 0; i < m.n; i++)
        if (strcmp(m.item[i].name, name) == 0) {
            assert_true(isnan(m.item[i].value));
            return;
        }
    fail_msg("no %s", name);
}

/* Four known examples: three right; label 1 predicted twice, right once. */
static void two_labels(void **state)
{
    (void)state;
    const int gold[] = {0, 1, 0, -1, 0}, predicted[] = {0, 1, 1, 1, 0};
    const float scores[] = {0.75f, 0.25f, 0.25f, 0.75f, 0.5f, 0.5f, 0.0f, 1.0f, 1.0f, 0.0f};
    struct bt__label_results r = {.n = 5, .classes = 2, .gold = gold, .predicted = predicted};
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    assert_string_equal(m.item[0].name, "accuracy");
    is("accuracy", 0.75);
    is("precision", 0.5);
    is("recall", 1.0);
    is("f1", 2.0 / 3.0);
    is("f1_macro", (2.0 / 3.0 + 0.8) / 2.0);
    is("f1_weighted", (2.0 / 3.0 + 3.0 * 0.8) / 4.0);
    is("mcc", 2.0 / sqrt(12.0));
    absent("auc");
    r.scores = scores;
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    is("auc", 1.0);
    is("brier", (0.0625 + 0.0625 + 0.25) / 4.0);
    is("log_loss", (-2.0 * log(0.75) - log(0.5) - log(1.0 - 0x1p-52)) / 4.0);
    is("ece", (0.5 + 0.5) / 4.0);
}

/* Probabilities of label 1 decide; one that is sure and right costs what scikit-learn makes it cost. */
static void binary_scores(void **state)
{
    (void)state;
    const int gold[] = {0, 1}, predicted[] = {0, 1};
    const float scores[] = {0.0f, 0.25f, 0.0f, 0.75f}, sure[] = {1.0f, 0.0f, 0.0f, 1.0f};
    struct bt__label_results r = {
        .n = 2, .classes = 2, .gold = gold, .predicted = predicted, .scores = scores};
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    is("auc", 1.0);
    r.scores = sure;
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    assert_true(fabs(bt_metrics_get(&m, "log_loss") * 0x1p52 - 1.0) < 1e-12);
    is("ece", 0.0);
}

static void three_labels(void **state)
{
    (void)state;
    const int gold[] = {0, 1, 2, 2}, predicted[] = {0, 2, 2, 2};
    struct bt__label_results r = {.n = 4, .classes = 4, .gold = gold, .predicted = predicted};
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    absent("f1");
    is("f1_macro", (1.0 + 0.0 + 0.8) / 3.0); /* label 3 does not occur */
    is("precision_macro", (1.0 + 0.0 + 2.0 / 3.0) / 3.0);
    is("recall_weighted", 0.75);
}

static double matthews(const struct bt__confusion *c, double n)
{
    double hits = 0.0, pt = 0.0, pp = 0.0, tt = 0.0;
    for (int i = 0; i < c->classes; i++) {
        struct bt__class_counts k = bt__confusion_class(c, i);
        hits += (double)k.hit;
        pt += (double)k.predicted * (double)k.gold;
        pp += (double)k.predicted * (double)k.predicted;
        tt += (double)k.gold * (double)k.gold;
    }
    return (hits * n - pt) / sqrt((n * n - pp) * (n * n - tt));
}

/* The same to the last bit as from a confusion matrix, which is what older runs recorded. */
static void labels_equal_the_confusion_matrix(void **state)
{
    (void)state;
    int gold[997], predicted[997], hits = 0;
    double f1 = 0.0;
    struct bt__confusion c;
    assert_int_equal(bt__confusion_create(&c, 7, &err), BT_OK);
    for (int i = 0; i < 997; i++) {
        gold[i] = i * i % 7;
        predicted[i] = i % 3 ? gold[i] : i % 7;
        hits += gold[i] == predicted[i];
        bt__confusion_add(&c, gold[i], predicted[i]);
    }
    for (int i = 0; i < 7; i++) f1 += bt__metric_class(&c, i).f1;
    struct bt__label_results r = {.n = 997, .classes = 7, .gold = gold, .predicted = predicted};
    m.n = 0;
    assert_int_equal(bt__label_metrics(&r, &m, &err), BT_OK);
    assert_true(bt_metrics_get(&m, "accuracy") == hits / 997.0);
    assert_true(bt_metrics_get(&m, "f1_micro") == hits / 997.0);
    assert_true(bt_metrics_get(&m, "f1_macro") == f1 / 7.0);
    assert_true(bt_metrics_get(&m, "mcc") == matthews(&c, 997.0));
    bt__confusion_free(&c);
}

static void label_sets(void **state)
{
    (void)state;
    const bool gold[] = {true, false, true, false, false, false},
               predicted[] = {true, true, true, false, false, true};
    const float scores[] = {0.9f, 0.6f, 0.8f, 0.1f, 0.2f, 0.7f};
    struct bt__set_results r = {.n = 2, .labels = 3, .gold = gold, .predicted = predicted, .scores = scores};
    m.n = 0;
    assert_int_equal(bt__set_metrics(&r, &m, &err), BT_OK);
    is("f1_micro", 4.0 / 6.0);
    is("f1_macro", (1.0 + 0.0 + 2.0 / 3.0) / 3.0);
    is("f1_samples", 0.4);
    is("subset_accuracy", 0.0);
    is("hamming_loss", 2.0 / 6.0);
    is("auc_micro", 1.0);
    is_nan("auc_macro"); /* nothing has label 1 */
    is("average_precision", 2.0 / 3.0);
}

static void regression(void **state)
{
    (void)state;
    const double gold[] = {1.0, 2.0, 3.0, (double)NAN, 4.0}, predicted[] = {2.0, 2.0, 3.0, 9.0, 5.0};
    struct bt__number_results r = {.n = 5, .gold = gold, .predicted = predicted};
    m.n = 0;
    assert_int_equal(bt__number_metrics(&r, &m, &err), BT_OK);
    is("mse", 0.5);
    is("rmse", sqrt(0.5));
    is("mae", 0.5);
    is("r2", 1.0 - 2.0 / 5.0);
    is("pearson", 5.0 / sqrt(5.0 * 6.0));
    is("spearman", 4.5 / sqrt(5.0 * 4.5));
}

static void entity_spans(void **state)
{
    (void)state;
    const char *const tag[] = {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};
    const size_t start[] = {0, 3, 5};
    const int gold[] = {1, 2, 0, 3, 0}, predicted[] = {1, 2, 3, 0, 4};
    struct bt__span_results r = {
        .n = 2, .start = start, .gold = gold, .predicted = predicted, .tag = tag, .tags = 5};
    r.scheme = BT__IOB2;
    m.n = 0;
    assert_int_equal(bt__span_metrics(&r, &m, &err), BT_OK);
    is("precision", 1.0 / 3.0); /* the lone I-LOC is an entity */
    is("recall", 0.5);
    is("f1", 0.4);
    is("accuracy", 0.4);
    is("f1_PER", 1.0);
    is("f1_LOC", 0.0);
    r.strict = true;
    m.n = 0;
    assert_int_equal(bt__span_metrics(&r, &m, &err), BT_OK);
    is("precision", 0.5);
}

static struct bt__gold_answer gold_text(const char *text)
{
    return (struct bt__gold_answer){.text = text, .n = strlen(text)};
}

static struct bt__answer question(const char *predicted, const struct bt__gold_answer *gold, double odds)
{
    return (struct bt__answer){.predicted = predicted,
                               .predicted_n = strlen(predicted),
                               .gold = gold,
                               .golds = gold ? 1 : 0,
                               .null_odds = odds};
}

static void squad(void **state)
{
    (void)state;
    struct bt__gold_answer cat = gold_text("The black cat."), dog = gold_text("a dog");
    struct bt__answer item[] = {question("black  CAT", &cat, -1.0), question("dog house", &dog, 0.5),
                                question("it", NULL, 2.0)};
    struct bt__answer_results r = {.n = 2, .item = item, .threshold = 1.0};
    m.n = 0;
    assert_int_equal(bt__answer_metrics(&r, &m, &err), BT_OK);
    assert_string_equal(m.item[0].name, "f1");
    is("exact_match", 50.0);
    is("f1", 100.0 * (1.0 + 2.0 / 3.0) / 2.0);
    absent("exact");
    r.n = 3, r.v2 = true, r.has_null_odds = true;
    m.n = 0;
    assert_int_equal(bt__answer_metrics(&r, &m, &err), BT_OK);
    is("exact", 200.0 / 3.0); /* odds 2 > 1: no answer, which is right */
    is("HasAns_f1", 100.0 * (1.0 + 2.0 / 3.0) / 2.0);
    is("NoAns_exact", 100.0);
    is("best_exact", 200.0 / 3.0);
    is("best_exact_thresh", -1.0);
    is("best_f1_thresh", 0.5);
    absent("exact_match");
}

static void nothing_at_all(void **state)
{
    (void)state;
    const size_t start[] = {0};
    m.n = 0;
    assert_int_equal(bt__label_metrics(&(struct bt__label_results){.classes = 2}, &m, &err), BT_OK);
    assert_int_equal(bt__choice_metrics(&(struct bt__label_results){.classes = 2}, &m, &err), BT_OK);
    assert_int_equal(bt__set_metrics(&(struct bt__set_results){.labels = 2}, &m, &err), BT_OK);
    assert_int_equal(bt__span_metrics(&(struct bt__span_results){.start = start}, &m, &err), BT_OK);
    assert_int_equal(bt__answer_metrics(&(struct bt__answer_results){.v2 = true}, &m, &err), BT_OK);
    bt__language_metrics(&(struct bt__language_results){.loss = 800.0}, &m);
    is("accuracy", 0.0);
    is("f1_weighted", 0.0);
    is("exact", 0.0);
    assert_true(isinf(bt_metrics_get(&m, "perplexity")));
    m.n = 0;
    assert_int_equal(bt__number_metrics(&(struct bt__number_results){.n = 0}, &m, &err), BT_OK);
    is_nan("pearson");
    is("mse", 0.0);
}

/* Types beyond what fits are left out, a long name is cut between characters. */
static void many_types(void **state)
{
    (void)state;
    enum { TYPES = 90 };
    char text[TYPES][96];
    const char *tag[TYPES];
    size_t start[] = {0, TYPES};
    int ids[TYPES];
    for (int i = 0; i < TYPES; i++) {
        snprintf(text[i], sizeof text[i], "B-%02dxäääääääääääääääääääääääää", i);
        tag[i] = text[i];
        ids[i] = i;
    }
    struct bt__span_results r = {
        .n = 1, .start = start, .gold = ids, .predicted = ids, .tag = tag, .tags = TYPES};
    m.n = 0;
    assert_int_equal(bt__span_metrics(&r, &m, &err), BT_OK);
    assert_int_equal(m.n, BT_MAX_METRICS);
    is("f1", 1.0);
    is("f1_00xääääääääääääääää", 1.0);
}

static void names(void **state)
{
    (void)state;
    struct bt_str s = {.len = 0};
    assert_string_equal(bt__metric_default(BT__METRICS_labels), "accuracy");
    assert_string_equal(bt__metric_default(BT__METRICS_numbers), "pearson");
    assert_string_equal(bt__metric_default(BT__METRICS_spans), "f1");
    assert_true(bt__metric_known(BT__METRICS_labels, "loss"));
    assert_true(bt__metric_known(BT__METRICS_labels, "mcc"));
    assert_false(bt__metric_known(BT__METRICS_labels, "pearson"));
    assert_false(bt__metric_known(BT__METRICS_labels, "f1_PER"));
    assert_true(bt__metric_known(BT__METRICS_spans, "f1_PER"));
    assert_false(bt__metric_known(BT__METRICS_spans, "f1_"));
    assert_true(bt__metric_greater_is_better(BT__METRICS_spans, "f1_PER"));
    assert_false(bt__metric_greater_is_better(BT__METRICS_labels, "loss"));
    assert_false(bt__metric_greater_is_better(BT__METRICS_labels, "ece"));
    assert_false(bt__metric_greater_is_better(BT__METRICS_language, "perplexity"));
    bt__metric_names(BT__METRICS_numbers, &s);
    assert_string_equal(bt_str_text(&s), "loss, pearson, spearman, mse, rmse, mae, r2");
    bt_str_free(&s);
}

static void schemes(void **state)
{
    (void)state;
    enum bt__scheme s;
    const char *const iob2[] = {"O", "B-PER", "I-PER"}, *const iobes[] = {"S-A", "O"},
                      *const bilou[] = {"B-A", "L-A"};
    const char *const ioe[] = {"I-A", "E-A"}, *const iob1[] = {"I-A", "O"},
                      *const some_b[] = {"O", "B-A", "I-A", "I-B"}, *const some_e[] = {"I-A", "I-B", "E-B"},
                      *const only_b[] = {"B-A", "O"};
    assert_int_equal(bt__scheme_guess(iob2, 3), BT__IOB2);
    assert_int_equal(bt__scheme_guess(iobes, 2), BT__IOBES);
    assert_int_equal(bt__scheme_guess(bilou, 2), BT__BILOU);
    assert_int_equal(bt__scheme_guess(ioe, 2), BT__IOE2);
    assert_int_equal(bt__scheme_guess(iob1, 2), BT__IOB1);
    assert_int_equal(bt__scheme_guess(some_b, 4), BT__IOB1);
    assert_int_equal(bt__scheme_guess(some_b, 3), BT__IOB2);
    assert_int_equal(bt__scheme_guess(some_e, 3), BT__IOE1);
    assert_int_equal(bt__scheme_guess(only_b, 2), BT__IOB2);
    assert_true(bt__scheme_find("bilou", &s));
    assert_int_equal(s, BT__BILOU);
    assert_false(bt__scheme_find("IOB", &s));
    assert_string_equal(bt__scheme_name(BT__IOE1), "IOE1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_labels),     cmocka_unit_test(binary_scores),
        cmocka_unit_test(three_labels),   cmocka_unit_test(labels_equal_the_confusion_matrix),
        cmocka_unit_test(label_sets),     cmocka_unit_test(regression),
        cmocka_unit_test(entity_spans),   cmocka_unit_test(squad),
        cmocka_unit_test(nothing_at_all), cmocka_unit_test(many_types),
        cmocka_unit_test(names),          cmocka_unit_test(schemes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
