/* The commands: `bertty NAME …`. One file each, tui/commands/NAME.c, and one row in commands.def. */
#ifndef TUI_COMMANDS_COMMANDS_H
#define TUI_COMMANDS_COMMANDS_H

#include <stddef.h>

struct command {
    const char *name;
    const char *usage; /* the arguments, as they stand after "bertty NAME" in the help */
    const char *help;  /* one line, no final full stop */
    /* argv[0] is the command's name; the result is the exit code (cli.h). */
    int (*run)(int argc, char **argv);
};

#define COMMAND(name, usage, help) int cmd_##name(int argc, char **argv);
#include "tui/commands/commands.def"
#undef COMMAND

/* All commands in the order of commands.def; static storage. */
const struct command *commands_all(size_t *n);
/* NULL if there is none of that name. */
const struct command *command_find(const char *name);
/* Tells that there is no such command, and the nearest name; returns the exit code. */
int command_unknown(const char *name);

#endif
