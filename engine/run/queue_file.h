/* The queue of a runs directory, and what of it survives a crash.
 *
 * What is queued. A queued run is an ordinary run directory in the state `queued`, with its resolved experiment.yaml: made when it was queued, so
 * that an edit of the file it came from changes nothing. Its own status.json says that it is queued, and nothing else does; a lost or stale list cannot lose a
 * run or run one twice. A run that has ended may be queued again: it has run.json and checkpoints, and goes on from the newest.
 *
 * Order and limit stand in RUNS/.queue.json (no run can have that name): {"limit": 1, "held": false, "order": ["id", …]}. It is replaced atomically and fsynced. Ids in it
 * that are not queued mean nothing; queued runs that it does not name come last, in the order in which they were queued. Without the file the limit is
 * 1. A damaged file is an error that names it, not a limit that nobody has set.
 *
 * The lock. Who changes the queue or takes from it holds flock() on RUNS/.queue.lock. The kernel gives it up when its holder dies, on NFS (where Linux makes it a lock of the
 * server's) too; where a file system has no locks, queueing is refused. What a holder does takes milliseconds, but for a start: it waits until the new engine
 * has announced itself, a minute at most.
 *
 * Taking. Under the lock: list the runs, count those with an engine on this machine, and while they are fewer than the limit start the first
 * queued run as a detached process, `train --resume RUN --queued=BY`. That engine locks its run's control file, looks again whether the run is still queued, writes
 * the state `starting` with its own pid, and only then announces itself and reads the data. So the run's own lock decides:
 *   - a taker that is killed before the engine exists leaves the run queued; the lock is free;
 *   - one that is killed after it leaves an engine that takes the run all the same; a second taker that starts another one for it hears that the run is busy, or no
 *     longer queued;
 *   - an engine that is killed before it wrote `starting` leaves the run queued, one that is killed later leaves it lost, with a cause, and the next one is taken;
 *   - data or a model that has gone is found by the engine: the run has failed, with the reason, and that engine takes the next as at every end.
 *
 * Who takes: an engine at its end (finished, stopped, failed, diverged; one that SIGTERM or a hang-up ends does not: the machine may be going down), whoever
 * queues, changes the limit or lets a held queue go, `bertty queue run`, and a workbench whenever it sees that there is room. All may come at
 * once. A machine takes what was queued on it: a workbench on another one that sees the directory over NFS starts nothing there. */
#ifndef BERTTY_RUN_QUEUE_FILE_H
#define BERTTY_RUN_QUEUE_FILE_H

#include "run/rundir.h"
#include <bertty/run.h>

/* Zero-initialise; freed with bt__queue_file_clear(). */
struct bt__queue_file {
    int64_t limit; /* 1 … BT_QUEUE_MOST */
    bool held;
    char **id; /* [n], each a possible name of a run */
    size_t n;
};
/* What the file says; the defaults if there is none. BT_INVALID: damaged. */
enum bt_status bt__queue_file_read(const char *runs_dir, struct bt__queue_file *out, struct bt_error *err);
enum bt_status bt__queue_file_write(const char *runs_dir, const struct bt__queue_file *f,
                                    struct bt_error *err);
void bt__queue_file_clear(struct bt__queue_file *f);
/* Replaces the ids by copies of those given. */
enum bt_status bt__queue_file_order(struct bt__queue_file *f, const struct bt_run_status *const *run,
                                    size_t n, struct bt_error *err);

/* Sets place, from 1, of the queued runs of a list. A file that cannot be read counts as none. */
void bt__queue_places(const char *runs_dir, struct bt_run_list *list);

/* A new run that is queued, written whole before it says so: x is resolved. more (or NULL): a file that lies beside its experiment from the beginning. Under the queue's lock;
 * the order is the caller's. *out: locked, freed with bt__rundir_free(). */
struct bt__queue_file_more {
    const char *name;
    struct bt_str *text;
};
enum bt_status bt__queue_make(const char *runs_dir, struct bt_experiment *x, const char *name,
                              const struct bt__queue_file_more *more, struct bt__rundir **out,
                              struct bt_error *err);
/* Likewise a run that has ended, to go on: s is how it stands. */
enum bt_status bt__queue_return(const struct bt_run_status *s, const char *why, struct bt_error *err);

/* Locks the queue: *fd is closed to give it up. The directory is made if it is missing. BT_BUSY: somebody else had it for patience_s. */
enum bt_status bt__queue_lock(const char *runs_dir, double patience_s, int *fd, struct bt_error *err);
/* Has the directory ever had a queue? */
bool bt__queue_exists(const char *runs_dir);

#endif
