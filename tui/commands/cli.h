/* What every command needs of a command line: an option table, --help made from it, output that is safe on a
 * terminal, errors and exit codes.
 *
 *     int cmd_fly(int argc, char **argv)
 *     {
 *         bool json = false;
 *         const char *to = NULL;
 *         int64_t height = 100;
 *         const struct cli_option options[] = {
 *             CLI_TEXT("to", 't', "PLACE", &to, "where to (default: home)"),
 *             CLI_INT("height", 0, "METRES", &height, 1, 9000, "how high (default: 100)"),
 *             CLI_JSON(&json),
 *             CLI_END,
 *         };
 *         const struct cli_spec spec = {.command = "fly", .options = options, .min_args = 1, .max_args = 1};
 *         struct cli_args args;
 *         int code;
 *         if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
 *         if (bt_fly(args.v[0], to, height, &err) != BT_OK) return cli_fail(&err);
 *         cli_line("arrived at %s", to);
 *         return CLI_DONE;
 *     }
 *
 * Everything that is parsed is borrowed from argv; only the array of a cli_list is to be freed. */
#ifndef TUI_COMMANDS_CLI_H
#define TUI_COMMANDS_CLI_H

#include <bertty/error.h>
#include <bertty/str.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* CLI_UNMET: all was done, and a model does not say what a probe set expects. */
enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNMET = 3, CLI_INTERRUPTED = 130 };

struct cli_list {
    const char **item; /* borrowed texts in an array of ours: free(list.item) */
    size_t n;
};

enum cli_kind {
    CLI_KIND_FLAG,   /* to: bool *, becomes true */
    CLI_KIND_TEXT,   /* to: const char **; the last one given counts */
    CLI_KIND_LIST,   /* to: struct cli_list *; may be given again and again */
    CLI_KIND_INT,    /* to: int64_t *, within [min, max] */
    CLI_KIND_REAL,   /* to: double *, finite, within [min, max] */
    CLI_KIND_CHOICE, /* to: int *, index into choices */
};

struct cli_option {
    const char *name; /* long name without the dashes; NULL ends a table */
    char letter;      /* -x, or 0 */
    enum cli_kind kind;
    const char *value; /* what the value is called in the help: "FILE" */
    const char *help;  /* NULL: between programs, not told to people */
    void *to;
    double min, max;
    const char *const *choices; /* ended by NULL */
};

#define CLI_FLAG(n, l, to_, h)                                                                               \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_FLAG, .to = (to_), .help = (h)                          \
    }
#define CLI_TEXT(n, l, v, to_, h)                                                                            \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_TEXT, .value = (v), .to = (to_), .help = (h)            \
    }
#define CLI_LIST(n, l, v, to_, h)                                                                            \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_LIST, .value = (v), .to = (to_), .help = (h)            \
    }
#define CLI_INT(n, l, v, to_, lo, hi, h)                                                                     \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_INT, .value = (v), .to = (to_), .min = (double)(lo),    \
        .max = (double)(hi), .help = (h)                                                                     \
    }
#define CLI_REAL(n, l, v, to_, lo, hi, h)                                                                    \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_REAL, .value = (v), .to = (to_), .min = (lo),           \
        .max = (hi), .help = (h)                                                                             \
    }
#define CLI_CHOICE(n, l, to_, list, h)                                                                       \
    {                                                                                                        \
        .name = (n), .letter = (l), .kind = CLI_KIND_CHOICE, .to = (to_), .choices = (list), .help = (h)     \
    }
#define CLI_JSON(to_) CLI_FLAG("json", 'j', to_, "print JSON, one object a line, the result last")
#define CLI_RUNS(to_)                                                                                        \
    CLI_TEXT("runs", 0, "DIR", to_, "where the runs are (default: runs); a RUN may also be a path")
#define CLI_END                                                                                              \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

struct cli_spec {
    const char *command; /* its row in commands.def gives the usage line and the one-line help */
    const char *about;   /* paragraphs for --help, lines ended by \n; NULL if one line says it all */
    const struct cli_option *options; /* ended by CLI_END; NULL if there are none (--help is always there) */
    int min_args, max_args;           /* arguments that are no options; max_args -1: any number */
};

struct cli_args {
    char **v; /* points into argv */
    int n;
};

/* Options and other arguments may be mixed; `--` ends the options; `--name=value`, `--name value`, `-nvalue`, `-n value`
 * and grouped flags are understood. True: go on. False: end with *code (0 after --help, 2 after an error that was told). */
bool cli_parse(const struct cli_spec *spec, int argc, char **argv, struct cli_args *args, int *code);
/* The text behind --help, on standard output. */
void cli_help(const struct cli_spec *spec);

/* Standard output. cli_line: one line of text for people, cleaned as a whole (a newline or an escape inside becomes a
 * visible \n, \x1b); cli_data: one line that programs read back (tokens, TSV): cleaned only on a terminal. cli_json
 * prints a JSON text as a line (cleaned on a terminal) and clears it. Once the reader is gone (EPIPE) output is dropped in silence; any other
 * failure is told once at the end and makes the exit code 1. Output is line-buffered where cli_flush_lines(true) says so. */
void cli_line(const char *fmt, ...) BT_PRINTF(1, 2);
void cli_data(const char *bytes, size_t n);
/* As they are, on a terminal too: for what is made of cleaned text. */
void cli_raw(const char *bytes, size_t n);
void cli_json(struct bt_str *text);
/* True once nobody reads standard output any more: a loop that only prints may stop. */
bool cli_output_gone(void);
/* Each line is written at once, although standard output is no terminal: for commands that follow something. */
void cli_flush_lines(bool on);
/* True if standard output is a terminal. */
bool cli_on_terminal(void);
/* While on, what a terminal does not take at once (Ctrl-S, a full pty that nobody reads) is dropped: for an engine that must not be held up. */
void cli_never_wait(bool on);

/* Standard error, cleaned: "bertty: TEXT". */
void cli_warn(const char *fmt, ...) BT_PRINTF(1, 2);
/* Tells err; returns the exit code: 130 for BT_CANCELLED, else 1. */
int cli_fail(const struct bt_error *err);
/* "bertty: COMMAND: TEXT"; returns 2. */
int cli_misuse(const char *command, const char *fmt, ...) BT_PRINTF(2, 3);
/* One line on a terminal's standard error that the next one replaces, at most ten a second; silent elsewhere.
 * The other calls wipe it first; so does cli_progress(NULL). */
void cli_progress(const char *fmt, ...) BT_PRINTF(1, 2);

/* SIGINT, SIGTERM and SIGHUP set a flag from now on; the second SIGINT ends the process at once. */
void cli_catch_interrupts(void);
bool cli_interrupted(void);
/* It was SIGTERM or SIGHUP: the machine or the session ends. */
bool cli_terminated(void);

/* Before the first command and after the last one: main's business. cli_end gives the exit code to use. */
void cli_begin(void);
int cli_end(int code);

/* A regular file, or standard input (path NULL or "-"), opened for reading; *name is what messages call it. Nothing else: a FIFO
 * without a writer would hold us up, /dev/zero would never end. *fd is −1 after a failure; standard input stays open. */
enum bt_status cli_text_open(const char *path, const char **name, int *fd, struct bt_error *err);

/* Lines of plain text, of a regular file or of standard input (path NULL or "-"). Zero-initialise; line is without its end (\n or
 * \r\n), may hold any byte, is NUL-terminated and borrowed until the next call. */
struct cli_lines {
    const char *name; /* for messages: the path or "standard input"; borrowed */
    char *line;
    size_t n;      /* bytes of line */
    size_t number; /* of line, from 1 */
    int fd;
    bool at_end;
    struct bt_str buffer; /* private */
    size_t at;
};
enum bt_status cli_lines_open(struct cli_lines *l, const char *path, struct bt_error *err);
/* True: line holds the next one. False: the end, or a failure, which err->status tells (BT_OK at the end); a signal ends it as the end does. */
bool cli_lines_next(struct cli_lines *l, struct bt_error *err);
/* Would cli_lines_next() have to wait for whoever writes? Then is the time to work on what there is. */
bool cli_lines_would_wait(const struct cli_lines *l);
void cli_lines_close(struct cli_lines *l);

/* Text columns: cells are cleaned and measured, padded to the widest and separated by two spaces; the last one is not
 * padded. Zero-initialise with .columns set; cli_table_print() prints and frees. */
struct cli_table {
    size_t columns; /* at most 32 */
    uint32_t right; /* bit c: column c is aligned to the right */
    char **cell;    /* rows × columns, cleaned, ours */
    size_t n, cap;  /* cells */
};
void cli_table_cell(struct cli_table *t, const char *fmt, ...) BT_PRINTF(2, 3);
/* Cut to so many columns, with … at the end. */
void cli_table_text(struct cli_table *t, const char *text, size_t n, int width);
void cli_table_print(struct cli_table *t);

#endif
