/* Runs and checkpoints, found by what lies there. Texts are borrowed unless said otherwise. */
#ifndef BERTTY_RUN_FIND_H
#define BERTTY_RUN_FIND_H

#include <bertty/run_watch.h>

enum { BT__MAX_STATUS = 1 << 20 }; /* bytes of status.json, run.json or a manifest */

/* DIR/best → checkpoints/step-000400: 400; −1 if the link is missing or strange. */
int64_t bt__linked_step(const char *dir, const char *link);
/* "step-000400" → 400; −1 for other names ("step-000400.tmp"). */
int64_t bt__step_of_name(const char *name);

/* The directory `name` below the open directory `at` (AT_FDCWD: name is a path) is a run of ours or holds event files. Symbolic links to a
 * directory do not count unless follow. */
bool bt__is_run(int at, const char *name, bool follow);

/* It holds directories like train/ and validation/ with event files, which together are a run: another tool's. */
bool bt__is_split_run(int at, const char *name);

/* bt_run_list(); of a run that watch (NULL: nobody) heard nothing of since the last list all is as in previous. */
enum bt_status bt__run_list(const char *runs_dir, const struct bt_run_list *previous,
                            const struct bt_run_watch *watch, struct bt_run_list *out, struct bt_error *err);
/* Nothing was heard of that directory since then; false also where that is not known. */
bool bt__run_quiet(const struct bt_run_watch *w, const char *name);

/* An allocated array of steps, sorted ascending; grows by one. False without memory. */
bool bt__steps_add(int64_t **steps, size_t *n, int64_t step);
void bt__steps_sort(int64_t *steps, size_t n);

#endif
