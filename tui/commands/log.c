/* bertty log */
#include "tui/commands/cli_run.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "What the engine wrote for people. With -f what it adds is shown until the run ends (or Ctrl-C).\n";

enum { PIECE = 256 << 10, TAIL = 4 << 20, PAUSE = 300 }; /* bytes, bytes, ms */

struct following {
    const char *dir;
    int64_t offset, lines; /* lines: the last so many; −1: all */
};

static void print_lines(const char *text, size_t n)
{
    for (const char *end = text + n; text < end && !cli_output_gone();) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop ? stop : end) - text);
        cli_line("%.*s", (int)len, text);
        text += len + 1;
    }
}

/* Where the last `lines` lines of out begin. */
static size_t tail_at(const struct bt_str *out, int64_t lines)
{
    size_t at = out->len;
    if (at && out->data[at - 1] == '\n') at--;
    for (; at > 0; at--)
        if (out->data[at - 1] == '\n' && --lines <= 0) break;
    return at;
}

/* The last f->lines lines, as far as they are among the last TAIL bytes. */
static enum bt_status print_tail(struct following *f, struct bt_error *err)
{
    struct bt_str out = {0};
    f->offset = -1;
    enum bt_status status = bt_run_log(f->dir, &f->offset, TAIL, &out, err);
    if (status == BT_OK && out.len && f->lines) {
        size_t at = tail_at(&out, f->lines);
        print_lines(out.data + at, out.len - at);
    }
    bt_str_free(&out);
    return status;
}

/* Everything from the offset on that is there now. */
static enum bt_status print_rest(struct following *f, struct bt_error *err)
{
    struct bt_str out = {0};
    enum bt_status status;
    do {
        bt_str_clear(&out);
        status = bt_run_log(f->dir, &f->offset, PIECE, &out, err);
        if (status == BT_OK && out.len) print_lines(out.data, out.len);
    } while (status == BT_OK && out.len && !cli_interrupted() && !cli_output_gone());
    bt_str_free(&out);
    return status;
}

static bool ended(const char *dir)
{
    struct bt_run_status s;
    if (bt_run_status(dir, &s, NULL) != BT_OK) return true;
    bool over = bt_run_state_ended(s.state);
    bt_run_status_clear(&s);
    return over;
}

static enum bt_status follow(struct following *f, struct bt_error *err)
{
    enum bt_status status = BT_OK;
    while (status == BT_OK && !cli_interrupted() && !cli_output_gone()) {
        bool last =
            ended(f->dir); /* asked before reading: the last lines are written before the last status */
        status = print_rest(f, err);
        if (last) break;
        poll(NULL, 0, PAUSE);
    }
    return status;
}

int cmd_log(int argc, char **argv)
{
    const char *runs = "runs";
    bool following = false;
    struct following f = {.offset = 0, .lines = -1};
    const struct cli_option options[] = {
        CLI_FLAG("follow", 'f', &following, "go on showing what is added, until the run ends"),
        CLI_INT("lines", 'n', "LINES", &f.lines, 0, 1000000000, "only the last so many lines (default: all)"),
        CLI_RUNS(&runs),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "log", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    char *dir = NULL;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (cli_run_find(runs, args.v[0], &dir, &err) != BT_OK) return cli_fail(&err);
    f.dir = dir;
    if (following) {
        cli_flush_lines(true);
        cli_catch_interrupts();
    }
    enum bt_status status = f.lines < 0 ? print_rest(&f, &err) : print_tail(&f, &err);
    if (status == BT_OK && following) status = follow(&f, &err);
    free(dir);
    if (status != BT_OK) return cli_fail(&err);
    return cli_interrupted() ? CLI_INTERRUPTED : CLI_DONE;
}
