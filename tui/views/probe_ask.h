/* The asking half of the Probe view: models that stay open, and what they say to a text. No terminal.
 *
 * Everything here may be slow and runs on a worker, one call at a time for each cache. The caller frees what it gets. */
#ifndef TUI_VIEWS_PROBE_ASK_H
#define TUI_VIEWS_PROBE_ASK_H

#include <bertty/error.h>
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
    char *text, *pair; /* owned; pair NULL: a single text */
};
void probe_wish_free(struct probe_wish *w); /* w itself too; NULL is fine */

struct probe_answer {
    int64_t step; /* the checkpoint's */
    char **label; /* [n], owned */
    float *score; /* [n] probabilities */
    int n, predicted;
    int tokens; /* with [CLS] and [SEP], after cutting */
    int most;   /* tokens that the model takes */
    bool truncated;
    double ms;   /* of the answer alone */
    char *error; /* why there is none, or NULL */
};

struct probe_found {
    struct probe_answer answer[PROBE_MODELS];
    size_t n;
    bool wants_pair; /* the first run was trained on pairs */
    char *
        pieces; /* of the text, as the first model sees them: "the film ##s", "│" where it is cut; NULL: none */
    int64_t *saved; /* checkpoints of the first run, ascending */
    size_t n_saved;
};
void probe_found_free(struct probe_found *f); /* NULL is fine */

struct probe_cache;
struct probe_cache *probe_cache_new(void);
void probe_cache_free(struct probe_cache *c);

/* Opens what is not open yet, closes what is no longer asked for, and answers. NULL: no memory, or cancelled. An empty text gives answers
 * without scores (n = 0): the models are open then. */
struct probe_found *probe_ask(struct probe_cache *c, const struct probe_wish *w, const atomic_bool *cancel);

#endif
