/* Runs side by side: settings, metrics, flips and McNemar's test. */
#include "tests/unit/folder.h"

#include <bertty/compare.h>
#include <bertty/events.h>
#include <bertty/file.h>
#include <bertty/texts.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void log_values(const char *run, const char *tag, int n, const double *value)
{
    struct bt_events *w;
    assert_int_equal(bt_mkdirs(at(run), NULL), BT_OK);
    assert_int_equal(bt_events_open(at(run), &w, NULL), BT_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(bt_events_scalar(w, tag, 10 * (i + 1), 1e9 + i, value[i], NULL), BT_OK);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
}

static enum bt_status load_pair(const char *first, const char *second, const char *split,
                                struct bt_pairing **out, struct bt_error *err)
{
    return bt_pairing_load(&(struct bt_run_at){.dir = at(first), .step = BT_STEP_NONE},
                           &(struct bt_run_at){.dir = at(second), .step = BT_STEP_NONE}, split, out, err);
}

/* scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue, scipy 1.15 */
static void mcnemar(void **state)
{
    (void)state;
    static const struct {
        uint64_t b, c;
        double p;
    } cases[] = {{0, 0, 1},
                 {1, 0, 1},
                 {0, 5, 0.0625},
                 {3, 3, 1},
                 {10, 2, 0.03857421875},
                 {2, 10, 0.03857421875},
                 {31, 17, 0.059463375253770337},
                 {120, 80, 0.0056851559967503063},
                 {1000, 900, 0.023108845108901193},
                 {5, 40, 7.8783841672702692e-08},
                 {50000, 49000, 0.0014980826229750034},
                 {1, 30, 2.9802322387695312e-08}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p = bt_mcnemar_exact(cases[i].b, cases[i].c);
        assert_true(fabs(p - cases[i].p) <= cases[i].p * 1e-9);
    }
    assert_true(bt_mcnemar_exact(3000000, 3001000) > 0.6);
}

#define ROW(id, gold, label)                                                                                 \
    "{\"id\":" #id ",\"gold\":\"" gold "\",\"prediction\":\"" label "\","                                    \
    "\"scores\":{\"pos\":0.75,\"neg\":0.75,\"x\":0.75,\"a\":0.75,\"b\":0.75},\"loss\":0.5}\n"

static void pairs(void **state)
{
    (void)state;
    struct bt_pairing *p;
    struct bt_error err = {0};
    put("a/predictions/validation-step-000100.jsonl",
        ROW(3, "pos", "neg") ROW(1, "pos", "pos") ROW(2, "neg", "pos") ROW(4, "neg", "neg")
            ROW(7, "neg", "neg"));
    put("a/predictions/validation-step-000200.jsonl", "not read: best is step 100\n");
    put("a/checkpoints/step-000100/config.json", "{}");
    assert_int_equal(symlink("checkpoints/step-000100", at("a/best")), 0);
    put("b/predictions/validation-step-000050.jsonl", "not read: step 60 is newer\n");
    put("b/predictions/validation-step-000060.jsonl",
        ROW(1, "pos", "pos") ROW(2, "neg", "neg") ROW(3, "pos", "neg") ROW(4, "neg", "pos") ROW(5, "x", "x")
            ROW(7, "pos", "pos"));
    if (load_pair("a", "b", NULL, &p, &err) != BT_OK) fail_msg("%s", err.text);
    assert_string_equal(p->split, "validation");
    assert_int_equal(p->step_first, 100);
    assert_int_equal(p->step_second, 60);
    assert_int_equal(p->n, 4);
    assert_int_equal(p->count[BT_BOTH_RIGHT], 1);
    assert_int_equal(p->count[BT_ONLY_FIRST], 1);
    assert_int_equal(p->count[BT_ONLY_SECOND], 1);
    assert_int_equal(p->count[BT_BOTH_WRONG], 1);
    assert_int_equal(p->agree, 2);
    assert_int_equal(p->only_first, 0);
    assert_int_equal(p->only_second, 1);
    assert_int_equal(p->gold_differs, 1);
    assert_true(p->p == 1.0);
    assert_int_equal(p->row[1].id, 2);
    assert_string_equal(p->row[1].gold, "neg");
    assert_string_equal(p->row[1].first, "pos");
    assert_string_equal(p->row[1].second, "neg");
    assert_int_equal(p->row[1].outcome, BT_ONLY_SECOND);
    assert_true(p->row[1].p_first == 0.75 && p->row[1].loss_second == 0.5);
    bt_pairing_free(p);
}

static void expect_pair_error(const char *rows, enum bt_status status, const char *part)
{
    struct bt_pairing *p;
    struct bt_error err = {0};
    put("b/predictions/test-step-000001.jsonl", rows);
    assert_int_equal(load_pair("a", "b", NULL, &p, &err), status);
    if (!strstr(err.text, part)) fail_msg("%s", err.text);
}

static void bad_predictions(void **state)
{
    (void)state;
    struct bt_pairing *p;
    struct bt_error err = {0};
    put("a/log.txt", "");
    put("b/log.txt", "");
    assert_int_equal(load_pair("a", "b", NULL, &p, &err), BT_NOTFOUND);
    put("a/predictions/test-step-000001.jsonl", ROW(1, "a", "a"));
    expect_pair_error(ROW(1, "a", "a") "{\"id\":2,\"gold\":", BT_INVALID, "line 2");
    expect_pair_error(ROW(1, "a", "a") "\n{\"id\":2,\"gold\":\"a\"}\n", BT_INVALID, "line 3");
    expect_pair_error(ROW(1, "a", "a") ROW(1, "a", "b"), BT_INVALID, "twice");
    expect_pair_error("{\"id\":\"1\",\"gold\":\"a\",\"prediction\":\"a\",\"scores\":{\"a\":1}}\n", BT_INVALID,
                      "\"id\"");
    expect_pair_error("{\"id\":1,\"gold_value\":1,\"prediction\":\"1\",\"value\":1}\n", BT_INVALID,
                      "different tasks");
    put("b/predictions/test-step-000001.jsonl", "");
    assert_int_equal(load_pair("a", "b", "test", &p, &err), BT_OK);
    assert_int_equal(p->n, 0);
    assert_int_equal(p->only_first, 1);
    bt_pairing_free(p);
    assert_int_equal(load_pair("a", "b", "dev", &p, &err), BT_NOTFOUND);
}

/* Numbers are paired by which is nearer; a question without an answer has no gold text and is paired all the same. */
static void other_kinds(void **state)
{
    (void)state;
    struct bt_pairing *p;
    struct bt_error err = {0};
#define NUMBER(id, gold, value)                                                                              \
    "{\"id\":" #id ",\"gold\":\"" #gold "\",\"gold_value\":" #gold ",\"prediction\":\"" #value               \
    "\",\"value\":" #value "}\n"
    put("a/log.txt", "");
    put("b/log.txt", "");
    put("a/predictions/test-step-000001.jsonl", NUMBER(1, 1, 2) NUMBER(2, 3, 3) NUMBER(3, 5, 4));
    put("b/predictions/test-step-000001.jsonl", NUMBER(1, 1, 1.5) NUMBER(2, 3, 1) NUMBER(3, 5, 6));
    if (load_pair("a", "b", NULL, &p, &err) != BT_OK) fail_msg("%s", err.text);
    assert_int_equal(p->kind, BT_ROWS_NUMBERS);
    assert_int_equal(p->row[0].outcome, BT_ONLY_SECOND);
    assert_int_equal(p->row[1].outcome, BT_ONLY_FIRST);
    assert_int_equal(p->row[2].outcome, BT_BOTH_RIGHT);
    assert_true(p->row[0].value_second == 1.5 && p->row[0].gold_value == 1.0);
    bt_pairing_free(p);
    put("a/predictions/test-step-000001.jsonl",
        "{\"id\":1,\"prediction\":\"\",\"correct\":true,\"f1\":1,\"golds\":[],\"nbest\":[]}\n");
    put("b/predictions/test-step-000001.jsonl",
        "{\"id\":1,\"prediction\":\"Rome\",\"correct\":false,\"f1\":0,\"golds\":[],\"nbest\":[]}\n");
    if (load_pair("a", "b", NULL, &p, &err) != BT_OK) fail_msg("%s", err.text);
    assert_int_equal(p->n, 1);
    assert_string_equal(p->row[0].gold, "");
    assert_int_equal(p->count[BT_ONLY_FIRST], 1);
    assert_true(p->row[0].quality_first == 1.0);
    bt_pairing_free(p);
}

static const struct bt_compare_metric *metric(const struct bt_compare *c, const char *name)
{
    for (size_t i = 0; i < c->n_metrics; i++)
        if (strcmp(c->metric[i].name, name) == 0) return &c->metric[i];
    fail_msg("no metric %s", name);
    return NULL;
}

static void settings_and_metrics(void **state)
{
    (void)state;
    struct bt_compare *c;
    struct bt_error err = {0};
    put("a/experiment.yaml", "optim:\n  learning_rate: 0.5\nrun:\n  name: a\n");
    put("b/experiment.yaml", "optim:\n  learning_rate: 0.25\ntrain:\n  seed: 42\nrun:\n  name: b\n");
    put("a/status.json", "{\"state\":\"finished\"}");
    assert_int_equal(symlink("checkpoints/step-000020", at("a/best")), 0);
    log_values("a", "eval/accuracy", 3, (double[]){0.5, 0.875, 0.75});
    log_values("b", "eval/accuracy", 3, (double[]){0.5, 0.625, 0.75});
    log_values("c", "eval/accuracy", 1, (double[]){0.25});
    log_values("a", "eval/loss", 3, (double[]){1, 0.5, 0.75});
    log_values("b", "eval/loss", 3, (double[]){1, 0.75, 0.25});
    log_values("a", "train/loss", 2, (double[]){1, 0.5});
    const struct bt_run_at dirs[] = {
        {.dir = at("a/"), .step = -1}, {.dir = at("b"), .step = -1}, {.dir = at("c"), .step = -1}};
    if (bt_compare_load(dirs, 3, &c, &err) != BT_OK) fail_msg("%s", err.text);
    assert_int_equal(c->n_runs, 3);
    assert_string_equal(c->run[0].id, "a");
    assert_string_equal(c->run[0].state, "finished");
    assert_string_equal(c->run[2].state, "");
    assert_int_equal(c->run[0].best_step, 20);
    assert_int_equal(c->run[1].best_step, -1);
    assert_int_equal(c->run[1].last_step, 30);
    assert_int_equal(c->n_settings, 1);
    assert_string_equal(c->setting[0].key, "optim.learning_rate");
    assert_string_equal(c->setting[0].value[0], "0.5");
    assert_string_equal(c->setting[0].value[1], "0.25");
    assert_null(c->setting[0].value[2]);
    const struct bt_compare_metric *m = metric(c, "eval/accuracy");
    assert_true(m->value[0] == 0.875 && m->value[1] == 0.75 && m->value[2] == 0.25);
    assert_int_equal(m->best, 0);
    m = metric(c, "eval/loss");
    assert_true(m->value[0] == 0.5 && m->value[1] == 0.25 && isnan(m->value[2]));
    assert_int_equal(m->best, 1);
    assert_int_equal(metric(c, "train/loss")->best, -1);
    assert_true(metric(c, "steps")->value[0] == 20);
    bt_compare_free(c);
    assert_int_equal(bt_compare_load(&(struct bt_run_at){.dir = "/nonexistent"}, 1, &c, &err), BT_IO);
}

static void ties_have_no_best(void **state)
{
    (void)state;
    struct bt_compare *c;
    log_values("a", "eval/accuracy", 1, (double[]){0.5});
    log_values("b", "eval/accuracy", 1, (double[]){0.5});
    log_values("a", "eval/f1_macro", 1, (double[]){0.5});
    const struct bt_run_at dirs[] = {{.dir = at("a"), .step = -1}, {.dir = at("b"), .step = -1}};
    assert_int_equal(bt_compare_load(dirs, 2, &c, NULL), BT_OK);
    assert_int_equal(metric(c, "eval/accuracy")->best, -1);
    assert_int_equal(metric(c, "eval/f1_macro")->best, -1); /* one value is no comparison */
    bt_compare_free(c);
}

/* As many rows as somebody has predictions for are read, not the whole file. */
static void texts_of_rows(void **state)
{
    struct bt_texts t = {.n_files = 0};
    char *experiment =
        bt_strfmt("data: {validation_file: %s, text_column: text, label_column: label}\n", at("dev.tsv"));
    (void)state;
    put("dev.tsv", "text\tlabel\none\ta\ntwo\tb\nthree\ta\nfour\tb\n");
    put("a/experiment.yaml", experiment);
    for (size_t most = 0; most <= 5; most++) {
        bt_texts_load(at("a"), "validation", most, &t);
        if (!t.examples) fail_msg("%s", t.err.text);
        const size_t n = most && most < 4 ? most : 4;
        assert_int_equal(bt_examples_count(t.examples), n);
        assert_string_equal(bt_texts_row(&t, 1)->text, "one");
        assert_ptr_equal(bt_texts_row(&t, (int64_t)n), bt_examples_at(t.examples, n - 1));
        assert_null(bt_texts_row(&t, (int64_t)n + 1));
        assert_null(bt_texts_row(&t, 0));
        assert_true(t.most == most && t.n_files == 1);
        bt_texts_clear(&t);
    }
    bt_texts_load(at("a"), "test", 0, &t);
    assert_true(!t.examples && strstr(t.err.text, "names no file for its test split"));
    assert_null(bt_texts_row(&t, 1));
    bt_texts_clear(&t);
    bt_texts_load(at("b"), "test", 0, &t);
    assert_true(!t.examples && t.err.status != BT_OK);
    bt_texts_clear(&t);
    free(experiment);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mcnemar),  TEST(pairs),       TEST(bad_predictions),
        TEST(settings_and_metrics), TEST(other_kinds), TEST(ties_have_no_best),
        TEST(texts_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
