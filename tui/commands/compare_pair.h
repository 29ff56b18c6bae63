/* What `bertty compare` tells of two runs' predictions. */
#ifndef TUI_COMMANDS_COMPARE_PAIR_H
#define TUI_COMMANDS_COMPARE_PAIR_H

#include "tui/commands/cli_run.h"
#include <bertty/versus.h>

/* For people; rows: those that are predicted differently too. */
void compare_pair_tell(const struct bt_versus *v, bool rows);
/* A member "predictions". */
void compare_pair_json(struct bt_json_writer *w, const struct bt_versus *v, bool rows);

#endif
