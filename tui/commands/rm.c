/* bertty rm */
#include "tui/commands/cli_run.h"
#include <stdlib.h>
#include <unistd.h>

static const char about[] = "Deletes a run's directory: checkpoints, curves, predictions, log. Nothing else, "
                            "and never what a symbolic link points\n"
                            "to; a run with an engine is stopped first (`bertty stop RUN`). On a terminal it "
                            "asks, elsewhere it wants --yes.\n";

struct victim {
    char *dir;
    struct bt_run_status status;
};

static enum bt_status identify(const char *runs, const char *name, struct victim *v, struct bt_error *err)
{
    enum bt_status status = cli_run_find(runs, name, &v->dir, err);
    return status == BT_OK ? bt_run_status(v->dir, &v->status, err) : status;
}

static bool sure(const struct victim *v, int n)
{
    char answer[16];
    for (int i = 0; i < n; i++) cli_line("%s  %s", v[i].status.id, bt_run_state_name(v[i].status.state));
    cli_line("delete %s with all checkpoints? [y/N]", n == 1 ? "this run" : "these runs");
    ssize_t got = read(STDIN_FILENO, answer, sizeof answer - 1);
    return got > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

static void tell(const struct victim *v, bool json)
{
    if (!json) {
        cli_line("%s deleted", v->status.id);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", v->status.id);
    bt_jw_ktext(&w, "dir", v->dir);
    bt_jw_kbool(&w, "deleted", true);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static int delete_all(const struct victim *v, int n, bool json)
{
    int code = CLI_DONE;
    for (int i = 0; i < n; i++) {
        struct bt_error err = {.status = BT_OK};
        if (bt_run_remove(v[i].dir, &err) == BT_OK)
            tell(&v[i], json);
        else
            code = cli_fail(&err);
    }
    return code;
}

static int rm(const char *runs, char **name, int n, bool yes, bool json)
{
    struct bt_error err = {.status = BT_OK};
    struct victim *v = calloc((size_t)n, sizeof *v);
    enum bt_status status = v ? BT_OK : bt_fail(&err, BT_NOMEM, "no memory for %d runs", n);
    bool ask = !yes && isatty(STDIN_FILENO) && cli_on_terminal();
    /* all of them are found before the first one goes */
    for (int i = 0; i < n && status == BT_OK; i++) status = identify(runs, name[i], &v[i], &err);
    int code = status != BT_OK ? cli_fail(&err) : CLI_DONE;
    if (code == CLI_DONE && !yes && !ask)
        code = cli_misuse("rm", "nobody to ask on this terminal: add --yes");
    if (code == CLI_DONE && ask && !sure(v, n)) {
        cli_line("nothing was deleted");
        code = CLI_FAILED;
    }
    if (code == CLI_DONE) code = delete_all(v, n, json);
    for (int i = 0; v && i < n; i++) {
        bt_run_status_clear(&v[i].status);
        free(v[i].dir);
    }
    free(v);
    return code;
}

int cmd_rm(int argc, char **argv)
{
    const char *runs = "runs";
    bool json = false, yes = false;
    const struct cli_option options[] = {
        CLI_FLAG("yes", 'y', &yes, "do not ask"),
        CLI_JSON(&json),
        CLI_RUNS(&runs),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "rm", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    return rm(runs, args.v, args.n, yes, json);
}
