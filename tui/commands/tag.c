/* bertty tag */
#include "tui/commands/cli_run.h"
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "+TAG gives a run a tag, -TAG takes it away; without either its tags are printed. `bertty runs --filter "
    "tag:TAG` finds them again.\n"
    "A run with the tag `hidden` is left out of the lists until --all or tag:hidden asks for it.\n"
    "Tags and the note (`bertty note`) stand in the run's notes.json, which the engine never touches.\n";

/* The signed words behind the first RUN are tags; the rest is a command line like others. */
struct words {
    char **rest; /* [n_rest], owned as add and drop are */
    const char **add, **drop;
    int n_rest;
    size_t n_add, n_drop;
};

static bool is_option(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || strcmp(word, "-j") == 0 || strcmp(word, "-h") == 0);
}

static bool sort_words(int argc, char **argv, struct words *w)
{
    size_t n = (size_t)argc + 1;
    *w = (struct words){.rest = calloc(n, sizeof *w->rest),
                        .add = calloc(n, sizeof *w->add),
                        .drop = calloc(n, sizeof *w->drop)};
    bool run = false; /* one has been seen */
    if (!w->rest || !w->add || !w->drop) return false;
    for (int i = 0; i < argc; i++) {
        char sign = run && !is_option(argv[i]) ? argv[i][0] : '\0';
        if (sign == '+')
            w->add[w->n_add++] = argv[i] + 1;
        else if (sign == '-')
            w->drop[w->n_drop++] = argv[i] + 1;
        else
            w->rest[w->n_rest++] = argv[i];
        run |= i > 0 && argv[i][0] != '-';
    }
    return true;
}

static int tag_one(const char *runs, const char *name, const struct words *w, bool json, bool id)
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

static int tag(const struct words *w)
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
    struct words w;
    bool fine = sort_words(argc, argv, &w);
    int code = fine ? tag(&w) : cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    free(w.rest);
    free(w.add);
    free(w.drop);
    return code;
}
