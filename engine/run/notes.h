/* Notes of many runs, read again and again. */
#ifndef BERTTY_RUN_NOTES_H
#define BERTTY_RUN_NOTES_H

#include <bertty/run.h>

/* Reads s->notes of the directory `name` below `at` (AT_FDCWD: name is a path) if its file is not the one that they came from. */
void bt__notes_refresh(int at, const char *name, struct bt_run_status *s);

#endif
