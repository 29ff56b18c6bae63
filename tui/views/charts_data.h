/* What the Charts view shows: the scalars of some runs, grouped into panels. No drawing, no terminal.
 *
 * Belongs to the thread that draws. A poll (charts_begin → charts_poll on any thread → charts_end) may be under way while the
 * rest is used; only one at a time. Panels and curves are borrowed until the next charts_end() or charts_set_runs(). */
#ifndef TUI_VIEWS_CHARTS_DATA_H
#define TUI_VIEWS_CHARTS_DATA_H

#include "tui/plot.h"
#include "tui/views/charts_info.h"
#include <bertty/events.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum charts_axis { CHARTS_STEP, CHARTS_EPOCH, CHARTS_TOKENS, CHARTS_RELATIVE, CHARTS_WALL, CHARTS_AXES };

struct charts_run {
    char *dir, *id;
    unsigned colour; /* stable as long as the run is shown */
    struct bt_series_reader *reader;
    struct charts_info info;
    char *error;                 /* why it cannot be read, or NULL */
    bool loaded;                 /* everything that was there has been read once */
    struct charts_cache *caches; /* one for each tag that was ever prepared */
    struct charts_run_private *own;
};

struct charts_curve {
    struct charts_run *run;
    const struct bt_series *series;
    bool eval; /* of an evaluation: drawn with marks, never smoothed */
    /* made by charts_prepare() */
    const double *x, *smooth;                        /* n each; smooth is NULL where nothing is smoothed */
    const struct plot_block *blocks, *smooth_blocks; /* NULL: of few points */
    size_t n;
    uint64_t made; /* another number whenever the values that these point to are others */
    struct charts_cache *cache;
};

struct charts_panel {
    const char *name; /* "loss", "accuracy", …: the tag without train/ or eval/ */
    struct charts_curve *curve;
    size_t n;
};

struct charts {
    struct charts_run **run;
    size_t n_runs, cap_runs;
    struct charts_panel *panel;
    size_t n_panels;
    bool busy;   /* a poll is under way */
    size_t turn; /* of the runs that are over: which ones the next poll looks at */
};

/* The runs to show, in this order; those that stay keep their colour and data. False without memory. */
bool charts_set_runs(struct charts *c, const char *const *dirs, size_t n);
void charts_free(struct charts *c); /* not while a poll is under way */

struct charts_poll;
/* Looks at all runs until each has been read, then at those that go on or from which something came lately, and at the others in turn. NULL without memory. */
struct charts_poll *charts_begin(struct charts *c);
/* Any thread. Reads a few megabytes while there is no panel yet, so that a first look comes soon, then many. */
void charts_poll_run(struct charts_poll *p);
/* Takes over what was read and frees p. *more: there is more to be read at once. True if anything to be shown changed. */
bool charts_end(struct charts *c, struct charts_poll *p, bool *more);
/* Something may come of that run, if it is shown. */
void charts_attend(struct charts *c, const char *dir);

/* "eval/loss" → "loss", true in *eval. */
const char *charts_group(const char *tag, bool *eval);

/* Length of what a tag begins with before its name: 4 of "eval/loss", 0 of "loss". */
int charts_split(const char *tag);

#endif
