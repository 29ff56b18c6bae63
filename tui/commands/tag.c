/* bertty tag */
#include "tui/commands/cli_run.h"
#include "tui/commands/cli_signed.h"
#include <stdlib.h>

static const char about[] =
    "+TAG gives a run a tag, -TAG takes it away; without either its tags are printed. `bertty runs --filter "
    "tag:TAG` finds them again.\n"
    "A run with the tag `hidden` is left out of the lists until --all or tag:hidden asks for it.\n"
    "Tags and the note (`bertty note`) stand in the run's notes.json, which the engine never touches.\n";

static int tag_one(const char *runs, const char *name, const struct cli_signed *w, bool json, bool id)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_notes n = {.n_tags = 0};
    const struct bt_notes_change c = {.add = w->add, .n_add = w->n_add, .drop = w->drop, .n_drop = w->n_drop};
    char *dir = NULL;
    enum bt_status st = cli_run_find(runs, name, &dir, &err);
    if (!st) st = w->n_add + w->n_drop ? bt_notes_change(dir, &c, &n, &err) : bt_notes_load(dir, &n, &err);
    if (!st) cli_notes_tell(dir, &n, CLI_TELL_TAGS, json, id);
    bt_notes_clear(&n);
    free(dir);
    return st ? cli_fail(&err) : CLI_DONE;
}

static int tag(const struct cli_signed *w)
{
    const char *runs = "runs";
    bool json = false;
    const struct cli_option options[] = {CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = "tag", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, w->n_rest, w->rest, &args, &code)) return code;
    for (int i = 0; i < args.n; i++)
        if (tag_one(runs, args.v[i], w, json, args.n > 1) != CLI_DONE) code = CLI_FAILED;
    return code;
}

int cmd_tag(int argc, char **argv)
{
    struct cli_signed w;
    bool fine = cli_signed_sort(argc, argv, NULL, &w);
    int code = fine ? tag(&w) : cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    cli_signed_free(&w);
    return code;
}
