/* The predictor on a small random model that the test writes itself. */
#include "formats/hf_dir.h"
#include "model/model.h"
#include <bertty/file.h>
#include <bertty/predictor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\nfilm\na\nthe\n##s\n";
enum { VOCAB = 11, LABELS = 3, POSITIONS = 300 };

static char dir[] = "/tmp/bertty-predictor-XXXXXX";
static struct bt_error err;

static void expect(enum bt_status st)
{
    if (st) fail_msg("%s", err.text);
}

static void write_text(const char *name, const char *text)
{
    char *path = bt_path_join(dir, name);
    assert_non_null(path);
    expect(bt_file_write_atomic(path, text, strlen(text), &err));
    free(path);
}

static void clear(void)
{
    static const char *const files[] = {"vocab.txt",      "config.json",           "model.safetensors",
                                        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                        "data.tsv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = bt_path_join(dir, files[i]);
        if (path) unlink(path);
        free(path);
    }
}

static struct bt__model *make_model(const char *const *names)
{
    struct bt__model_config c = {.vocab_size = VOCAB,
                                 .hidden_size = 16,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 32,
                                 .max_position_embeddings = POSITIONS,
                                 .type_vocab_size = 2,
                                 .layer_norm_eps = 1e-12f,
                                 .initializer_range = 0.4f,
                                 .hidden_dropout_prob = 0.5f,
                                 .num_labels = LABELS};
    struct bt__model *m;
    char *label[LABELS];
    for (int i = 0; i < LABELS; i++) label[i] = bt_strdup(names[i]);
    c.label_names = label;
    expect(bt__model_create(
        &c, &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = LABELS}, &m,
        &err));
    bt__model_init(m, 5, NULL);
    for (int i = 0; i < LABELS; i++) free(label[i]);
    return m;
}

/* n_params of the model's parameters go into the file: fewer leave out the head, which stands last. */
static void save(const char *const *names, size_t without)
{
    struct bt__model *m = make_model(names);
    struct bt__params some = m->params;
    some.n -= without;
    clear(); /* a saved model is never written over */
    write_text("vocab.txt", vocab);
    const struct bt__hf_case letters = {.lower_case = true, .do_lower_case = -1, .strip_accents = -1};
    expect(bt__hf_save(dir, &m->config, &some, m->w, dir, &letters, &err));
    bt__model_free(m);
}

static struct bt_predictor *open_it(void)
{
    static const char *const names[] = {"neg", "neutral", "pos"};
    struct bt_predictor *p = NULL;
    save(names, 0);
    expect(bt_predictor_open(&(struct bt_predictor_spec){.model_dir = dir, .threads = 2}, &p, &err));
    return p;
}

static struct bt_input input(const char *text, const char *pair)
{
    return (struct bt_input){
        .text = text, .text_n = strlen(text), .pair = pair, .pair_n = pair ? strlen(pair) : 0};
}

static void no_trained_head(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "y", "z"};
    static const struct {
        size_t without;
        const char *tensor;
    } cases[] = {{.without = 1, .tensor = "classifier.bias"},
                 {.without = 2, .tensor = "classifier.bias"},
                 {.without = 4, .tensor = "classifier.bias"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_predictor *p = NULL;
        save(names, cases[i].without);
        assert_int_equal(bt_predictor_open(&(struct bt_predictor_spec){.model_dir = dir}, &p, &err),
                         BT_INVALID);
        assert_null(p);
        assert_non_null(strstr(err.text, cases[i].tensor));
        assert_non_null(strstr(err.text, "model.safetensors"));
    }
}

static void what_it_is(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    assert_int_equal(bt_predictor_labels(p), LABELS);
    assert_string_equal(bt_predictor_label(p, 1), "neutral");
    assert_int_equal(bt_predictor_task(p), BT_TYPE_CLASSIFICATION);
    assert_int_equal(bt_predictor_max_length(p), POSITIONS);
    assert_int_equal(bt_tokenizer_vocab_size(bt_predictor_tokenizer(p)), VOCAB);
    bt_predictor_free(p);
}

/* Longer and shorter inputs in turn, each as when it is the first one: memory grows and nothing of the last input stays. */
static void growing(void **state)
{
    (void)state;
    char text[5 * 400 + 1];
    float logits[4][LABELS];
    static const size_t words[] = {3, 400, 1, 200};
    for (int again = 0; again < 2; again++) {
        struct bt_predictor *p = again ? NULL : open_it();
        for (size_t i = 0; i < 4; i++) {
            text[0] = '\0';
            for (size_t w = 0; w < words[i]; w++) memcpy(text + 5 * w, w % 3 ? "good " : "film ", 6);
            struct bt_input in = input(text, NULL);
            struct bt_output out;
            struct bt_predictor *fresh = again ? open_it() : p;
            expect(bt_predict(fresh, &in, &out, &err));
            assert_int_equal(out.tokens, words[i] > POSITIONS - 2 ? POSITIONS : (int)words[i] + 2);
            assert_int_equal(out.truncated, words[i] > POSITIONS - 2);
            if (again)
                assert_memory_equal(out.logits, logits[i], sizeof logits[i]);
            else
                memcpy(logits[i], out.logits, sizeof logits[i]);
            if (again) bt_predictor_free(fresh);
        }
        bt_predictor_free(p);
    }
}

enum { MANY = 200 };

struct kept {
    float logits[MANY][LABELS], scores[MANY][LABELS];
    size_t n;
};

static void keep(void *ctx, size_t i, const struct bt_output *out)
{
    struct kept *k = ctx;
    assert_int_equal(i, k->n++);
    assert_int_equal(out->n, LABELS);
    assert_int_equal(out->n_logits, LABELS);
    for (int c = 0; c < LABELS; c++) {
        k->logits[i][c] = out->logits[c];
        k->scores[i][c] = (float)out->answer[c].score;
    }
}

static int chosen(const struct bt_output *out)
{
    int found = -1;
    for (size_t c = 0; c < out->n; c++) {
        if (!out->answer[c].chosen) continue;
        assert_int_equal(found, -1);
        found = (int)c;
    }
    assert_true(found >= 0);
    return found;
}

static void one_and_many(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    static const char *const texts[] = {"good film", "", "the bad films", "a a a a a a a a good", "zzz"};
    struct bt_input in[MANY];
    struct kept *k = calloc(1, sizeof *k);
    assert_non_null(k);
    for (int i = 0; i < MANY; i++) in[i] = input(texts[i % 5], i % 3 ? NULL : texts[(i + 1) % 5]);
    expect(bt_predict_all(p, in, MANY, keep, k, NULL, &err));
    assert_int_equal(k->n, MANY);
    for (int i = 0; i < MANY; i++) {
        struct bt_output out;
        double sum = 0.0;
        expect(bt_predict(p, &in[i], &out, &err));
        for (int c = 0; c < LABELS; c++) {
            assert_true(fabs((double)(out.logits[c] - k->logits[i][c])) < 1e-5);
            assert_true(fabs(out.answer[c].score - (double)k->scores[i][c]) < 1e-5);
            assert_true(out.logits[c] <= out.logits[chosen(&out)]);
            assert_string_equal(out.answer[c].label, bt_predictor_label(p, c));
            sum += out.answer[c].score;
        }
        assert_true(fabs(sum - 1.0) < 1e-6);
    }
    k->n = 0;
    expect(bt_predict_all(p, in, 0, keep, k, NULL, &err));
    atomic_bool cancel = true;
    assert_int_equal(bt_predict_all(p, in, MANY, keep, k, &cancel, &err), BT_CANCELLED);
    assert_int_equal(k->n, 0);
    free(k);
    bt_predictor_free(p);
}

static char *data_file(const char *text)
{
    write_text("data.tsv", text);
    return bt_path_join(dir, "data.tsv");
}

static enum bt_status evaluate(struct bt_predictor *p, const char *text, struct bt_evaluation_result **r)
{
    char *path = data_file(text);
    const char *const files[] = {path};
    struct bt_data_spec spec = {.dialect = {.format = BT_DATA_TSV, .quoting = 0, .header = 0},
                                .text_column = "1",
                                .label_column = "2"};
    enum bt_status st = bt_predictor_eval(p, files, 1, &spec, NULL, r, &err);
    free(path);
    return st;
}

static void evaluation(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt_evaluation_result *r = NULL;
    expect(evaluate(p, "good film\tpos\nbad film\tneg\nthe film\tneutral\na\tpos\n", &r));
    assert_int_equal(r->rows, 4);
    int64_t right = 0, total = 0;
    double loss = 0.0;
    for (size_t i = 0; i < 4; i++) {
        right += r->gold[i] == r->predicted[i];
        loss -= log((double)r->scores[i * LABELS + (size_t)r->gold[i]]) / 4.0;
    }
    for (int i = 0; i < LABELS * LABELS; i++) total += r->confusion[i];
    assert_int_equal(r->gold[0], 2);
    assert_int_equal(r->gold[2], 1);
    assert_int_equal(total, 4);
    assert_true(fabs(bt_metrics_get(&r->metrics, "accuracy") - (double)right / 4.0) < 1e-12);
    assert_true(fabs(bt_metrics_get(&r->metrics, "loss") - loss) < 1e-5);
    assert_true(isnan(bt_metrics_get(&r->metrics, "f1"))); /* three labels */
    assert_true(r->tokens_per_s > 0.0);
    bt_evaluation_result_free(r);
    bt_predictor_free(p);
}

static void bad_data(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt_evaluation_result *r = NULL;
    assert_int_equal(evaluate(p, "good\tpos\nbad\tnone\n", &r), BT_INVALID);
    assert_non_null(strstr(err.text, "data.tsv:2"));
    assert_non_null(strstr(err.text, "\"none\""));
    assert_non_null(strstr(err.text, "\"neutral\""));
    assert_int_not_equal(evaluate(p, "", &r), BT_OK);
    assert_non_null(strstr(err.text, "data.tsv"));
    const char *const files[] = {"/nowhere.tsv"};
    assert_int_equal(bt_predictor_eval(p, files, 1, NULL, NULL, &r, &err),
                     BT_INVALID); /* no run, no settings */
    assert_null(r);
    bt_predictor_free(p);
}

/* Names that transformers makes up stand for their numbers. */
static void numbered_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"LABEL_0", "LABEL_1", "LABEL_2"};
    struct bt_predictor *p = NULL;
    struct bt_evaluation_result *r = NULL;
    save(names, 0);
    expect(bt_predictor_open(&(struct bt_predictor_spec){.model_dir = dir, .threads = 1}, &p, &err));
    expect(evaluate(p, "good\t2\nbad\t0\na\tLABEL_1\n", &r));
    assert_int_equal(r->gold[0], 2);
    assert_int_equal(r->gold[1], 0);
    assert_int_equal(r->gold[2], 1);
    bt_evaluation_result_free(r);
    r = NULL;
    assert_int_equal(evaluate(p, "good\t3\n", &r), BT_INVALID);
    bt_predictor_free(p);
}

static void vocabulary_too_large(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "y", "z"};
    struct bt_predictor *p = NULL;
    char more[256];
    save(names, 0);
    snprintf(more, sizeof more, "%sone\ntwo\n", vocab);
    write_text("vocab.txt", more);
    assert_int_equal(bt_predictor_open(&(struct bt_predictor_spec){.model_dir = dir}, &p, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "13"));
    assert_non_null(strstr(err.text, "11"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    clear();
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_trained_head), cmocka_unit_test(what_it_is),          cmocka_unit_test(growing),
        cmocka_unit_test(one_and_many),    cmocka_unit_test(evaluation),          cmocka_unit_test(bad_data),
        cmocka_unit_test(numbered_labels), cmocka_unit_test(vocabulary_too_large)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
