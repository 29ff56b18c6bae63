/* The tokenizer on a vocabulary of its own: pieces, places, added tokens, both codes' ways, and files that are not right. */
#include "tests/unit/folder.h"

#include <bertty/tokenizer.h>

#include <bertty/file.h>
#include <bertty/str.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\ncafe\nthe\n,\n."
                            "\n\xe4\xb8\xad\n\xe6\x96\x87\na\n##b\n"
                            "[\nmask\n]\ncaf\xc3\xa9\nThe\n##a\n";
enum {
    PAD,
    UNK,
    CLS,
    SEP,
    MASK,
    UN,
    AFF,
    ABLE,
    CAFE,
    THE,
    COMMA,
    DOT,
    ZHONG,
    WEN,
    A,
    B,
    OPEN,
    MASK_WORD,
    CLOSE,
    CAFE_ACUTE,
    THE_CAPITAL,
    AA
};

static void place(const char *name, const char *text, size_t n)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    if (text) assert_int_equal(bt_file_replace(path, text, n, NULL), BT_OK);
}

/* The directory holds these and nothing else; NULL: no such file. */
static void files(const char *lines, const char *json, const char *config)
{
    place("vocab.txt", lines, lines ? strlen(lines) : 0);
    place("tokenizer.json", json, json ? strlen(json) : 0);
    place("tokenizer_config.json", config, config ? strlen(config) : 0);
}

static struct bt_tokenizer *load(int lower, enum bt_compat compat)
{
    struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    struct bt_tokenizer *t = NULL;
    struct bt_error err = {0};
    opt.do_lower_case = lower;
    opt.compat = compat;
    if (bt_tokenizer_load(folder, &opt, &t, &err)) fail_msg("%s", err.text);
    return t;
}

static void expect_ids(struct bt_tokenizer *t, const char *text, size_t n, const int32_t *ids, size_t n_ids)
{
    struct bt_encoding e = {0}, fast = {0};
    assert_int_equal(bt_tokenizer_encode(t, text, n, &e, NULL), BT_OK);
    assert_int_equal(bt_tokenizer_ids(t, text, n, &fast, NULL), BT_OK);
    assert_int_equal(e.n, n_ids);
    assert_int_equal(fast.n, n_ids);
    for (size_t i = 0; i < n_ids; i++) {
        assert_int_equal(e.ids[i], ids[i]);
        assert_int_equal(fast.ids[i], ids[i]);
        assert_true(e.begin[i] <= e.end[i] && e.end[i] <= n);
    }
    bt_encoding_free(&e);
    bt_encoding_free(&fast);
}
#define IDS(t, text, ...)                                                                                    \
    expect_ids(t, text, sizeof(text) - 1, (const int32_t[]){__VA_ARGS__},                                    \
               sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void pieces(void **state)
{
    (void)state;
    files(vocab, NULL, NULL);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    IDS(t, "unaffable", UN, AFF, ABLE);
    IDS(t, "Caf\xc3\xa9, THE.", CAFE, COMMA, THE, DOT);
    IDS(t, "cafe\xcc\x81", CAFE);
    IDS(t, "unaffablex the", UNK, THE);
    IDS(t, "the\xe4\xb8\xad\xe6\x96\x87the", THE, ZHONG, WEN, THE);
    IDS(t, "the\nthe\r\nthe\tthe", THE, THE, THE, THE); /* what a line of a file cannot hold */
    IDS(t,
        "t\0h\xef\xbf\xbd"
        "e",
        THE);
    IDS(t,
        "t\xffh\xc3"
        "e",
        THE); /* invalid bytes are dropped */
    expect_ids(t, "", 0, NULL, 0);
    expect_ids(t, " \n\xc2\xa0", 4, NULL, 0);
    bt_tokenizer_free(t);
}

static void accessors(void **state)
{
    (void)state;
    files(vocab, NULL, NULL);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    assert_int_equal(bt_tokenizer_vocab_size(t), AA + 1);
    assert_string_equal(bt_tokenizer_piece(t, AFF), "##aff");
    assert_null(bt_tokenizer_piece(t, AA + 1));
    assert_null(bt_tokenizer_piece(t, -1));
    assert_int_equal(bt_tokenizer_id(t, "##able"), ABLE);
    assert_int_equal(bt_tokenizer_id(t, "able"), -1);
    for (int i = 0; i < 5; i++) assert_int_equal(bt_tokenizer_special(t, (enum bt_special)i), i);
    assert_true(bt_tokenizer_lower_case(t));
    bt_tokenizer_free(t);
    files("[UNK]\r\na\r\n", NULL, "{\"do_lower_case\": false}");
    t = load(-1, BT_COMPAT_HF);
    assert_int_equal(bt_tokenizer_special(t, BT_CLS), -1);
    assert_int_equal(bt_tokenizer_id(t, "a"), 1);
    assert_false(bt_tokenizer_lower_case(t));
    bt_tokenizer_free(t);
}

static void places(void **state)
{
    (void)state;
    static const struct {
        uint32_t begin, end, word;
    } want[] = {{1, 3, 0}, {3, 6, 0}, {6, 10, 0}, {10, 11, 1}, {12, 17, 2}, {17, 23, 3}, {23, 26, 4}};
    struct bt_encoding e = {0};
    files(vocab, NULL, NULL);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    const char *text = " UNaffable, caf\xc3\xa9[MASK]\xe4\xb8\xad";
    assert_int_equal(bt_tokenizer_encode(t, text, strlen(text), &e, NULL), BT_OK);
    assert_int_equal(e.n, 7);
    for (size_t i = 0; i < e.n; i++) {
        assert_int_equal(e.begin[i], want[i].begin);
        assert_int_equal(e.end[i], want[i].end);
        assert_int_equal(e.word[i], want[i].word);
    }
    bt_encoding_free(&e);
    bt_tokenizer_free(t);
}

/* A word of n letters a: HF gives up behind 100, Google behind 200. */
static bool is_known(struct bt_tokenizer *t, size_t n)
{
    char text[300];
    struct bt_encoding e = {0};
    memset(text, 'a', n);
    assert_int_equal(bt_tokenizer_ids(t, text, n, &e, NULL), BT_OK);
    bool known = e.n == n;
    if (!known) assert_int_equal(e.n, 1);
    if (!known) assert_int_equal(e.ids[0], UNK);
    bt_encoding_free(&e);
    return known;
}

static void two_ways(void **state)
{
    (void)state;
    files(vocab, NULL, NULL);
    struct bt_tokenizer *hf = load(-1, BT_COMPAT_HF), *google = load(-1, BT_COMPAT_GOOGLE);
    assert_true(is_known(hf, 100) && !is_known(hf, 101));
    assert_true(is_known(google, 200) && !is_known(google, 201));
    IDS(hf, "a[MASK]", A, MASK);
    IDS(google, "a[MASK]", A, OPEN, MASK_WORD, CLOSE);
    IDS(hf,
        "a\xee\x80\x80"
        "b",
        A, B); /* private use vanishes */
    IDS(google,
        "a\xee\x80\x80"
        "b",
        UNK);
    bt_tokenizer_free(hf);
    bt_tokenizer_free(google);
}

static void cased(void **state)
{
    (void)state;
    files(vocab, NULL, "{\"do_lower_case\": false, \"strip_accents\": null}");
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    IDS(t, "The the caf\xc3\xa9 THE", THE_CAPITAL, THE, CAFE_ACUTE, UNK);
    bt_tokenizer_free(t);
    t = load(1, BT_COMPAT_HF);
    IDS(t, "The the caf\xc3\xa9", THE, THE, CAFE);
    bt_tokenizer_free(t);
    files(vocab, NULL, "{\"strip_accents\": false}");
    t = load(-1, BT_COMPAT_HF);
    IDS(t, "The Caf\xc3\x89", THE, CAFE_ACUTE);
    bt_tokenizer_free(t);
}

#define NORMALIZER                                                                                           \
    "\"normalizer\": {\"type\": \"BertNormalizer\", \"lowercase\": true}, \"pre_tokenizer\": {\"type\": "    \
    "\"BertPreTokenizer\"}"
#define WORDPIECE(rest)                                                                                      \
    "{" NORMALIZER ", \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\"" rest "}"
#define PIECES ", \"vocab\": {\"[UNK]\": 0, \"a\": 1, \"##b\": 2, \"[MASK]\": 7}}"

static void from_json(void **state)
{
    (void)state;
    files(NULL,
          WORDPIECE(", \"max_input_chars_per_word\": 3" PIECES
                    ", \"added_tokens\": [{\"id\": 7, \"content\": \"[MASK]\", \"lstrip\": true}, {\"id\": "
                    "8, \"content\": \"<e>\", \"single_word\": true},"
                    " {\"id\": 9, \"content\": \"\xc3\x89t\", \"normalized\": true}]"),
          NULL);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    assert_int_equal(bt_tokenizer_vocab_size(t), 10);
    assert_null(bt_tokenizer_piece(t, 5)); /* a gap */
    assert_string_equal(bt_tokenizer_piece(t, 8), "<e>");
    assert_int_equal(bt_tokenizer_id(t, "<e>"), 8);
    IDS(t, "AB  [MASK]ab <e> a<e>", 1, 2, 7, 1, 2, 8, 1, 0, 0, 0);
    IDS(t, "abb abbb", 1, 2, 2, 0);
    IDS(t, "aET\xc3\xa9ta", 1, 9, 9, 1);
    struct bt_encoding e = {0};
    assert_int_equal(bt_tokenizer_encode(t, "a  [MASK]", 9, &e, NULL), BT_OK);
    assert_int_equal(e.begin[1], 1); /* with the space that lstrip takes */
    assert_int_equal(e.end[1], 9);
    bt_encoding_free(&e);
    bt_tokenizer_free(t);
}

static void refused(const char *lines, const char *json, const char *config, enum bt_status status,
                    const char *part)
{
    struct bt_tokenizer *t;
    struct bt_error err = {0};
    files(lines, json, config);
    enum bt_status st = bt_tokenizer_load(folder, NULL, &t, &err);
    if (st != status || !strstr(err.text, part) || strchr(err.text, '\n') || t)
        fail_msg("status %s, \"%s\", expected %s, \"%s\"", bt_status_name(st), err.text,
                 bt_status_name(status), part);
}

static void odd_files(void **state)
{
    (void)state;
    refused(NULL, NULL, NULL, BT_NOTFOUND, "neither tokenizer.json nor vocab.txt");
    refused("", NULL, NULL, BT_INVALID, "vocab.txt: 0 pieces");
    refused("a\nb\n", NULL, NULL, BT_INVALID, "has no \"[UNK]\"");
    refused(vocab, NULL, "{", BT_INVALID, "tokenizer_config.json:1:");
    refused(vocab, NULL, "[]", BT_INVALID, "an array, expected a JSON object");
    refused(vocab, NULL, "{\"do_lower_case\": 1}", BT_INVALID,
            "do_lower_case is an integer, expected true or false");
    refused(vocab, NULL, "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}", BT_UNSUPPORTED,
            "BertJapaneseTokenizer");
    refused(vocab, NULL, "{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", BT_INVALID,
            "no id from 0");
    refused(vocab, NULL, "{\"added_tokens_decoder\": {\"5\": {\"content\": \"new\"}}}", BT_DAMAGED,
            "which is that of \"un\"");
    refused(NULL, WORDPIECE("}"), NULL, BT_INVALID, "model.vocab is missing");
    refused(NULL, "{" NORMALIZER ", \"model\": {\"type\": \"BPE\"}}", NULL, BT_UNSUPPORTED,
            "model.type is \"BPE\", expected \"WordPiece\"");
    refused(NULL, WORDPIECE(", \"continuing_subword_prefix\": \"@@\"" PIECES), NULL, BT_UNSUPPORTED,
            "is \"@@\", expected \"##\"");
    refused(NULL, WORDPIECE(", \"max_input_chars_per_word\": 5000" PIECES), NULL, BT_INVALID,
            "not from 0 to 1000");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\": 0}}"), NULL, BT_INVALID,
            "have the same number 0");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": -3}}"), NULL, BT_INVALID, "the number of \"[UNK]\"");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 99999999999}}"), NULL, BT_INVALID,
            "the number of \"[UNK]\"");
    refused(NULL, WORDPIECE(", \"vocab\": {}}"), NULL, BT_INVALID, "0 pieces");
    refused(NULL, WORDPIECE(PIECES ", \"added_tokens\": [{\"id\": 3, \"content\": \"a\"}]"), NULL, BT_DAMAGED,
            "in the vocabulary it is 1");
    refused(NULL, WORDPIECE(PIECES ", \"added_tokens\": [{\"id\": 3, \"content\": \"\"}]"), NULL, BT_INVALID,
            "added_tokens[0].content is empty");
    refused(NULL, WORDPIECE(PIECES ", \"added_tokens\": {}"), NULL, BT_INVALID, "added_tokens is an object");
    refused(NULL, "{\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}}", NULL,
            BT_INVALID, "normalizer is null");
    refused(NULL, "{\"pre_tokenizer\": {\"type\": \"ByteLevel\"}}", NULL, BT_UNSUPPORTED,
            "\"ByteLevel\", expected \"BertPreTokenizer\"");
}

static void no_text(void **state)
{
    (void)state;
    struct bt_tokenizer *t;
    struct bt_error err = {0};
    files(NULL, NULL, NULL);
    place("vocab.txt", "[UNK]\na\0b\n", 10);
    assert_int_equal(bt_tokenizer_load(folder, NULL, &t, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "a NUL byte"));
    assert_int_equal(bt_tokenizer_load("/nowhere/at/all", NULL, &t, &err), BT_NOTFOUND);
    assert_non_null(strstr(err.text, "no such directory"));
}

/* With cleaning switched off a NUL is part of a word, and no piece may be read beyond its end. */
static void unclean(void **state)
{
    (void)state;
    files(NULL,
          "{\"normalizer\": {\"clean_text\": false}, \"pre_tokenizer\": {}, \"model\": {\"vocab\": "
          "{\"[UNK]\": 0, \"a\": 1, \"b\": 2}}}",
          NULL);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    IDS(t, "a\0b", 0);
    IDS(t, "a\vb", 1, 2);
    bt_tokenizer_free(t);
}

/* The vocabulary of a tokenizer.json is read past the JSON library, unless an escape or a fault in it wants that. */
static void two_readers(void **state)
{
    (void)state;
    static const char *const vocabs[] = {
        ", \"vocab\": {\"[UNK]\": 0, \"a\" : 3,\n\"##\\\"\":1,\"##\\\\b\": 2, \"\xc3\xa9\": 5}}",
        ", \"vocab\": {\"[UNK]\": 0, \"\\u0061\" : 3,\n\"##\\\"\":1,\"##\\\\b\": 2, \"\\u00e9\": 5}}",
        ", \"other\": {\"vocab\": {\"[UNK]\": 0}}, \"vocab\": {\"[UNK]\": 0, \"a\": 3, \"##\\\"\": 1, "
        "\"##\\\\b\": "
        "2, \"\xc3\xa9\": 5}}"};
    for (size_t i = 0; i < sizeof vocabs / sizeof *vocabs; i++) {
        char *json = bt_strfmt("{" NORMALIZER ", \"model\": {\"type\": \"WordPiece\"%s}", vocabs[i]);
        files(NULL, json, NULL);
        struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
        assert_int_equal(bt_tokenizer_vocab_size(t), 6);
        assert_int_equal(bt_tokenizer_id(t, "a"), 3);
        assert_int_equal(bt_tokenizer_id(t, "##\""), 1);
        assert_int_equal(bt_tokenizer_id(t, "##\\b"), 2);
        assert_int_equal(bt_tokenizer_id(t, "\xc3\xa9"), 5);
        assert_null(bt_tokenizer_piece(t, 4));
        bt_tokenizer_free(t);
        free(json);
    }
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\": 1, \"a\": 2}}"), NULL, BT_INVALID,
            "duplicate");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\": 01}}"), NULL, BT_INVALID, "not valid JSON");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\": 1,}}"), NULL, BT_INVALID, "not valid JSON");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\xff\": 1}}"), NULL, BT_INVALID,
            "not valid JSON");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\tb\": 1}}"), NULL, BT_INVALID, "not valid JSON");
    refused(NULL, WORDPIECE(", \"vocab\": {\"[UNK]\": 0, \"a\": 1}"), NULL, BT_INVALID, "not valid JSON");
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A text, and the same with a NUL before each byte: those vanish, but nothing is a plain word any more. */
static void both_ways(struct bt_tokenizer *t, const char *text, size_t n)
{
    struct bt_encoding a = {0}, b = {0}, ids = {0};
    char *exact = malloc(n + 1),
         *wide = malloc(2 * n + 1); /* no byte more than there are: a sanitizer looks on */
    assert_true(exact && wide);
    exact = realloc(exact, n ? n : 1);
    memcpy(exact, text, n);
    for (size_t i = 0; i < n; i++) {
        wide[2 * i] = '\0';
        wide[2 * i + 1] = text[i];
    }
    assert_int_equal(bt_tokenizer_encode(t, exact, n, &a, NULL), BT_OK);
    assert_int_equal(bt_tokenizer_ids(t, exact, n, &ids, NULL), BT_OK);
    assert_int_equal(bt_tokenizer_encode(t, wide, 2 * n, &b, NULL), BT_OK);
    bool same = a.n == b.n && ids.n == a.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = a.ids[i] == b.ids[i] && ids.ids[i] == a.ids[i] && 2 * a.begin[i] + 1 == b.begin[i] &&
               2 * a.end[i] == b.end[i] && a.word[i] == b.word[i];
    if (!same) fail_msg("\"%.*s\": %zu pieces, another way %zu", (int)n, text, a.n, b.n);
    bt_encoding_free(&a);
    bt_encoding_free(&b);
    bt_encoding_free(&ids);
    free(exact);
    free(wide);
}

/* Words of 7 to 17 letters at every place against the end of the text, and random texts. */
static void plain_words(void **state)
{
    (void)state;
    static const char letters[] = "aabbcdABz09 ,.-[]#\t@`{\x01\x7f\xff";
    uint32_t seed = 3;
    char text[64];
    files("[UNK]\na\nab\nabcabcab\nabcabcabc\nabcabcabcabc\nabcabcabcabca\nabcabcabcabcabca\n##a\n##b\n##c\n#"
          "#ab\n##ca"
          "\nA\nAb\n0\n09\n##0\n##9\n,\n.\n-\n@\nabc\n",
          NULL, NULL);
    for (int lower = 0; lower < 2; lower++) {
        struct bt_tokenizer *t = load(lower, BT_COMPAT_HF);
        for (size_t n = 0; n <= 20; n++)
            for (size_t before = 0; before < 20; before++) {
                memset(text, ' ', sizeof text);
                for (size_t i = 0; i < n; i++) text[before + i] = "abcABC"[i % 3 + (lower ? 3 * (n & 1) : 0)];
                both_ways(t, text, before + n);
                both_ways(t, text, before + n + 1);
            }
        for (int round = 0; round < 20000; round++) {
            size_t n = draw(&seed) % 40;
            for (size_t i = 0; i < n; i++)
                text[i] =
                    draw(&seed) % 3 ? letters[draw(&seed) % 4] : letters[draw(&seed) % (sizeof letters - 1)];
            both_ways(t, text, n);
        }
        bt_tokenizer_free(t);
    }
}

/* Marks of classes 9, 216 and 224 that stay, of 230 and 0 that are dropped, and a letter: \u1b44 \U1d165 \u302e \u0300 \u0900 a. */
#define ORDER(added)                                                                                         \
    WORDPIECE(                                                                                               \
        ", \"max_input_chars_per_word\": 1000, \"vocab\": {\"[UNK]\": 0, \"a\": 1, \"##a\": 2, "             \
        "\"\xe1\xad\x84\": 3, "                                                                              \
        "\"##\xe1\xad\x84\": 4, \"\xf0\x9d\x85\xa5\": 5, \"##\xf0\x9d\x85\xa5\": 6, \"\xe3\x80\xae\": 7, "   \
        "\"##\xe3\x80\xae\": 8}}, \"added_tokens\": [" added "]")

/* A text is normalised as a whole where an added token is looked for in it, and else word by word: in the same order. */
static void orders(void **state)
{
    (void)state;
    static const char *const part[] = {"\xe1\xad\x84", "\xf0\x9d\x85\xa5", "\xe3\x80\xae",
                                       "\xcc\x80",     "\xe0\xa4\x80",     "a"};
    static const int32_t sorted[] = {1, 4, 6, 8, 8};
    uint32_t seed = 5;
    files(NULL, ORDER(""), NULL);
    struct bt_tokenizer *words = load(-1, BT_COMPAT_HF);
    files(NULL, ORDER("{\"id\": 9, \"content\": \"zz\", \"normalized\": true}"), NULL);
    struct bt_tokenizer *whole = load(-1, BT_COMPAT_HF);
    expect_ids(words, "a\xe3\x80\xae\xf0\x9d\x85\xa5\xe1\xad\x84\xe3\x80\xae", 14, sorted, 5);
    expect_ids(whole, "a\xe3\x80\xae\xf0\x9d\x85\xa5\xe1\xad\x84\xe3\x80\xae", 14, sorted, 5);
    for (int round = 0; round < 5000; round++) {
        struct bt_encoding a = {0}, b = {0};
        struct bt_str text = {0};
        for (size_t n = draw(&seed) % 12; n > 0; n--) bt_str_add(&text, part[draw(&seed) % 6]);
        const char *bytes = text.data ? text.data : "";
        assert_int_equal(bt_tokenizer_encode(words, bytes, text.len, &a, NULL), BT_OK);
        assert_int_equal(bt_tokenizer_encode(whole, bytes, text.len, &b, NULL), BT_OK);
        assert_int_equal(a.n, b.n);
        for (size_t i = 0; i < a.n; i++)
            assert_true(a.ids[i] == b.ids[i] && a.begin[i] == b.begin[i] && a.end[i] == b.end[i]);
        bt_encoding_free(&a);
        bt_encoding_free(&b);
        bt_str_free(&text);
    }
    bt_tokenizer_free(words);
    bt_tokenizer_free(whole);
}

/* Of work that is quadratic when it goes wrong: minutes. */
#ifdef __SANITIZE_THREAD__
static const double MOST_S = 25;
#else
static const double MOST_S = 5;
#endif

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t encode_repeated(struct bt_tokenizer *t, const char *unit, size_t times)
{
    struct bt_encoding e = {0};
    struct bt_str text = {0};
    for (size_t i = 0; i < times; i++) bt_str_add(&text, unit);
    assert_false(text.failed);
    assert_int_equal(bt_tokenizer_encode(t, text.data, text.len, &e, NULL), BT_OK);
    size_t n = e.n;
    bt_encoding_free(&e);
    bt_str_free(&text);
    return n;
}

/* Pieces of up to 900 letters that each place of a word almost has, words of 1,000 letters and one of a million: trying every length at every
 * place would take a minute of what takes a tenth of a second. */
static void long_words(void **state)
{
    (void)state;
    struct bt_str json = {0}, word = {0};
    bt_str_add(&json, "{" NORMALIZER
                      ", \"model\": {\"type\": \"WordPiece\", \"max_input_chars_per_word\": 1000, \"vocab\": "
                      "{\"[UNK]\": 0, \"a\": 1, \"##a\": 2");
    for (int k = 1; k <= 9; k++) {
        for (int suffix = 0; suffix < 2; suffix++) {
            bt_str_addf(&json, ", \"%s", suffix ? "##" : "");
            for (int i = 0; i < 100 * k; i++) bt_str_add(&json, "a");
            bt_str_addf(&json, "b\": %d", 2 * k + suffix + 1);
        }
    }
    bt_str_add(&json, "}}}");
    assert_false(json.failed);
    files(NULL, json.data, NULL);
    bt_str_free(&json);
    struct bt_tokenizer *t = load(-1, BT_COMPAT_HF);
    for (int i = 0; i < 999; i++) bt_str_add(&word, "a");
    bt_str_add(&word, " ");
    double start = cpu_seconds();
    assert_int_equal(encode_repeated(t, word.data, 4000), 4000 * 999);
    assert_int_equal(encode_repeated(t, "a", 1000000), 1);
    assert_int_equal(encode_repeated(t, "\xc3\xa9", 1000000), 1);
    assert_int_equal(encode_repeated(t, "[MASK", 200000), 400000);
    bt_tokenizer_free(t);
    files(NULL, ORDER("{\"id\": 9, \"content\": \"zz\", \"normalized\": true}"), NULL);
    t = load(-1, BT_COMPAT_HF);
    assert_int_equal(encode_repeated(t, "\xe3\x80\xae\xe1\xad\x84", 300000), 1);
    double took = cpu_seconds() - start;
    if (took > MOST_S) fail_msg("%.1f s of work, expected less than %g", took, MOST_S);
    bt_tokenizer_free(t);
    bt_str_free(&word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),      cmocka_unit_test(accessors),   cmocka_unit_test(places),
        cmocka_unit_test(two_ways),    cmocka_unit_test(cased),       cmocka_unit_test(from_json),
        cmocka_unit_test(odd_files),   cmocka_unit_test(no_text),     cmocka_unit_test(unclean),
        cmocka_unit_test(two_readers), cmocka_unit_test(plain_words), cmocka_unit_test(orders),
        cmocka_unit_test(long_words),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
