/* The Probe view's state, shared by its files: probe.c (what happens), probe_draw.c (how it looks), probe_tell.c (answers in the form
 * of their task), probe_kept.c (texts that were kept), probe_why.c (explanations). */
#ifndef TUI_VIEWS_PROBE_VIEW_H
#define TUI_VIEWS_PROBE_VIEW_H

#include "tui/edit.h"
#include "tui/list.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/views/probe_ask.h"

enum probe_pane { PROBE_TEXT, PROBE_PAIR, PROBE_KEPT, PROBE_PANES };

/* A text that was kept, with the first model's answer at that time. */
struct probe_kept {
    char *text, *pair; /* pair NULL: single */
    char *label;       /* NULL: there was no answer */
    double score;      /* of the first that was chosen; NaN: a number */
    int64_t step;
};

/* Why the first model says what it says, in the place of the kept texts: probe_why.c. */
struct probe_why {
    bool on;
    struct bt_explain_spec how; /* its target is ours */
    bool due;                   /* what was explained is no longer what is shown */
    int wait;                   /* ticks until nobody types any more */
    struct why_job *job;        /* under way; NULL: none */
    struct probe_explained *found;
    struct sheet sheet;
};

enum { PROBE_AUTOMATIC = -4 /* the newest checkpoint of a run that is trained, else the best */ };

struct probe_view {
    struct edit *text, *pair;
    bool pair_shown, pair_decided; /* decided: by the user, no longer by the run */
    int task;                      /* of the first run, BT_TYPE_…; −1: not known yet */
    bool look;                     /* the next question is to look for newer checkpoints */
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
    struct sheet sheet; /* an answer that is being drawn */
    struct probe_why why;
    double least, greatest; /* numbers that were answered since the view was opened; least > greatest: none */
};

/* What a task asks for. */
struct probe_form {
    const char *text, *first,
        *pair;           /* titles of the fields: of a text alone, of the first and of the second of two */
    bool both;           /* never without the second */
    bool lines;          /* of the second one each line is one thing */
    bool passage;        /* the second one is long */
    const char *answers; /* title of the answers */
};
const struct probe_form *probe_form(int task);
/* An answer that is no list of labels with bars, as lines of a sheet; false: it is such a list. text, pair: what was asked. */
bool probe_tell(struct probe_view *s, const struct probe_answer *a, const char *text, const char *pair);

/* The text as it is, with its answer, becomes the newest of those kept. */
void probe_keep(struct view *v);
void probe_kept_put_back(struct view *v); /* the one under the cursor becomes the text */
void probe_kept_drop(struct view *v);
void probe_kept_free(struct probe_view *s);

/* What is asked, of which runs; NULL: no memory, or no run. */
struct probe_wish *probe_wish_of(const struct view *v);

void probe_why_toggle(struct view *v);
void probe_why_method(struct view *v); /* chosen from a list, as the next */
void probe_why_target(struct view *v);
void probe_why_words(struct view *v);                       /* pieces or words */
void probe_why_of(struct view *v);                          /* logit or probability */
void probe_why_look(struct view *v, int layers, int heads); /* attention, so many on */
/* Something else is asked: what is computed is of no use any more. typing: and it will go on changing. */
void probe_why_changed(struct probe_view *s, bool typing);
/* Starts what is due, unless an answer is still under way. */
void probe_why_go(struct view *v);
void probe_why_tick(struct view *v);
void probe_why_draw(struct view *v, struct rect r);
void probe_why_free(struct probe_view *s);

void probe_draw(struct view *v, struct rect area);
struct list_look probe_kept_look(const struct view *v); /* of the kept texts */

#endif
