/* The same bits: for any number of threads, and for a run that was stopped and resumed wherever it may be. */
#include "tests/unit/run_fixture.h"

#include <bertty/events.h>

static const char *reference(void)
{
    static char hex[65];
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    if (hex[0]) return hex;
    expect_ok(fix_train("reference",
                        (const char *const[]){"run.save_steps=1", "run.save_total_limit=100", NULL}, &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(r.last_step, 10);
    assert_int_equal(w.warnings, 0);
    bt_train_result_clear(&r);
    snprintf(hex, sizeof hex, "%s", fix_weights("reference"));
    return hex;
}

static void threads(void **state)
{
    (void)state;
    const char *expected = reference();
    static const char *const settings[] = {"run.num_threads=1", "run.num_threads=2", "run.num_threads=3"};
    for (int i = 0; i < 3; i++) {
        char name[32];
        struct fix_watch w = {.at = -1};
        struct bt_train_result r;
        snprintf(name, sizeof name, "threads-%d", i + 1);
        expect_ok(fix_train(name, (const char *const[]){settings[i], NULL}, &w, &r));
        bt_train_result_clear(&r);
        assert_string_equal(fix_weights(name), expected);
    }
}

/* Every checkpoint of the reference leads to the same end, with another number of threads too. */
static void from_every_step(void **state)
{
    (void)state;
    char expected[65];
    snprintf(expected, sizeof expected, "%s", reference());
    for (int64_t step = 1; step < 10; step++) {
        struct fix_watch w = {.at = -1};
        struct bt_train_result r;
        expect_ok(fix_resume("reference", step, false, &w, &r));
        assert_string_equal(r.state, "finished");
        bt_train_result_clear(&r);
        assert_string_equal(fix_weights("reference"), expected);
    }
}

static void check_curve(const char *a, const char *b, const char *tag)
{
    struct bt_series_reader *r[2];
    const char *name[] = {a, b};
    bool more;
    for (int i = 0; i < 2; i++) {
        expect_ok(bt_series_open(fix_path("runs/%s", name[i]), &r[i], &fix_err));
        expect_ok(bt_series_poll(r[i], 0, &more, &fix_err));
        bt_series_commit(r[i]);
    }
    const struct bt_series *x = bt_series_find(r[0], tag), *y = bt_series_find(r[1], tag);
    assert_non_null(x);
    assert_non_null(y);
    assert_int_equal(x->n, y->n);
    for (size_t i = 0; i < x->n; i++) {
        assert_int_equal(x->step[i], y->step[i]);
        assert_true(x->value[i] == y->value[i]);
    }
    bt_series_free(r[0]);
    bt_series_free(r[1]);
}

static void same_file(const char *a, const char *b, const char *file)
{
    char hex[2][65];
    expect_ok(bt_sha256_file(fix_path("runs/%s/%s", a, file), hex[0], &fix_err));
    expect_ok(bt_sha256_file(fix_path("runs/%s/%s", b, file), hex[1], &fix_err));
    assert_string_equal(hex[0], hex[1]);
}

/* Stopped in the middle of an epoch, again and again: weights, curves, predictions and the rows' figures are those of the reference. */
static void stop_and_resume(void **state)
{
    (void)state;
    char expected[65];
    snprintf(expected, sizeof expected, "%s", reference());
    struct fix_watch w;
    struct bt_train_result r;
    fix_train_until("stopped", NULL, 3);
    for (int64_t at = 4; at <= 7; at += 3) {
        w = (struct fix_watch){.at = at, .act = fix_stop};
        expect_ok(fix_resume("stopped", -1, false, &w, &r));
        assert_string_equal(r.state, "stopped");
        assert_int_equal(r.last_step, at);
        bt_train_result_clear(&r);
    }
    fix_go_on("stopped", -1);
    assert_string_equal(fix_weights("stopped"), expected);
    check_curve("reference", "stopped", "train/loss");
    check_curve("reference", "stopped", "train/learning_rate");
    check_curve("reference", "stopped", "eval/accuracy");
    same_file("reference", "stopped", "predictions/validation-step-000010.jsonl");
    same_file("reference", "stopped", "dynamics/epoch-1.jsonl");
    same_file("reference", "stopped", "dynamics/epoch-2.jsonl");
}

/* Without grouping, with a last small batch left out, frozen parts, fresh parts and another schedule. */
static void other_settings(void **state)
{
    (void)state;
    static const char *const settings[] = {"train.group_by_length=false",
                                           "train.dataloader_drop_last=true",
                                           "train.gradient_accumulation_steps=1",
                                           "model.freeze_layers=1",
                                           "model.reinit_layers=1",
                                           "model.reinit_pooler=true",
                                           "optim.lr_scheduler_type=cosine",
                                           "train.max_steps=12",
                                           NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("other", settings, &w, &r));
    assert_int_equal(r.last_step, 12);
    bt_train_result_clear(&r);
    fix_same_when_stopped("other", settings, 5);
}

static void set_rate(struct fix_watch *w, const struct bt_progress *p)
{
    (void)p;
    expect_ok(bt_run_control(w->dir, "set learning_rate=1e-2", &fix_err));
}

static void set_rate_and_stop(struct fix_watch *w, const struct bt_progress *p)
{
    if (p->step == 3) set_rate(w, p);
    w->at = 5;
    if (p->step == 5) w->stop = true;
}

/* A changed rate is repeated by a resume, also by one from before the change. */
static void steered(void **state)
{
    (void)state;
    struct fix_watch w = {.at = 3, .act = set_rate};
    struct bt_train_result r;
    expect_ok(fix_train("steered", (const char *const[]){"run.save_total_limit=100", NULL}, &w, &r));
    bt_train_result_clear(&r);
    char steered_weights[65];
    snprintf(steered_weights, sizeof steered_weights, "%s", fix_weights("steered"));
    assert_string_not_equal(steered_weights, reference());
    w = (struct fix_watch){.at = 3, .act = set_rate_and_stop};
    expect_ok(fix_train("steered-stopped", NULL, &w, &r));
    assert_string_equal(r.state, "stopped");
    bt_train_result_clear(&r);
    for (int64_t from = -1; from <= 3; from += 4) {
        w = (struct fix_watch){.at = -1};
        expect_ok(fix_resume(from < 0 ? "steered-stopped" : "steered", from, false, &w, &r));
        bt_train_result_clear(&r);
        assert_string_equal(fix_weights(from < 0 ? "steered-stopped" : "steered"), steered_weights);
    }
    struct bt_run_status s;
    expect_ok(bt_run_status(fix_path("runs/steered"), &s, &fix_err));
    assert_true(s.steered);
    bt_run_status_clear(&s);
}

/* Layers that are computed again: the same weights. */
static void gradient_checkpointing(void **state)
{
    (void)state;
    static const char *const settings[] = {"train.gradient_checkpointing=true", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("again", settings, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("again"), fix_weights("reference"));
}

/* Products of bf16: other weights, the same for any number of threads, and after a stop. */
static void bf16(void **state)
{
    (void)state;
    static const char *const settings[] = {"train.precision=bf16", NULL}, *const one[] = {
                                                                              "train.precision=bf16",
                                                                              "run.num_threads=1", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("bf16", settings, &w, &r));
    bt_train_result_clear(&r);
    assert_string_not_equal(fix_weights("bf16"), reference());
    expect_ok(fix_train("bf16-one", one, &w, &r));
    bt_train_result_clear(&r);
    char expected[65];
    snprintf(expected, sizeof expected, "%s", fix_weights("bf16"));
    assert_string_equal(fix_weights("bf16-one"), expected);
    fix_same_when_stopped("bf16", settings, 5);
}

static bool logged(const char *run, const char *text)
{
    char *log;
    size_t n;
    expect_ok(bt_file_read(fix_path("runs/%s/log.txt", run), 1 << 20, &log, &n, &fix_err));
    const bool found = memmem(log, n, text, strlen(text)) != NULL;
    free(log);
    return found;
}

/* What frozen layers make of the data is kept, or not: the same weights, curves and predictions, after a stop too. */
static void kept_prefix(void **state)
{
    (void)state;
    static const char *const names[] = {"kept", "not-kept", "kept-stopped"};
    for (int i = 0; i < 3; i++) {
        const char *const settings[] = {
            "model.freeze_layers=1", "model.hidden_dropout_prob=0", "model.attention_probs_dropout_prob=0",
            i == 1 ? "train.frozen_cache_mib=0" : "train.frozen_cache_mib=1", NULL};
        struct fix_watch w = {.at = i == 2 ? 7 : -1, .act = i == 2 ? fix_stop : NULL};
        struct bt_train_result r;
        expect_ok(fix_train(names[i], settings, &w, &r));
        bt_train_result_clear(&r);
    }
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_resume("kept-stopped", -1, false, &w, &r));
    bt_train_result_clear(&r);
    assert_true(logged("kept", "the training and validation data is computed once and kept"));
    assert_false(logged("not-kept", "is computed once and kept"));
    for (int i = 1; i < 3; i++) {
        assert_string_equal(fix_weights("kept"), fix_weights(names[i]));
        check_curve("kept", names[i], "train/loss");
        check_curve("kept", names[i], "eval/loss");
        same_file("kept", names[i], "predictions/validation-step-000010.jsonl");
    }
}

/* The mean over tokens: other weights than [CLS] gives, without a pooler, and the same after a stop. */
static void mean_pooling(void **state)
{
    (void)state;
    static const char *const settings[] = {"model.pooling=mean", "eval.eval_strategy=no", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("mean", settings, &w, &r));
    bt_train_result_clear(&r);
    char *text = fix_json("mean", "last/config.json", "classifier_pooling");
    assert_string_equal(text, "mean");
    free(text);
    fix_same_when_stopped("mean", settings, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads),
        cmocka_unit_test(from_every_step),
        cmocka_unit_test(stop_and_resume),
        cmocka_unit_test(other_settings),
        cmocka_unit_test(gradient_checkpointing),
        cmocka_unit_test(bf16),
        cmocka_unit_test(kept_prefix),
        cmocka_unit_test(mean_pooling),
        cmocka_unit_test(steered),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
