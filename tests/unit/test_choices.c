/* Aspects and multiple choice: what the model reads, the loss of a group of sequences, runs that are stopped and resumed. */
#include "tests/unit/run_fixture.h"

#include "batch/batch.h"
#include "dataset/wrap.h"
#include "tasks/task.h"
#include <bertty/predictor.h>
#include <math.h>

static const char words[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nwhat\ndo\nyou\nthink\nof\nthe\nit\n?\n-\n#\nfood\nprice\n1\n"
    "good\nbad\nis\nand\nc\n";

static struct bt_tokenizer *tokenizer(void)
{
    struct bt_tokenizer *t;
    const struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    expect_ok(bt_mkdirs(fix_path("words"), &fix_err));
    fix_write(fix_path("words/vocab.txt"), words);
    expect_ok(bt_tokenizer_load(fix_path("words"), &opt, &t, &fix_err));
    return t;
}

/* A task on its own words. */
struct fixture {
    struct bt_experiment *x;
    struct bt_tokenizer *tokenizer;
    struct bt__pool *pool;
    struct bt__task *task;
    struct bt__task_data d;
};

static const char *const none[] = {"data.text_column=null", "data.label_column=null"};

static void open_task(struct fixture *f, const char *type, const char *setting)
{
    static const char *const labels[] = {"a", "b"};
    char text[64];
    *f = (struct fixture){.tokenizer = tokenizer()};
    snprintf(text, sizeof text, "task.type=%s", type);
    f->x = fix_experiment((const char *const[]){text, none[0], none[1], setting, NULL});
    expect_ok(bt__pool_create(2, &f->pool, &fix_err));
    expect_ok(bt__task_create(f->x, f->tokenizer, NULL, labels, 2, &f->task, &fix_err));
}

static void close_task(struct fixture *f)
{
    bt__task_data_free(&f->d);
    bt__task_free(f->task);
    bt__pool_free(f->pool);
    bt_tokenizer_free(f->tokenizer);
    bt_experiment_free(f->x);
}

static enum bt_status build(struct fixture *f, const struct bt_example *e, size_t n)
{
    bt__task_data_free(&f->d);
    expect_ok(bt__examples_wrap(e, n, &f->d.examples, &fix_err));
    f->d.n = n;
    return bt__task_build(f->task, &f->d, false, f->pool, &fix_err);
}

static void check_tokens(const struct fixture *f, size_t i, const char *expected)
{
    struct bt_str text = {0};
    const struct bt__features *q = &f->d.f;
    for (size_t k = q->start[i]; k < q->start[i + 1]; k++)
        bt_str_addf(&text, "%s%s", k > q->start[i] ? " " : "", bt_tokenizer_piece(f->tokenizer, q->ids[k]));
    assert_string_equal(bt_str_text(&text), expected);
    bt_str_free(&text);
}

static struct bt_example about(const char *text, const char *aspect)
{
    return (struct bt_example){.text = text,
                               .text_n = strlen(text),
                               .pair = aspect,
                               .pair_n = aspect ? strlen(aspect) : 0,
                               .line = 7};
}

/* ── aspects ── */

static void second_texts(void **state)
{
    (void)state;
    static const struct {
        const char *format, *aspect, *second;
    } cases[] = {
        {.format = "spc", .aspect = "food", .second = "food"},
        {.format = "spc", .aspect = "food#price", .second = "food # price"},
        {.format = "nli_m", .aspect = "food", .second = "food"},
        {.format = "nli_m", .aspect = "food#price", .second = "food - price"},
        {.format = "nli_m", .aspect = " food - 1 # price ", .second = "food - 1 - price"},
        {.format = "nli_m", .aspect = "c#", .second = "c #"},
        {.format = "nli_m", .aspect = "#food", .second = "# food"},
        {.format = "qa_m", .aspect = "food", .second = "what do you think of the food of it ?"},
        {.format = "qa_m", .aspect = "c#", .second = "what do you think of the c # of it ?"},
        {.format = "qa_m", .aspect = "food#price", .second = "what do you think of the price of food ?"},
        {.format = "qa_m", .aspect = "c#food#1", .second = "what do you think of the food # 1 of c ?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        char setting[64], expected[200];
        snprintf(setting, sizeof setting, "task.absa_format=%s", cases[i].format);
        open_task(&f, "absa", setting);
        f.x->data_max_seq_length = 64;
        const struct bt_example e[] = {about("good food", "bad"), about("food is good", cases[i].aspect)};
        expect_ok(build(&f, e, 2));
        snprintf(expected, sizeof expected, "[CLS] food is good [SEP] %s [SEP]", cases[i].second);
        check_tokens(&f, 1, expected);
        for (size_t k = f.d.f.start[1]; k < f.d.f.start[2]; k++)
            assert_int_equal(f.d.f.types[k], k >= f.d.f.start[1] + 5);
        close_task(&f);
    }
}

static void no_aspect(void **state)
{
    (void)state;
    static const char *const aspects[] = {NULL, "", "  "};
    struct fixture f;
    open_task(&f, "absa", NULL);
    for (size_t i = 0; i < 3; i++) {
        const struct bt_example e[] = {about("good", "food"), about("bad", aspects[i])};
        assert_int_equal(build(&f, e, 2), BT_INVALID);
        assert_string_equal(fix_err.text, "input:7: no aspect, expected one");
    }
    close_task(&f);
}

/* Every $T$ is the aspect; −1, 0 and 1 stand in the order of numbers. */
static void segments(void **state)
{
    (void)state;
    static const char text[] =
        "the $T$ is good and $T$ is $T$\nfood\n1\nbad $T$\nprice\n0\n$T$\nbad food\n-1\n";
    const char *file = fix_path("some.seg");
    struct fixture f;
    fix_write(file, text);
    open_task(&f, "absa", "data.max_seq_length=32");
    bt__task_free(f.task);
    struct bt_data_spec spec = bt_experiment_data(f.x);
    spec.files = &file;
    spec.n_files = 1;
    f.d.files = &file;
    expect_ok(bt_examples_load(&spec, &f.d.examples, &fix_err));
    f.d.n = bt_examples_count(f.d.examples);
    expect_ok(bt__task_create(f.x, f.tokenizer, &f.d, NULL, 0, &f.task, &fix_err));
    expect_ok(bt__task_build(f.task, &f.d, true, f.pool, &fix_err));
    check_tokens(&f, 0, "[CLS] the food is good and food is food [SEP] food [SEP]");
    check_tokens(&f, 2, "[CLS] bad food [SEP] bad food [SEP]");
    assert_int_equal(f.task->labels.n, 3);
    assert_string_equal(f.task->labels.name[0], "-1");
    assert_string_equal(f.task->labels.name[1], "0");
    assert_string_equal(f.task->labels.name[2], "1");
    assert_int_equal(((int *)f.d.gold)[0], 2);
    assert_int_equal(((int *)f.d.gold)[2], 0);
    close_task(&f);
}

/* ── choices ── */

static struct bt_example choosing(const char *text, const struct bt_part *part, uint32_t parts)
{
    return (struct bt_example){.text = text, .text_n = strlen(text), .part = part, .parts = parts, .line = 7};
}

static const struct bt_part choice[] = {{.text = "food", .n = 4, .at = -1},
                                        {.text = "bad food and bad price", .n = 22, .at = -1},
                                        {.text = "1", .n = 1, .at = -1}};

static void groups(void **state)
{
    (void)state;
    struct fixture f;
    open_task(&f, "multiple_choice", NULL); /* 10 tokens */
    const struct bt_example e[] = {choosing("good", choice, 3),
                                   choosing("the food is good and bad", choice, 3)};
    expect_ok(build(&f, e, 2));
    assert_int_equal(f.d.f.n, 6);
    assert_int_equal(f.d.f.group, 3);
    assert_int_equal(f.d.f.truncated, 1); /* examples: the second, of which one choice is too long */
    check_tokens(&f, 0, "[CLS] good [SEP] food [SEP]");
    check_tokens(&f, 2, "[CLS] good [SEP] 1 [SEP]");
    check_tokens(&f, 4, "[CLS] the food is good [SEP] bad food and [SEP]");
    for (size_t i = 0; i < 6; i++) assert_int_equal(bt__task_example_of(&f.d, i), i / 3);
    assert_int_equal(bt__task_first(&f.d, 1), 3);
    close_task(&f);
}

static void numbers_of_choices(void **state)
{
    (void)state;
    struct fixture f;
    open_task(&f, "multiple_choice", NULL);
    const struct bt_example e[] = {choosing("good", choice, 3), choosing("bad", choice, 2)},
                            few[] = {choosing("good", choice, 1)};
    assert_int_equal(build(&f, e, 2), BT_INVALID);
    assert_string_equal(fix_err.text, "input:7: 2 choices, expected 3 as in the examples before");
    assert_int_equal(build(&f, few, 1), BT_INVALID);
    assert_string_equal(fix_err.text, "input:7: 1 choice, expected at least two");
    close_task(&f);
}

static void check_gradient(const struct fixture *f, size_t i, const float *logits, int n)
{
    const struct bt__task *t = f->task;
    const double scale = 0.37, h = 1e-3;
    float at[4], gradient[4];
    memcpy(at, logits, (size_t)n * sizeof *at);
    double loss = t->ops->loss(t, &f->d, i, at, scale, gradient);
    assert_true(fabs(loss - t->ops->loss(t, &f->d, i, at, 1.0, NULL)) < 1e-12);
    for (int k = 0; k < n; k++) {
        at[k] = logits[k] + (float)h;
        double above = t->ops->loss(t, &f->d, i, at, 1.0, NULL), up = (double)at[k];
        at[k] = logits[k] - (float)h;
        double below = t->ops->loss(t, &f->d, i, at, 1.0, NULL), down = (double)at[k];
        at[k] = logits[k];
        assert_true(fabs(scale * (above - below) / (up - down) - (double)gradient[k]) < 1e-4);
    }
}

static void loss_of_a_group(void **state)
{
    (void)state;
    static const float logits[] = {0.3f, -1.2f, 0.9f};
    struct fixture f;
    open_task(&f, "multiple_choice", NULL);
    struct bt_example e[] = {choosing("good", choice, 3), choosing("bad", choice, 3),
                             choosing("food", choice, 3)};
    e[1].label = "2";
    e[1].label_n = 1;
    expect_ok(build(&f, e, 3));
    double z = exp(0.3) + exp(-1.2) + exp(0.9);
    assert_true(fabs(f.task->ops->loss(f.task, &f.d, 3, logits, 1.0, NULL) - (log(z) - 0.9)) < 1e-6);
    check_gradient(&f, 3, logits, 3);
    struct bt__verdict v = f.task->ops->judge(f.task, &f.d, 3, logits);
    assert_true(v.right && fabs((double)v.p_gold - exp(0.9) / z) < 1e-6);
    float gradient[] = {9.0f, 9.0f, 9.0f};
    assert_true(f.task->ops->weight(f.task, &f.d, 0) <= 0.0 && f.task->ops->weight(f.task, &f.d, 3) >= 1.0);
    assert_true(f.task->ops->loss(f.task, &f.d, 0, logits, 1.0, gradient) <= 0.0);
    for (int k = 0; k < 3; k++)
        assert_true(gradient[k] <= 0.0f && gradient[k] >= 0.0f); /* nothing to learn from */
    close_task(&f);
}

/* ── runs ── */

/* Choices of which the right one begins with the text's own word. */
static void write_choices(const char *name, int n, int choices)
{
    struct bt_str out = {0};
    bt_str_add(&out, "sent1,sent2");
    for (int k = 0; k < choices; k++) bt_str_addf(&out, ",ending%d", k);
    bt_str_add(&out, ",label\n");
    for (int i = 0; i < n; i++) {
        int right = i * 5 % choices;
        bt_str_addf(&out, "w%c wd we,", 'a' + i % FIX_WORDS);
        for (int k = 0; k < choices; k++) {
            bt_str_addf(&out, ",w%c", 'a' + (k == right ? i : i + 3 + k) % FIX_WORDS);
            for (int w = 0; w < (i + k * k) % 6; w++)
                bt_str_addf(&out, " w%c", 'a' + (i * w + k) % FIX_WORDS);
        }
        bt_str_addf(&out, ",%d\n", right);
    }
    fix_write(fix_path("%s", name), bt_str_text(&out));
    bt_str_free(&out);
}

static void write_segments(const char *name, int n)
{
    struct bt_str out = {0};
    for (int i = 0; i < n; i++)
        bt_str_addf(&out, "w%c $T$ wb%s\nw%c w%c\n%d\n", 'a' + i % FIX_WORDS, i % 3 ? "" : " and $T$ wc",
                    'a' + i * 7 % FIX_WORDS, 'a' + i % 5, i % 3 - 1);
    fix_write(fix_path("%s", name), bt_str_text(&out));
    bt_str_free(&out);
}

static const char *const *run_of(const char *type, const char *ending, const char *more)
{
    static char text[4][600];
    static const char *all[8];
    int n = 0;
    snprintf(text[0], sizeof text[0], "task.type=%s", type);
    snprintf(text[1], sizeof text[1], "data.train_file=%s", fix_path("train.%s", ending));
    snprintf(text[2], sizeof text[2], "data.validation_file=%s", fix_path("dev.%s", ending));
    for (int i = 0; i < 3; i++) all[n++] = text[i];
    all[n++] = none[0];
    all[n++] = none[1];
    all[n++] = "data.test_file=null";
    all[n++] = more;
    all[n] = NULL;
    return all;
}

static void finish(const char *name, const char *const *settings, struct fix_watch *w)
{
    struct bt_train_result r;
    expect_ok(fix_train(name, settings, w, &r));
    assert_int_equal(w->warnings, 0);
    bt_train_result_clear(&r);
}

/* The same bits with any number of threads, and when stopped in the middle of an epoch. */
static void same_bits(const char *type, const char *ending)
{
    static const char *const threads[] = {"run.num_threads=1", "run.num_threads=2", "run.num_threads=3"};
    char name[64], first[65];
    for (int i = 0; i < 3; i++) {
        struct fix_watch w = {.at = -1};
        snprintf(name, sizeof name, "%s-%d", type, i);
        finish(name, run_of(type, ending, threads[i]), &w);
        if (i == 0) snprintf(first, sizeof first, "%s", fix_weights(name));
        assert_string_equal(fix_weights(name), first);
    }
    struct bt_train_result r;
    struct fix_watch w = {.at = 7, .act = fix_stop};
    snprintf(name, sizeof name, "%s-stopped", type);
    finish(name, run_of(type, ending, threads[2]), &w);
    w = (struct fix_watch){.at = -1};
    expect_ok(fix_resume(name, -1, false, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights(name), first);
}

static void aspect_runs(void **state)
{
    (void)state;
    write_segments("train.seg", FIX_TRAIN);
    write_segments("dev.seg", FIX_DEV);
    same_bits("absa", "seg");
}

/* The loss of an example whose choices lie in two shards is whole: each shard's sequences have their own rows of the gradient. */
static void crosses_a_shard(void)
{
    struct fixture f;
    struct bt__batch b;
    const struct bt_example a = choosing("the food is good", choice, 3), e = choosing("1", choice, 3);
    open_task(&f, "multiple_choice", NULL);
    expect_ok(build(&f, (const struct bt_example[]){a, e, e, e}, 4));
    expect_ok(bt__batch_reserve(&b, 12, 120, 12, &fix_err));
    for (size_t i = 0; i < 12; i++) expect_ok(bt__features_add(&f.d.f, i, &b, &fix_err));
    bt__batch_plan(&b);
    bool inside = false;
    for (int s = 1; s < BT__SHARDS; s++) inside |= b.seqs.shard[s].begin % 3 != 0;
    assert_true(inside);
    bt__batch_free(&b);
    close_task(&f);
}

static void choice_runs(void **state)
{
    (void)state;
    crosses_a_shard();
    write_choices("train.csv", FIX_TRAIN, 3);
    write_choices("dev.csv", FIX_DEV, 5); /* as many as one likes: another number than in training */
    same_bits("multiple_choice", "csv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_texts),       cmocka_unit_test(no_aspect),
        cmocka_unit_test(segments),           cmocka_unit_test(groups),
        cmocka_unit_test(numbers_of_choices), cmocka_unit_test(loss_of_a_group),
        cmocka_unit_test(aspect_runs),        cmocka_unit_test(choice_runs)};
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
