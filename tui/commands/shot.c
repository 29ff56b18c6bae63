/* bertty shot */
#include "tui/app.h"
#include "tui/commands/cli_screen.h"
#include <bertty/file.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 1000, MAX_ROWS = 500 };

static const char about[] =
    "VIEW is one of runs, data, experiment, charts, predictions, compare, probe, log, study. It is drawn as "
    "on a "
    "terminal of\n"
    "that size once all background work has ended; what the workbench keeps between starts plays no part.\n"
    "--keys presses keys first, one after another and for real: 'j j Enter', named as `?` names them, and\n"
    "Up, PgDn, Home, Tab, Esc, Space, F1, Ctrl-r, Alt-x.\n"
    "Ages are counted to SOURCE_DATE_EPOCH where that is set (seconds since 1970), so that a picture can be "
    "made again.\n";

static const char *const format_names[] = {
    [PICTURE_TEXT] = "txt", [PICTURE_ANSI] = "ansi", [PICTURE_SVG] = "svg", NULL};

/* --format, else the end of the file's name, else SVG; on a terminal what it can show. −1: the name says nothing. */
static int format_of(int asked, const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    if (asked >= 0) return asked;
    if (!path) return cli_on_terminal() ? PICTURE_ANSI : PICTURE_SVG;
    for (int i = 0; dot && format_names[i]; i++)
        if (strcmp(dot + 1, format_names[i]) == 0) return i;
    return -1;
}

/* https://no-color.org, for the format that is made for terminals. */
static int colours_of(int choice, int format)
{
    const char *no = getenv("NO_COLOR");
    return choice < 0 && format == PICTURE_ANSI && no && *no ? 0 : cli_colours(choice);
}

static bool parse_size(const char *text, struct app_shot *s)
{
    const char *x = strchr(text, 'x');
    char *first = x ? bt_strndup(text, (size_t)(x - text)) : NULL;
    int64_t columns = 0, rows = 0;
    bool good = first && bt_parse_int64(first, &columns) && bt_parse_int64(x + 1, &rows) && columns >= 1 &&
                columns <= MAX_COLUMNS && rows >= 1 && rows <= MAX_ROWS;
    free(first);
    s->columns = (int)columns;
    s->rows = (int)rows;
    return good;
}

static int put_out(const struct bt_str *picture, const char *path)
{
    struct bt_error err = {0};
    if (!path) {
        cli_raw(bt_str_text(picture), picture->len);
        return CLI_DONE;
    }
    enum bt_status status = bt_file_write_atomic(path, bt_str_text(picture), picture->len, &err);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}

static int take(const struct app_options *o, const struct app_shot *s, const char *path)
{
    struct bt_str picture = {0};
    struct bt_error err = {0};
    enum bt_status status = app_shot(o, s, &picture, &err);
    int code = CLI_DONE;
    if (status == BT_INVALID || status == BT_NOTFOUND)
        code = cli_misuse("shot", "%s", err.text);
    else if (status != BT_OK)
        code = cli_fail(&err);
    else
        code = put_out(&picture, path);
    bt_str_free(&picture);
    return code;
}

int cmd_shot(int argc, char **argv)
{
    const char *runs = "runs", *open = NULL, *theme = NULL, *size = "120x36", *keys = NULL, *path = NULL;
    bool ascii = false;
    int format = -1, colours = -1;
    const struct cli_option options[] = {
        CLI_TEXT("size", 0, "COLUMNSxROWS", &size, "of the screen (default: 120x36; at most 1000x500)"),
        CLI_TEXT("keys", 0, "KEYS", &keys, "keys to press first, separated by blanks"),
        CLI_TEXT("open", 0, "FILE", &open, "a file, for data and experiment"),
        CLI_TEXT("theme", 0, "NAME", &theme, "as in the workbench (default: dark)"),
        CLI_COLOURS(&colours, "how many there are (default: true, which is 24 bits)"),
        CLI_FLAG("ascii", 0, &ascii, "draw with ASCII alone"),
        CLI_TEXT("runs", 0, "DIR", &runs, "where the runs are (default: runs)"),
        CLI_CHOICE("format", 0, &format, format_names,
                   "default: as the name of FILE says, else svg (on a terminal: ansi)"),
        CLI_TEXT("out", 'o', "FILE", &path, "where to (default: standard output)"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "shot", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    struct app_shot s = {.keys = keys};
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    s.view = args.v[0];
    s.keys = keys;
    if (!parse_size(size, &s))
        return cli_misuse("shot", "--size: found '%s', expected COLUMNSxROWS, 1x1 to %dx%d", size,
                          MAX_COLUMNS, MAX_ROWS);
    if ((format = format_of(format, path)) < 0)
        return cli_misuse(
            "shot", "-o: found '%s', expected a name that ends with .svg, .txt or .ansi, or --format", path);
    s.format = (enum picture_format)format;
    const struct app_options o = {.runs_dir = runs,
                                  .open = open,
                                  .theme = theme ? theme : "dark",
                                  .ascii = ascii,
                                  .colours = colours_of(colours, format)};
    return take(&o, &s, path);
}
