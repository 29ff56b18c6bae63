/* --help, made from a command's option table. */
#include "tui/commands/cli.h"
#include "tui/commands/commands.h"
#include <bertty/text.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 96, MARGIN = 2, GAP = 2, WIDEST_TERM = 30 };

/* "-o, --option VALUE" */
static void option_term(struct bt_str *out, const struct cli_option *o)
{
    if (o->letter) {
        bt_str_addf(out, "-%c, ", o->letter);
    } else {
        bt_str_add(out, "    ");
    }
    bt_str_addf(out, "--%s", o->name);
    if (o->value) bt_str_addf(out, " %s", o->value);
    if (o->kind != CLI_KIND_CHOICE) return;
    for (int i = 0; o->choices[i]; i++) {
        bt_str_addf(out, "%c%s", i ? '|' : ' ', o->choices[i]);
    }
}

/* Prints text word by word from column at on; further lines start at column indent. */
static void print_wrapped(struct bt_str *line, const char *text, int indent)
{
    int at = bt_text_width(bt_str_text(line), line->len);
    bool first = true;
    while (*text) {
        size_t n = strcspn(text, " ");
        int width = bt_text_width(text, n);
        if (!first && at + 1 + width > PAGE) {
            cli_line("%s", bt_str_text(line));
            bt_str_clear(line);
            bt_str_addf(line, "%*s", indent, "");
            at = indent;
        } else if (!first) {
            bt_str_addc(line, ' ');
            at++;
        }
        bt_str_addn(line, text, n);
        at += width;
        first = false;
        text += n + (text[n] == ' ');
    }
    cli_line("%s", bt_str_text(line));
    bt_str_clear(line);
}

static void print_option(const struct cli_option *o, int column)
{
    struct bt_str term = {0}, line = {0};
    option_term(&term, o);
    bt_str_addf(&line, "%*s%s", MARGIN, "", bt_str_text(&term));
    int width = bt_text_width(bt_str_text(&line), line.len);
    if (width + GAP > column) {
        cli_line("%s", bt_str_text(&line));
        bt_str_clear(&line);
        width = 0;
    }
    bt_str_addf(&line, "%*s", column - width, "");
    print_wrapped(&line, o->help, column);
    bt_str_free(&line);
    bt_str_free(&term);
}

/* The column at which all helps start. */
static int help_column(const struct cli_option *o)
{
    int widest = 0;
    for (; o && o->name; o++) {
        if (!o->help) continue;
        struct bt_str term = {0};
        option_term(&term, o);
        int width = bt_text_width(bt_str_text(&term), term.len);
        if (width > widest && width <= WIDEST_TERM) widest = width;
        bt_str_free(&term);
    }
    return MARGIN + widest + GAP;
}

static void print_about(const char *about)
{
    cli_line("%s", "");
    while (*about) {
        size_t n = strcspn(about, "\n");
        cli_line("%.*s", (int)n, about);
        about += n + (about[n] == '\n');
    }
}

void cli_help(const struct cli_spec *spec)
{
    const struct command *c = command_find(spec->command);
    struct bt_str line = {0};
    bt_str_addf(&line, "usage: bertty %s ", spec->command);
    print_wrapped(&line, c ? c->usage : "", 14);
    if (c) cli_line("%s.", c->help);
    bt_str_free(&line);
    if (spec->about) print_about(spec->about);
    cli_line("%s", "");
    cli_line("Options:");
    const struct cli_option help = {.name = "help", .letter = 'h', .help = "print this"};
    int column = help_column(spec->options);
    if (column < 16) column = 16;
    for (const struct cli_option *o = spec->options; o && o->name; o++) {
        if (o->help) print_option(o, column);
    }
    print_option(&help, column);
}
