/* The Probe view's state, shared by its files: probe.c (what happens), probe_draw.c (how it looks), probe_tell.c (answers in the form
 * of their task), and what stands below or beside the answers, of which one is shown: probe_kept.c (texts that were kept), probe_why.c (explanations),
 * probe_vary.c (counterfactuals), probe_near.c (neighbours), probe_context.c (a word's vectors), probe_sets.c (probe sets), probe_branches.c (the tree of
 * edits). */
#ifndef TUI_VIEWS_PROBE_VIEW_H
#define TUI_VIEWS_PROBE_VIEW_H

#include "tui/edit.h"
#include "tui/list.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/views/probe_score.h"
#include "tui/views/probe_tree.h"
#include "tui/views/probe_work.h"
#include <bertty/counterfactual.h>

enum probe_pane { PROBE_TEXT, PROBE_PAIR, PROBE_KEPT, PROBE_PANES };

/* A text that was kept, with the first model's answer at that time. */
struct probe_kept {
    char *text, *pair; /* pair NULL: single */
    char *label;       /* NULL: there was no answer */
    double score;      /* of the first that was chosen; NaN: a number */
    int64_t step;
};

/* What stands below or beside the answers. */
enum probe_below {
    BELOW_KEPT,
    BELOW_WHY,
    BELOW_VARY,
    BELOW_NEAR,
    BELOW_CONTEXT,
    BELOW_SETS,
    BELOW_TREE,
    BELOWS
};

struct probe_view;
struct probe_below_ops {
    void (*draw)(struct view *v, struct rect r);
    bool (*act)(struct view *v, int action, int count);   /* motions and Enter; false: not for it */
    void (*mouse)(struct view *v, const struct event *e); /* within it */
    void (*hints)(const struct view *v, struct bt_str *out);
    const char *(*copied)(const struct view *v); /* what y copies; NULL: nothing */
};
extern const struct probe_below_ops probe_below_kept, probe_below_why, probe_below_vary, probe_below_near,
    probe_below_context, probe_below_sets, probe_below_tree;
/* Shows that one, with its keys; shown already: the kept texts again. */
void probe_below_show(struct view *v, enum probe_below which);
const struct probe_below_ops *probe_below_ops(const struct view *v); /* of the one that is shown */
/* Something else is asked: what is computed is of no use any more. typing: and it will go on changing. */
void probe_below_changed(struct probe_view *s, bool typing);
void probe_below_due(
    struct probe_view *s); /* an answer changed: what was computed about it has to be again */
/* Starts what is due of the one that is shown. */
void probe_below_go(struct view *v);
void probe_below_tick(struct view *v);

/* Why the first model says what it says: probe_why.c. */
struct probe_why {
    struct probe_work work;     /* found: struct probe_explained */
    struct bt_explain_spec how; /* its target is ours */
    struct sheet sheet;
};

/* What would change what it says: probe_vary.c. */
struct probe_vary {
    struct probe_work work; /* found: struct probe_varied */
    bool flip;              /* the fewest words, not the list of variants */
    unsigned kinds;         /* as in struct bt_vary_spec */
    char *words;            /* of a list, between commas; owned, may be NULL */
    struct list list;
    struct sheet sheet;
};

/* The training rows nearest to the text: probe_near.c. */
struct probe_near {
    struct probe_work work;  /* found: its own */
    struct probe_rows *rows; /* of the checkpoint that was asked last; NULL: none yet */
    struct making *making;   /* of others; NULL: no */
    struct bt_error err;     /* why there are none */
    struct list list;
    struct sheet sheet;
};

/* A word in the text and in a kept one: probe_context.c. */
struct probe_context {
    struct probe_work work; /* found: struct probe_layers */
    char *word;             /* that was chosen; owned, NULL: none was */
    struct list list;
    struct sheet sheet;
};

/* Saved inputs with expectations: probe_sets.c. */
enum { PROBE_SET_COLUMNS = 6 };
struct probe_sets {
    struct probe_work work; /* found: struct probe_scored */
    bool wanted; /* they were looked at: from then on they are scored whenever a model has a new checkpoint */
    bool again;  /* the files are to be read again */
    bool fill;   /* the first run's other checkpoints are the next to be scored */
    char *open;  /* path of the set whose probes are shown; NULL: the sets are */
    struct list list, outer;                      /* of what is shown; of the sets meanwhile */
    struct list_column column[PROBE_SET_COLUMNS]; /* a set's; the first is as wide as there are models */
    struct sheet sheet;
};

/* The texts that were asked: probe_branches.c. */
struct probe_branches {
    struct probe_tree tree;
    bool due;                   /* the text as it is, or its answer, is not noted yet */
    int wait;                   /* ticks until nobody types any more */
    struct probe_branch *order; /* [n_order] owned */
    size_t n_order;
    struct list list;
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
    enum probe_below below;
    int field; /* the text that was typed in last: PROBE_TEXT or PROBE_PAIR */
    struct probe_why why;
    struct probe_vary vary;
    struct probe_near near;
    struct probe_context context;
    struct probe_sets sets;
    struct probe_branches branches;
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
void probe_kept_drop(struct view *v);
void probe_kept_free(struct probe_view *s);

/* What is asked, of which runs; NULL: no memory, or no run. */
struct probe_wish *probe_wish_of(const struct view *v);

/* They become the text. pair NULL: none. */
void probe_take_text(struct view *v, const char *text, const char *pair);

void probe_why_method(struct view *v); /* chosen from a list, as the next */
void probe_why_target(struct view *v);
void probe_why_words(struct view *v);                       /* pieces or words */
void probe_why_of(struct view *v);                          /* logit or probability */
void probe_why_look(struct view *v, int layers, int heads); /* attention, so many on */
void probe_why_open(struct probe_view *s);
void probe_why_free(struct probe_view *s);

void probe_vary_show(struct view *v, bool flip);
void probe_vary_kinds(struct view *v); /* chosen from a list */
void probe_vary_open(struct probe_view *s);
void probe_vary_free(struct probe_view *s);

void probe_near_open(struct probe_view *s);
void probe_near_free(struct probe_view *s);
void probe_context_open(struct probe_view *s);
void probe_context_free(struct probe_view *s);

void probe_sets_show(struct view *v);
/* Is there something to score that is not under way? Decides what. */
bool probe_sets_due(struct probe_view *s);
/* What is computed will have to be done again. */
void probe_sets_changed(struct probe_view *s, bool typing);
void probe_sets_open(struct probe_view *s);
void probe_sets_free(struct probe_view *s);

void probe_branches_show(struct view *v);
void probe_branches_changed(struct probe_view *s, bool typing);
void probe_branches_tick(struct view *v);
void probe_branches_open(struct probe_view *s);
void probe_branches_free(struct probe_view *s);
void probe_branches_keep(const struct view *v, struct bt_json_writer *w);
void probe_branches_restore(struct view *v, const struct bt_json *kept);

void probe_draw(struct view *v, struct rect area);

#endif
