/* The rows of a data file that a filter leaves, in the file's order or in that of a column. */
#ifndef TUI_COMMANDS_CLI_ROWS_H
#define TUI_COMMANDS_CLI_ROWS_H

#include <bertty/table.h>
#include <bertty/tokenizer.h>
#include <stdint.h>

struct cli_rows {
    const char *filter; /* an expression; NULL: all rows */
    const char *sort;   /* a column; NULL: as they stand in the file */
    bool reversed, json;
    int64_t limit;                        /* rows that are printed; −1: all */
    const struct bt_tokenizer *tokenizer; /* for pieces(); NULL: none */
};

/* Reads the table to its end and prints; the exit code. */
int cli_rows(struct bt_table *t, const char *path, const struct cli_rows *how);

#endif
