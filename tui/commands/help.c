/* bertty help */
#include "tui/commands/cli.h"
#include "tui/commands/commands.h"
#include <string.h>

static void list_commands(void)
{
    size_t n;
    const struct command *c = commands_all(&n);
    cli_line("bertty: fine-tune BERT models in a terminal.");
    cli_line("%s", "");
    struct cli_table use = {.columns = 2};
    cli_table_cell(&use, "  bertty [--runs DIR]");
    cli_table_cell(&use,
                   "the workbench: runs, data, experiment, charts, predictions, compare, probe, log, study");
    cli_table_cell(&use, "  bertty COMMAND …");
    cli_table_cell(&use, "one of the commands below; `bertty COMMAND --help` tells more");
    cli_table_print(&use);
    cli_line("%s", "");
    cli_line("Commands:");
    struct cli_table t = {.columns = 2};
    for (size_t i = 0; i < n; i++) {
        cli_table_cell(&t, "  %s", c[i].name);
        cli_table_cell(&t, "%s", c[i].help);
    }
    cli_table_print(&t);
    cli_line("%s", "");
    cli_line(
        "Exit codes: 0 done, 1 failed, 2 used wrongly, 3 not what a probe set expects, 130 interrupted.");
}

int cmd_help(int argc, char **argv)
{
    const struct cli_spec spec = {.command = "help", .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (args.n == 0) {
        list_commands();
        return CLI_DONE;
    }
    const struct command *c = command_find(args.v[0]);
    if (!c) return command_unknown(args.v[0]);
    char help[] = "--help";
    char *words[] = {args.v[0], help, NULL};
    return c->run(2, words);
}
