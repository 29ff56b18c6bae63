/* bertty options */
#include "tui/commands/cli.h"
#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "Every option of an experiment file: what it means, its default, its range or "
                            "choices. NAME is an option\n"
                            "(learning_rate, optim.learning_rate) or a group (optim).\n";

static void default_text(const struct bt_option *o, struct bt_str *out)
{
    char number[BT_NUMBER_SIZE];
    size_t n;
    switch (o->kind) {
    case BT_OPTION_TEXT:
        bt_str_add(out, o->text ? o->text : "null");
        break;
    case BT_OPTION_LIST:
        bt_str_add(out, "[]");
        break;
    case BT_OPTION_BOOL:
        bt_str_add(out, o->fallback != 0.0 ? "true" : "false");
        break;
    case BT_OPTION_CHOICE: {
        const char *text = bt_option_choice_text(o, (int)o->fallback, &n);
        bt_str_addn(out, text, n);
        break;
    }
    default:
        bt_str_add(out, o->nullable ? "null" : bt_format_double(o->fallback, number));
    }
}

/* "0 to 10", "auto, true, false", "text" */
static void values_text(const struct bt_option *o, struct bt_str *out)
{
    static const char *const kinds[] = {[BT_OPTION_TEXT] = "text",
                                        [BT_OPTION_LIST] = "text or list of texts",
                                        [BT_OPTION_BOOL] = "true, false"};
    char low[BT_NUMBER_SIZE], high[BT_NUMBER_SIZE];
    if (o->choices) {
        for (const char *p = o->choices; *p; p++) bt_str_addn(out, *p == '|' ? ", " : p, *p == '|' ? 2 : 1);
    } else if (o->kind == BT_OPTION_INT || o->kind == BT_OPTION_REAL) {
        bt_str_addf(out, "%s to %s", bt_format_double(o->low, low), bt_format_double(o->high, high));
        if (o->unit[0]) bt_str_addf(out, " %s", o->unit);
    } else {
        bt_str_add(out, kinds[o->kind]);
    }
}

static bool wanted(const struct bt_option *o, const char *name)
{
    const char *const names[] = {o->group, o->name, o->key};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return !name;
}

/* ── for people ── */

static void tell_group(const char *group, const char *name)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    struct cli_table t = {.columns = 4};
    for (size_t i = 0; i < n; i++) {
        struct bt_str fallback = {0}, values = {0};
        if (strcmp(o[i].group, group) != 0 || !wanted(&o[i], name)) continue;
        default_text(&o[i], &fallback);
        values_text(&o[i], &values);
        cli_table_cell(&t, "  %s", o[i].name);
        cli_table_cell(&t, "%s", bt_str_text(&fallback));
        cli_table_cell(&t, "%s", bt_str_text(&values));
        cli_table_cell(&t, "%s", o[i].help);
        bt_str_free(&fallback);
        bt_str_free(&values);
    }
    cli_line("%s:", group);
    cli_table_print(&t);
}

static void markdown_cell(struct bt_str *line, const char *text)
{
    bt_str_add(line, " ");
    for (const char *p = text; *p; p++) {
        if (*p == '|') bt_str_addc(line, '\\');
        bt_str_addc(line, *p);
    }
    bt_str_add(line, " |");
}

static void tell_markdown(const struct bt_option *o)
{
    struct bt_str line = {0}, cell = {0};
    bt_str_addf(&line, "| `%s` |", o->key);
    default_text(o, &cell);
    markdown_cell(&line, bt_str_text(&cell));
    bt_str_clear(&cell);
    values_text(o, &cell);
    markdown_cell(&line, bt_str_text(&cell));
    markdown_cell(&line, o->help);
    cli_data(bt_str_text(&line), line.len);
    bt_str_free(&line);
    bt_str_free(&cell);
}

/* ── for programs ── */

static void put_default(struct bt_json_writer *w, const struct bt_option *o)
{
    struct bt_str text = {0};
    bool number = o->kind == BT_OPTION_INT || o->kind == BT_OPTION_REAL;
    bt_jw_key(w, "default");
    if (o->kind == BT_OPTION_BOOL)
        bt_jw_bool(w, o->fallback != 0.0);
    else if (o->kind == BT_OPTION_LIST) {
        bt_jw_array(w);
        bt_jw_end_array(w);
    } else if ((number && o->nullable) || (o->kind == BT_OPTION_TEXT && !o->text))
        bt_jw_null(w);
    else if (number)
        bt_jw_num(w, o->fallback);
    else {
        default_text(o, &text);
        bt_jw_text(w, bt_str_text(&text));
    }
    bt_str_free(&text);
}

static void put_values(struct bt_json_writer *w, const struct bt_option *o)
{
    size_t n;
    const char *text;
    if (o->kind == BT_OPTION_INT || o->kind == BT_OPTION_REAL) {
        bt_jw_knum(w, "low", o->low);
        bt_jw_knum(w, "high", o->high);
    }
    if (o->unit[0]) bt_jw_ktext(w, "unit", o->unit);
    if (!o->choices) return;
    bt_jw_key(w, "choices");
    bt_jw_array(w);
    for (int i = 0; (text = bt_option_choice_text(o, i, &n)); i++) bt_jw_textn(w, text, n);
    bt_jw_end_array(w);
}

static void tell_json(const struct bt_option *o)
{
    static const char *const kinds[] = {
        [BT_OPTION_TEXT] = "text", [BT_OPTION_LIST] = "list", [BT_OPTION_INT] = "int",
        [BT_OPTION_REAL] = "real", [BT_OPTION_BOOL] = "bool", [BT_OPTION_CHOICE] = "choice"};
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "key", o->key);
    bt_jw_ktext(&w, "group", o->group);
    bt_jw_ktext(&w, "name", o->name);
    bt_jw_ktext(&w, "type", kinds[o->kind]);
    bt_jw_kbool(&w, "nullable", o->nullable);
    put_default(&w, o);
    put_values(&w, o);
    bt_jw_ktext(&w, "help", o->help);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

/* ── the command ── */

static int unknown(const char *name)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    const char *names[2 * BT_OPTIONS];
    for (size_t i = 0; i < n; i++) {
        names[2 * i] = o[i].name;
        names[2 * i + 1] = o[i].group;
    }
    const char *near = bt_nearest(name, names, 2 * n);
    return near ? cli_misuse("options", "no option or group '%s' (did you mean '%s'?)", name, near)
                : cli_misuse("options", "no option or group '%s': `bertty options` lists them", name);
}

static void tell_all(const char *name, bool json, bool markdown)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    const char *group = "";
    if (markdown) {
        cli_line("| option | default | values | meaning |");
        cli_line("|---|---|---|---|");
    }
    for (size_t i = 0; i < n; i++) {
        if (!wanted(&o[i], name)) continue;
        if (json)
            tell_json(&o[i]);
        else if (markdown)
            tell_markdown(&o[i]);
        else if (strcmp(group, o[i].group) != 0)
            tell_group(o[i].group, name);
        group = o[i].group;
    }
}

int cmd_options(int argc, char **argv)
{
    bool json = false, markdown = false;
    const struct cli_option options[] = {
        CLI_JSON(&json),
        CLI_FLAG("markdown", 'm', &markdown, "print a Markdown table"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "options", .about = about, .options = options, .min_args = 0, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    const char *name = args.n ? args.v[0] : NULL;
    size_t n;
    const struct bt_option *o = bt_options(&n);
    bool any = false;
    for (size_t i = 0; i < n; i++) any = any || wanted(&o[i], name);
    if (!any) return unknown(name);
    if (json && markdown)
        return cli_misuse("options", "--json and --markdown together: expected one of them");
    tell_all(name, json, markdown);
    return CLI_DONE;
}
