/* What the Probe view has its first model compute about the text, once nobody types any more; typing on ends it. One piece of work at a time for each of
 * these, on a worker; everything else is for the thread that draws. */
#ifndef TUI_VIEWS_PROBE_WORK_H
#define TUI_VIEWS_PROBE_WORK_H

#include "tui/view.h"
#include "tui/views/probe_ask.h"

enum {
    PROBE_TOGETHER =
        256 /* tokens computed at once: an answer to the next key waits no longer than these take */
};

/* How a computation goes on. Its progress and stop are handed to the engine. */
struct probe_pace {
    atomic_bool stop; /* its result is of no use any more */
    atomic_int done, all;
    const atomic_bool *cancelled; /* by the workbench; looked at whenever progress is told */
};
void probe_pace_progress(void *pace, int done, int all);

struct probe_work_ops {
    bool always; /* without a text that was answered too */
    /* What is to be computed, copied from the view; NULL: no memory. On the drawing thread. */
    void *(*order)(const struct view *v);
    void (*order_free)(void *order); /* NULL is fine */
    /* The result, or NULL where it was stopped. On a worker. */
    void *(*run)(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace);
    void (*result_free)(void *result); /* NULL is fine */
};

struct probe_work {
    const struct probe_work_ops *ops;
    bool due;              /* what was found is no longer about what is shown */
    int wait;              /* ticks until nobody types any more */
    struct probe_job *job; /* under way; NULL: none */
    void *found;           /* NULL: nothing yet */
};

/* Something else is asked. typing: and it will go on changing. */
void probe_work_changed(struct probe_work *w, bool typing);
void probe_work_stop(struct probe_work *w);
/* Starts what is due. */
void probe_work_go(struct view *v, struct probe_work *w);
/* Twice a second. shown: its progress is to be seen. */
void probe_work_tick(struct view *v, struct probe_work *w, bool shown);
/* Under way and of use: how far it is. */
bool probe_work_progress(const struct probe_work *w, int *done, int *all);
void probe_work_free(struct probe_work *w);

#endif
