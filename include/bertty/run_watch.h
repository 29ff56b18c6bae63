/* Whether anything in a runs directory may have changed since the last look: the kernel says so (inotify), so that hundreds of runs of which
 * nothing is heard cost nothing. A watch belongs to one thread at a time. */
#ifndef BERTTY_RUN_WATCH_H
#define BERTTY_RUN_WATCH_H

#include <bertty/run.h>

struct bt_run_watch;

struct bt_run_watch *bt_run_watch_new(void);    /* NULL: no memory */
void bt_run_watch_free(struct bt_run_watch *w); /* NULL is fine */

/* To be called before the runs are listed: from now on files and directories that come, go or are written in runs_dir and in the directories
 * in it are noticed. Files that are only appended to and stay open are not. */
void bt_run_watch_begin(struct bt_run_watch *w, const char *runs_dir);
/* Something was noticed since the last call; or the kernel cannot know, as of another machine's file system: then always true. */
bool bt_run_watch_changed(struct bt_run_watch *w);

/* bt_run_list() for whoever watches: between bt_run_watch_begin() and the next call of it. What the watch heard nothing of is as in previous (or NULL), and no file of it is
 * looked at; engines that died are noticed nevertheless. */
enum bt_status bt_run_list_watched(struct bt_run_watch *w, const char *runs_dir,
                                   const struct bt_run_list *previous, struct bt_run_list *out,
                                   struct bt_error *err);

#endif
