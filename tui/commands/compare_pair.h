/* What `bertty compare` and `bertty report` share: finding the runs, telling them. */
#ifndef TUI_COMMANDS_COMPARE_PAIR_H
#define TUI_COMMANDS_COMPARE_PAIR_H

#include "tui/commands/cli_run.h"
#include <bertty/versus.h>

/* RUN or RUN@STEP of a command line; a code other than CLI_DONE: told. The caller frees in any case with compare_found_free(). */
int compare_find(const char *command, const char *runs, const struct cli_args *args, struct bt_run_at **out,
                 size_t *n);
void compare_found_free(struct bt_run_at *run, size_t n);

/* Runs, settings, metrics, for people. */
void compare_tell(const struct bt_compare *c);
/* Two runs' predictions; rows: those that are predicted differently too. */
void compare_pair_tell(const struct bt_versus *v, bool rows);
/* A member "predictions". */
void compare_pair_json(struct bt_json_writer *w, const struct bt_versus *v, bool rows);

#endif
