/* Predictions of a run, read again: of every task, and damaged ones. */
#include "tests/unit/folder.h"

#include <bertty/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW(id, gold, label, a, b, loss)                                                                     \
    "{\"id\":" #id ",\"gold\":" gold ",\"prediction\":\"" label "\",\"scores\":{\"neg\":" #a ",\"pos\":" #b  \
    "},\"logits\":[0,1],\"loss\":" #loss "}\n"

static struct bt_predictions *load(int64_t step)
{
    struct bt_predictions *p;
    struct bt_error err = {0};
    if (bt_predictions_load(at("r"), "validation", step, &p, &err) != BT_OK) fail_msg("%s", err.text);
    return p;
}

static void predictions(void **state)
{
    (void)state;
    int64_t *steps;
    size_t n;
    put("r/predictions/validation-step-000100.jsonl",
        ROW(3, "\"pos\"", "neg", 0.75, 0.25, 1.5)
            ROW(1, "null", "pos", 0.125, 0.875, null) "{\"id\":7,\"gold\":\"neg\",\"prediction\":\"pos\","
                                                      "\"scores\":{\"pos\":0.5,\"neg\":0.5},\"loss\":1}");
    put("r/predictions/validation-step-000200.jsonl", "");
    put("r/predictions/validation-step-1000000.jsonl", "");
    put("r/predictions/validation-step-000300.jsonl.tmp", "");
    put("r/predictions/other-validation-step-000400.jsonl", "");
    struct bt_predictions *p = load(150);
    assert_int_equal(p->step, 100);
    assert_string_equal(p->split, "validation");
    assert_int_equal(p->n_labels, 2);
    assert_string_equal(p->label[0], "neg");
    assert_int_equal(p->n, 3);
    assert_int_equal(p->row[0].id, 3);
    assert_true(p->row[0].gold == 1 && p->row[0].predicted == 0);
    assert_true(p->row[0].p == 0.75f && p->row[0].loss == 1.5f && p->row[0].scores[1] == 0.25f);
    assert_true(p->row[1].gold == -1 && isnan(p->row[1].loss) && p->row[1].p == 0.875f);
    assert_true(p->row[2].scores[0] == 0.5f && p->row[2].gold == 0 && p->row[2].predicted == 1);
    bt_predictions_free(p);
    p = load(-1);
    assert_int_equal(p->step, 1000000);
    assert_int_equal(p->n, 0);
    bt_predictions_free(p);
    assert_int_equal(symlink("checkpoints/step-000200", at("r/best")), 0);
    p = load(-1);
    assert_int_equal(p->step, 200);
    bt_predictions_free(p);
    assert_int_equal(bt_predictions_steps(at("r"), "validation", &steps, &n, NULL), BT_OK);
    assert_true(n == 3 && steps[0] == 100 && steps[1] == 200 && steps[2] == 1000000);
    free(steps);
}

static void predictions_of_other_tasks(void **state)
{
    (void)state;
    put("r/predictions/tags-step-000001.jsonl",
        "{\"id\":1,\"name\":\"s1\",\"gold\":\"PER "
        "Ada\",\"prediction\":\"\",\"correct\":false,\"tags\":[\"O\"],\"score\":0.5}\n"
        "{\"id\":2,\"prediction\":\"LOC Rome\",\"tags\":[\"B-LOC\"]}\n");
    struct bt_predictions *p;
    struct bt_error err = {0};
    assert_int_equal(bt_predictions_load(at("r"), "tags", -1, &p, &err), BT_OK);
    assert_int_equal(p->kind, BT_ROWS_TAGS);
    assert_true(p->n == 2 && p->n_labels == 0 && !p->row[0].scores);
    assert_string_equal(p->row[0].name, "s1");
    assert_string_equal(p->row[0].gold_text, "PER Ada");
    assert_string_equal(p->row[0].predicted_text, "");
    assert_true(p->row[0].judged && !p->row[0].correct && p->row[0].quality == 0.0 && p->row[0].p == 0.5f);
    assert_true(!p->row[1].judged && !p->row[1].gold_text && isnan(p->row[1].quality));
    struct bt_json *v = bt_prediction_json(p, &p->row[1]);
    assert_string_equal(bt_json_text(bt_json_at(bt_json_get(v, "tags"), 0), ""), "B-LOC");
    bt_json_free(v);
    bt_predictions_free(p);
    put("r/predictions/numbers-step-000001.jsonl",
        "{\"id\":1,\"gold\":\"2.5\",\"gold_value\":2.5,\"prediction\":\"2\",\"value\":2,\"loss\":0.25}\n");
    assert_int_equal(bt_predictions_load(at("r"), "numbers", -1, &p, &err), BT_OK);
    assert_true(p->kind == BT_ROWS_NUMBERS && p->row[0].value == 2.0 && p->row[0].gold_value == 2.5);
    bt_predictions_free(p);
    put("r/predictions/sets-step-000001.jsonl",
        "{\"id\":1,\"gold\":\"\",\"prediction\":\"a, "
        "b\",\"correct\":false,\"labels\":[\"a\",\"b\"],\"scores\":{\"a\":0.75,\"b\":0.5}}\n");
    assert_int_equal(bt_predictions_load(at("r"), "sets", -1, &p, &err), BT_OK);
    assert_true(p->kind == BT_ROWS_SETS && p->n_labels == 2 && p->row[0].scores[0] == 0.75f);
    bt_predictions_free(p);
    put("r/predictions/answers-step-000001.jsonl",
        "{\"id\":1,\"gold\":\"in "
        "Rome\",\"prediction\":\"Rome\",\"correct\":false,\"f1\":0.8,\"nbest\":[]}\n");
    assert_int_equal(bt_predictions_load(at("r"), "answers", -1, &p, &err), BT_OK);
    assert_true(p->kind == BT_ROWS_ANSWERS && p->row[0].quality == 0.8 && !p->row[0].correct);
    bt_predictions_free(p);
}

static void predictions_fail(const char *rows, const char *part)
{
    struct bt_predictions *p;
    struct bt_error err = {0};
    put("r/predictions/test-step-000001.jsonl", rows);
    assert_int_equal(bt_predictions_load(at("r"), "test", -1, &p, &err), BT_INVALID);
    assert_null(p);
    expect_text(err.text, part);
}

static void bad_predictions(void **state)
{
    (void)state;
    struct bt_predictions *p;
    struct bt_error err = {0};
    put("r/status.json", "{}");
    assert_int_equal(bt_predictions_load(at("r"), "test", -1, &p, &err), BT_NOTFOUND);
    predictions_fail(ROW(1, "\"neg\"", "pos", 0, 1, 0) "{\"id\":2", "line 2");
    predictions_fail("{\"id\":\"1\"}\n", "line 1: expected a whole number");
    predictions_fail("[1]\n", "line 1");
    predictions_fail("{\"id\":1,\"prediction\":\"a\",\"scores\":{}}\n", "scores");
    predictions_fail("\n" ROW(1, "\"neg\"", "odd", 0, 1, 0), "line 2: expected a \"prediction\"");
    predictions_fail(
        ROW(1, "\"neg\"", "pos", 0, 1, 0) "{\"id\":2,\"prediction\":\"a\",\"scores\":{\"a\":1}}\n",
        "labels of the first line");
    assert_int_equal(bt_predictions_load(at("r"), "test", 0, &p, &err), BT_NOTFOUND);
    expect_text(err.text, "at step 0 or before");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(predictions),
        TEST(predictions_of_other_tasks),
        TEST(bad_predictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
