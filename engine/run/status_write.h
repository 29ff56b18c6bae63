/* status.json as the engine writes it: replaced atomically, at each change of the state and else at most twice a second. */
#ifndef BERTTY_RUN_STATUS_WRITE_H
#define BERTTY_RUN_STATUS_WRITE_H

#include "run/kills.h"
#include "run/proc.h"
#include "run/rundir.h"
#include <bertty/run.h>

struct bt__status {
    enum bt_run_state state;
    int64_t step, total;
    double epoch, epochs;
    double tokens_per_s, eta_s, train_loss; /* NaN: not known */
    const char *name, *metric,
        *baseline;     /* borrowed; metric NULL: no evaluation; baseline NULL: a model is trained */
    double best, last; /* NaN: none */
    int64_t best_step, last_step; /* −1: none */
    double started;
    bool steered;
    char error[512]; /* the last error or warning, "" if there was none */
    struct bt__proc proc;
    struct bt__kills kills;
    double written; /* bt__clock() of the last write */
};

/* Nothing known yet; the process is this one. */
void bt__status_begin(struct bt__status *s);
/* now false: only if the last one was half a second ago. A failure is no reason to stop a run: the next one tries again. */
void bt__status_write(struct bt__status *s, const struct bt__rundir *r, bool now);
/* For states that have to survive a crash: fsynced, and a failure is told. */
enum bt_status bt__status_store(const struct bt__status *s, const struct bt__rundir *r, struct bt_error *err);
/* The figures of a status that was read, with its name and its metric (borrowed from it). */
void bt__status_figures(struct bt__status *s, const struct bt_run_status *from);

#endif
