/* Status records, read one by one or again and again. */
#ifndef BERTTY_RUN_STATUS_READ_H
#define BERTTY_RUN_STATUS_READ_H

#include "run/alive.h"
#include <bertty/run.h>
#include <sys/stat.h>

/* dir: absolute; copied. info: of status.json as lstat() gave it, or of the directory if there is none. */
enum bt_status bt__status_read(struct bt__here *h, const char *dir, const struct stat *info, bool has_status,
                               struct bt_run_status *out, struct bt_error *err);
/* old still says what info's file says (an engine's death is looked at anew). */
bool bt__status_current(const struct bt_run_status *old, const struct stat *info);
/* A copy of old with its engine looked at again. False: it died, or no memory: read it. */
bool bt__status_reuse(const struct bt_run_status *old, struct bt__here *h, struct bt_run_status *out);

/* BT_UNSUPPORTED: the run is a baseline, where a model is wanted. */
enum bt_status bt__refuse_baseline(const struct bt_run_status *s, struct bt_error *err);

#endif
