/* bertty resume */
#include "tui/commands/cli_queue.h"
#include "tui/commands/cli_run.h"
#include <stdlib.h>

static const char about[] =
    "A run that was paused goes on. One whose engine has ended is resumed from its last checkpoint by\n"
    "`bertty train --resume RUN`, or with --queue when its turn comes.\n";

static int enqueue(const char *runs, const char *name, bool json)
{
    struct bt_error err = {.status = BT_OK};
    char *dir = NULL;
    enum bt_status st = cli_run_find(runs, name, &dir, &err);
    if (!st) st = bt_queue_again(dir, &err);
    int code = st ? cli_fail(&err) : cli_queue_added(dir, json);
    free(dir);
    return code;
}

int cmd_resume(int argc, char **argv)
{
    const struct cli_steer what = {
        .word = "resume", .done = "goes on", .hint = "starts one from the last checkpoint"};
    const char *runs = "runs";
    bool json = false, queue = false;
    const struct cli_option options[] = {
        CLI_FLAG("queue", 'q', &queue,
                 "put runs that have ended into the queue, to go on when their turn comes"),
        CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = "resume", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    for (int i = 0; i < args.n; i++) {
        int one = queue ? enqueue(runs, args.v[i], json) : cli_steer_one(&what, runs, args.v[i], json);
        if (one != CLI_DONE) code = CLI_FAILED;
    }
    return code;
}
