/* A tokenizer from the files of a model directory.
 *
 * tokenizer_config.json has the last word on lower-casing, accents and Chinese, as in BertTokenizerFast; what it is silent
 * about, tokenizer.json says. */
#include "tokenizer/internal.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB_BYTES = 256 << 20, MOST_ADDED = 10000 };

int32_t bt__token_id(const struct bt_tokenizer *t, const char *text)
{
    int32_t id = bt__vocab_id(&t->vocab, text);
    for (size_t i = 0; id < 0 && i < t->n_added; i++)
        if (strcmp(t->added[i].text, text) == 0) id = t->added[i].id;
    return id;
}

/* Numbers and texts must be those of the vocabulary, or both new. */
static enum bt_status agrees(const struct bt_tokenizer *t, const struct bt__added *a, const char *path,
                             struct bt_error *err)
{
    int32_t known = bt__vocab_id(&t->vocab, a->text);
    const char *there = bt_tokenizer_piece(t, a->id);
    if (known >= 0 && known != a->id)
        return bt_fail(err, BT_DAMAGED,
                       "%s: the added token \"%.60s\" has the id %d, in the vocabulary it is %d", path,
                       a->text, (int)a->id, (int)known);
    if (there && strcmp(there, a->text) != 0)
        return bt_fail(err, BT_DAMAGED,
                       "%s: the added token \"%.60s\" has the id %d, which is that of \"%.60s\"", path,
                       a->text, (int)a->id, there);
    return BT_OK;
}

enum bt_status bt__add_token(struct bt_tokenizer *t, const struct bt__added *a, const char *path,
                             struct bt_error *err)
{
    size_t i = 0;
    while (i < t->n_added && strcmp(t->added[i].text, a->text) != 0) i++;
    enum bt_status st = agrees(t, a, path, err);
    if (st) return st;
    if (i == MOST_ADDED) return bt_fail(err, BT_INVALID, "%s: more than %d added tokens", path, MOST_ADDED);
    if (i == t->n_added) {
        struct bt__added *more = realloc(t->added, (i + 1) * sizeof *more);
        if (more) t->added = more;
        char *text = more ? strdup(a->text) : NULL;
        if (!text) return bt_fail(err, BT_NOMEM, "%s: no memory for the added token %zu", path, i);
        t->added[t->n_added++].text = text;
    }
    char *kept = t->added[i].text;
    t->added[i] = *a;
    t->added[i].text = kept;
    if (a->id >= t->n_ids) t->n_ids = a->id + 1;
    return BT_OK;
}

static enum bt_status read_vocab(struct bt_tokenizer *t, const char *path, struct bt_error *err)
{
    char *text;
    size_t n;
    enum bt_status st = bt_file_read(path, VOCAB_BYTES, &text, &n, err);
    if (!st) st = bt__vocab_from_lines(&t->vocab, text, n, path, err);
    if (!st) t->n_ids = t->vocab.n;
    return st;
}

/* The special tokens: those that the vocabulary has are matched in texts. Without one for what is unknown nothing works. */
static enum bt_status settle_special(struct bt_tokenizer *t, struct bt__said *said, const char *path,
                                     struct bt_error *err)
{
    static const char *const usual[] = {
        [BT_PAD] = "[PAD]", [BT_UNK] = "[UNK]", [BT_CLS] = "[CLS]", [BT_SEP] = "[SEP]", [BT_MASK] = "[MASK]"};
    for (int i = 0; i < 5; i++) {
        struct bt__added a = said->named[i];
        if (!a.text) a = (struct bt__added){.text = (char *)(uintptr_t)usual[i], .n = strlen(usual[i])};
        t->special[i] = a.id = bt__token_id(t, a.text);
        if (a.id < 0 && i == BT_UNK)
            return bt_fail(err, BT_INVALID,
                           "%s: the vocabulary has no \"%.60s\", expected a piece for what is unknown", path,
                           a.text);
        bool known = a.id < 0;
        for (size_t k = 0; k < t->n_added; k++) known |= strcmp(t->added[k].text, a.text) == 0;
        enum bt_status st = known ? BT_OK : bt__add_token(t, &a, path, err);
        if (st) return st;
    }
    return BT_OK;
}

static struct bt__charmap *new_map(const struct bt_tokenizer *t)
{
    return bt__charmap_new(t->compat, (t->clean ? 0u : BT__REMOVE) | (t->cjk ? 0u : BT__CJK) |
                                          (t->lower ? 0u : BT__LOWERS) |
                                          (t->strip ? 0u : BT__MARK | BT__DECOMPOSES | BT__COMBINES));
}

static bool is_letter(int c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* What ascii.c takes for granted of letters and digits holds whatever the options; of the others, the map says it. */
static void settle_ascii(struct bt_tokenizer *t)
{
    for (int c = 0; c < 0x80; c++) {
        const unsigned f = bt__char_flags(t->map, c);
        const bool apart = f & (BT__SPACE | BT__PUNCT | BT__REMOVE) || c == 0;
        const char text[2] = {(char)c};
        t->fold[c] = (unsigned char)(apart ? 0 : f & BT__LOWERS ? c + 32 : c);
        t->alone[c] = bt__vocab_id(&t->vocab, text);
        if (t->alone[c] < 0) t->alone[c] = t->special[BT_UNK];
        if (t->max_chars < BT__SHORT) continue;
        if (is_letter(c)) t->ascii[c] = BT__LETTER;
        if (f == BT__SPACE) t->ascii[c] = BT__BLANK;
        if (f == BT__PUNCT) t->ascii[c] = BT__MARK_ALONE;
    }
}

/* What is searched in texts. Google's code knows no tokens inside of them. */
static enum bt_status settle_added(struct bt_tokenizer *t, struct bt_error *err)
{
    for (size_t i = 0; i < t->n_added && t->compat == BT_COMPAT_HF; i++) {
        struct bt__added *a = &t->added[i];
        enum bt_status st = BT_OK;
        if (a->normalized) st = bt__normalize(t, a->text, &a->match, err);
        if (!a->normalized && !(a->match = strdup(a->text)))
            st = bt_fail(err, BT_NOMEM, "no memory for the added tokens");
        if (st) return st;
        a->n = strlen(a->match);
        if (a->n == 0) continue; /* normalised away */
        const unsigned char c = (unsigned char)a->match[0];
        if (!t->first[a->normalized][c]) t->n_first[a->normalized]++;
        t->first[a->normalized][c] = true;
        t->one_first[a->normalized] = c;
    }
    return BT_OK;
}

static enum bt_status settle(struct bt_tokenizer *t, const struct bt_tokenizer_options *opt,
                             const struct bt__said *said, const char *dir, struct bt_error *err)
{
    int lower = opt->do_lower_case >= 0 ? opt->do_lower_case : said->lower;
    int strip = opt->strip_accents >= 0 ? opt->strip_accents : said->strip;
    t->lower = lower != 0;
    t->strip = strip == 0 || strip == 1 ? strip : t->lower;
    t->cjk = said->cjk != 0;
    t->clean = said->clean != 0;
    t->map = new_map(t);
    if (!t->map) return bt_fail(err, BT_NOMEM, "no memory for the table of characters");
    settle_ascii(t);
    enum bt_status st = bt__short_words_build(&t->words, &t->vocab, dir, err);
    if (!st) st = bt__trie_build(&t->trie, &t->vocab, BT__WORD_ROOM, dir, err);
    return st ? st : settle_added(t, err);
}

static enum bt_status read_json(struct bt_tokenizer *t, const char *dir, const char *name,
                                struct bt__said *said, bool *found, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    enum bt_status st = BT_OK;
    *found = bt_path_exists(path);
    if (*found && found == &said->json)
        st = bt__read_tokenizer_json(t, path, said, err);
    else if (*found)
        st = bt__read_tokenizer_config(t, path, said, err);
    free(path);
    return st;
}

static enum bt_status read_lines(struct bt_tokenizer *t, const char *dir, struct bt_error *err)
{
    char *path = bt_path_join(dir, "vocab.txt");
    enum bt_status st = BT_OK;
    if (!path)
        st = bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    else if (!bt_path_exists(path))
        st =
            bt_fail(err, BT_NOTFOUND, "%s: %s", dir,
                    bt_path_exists(dir) ? "neither tokenizer.json nor vocab.txt in it" : "no such directory");
    else
        st = read_vocab(t, path, err);
    free(path);
    return st;
}

static enum bt_status read_files(struct bt_tokenizer *t, const char *dir, struct bt__said *said,
                                 struct bt_error *err)
{
    bool config, map;
    enum bt_status st = read_json(t, dir, "tokenizer.json", said, &said->json, err);
    if (!st && !said->json) st = read_lines(t, dir, err);
    if (!st) st = read_json(t, dir, "tokenizer_config.json", said, &config, err);
    if (!st && !said->decoder) st = read_json(t, dir, "special_tokens_map.json", said, &map, err);
    return st ? st : settle_special(t, said, dir, err);
}

enum bt_status bt_tokenizer_load(const char *dir, const struct bt_tokenizer_options *opt,
                                 struct bt_tokenizer **out, struct bt_error *err)
{
    struct bt__said said = {.lower = -1, .cjk = -1, .clean = -1, .strip = -1};
    const struct bt_tokenizer_options usual = BT_TOKENIZER_DEFAULTS;
    if (!opt) opt = &usual;
    struct bt_tokenizer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return bt_fail(err, BT_NOMEM, "%s: no memory for a tokenizer", dir);
    t->compat = opt->compat;
    t->max_chars = 100;
    enum bt_status st = read_files(t, dir, &said, err);
    if (t->compat == BT_COMPAT_GOOGLE) t->max_chars = 200;
    if (!st) st = settle(t, opt, &said, dir, err);
    for (int i = 0; i < 5; i++) free(said.named[i].text);
    if (st) {
        bt_tokenizer_free(t);
        return st;
    }
    *out = t;
    return BT_OK;
}

void bt_tokenizer_free(struct bt_tokenizer *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n_added; i++) {
        free(t->added[i].text);
        free(t->added[i].match);
    }
    free(t->added);
    bt__charmap_free(t->map);
    bt__short_words_free(&t->words);
    bt__trie_free(&t->trie);
    bt__vocab_free(&t->vocab);
    free(t);
}

int32_t bt_tokenizer_special(const struct bt_tokenizer *t, enum bt_special which)
{
    return t->special[which];
}

int32_t bt_tokenizer_vocab_size(const struct bt_tokenizer *t)
{
    return t->n_ids;
}

const char *bt_tokenizer_piece(const struct bt_tokenizer *t, int32_t id)
{
    if (id < 0 || id >= t->n_ids) return NULL;
    if (id < t->vocab.n && t->vocab.piece[id]) return t->vocab.piece[id];
    for (size_t i = 0; i < t->n_added; i++)
        if (t->added[i].id == id) return t->added[i].text;
    return NULL;
}

int32_t bt_tokenizer_id(const struct bt_tokenizer *t, const char *piece)
{
    return bt__token_id(t, piece);
}

bool bt_tokenizer_lower_case(const struct bt_tokenizer *t)
{
    return t->lower;
}
