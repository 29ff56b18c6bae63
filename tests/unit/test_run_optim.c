/* Runs with each optimiser, schedule and choice of what is trained: stopped and resumed with the same bits, and a checkpoint of another optimiser
 * refused. */
#include "tests/unit/run_fixture.h"

#include "formats/safetensors.h"
#include <math.h>

static void exact(void **state)
{
    (void)state;
    fix_stopped_and_resumed("bert_adam", (const char *const[]){"optim.optim=bert_adam", NULL});
    fix_stopped_and_resumed("adafactor", (const char *const[]){"optim.optim=adafactor", NULL});
    fix_stopped_and_resumed("sgd", (const char *const[]){"optim.optim=sgd", NULL});
    fix_stopped_and_resumed("heavy", (const char *const[]){"optim.optim=sgd", "optim.momentum=0.9",
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
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    fix_train_until("changed", (const char *const[]){"optim.optim=sgd", NULL}, 5);
    struct bt_experiment *x;
    struct bt_str text = {.data = NULL};
    expect_ok(bt_experiment_load(fix_path("runs/changed/experiment.yaml"), &x, &fix_err));
    expect_ok(bt_experiment_assign(x, "optim.optim=adafactor", &fix_err));
    bt_experiment_write(x, &text);
    fix_write(fix_path("runs/changed/experiment.yaml"), bt_str_text(&text));
    bt_str_free(&text);
    bt_experiment_free(x);
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
    } cases[] = {
        {{"optim.optim=sgd", "optim.adam_beta1=0.8"}, "optim.adam_beta1"},
        {{"optim.optim=adafactor", "optim.adam_epsilon=1e-8"}, "optim.adam_epsilon"},
        {{"optim.optim=adafactor", "optim.correct_bias=false"}, "optim.correct_bias"},
        {{"optim.optim=bert_adam", "optim.correct_bias=true"}, "optim.correct_bias"},
        {{"optim.momentum=0.9"}, "optim.momentum"},
        {{"optim.num_cycles=2"}, "optim.num_cycles"},
        {{"optim.lr_scheduler_type=cosine", "optim.power=2"}, "optim.power"},
        {{"optim.lr_end=1e-6"}, "optim.lr_end"},
        {{"optim.lr_scheduler_type=polynomial", "optim.lr_end=1e-2"}, "optim.lr_end"},
        {{"optim.lr_reduce_factor=0.5"}, "optim.lr_reduce_factor"},
        {{"optim.lr_reduce_patience=2"}, "optim.lr_reduce_patience"},
        {{"optim.lr_scheduler_type=constant", "optim.warmup_steps=2"}, "optim.warmup_steps"},
        {{"optim.lr_scheduler_type=reduce_lr_on_plateau", "optim.warmup_ratio=0.2"}, "optim.warmup_ratio"},
        {{"optim.lr_scheduler_type=reduce_lr_on_plateau", "eval.eval_strategy=no"},
         "optim.lr_scheduler_type"},
        {{"train.loss_watchdog_patience=2"}, "train.loss_watchdog_patience"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_experiment *x = fix_experiment(cases[i].settings);
        const struct bt_option *at = NULL;
        assert_int_equal(bt_experiment_validate(x, &at, &fix_err), BT_INVALID);
        assert_string_equal(at->key, cases[i].key);
        bt_experiment_free(x);
    }
}

/* What reduce_lr_on_plateau came to is part of a checkpoint: with a rate of 0.5 the loss does not fall, and the rate does. */
static void plateau(void **state)
{
    (void)state;
    static const char *const settings[] = {"optim.lr_scheduler_type=reduce_lr_on_plateau",
                                           "optim.lr_reduce_patience=1",
                                           "optim.lr_reduce_factor=0.5",
                                           "optim.learning_rate=0.5",
                                           "eval.eval_steps=1",
                                           NULL};
    fix_stopped_and_resumed("plateau", settings);
    struct bt_experiment *x;
    expect_ok(bt_experiment_load(fix_path("runs/plateau/experiment.yaml"), &x, &fix_err));
    assert_string_equal(x->eval_metric_for_best_model, "loss");
    bt_experiment_free(x);
    struct bt_json *v = bt_json_load(fix_path("runs/plateau/last/trainer.json"), 1 << 20, &fix_err);
    assert_non_null(v);
    double factor = bt_json_number(bt_json_get(bt_json_get(v, "plateau"), "factor"), 0.0);
    assert_true(factor > 0.0 && factor < 0.5);
    bt_json_free(v);
}

/* The loss of every step is above 0.01: the third ends the run, and so does the first after a resume from the second. */
static void watchdog(void **state)
{
    (void)state;
    static const char *const settings[] = {"train.loss_watchdog_threshold=0.01", "run.save_steps=1", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    assert_int_equal(fix_train("barking", settings, &w, &r), BT_DIVERGED);
    assert_string_equal(r.state, "diverged");
    assert_int_equal(r.last_step, 3);
    assert_non_null(strstr(fix_err.text, "step 3: the loss is "));
    assert_non_null(strstr(fix_err.text, "above train.loss_watchdog_threshold (0.01) for 3 steps"));
    bt_train_result_clear(&r);
    assert_int_equal(fix_resume("barking", 2, false, &w, &r), BT_DIVERGED);
    assert_int_equal(r.last_step, 3);
    bt_train_result_clear(&r);
    expect_ok(fix_train(
        "quiet",
        (const char *const[]){"train.loss_watchdog_threshold=100", "train.loss_watchdog_patience=1", NULL},
        &w, &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
}

/* ── weights ── */

struct tensors {
    struct bt__safetensors *file;
    size_t n;
};

static struct tensors open_tensors(const char *path)
{
    struct tensors t = {.file = NULL};
    expect_ok(bt__safetensors_open(path, &t.file, &fix_err));
    t.n = bt__safetensors_count(t.file);
    assert_true(t.n > 0);
    return t;
}

static float *floats(const struct tensors *t, const char *name, size_t *n)
{
    ptrdiff_t at = bt__safetensors_find(t->file, name);
    assert_true(at >= 0);
    *n = bt__safetensors_at(t->file, (size_t)at)->count;
    float *x = calloc(*n + 1, sizeof *x);
    assert_non_null(x);
    expect_ok(bt__safetensors_read_f32(t->file, (size_t)at, x, 1, &fix_err));
    return x;
}

/* The largest difference of a tensor in two files. */
static double apart(const struct tensors *a, const struct tensors *b, const char *name)
{
    size_t n, m;
    float *x = floats(a, name, &n), *y = floats(b, name, &m);
    double most = 0.0;
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i] - (double)y[i]));
    free(x);
    free(y);
    return most;
}

/* Micro-batches come to the same as the batch that they make up. */
static void accumulation(void **state)
{
    (void)state;
    static const char *const batch[] = {"train.train_batch_size=8", "train.train_batch_size=4",
                                        "train.train_batch_size=2"};
    static const char *const micro[] = {"train.gradient_accumulation_steps=1",
                                        "train.gradient_accumulation_steps=2",
                                        "train.gradient_accumulation_steps=4"};
    struct tensors t[3];
    for (int i = 0; i < 3; i++) {
        char name[32];
        struct fix_watch w = {.at = -1};
        struct bt_train_result r;
        snprintf(name, sizeof name, "micro-%d", 1 << i);
        expect_ok(fix_train(name,
                            (const char *const[]){batch[i], micro[i], "train.group_by_length=false",
                                                  "model.hidden_dropout_prob=0",
                                                  "model.attention_probs_dropout_prob=0", "optim.optim=sgd",
                                                  "optim.learning_rate=0.1", NULL},
                            &w, &r));
        assert_int_equal(r.last_step, 10);
        bt_train_result_clear(&r);
        t[i] = open_tensors(fix_path("runs/%s/last/model.safetensors", name));
    }
    for (size_t i = 0; i < t[0].n; i++)
        for (int j = 1; j < 3; j++)
            assert_true(apart(&t[0], &t[j], bt__safetensors_at(t[0].file, i)->name) < 1e-5);
    for (int i = 0; i < 3; i++) bt__safetensors_close(t[i].file);
}

/* ── BitFit ── */

static bool in_bitfit(const char *name)
{
    return strstr(name, "bias") || strstr(name, "pooler") || strstr(name, "classifier");
}

static void bitfit(void **state)
{
    (void)state;
    fix_stopped_and_resumed("bitfit", (const char *const[]){"model.adapter=bitfit", NULL});
    struct tensors before = open_tensors(fix_path("model/model.safetensors")),
                   after = open_tensors(fix_path("runs/bitfit/last/model.safetensors")),
                   optim = open_tensors(fix_path("runs/bitfit/last/optimizer.safetensors"));
    for (size_t i = 0; i < after.n; i++) {
        const char *name = bt__safetensors_at(after.file, i)->name;
        double moved = apart(&before, &after, name);
        if (in_bitfit(name) ? moved <= 0.0 : moved != 0.0) fail_msg("%s moved by %g", name, moved);
    }
    for (size_t i = 0; i < optim.n; i++) {
        const char *name = bt__safetensors_at(optim.file, i)->name;
        assert_true(in_bitfit(name) || strncmp(name, "epoch.", 6) == 0);
    }
    bt__safetensors_close(before.file);
    bt__safetensors_close(after.file);
    bt__safetensors_close(optim.file);
}

/* With layers and embeddings frozen too, and another module in full. */
static void bitfit_and_frozen(void **state)
{
    (void)state;
    static const char *const settings[] = {"model.adapter=bitfit", "model.freeze_layers=1",
                                           "model.modules_to_save=[classifier, output.LayerNorm]", NULL};
    fix_stopped_and_resumed("bitfit-frozen", settings);
    struct tensors before = open_tensors(fix_path("model/model.safetensors")),
                   after = open_tensors(fix_path("runs/bitfit-frozen/last/model.safetensors"));
    static const struct {
        const char *name;
        bool moves;
    } cases[] = {{.name = "bert.encoder.layer.0.output.LayerNorm.weight", .moves = false},
                 {.name = "bert.encoder.layer.0.output.dense.bias", .moves = false},
                 {.name = "bert.embeddings.LayerNorm.bias", .moves = false},
                 {.name = "bert.encoder.layer.1.output.LayerNorm.weight", .moves = true},
                 {.name = "bert.encoder.layer.1.output.dense.weight", .moves = false},
                 {.name = "bert.encoder.layer.1.attention.self.query.bias", .moves = true},
                 {.name = "bert.pooler.dense.weight", .moves = false},
                 {.name = "classifier.weight", .moves = true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(apart(&before, &after, cases[i].name) > 0.0, cases[i].moves);
    bt__safetensors_close(before.file);
    bt__safetensors_close(after.file);
}

static void bitfit_threads(void **state)
{
    (void)state;
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("bitfit-one",
                        (const char *const[]){"model.adapter=bitfit", "run.num_threads=1", NULL}, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("bitfit-one"), fix_weights("bitfit"));
}

/* The check counts what is trained, and foretells less memory and smaller checkpoints. */
static void bitfit_check(void **state)
{
    (void)state;
    const int64_t h = 16, f = 32, biases = h + 2 * (6 * h + f + 2 * h - h) + h, pooler = h * h,
                  head = 2 * h + 2;
    struct bt_experiment *x = fix_experiment((const char *const[]){"model.adapter=bitfit", NULL}),
                         *all = fix_experiment(NULL);
    struct bt_check *c, *whole;
    expect_ok(bt_check(x, false, &c, &fix_err));
    expect_ok(bt_check(all, false, &whole, &fix_err));
    assert_int_equal(c->trainable, biases + pooler + head);
    assert_int_equal(whole->trainable, whole->parameters);
    assert_true(c->disk_mib < whole->disk_mib);
    bt_check_free(c);
    bt_check_free(whole);
    bt_experiment_free(x);
    bt_experiment_free(all);
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    assert_int_equal(fix_train("none",
                               (const char *const[]){"model.adapter=bitfit",
                                                     "model.modules_to_save=[classifier, nothing]", NULL},
                               &w, &r),
                     BT_INVALID);
    assert_non_null(strstr(fix_err.text, "the model has no module \"nothing\""));
    bt_train_result_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact),          cmocka_unit_test(threads),
        cmocka_unit_test(uncorrected),    cmocka_unit_test(another_one),
        cmocka_unit_test(refused),        cmocka_unit_test(plateau),
        cmocka_unit_test(watchdog),       cmocka_unit_test(accumulation),
        cmocka_unit_test(bitfit),         cmocka_unit_test(bitfit_and_frozen),
        cmocka_unit_test(bitfit_threads), cmocka_unit_test(bitfit_check),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
