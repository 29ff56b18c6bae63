/* The table of commands. */
#include "tui/commands/commands.h"
#include "tui/commands/cli.h"
#include <bertty/str.h>
#include <string.h>

static const struct command commands[] = {
#define COMMAND(name_, usage_, help_) {.name = #name_, .usage = usage_, .help = help_, .run = cmd_##name_},
#include "tui/commands/commands.def"
#undef COMMAND
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

const struct command *commands_all(size_t *n)
{
    *n = N_COMMANDS;
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

int command_unknown(const char *name)
{
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    const char *near = bt_nearest(name, names, N_COMMANDS);
    if (near) {
        cli_warn("no command '%s' (did you mean '%s'?)", name, near);
    } else {
        cli_warn("no command '%s': `bertty help` lists them", name);
    }
    return CLI_USAGE;
}
