/* The asking half of the Probe view: models that stay open, and what they say to a text. No terminal.
 *
 * Everything here may be slow and runs on a worker, one call at a time for each cache. The caller frees what it gets. */
#ifndef TUI_VIEWS_PROBE_ASK_H
#define TUI_VIEWS_PROBE_ASK_H

#include <bertty/context.h>
#include <bertty/counterfactual.h>
#include <bertty/explain.h>
#include <bertty/neighbours.h>
#include <bertty/str.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROBE_MODELS = 4 /* side by side */ };

/* Which checkpoint of a run: BT_STEP_BEST, BT_STEP_LAST or a step (bertty/run.h). */
struct probe_wish {
    char *dir[PROBE_MODELS]; /* runs, owned */
    int64_t step[PROBE_MODELS];
    size_t n;
    char *text, *pair; /* owned; pair NULL: a single text. Of a question the passage, of choices one a line */
    bool look;         /* for newer checkpoints; else what was found last is asked again */
};
void probe_wish_free(struct probe_wish *w); /* w itself too; NULL is fine */

/* One piece of what a model says; as struct bt_answer. */
struct probe_said {
    char *label; /* owned; NULL: a number alone */
    double score;
    size_t begin, end; /* bytes of the text (of a question: of the passage); both 0: the whole */
    bool chosen;
};

struct probe_answer {
    int64_t step;            /* the checkpoint's */
    int task;                /* BT_TYPE_…; −1: not known */
    struct probe_said *said; /* [n], owned */
    int n;
    double threshold; /* from which a label is given; NaN: the likeliest one is, or each has its own */
    int tokens;       /* with [CLS] and [SEP], after cutting */
    int most;         /* tokens that the model takes */
    bool truncated;
    double ms;   /* of the answer alone */
    char *error; /* why there is none, or NULL */
};

struct probe_found {
    struct probe_answer answer[PROBE_MODELS];
    size_t n;
    char *text, *pair; /* that were answered; owned, pair may be NULL */
    bool wants_pair;   /* the first run was trained on pairs */
    char *
        pieces; /* of the text, as the first model sees them: "the film ##s", "│" where it is cut; NULL: none */
    int64_t *saved; /* checkpoints of the first run, ascending */
    size_t n_saved;
};
void probe_found_free(struct probe_found *f); /* NULL is fine */

/* What one model says in a few words: the labels that it gives, the number, the best answer. Appends; false: it says nothing. */
bool probe_answer_text(const struct probe_answer *a, struct bt_str *out);

/* Why the first model says what it says. */
struct probe_explained {
    struct bt_explanation *x; /* NULL: error says why */
    enum bt_explain_method method;
    char *error;
};
void probe_explained_free(struct probe_explained *e); /* NULL is fine */

/* What would change what it says: variants, or the fewest words. */
struct probe_varied {
    struct bt_variants *variants; /* one of the two; both NULL: error says why */
    struct bt_flip *flip;
    int field; /* the text that is varied: BT_VARY_TEXT, … */
    char *error;
};
void probe_varied_free(struct probe_varied *x); /* NULL is fine */

enum { PROBE_NEAREST = 50 /* training rows */ };

/* A word in two texts. */
struct probe_layers {
    char **word; /* [n] that both have, in the order of the first; NULL where there are none */
    size_t n, chosen;
    int layers;
    struct bt_context_layer *layer; /* [layers + 1] of the chosen one; NULL where there is none */
    char **nearest;                 /* [layers + 1] words of the other text */
    char *error;
};
void probe_layers_free(struct probe_layers *x); /* NULL is fine */

struct probe_cache;
struct probe_cache *probe_cache_new(void);
void probe_cache_free(struct probe_cache *c);

/* The wish's model i, as the last question found it, and its step; borrowed until the next one. NULL: err says why. */
struct bt_predictor *probe_cache_model(struct probe_cache *c, const struct probe_wish *w, size_t i,
                                       int64_t *step, struct bt_error *err);

/* Opens what is not open yet, closes what is no longer asked for, and answers. NULL: no memory, or cancelled. An empty text gives answers
 * without scores (n = 0): the models are open then. */
struct probe_found *probe_ask(struct probe_cache *c, const struct probe_wish *w, const atomic_bool *cancel);
/* Of the wish's first run, which stays open. NULL: no memory, or how->cancel was set. */
struct probe_explained *probe_explain(struct probe_cache *c, const struct probe_wish *w,
                                      const struct bt_explain_spec *how);
/* Likewise; one of the two is asked for, the other NULL. */
struct probe_varied *probe_vary(struct probe_cache *c, const struct probe_wish *w,
                                const struct bt_vary_spec *how, const struct bt_flip_spec *flip);

/* The rows of `among` that are nearest to the text, into to [PROBE_NEAREST] and *n. NULL: they were found, or there is nothing to ask; else why not, for the caller to free. */
char *probe_nearest(struct probe_cache *c, const struct probe_wish *w, const struct bt_vectors *among,
                    struct bt_neighbour *to, size_t *n);
/* The text and another one; word: the one to compare, where both have it (NULL: the longest). NULL: no memory. */
struct probe_layers *probe_layers(struct probe_cache *c, const struct probe_wish *w, const char *text,
                                  const char *pair, const char *word);

/* How many a model may use here: a sentence is soon answered, and others want to work too. */
int probe_threads(void);

#endif
