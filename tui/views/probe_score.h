/* Probe sets for the Probe view: found, and scored for the models that are shown. No terminal; everything here may be slow and runs on a worker. */
#ifndef TUI_VIEWS_PROBE_SCORE_H
#define TUI_VIEWS_PROBE_SCORE_H

#include "tui/views/probe_ask.h"
#include <bertty/probe_set.h>

enum { PROBE_SETS = 100 /* files, at most */ };

/* A file. */
struct probe_scored_set {
    char *path;
    struct bt_probe_set *set; /* NULL: error says why */
    char *error;
    struct bt_probe_results *of[PROBE_MODELS]; /* NULL: fault says why */
    char *fault[PROBE_MODELS];
    struct bt_probe_history *history; /* of the first run; NULL: there is none that can be read */
    struct bt_probe_flip *flip;       /* [n_flips] of it */
    size_t n_flips;
};

/* All of them, as of one look; owns all that hangs on it. */
struct probe_scored {
    struct probe_scored_set *set; /* [n] by path */
    size_t n;
    size_t models;
    int64_t step[PROBE_MODELS]; /* that was asked; −1: none */
    char *dir[PROBE_MODELS];
    bool missing; /* checkpoints of the first run are not in the histories yet */
    bool filled;  /* those were scored, as far as that was possible */
    char *
        trouble; /* why results could not be kept, or a checkpoint not be scored; NULL: nothing was in the way */
};
void probe_scored_free(struct probe_scored *x); /* NULL is fine */

/* Every set (*.probe.yaml in experiments and in the working directory) for the wish's models; what they say is kept in their runs. fill: the first run's
 * checkpoints that are not known yet are scored before, the newest first. NULL: no memory, or stop was set. progress: of those checkpoints. */
struct probe_scored *probe_score(struct probe_cache *c, const struct probe_wish *w, bool fill,
                                 const atomic_bool *stop, void (*progress)(void *ctx, int done, int all),
                                 void *ctx);

#endif
