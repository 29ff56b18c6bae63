/* Tags of words as they stand in a file: which scheme they follow, and the entities that they make. */
#ifndef BERTTY_BATCH_TAG_SCHEME_H
#define BERTTY_BATCH_TAG_SCHEME_H

#include "batch/label_counts.h"

struct bt__tag_scheme { /* zero-initialise */
    size_t prefix[256]; /* words by the first letter of a tag with a type */
    size_t bare;        /* tags outside every scheme: see bt__tag_in_scheme() */
    size_t open_starts; /* entities that begin without B: IOB2 has none */
    size_t idle_starts; /* B where no entity of the type ends: IOB1 has none */
};

/* "O", or a letter of some scheme, alone or with a hyphen and a type. */
bool bt__tag_in_scheme(const char *tag, size_t n);

/* A sentence; entities are counted by type as conlleval finds them, in whatever scheme. False without memory. */
bool bt__tag_scheme_add(struct bt__tag_scheme *s, const struct bt_part *word, size_t n,
                        struct bt__label_counts *entities);
/* "IOB1", "IOB2", "IOE", "IOBES", "BILOU", "IOB1 and IOB2 mixed", or NULL. */
const char *bt__tag_scheme_name(const struct bt__tag_scheme *s);

#endif
