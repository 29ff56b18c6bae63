/* The two halves of a search for the fewest words: which replacements the gradient speaks for (flip_estimate.c), and the search (flip.c). */
#ifndef BERTTY_EXPLAIN_FLIPS_H
#define BERTTY_EXPLAIN_FLIPS_H

#include "explain/parts.h"
#include "explain/vary.h"

/* A replacement that may be made. */
struct bt__candidate {
    size_t begin, end; /* bytes of the text as it is now */
    int32_t id;        /* the piece that comes */
    double estimate;   /* of the change of F */
};

/* The best so far. */
struct bt__candidates {
    struct bt__candidate *item; /* [n], the best first; owned by the caller */
    int n, most;
    bool rising; /* F is to rise; else to fall */
};

struct bt__estimating {
    const struct bt__lexicon *lexicon;
    int field;
    double similarity;
    const struct bt__shift
        *fixed; /* [n_fixed] parts of the text as it is now, [begin, begin + put), that stay */
    size_t n_fixed;
};

/* (embedding of the new − of the old) · ∂F/∂embedding for every word of the field and every word of the vocabulary, at the sequence that w is about: one
 * pass forward and backward. Of a word with several pieces the old ones all go, and the new one comes at the place of the first. */
enum bt_status bt__flip_estimate(struct bt__explaining *w, const struct bt__estimating *how,
                                 struct bt__candidates *best, struct bt_error *err);

#endif
