/* What the Predictions view makes of a file of predictions: rows, order, matrix, files. */
#include "tui/needle.h"
#include "tui/views/predictions_filter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char neg[] = "neg", neu[] = "neu", pos[] = "pos", split[] = "validation";
static char *labels[] = {neg, neu, pos};
static const float s0[] = {0.7f, 0.2f, 0.1f}, s1[] = {0.1f, 0.5f, 0.4f}, s2[] = {0.3f, 0.3f, 0.4f},
                   s3[] = {0.0f, 0.1f, 0.9f}, s4[] = {0.2f, 0.2f, 0.6f};
static struct bt_prediction rows[] = {
    {.id = 1, .gold = 0, .predicted = 0, .p = 0.7f, .loss = 0.36f, .scores = s0},
    {.id = 2, .gold = 2, .predicted = 1, .p = 0.5f, .loss = 0.92f, .scores = s1},
    {.id = 3, .gold = 0, .predicted = 2, .p = 0.4f, .loss = 1.2f, .scores = s2},
    {.id = 5, .gold = 2, .predicted = 2, .p = 0.9f, .loss = 0.1f, .scores = s3},
    {.id = 9, .gold = -1, .predicted = 2, .p = 0.6f, .loss = NAN, .scores = s4},
};
static struct bt_predictions p = {
    .split = split, .step = 40, .label = labels, .n_labels = 3, .row = rows, .n = 5};

static void expect(const struct pred_query *q, size_t n, const size_t *want)
{
    size_t index[5];
    assert_int_equal(pred_select(&p, NULL, q, index), n);
    for (size_t i = 0; i < n; i++) assert_int_equal(index[i], want[i]);
}

static void filters(void **unused)
{
    struct pred_query q = {.gold = PRED_ANY, .predicted = PRED_ANY};
    (void)unused;
    expect(&q, 5, (size_t[]){0, 1, 2, 3, 4});
    q.errors = true;
    expect(&q, 2, (size_t[]){1, 2});
    q.errors = false;
    q.gold = 0;
    expect(&q, 2, (size_t[]){0, 2});
    q.predicted = 2;
    expect(&q, 1, (size_t[]){2});
    q.gold = PRED_ANY;
    expect(&q, 3, (size_t[]){2, 3, 4});
    q.predicted = PRED_ANY;
    q.text = "NEU";
    expect(&q, 1, (size_t[]){1});
}

static void orders(void **unused)
{
    struct pred_query q = {.gold = PRED_ANY, .predicted = PRED_ANY, .order = PRED_BY_LOSS};
    (void)unused;
    expect(&q, 5, (size_t[]){2, 1, 0, 3, 4}); /* what has no loss is last … */
    q.reversed = true;
    expect(&q, 5, (size_t[]){3, 0, 1, 2, 4}); /* … either way */
    q.reversed = false;
    q.order = PRED_BY_CONFIDENCE;
    expect(&q, 5, (size_t[]){2, 1, 4, 0, 3});
    q.order = PRED_BY_MARGIN;
    expect(&q, 5, (size_t[]){1, 2, 4, 0, 3});
    assert_float_equal(pred_margin(&p, &rows[1]), 0.1, 1e-6);
    assert_float_equal(pred_margin(&p, &rows[3]), 0.8, 1e-6);
}

static void matrix(void **unused)
{
    struct pred_matrix m;
    (void)unused;
    assert_true(pred_matrix_make(&p, &m));
    assert_int_equal(m.rows, 4); /* the row without gold does not count */
    assert_int_equal(m.wrong, 2);
    assert_float_equal(m.accuracy, 0.5, 1e-9);
    assert_int_equal(pred_matrix_cell(&m, 0, 2), 1);
    assert_int_equal(pred_matrix_cell(&m, PRED_ANY, 2), 2);
    assert_int_equal(pred_matrix_cell(&m, 2, PRED_ANY), 2);
    assert_int_equal(pred_matrix_cell(&m, PRED_ANY, PRED_ANY), 4);
    assert_float_equal(m.of[0].precision, 1, 1e-9);
    assert_float_equal(m.of[0].recall, 0.5, 1e-9);
    assert_float_equal(m.of[0].f1, 2.0 / 3, 1e-9);
    assert_true(isnan(m.of[1].recall)); /* nothing is neu */
    assert_float_equal(m.of[1].precision, 0, 1e-9);
    assert_float_equal(m.of[2].f1, 0.5, 1e-9);
    pred_matrix_free(&m);
}

static void files(void **unused)
{
    struct bt_str out = {0};
    (void)unused;
    pred_write_tsv(&(struct pred_written){.p = &p}, (size_t[]){3, 4}, 2, &out);
    assert_string_equal(bt_str_text(&out), "id\tgold\tpredicted\tconfidence\tmargin\tloss\ttext\ttext_pair\n"
                                           "5\tpos\tpos\t0.9\t0.79999995\t0.1\t\t\n"
                                           "9\t\tpos\t0.6\t0.40000004\t\t\t\n");
    bt_str_clear(&out);
    pred_write_jsonl(&(struct pred_written){.p = &p}, (size_t[]){4}, 1, &out);
    assert_string_equal(
        bt_str_text(&out),
        "{\"id\":9,\"gold\":null,\"predicted\":\"pos\",\"confidence\":0.6,\"margin\":0.40000004,"
        "\"loss\":null,\"scores\":{\"neg\":0.2,\"neu\":0.2,\"pos\":0.6},\"text\":\"\"}\n");
    bt_str_free(&out);
}

/* As strcasestr() finds it. */
static void needles(void **unused)
{
    static const char *const texts[] = {"",       "a",    "A",         "ab",
                                        "aab",    "AaAb", "film",      "a FiLm, a film",
                                        "xfilmx", "fil",  "中文 film", "baaab"},
                             *const wanted[] = {"",     "a",  "ab", "AAB",  "film",
                                                "FILM", "lm", "中", "文 f", "aaab"};
    struct needle x;
    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
            needle_set(&x, wanted[k]);
            bool there = strcasestr(texts[i], wanted[k]) != NULL;
            if (needle_in(&x, texts[i], strlen(texts[i])) != there)
                fail_msg("'%s' in '%s'", wanted[k], texts[i]);
        }
    needle_set(&x, "a");
    assert_false(needle_in(&x, NULL, 0));
}

/* What is judged by its gold label, in bins of a fifteenth; (6/15, 7/15] is the seventh. */
static void calibration(void **unused)
{
    struct bt_calibration c;
    struct bt_prediction judged[5];
    struct bt_predictions q = p;
    (void)unused;
    memcpy(judged, rows, sizeof rows);
    for (int i = 0; i < 5; i++) {
        judged[i].judged = judged[i].gold >= 0;
        judged[i].correct = judged[i].gold == judged[i].predicted;
    }
    q.row = judged;
    pred_calibration_make(&q, &c);
    assert_true(c.n == 4);
    assert_true(c.bin[10].n == 1 && c.bin[10].right == 1); /* .7 */
    assert_true(c.bin[7].n == 1 && c.bin[7].right == 0);   /* .5 */
    assert_true(c.bin[6].n == 1 && c.bin[13].n == 1); /* .4 is in (6/15, 7/15] as a float: a bit above 6/15 */
    assert_float_equal(bt_calibration_ece(&c), (0.3 + 0.5 + 0.4 + 0.1) / 4, 1e-7);
    assert_int_equal(bt_calibration_bin(0), -1);
    assert_int_equal(bt_calibration_bin(NAN), -1);
    assert_int_equal(bt_calibration_bin(1), 14);
    size_t index[5];
    struct pred_query of = {.gold = PRED_ANY, .predicted = PRED_ANY, .bin = 11};
    assert_int_equal(pred_select(&q, NULL, &of, index), 1);
    assert_int_equal(index[0], 0);
}

static void expect_filter(const char *expression, const char *want)
{
    bool *in;
    struct bt_error err = {0};
    if (pred_filter_make(expression, &p, NULL, NULL, &in, &err) != BT_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < 5; i++)
        if (in[i] != (want[i] == '1')) fail_msg("%s: row %zu", expression, i);
    free(in);
}

static void expressions(void **unused)
{
    bool *in;
    struct bt_error err = {0};
    (void)unused;
    expect_filter("confidence >= 0.6", "10011");
    expect_filter("row > 2 and not loss > 1", "00011");
    expect_filter("margin < 0.2", "01100");
    expect_filter("loss = 1 or text = \"\"", "11111");
    assert_int_equal(pred_filter_make("gld = neg", &p, NULL, NULL, &in, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "is it gold?"));
    assert_int_equal(pred_filter_check("pieces(text) > 1", &err), BT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),     cmocka_unit_test(orders),  cmocka_unit_test(matrix),
        cmocka_unit_test(files),       cmocka_unit_test(needles), cmocka_unit_test(calibration),
        cmocka_unit_test(expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
