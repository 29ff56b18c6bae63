/* bertty: without a command the workbench, else the command. */
#include "tui/commands/cli.h"
#include "tui/commands/commands.h"
#include <string.h>

struct alias {
    const char *word, *command;
};

static const struct alias aliases[] = {
    {.word = "-h", .command = "help"},
    {.word = "--help", .command = "help"},
    {.word = "-V", .command = "version"},
    {.word = "--version", .command = "version"},
};

static const char *spelled_out(const char *word)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i].word, word) == 0) return aliases[i].command;
    }
    return word;
}

/* Options without a command are the workbench's. */
static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? spelled_out(argv[1]) : "-";
    if (word[0] == '-') return cmd_workbench(argc, argv);
    const struct command *c = command_find(word);
    return c ? c->run(argc - 1, argv + 1) : command_unknown(word);
}

int main(int argc, char **argv)
{
    cli_begin();
    return cli_end(dispatch(argc, argv));
}
