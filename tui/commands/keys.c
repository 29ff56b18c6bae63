/* bertty keys */
#include "tui/commands/cli.h"
#include "tui/keymap.h"
#include <bertty/json.h>
#include <string.h>
#include <strings.h>

static const char about[] =
    "VIEW: runs, data, experiment, charts, predictions, compare, probe, log, study, or workbench for what "
    "all have "
    "in "
    "common.\n"
    "Your ~/.config/bertty/keys.yaml gives actions other keys by their names: \"runs: {mark: m}\".\n";

static void as_json(const char *view, const struct action *a, const char *keys)
{
    struct bt_str out = {.data = NULL};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "view", view);
    bt_jw_ktext(&w, "action", a->name);
    bt_jw_key(&w, "keys");
    bt_jw_array(&w);
    for (const char *p = keys; *(p += strspn(p, " ")); p += strcspn(p, " "))
        bt_jw_textn(&w, p, strcspn(p, " "));
    bt_jw_end_array(&w);
    bt_jw_ktext(&w, "help", a->help);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

/* view NULL: the common ones. */
static void print(const struct keymap *k, const struct view_ops *view, bool json)
{
    const char *name = view ? view->name : "Workbench";
    size_t n;
    const struct action *a = keymap_common(&n);
    struct cli_table t = {.columns = 3};
    if (view) a = view->actions, n = view->n_actions;
    if (!json) cli_line("%s", name);
    for (size_t i = 0; i < n; i++) {
        const char *keys = keymap_spelled(k, view, &a[i]);
        if (json) {
            as_json(name, &a[i], keys);
            continue;
        }
        cli_table_cell(&t, "  %s", keys);
        cli_table_cell(&t, "%s", a[i].name);
        cli_table_cell(&t, "%s", a[i].help);
    }
    if (!json) cli_table_print(&t);
}

int cmd_keys(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {CLI_JSON(&json), CLI_END};
    const struct cli_spec spec = {.command = "keys", .about = about, .options = options, .max_args = 1};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    struct keymap *k = NULL;
    enum view_id only = VIEW_RUNS;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    bool common = args.n && strcasecmp(args.v[0], "workbench") == 0;
    if (args.n && !common && view_named(args.v[0], &only, &err) != BT_OK)
        return cli_misuse("keys", "%s", err.text);
    if (keymap_load(&k, &err) != BT_OK) return cli_fail(&err);
    for (int i = 0; i < VIEWS; i++)
        if (!args.n || (!common && i == (int)only)) print(k, view_table((enum view_id)i), json);
    if (!args.n || common) print(k, NULL, json);
    keymap_free(k);
    return CLI_DONE;
}
