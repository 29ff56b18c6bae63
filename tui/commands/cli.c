/* Command lines: reading them by an option table. */
#include "tui/commands/cli.h"
#include "tui/commands/commands.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const struct cli_spec *spec;
    int argc, next; /* argv[next] is read next */
    char **argv;
    struct cli_args *args;
};

static const struct cli_option *option_rows(const struct cli_spec *spec)
{
    static const struct cli_option none = CLI_END;
    return spec->options ? spec->options : &none;
}

static int unknown_option(const struct parser *p, const char *word, size_t n)
{
    const char *names[64] = {"help"};
    size_t count = 1;
    for (const struct cli_option *o = option_rows(p->spec); o->name && count < 64; o++) {
        names[count++] = o->name;
    }
    char *name = bt_strndup(word, n);
    const char *near = name ? bt_nearest(name, names, count) : NULL;
    int code = near ? cli_misuse(p->spec->command, "no option --%s (did you mean --%s?)", name, near)
                    : cli_misuse(p->spec->command, "no option --%s", name ? name : "");
    free(name);
    return code;
}

static int bad_value(const struct parser *p, const struct cli_option *o, const char *text,
                     const char *expected)
{
    return cli_misuse(p->spec->command, "--%s: found '%s', expected %s", o->name, text, expected);
}

static int out_of_range(const struct parser *p, const struct cli_option *o, const char *text)
{
    return cli_misuse(p->spec->command, "--%s: found %s, expected %.15g to %.15g", o->name, text, o->min,
                      o->max);
}

static int store_int(const struct parser *p, const struct cli_option *o, const char *text)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end) return bad_value(p, o, text, "a whole number");
    if (errno == ERANGE || (double)v < o->min || (double)v > o->max) return out_of_range(p, o, text);
    *(int64_t *)o->to = v;
    return CLI_DONE;
}

static int store_real(const struct parser *p, const struct cli_option *o, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) return bad_value(p, o, text, "a number");
    if (v < o->min || v > o->max) return out_of_range(p, o, text);
    *(double *)o->to = v;
    return CLI_DONE;
}

static int store_choice(const struct parser *p, const struct cli_option *o, const char *text)
{
    struct bt_str expected = {0};
    for (int i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *(int *)o->to = i;
            bt_str_free(&expected);
            return CLI_DONE;
        }
        bt_str_addf(&expected, "%s%s", i ? ", " : "one of ", o->choices[i]);
    }
    int code = bad_value(p, o, text, bt_str_text(&expected));
    bt_str_free(&expected);
    return code;
}

static int store_list(const struct cli_option *o, const char *text)
{
    struct cli_list *list = o->to;
    const char **grown = realloc(list->item, (list->n + 1) * sizeof *grown);
    if (!grown) return cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    list->item = grown;
    list->item[list->n++] = text;
    return CLI_DONE;
}

static int store(const struct parser *p, const struct cli_option *o, const char *text)
{
    switch (o->kind) {
    case CLI_KIND_FLAG:
        *(bool *)o->to = true;
        return CLI_DONE;
    case CLI_KIND_TEXT:
        *(const char **)o->to = text;
        return CLI_DONE;
    case CLI_KIND_LIST:
        return store_list(o, text);
    case CLI_KIND_INT:
        return store_int(p, o, text);
    case CLI_KIND_REAL:
        return store_real(p, o, text);
    case CLI_KIND_CHOICE:
        return store_choice(p, o, text);
    }
    return CLI_USAGE;
}

/* The value that follows: attached (what stands after = or the letter) or the next word. */
static int take_value(struct parser *p, const struct cli_option *o, const char *attached)
{
    if (o->kind == CLI_KIND_FLAG) {
        if (attached) return cli_misuse(p->spec->command, "--%s takes no value", o->name);
        return store(p, o, NULL);
    }
    if (!attached) {
        if (p->next == p->argc) {
            return cli_misuse(p->spec->command, "--%s: nothing found, expected %s", o->name,
                              o->value ? o->value : "a value");
        }
        attached = p->argv[p->next++];
    }
    return store(p, o, attached);
}

static int parse_long(struct parser *p, const char *word, bool *help)
{
    size_t n = strcspn(word, "=");
    if (n == 4 && memcmp(word, "help", 4) == 0 && !word[n]) {
        *help = true;
        return CLI_DONE;
    }
    for (const struct cli_option *o = option_rows(p->spec); o->name; o++) {
        if (strlen(o->name) == n && memcmp(o->name, word, n) == 0) {
            return take_value(p, o, word[n] ? word + n + 1 : NULL);
        }
    }
    return unknown_option(p, word, n);
}

static int parse_letters(struct parser *p, const char *letters, bool *help)
{
    for (const char *c = letters; *c; c++) {
        const struct cli_option *o = option_rows(p->spec);
        while (o->name && o->letter != *c) {
            o++;
        }
        if (!o->name && *c == 'h') {
            *help = true;
        } else if (!o->name) {
            return cli_misuse(p->spec->command, "no option -%s", c);
        } else if (o->kind != CLI_KIND_FLAG) {
            return take_value(p, o, c[1] ? c + 1 : NULL);
        } else {
            store(p, o, NULL);
        }
    }
    return CLI_DONE;
}

static int check_count(const struct parser *p)
{
    const struct command *c = command_find(p->spec->command);
    const char *usage = c && c->usage[0] ? c->usage : "no argument";
    int n = p->args->n, most = p->spec->max_args;
    if (n < p->spec->min_args) {
        return cli_misuse(p->spec->command, "an argument is missing: expected %s", usage);
    }
    if (most >= 0 && n > most) {
        return cli_misuse(p->spec->command, "one argument too many: '%s', expected %s", p->args->v[most],
                          usage);
    }
    return CLI_DONE;
}

/* The words that are no options move to the front of argv, in their order. */
static int parse_words(struct parser *p, bool *help)
{
    bool only_words = false;
    int code = CLI_DONE;
    while (code == CLI_DONE && p->next < p->argc) {
        char *word = p->argv[p->next++];
        if (only_words || word[0] != '-' || !word[1]) {
            p->args->v[p->args->n++] = word;
        } else if (word[1] != '-') {
            code = parse_letters(p, word + 1, help);
        } else if (word[2]) {
            code = parse_long(p, word + 2, help);
        } else {
            only_words = true;
        }
    }
    return code;
}

bool cli_parse(const struct cli_spec *spec, int argc, char **argv, struct cli_args *args, int *code)
{
    bool help = false;
    *args = (struct cli_args){.v = argv + 1};
    struct parser p = {.spec = spec, .argc = argc, .next = 1, .argv = argv, .args = args};
    *code = parse_words(&p, &help);
    if (*code != CLI_DONE) return false;
    if (help) {
        cli_help(spec);
        return false;
    }
    *code = check_count(&p);
    return *code == CLI_DONE;
}
