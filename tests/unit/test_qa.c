/* Questions: windows, gold positions, the loss and its gradient, decisions between answers and none. */
#include "run_fixture.h"
#include "tasks/qa_nbest.h"
#include <math.h>

/* w? is a token, "." and "é" are unknown ones. Code points before "wd": 5, bytes: 6. */
static const char data[] =
    "{\"data\":[{\"paragraphs\":["
    "{\"context\":\"é wa wd we wf wg wh wi wj wk\",\"qas\":["
    "{\"id\":1,\"question\":\"wa wb wc wd\",\"answers\":[{\"text\":\"wd we\",\"answer_start\":5}]},"
    "{\"id\":2,\"question\":\"wa\",\"answers\":[]},"
    "{\"id\":3,\"question\":\"wa\",\"answers\":[{\"text\":\"wz\",\"answer_start\":5}]}]},"
    "{\"context\":\"\",\"qas\":[{\"id\":4,\"question\":\"wa\",\"answers\":[]}]}]}]}";

struct ground {
    struct bt_experiment *x;
    struct bt_tokenizer *tokenizer;
    struct bt__pool *pool;
    struct bt__task *task;
    struct bt__task_data d;
    const char *file;
};

static void begin(struct ground *g, const char *const *settings)
{
    const struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    static const char *const common[] = {"task.type=qa", "task.doc_stride=2", "task.max_query_length=3",
                                         "data.max_seq_length=11", NULL};
    *g = (struct ground){.file = fix_path("data.json")};
    fix_write(g->file, data);
    expect_ok(bt_experiment_new(&g->x, &fix_err));
    for (int i = 0; common[i]; i++) expect_ok(bt_experiment_assign(g->x, common[i], &fix_err));
    for (int i = 0; settings && settings[i]; i++)
        expect_ok(bt_experiment_assign(g->x, settings[i], &fix_err));
    struct bt_data_spec spec = bt_experiment_data(g->x);
    spec.files = &g->file;
    spec.n_files = 1;
    g->d.files = &g->file;
    expect_ok(bt_tokenizer_load(fix_path("model"), &opt, &g->tokenizer, &fix_err));
    expect_ok(bt__pool_create(1, &g->pool, &fix_err));
    expect_ok(bt_examples_load(&spec, &g->d.examples, &fix_err));
    g->d.n = bt_examples_count(g->d.examples);
    expect_ok(bt__task_create(g->x, g->tokenizer, &g->d, NULL, 0, &g->task, &fix_err));
    expect_ok(bt__task_build(g->task, &g->d, true, g->pool, &fix_err));
}

static void end(struct ground *g)
{
    bt__task_data_free(&g->d);
    bt__task_free(g->task);
    bt__pool_free(g->pool);
    bt_tokenizer_free(g->tokenizer);
    bt_experiment_free(g->x);
}

static void assert_window(const struct ground *g, size_t i, uint32_t example, int length, uint32_t from,
                          uint32_t n, int start, int stop)
{
    const struct bt__qa_window *w = &bt__qa_windows_of(&g->d)->window[i];
    assert_int_equal(g->d.f.example[i], example);
    assert_int_equal(g->d.f.length[i], length);
    assert_int_equal(w->from, from);
    assert_int_equal(w->n, n);
    assert_int_equal(w->start, start);
    assert_int_equal(w->end, stop);
}

static void windows(void **state)
{
    struct ground g;
    (void)state;
    begin(&g, NULL);
    assert_int_equal(g.d.f.n, 8);
    assert_int_equal(g.d.f.truncated, 1);
    assert_window(&g, 0, 0, 11, 0, 5, 7, 8); /* [CLS] wa wb wc [SEP] é wa wd we wf [SEP] */
    assert_window(&g, 1, 0, 11, 3, 5, 0, 0); /* begins behind the answer's first token */
    assert_window(&g, 2, 0, 10, 6, 4, 0, 0);
    assert_window(&g, 3, 1, 11, 0, 7, 0, 0);
    assert_window(&g, 4, 1, 9, 5, 5, 0, 0);
    assert_window(&g, 5, 2, 11, 0, 7, -1, -1); /* its answer is nowhere: nothing to learn */
    assert_window(&g, 6, 2, 9, 5, 5, -1, -1);
    assert_window(&g, 7, 3, 4, 0, 0, 0, 0);
    for (size_t i = 0; i < g.d.f.n; i++)
        assert_true(g.task->ops->weight(g.task, &g.d, i) == (i == 5 || i == 6 ? 0.0 : 1.0));
    end(&g);
    begin(&g, (const char *const[]){"task.doc_step=1", NULL});
    assert_window(&g, 1, 0, 11, 1, 5, 6, 7);
    end(&g);
}

static double loss_of(const struct ground *g, size_t i, const float *logits, float *gradient)
{
    return g->task->ops->loss(g->task, &g->d, i, logits, 0.5, gradient);
}

static void the_gradient_is_that_of_the_loss(void **state)
{
    enum { N = 22 };
    struct ground g;
    float logits[N], gradient[N], other[N];
    (void)state;
    begin(&g, (const char *const[]){"train.label_smoothing_factor=0.2", NULL});
    for (int i = 0; i < N; i++) logits[i] = sinf((float)i);
    loss_of(&g, 0, logits, gradient);
    for (int i = 0; i < N; i++) {
        const float step = 1e-2f, was = logits[i];
        logits[i] = was + step;
        double up = loss_of(&g, 0, logits, other);
        logits[i] = was - step;
        double down = loss_of(&g, 0, logits, other);
        logits[i] = was;
        assert_true(fabs(0.5 * (up - down) / (2.0 * (double)step) - (double)gradient[i]) < 1e-5);
    }
    double smoothed = loss_of(&g, 0, logits, gradient), plain = loss_of(&g, 0, logits, NULL);
    assert_true(fabs(smoothed - plain) > 1e-3); /* an evaluation's loss is not smoothed */
    memset(gradient, 1, sizeof gradient);
    assert_true(loss_of(&g, 5, logits, gradient) == 0.0);
    for (int i = 0; i < N; i++) assert_true(gradient[i] == 0.0f);
    end(&g);
}

/* All logits 0 but a few of question 0: windows of 11, 11 and 10 tokens. */
static void set(float *logits, size_t window, size_t token, float start, float stop)
{
    logits[2 * (11 * window + token)] = start;
    logits[2 * (11 * window + token) + 1] = stop;
}

static void answers(void **state)
{
    struct ground g;
    struct bt__qa_nbest k = {.n = 0};
    struct bt__qa_rules rules = {.n_best = 3, .longest = 2, .negative = true};
    (void)state;
    begin(&g, NULL);
    size_t *start = calloc(g.d.f.n + 1, sizeof *start);
    float *value = calloc(2 * g.d.f.start[g.d.f.n], sizeof *value);
    for (size_t i = 0; i <= g.d.f.n; i++) start[i] = 2 * g.d.f.start[i];
    const struct bt__logits l = {.value = value, .start = start, .cols = 2};
    set(value, 0, 0, 4.0f, 3.0f); /* no answer: 7, but 6 in the next window and 9 in the last */
    set(value, 1, 0, 3.0f, 3.0f);
    set(value, 2, 0, 5.0f, 4.0f);
    set(value, 0, 7, 2.0f, 0.0f); /* wd: shown by the first window alone */
    set(value, 0, 8, 0.0f, 3.0f); /* we: the first shows more of its surroundings */
    set(value, 1, 5, 9.0f, 9.0f); /* so this does not count as a beginning */
    set(value, 0, 2, 8.0f, 8.0f); /* a token of the question */
    expect_ok(bt__qa_nbest(&k, &rules, &g.d, &l, 0, &fix_err));
    const char *context = bt__task_example(&g.d, 0)->pair;
    assert_int_equal(k.n, 2);
    assert_int_equal(k.item[0].end, 0);
    assert_true(k.item[0].score == 6.0 && k.best.score == 5.0 && k.null_odds == 1.0);
    assert_memory_equal(context + k.best.begin, "wd we", k.best.end - k.best.begin);
    assert_true(fabs(k.item[0].p + k.item[1].p - 1.0) < 1e-12);
    rules.threshold = 1.0; /* not above it: there is an answer */
    expect_ok(bt__qa_nbest(&k, &rules, &g.d, &l, 0, &fix_err));
    assert_int_equal(k.item[0].end - k.item[0].begin, 5);
    assert_int_equal(k.item[1].end, 0);
    rules.longest = 1;
    rules.n_best = 9;
    rules.negative = false;
    expect_ok(bt__qa_nbest(&k, &rules, &g.d, &l, 0, &fix_err));
    assert_int_equal(k.item[0].end - k.item[0].begin, 2);
    for (size_t i = 0; i < k.n; i++) assert_true(k.item[i].end > 0);
    expect_ok(bt__qa_nbest(&k, &rules, &g.d, &l, 3, &fix_err)); /* nothing there */
    assert_int_equal(k.n, 1);
    assert_true(k.item[0].end == 0 && k.item[0].p == 1.0);
    for (size_t i = 0; i < 22; i++) value[i] = NAN;
    expect_ok(bt__qa_nbest(&k, &rules, &g.d, &l, 0, &fix_err));
    bt__qa_nbest_free(&k);
    free(start);
    free(value);
    end(&g);
}

static void what_is_settled_goes_with_the_model(void **state)
{
    struct ground g;
    struct bt__model_config c = {.num_labels = 0};
    (void)state;
    begin(&g, NULL);
    g.task->ops->remember(g.task, &c);
    assert_true(bt__model_setting(&c, "version_2_with_negative") == 1.0);
    assert_true(isnan(bt__model_setting(&c, "null_score_diff_threshold")));
    bt__model_set(&c, "null_score_diff_threshold", -2.5);
    g.task->ops->recall(g.task, &c);
    c.settings = 0;
    g.task->ops->remember(g.task, &c);
    assert_true(bt__model_setting(&c, "null_score_diff_threshold") == -2.5);
    bt__model_set(&c, "null_score_diff_threshold", 1.0);
    assert_int_equal(c.settings, 2);
    for (int i = 0; i < 9; i++) bt__model_set(&c, (const char[]){(char)('a' + i), '\0'}, i);
    assert_int_equal(c.settings, BT__MODEL_SETTINGS);
    end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows), cmocka_unit_test(the_gradient_is_that_of_the_loss),
        cmocka_unit_test(answers), cmocka_unit_test(what_is_settled_goes_with_the_model)};
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
