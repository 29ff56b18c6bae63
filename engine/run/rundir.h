/* The directory of a run, as its engine sees it: made or taken over, locked against a second engine, with a log.
 *
 * The caller frees with bt__rundir_free(), which gives up the lock. */
#ifndef BERTTY_RUN_RUNDIR_H
#define BERTTY_RUN_RUNDIR_H

#include <bertty/error.h>
#include <bertty/str.h>
#include <stdint.h>

struct bt__rundir {
    char *dir;  /* absolute */
    char *id;   /* its last component */
    int lock;   /* the control file, held locked */
    int log;    /* log.txt, appended to; −1: it cannot be written */
    bool alone; /* the runs' directory was made for this run */
};

/* Letters, digits, '.', '_' and '-', at most 100, no '.' or '-' first. */
bool bt__run_name_ok(const char *name);
/* Makes one of any text that is not empty: other bytes become '-'. What is too long is cut by who makes the text. */
void bt__run_name_clean(char *name);

/* Makes runs_dir/<id> with mode 0700: id is name, or <experiment>-<yyyymmdd-hhmmss>-<4 hex>. BT_EXISTS: the name is taken. */
enum bt_status bt__rundir_create(const char *runs_dir, const char *name, const char *experiment,
                                 struct bt__rundir **out, struct bt_error *err);
/* Takes over a run that is there. BT_BUSY: another engine has it. */
enum bt_status bt__rundir_open(const char *dir, struct bt__rundir **out, struct bt_error *err);
void bt__rundir_free(struct bt__rundir *r); /* NULL is fine */
/* Removes a directory that was just made, with its files; the runs' directory too if it was made for it. */
void bt__rundir_discard(struct bt__rundir *r);

/* Removes what a crash left of a run's making, before it had a status; nothing if it is whole or not there. BT_EXISTS: something else lies there. Nobody else may be making it. */
enum bt_status bt__rundir_clear_remains(const char *dir, struct bt_error *err);

/* dir/name; the caller frees; NULL without memory. */
char *bt__rundir_path(const struct bt__rundir *r, const char *name);
/* Writes one of the run's files, fsynced. */
enum bt_status bt__rundir_write(const struct bt__rundir *r, const char *name, struct bt_str *text,
                                struct bt_error *err);
/* "HH:MM:SS text" to log.txt; failures are no reason to stop a run. */
void bt__rundir_log(struct bt__rundir *r, const char *text);
/* The same to the log of a run that is not ours, if it has one. */
void bt__rundir_note(const char *dir, const char *text);
/* Does an engine hold the run in the open directory at? */
bool bt__rundir_locked(int at);

#endif
