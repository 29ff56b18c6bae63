/* What the Predictions view makes of a file of predictions: rows, order, matrix, files. */
#include "tui/views/predictions_rows.h"

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
    pred_write_tsv(&p, NULL, (size_t[]){3, 4}, 2, &out);
    assert_string_equal(bt_str_text(&out), "id\tgold\tpredicted\tconfidence\tmargin\tloss\ttext\ttext_pair\n"
                                           "5\tpos\tpos\t0.9\t0.79999995\t0.1\t\t\n"
                                           "9\t\tpos\t0.6\t0.40000004\t\t\t\n");
    bt_str_clear(&out);
    pred_write_jsonl(&p, NULL, (size_t[]){4}, 1, &out);
    assert_string_equal(
        bt_str_text(&out),
        "{\"id\":9,\"gold\":null,\"predicted\":\"pos\",\"confidence\":0.6,\"margin\":0.40000004,"
        "\"loss\":null,\"scores\":{\"neg\":0.2,\"neu\":0.2,\"pos\":0.6},\"text\":\"\"}\n");
    bt_str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),
        cmocka_unit_test(orders),
        cmocka_unit_test(matrix),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
