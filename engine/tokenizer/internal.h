/* The tokenizer's insides, shared by loading and encoding. */
#ifndef BERTTY_TOKENIZER_INTERNAL_H
#define BERTTY_TOKENIZER_INTERNAL_H

#include "tokenizer/charmap.h"
#include "tokenizer/vocab.h"

/* A text that is matched before everything else: [MASK] and its like. */
struct bt__added {
    char *text; /* owned */
    size_t n;   /* bytes */
    int32_t id;
    bool lstrip, rstrip, single_word;
};

struct bt_tokenizer {
    struct bt__vocab vocab;
    uint8_t *map; /* flags of all code points, already without what is switched off */
    struct bt__added *added;
    size_t n_added;
    bool added_first[256]; /* bytes with which an added text begins */
    int32_t special[5];    /* by enum bt_special */
    bool lower, strip, cjk, clean;
    enum bt_compat compat;
    size_t max_chars; /* a longer word is [UNK] */
};

enum { BT__MAX_CHARS = 1000 /* the most that a file may ask for */ };

#endif
