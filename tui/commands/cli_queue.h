/* What the commands that queue share. */
#ifndef TUI_COMMANDS_CLI_QUEUE_H
#define TUI_COMMANDS_CLI_QUEUE_H

#include "tui/commands/cli.h"
#include <bertty/queue.h>

/* Starts what can be started now. by: for the logs. ended: as in struct bt_queue_taking. A failure is told as a warning: what is queued stays queued. */
enum bt_status cli_queue_take(const char *runs_dir, const char *by, const char *ended,
                              struct bt_queue_taken *taken);
/* The place of a run in its queue, from 1; 0: it has none. */
int64_t cli_queue_place(const char *dir);
/* A run that was just queued: the queue takes what it can, and it is told where the run stands then. */
int cli_queue_added(const char *dir, bool json);

#endif
