/* The Probe view's state, shared by its files: probe.c (what happens), probe_draw.c (how it looks), probe_kept.c (texts that were kept). */
#ifndef TUI_VIEWS_PROBE_VIEW_H
#define TUI_VIEWS_PROBE_VIEW_H

#include "tui/edit.h"
#include "tui/list.h"
#include "tui/view.h"
#include "tui/views/probe_ask.h"

enum probe_pane { PROBE_TEXT, PROBE_PAIR, PROBE_KEPT, PROBE_PANES };

/* A text that was kept, with the first model's answer at that time. */
struct probe_kept {
    char *text, *pair; /* pair NULL: single */
    char *label;       /* NULL: there was no answer */
    float score;
    int64_t step;
};

enum { PROBE_AUTOMATIC = -4 /* the newest checkpoint of a run that is trained, else the best */ };

struct probe_view {
    struct edit *text, *pair;
    bool pair_shown, pair_decided; /* decided: by the user, no longer by the run */
    int64_t wish; /* PROBE_AUTOMATIC, BT_STEP_BEST, BT_STEP_LAST or a step: of the chosen run */
    struct probe_cache *cache;
    char *dir[PROBE_MODELS]; /* runs that were asked last */
    size_t n;
    struct probe_found *found; /* NULL: nothing yet */
    bool busy, again;          /* a task is under way; it is to be followed by another one */
    bool stale;                /* the text was edited since found was asked for */
    uint64_t marks;            /* versions that the last question was asked at */
    char *run;                 /* the chosen run then */
    double looked;             /* when checkpoints were last looked for */
    struct probe_kept *kept;
    size_t n_kept;
    struct list list; /* of kept, newest first */
    struct rect at[PROBE_PANES];
};

/* The text as it is, with its answer, becomes the newest of those kept. */
void probe_keep(struct view *v);
void probe_kept_put_back(struct view *v); /* the one under the cursor becomes the text */
void probe_kept_drop(struct view *v);
void probe_kept_free(struct probe_view *s);

void probe_draw(struct view *v, struct rect area);

#endif
