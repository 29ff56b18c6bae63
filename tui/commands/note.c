/* bertty note */
#include "tui/commands/cli_run.h"
#include <stdlib.h>

static const char about[] =
    "A line of text that stays with the run, in its notes.json; \"\" takes it away, and without TEXT it is "
    "printed.\n"
    "`bertty runs --filter note:WORD` finds it again.\n";

int cmd_note(int argc, char **argv)
{
    const char *runs = "runs";
    bool json = false;
    const struct cli_option options[] = {CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = "note", .about = about, .options = options, .min_args = 1, .max_args = 2};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    struct bt_notes n = {.n_tags = 0};
    char *dir = NULL;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    const struct bt_notes_change c = {.note = args.n > 1 ? args.v[1] : NULL};
    enum bt_status st = cli_run_find(runs, args.v[0], &dir, &err);
    if (!st) st = c.note ? bt_notes_change(dir, &c, &n, &err) : bt_notes_load(dir, &n, &err);
    if (!st) cli_notes_tell(dir, &n, CLI_TELL_NOTE, json, false);
    bt_notes_clear(&n);
    free(dir);
    return st ? cli_fail(&err) : CLI_DONE;
}
