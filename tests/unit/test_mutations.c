/* Files that were good once: cut at every byte, and changed at random places. Whatever comes, a reader takes the file or refuses it with a
 * message; under AddressSanitizer it does nothing else either. The changes follow from a fixed seed. */
#include "formats/hf_dir.h"
#include "formats/safetensors.h"
#include "tests/unit/files.h"
#include <bertty/dataset.h>
#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/table.h>
#include <bertty/tokenizer.h>

struct kind {
    const char *name; /* of the file */
    const char *good;
    enum bt_status (*read)(const char *path, struct bt_error *err);
    int rounds;
};

static char sample[4096];
static size_t sample_n;
static uint64_t seed = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13; /* Marsaglia's xorshift */
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

/* ── readers ── */

static enum bt_status read_yaml(const char *path, struct bt_error *err)
{
    struct bt_experiment *x;
    enum bt_status st = bt_experiment_load(path, &x, err);
    if (st) return st;
    st = bt_experiment_validate(x, NULL, err);
    bt_experiment_free(x);
    return st;
}

static enum bt_status read_json(const char *path, struct bt_error *err)
{
    struct bt_json *v = bt_json_load(path, 1 << 20, err);
    bt_json_free(v);
    return v ? BT_OK : err->status;
}

static enum bt_status read_config(const char *path, struct bt_error *err)
{
    struct bt__model_config c;
    (void)path;
    enum bt_status st = bt__hf_config_load(files_dir, &c, err);
    if (!st) bt__model_config_free(&c);
    return st;
}

static enum bt_status read_data(const char *path, struct bt_error *err)
{
    const struct bt_data_spec spec = {.files = &path,
                                      .n_files = 1,
                                      .dialect = {.quoting = -1, .header = -1},
                                      .text_column = "text",
                                      .label_column = "label"};
    struct bt_examples *e = NULL;
    enum bt_status st = bt_examples_load(&spec, &e, err);
    for (size_t i = 0; !st && i < bt_examples_count(e); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        assert_int_equal(strlen(x->label), x->label_n);
        assert_true(x->line > 0);
    }
    bt_examples_free(e);
    return st;
}

/* Every part of every example is looked at, and the file as a table too. */
static enum bt_status read_kind(const char *path, enum bt_example_kind kind, struct bt_error *err)
{
    const struct bt_data_spec spec = {
        .files = &path, .n_files = 1, .dialect = {.quoting = -1, .header = -1}, .kind = kind};
    struct bt_examples *e = NULL;
    struct bt_table *t = NULL;
    struct bt_row row = {0};
    enum bt_status st = bt_examples_load(&spec, &e, err);
    for (size_t i = 0; !st && i < bt_examples_count(e); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        assert_int_equal(strlen(x->text) <= x->text_n, 1);
        assert_true(x->mark + x->mark_n <= x->text_n);
        for (size_t k = 0; k < x->parts; k++) {
            const struct bt_part *p = &x->part[k];
            assert_true(p->text[p->n] == '\0' && (!p->tag || p->tag[p->tag_n] == '\0'));
            assert_true(p->at < (int64_t)(x->pair_n + 1));
        }
    }
    bt_examples_free(e);
    if (bt_table_open(path, &spec.dialect, &t, NULL) == BT_OK) {
        for (size_t i = 0; i < bt_table_rows(t); i++) bt_table_row(t, i, &row, NULL);
        bt_row_free(&row);
        bt_table_free(t);
    }
    return st;
}

static enum bt_status read_words(const char *path, struct bt_error *err)
{
    return read_kind(path, BT_EXAMPLE_WORDS, err);
}

static enum bt_status read_questions(const char *path, struct bt_error *err)
{
    return read_kind(path, BT_EXAMPLE_QUESTION, err);
}

static enum bt_status read_aspects(const char *path, struct bt_error *err)
{
    return read_kind(path, BT_EXAMPLE_ASPECT, err);
}

static enum bt_status read_choices(const char *path, struct bt_error *err)
{
    return read_kind(path, BT_EXAMPLE_CHOICES, err);
}

static enum bt_status read_tokenizer(const char *path, struct bt_error *err)
{
    struct bt_tokenizer *t;
    (void)path;
    enum bt_status st = bt_tokenizer_load(files_dir, NULL, &t, err);
    if (!st) bt_tokenizer_free(t);
    return st;
}

static enum bt_status read_tensors(const char *path, struct bt_error *err)
{
    struct bt__safetensors *s;
    enum bt_status st = bt__safetensors_open(path, &s, err);
    if (st) return st;
    for (size_t i = 0; !st && i < bt__safetensors_count(s); i++) {
        const struct bt__tensor_info *t = bt__safetensors_at(s, i);
        float *to = malloc(t->count * sizeof *to + 1);
        assert_non_null(to);
        st = bt__safetensors_read_f32(s, i, to, 1, err);
        free(to);
    }
    bt__safetensors_close(s);
    return st;
}

/* ── changes ── */

static void put(const char *bytes, size_t n, size_t at, size_t over)
{
    if (at + over > sample_n) over = sample_n - at;
    if (sample_n + n - over > sizeof sample) return;
    memmove(sample + at + n, sample + at + over, sample_n - at - over);
    memcpy(sample + at, bytes, n);
    sample_n += n - over;
}

static void change(void)
{
    static const char *const words[] = {
        "99999999999999999999", "-1",   "1e999", "null", "[",    "{\"a\":", "\"",   "\xff",
        "\xed\xa0\x80",         "\r\n", "\t",    ",",    ": &a", "*a",      "- - ", "\\u0000"};
    size_t at = draw((uint32_t)sample_n + 1);
    char byte = (char)draw(256);
    const char *word = words[draw(sizeof words / sizeof *words)];
    switch (draw(5)) {
    case 0:
        put(&byte, 1, at, 1);
        break;
    case 1:
        put("", 0, at, draw(20));
        break;
    case 2:
        put(word, strlen(word), at, draw(4));
        break;
    case 3:
        put("\0\0\0", 1 + draw(3), at, draw(4));
        break;
    default:
        sample_n = at;
    }
}

static void expect_answer(const struct kind *k)
{
    struct bt_error err = {.status = BT_OK};
    enum bt_status st = k->read(file_with(k->name, sample, sample_n), &err);
    if (st == BT_OK) return;
    assert_int_equal(st, err.status);
    assert_true(strlen(err.text) > 5);
}

static void mutate(const struct kind *k)
{
    const size_t n = strlen(k->good);
    struct bt_error err;
    assert_int_equal(k->read(file_text(k->name, k->good), &err), BT_OK);
    for (int i = 0; i < k->rounds; i++) {
        memcpy(sample, k->good, n);
        sample_n = n;
        for (uint32_t j = draw(3) + 1; j > 0 && sample_n > 0; j--) change();
        expect_answer(k);
    }
    unlink(file_path(k->name));
}

/* ── the tests ── */

static void texts(void **state)
{
    (void)state;
    static const struct kind kinds[] = {
        {.name = "x.yaml",
         .good = "model:\n  name_or_path: m\ndata:\n  train_file: [a, \"b\"]\n  text_column: text # 1\n  "
                 "label_column: 2\n"
                 "optim:\n  learning_rate: 2e-5\n",
         .read = read_yaml,
         .rounds = 1000},
        {.name = "x.json",
         .good = "{\"a\": [1, -2.5e3, \"\\u00e9\\n\", null, true], \"b\": {\"c\": 12345678901234567890}}",
         .read = read_json,
         .rounds = 1000},
        {.name = "config.json",
         .good =
             "{\"model_type\": \"bert\", \"vocab_size\": 22, \"hidden_size\": 8, \"num_hidden_layers\": 1, "
             "\"num_attention_heads\": 2, \"intermediate_size\": 16, \"id2label\": {\"0\": \"a\", \"1\": "
             "\"b\"}}",
         .read = read_config,
         .rounds = 1000},
        {.name = "x.csv",
         .good = "text,label\n\"a \"\"b\"\", c\",pos\nd,neg\n\"e\nf\",pos\n",
         .read = read_data,
         .rounds = 600},
        {.name = "x.tsv", .good = "text\tlabel\na b\tpos\nc \"d\tneg\n", .read = read_data, .rounds = 1000},
        {.name = "x.jsonl",
         .good = "{\"text\": \"a\", \"label\": 1}\n{\"label\": \"x\", \"text\": \"\\u4e2d\"}\n",
         .read = read_data,
         .rounds = 600},
        {.name = "x.conll",
         .good = "-DOCSTART- O\n\na\tB-X\nb\tI-X\n\t\n\"\tO\n\xef\xbb\xbf\tO\n",
         .read = read_words,
         .rounds = 200},
        {.name = "w.jsonl",
         .good = "{\"tokens\": [\"a\", \"\\u4e2d\"], \"tags\": [\"O\", 1]}\n{\"tokens\": [\"b\"], \"tags\": "
                 "[\"O\"]}\n",
         .read = read_words,
         .rounds = 200},
        {.name = "q.json",
         .good = "{\"version\": \"2\", \"data\": [{\"title\": \"t\", \"paragraphs\": [{\"qas\": [{\"id\": 1, "
                 "\"question\": \"q\", "
                 "\"answers\": [{\"text\": \"\xc3\xa9\", \"answer_start\": 2}, {\"text\": \"b\", "
                 "\"answer_start\": 0}]}], "
                 "\"context\": \"a \xc3\xa9 b\"}]}]}",
         .read = read_questions,
         .rounds = 400},
        {.name = "q.jsonl",
         .good =
             "{\"id\": \"a\", \"question\": \"q\", \"context\": \"x y\", \"answers\": {\"text\": [\"y\"], "
             "\"answer_start\": [2]}}\n",
         .read = read_questions,
         .rounds = 200},
        {.name = "x.seg",
         .good = "a $T$ b $T$\nc d\n-1\n\xc2\xa0$T$\r\ne\r\n1",
         .read = read_aspects,
         .rounds = 200},
        {.name = "s.csv",
         .good = "sent1,sent2,ending0,ending1,label\n\"a, b\",c,d,e,1\nf,g,h,i,ending0\n",
         .read = read_choices,
         .rounds = 200}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) mutate(&kinds[i]);
}

static void tokenizers(void **state)
{
    (void)state;
    static const struct kind kinds[] = {
        {.name = "vocab.txt",
         .good = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n",
         .read = read_tokenizer,
         .rounds = 30},
        {.name = "tokenizer.json",
         .good =
             "{\"added_tokens\": [{\"id\": 1, \"content\": \"[UNK]\", \"special\": true}], \"normalizer\": "
             "{\"type\": "
             "\"BertNormalizer\", \"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, "
             "\"model\": {\"type\": "
             "\"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\", "
             "\"max_input_chars_per_word\": 100, "
             "\"vocab\": {\"[PAD]\": 0, \"[UNK]\": 1, \"[CLS]\": 2, \"[SEP]\": 3, \"[MASK]\": 4, \"a\": 5}}}",
         .read = read_tokenizer,
         .rounds = 30}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) mutate(&kinds[i]);
}

static const char header[] =
    "{\"__metadata__\": {\"format\": \"pt\"}, \"a\": {\"dtype\": \"F32\", \"shape\": [2, 3], "
    "\"data_offsets\": [0, 24]}, \"b\": {\"dtype\": \"F16\", \"shape\": [4], \"data_offsets\": [24, 32]}, "
    "\"c\": {\"dtype\": \"BF16\", \"shape\": [], \"data_offsets\": [32, 34]}}";

static void good_tensors(void)
{
    sample_n = 8 + sizeof header - 1 + 34;
    memset(sample, 0, sample_n);
    for (int i = 0; i < 8; i++) sample[i] = (char)((sizeof header - 1) >> (8 * i));
    memcpy(sample + 8, header, sizeof header - 1);
}

static void tensors(void **state)
{
    (void)state;
    static const struct kind kind = {.name = "x.safetensors", .read = read_tensors};
    struct bt_error err;
    good_tensors();
    const size_t whole = sample_n;
    assert_int_equal(read_tensors(file_with(kind.name, sample, whole), &err), BT_OK);
    for (size_t n = 0; n < whole; n++) {
        const char *path = file_with(kind.name, sample, n);
        assert_int_not_equal(read_tensors(path, &err), BT_OK);
        assert_non_null(strstr(err.text, path));
    }
    for (int i = 0; i < 2000; i++) {
        good_tensors();
        for (uint32_t j = draw(3) + 1; j > 0; j--) {
            if (draw(2)) {
                size_t at = draw((uint32_t)sample_n);
                sample[at] = (char)draw(256);
            } else {
                sample[8 + draw(sizeof header - 1)] = (char)('0' + draw(10));
            }
        }
        expect_answer(&kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(tokenizers),
                                       cmocka_unit_test(tensors)};
    return cmocka_run_group_tests_name("mutations", tests, files_make, files_remove);
}
