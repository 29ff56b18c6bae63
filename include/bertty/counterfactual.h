/* Counterfactuals: what a model says of an input in which something is different, and the fewest words that have to be others for it to decide otherwise.
 *
 * One text of the input is varied, the rest stays. Results own everything that hangs on them and are freed as a whole. */
#ifndef BERTTY_COUNTERFACTUAL_H
#define BERTTY_COUNTERFACTUAL_H

#include <bertty/predictor.h>

enum bt_vary {
    BT_VARY_DROP, /* each word is left out */
    BT_VARY_SWAP, /* each word becomes another: those that the checkpoint's own MLM head puts in its place, or without one the nearest by their embeddings */
    BT_VARY_NEGATE, /* "is" → "is not" and the like, by English rules (engine/explain/negate.c) */
    BT_VARY_TYPO, /* of each word: two letters changed over, one left out, one doubled, one hit beside the key */
    BT_VARY_CASE, /* upper and lower case, of the text and of each word */
    BT_VARY_LIST, /* words of a list: in place of those of its words that the text has, or of every word where it has none */
    BT_VARIES
};
extern const char *const bt_varies[]; /* "drop", "swap", …; ended by NULL */

/* Which text is varied. */
enum { BT_VARY_TEXT, BT_VARY_PAIR, BT_VARY_CHOICE /* and the number of the choice, from 0 */ };

enum {
    BT_VARIANTS = 4000, /* of an input at most; what would be more is left out, and told */
    BT_VARY_SWAPS = 5,  /* words that take the place of a word; at most */
    BT_FLIP_WORDS = 5,  /* that are replaced at most, unless more are allowed */
    BT_FLIP_TRIES = 50  /* replacements that are tried for each, unless others are */
};

/* Zero is: the text, all kinds. */
struct bt_vary_spec {
    int field;      /* BT_VARY_TEXT, … */
    unsigned kinds; /* 1 << BT_VARY_DROP | …; 0: all */
    const char *const *word;
    size_t words;  /* of the list */
    uint64_t seed; /* of the typos */
    int together; /* tokens that are computed at once, between two looks at cancel; 0: 1024. At least one input is */
    const atomic_bool *cancel; /* NULL: never */
    void (*progress)(void *ctx, int done,
                     int all); /* variants asked so far; NULL: nobody asks. On the calling thread */
    void *ctx;
};

/* A variant, and what the model says of it. */
struct bt_variant {
    enum bt_vary kind;
    char *text;        /* the whole varied text */
    char *what;        /* what is different: "film → movie", "− very" */
    size_t begin, end; /* bytes of the text as it was … */
    size_t put;        /* … in whose place so many bytes of the new one stand */
    char *said;        /* what the model decides for */
    bool
        flipped; /* something else than before: of entities another type or extent of one that is still there, one more or one less;
                        * of answers another place of the passage */
    char *
        of; /* the label, entity, answer or word whose score changes most; NULL: of a number, or where nothing can be compared */
    double before, after; /* its score: a probability; of a regression the number */
    double change;        /* |after − before| */
};

struct bt_variants {
    char *text; /* that was varied */
    char *said; /* what the model decides for as it stands */
    double
        score; /* its probability (the least where it decides for several things); of a regression the number */
    struct bt_variant *item; /* [n], the largest change first */
    size_t n, flipped;
    bool more;     /* than BT_VARIANTS */
    bool own_head; /* swaps are those of the checkpoint's MLM head, else of the embeddings' neighbours */
    bool
        lower_case; /* the tokenizer makes all letters small: case cannot change anything, and is not tried */
    int64_t passes; /* inputs that went through the model, those of its MLM head among them */
};

/* One input. The predictor is in use meanwhile. BT_INVALID: no such text, or nothing to vary in it. BT_CANCELLED: cancel became true. */
enum bt_status bt_vary(struct bt_predictor *p, const struct bt_input *in, const struct bt_vary_spec *spec,
                       struct bt_variants **out, struct bt_error *err);
void bt_variants_free(struct bt_variants *v); /* NULL is fine */

/* ── the fewest words (HotFlip: Ebrahimi, Rao, Lowd & Dou 2018) ── */

/* Zero is: the text, until the model decides for anything else. */
struct bt_flip_spec {
    int field;
    const char *
        target; /* of one label the one to be reached, of a set the one that is to come or go; NULL: any. Other tasks have none */
    int64_t word; /* of tags and masks: which word's, as in struct bt_explain_spec */
    int most;     /* words that are replaced; 0: BT_FLIP_WORDS */
    int tries;    /* replacements that are tried for each; 0: BT_FLIP_TRIES */
    double
        similarity; /* of a word's embedding to that of its replacement, at least (cosine); 0: any word of the vocabulary may come */
    int together;
    const atomic_bool *cancel;
    void (*progress)(void *ctx, int done, int all); /* words replaced so far, of the most that there may be */
    void *ctx;
};

/* One replacement. */
struct bt_flip_word {
    char *from, *to;
    size_t begin, end; /* bytes of the text as it was */
    double
        estimate; /* of the change of the score: (embedding of to − of from) · gradient, at the text as it was then */
    double score; /* what it became */
};

struct bt_flip {
    char *text, *said; /* as it stands */
    char *of;          /* whose score is driven: of what the model decides for, or of the target */
    double score;
    char *new_text, *new_said; /* with all replacements */
    double new_score;
    bool flipped;              /* false: the words that were allowed did not suffice */
    struct bt_flip_word *word; /* [n] in the order in which they were replaced */
    size_t n, undone; /* undone: replacements that turned out not to be needed, and are not among them */
    int64_t tried;    /* variants that were asked */
    int64_t passes, gradients; /* inputs that went through the model forwards, and backwards too */
};

/* Greedy: the gradient estimates every replacement of a word by a word of the vocabulary, the best are asked, the best of these stays; then those that
 * are not needed are undone. BT_INVALID: a number has no label to change; no such target or word; nothing to vary. */
enum bt_status bt_flip_find(struct bt_predictor *p, const struct bt_input *in,
                            const struct bt_flip_spec *spec, struct bt_flip **out, struct bt_error *err);
void bt_flip_free(struct bt_flip *f); /* NULL is fine */

#endif
