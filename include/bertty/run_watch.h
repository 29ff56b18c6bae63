/* Whether anything in a runs directory may have changed since the last look: the kernel says so (inotify), so that hundreds of runs of which
 * nothing is heard cost nothing. A watch belongs to one thread at a time. */
#ifndef BERTTY_RUN_WATCH_H
#define BERTTY_RUN_WATCH_H

#include <stdbool.h>

struct bt_run_watch;

struct bt_run_watch *bt_run_watch_new(void);    /* NULL: no memory */
void bt_run_watch_free(struct bt_run_watch *w); /* NULL is fine */

/* To be called before the runs are listed: from now on files and directories that come, go or are written in runs_dir and in the directories
 * in it are noticed. Files that are only appended to and stay open are not. */
void bt_run_watch_begin(struct bt_run_watch *w, const char *runs_dir);
/* Something was noticed since the last call; or the kernel cannot know, as of another machine's file system: then always true. */
bool bt_run_watch_changed(struct bt_run_watch *w);

#endif
