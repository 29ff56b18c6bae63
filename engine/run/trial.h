/* A run that is a trial of a study (study_parts.h), as its engine sees it. */
#ifndef BERTTY_RUN_TRIAL_H
#define BERTTY_RUN_TRIAL_H

#include <bertty/study.h>

struct bt__trial;

/* Of a run's directory; *out NULL, and BT_OK: it is none. Freed with bt__trial_free(). */
enum bt_status bt__trial_open(const char *dir, struct bt__trial **out, struct bt_error *err);
void bt__trial_free(struct bt__trial *t);                /* NULL is fine */
int64_t bt__trial_number(const struct bt__trial *t);     /* from 1 */
const char *bt__trial_study(const struct bt__trial *t);  /* its name */
const char *bt__trial_metric(const struct bt__trial *t); /* what trials are compared by */

struct bt__trial_answer {
    bool stop;      /* the run ends here, with a checkpoint: for good, or until the study lets it go on */
    char text[200]; /* what was decided and why; "": nothing */
};
/* Tells the study of an evaluation: step, total, tokens, seconds and value of r; the rest is the study's. */
enum bt_status bt__trial_report(const struct bt__trial *t, const struct bt_trial_report *r,
                                struct bt__trial_answer *out, struct bt_error *err);

#endif
