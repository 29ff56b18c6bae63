/* Tokenized examples: [CLS] text [SEP] (pair [SEP]), cut to a length, one after the other in one array.
 *
 * Built once for a file, in parallel; the result does not depend on the number of threads. The caller frees with bt__features_free(). */
#ifndef BERTTY_BATCH_FEATURES_H
#define BERTTY_BATCH_FEATURES_H

#include "base/pool.h"
#include "batch/batch.h"
#include <bertty/tokenizer.h>

enum bt__truncation {
    BT__LONGEST_FIRST,
    BT__ONLY_FIRST,
    BT__ONLY_SECOND,
    BT__HEAD_TAIL, /* of a single text the first quarter of the room and the last three (Sun et al. 2019); pairs: the longest first */
    BT__SLIDING    /* a single text that is too long becomes several sequences; pairs: the longest first */
};

struct bt__text {
    const char *text, *pair; /* pair NULL: a single text; borrowed */
    size_t text_n, pair_n;   /* bytes */
};

/* n sequences; of most tasks each is one example. */
struct bt__features {
    size_t n;
    size_t *start;     /* [n + 1] first token of each sequence */
    int32_t *ids;      /* [start[n]] */
    uint8_t *types;    /* [start[n]] 0 for the text with its [CLS] and [SEP], 1 for the pair with its [SEP] */
    int *length;       /* [n] tokens */
    uint8_t *reads;    /* [start[n]] not 0: the head reads this token; NULL: the first of each sequence */
    uint32_t *example; /* [n] example that a sequence belongs to; NULL: the sequence's own number */
    int group;         /* sequences that belong together in a batch (multiple choice); 0 or 1: each alone */
    size_t truncated;  /* examples that were cut */
    size_t unknown;    /* [UNK] tokens */
};

struct bt__features_options {
    int max_length; /* tokens, special ones included; ≥ 3 (pairs: ≥ 4) */
    enum bt__truncation truncation;
    int overlap; /* tokens that the windows of BT__SLIDING share, less than the room for a text */
    int group;   /* so many texts, one behind the other, are an example; 0 or 1: each is one */
};

enum bt_status bt__features_build(struct bt__features *f, const struct bt_tokenizer *t,
                                  const struct bt__text *texts, size_t n,
                                  const struct bt__features_options *opt, struct bt__pool *pool,
                                  struct bt_error *err);
void bt__features_free(struct bt__features *f);

/* How many tokens of the two parts are kept when they may have room together; as Hugging Face's tokenizers cuts. */
/* Of the kept tokens of a text alone that has more: how many stand at its end. */
size_t bt__truncate_tail(size_t kept, enum bt__truncation how);
void bt__truncate(size_t *a, size_t *b, size_t room, enum bt__truncation how);

/* Sequences of an item: those that belong together in a batch. */
static inline size_t bt__features_group(const struct bt__features *f)
{
    return f->group > 1 ? (size_t)f->group : 1;
}
/* How many tokens of sequence i the head reads. */
int bt__features_reads(const struct bt__features *f, size_t i);
/* Appends sequence i to a batch, with i as its source. */
enum bt_status bt__features_add(const struct bt__features *f, size_t i, struct bt__batch *b,
                                struct bt_error *err);

#endif
