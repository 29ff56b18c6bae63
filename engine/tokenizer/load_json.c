/* tokenizer.json, tokenizer_config.json and special_tokens_map.json: what they may say, and what is refused. */
#include "tokenizer/internal.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_BYTES = 256 << 20, MOST_IDS = BT__MOST_PIECES };

static const char *kind_of(const struct bt_json *v)
{
    static const char *const names[] = {
        [BT_JSON_NULL] = "null",          [BT_JSON_BOOL] = "a boolean",  [BT_JSON_INT] = "an integer",
        [BT_JSON_REAL] = "a real number", [BT_JSON_STRING] = "a string", [BT_JSON_ARRAY] = "an array",
        [BT_JSON_OBJECT] = "an object"};
    return v ? names[bt_json_kind(v)] : "missing";
}

static enum bt_status wrong(const char *path, const char *member, const struct bt_json *v,
                            const char *expected, struct bt_error *err)
{
    return bt_fail(err, BT_INVALID, "%s: %s is %s, expected %s", path, member, kind_of(v), expected);
}

/* An absent member leaves *to alone. nullable: null means BT__FOLLOWS. */
static enum bt_status get_flag(const struct bt_json *o, const char *path, const char *key, bool nullable,
                               int *to, struct bt_error *err)
{
    const struct bt_json *v = bt_json_get(o, key);
    if (!v) return BT_OK;
    if (bt_json_kind(v) == BT_JSON_BOOL)
        *to = bt_json_bool(v, false);
    else if (bt_json_kind(v) == BT_JSON_NULL && nullable)
        *to = BT__FOLLOWS;
    else
        return wrong(path, key, v, nullable ? "true, false or null" : "true or false", err);
    return BT_OK;
}

/* A member that must be this text if it is there. */
static enum bt_status must_be(const struct bt_json *o, const char *path, const char *where, const char *key,
                              const char *expected, struct bt_error *err)
{
    const struct bt_json *v = bt_json_get(o, key);
    const char *text = bt_json_text(v, NULL);
    if (!v || (text && strcmp(text, expected) == 0)) return BT_OK;
    return bt_fail(err, BT_UNSUPPORTED, "%s: %s.%s is %s%.60s%s, expected \"%s\" as BERT has it", path, where,
                   key, text ? "\"" : "", text ? text : kind_of(v), text ? "\"" : "", expected);
}

/* ── added tokens ── */

/* Content and flags of a token that is given as an object or as its text alone. Borrows the text. */
static enum bt_status get_token(const struct bt_json *v, const char *path, const char *where,
                                struct bt__added *a, struct bt_error *err)
{
    static const char *const keys[] = {"lstrip", "rstrip", "single_word", "normalized"};
    int flag[4] = {0};
    bool object = bt_json_kind(v) == BT_JSON_OBJECT;
    const struct bt_json *content = object ? bt_json_get(v, "content") : v;
    const char *text = bt_json_textn(content, &a->n);
    if (!text || a->n == 0 || strlen(text) != a->n)
        return bt_fail(err, BT_INVALID, "%s: %s%s is %s, expected the text of a token", path, where,
                       object ? ".content" : "", text ? "empty or has a NUL in it" : kind_of(content));
    for (int i = 0; object && i < 4; i++) {
        enum bt_status st = get_flag(v, path, keys[i], false, &flag[i], err);
        if (st) return bt_error_prefix(err, st, "%s", where);
    }
    a->text = (char *)(uintptr_t)text;
    a->lstrip = flag[0];
    a->rstrip = flag[1];
    a->single_word = flag[2];
    a->normalized = flag[3];
    return BT_OK;
}

static enum bt_status add_with_id(struct bt_tokenizer *t, const struct bt_json *v, const char *path,
                                  const char *where, int64_t id, struct bt_error *err)
{
    struct bt__added a = {.id = (int32_t)id};
    if (id < 0 || id >= MOST_IDS)
        return bt_fail(err, BT_INVALID, "%s: %s: no id from 0 to %d", path, where, MOST_IDS - 1);
    enum bt_status st = get_token(v, path, where, &a, err);
    return st ? st : bt__add_token(t, &a, path, err);
}

static enum bt_status read_added_list(struct bt_tokenizer *t, const struct bt_json *root, const char *path,
                                      struct bt_error *err)
{
    const struct bt_json *list = bt_json_get(root, "added_tokens");
    enum bt_status st = BT_OK;
    if (bt_json_kind(list) == BT_JSON_NULL) return BT_OK;
    if (bt_json_kind(list) != BT_JSON_ARRAY) return wrong(path, "added_tokens", list, "an array", err);
    for (size_t i = 0; !st && i < bt_json_len(list); i++) {
        char where[48];
        snprintf(where, sizeof where, "added_tokens[%zu]", i);
        const struct bt_json *v = bt_json_at(list, i);
        st = add_with_id(t, v, path, where, bt_json_int(bt_json_get(v, "id"), -1), err);
    }
    return st;
}

/* {"103": {"content": "[MASK]", …}, …} */
static enum bt_status read_decoder(struct bt_tokenizer *t, const struct bt_json *o, const char *path,
                                   struct bt_error *err)
{
    enum bt_status st = BT_OK;
    if (bt_json_kind(o) != BT_JSON_OBJECT) return wrong(path, "added_tokens_decoder", o, "an object", err);
    for (const void *it = bt_json_first(o); it && !st; it = bt_json_next(o, it)) {
        char where[64], *end;
        long long id = strtoll(bt_json_key(it), &end, 10);
        snprintf(where, sizeof where, "added_tokens_decoder[\"%.20s\"]", bt_json_key(it));
        st = add_with_id(t, bt_json_value(it), path, where, *end ? -1 : id, err);
    }
    return st;
}

/* Names that the vocabulary does not know get the next free number, as in transformers. */
static enum bt_status read_additional(struct bt_tokenizer *t, const struct bt_json *root, const char *path,
                                      struct bt_error *err)
{
    static const char key[] = "additional_special_tokens";
    const struct bt_json *list = bt_json_get(root, key);
    enum bt_status st = BT_OK;
    if (bt_json_kind(list) == BT_JSON_NULL) return BT_OK;
    if (bt_json_kind(list) != BT_JSON_ARRAY) return wrong(path, key, list, "an array", err);
    for (size_t i = 0; !st && i < bt_json_len(list); i++) {
        struct bt__added a = {.id = -1};
        st = get_token(bt_json_at(list, i), path, key, &a, err);
        bool known = false;
        for (size_t k = 0; !st && k < t->n_added; k++) known |= strcmp(t->added[k].text, a.text) == 0;
        if (st || known) continue;
        a.id = bt__token_id(t, a.text);
        if (a.id < 0) a.id = t->n_ids;
        st = bt__add_token(t, &a, path, err);
    }
    return st;
}

/* The model's own unk_token, which comes first, stays. */
static enum bt_status read_names(const struct bt_json *root, const char *path, struct bt__said *said,
                                 struct bt_error *err)
{
    static const char *const keys[] = {[BT_PAD] = "pad_token",
                                       [BT_UNK] = "unk_token",
                                       [BT_CLS] = "cls_token",
                                       [BT_SEP] = "sep_token",
                                       [BT_MASK] = "mask_token"};
    for (int i = 0; i < 5; i++) {
        const struct bt_json *v = bt_json_get(root, keys[i]);
        struct bt__added a = {.id = -1};
        if (bt_json_kind(v) == BT_JSON_NULL || (i == BT_UNK && said->named[i].text)) continue;
        enum bt_status st = get_token(v, path, keys[i], &a, err);
        if (st) return st;
        a.text = strdup(a.text);
        if (!a.text) return bt_fail(err, BT_NOMEM, "%s: no memory for %s", path, keys[i]);
        free(said->named[i].text);
        said->named[i] = a;
    }
    return BT_OK;
}

/* A vocab.txt alone does not tell whose it is; its configuration may. */
static enum bt_status check_class(const struct bt_json *root, const char *path, struct bt_error *err)
{
    static const char *const known[] = {"Bert",     "DistilBert", "Electra", "MobileBert", "SqueezeBert",
                                        "LayoutLM", "ConvBert",   "Lxmert",  "PreTrained"};
    const char *name = bt_json_text(bt_json_get(root, "tokenizer_class"), "BertTokenizer");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (strncmp(name, known[i], n) == 0 && strncmp(name + n, "Tokenizer", 9) == 0) return BT_OK;
    }
    return bt_fail(err, BT_UNSUPPORTED,
                   "%s: tokenizer_class is \"%.60s\", expected \"BertTokenizer\" or one like it", path, name);
}

/* ── tokenizer.json ── */

static enum bt_status read_normalizer(const struct bt_json *root, const char *path, struct bt__said *said,
                                      struct bt_error *err)
{
    static const char key[] = "normalizer";
    const struct bt_json *o = bt_json_get(root, key);
    if (bt_json_kind(o) != BT_JSON_OBJECT)
        return wrong(path, key, o, "an object with the type \"BertNormalizer\"", err);
    enum bt_status st = must_be(o, path, key, "type", "BertNormalizer", err);
    if (!st) st = get_flag(o, path, "lowercase", false, &said->lower, err);
    if (!st) st = get_flag(o, path, "handle_chinese_chars", false, &said->cjk, err);
    if (!st) st = get_flag(o, path, "clean_text", false, &said->clean, err);
    return st ? st : get_flag(o, path, "strip_accents", true, &said->strip, err);
}

static enum bt_status read_types(const struct bt_json *root, const char *path, struct bt_error *err)
{
    const struct bt_json *pre = bt_json_get(root, "pre_tokenizer"),
                         *post = bt_json_get(root, "post_processor");
    const char *type = bt_json_text(bt_json_get(post, "type"), "TemplateProcessing");
    if (bt_json_kind(pre) != BT_JSON_OBJECT)
        return wrong(path, "pre_tokenizer", pre, "an object with the type \"BertPreTokenizer\"", err);
    enum bt_status st = must_be(pre, path, "pre_tokenizer", "type", "BertPreTokenizer", err);
    if (!st && strcmp(type, "BertProcessing") != 0)
        st = must_be(post, path, "post_processor", "type", "TemplateProcessing", err);
    return st;
}

/* Pieces by number from {"piece": number, …}; *n: the largest number + 1. The caller frees *pieces. */
static enum bt_status by_number(const struct bt_json *o, const char *path, const char ***pieces, size_t *n,
                                struct bt_error *err)
{
    int64_t most = -1;
    for (const void *it = bt_json_first(o); it; it = bt_json_next(o, it)) {
        int64_t id = bt_json_int(bt_json_value(it), -1);
        if (id < 0 || id >= MOST_IDS)
            return bt_fail(err, BT_INVALID, "%s: model.vocab: the number of \"%.60s\" is not from 0 to %d",
                           path, bt_json_key(it), MOST_IDS - 1);
        if (id > most) most = id;
    }
    *n = (size_t)(most + 1);
    *pieces = calloc(*n + 1, sizeof **pieces);
    if (!*pieces) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu pieces", path, *n);
    for (const void *it = bt_json_first(o); it; it = bt_json_next(o, it)) {
        const char **place = *pieces + bt_json_int(bt_json_value(it), 0);
        if (*place)
            return bt_fail(err, BT_INVALID,
                           "%s: model.vocab: \"%.60s\" and \"%.60s\" have the same number %lld", path, *place,
                           bt_json_key(it), (long long)(place - *pieces));
        *place = bt_json_key(it);
    }
    return BT_OK;
}

static enum bt_status read_vocab(struct bt_tokenizer *t, const struct bt_json *model, const char *path,
                                 struct bt_error *err)
{
    const struct bt_json *o = bt_json_get(model, "vocab");
    const char **pieces = NULL;
    size_t n = 0;
    if (t->vocab.n) return BT_OK; /* cut out before */
    if (bt_json_kind(o) != BT_JSON_OBJECT) return wrong(path, "model.vocab", o, "an object", err);
    enum bt_status st = by_number(o, path, &pieces, &n, err);
    if (!st) st = bt__vocab_from_pieces(&t->vocab, pieces, n, path, err);
    if (!st) t->n_ids = t->vocab.n;
    free(pieces);
    return st;
}

static enum bt_status read_model(struct bt_tokenizer *t, const struct bt_json *root, const char *path,
                                 struct bt__said *said, struct bt_error *err)
{
    const struct bt_json *model = bt_json_get(root, "model"), *unk = bt_json_get(model, "unk_token");
    if (bt_json_kind(model) != BT_JSON_OBJECT) return wrong(path, "model", model, "an object", err);
    enum bt_status st = must_be(model, path, "model", "type", "WordPiece", err);
    if (!st) st = must_be(model, path, "model", "continuing_subword_prefix", "##", err);
    if (st) return st;
    const struct bt_json *most = bt_json_get(model, "max_input_chars_per_word");
    int64_t chars = most ? bt_json_int(most, -1) : (int64_t)t->max_chars;
    if (chars < 0 || chars > BT__MAX_CHARS)
        return bt_fail(err, BT_INVALID, "%s: model.max_input_chars_per_word is not from 0 to %d", path,
                       BT__MAX_CHARS);
    t->max_chars = (size_t)chars;
    if (unk) {
        struct bt__added a = {.id = -1};
        st = get_token(unk, path, "model.unk_token", &a, err);
        said->named[BT_UNK] = a;
        said->named[BT_UNK].text = st ? NULL : strdup(a.text);
        if (!st && !said->named[BT_UNK].text)
            st = bt_fail(err, BT_NOMEM, "%s: no memory for model.unk_token", path);
    }
    return st ? st : read_vocab(t, model, path, err);
}

static struct bt_json *load_object(const char *path, struct bt_error *err)
{
    struct bt_json *root = bt_json_load(path, JSON_BYTES, err);
    if (!root || bt_json_kind(root) == BT_JSON_OBJECT) return root;
    bt_fail(err, BT_INVALID, "%s: %s, expected a JSON object", path, kind_of(root));
    bt_json_free(root);
    return NULL;
}

/* The file without its vocabulary, which t has; NULL: not to be had so. */
static struct bt_json *load_cut(struct bt_tokenizer *t, const char *path)
{
    struct bt_json *root = NULL;
    char *text;
    size_t n, length;
    if (bt_file_read(path, JSON_BYTES, &text, &n, NULL)) return NULL;
    if (bt__vocab_cut(&t->vocab, text, &n, path)) {
        root = bt_json_parse(text, n, path, NULL);
        const char *vocab = bt_json_textn(bt_json_get(bt_json_get(root, "model"), "vocab"), &length);
        if (vocab && strcmp(vocab, BT__VOCAB_CUT) == 0) {
            t->n_ids = t->vocab.n;
        } else { /* it was something else's */
            bt__vocab_free(&t->vocab);
            bt_json_free(root);
            root = NULL;
        }
    }
    free(text);
    return root;
}

enum bt_status bt__read_tokenizer_json(struct bt_tokenizer *t, const char *path, struct bt__said *said,
                                       struct bt_error *err)
{
    struct bt_error own = {0};
    struct bt_json *root = load_cut(t, path);
    if (!root) root = load_object(path, err ? err : &own);
    if (!root) return err ? err->status : own.status;
    enum bt_status st = read_types(root, path, err);
    if (!st) st = read_normalizer(root, path, said, err);
    if (!st) st = read_model(t, root, path, said, err);
    if (!st) st = read_added_list(t, root, path, err);
    bt_json_free(root);
    return st;
}

enum bt_status bt__read_tokenizer_config(struct bt_tokenizer *t, const char *path, struct bt__said *said,
                                         struct bt_error *err)
{
    struct bt_error own = {0};
    struct bt_json *root = load_object(path, err ? err : &own);
    if (!root) return err ? err->status : own.status;
    const struct bt_json *decoder = bt_json_get(root, "added_tokens_decoder");
    enum bt_status st = said->json ? BT_OK : check_class(root, path, err);
    if (!st) st = get_flag(root, path, "do_lower_case", false, &said->lower, err);
    if (!st) st = get_flag(root, path, "strip_accents", true, &said->strip, err);
    if (!st) st = get_flag(root, path, "tokenize_chinese_chars", false, &said->cjk, err);
    if (!st && decoder) st = read_decoder(t, decoder, path, err);
    if (!st) st = read_additional(t, root, path, err);
    if (!st) st = read_names(root, path, said, err);
    if (decoder) said->decoder = true;
    bt_json_free(root);
    return st;
}
