/* bertty export */
#include "tui/commands/cli_run.h"
#include <bertty/file.h>
#include <stdlib.h>

static const char about[] = "A plain Hugging Face model directory that transformers loads: the best "
                            "checkpoint, else the last, or the one that RUN@STEP names.\n"
                            "DIR is new or empty; it is there as a whole or not at all.\n";

static void tell(const char *run, const char *to, int64_t step, bool json)
{
    if (!json) {
        cli_line("%s, step %lld: exported to %s", run, (long long)step, to);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", run);
    bt_jw_kint(&w, "step", step);
    bt_jw_ktext(&w, "dir", to);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

int cmd_export(int argc, char **argv)
{
    const char *runs = "runs";
    bool json = false, adapter = false;
    const struct cli_option options[] = {
        CLI_FLAG("adapter", 0, &adapter,
                 "the adapter alone, as Hugging Face's peft loads it (of a run with model.adapter: lora)"),
        CLI_JSON(&json), CLI_RUNS(&runs), CLI_END};
    const struct cli_spec spec = {
        .command = "export", .about = about, .options = options, .min_args = 2, .max_args = 2};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    int64_t step, found = -1;
    char *dir = NULL;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    enum bt_status status = bt_run_find(runs, args.v[0], &dir, &step, &err);
    if (status == BT_OK) status = bt_run_export(dir, step, adapter, args.v[1], &found, &err);
    if (status == BT_OK) tell(bt_path_base(dir), args.v[1], found, json);
    free(dir);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}
