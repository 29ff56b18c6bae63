/* Tasks with an answer for a whole text that is no single label: the gradient of each loss against differences, what is learnt from bad examples, and
 * runs that are stopped and resumed. */
#include "tests/unit/run_fixture.h"

#include "dataset/wrap.h"
#include "tasks/softmax.h"
#include "tasks/task.h"
#include <math.h>

/* ── losses ── */

static struct bt__task *task_of(const char *const *settings)
{
    struct bt_experiment *x = fix_experiment(settings);
    struct bt__task *t = calloc(1, sizeof *t);
    assert_non_null(t);
    *t = (struct bt__task){.ops = bt__task_ops(x->task_type), .x = x};
    return t;
}

static void drop(struct bt__task *t)
{
    bt_experiment_free((struct bt_experiment *)t->x);
    bt__task_free(t);
}

/* d loss/d logit of sequence 0, by central differences of the evaluation's loss. */
static void check_gradient(const struct bt__task *t, const struct bt__task_data *d, const float *logits,
                           int n)
{
    const double scale = 0.37, h = 1e-3;
    float at[8], gradient[8];
    memcpy(at, logits, (size_t)n * sizeof *at);
    double loss = t->ops->loss(t, d, 0, at, scale, gradient);
    assert_true(fabs(loss - t->ops->loss(t, d, 0, at, 1.0, NULL)) < 1e-12);
    for (int i = 0; i < n; i++) {
        at[i] = (float)((double)logits[i] + h);
        double above = t->ops->loss(t, d, 0, at, 1.0, NULL), up = (double)at[i];
        at[i] = (float)((double)logits[i] - h);
        double below = t->ops->loss(t, d, 0, at, 1.0, NULL), down = (double)at[i];
        at[i] = logits[i];
        double slope = scale * (above - below) / (up - down);
        if (fabs(slope - (double)gradient[i]) > 1e-4)
            fail_msg("%s: output %d: %g, differences say %g", t->ops->name, i, (double)gradient[i], slope);
    }
}

static void squared(void **state)
{
    (void)state;
    struct bt__task *t = task_of((const char *const[]){"task.type=regression", NULL});
    double gold[] = {1.25};
    struct bt__task_data d = {.n = 1, .f = {.n = 1}, .gold = gold};
    const float logits[] = {-0.5f};
    assert_true(fabs(t->ops->loss(t, &d, 0, logits, 1.0, NULL) - 1.75 * 1.75) < 1e-12);
    check_gradient(t, &d, logits, 1);
    drop(t);
}

/* Weights and smoothing together, against the formula of torch.nn.CrossEntropyLoss by differences of the loss itself. */
static void weighted(void **state)
{
    (void)state;
    const float logits[] = {0.4f, -1.0f, 1.5f};
    const double weight[] = {0.5, 2.0, 0.0}, h = 1e-3, scale = 0.7;
    double p[3], z = 0.0, expected = 0.0;
    for (int i = 0; i < 3; i++) z += exp((double)logits[i]);
    for (int i = 0; i < 3; i++) p[i] = log(exp((double)logits[i]) / z);
    for (int i = 0; i < 3; i++) expected -= weight[i] * (0.1 + (i == 1 ? 0.7 : 0.0)) * p[i];
    float gradient[3];
    double loss = bt__weighted_cross_entropy(logits, 3, 1, weight, 0.3, scale, gradient);
    assert_true(fabs(loss - expected) < 1e-12);
    for (int i = 0; i < 3; i++) {
        float at[3];
        memcpy(at, logits, sizeof at);
        at[i] += (float)h;
        double above = bt__weighted_cross_entropy(at, 3, 1, weight, 0.3, 1.0, NULL);
        at[i] -= 2.0f * (float)h;
        double below = bt__weighted_cross_entropy(at, 3, 1, weight, 0.3, 1.0, NULL);
        assert_true(fabs(scale * (above - below) / (2.0 * h) - (double)gradient[i]) < 1e-4);
    }
    float plain[3];
    assert_true(bt__weighted_cross_entropy(logits, 3, 1, NULL, 0.3, scale, plain) ==
                bt__cross_entropy(logits, 3, 1, 0.3, scale, gradient));
    assert_memory_equal(plain, gradient, sizeof plain);
}

static void decided(void **state)
{
    (void)state;
    static char name[3][2] = {"a", "b", "c"};
    char *names[] = {name[0], name[1], name[2]};
    struct bt__task *t =
        task_of((const char *const[]){"task.type=multilabel", "task.threshold=[0.4, b=0.9]", NULL});
    expect_ok(bt__labels_from_names(&t->labels, (const char *const *)names, 3, &fix_err));
    expect_ok(t->ops->learn(t, NULL, &fix_err));
    assert_true(memcmp(t->own, (double[]){0.4, 0.9, 0.4}, 3 * sizeof(double)) == 0);
    bool gold[] = {true, false, true};
    struct bt__task_data d = {.n = 1, .f = {.n = 1}, .gold = gold};
    const float logits[] = {-0.3f, 1.9f, 2.0f}; /* probabilities 0.43, 0.87, 0.88 */
    check_gradient(t, &d, logits, 3);
    assert_true(t->ops->judge(t, &d, 0, logits).right);
    const float far[] = {-800.0f, 800.0f, 800.0f};
    assert_true(fabs(t->ops->loss(t, &d, 0, far, 1.0, NULL) - 1600.0 / 3.0) < 1e-9);
    assert_false(t->ops->judge(t, &d, 0, far).right);
    drop(t);
}

/* ── runs ── */

/* The fixture's rows with another label for each: cell(i) of row i. */
static void rows(const char *name, int n, unsigned seed, void (*cell)(struct bt_str *out, unsigned first))
{
    struct bt_str out = {0};
    bt_str_add(&out, "text\tlabel\n");
    for (unsigned i = 0; i < (unsigned)n; i++) {
        unsigned first = (seed + i * 7u) % FIX_WORDS;
        for (unsigned w = 0; w < 1 + i * i % 9u; w++)
            bt_str_addf(&out, "%sw%c", w ? " " : "", 'a' + (int)((first + w * 5u) % FIX_WORDS));
        bt_str_addc(&out, '\t');
        cell(&out, first);
        bt_str_addc(&out, '\n');
    }
    fix_write(fix_path("%s", name), bt_str_text(&out));
    bt_str_free(&out);
}

static void number(struct bt_str *out, unsigned first)
{
    bt_str_addf(out, "%.2f", first / 10.0 - 1.0);
}

/* No label for half of the rows, up to three for the others. */
static void set(struct bt_str *out, unsigned first)
{
    if (first % 2) bt_str_add(out, "odd");
    if (first % 3 == 0 && first % 2) bt_str_add(out, ",three");
    if (first > 12 && first % 2) bt_str_add(out, ", large");
}

static void even_or_odd(struct bt_str *out, unsigned first)
{
    bt_str_add(out, first % 2 ? "odd" : "even");
}

enum { MOST = 12 };

static const char *const *with(const char *const *settings, const char *type)
{
    static const char *all[MOST + 4];
    static char file[3][600], task[64];
    int n = 0;
    static const char *const key[] = {"train", "validation", "test"};
    snprintf(task, sizeof task, "task.type=%s", type);
    all[n++] = task;
    for (int i = 0; i < 3; i++) {
        snprintf(file[i], sizeof file[i], "data.%s_file=%s", key[i], fix_path("%s-%s.tsv", type, key[i]));
        all[n++] = file[i];
    }
    for (int i = 0; settings && settings[i]; i++) {
        assert_in_range(n, 0, MOST + 2);
        all[n++] = settings[i];
    }
    all[n] = NULL;
    return all;
}

static void make_rows(const char *type, void (*cell)(struct bt_str *out, unsigned first))
{
    char name[64];
    static const char *const split[] = {"train", "validation", "test"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s-%s.tsv", type, split[i]);
        rows(name, i ? FIX_DEV : FIX_TRAIN, i, cell);
    }
}

/* A run, and the same stopped in mid-epoch and resumed: the same bits, and figures. */
static void stopped_and_resumed(const char *name, const char *type, const char *const *settings,
                                const char *figure, double at_least)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train(name, with(settings, type), &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(w.warnings, 0);
    double value = bt_metrics_get(&r.last, figure);
    if (!(value >= at_least)) fail_msg("%s: %s is %g", name, figure, value);
    bt_train_result_clear(&r);
    fix_same_when_stopped(name, with(settings, type), 7);
}

static void numbers(void **state)
{
    (void)state;
    make_rows("regression", number);
    stopped_and_resumed("numbers", "regression", (const char *const[]){"train.num_train_epochs=6", NULL},
                        "pearson", 0.3);
}

static void sets(void **state)
{
    (void)state;
    make_rows("multilabel", set);
    stopped_and_resumed("sets", "multilabel", (const char *const[]){"train.num_train_epochs=6", NULL},
                        "f1_micro", 0.3);
}

/* ── long texts ── */

static void words(struct bt_str *out, const int *word, int n)
{
    for (int i = 0; i < n; i++) bt_str_addf(out, "%sw%c", i ? " " : "", 'a' + word[i]);
}

/* Rows of 1 to 40 words in one file; in the other what max_seq_length 10 and 3 tokens in common make of them: a row for each window of 8
 * words, the last one moved back. */
static void long_rows(int rows)
{
    struct bt_str whole = {0}, cut = {0};
    bt_str_add(&whole, "text\tlabel\n");
    bt_str_add(&cut, "text\tlabel\n");
    for (int i = 0; i < rows; i++) {
        int word[40], n = 1 + i * 17 % 40;
        for (int k = 0; k < n; k++) word[k] = (i * 7 + k * k + k) % FIX_WORDS;
        words(&whole, word, n);
        bt_str_addf(&whole, "\t%s\n", i % 3 ? "odd" : "even");
        for (int at = 0, last = 0; !last; at += 5) {
            last = at + 8 >= n;
            int from = last && n > 8 ? n - 8 : at;
            words(&cut, word + from, n - from < 8 ? n - from : 8);
            bt_str_addf(&cut, "\t%s\n", i % 3 ? "odd" : "even");
        }
    }
    fix_write(fix_path("long.tsv"), bt_str_text(&whole));
    fix_write(fix_path("windows.tsv"), bt_str_text(&cut));
    bt_str_free(&whole);
    bt_str_free(&cut);
}

static void train_on(const char *name, const char *file, const char *truncation)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    char train[600], how[64];
    snprintf(train, sizeof train, "data.train_file=%s", fix_path("%s.tsv", file));
    snprintf(how, sizeof how, "data.truncation=%s", truncation);
    expect_ok(fix_train(name,
                        (const char *const[]){train, how, "eval.eval_strategy=no", "train.num_train_epochs=1",
                                              strcmp(truncation, "sliding_window") ? "task.doc_stride=128"
                                                                                   : "task.doc_stride=3",
                                              NULL},
                        &w, &r));
    bt_train_result_clear(&r);
}

/* Each window trains as a row of its own would. */
static void windows_train(void **state)
{
    (void)state;
    long_rows(25);
    train_on("slid", "long", "sliding_window");
    train_on("rows", "windows", "longest_first");
    assert_string_equal(fix_weights("slid"), fix_weights("rows"));
    train_on("cut", "long", "longest_first");
    train_on("ends", "long", "head_tail");
    assert_string_not_equal(fix_weights("slid"), fix_weights("cut"));
    assert_string_not_equal(fix_weights("ends"), fix_weights("cut"));
}

/* In mid-epoch, with windows of the same text in different batches. */
static void windows_resumed(void **state)
{
    (void)state;
    make_rows("classification", even_or_odd);
    stopped_and_resumed("slides", "classification",
                        (const char *const[]){"data.truncation=sliding_window", "task.doc_stride=1",
                                              "data.max_seq_length=6", NULL},
                        "accuracy", 0.3);
}

static void tokens_a_batch(void **state)
{
    (void)state;
    const char *const settings[] = {"train.max_tokens_per_batch=17", "train.num_train_epochs=3", NULL};
    const char *const alone[] = {"train.max_tokens_per_batch=17", "train.num_train_epochs=3",
                                 "run.num_threads=1", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    stopped_and_resumed("tokens", "classification", settings, "accuracy", 0.3);
    expect_ok(fix_train("tokens-one", with(alone, "classification"), &w, &r));
    assert_true(r.last_step > 3 * 5); /* 37 rows in batches of 4 are 5 steps of two */
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("tokens"), fix_weights("tokens-one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squared),         cmocka_unit_test(weighted),      cmocka_unit_test(decided),
        cmocka_unit_test(numbers),         cmocka_unit_test(sets),          cmocka_unit_test(windows_train),
        cmocka_unit_test(windows_resumed), cmocka_unit_test(tokens_a_batch)};
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
