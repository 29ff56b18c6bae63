/* What counterfactuals are made of: an input with a text that varies, its words, its variants, and how two answers differ. */
#ifndef BERTTY_EXPLAIN_VARY_H
#define BERTTY_EXPLAIN_VARY_H

#include "explain/said.h"
#include <bertty/counterfactual.h>

/* ── an input of which one text varies ── */

struct bt__varying {
    struct bt_predictor *p;
    const struct bt_input *in;
    int field, task;
    const char *text; /* that varies, NUL-terminated; owned */
    int together;     /* tokens */
    const atomic_bool *cancel;
    void (*progress)(void *ctx, int done, int all); /* NULL: nobody asks */
    void *ctx;
    int done, all;  /* of the inputs that progress is about */
    int64_t passes; /* inputs asked so far */
};
/* BT_INVALID: no such text, or an empty one. End in any case. */
enum bt_status bt__vary_begin(struct bt__varying *v, struct bt_predictor *p, const struct bt_input *in,
                              int field, struct bt_error *err);
void bt__vary_end(struct bt__varying *v);
enum bt_status bt__vary_cancelled(const struct bt__varying *v, struct bt_error *err); /* BT_OK: go on */
/* The input with another text; part [in->parts] is the caller's. */
struct bt_input bt__vary_input(const struct bt__varying *v, const char *text, struct bt_part *part);
/* What the model says of n texts, each in the place of the one that varies, into said [n], which is freed by the caller in any case. */
enum bt_status bt__vary_ask(struct bt__varying *v, const char *const *text, size_t n, struct bt__said *said,
                            struct bt_error *err);

/* ── words ── */

/* A word of a text: what stands between blanks and punctuation, "don't" and "well-made" as one. */
struct bt__span {
    size_t begin, end; /* bytes */
    bool letters;      /* or digits; false: punctuation, or a token such as [MASK], which are left alone */
};
struct bt__spans {
    struct bt__span *item;
    size_t n;
};
/* The caller frees s->item. */
enum bt_status bt__spans_of(const struct bt_tokenizer *t, const char *text, struct bt__spans *s,
                            struct bt_error *err);

/* ── variants ── */

struct bt__edits {
    const char *text; /* that is varied; borrowed */
    struct bt_variant *item;
    size_t n, cap;
    bool more, failed; /* failed: no memory */
};
/* The text with put in the place of [begin, end), unless it is there already or is the text itself. what NULL: made from the two. */
void bt__edits_add(struct bt__edits *e, enum bt_vary kind, size_t begin, size_t end, const char *put,
                   const char *what);
void bt__variant_free(struct bt_variant *v);

/* All variants of a kind. */
void bt__vary_drop(struct bt__edits *e, const struct bt__spans *s);
void bt__vary_negate(struct bt__edits *e, const struct bt__spans *s);
void bt__vary_typos(struct bt__edits *e, const struct bt__spans *s, uint64_t seed);
void bt__vary_case(struct bt__edits *e, const struct bt__spans *s);
void bt__vary_list(struct bt__edits *e, const struct bt__spans *s, const char *const *word, size_t words);
/* With the checkpoint's MLM head, else with the nearest embeddings. */
enum bt_status bt__vary_swaps(struct bt__edits *e, const struct bt__spans *s, struct bt__varying *v,
                              bool *own_head, struct bt_error *err);

/* ── the vocabulary's words ── */

/* The pieces that are whole words of letters, and the lengths of all embeddings. The caller frees with bt__lexicon_free(). */
struct bt__lexicon {
    const struct bt_predictor *p; /* borrowed */
    int32_t *id;                  /* [n] */
    size_t n;
    float *length; /* [vocab] of the embeddings */
};
enum bt_status bt__lexicon_make(struct bt__lexicon *x, const struct bt_predictor *p, struct bt_error *err);
void bt__lexicon_free(struct bt__lexicon *x);
/* Products of the vectors [n, H] with the embeddings of all pieces, into out [n, vocab]. */
void bt__lexicon_products(const struct bt__lexicon *x, const float *vector, int n, float *out);
/* The mean embedding of the pieces [n] into out [H]. */
void bt__lexicon_mean(const struct bt__lexicon *x, const int32_t *id, size_t n, float *out);
/* How the word would be written here: a capital where it takes the place of one and the tokenizer does not mind. The caller frees; NULL: no memory. */
char *bt__lexicon_written(const struct bt__lexicon *x, int32_t id, const char *from, size_t n);

/* ── differences ── */

/* What was edited in a text: [begin, end) became put bytes. */
struct bt__shift {
    size_t begin, end, put;
};
struct bt__difference {
    bool flipped;
    const char *of; /* borrowed from a or b; NULL: see struct bt_variant */
    double before, after;
};
/* From a to b. shift [n]: the edits of the text that the answers lie in, from the left; none where they lie in another one. */
struct bt__difference bt__said_differ(int task, const struct bt__said *a, const struct bt__said *b,
                                      const struct bt__shift *shift, size_t n);
/* Do the answers lie in the text that varies? */
bool bt__vary_holds_answers(const struct bt__varying *v);
/* Of what the model decides for: the least probability, the number. */
double bt__said_score(int task, const struct bt__said *s);

#endif
