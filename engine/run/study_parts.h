/* How a study is kept, and who does what.
 *
 * RUNS/.studies/NAME/ (no run can lie there) holds
 *   experiment.yaml   what all trials have in common, resolved;
 *   study.json        the trials with their settings and their runs' names, and the rules: replaced atomically, and written when the study is made, added to, held or let go;
 *   results.jsonl     what came of them: a line for every evaluation of a trial and for every decision, appended under the lock of the study's directory and fsynced before
 *                     anything follows from it. A line that a crash has torn is passed over.
 *
 * A trial is an ordinary run with the name that study.json has for it, and trial.json, which names the study and the number. Its state is that of its run: nothing else tells whether it has
 * been run, so that none can be lost or run twice. A run of that name without status.json is what a crash left of its making, and is made anew.
 *
 * Feeding. Studies have no process. Whoever takes from the queue (queue_file.h) and finds room and nothing queued asks the studies, the oldest first, under the queue's lock: a trial that was lost is queued again, then one
 * that has turned out to be among the best of its rung, else the next one that was planned is made. So a study uses what people leave free.
 *
 * Deciding. After an evaluation of the plan the trial's engine appends the figures and decides by the rules, under the lock: go on, wait at the rung (a checkpoint, then the end of the
 * process), or stop. Whether one that waits goes on is decided when the study is fed; the decision is written before it is queued.
 *
 * Locks: the queue's, then the study's; an engine takes the study's alone. */
#ifndef BERTTY_RUN_STUDY_PARTS_H
#define BERTTY_RUN_STUDY_PARTS_H

#include <bertty/study.h>

/* RUNS/.studies/NAME[/file]; file NULL: the directory. The caller frees; NULL without memory. */
char *bt__study_path(const char *runs_dir, const char *name, const char *file);
enum bt_status bt__study_lock(const char *runs_dir, const char *name, int *fd, struct bt_error *err);
/* study.json alone: no figures, all trials planned. */
enum bt_status bt__study_read(const char *runs_dir, const char *name, struct bt_study *out,
                              struct bt_error *err);
enum bt_status bt__study_write(const struct bt_study *s, struct bt_error *err);
/* Under the queue's lock. why: NULL where a person asked for it. */
enum bt_status bt__study_hold(const char *runs_dir, const char *name, bool held, const char *why,
                              struct bt_error *err);
/* results.jsonl: the reports, and what follows from them for the trials' figures. No file: none. */
enum bt_status bt__results_read(struct bt_study *s, struct bt_error *err);
/* Takes one more into account, as if it had been read. */
enum bt_status bt__results_take(struct bt_study *s, const struct bt_trial_report *r, struct bt_error *err);
enum bt_status bt__results_append(const struct bt_study *s, const struct bt_trial_report *r,
                                  struct bt_error *err);
/* The states, from the runs. */
enum bt_status bt__study_states(struct bt_study *s, const struct bt_run_list *runs, struct bt_error *err);

/* ── the rules: study_rules.c ── */

/* The share of the steps at which rung r (0: the lowest) lies, 0 … 1. */
double bt__rung_share(const struct bt_study *s, int r);
/* The highest rung that lies at or below the step; −1: none. The end is no rung. */
int bt__rung_of(const struct bt_study *s, int64_t step, int64_t total);
/* Is trial i among the best 1/reduction_factor of those that have reached rung r? (Failed ones count, as the worst.) */
bool bt__among_best(const struct bt_study *s, size_t i, int r);
/* A trial that waits and is among the best of its rung; the highest rung first, then the best. −1: none. */
ptrdiff_t bt__promotable(const struct bt_study *s);
/* Trial i has fallen behind: its best is worse than the median of the others' running means at the same share of the steps. */
bool bt__below_median(const struct bt_study *s, size_t i);

/* ── feeding: study_feed.c; the queue's lock is held ── */

/* Queues at most one trial. *fed: one was. */
enum bt_status bt__study_feed(const char *runs_dir, const struct bt_run_list *runs, bool *fed,
                              struct bt_error *err);
/* Has the directory ever had a study? */
bool bt__studies_exist(const char *runs_dir);
/* Would bt__study_feed() queue something? False if that cannot be told. */
bool bt__study_hungry(const char *runs_dir, const struct bt_run_list *runs);

#endif
