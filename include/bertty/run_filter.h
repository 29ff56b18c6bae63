/* The language that finds runs, for the Runs view and `bertty runs`; and the figures that runs are compared and sorted by.
 *
 *     imdb                     in the id, the name or the state, letters of either case; "two words" in quotes
 *     state:failed  tag:base  note:word  name:x  host:x  error:x        = instead of : is the whole of it (of a tag, both are)
 *     metric>0.8               metric or best, last, loss, step, epoch, progress, speed, left and age in hours; < <= = >= >
 *     accuracy>0.9             any figure: the best value that the run reached; last.accuracy its last one; eval/accuracy, train/grad_norm the whole tag
 *     cfg.learning_rate>=1e-3  any option, cfg.optim.learning_rate too; of words and lists cfg.optim:sgd
 *     /^imdb-.*3f2a$/          a regular expression (bertty/regex.h), of letters of either case, on id and name, or on a field: note:/…/
 *     -WORD   A B   A or B   ( … )      not; both; one of them
 */
#ifndef BERTTY_RUN_FILTER_H
#define BERTTY_RUN_FILTER_H

#include <bertty/run_facts.h>

/* ── a figure of a run ── */

enum bt_run_column {
    BT_RUN_BEST,
    BT_RUN_LAST,
    BT_RUN_LOSS,
    BT_RUN_STEP,
    BT_RUN_EPOCH,
    BT_RUN_PROGRESS, /* share of the steps, 0 … 1 */
    BT_RUN_SPEED,
    BT_RUN_LEFT, /* seconds */
    BT_RUN_AGE,  /* seconds since it was started */
    BT_RUN_UPDATED,
    BT_RUN_COLUMNS
};

struct bt_run_key {
    enum bt_run_column column;      /* BT_RUN_COLUMNS: one of the two below */
    const struct bt_option *option; /* a number of the settings */
    char *figure;                   /* owned: bt_run_key_clear() */
    bool last;                      /* of figure: the last value, not the best */
    double scale;                   /* of a number that is typed: hours are seconds */
};
/* "loss", "cfg.learning_rate", "accuracy", "last.accuracy". Every word that is nothing else is a figure's name. BT_INVALID: cfg.… that is no option. */
enum bt_status bt_run_key_parse(const char *name, struct bt_run_key *out, struct bt_error *err);
void bt_run_key_clear(struct bt_run_key *k);
unsigned bt_run_key_need(const struct bt_run_key *k); /* BT_FACTS_… */
/* now: seconds since 1970. NaN: the run has none. */
double bt_run_key_number(const struct bt_run_key *k, const struct bt_run_status *s,
                         const struct bt_run_facts *f, double now);
double bt_run_number(enum bt_run_column column, const struct bt_run_status *s, double now);
/* Is the least what one looks for first? (loss, left, age, figures that are better when they are less, settings) */
bool bt_run_key_falls(const struct bt_run_key *k);
/* BT_NOTFOUND: no run has a figure of that name; the nearest is told. */
enum bt_status bt_run_key_check(const struct bt_run_key *k, const struct bt_facts *facts,
                                struct bt_error *err);

/* ── the filter ── */

struct bt_run_filter;

/* The names of the built-in figures, as they are offered; NULL at the end. */
const char *const *bt_run_key_names(void);

/* An empty text lets everything through. BT_INVALID: which word is not understood, and why. */
enum bt_status bt_run_filter_parse(const char *text, struct bt_run_filter **out, struct bt_error *err);
void bt_run_filter_free(struct bt_run_filter *f);
/* What must be known of each run for it: BT_FACTS_… */
unsigned bt_run_filter_need(const struct bt_run_filter *f);
/* It asks for the tag `hidden`: such runs are not to be left out beforehand. */
bool bt_run_filter_hidden(const struct bt_run_filter *f);
/* When the figures are known: BT_NOTFOUND for a name that no run has. */
enum bt_status bt_run_filter_check(const struct bt_run_filter *f, const struct bt_facts *facts,
                                   struct bt_error *err);
bool bt_run_filter_match(const struct bt_run_filter *f, const struct bt_run_status *s,
                         const struct bt_run_facts *facts, double now);

/* Appends what the last word of `before` may become, each the whole text with it, ended by \n: fields, states, options and their choices, tags, names of figures. facts: NULL
 * while nothing is known. */
void bt_run_filter_complete(const char *before, const struct bt_run_list *runs, const struct bt_facts *facts,
                            struct bt_str *out);

#endif
