/* bertty workbench, or bertty alone */
#include "tui/app.h"
#include "tui/commands/cli_screen.h"
#include <locale.h>
#include <signal.h>

static const char about[] =
    "`bertty` without a command is the same. Runs are started, watched, compared and "
    "tried out there; they go on when it is left.\n"
    "Views: runs, data, experiment, charts, predictions, compare, probe, log, study. `?` "
    "shows the keys of the one in front.\n";

int cmd_workbench(int argc, char **argv)
{
    const char *runs = "runs", *open = NULL, *theme = NULL;
    bool ascii = false;
    int colours = -1;
    const struct cli_option options[] = {
        CLI_TEXT("runs", 0, "DIR", &runs, "where the runs are (default: runs)"),
        CLI_TEXT("open", 0, "VIEW|FILE", &open,
                 "the view to begin with (default: runs), or a data or experiment file"),
        CLI_TEXT("theme", 0, "NAME", &theme,
                 "dark, light, 16-colour, colour-blind, gruvbox, high-contrast, monochrome, solarized, one "
                 "of your own, or a file"),
        CLI_COLOURS(&colours, "use at most so many (default: as many as the terminal has)"),
        CLI_FLAG("ascii", 0, &ascii, "draw with ASCII alone"),
        CLI_END,
    };
    const struct cli_spec spec = {.command = "workbench", .about = about, .options = options};
    struct cli_args args;
    struct bt_error err = {0};
    int code, ended_by = 0;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    setlocale(LC_CTYPE, "");
    const struct app_options o = {
        .runs_dir = runs, .open = open, .theme = theme, .ascii = ascii, .colours = cli_colours(colours)};
    enum bt_status status = app_main(&o, &ended_by, &err);
    if (ended_by) raise(ended_by); /* whoever waits for us learns why */
    if (status == BT_INVALID || status == BT_NOTFOUND) return cli_misuse("workbench", "%s", err.text);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}
