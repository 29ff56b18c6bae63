/* The queue of a runs directory: runs that wait for others to end. It has no daemon: whoever ends a run, queues one or looks at the directory may take
 * the next one (engine/run/queue_file.h tells how). Calls read files and may wait for the queue's lock: a screen makes them on a worker. */
#ifndef BERTTY_QUEUE_H
#define BERTTY_QUEUE_H

#include <bertty/experiment.h>
#include <bertty/run.h>

enum { BT_QUEUE_MOST = 64 }; /* runs at a time: the limit's largest value */

struct bt_queue {
    int64_t limit;                    /* so many runs at a time on a machine, 1 … BT_QUEUE_MOST */
    bool held;                        /* nothing is taken */
    size_t alive;                     /* runs of this machine that have an engine, queued once or not */
    const struct bt_run_status **run; /* [n] what waits, in order; borrowed from all */
    size_t n;
    struct bt_run_list all; /* the runs directory */
};
/* Freed with bt_queue_clear(), also after a failure. BT_INVALID: the queue's file is damaged. A directory that is not there has an empty queue. */
enum bt_status bt_queue_load(const char *runs_dir, struct bt_queue *out, struct bt_error *err);
void bt_queue_clear(struct bt_queue *q);
/* Limit and hold alone: one small file. */
enum bt_status bt_queue_settings(const char *runs_dir, int64_t *limit, bool *held, struct bt_error *err);

/* A new run that waits at the end of its runs directory's queue: x (as loaded, the caller's) is resolved and written now, so that later edits of its file do not change it.
 * name, runs_dir: NULL or as in struct bt_launch. *dir: freed by the caller. */
enum bt_status bt_queue_add(const struct bt_experiment *x, const char *name, const char *runs_dir, char **dir,
                            struct bt_error *err);
/* A run that has ended waits to go on from its newest checkpoint. BT_INVALID: it is finished, queued already, or no run of ours. BT_BUSY: it has an engine. */
enum bt_status bt_queue_again(const char *dir, struct bt_error *err);

enum bt_queue_move { BT_QUEUE_UP, BT_QUEUE_DOWN, BT_QUEUE_FIRST, BT_QUEUE_LAST };
/* *place: where it stands then, from 1; may be NULL. BT_INVALID: the run is not queued. */
enum bt_status bt_queue_move(const char *dir, enum bt_queue_move how, int64_t *place, struct bt_error *err);
/* The run is stopped instead of queued; what it has stays. BT_BUSY: it is just being started. */
enum bt_status bt_queue_remove(const char *dir, struct bt_error *err);
enum bt_status bt_queue_limit(const char *runs_dir, int64_t limit, struct bt_error *err);
enum bt_status bt_queue_hold(const char *runs_dir, bool held, struct bt_error *err);

struct bt_queue_taking {
    const char *runs_dir;
    const char *by; /* who takes, for the log of what is taken: "the workbench" */
    const char *
        ended; /* directory of a run that has just ended: its log tells what became of the queue; NULL: none */
    const char *
        only; /* directory of a queued run that starts now, whatever limit and hold say; NULL: the next ones */
    bool anywhere;       /* also what was queued on another machine */
    double patience_s;   /* for the lock; 0: BT_BUSY at once when somebody else is taking */
    const char *program; /* NULL: /proc/self/exe */
};
struct bt_queue_taken {
    char **dir; /* [n] what was started */
    size_t n;
};
/* Starts queued runs, and trials of studies when none is queued, each as bt_run_launch() does, while fewer than the limit are alive. Of several that call it at once each run is started by one. out is freed
 * with bt_queue_taken_clear(), also after a failure (it tells what was started before). */
enum bt_status bt_queue_take(const struct bt_queue_taking *how, struct bt_queue_taken *out,
                             struct bt_error *err);
void bt_queue_taken_clear(struct bt_queue_taken *t);
/* Is there something in a list of the runs directory that bt_queue_take() would start now? Reads one small file, and that only if a run is queued; where there are
 * studies and room for a run, their files too. */
bool bt_queue_ready(const char *runs_dir, const struct bt_run_list *list);

#endif
