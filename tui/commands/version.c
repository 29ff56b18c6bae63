/* bertty version */
#include "tui/commands/cli.h"
#include <bertty/hub.h>
#include <bertty/json.h>
#include <bertty/version.h>

int cmd_version(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {CLI_JSON(&json), CLI_END};
    const struct cli_spec spec = {.command = "version", .options = options};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    const char *kernels = bt_kernels_name(), *blas = bt_blas_name();
    if (!json) {
        cli_line("bertty %s (%s)", BT_VERSION, bt_build_name());
        cli_line("vector kernels: %s (bf16 %s), BLAS: %s", kernels,
                 bt_has_bf16() ? "in hardware" : "imitated, slower than fp32", blas);
        cli_line("pull: %s", bt_hub_http_name());
        return CLI_DONE;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "version", BT_VERSION);
    bt_jw_ktext(&w, "build", bt_build_name());
    bt_jw_ktext(&w, "kernels", kernels);
    bt_jw_kbool(&w, "bf16", bt_has_bf16());
    bt_jw_ktext(&w, "blas", blas);
    bt_jw_ktext(&w, "pull", bt_hub_http_name());
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
    return CLI_DONE;
}
