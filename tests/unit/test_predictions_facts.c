/* What predictions of the tasks without a confusion matrix amount to: entities of every scheme, what is wrong with them, marked texts, correlations. */
#include "tui/views/predictions_spans.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_entities(const char *tags, const char *expected)
{
    struct bt_json *v = bt_json_parse(tags, strlen(tags), "tags", NULL);
    struct pred_entity *e;
    struct bt_str all = {0};
    size_t n;
    assert_non_null(v);
    assert_true(pred_entities(v, &e, &n));
    for (size_t i = 0; i < n; i++)
        bt_str_addf(&all, "%.*s %zu-%zu;", (int)e[i].type_n, e[i].type, e[i].begin, e[i].end);
    assert_string_equal(bt_str_text(&all), expected);
    bt_str_free(&all);
    free(e);
    bt_json_free(v);
}

static void entities(void **unused)
{
    (void)unused;
    expect_entities("[\"B-PER\",\"I-PER\",\"O\",\"B-LOC\"]", "PER 0-2;LOC 3-4;");
    expect_entities("[\"I-PER\",\"I-PER\",\"B-PER\",\"I-LOC\"]", "PER 0-2;PER 2-3;LOC 3-4;"); /* IOB1 */
    expect_entities("[\"I-PER\",\"E-PER\",\"E-PER\",\"O\"]", "PER 0-2;PER 2-3;");             /* IOE2 */
    expect_entities("[\"S-PER\",\"S-PER\",\"B-LOC\",\"I-LOC\",\"E-LOC\"]",
                    "PER 0-1;PER 1-2;LOC 2-5;");                                              /* IOBES */
    expect_entities("[\"U-PER\",\"B-LOC\",\"L-LOC\",\"U-LOC\"]", "PER 0-1;LOC 1-3;LOC 3-4;"); /* BILOU */
    expect_entities("[\"NOUN\",\"NOUN\",\"O\"]", "NOUN 0-1;NOUN 1-2;");
    expect_entities("[]", "");
    expect_entities("[\"\",\"-\",\"B-\",7]", " 0-1;- 1-2; 2-3;");
}

static void faults(void **unused)
{
    const struct pred_entity gold[] = {{.type = "PER", .type_n = 3, .begin = 0, .end = 2},
                                       {.type = "LOC", .type_n = 3, .begin = 4, .end = 6},
                                       {.type = "ORG", .type_n = 3, .begin = 8, .end = 9}};
    const struct pred_entity said[] = {{.type = "PER", .type_n = 3, .begin = 0, .end = 2},
                                       {.type = "LOC", .type_n = 3, .begin = 5, .end = 6},
                                       {.type = "LOC", .type_n = 3, .begin = 8, .end = 9}};
    const struct pred_entity alone = {.type = "PER", .type_n = 3, .begin = 10, .end = 11};
    size_t which;
    (void)unused;
    assert_int_equal(pred_entity_fault(&gold[0], said, 3, PRED_MISSED, &which), PRED_RIGHT);
    assert_int_equal(pred_entity_fault(&gold[1], said, 3, PRED_MISSED, &which), PRED_BOUNDARY);
    assert_int_equal(which, 1);
    assert_int_equal(pred_entity_fault(&gold[2], said, 3, PRED_MISSED, &which), PRED_TYPE);
    assert_int_equal(which, 2);
    assert_int_equal(pred_entity_fault(&alone, said, 3, PRED_SPURIOUS, &which), PRED_SPURIOUS);
    assert_int_equal(which, 3);
}

static void marked_text(void **unused)
{
    static const char text[] = "Zoë visited 東京 in May, and then went home again to sleep.";
    struct pred_marked m = {.n = 0};
    size_t city = pred_bytes_before(text, strlen(text), 12), end = pred_bytes_before(text, strlen(text), 14);
    const struct pred_span span[] = {
        {.begin = city, .end = end, .open = "⟦", .close = "⟧", .role = ROLE_MARK},
        {.begin = city, .end = end + 7, .open = "«", .close = "»", .role = ROLE_GOOD},
    };
    (void)unused;
    pred_mark_spans(&m, text, strlen(text), span, 2, 0);
    assert_string_equal(bt_str_text(&m.text),
                        "Zoë visited ⟦«東京⟧ in May», and then went home again to sleep.");
    assert_int_equal(m.n, 2);
    pred_marked_free(&m);
    pred_mark_spans(&m, text, strlen(text), span, 1, 4);
    assert_string_equal(bt_str_text(&m.text), "… visited ⟦東京⟧ in May, …");
    pred_marked_free(&m);
}

static void set(void **unused)
{
    static const char row[] = "{\"gold\":[\"a\",\"b\"],\"said\":[\"b\",\"c\"],\"none\":[]}";
    struct bt_json *v = bt_json_parse(row, strlen(row), "row", NULL);
    struct bt_str out = {0};
    (void)unused;
    pred_mark_set(&out, bt_json_get(v, "gold"), bt_json_get(v, "said"));
    assert_string_equal(bt_str_text(&out), "b +c −a");
    bt_str_clear(&out);
    pred_mark_set(&out, NULL, bt_json_get(v, "said"));
    assert_string_equal(bt_str_text(&out), "b c");
    bt_str_clear(&out);
    pred_mark_set(&out, bt_json_get(v, "none"), bt_json_get(v, "none"));
    assert_string_equal(bt_str_text(&out), "none");
    bt_str_free(&out);
    bt_json_free(v);
}

/* scipy.stats.pearsonr and spearmanr of these */
static void correlations(void **unused)
{
    const double a[] = {1, 2, 2, 4, 5}, b[] = {1.5, 1.0, 2.5, 2.5, 6.0}, flat[] = {1, 1, 1, 1, 1};
    (void)unused;
    assert_float_equal(pred_pearson(a, b, 5), 0.8323887167, 1e-9);
    assert_float_equal(pred_spearman(a, b, 5), 0.7631578947, 1e-9);
    assert_true(isnan(pred_pearson(a, flat, 5)));
    assert_true(isnan(pred_spearman(a, b, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities), cmocka_unit_test(faults),       cmocka_unit_test(marked_text),
        cmocka_unit_test(set),      cmocka_unit_test(correlations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
