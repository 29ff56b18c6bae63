/* The tokenizer's insides, shared by loading and encoding. */
#ifndef BERTTY_TOKENIZER_INTERNAL_H
#define BERTTY_TOKENIZER_INTERNAL_H

#include "tokenizer/charmap.h"
#include "tokenizer/short_words.h"
#include "tokenizer/trie.h"
#include "tokenizer/vocab.h"

/* A text that is matched before everything else: [MASK] and its like. */
struct bt__added {
    char *text;  /* owned */
    char *match; /* what is searched: the text, or its normalised form; owned; NULL: nothing */
    size_t n;    /* bytes of match (while loading: of text) */
    int32_t id;
    bool lstrip, rstrip, single_word;
    bool normalized; /* matched in the normalised text, not in the text as it stands */
};

/* What a byte is to ascii.c. NOT_PLAIN: anything that is not ASCII or does not simply stand for itself. */
enum bt__ascii { BT__NOT_PLAIN, BT__BLANK, BT__MARK_ALONE, BT__LETTER };

struct bt_tokenizer {
    struct bt__vocab vocab;
    struct bt__trie trie;
    struct bt__short_words words;
    struct bt__charmap *map; /* without what is switched off */
    unsigned char fold[256]; /* ASCII that only extends a word: its normalised form; everything else: 0 */
    uint8_t
        ascii[256]; /* enum bt__ascii; all BT__NOT_PLAIN where words may not even be as long as a short one */
    int32_t alone[128]; /* of each BT__MARK_ALONE: its piece or that for what is unknown */
    struct bt__added *added;
    size_t n_added;
    bool first[2][256];         /* [normalized] bytes with which a match begins */
    int n_first[2];             /* [normalized] how many such bytes there are */
    unsigned char one_first[2]; /* [normalized] one of them */
    int32_t special[5];         /* by enum bt_special */
    bool lower, strip, cjk, clean;
    enum bt_compat compat;
    size_t max_chars; /* a longer word is [UNK] */
    int32_t n_ids;    /* largest id + 1, with those of the added tokens */
};

enum { BT__MAX_CHARS = 1000 /* the most that a file may ask for */, BT__WORD_ROOM = 4 * BT__MAX_CHARS };

/* What the files of a model directory say, before it is settled. −1: nothing. */
struct bt__said {
    int lower, cjk, clean;
    int strip;                 /* also BT__FOLLOWS: as lower-casing does */
    struct bt__added named[5]; /* by enum bt_special; texts owned, NULL: nothing */
    bool json;                 /* there is a tokenizer.json */
    bool decoder;              /* the configuration lists its added tokens itself */
};
enum { BT__FOLLOWS = 2 };

/* Fills t's vocabulary, added tokens and limit from a tokenizer.json. */
enum bt_status bt__read_tokenizer_json(struct bt_tokenizer *t, const char *path, struct bt__said *said,
                                       struct bt_error *err);
/* Takes over what tokenizer_config.json or special_tokens_map.json says; their added tokens join those of t. */
enum bt_status bt__read_tokenizer_config(struct bt_tokenizer *t, const char *path, struct bt__said *said,
                                         struct bt_error *err);
/* A token joins the added ones and replaces an earlier one of the same text, which is copied. path: the file, for messages. */
enum bt_status bt__add_token(struct bt_tokenizer *t, const struct bt__added *a, const char *path,
                             struct bt_error *err);
/* The normalised form of a text; the caller frees. */
enum bt_status bt__normalize(const struct bt_tokenizer *t, const char *text, char **out,
                             struct bt_error *err);
/* The added token at a place of a text, the longest one, or NULL; glued: it is a single_word one inside of a word, and does not count. */
const struct bt__added *bt__added_at(const struct bt_tokenizer *t, bool normalized, const char *text,
                                     size_t n, size_t at, bool *glued);
/* Where the white space before `at` begins (≥ from), and where that behind it ends. */
size_t bt__space_before(const char *text, size_t from, size_t at);
size_t bt__space_after(const char *text, size_t n, size_t at);
/* The id of a piece or an added token, or −1. */
int32_t bt__token_id(const struct bt_tokenizer *t, const char *text);

#endif
