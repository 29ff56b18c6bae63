/* BERT's tokenizer: text → word-piece ids, in exact agreement with Hugging Face's BertTokenizerFast.
 *
 * A tokenizer is immutable after loading: any number of threads may encode with it at once, each with its own
 * struct bt_encoding (zero-initialise; bt_encoding_free() releases; memory is reused from call to call). */
#ifndef BERTTY_TOKENIZER_H
#define BERTTY_TOKENIZER_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_tokenizer;

enum bt_compat { BT_COMPAT_HF, BT_COMPAT_GOOGLE };

struct bt_tokenizer_options {
    int do_lower_case; /* -1: from tokenizer.json / tokenizer_config.json, else uncased; 0; 1 */
    int strip_accents; /* -1: as the files say, else follows lower-casing; 0; 1 */
    enum bt_compat compat;
};
#define BT_TOKENIZER_DEFAULTS ((struct bt_tokenizer_options){.do_lower_case = -1, .strip_accents = -1})

/* Reads tokenizer.json or vocab.txt (+ tokenizer_config.json) of a model directory. */
enum bt_status bt_tokenizer_load(const char *dir, const struct bt_tokenizer_options *opt,
                                 struct bt_tokenizer **out, struct bt_error *err);
/* The same of a directory that may be an adapter of peft's: without a vocabulary of its own it has its base's. */
enum bt_status bt_tokenizer_of_model(const char *dir, const struct bt_tokenizer_options *opt,
                                     struct bt_tokenizer **out, struct bt_error *err);
void bt_tokenizer_free(struct bt_tokenizer *t);

enum bt_special { BT_PAD, BT_UNK, BT_CLS, BT_SEP, BT_MASK };
int32_t bt_tokenizer_special(const struct bt_tokenizer *t,
                             enum bt_special which);           /* -1 if the vocabulary has none */
int32_t bt_tokenizer_vocab_size(const struct bt_tokenizer *t); /* largest id + 1 */
const char *bt_tokenizer_piece(const struct bt_tokenizer *t,
                               int32_t id); /* "##ing"; NULL if out of range; borrowed */
int32_t bt_tokenizer_id(const struct bt_tokenizer *t, const char *piece); /* -1 if absent */
bool bt_tokenizer_lower_case(const struct bt_tokenizer *t);               /* the resolved setting */

/* Pieces of one text, without [CLS] and [SEP]. All arrays have n entries. */
struct bt_encoding {
    int32_t *ids;
    uint32_t *begin, *end; /* the bytes of the original text that the piece stands for: [begin, end) */
    uint32_t *word;        /* index of the whitespace/punctuation word that the piece belongs to */
    size_t n, cap;
};
void bt_encoding_free(struct bt_encoding *e);

/* Replaces e's content by the pieces of text (n bytes; invalid UTF-8 counts as U+FFFD, which is dropped). Fails only without memory. */
enum bt_status bt_tokenizer_encode(const struct bt_tokenizer *t, const char *text, size_t n,
                                   struct bt_encoding *e, struct bt_error *err);
/* Only the ids (e->begin, end and word are left undefined): the fast path for training data. */
enum bt_status bt_tokenizer_ids(const struct bt_tokenizer *t, const char *text, size_t n,
                                struct bt_encoding *e, struct bt_error *err);

#endif
