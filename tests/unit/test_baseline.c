/* TF-IDF and logistic regression against numbers that were worked out by hand. */
#include "baseline/logistic.h"
#include "baseline/tfidf.h"
#include "baseline/words.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bt_error err;

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within)) fail_msg("got %.17g, expected %.17g", got, want);
}

/* ── words ── */

static bool join(void *ctx, const char *word, size_t n)
{
    struct bt_str *out = ctx;
    if (out->len) bt_str_addc(out, '|');
    bt_str_addn(out, word, n);
    return true;
}

static void expect_words(const char *text, const char *want)
{
    struct bt_str scratch = {.len = 0}, got = {.len = 0};
    assert_true(bt__words(text, strlen(text), &scratch, join, &got));
    assert_string_equal(bt_str_text(&got), want);
    bt_str_free(&scratch);
    bt_str_free(&got);
}

/* What Python makes of it: re.findall(r"(?u)\b\w\w+\b", text.lower()) */
static void words_as_python_has_them(void **state)
{
    (void)state;
    expect_words("", "");
    expect_words("a b c", "");
    expect_words("It's A fine-tuned BERT, isn't it?", "it|fine|tuned|bert|isn|it");
    expect_words("snake_case __ x_ 42 7 3rd", "snake_case|__|x_|42|3rd");
    expect_words("\u00c4rger \u00c9T\u00c9 stra\u00dfe", "\u00e4rger|\u00e9t\u00e9|stra\u00dfe");
    expect_words("\u4e2d\u6587 \u4e2d \u0661\u0662 x\u00b2",
                 "\u4e2d\u6587|\u0661\u0662|x\u00b2"); /* a mark is none */
    expect_words("ne\u0301e cafe\u0301", "ne|cafe");
    expect_words("\u0130stanbul \u0130\u0130", "stanbul");
    expect_words("\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3",
                 "\u03bf\u03b4\u03bf\u03c2|\u03c3\u03b1\u03c2");
    expect_words("aa\xff"
                 "bb",
                 "aa|bb");
}

static bool only_one(void *ctx, const char *word, size_t n)
{
    (void)word, (void)n;
    return ++*(int *)ctx < 1;
}

static void words_stop_when_told(void **state)
{
    (void)state;
    struct bt_str scratch = {.len = 0};
    int calls = 0;
    assert_false(bt__words("one two three", 13, &scratch, only_one, &calls));
    assert_int_equal(calls, 1);
    bt_str_free(&scratch);
}

/* ── weights ── */

static struct bt__text text_of(const char *text, const char *pair)
{
    return (struct bt__text){
        .text = text, .text_n = strlen(text), .pair = pair, .pair_n = pair ? strlen(pair) : 0};
}

static void expect_term(const struct bt__tfidf *v, size_t i, const char *want, double idf)
{
    size_t n;
    const char *term = bt__tfidf_term(v, i, &n);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(term, want, n);
    near(bt__tfidf_idf(v, i), idf, 1e-15);
}

static void expect_row(const struct bt__sparse *r, size_t i, const int32_t *column, const double *value,
                       size_t n)
{
    assert_int_equal(r->start[i + 1] - r->start[i], n);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(r->column[r->start[i] + k], column[k]);
        near(r->value[r->start[i] + k], value[k], 1e-15);
    }
}

/* Three texts; "good" stands in two of them: ln(4/3) + 1; the others in one: ln(4/2) + 1. */
static void weights_by_hand(void **state)
{
    (void)state;
    const struct bt__text texts[] = {text_of("good plot", NULL), text_of("Good good film", NULL),
                                     text_of("x", NULL)};
    const struct bt__text others[] = {text_of("a plot, a PLOT and good unknowns", NULL)};
    const double rare = log(2.0) + 1.0, often = log(4.0 / 3.0) + 1.0;
    struct bt__tfidf *v;
    struct bt__sparse rows, more;
    assert_int_equal(bt__tfidf_fit(texts, 3, 1, &v, &rows, &err), BT_OK);
    assert_int_equal(bt__tfidf_features(v), 3);
    expect_term(v, 0, "film", rare);
    expect_term(v, 1, "good", often);
    expect_term(v, 2, "plot", rare);
    assert_int_equal(rows.n, 3);
    double length = sqrt(often * often + rare * rare);
    expect_row(&rows, 0, (int32_t[]){1, 2}, (double[]){often / length, rare / length}, 2);
    length = sqrt(4.0 * often * often + rare * rare);
    expect_row(&rows, 1, (int32_t[]){0, 1}, (double[]){rare / length, 2.0 * often / length}, 2);
    expect_row(&rows, 2, NULL, NULL, 0);
    assert_int_equal(bt__tfidf_rows(v, others, 1, &more, &err), BT_OK);
    length = sqrt(often * often + 4.0 * rare * rare);
    expect_row(&more, 0, (int32_t[]){1, 2}, (double[]){often / length, 2.0 * rare / length}, 2);
    bt__sparse_free(&rows);
    bt__sparse_free(&more);
    bt__tfidf_free(v);
}

/* Two words that follow each other, not over the end of a text; a pair's second text by itself. */
static void pairs_and_bigrams(void **state)
{
    (void)state;
    const struct bt__text texts[] = {text_of("no good film", "no film"), text_of("film", NULL)};
    static const char *const want[] = {"2:film", "2:no",      "2:no film", "film",
                                       "good",   "good film", "no",        "no good"};
    struct bt__tfidf *v;
    struct bt__sparse rows;
    assert_int_equal(bt__tfidf_fit(texts, 2, 2, &v, &rows, &err), BT_OK);
    assert_int_equal(bt__tfidf_features(v), 8);
    for (size_t i = 0; i < 8; i++) expect_term(v, i, want[i], i == 3 ? 1.0 : log(1.5) + 1.0);
    assert_int_equal(rows.start[1], 8);
    expect_row(&rows, 1, (int32_t[]){3}, (double[]){1.0}, 1);
    bt__sparse_free(&rows);
    bt__tfidf_free(v);
}

/* More terms than the table begins with: each is found under its own number. */
static void many_terms(void **state)
{
    enum { TERMS = 20000 };
    (void)state;
    struct bt_str all = {.len = 0};
    for (int i = 0; i < TERMS; i++) bt_str_addf(&all, "t%d t%d ", i, i % 100);
    const struct bt__text texts[] = {{.text = all.data, .text_n = all.len}, text_of("t19999 t0", NULL)};
    struct bt__tfidf *v;
    struct bt__sparse rows;
    assert_int_equal(bt__tfidf_fit(texts, 2, 1, &v, &rows, &err), BT_OK);
    assert_int_equal(bt__tfidf_features(v), TERMS);
    for (size_t i = 1; i < TERMS; i++) {
        size_t n, m;
        const char *a = bt__tfidf_term(v, i - 1, &n), *b = bt__tfidf_term(v, i, &m);
        const int c = memcmp(a, b, n < m ? n : m);
        assert_true(c < 0 || (c == 0 && n < m));
    }
    assert_int_equal(rows.start[1], TERMS);
    assert_int_equal(rows.start[2] - rows.start[1], 2);
    expect_term(v, (size_t)rows.column[rows.start[1]], "t0", 1.0);
    expect_term(v, (size_t)rows.column[rows.start[1] + 1], "t19999", 1.0);
    bt__sparse_free(&rows);
    bt__tfidf_free(v);
    bt_str_free(&all);
}

static void no_word_at_all(void **state)
{
    (void)state;
    const struct bt__text texts[] = {text_of("a", NULL), text_of("?!", NULL)};
    struct bt__tfidf *v = NULL;
    struct bt__sparse rows;
    assert_int_equal(bt__tfidf_fit(texts, 2, 1, &v, &rows, &err), BT_INVALID);
    assert_null(v);
    assert_null(rows.start);
}

/* ── logistic regression ── */

/* Three rows with a feature each and nothing else. */
static struct bt__sparse one_hot(void)
{
    static size_t start[] = {0, 1, 2, 3};
    static int32_t column[] = {0, 1, 2};
    static double value[] = {1.0, 1.0, 1.0};
    return (struct bt__sparse){.n = 3, .start = start, .column = column, .value = value};
}

static enum bt_status fit(const struct bt__sparse *x, const int *gold, int classes, struct bt__logistic **l)
{
    const enum bt_status st = bt__logistic_fit(x, 3, gold, classes, l, &err);
    if (st == BT_UNSUPPORTED) skip();
    return st;
}

/* Two rows, one of each label: by symmetry the bias is 0 and the weights are ∓a, where |w|²/2 + Σ log loss = a² + 2 log(1 + e^−a) is least: a = 1 / (1 + e^a). */
static void two_rows_by_hand(void **state)
{
    (void)state;
    struct bt__sparse x = one_hot();
    x.n = 2;
    struct bt__logistic *l;
    float logits[2];
    double a = 0.4;
    for (int i = 0; i < 60; i++) a = 0.5 * (a + 1.0 / (1.0 + exp(a)));
    assert_int_equal(fit(&x, (int[]){0, 1}, 2, &l), BT_OK);
    const double right = log(1.0 / (1.0 + exp(-a))), wrong = log(1.0 / (1.0 + exp(a)));
    bt__logistic_logits(l, &x, 0, logits);
    near((double)logits[0], right, 1e-4);
    near((double)logits[1], wrong, 1e-4);
    bt__logistic_logits(l, &x, 1, logits);
    near((double)logits[0], wrong, 1e-4);
    near((double)logits[1], right, 1e-4);
    bt__logistic_free(l);
}

/* Each label against the rest; one without a row is next to impossible, whatever the row. */
static void more_labels(void **state)
{
    (void)state;
    const struct bt__sparse x = one_hot();
    struct bt__logistic *l;
    float logits[4], first[4];
    assert_int_equal(fit(&x, (int[]){0, 1, 3}, 4, &l), BT_OK);
    for (size_t i = 0; i < 3; i++) {
        bt__logistic_logits(l, &x, i, logits);
        assert_true(logits[2] < -19.0f);
        for (size_t c = 0; c < 4; c++)
            assert_true(c == (i == 2 ? 3 : i) || logits[c] < logits[i == 2 ? 3 : i]);
        if (i == 0) memcpy(first, logits, sizeof first);
    }
    bt__logistic_free(l);
    srand(77); /* whatever the state of the process */
    assert_int_equal(fit(&x, (int[]){0, 1, 3}, 4, &l), BT_OK);
    bt__logistic_logits(l, &x, 0, logits);
    assert_memory_equal(first, logits, sizeof first);
    bt__logistic_free(l);
}

static void one_label_alone(void **state)
{
    (void)state;
    const struct bt__sparse x = one_hot();
    struct bt__logistic *l;
    float logits[2];
    assert_int_equal(fit(&x, (int[]){1, 1, 1}, 2, &l), BT_OK);
    bt__logistic_logits(l, &x, 0, logits);
    assert_true(logits[0] < -19.0f && logits[1] > -1e-6f);
    bt__logistic_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_as_python_has_them),
        cmocka_unit_test(words_stop_when_told),
        cmocka_unit_test(weights_by_hand),
        cmocka_unit_test(pairs_and_bigrams),
        cmocka_unit_test(many_terms),
        cmocka_unit_test(no_word_at_all),
        cmocka_unit_test(two_rows_by_hand),
        cmocka_unit_test(more_labels),
        cmocka_unit_test(one_label_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
