/* Why a model says what it says: how much each token or word of an input adds to one number F that the model computes.
 *
 * F is the logit of what is asked about, or its probability: of a label, of a word's tag, of an answer (the logits of its beginning and its end), of a
 * choice, of a word for a [MASK]; of a regression the number itself. It is computed without dropout. Gradients go to the rows of the word embeddings
 * that the input reads; positions, segments and the sequence's length stay as they are.
 *
 * A text that the model reads in windows is explained in one of them: the one that speaks most for the target, or that its answer or word is read in. */
#ifndef BERTTY_EXPLAIN_H
#define BERTTY_EXPLAIN_H

#include <bertty/predictor.h>

enum bt_explain_method {
    BT_EXPLAIN_GRADIENT,   /* gradient × input (Shrikumar et al. 2016) */
    BT_EXPLAIN_INTEGRATED, /* integrated gradients (Sundararajan, Taly & Yan 2017) */
    BT_EXPLAIN_OCCLUSION,  /* F of the input − F without the token or word */
    BT_EXPLAIN_ATTENTION,  /* what the tokens that F is read at look at in one layer */
    BT_EXPLAIN_ROLLOUT,    /* the same through all layers (Abnar & Zuidema 2020) */
    BT_EXPLAIN_METHODS
};
enum bt_explain_of { BT_EXPLAIN_LOGIT, BT_EXPLAIN_PROBABILITY, BT_EXPLAIN_OFS };
/* What integrated gradients start from: [CLS] [PAD]… [SEP] ([MASK]s that are asked about stay), or word vectors of zeros. */
enum bt_explain_baseline { BT_EXPLAIN_PAD, BT_EXPLAIN_ZERO, BT_EXPLAIN_BASELINES };
/* Where on the way from there to the input: Gauss–Legendre's points, or evenly with both ends. */
enum bt_explain_rule { BT_EXPLAIN_GAUSS, BT_EXPLAIN_TRAPEZOID, BT_EXPLAIN_RULES };
/* What takes the place of a token: [MASK], [PAD], nothing. A token that F is read at is masked, not deleted. */
enum bt_explain_occlude { BT_EXPLAIN_MASK, BT_EXPLAIN_PADDING, BT_EXPLAIN_DELETE, BT_EXPLAIN_OCCLUDES };

/* By those numbers: "gradient", "integrated", …; "logit", …; "pad", …; "gauss-legendre", …; "mask", … Each list is ended by NULL. */
extern const char *const bt_explain_methods[], *const bt_explain_ofs[], *const bt_explain_baselines[],
                                                                            *const bt_explain_rules[],
                                                                                *const bt_explain_occludes[];

enum {
    BT_EXPLAIN_STEPS = 50,
    BT_EXPLAIN_MOST_STEPS = 800, /* that is usual; more are allowed */
    BT_EXPLAIN_TOGETHER = 1024   /* more are no faster */
};
#define BT_EXPLAIN_TOLERANCE 0.05

/* Zero is a gradient × input of the logit of what the model decides for, by pieces. */
struct bt_explain_spec {
    enum bt_explain_method method;
    enum bt_explain_of of;
    enum bt_explain_baseline baseline;
    enum bt_explain_rule rule;
    enum bt_explain_occlude occlude;
    bool words; /* the pieces of a word together */
    const char *
        target; /* a label, tag, answer, choice (its number from 0, or its text) or word; NULL: what the model decides for */
    int64_t
        word; /* of tags the number of the word, of masks that of the mask, from 1; 0: the first of an entity, the first */
    int steps;        /* integrated: 0: BT_EXPLAIN_STEPS; doubled until the error is at most tolerance … */
    int most_steps;   /* … or more than so many would be taken; 0: BT_EXPLAIN_MOST_STEPS, at least steps */
    double tolerance; /* 0: BT_EXPLAIN_TOLERANCE */
    int layer, head;  /* attention: from 1; 0: the last layer, the mean of all heads */
    int together; /* tokens that are computed at once, between two looks at cancel; 0: BT_EXPLAIN_TOGETHER. At least one sequence is */
    const atomic_bool *cancel; /* NULL: never */
    void (*progress)(void *ctx, int done,
                     int all); /* steps or occlusions so far; NULL: nobody asks. On the calling thread */
    void *ctx;
};

/* A token or a word. */
struct bt_explained {
    char *text;        /* "##ing"; of a word "running" */
    size_t begin, end; /* bytes of the text or the pair that it stands for; both 0: not known */
    double score;      /* what it adds to F; of attention and rollout its share */
    int first, tokens; /* of the sequence */
    bool special;      /* [CLS] or [SEP] */
    bool pair;         /* of the second text */
};

struct bt_explanation {
    struct bt_explained *item; /* [n] in the order of the sequence */
    size_t n;
    char *target;     /* what F speaks for: "pos", "B-PER of word 3", "no answer" */
    bool probability; /* what F is; of a regression always false */
    double value;     /* F of the input */
    double base;      /* integrated: F of the baseline; else NaN */
    double
        error; /* integrated: |F(x) − F(x′) − Σ score| / |F(x) − F(x′)|; NaN: not defined, or another method */
    int steps;         /* integrated: that were taken last; else 0 */
    bool capped;       /* integrated: the error is above the tolerance, but more steps are not allowed */
    int layers, heads; /* of the model */
    int layer, head;   /* attention: which was looked at; head 0: their mean; else 0 */
    double *
        matrix; /* [n, n] attention and rollout: row i is what item i looks at (of a word's pieces the mean); else NULL */
    int choice;          /* of choices the number of the one that was read, from 0; else −1 */
    int tokens;          /* of the sequence */
    bool truncated;      /* the text was cut */
    int window, windows; /* which of the windows that the text is read in, from 1; 1 of 1: all of it is */
};

/* One input. The predictor is in use meanwhile. BT_INVALID: no such target, word, layer or head; there is nothing to explain in an empty text.
 * BT_CANCELLED: cancel became true. The caller frees with bt_explanation_free(). */
enum bt_status bt_explain(struct bt_predictor *p, const struct bt_input *in,
                          const struct bt_explain_spec *spec, struct bt_explanation **out,
                          struct bt_error *err);
void bt_explanation_free(struct bt_explanation *x); /* NULL is fine */

#endif
