/* When a run evaluates and saves, what it keeps, and when it ends. */
#include "tests/unit/run_fixture.h"

static void run(const char *name, const char *const *settings, struct bt_train_result *r)
{
    struct fix_watch w = {.at = -1};
    expect_ok(fix_train(name, settings, &w, r));
    assert_string_equal(r->state, "finished");
    assert_int_equal(w.warnings, 0);
}

static void expect_steps(const char *name, const int64_t *expected, size_t n)
{
    int64_t *steps;
    size_t found;
    expect_ok(bt_run_checkpoints(fix_path("runs/%s", name), &steps, &found, &fix_err));
    assert_int_equal(found, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(steps[i], expected[i]);
    free(steps);
}

static void expect_predictions(const char *name, const char *split, const int64_t *expected, size_t n)
{
    int64_t *steps;
    size_t found;
    expect_ok(bt_predictions_steps(fix_path("runs/%s", name), split, &steps, &found, &fix_err));
    assert_int_equal(found, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(steps[i], expected[i]);
    free(steps);
}

/* Nothing is evaluated: there is no best, and the last weights are saved. */
static void no_evaluation(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("no-eval", (const char *const[]){"eval.eval_strategy=no", "run.save_steps=500", NULL}, &r);
    assert_int_equal(r.best_step, -1);
    assert_int_equal(r.last_step, 10);
    assert_int_equal(r.last.n, 0);
    assert_true(r.test.n > 0);
    bt_train_result_clear(&r);
    expect_steps("no-eval", (const int64_t[]){10}, 1);
    assert_false(bt_path_exists(fix_path("runs/no-eval/best")));
}

static void no_saving(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("no-save", (const char *const[]){"run.save_strategy=no", NULL}, &r);
    assert_true(r.best_step > 0);
    bt_train_result_clear(&r);
    assert_false(bt_path_exists(fix_path("runs/no-save/checkpoints")));
    assert_false(bt_path_exists(fix_path("runs/no-save/last")));
}

/* With a learning rate of 0 the first evaluation stays the best: it is kept beside the last, though the limit is 1. */
static void best_and_last(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("kept", (const char *const[]){"optim.learning_rate=0", "run.save_total_limit=1", NULL}, &r);
    assert_int_equal(r.best_step, 4);
    assert_int_equal(r.last_step, 10);
    bt_train_result_clear(&r);
    expect_steps("kept", (const int64_t[]){4, 10}, 2);
    expect_predictions("kept", "validation", (const int64_t[]){4, 8, 10}, 3);
    expect_predictions("kept", "test", (const int64_t[]){4}, 1);
    char target[64];
    ssize_t n = readlink(fix_path("runs/kept/best"), target, sizeof target - 1);
    assert_true(n > 0);
    target[n] = '\0';
    assert_string_equal(target, "checkpoints/step-000004");
}

static void save_best_only(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("save-best", (const char *const[]){"optim.learning_rate=0", "run.save_strategy=best", NULL}, &r);
    bt_train_result_clear(&r);
    expect_steps("save-best", (const int64_t[]){4}, 1);
}

/* Evaluations at steps 2, 4, 6: the second one without a better metric ends the run. */
static void early_stopping(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("early",
        (const char *const[]){"optim.learning_rate=0", "eval.eval_steps=2", "eval.early_stopping_patience=2",
                              NULL},
        &r);
    assert_int_equal(r.best_step, 2);
    assert_int_equal(r.last_step, 6);
    bt_train_result_clear(&r);
    expect_steps("early", (const int64_t[]){2, 6}, 2);
}

/* A loss is better when it is smaller, unless the experiment says otherwise. */
static void direction(void **state)
{
    (void)state;
    struct bt_train_result low, high;
    run("low", (const char *const[]){"eval.metric_for_best_model=loss", "eval.eval_steps=1", NULL}, &low);
    run("high",
        (const char *const[]){"eval.metric_for_best_model=loss", "eval.greater_is_better=true",
                              "eval.eval_steps=1", NULL},
        &high);
    assert_true(bt_metrics_get(&low.best, "loss") < bt_metrics_get(&high.best, "loss"));
    assert_true(bt_metrics_get(&low.best, "loss") <= bt_metrics_get(&low.last, "loss"));
    assert_true(bt_metrics_get(&high.best, "loss") >= bt_metrics_get(&high.last, "loss"));
    bt_train_result_clear(&low);
    bt_train_result_clear(&high);
}

static void epochs_and_delay(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("epochs",
        (const char *const[]){"eval.eval_strategy=epoch", "run.save_strategy=epoch", "eval.eval_delay=2",
                              "eval.eval_on_start=true", NULL},
        &r);
    bt_train_result_clear(&r);
    expect_predictions("epochs", "validation", (const int64_t[]){0, 10}, 2);
    expect_steps("epochs", (const int64_t[]){5, 10}, 2);
}

/* Validation rows cut off the training data: none is lost, none is in both. */
static void cut_off(void **state)
{
    (void)state;
    struct bt_train_result r;
    struct bt_predictions *p;
    run("cut", (const char *const[]){"data.validation_file=[]", "data.val_set_size=0.3", NULL}, &r);
    bt_train_result_clear(&r);
    expect_ok(bt_predictions_load(fix_path("runs/cut"), "validation", -1, &p, &fix_err));
    bool seen[FIX_TRAIN + 1] = {false};
    for (size_t i = 0; i < p->n; i++) {
        assert_in_range(p->row[i].id, 1, FIX_TRAIN);
        assert_false(seen[p->row[i].id]);
        seen[p->row[i].id] = true;
    }
    size_t training = 0, n = 0;
    char *text = NULL;
    expect_ok(bt_file_read(fix_path("runs/cut/dynamics/epoch-1.jsonl"), 1 << 20, &text, &n, &fix_err));
    for (char *line = text; line && *line; line = strchr(line, '\n') + 1, training++)
        assert_false(seen[strtol(strstr(line, "\"id\":") + 5, NULL, 10)]);
    free(text);
    assert_int_equal(training + p->n, FIX_TRAIN);
    bt_predictions_free(p);
}

/* Cross-validation: every row is validation data in exactly one of the parts, whose sizes and whose labels' numbers differ by one at most. */
static void folds(void **state)
{
    (void)state;
    enum { FOLDS = 3 };
    int seen[FIX_TRAIN + 1] = {0}, least = FIX_TRAIN, most = 0, of_label[2][FOLDS] = {{0}};
    for (int k = 0; k < FOLDS; k++) {
        struct bt_train_result r;
        struct bt_predictions *p;
        char fold[32], name[16], path[32];
        snprintf(fold, sizeof fold, "data.fold=%d", k + 1);
        snprintf(name, sizeof name, "fold%d", k + 1);
        snprintf(path, sizeof path, "runs/%s", name);
        run(name,
            (const char *const[]){"data.validation_file=[]", "data.num_folds=3", fold, "train.max_steps=1",
                                  NULL},
            &r);
        bt_train_result_clear(&r);
        expect_ok(bt_predictions_load(fix_path(path), "validation", -1, &p, &fix_err));
        for (size_t i = 0; i < p->n; i++) {
            seen[p->row[i].id]++;
            of_label[p->row[i].gold][k]++;
        }
        least = (int)p->n < least ? (int)p->n : least;
        most = (int)p->n > most ? (int)p->n : most;
        bt_predictions_free(p);
    }
    for (int i = 1; i <= FIX_TRAIN; i++) assert_int_equal(seen[i], 1);
    assert_in_range(most - least, 0, 1);
    for (int l = 0; l < 2; l++)
        for (int k = 1; k < FOLDS; k++) assert_in_range(of_label[l][k] - of_label[l][0] + 1, 0, 2);
}

/* The resolved experiment of a run, run again, is the same run. */
static void loads_back(void **state)
{
    (void)state;
    struct bt_train_result r;
    run("first", (const char *const[]){"optim.warmup_steps=2", NULL}, &r);
    bt_train_result_clear(&r);
    struct fix_watch w = {.at = -1};
    struct bt_train_request q = fix_request(&w);
    q.name = "second";
    expect_ok(bt_experiment_load(fix_path("runs/first/experiment.yaml"), &q.experiment, &fix_err));
    expect_ok(bt_train(&q, &r, &fix_err));
    bt_train_result_clear(&r);
    bt_experiment_free(q.experiment);
    assert_string_equal(fix_weights("first"), fix_weights("second"));
    char hex[2][65];
    expect_ok(bt_sha256_file(fix_path("runs/first/experiment.yaml"), hex[0], &fix_err));
    expect_ok(bt_sha256_file(fix_path("runs/second/experiment.yaml"), hex[1], &fix_err));
    assert_string_equal(hex[0], hex[1]);
}

static void some_commands(struct fix_watch *w, const struct bt_progress *p)
{
    static const char *const commands[] = {"checkpoint", "eval", "pause", "nonsense", "resume"};
    if (p->step == 3) {
        expect_ok(bt_run_control(w->dir, "stop", &fix_err));
        return;
    }
    FILE *f = fopen(fix_path("runs/commands/control"), "a");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) fprintf(f, "%s\n", commands[i]);
    assert_int_equal(fclose(f), 0);
    w->at = 3;
}

/* Commands that wait together are obeyed in their order; what is none is told. */
static void commands(void **state)
{
    (void)state;
    struct fix_watch w = {.at = 2, .act = some_commands};
    struct bt_train_result r;
    expect_ok(fix_train("commands", NULL, &w, &r));
    assert_string_equal(r.state, "stopped");
    assert_int_equal(r.last_step, 3);
    assert_int_equal(w.warnings, 1);
    assert_non_null(strstr(w.warning, "nonsense"));
    assert_int_equal(r.best_step, -1); /* an evaluation beside the plan decides nothing */
    bt_train_result_clear(&r);
    expect_steps("commands", (const int64_t[]){2, 3}, 2);
    expect_predictions("commands", "validation", (const int64_t[]){2}, 1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { SAME = 300, TOKENS = 10 };

/* A batch of 3000 tokens is computed in three pieces. All examples are the same: were it not for dropout, so were what the model says of
 * them; and if the pieces drew the same masks, it would say no more than 100 different things. */
static void pieces(void **state)
{
    (void)state;
    struct bt_str rows = {0};
    bt_str_add(&rows, "text\tlabel\n");
    for (int i = 0; i < SAME; i++)
        bt_str_addf(&rows, "wa wb wc wd we wf wg wh\t%s\n", i % 2 ? "odd" : "even");
    fix_write(fix_path("same.tsv"), bt_str_text(&rows));
    bt_str_free(&rows);
    char train[600];
    snprintf(train, sizeof train, "data.train_file=%s", fix_path("same.tsv"));
    struct bt_train_result r;
    run("pieces",
        (const char *const[]){train, "train.train_batch_size=300", "train.gradient_accumulation_steps=1",
                              "train.num_train_epochs=1", "eval.eval_strategy=no", "run.save_strategy=no",
                              NULL},
        &r);
    assert_int_equal(r.last_step, 1);
    assert_int_equal(r.train_tokens, SAME * TOKENS);
    bt_train_result_clear(&r);
    char *text = NULL;
    size_t n = 0, found = 0, different = 1;
    double p[SAME];
    expect_ok(bt_file_read(fix_path("runs/pieces/dynamics/epoch-1.jsonl"), 1 << 20, &text, &n, &fix_err));
    for (char *line = text; line && *line && found < SAME; line = strchr(line, '\n') + 1) {
        const double gold = strtod(strstr(line, "\"p\":") + 4, NULL);
        p[found] = found % 2 ? gold : 1.0 - gold;
        found++;
    }
    free(text);
    assert_int_equal(found, SAME);
    qsort(p, SAME, sizeof *p, by_value);
    for (size_t i = 1; i < SAME; i++) different += p[i] - p[i - 1] > 1e-6;
    assert_in_range(different, SAME * 9 / 10, SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_evaluation),    cmocka_unit_test(no_saving),      cmocka_unit_test(best_and_last),
        cmocka_unit_test(save_best_only),   cmocka_unit_test(early_stopping), cmocka_unit_test(direction),
        cmocka_unit_test(epochs_and_delay), cmocka_unit_test(cut_off),        cmocka_unit_test(folds),
        cmocka_unit_test(loads_back),       cmocka_unit_test(commands),       cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
