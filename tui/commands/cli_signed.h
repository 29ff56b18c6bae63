/* +TAG and -TAG on a command line. */
#ifndef TUI_COMMANDS_CLI_SIGNED_H
#define TUI_COMMANDS_CLI_SIGNED_H

#include <stdbool.h>
#include <stddef.h>

/* The signed words behind the first RUN are tags; the rest is a command line like others. Words are borrowed from argv; cli_signed_free() frees the arrays. */
struct cli_signed {
    char **rest; /* [n_rest] */
    const char **add, **drop;
    int n_rest;
    size_t n_add, n_drop;
};
/* valued: options that take a value, ended by NULL, or NULL: a value is never a tag. False: no memory. */
bool cli_signed_sort(int argc, char **argv, const char *const *valued, struct cli_signed *w);
void cli_signed_free(struct cli_signed *w);

#endif
