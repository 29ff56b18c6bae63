/* Runs with each optimiser: stopped and resumed with the same bits, and a checkpoint of another one refused. */
#include "tests/unit/run_fixture.h"

static void stopped_and_resumed(const char *name, const char *const *settings)
{
    char stopped[64];
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    snprintf(stopped, sizeof stopped, "%s-stopped", name);
    expect_ok(fix_train(name, settings, &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(w.warnings, 0);
    bt_train_result_clear(&r);
    w = (struct fix_watch){.at = 5, .act = fix_stop};
    expect_ok(fix_train(stopped, settings, &w, &r));
    assert_string_equal(r.state, "stopped");
    bt_train_result_clear(&r);
    w = (struct fix_watch){.at = -1};
    expect_ok(fix_resume(stopped, -1, false, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights(name), fix_weights(stopped));
}

static void exact(void **state)
{
    (void)state;
    stopped_and_resumed("bert_adam", (const char *const[]){"optim.optim=bert_adam", NULL});
    stopped_and_resumed("adafactor", (const char *const[]){"optim.optim=adafactor", NULL});
    stopped_and_resumed("sgd", (const char *const[]){"optim.optim=sgd", NULL});
    stopped_and_resumed("heavy", (const char *const[]){"optim.optim=sgd", "optim.momentum=0.9",
                                                       "optim.warmup_ratio=0", NULL});
    assert_string_not_equal(fix_weights("bert_adam"), fix_weights("adafactor"));
    assert_string_not_equal(fix_weights("sgd"), fix_weights("heavy"));
}

static void threads(void **state)
{
    (void)state;
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("one-thread",
                        (const char *const[]){"optim.optim=adafactor", "run.num_threads=1", NULL}, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("one-thread"), fix_weights("adafactor"));
}

/* AdamW without its correction is Google's optimiser. */
static void uncorrected(void **state)
{
    (void)state;
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("uncorrected", (const char *const[]){"optim.correct_bias=false", NULL}, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("uncorrected"), fix_weights("bert_adam"));
}

/* Somebody changed experiment.yaml of a stopped run. */
static void another_one(void **state)
{
    (void)state;
    struct fix_watch w = {.at = 5, .act = fix_stop};
    struct bt_train_result r;
    expect_ok(fix_train("changed", (const char *const[]){"optim.optim=sgd", NULL}, &w, &r));
    bt_train_result_clear(&r);
    struct bt_experiment *x;
    struct bt_str text = {.data = NULL};
    expect_ok(bt_experiment_load(fix_path("runs/changed/experiment.yaml"), &x, &fix_err));
    expect_ok(bt_experiment_assign(x, "optim.optim=adafactor", &fix_err));
    bt_experiment_write(x, &text);
    fix_write(fix_path("runs/changed/experiment.yaml"), bt_str_text(&text));
    bt_str_free(&text);
    bt_experiment_free(x);
    w = (struct fix_watch){.at = -1};
    assert_int_equal(fix_resume("changed", -1, false, &w, &r), BT_INVALID);
    assert_non_null(strstr(fix_err.text, "saved by the optimiser sgd, optim.optim is adafactor"));
    assert_null(strchr(fix_err.text, '\n'));
    bt_train_result_clear(&r);
    expect_ok(fix_resume("changed", -1, true, &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(w.warnings, 1);
    bt_train_result_clear(&r);
}

/* An option that the chosen one does not know. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3], *key;
    } cases[] = {{{"optim.optim=sgd", "optim.adam_beta1=0.8"}, "optim.adam_beta1"},
                 {{"optim.optim=adafactor", "optim.adam_epsilon=1e-8"}, "optim.adam_epsilon"},
                 {{"optim.optim=adafactor", "optim.correct_bias=false"}, "optim.correct_bias"},
                 {{"optim.optim=bert_adam", "optim.correct_bias=true"}, "optim.correct_bias"},
                 {{"optim.momentum=0.9"}, "optim.momentum"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_experiment *x = fix_experiment(cases[i].settings);
        const struct bt_option *at = NULL;
        assert_int_equal(bt_experiment_validate(x, &at, &fix_err), BT_INVALID);
        assert_string_equal(at->key, cases[i].key);
        bt_experiment_free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact),       cmocka_unit_test(threads), cmocka_unit_test(uncorrected),
        cmocka_unit_test(another_one), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
