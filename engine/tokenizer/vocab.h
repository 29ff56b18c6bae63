/* The vocabulary: pieces by id and ids by bytes. Owned by whoever holds the struct; bt__vocab_free(). */
#ifndef BERTTY_TOKENIZER_VOCAB_H
#define BERTTY_TOKENIZER_VOCAB_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt__vocab {
    char **piece;     /* [n] by id; NULL where there is none; point into text */
    uint32_t *length; /* [n] bytes of each */
    int32_t n;        /* largest id + 1 */
    char *text;       /* all pieces, NUL-terminated */
    uint64_t *hash;   /* [mask + 1] open addressing: hash of the piece's bytes */
    int32_t *id;      /* [mask + 1] id or −1 */
    size_t mask;
    size_t pieces; /* different ones */
};

enum { BT__MOST_PIECES = 10000000 };

/* One line a piece; the line's number, from 0, is the id. name: the file, for messages. text is taken over (freed with the vocabulary, or on failure). */
enum bt_status bt__vocab_from_lines(struct bt__vocab *v, char *text, size_t n, const char *name,
                                    struct bt_error *err);
/* From pieces by id (NULL where there is none); copied. */
enum bt_status bt__vocab_from_pieces(struct bt__vocab *v, const char *const *pieces, size_t n,
                                     const char *name, struct bt_error *err);
/* Takes the vocabulary out of the n bytes of a tokenizer.json, which then say "BT__VOCAB_CUT" in its place. False: v is as it was; it is not there, or not as
 * simple as it always is, or there is something wrong with it, which a JSON library can put into words. */
bool bt__vocab_cut(struct bt__vocab *v, char *json, size_t *n, const char *name);
#define BT__VOCAB_CUT "(cut out)"
void bt__vocab_free(struct bt__vocab *v);

/* The id of a piece, or −1. */
int32_t bt__vocab_id(const struct bt__vocab *v, const char *piece);

#endif
