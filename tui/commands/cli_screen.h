/* Options of the commands that draw. */
#ifndef TUI_COMMANDS_CLI_SCREEN_H
#define TUI_COMMANDS_CLI_SCREEN_H

#include "tui/commands/cli.h"

/* --colours 0|8|16|256|true into an int, −1 if not given. */
extern const char *const cli_colour_names[];
/* The number that a choice stands for; −1 for −1. */
int cli_colours(int choice);

#define CLI_COLOURS(to_, h) CLI_CHOICE("colours", 0, to_, cli_colour_names, h)

#endif
