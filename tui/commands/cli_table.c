/* Text in columns. */
#include "tui/commands/cli.h"
#include <bertty/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 32 };

static bool grow(struct cli_table *t)
{
    if (t->n < t->cap) return true;
    size_t cap = t->cap ? t->cap * 2 : 64;
    char **grown = realloc(t->cell, cap * sizeof *grown);
    if (!grown) return false;
    t->cell = grown;
    t->cap = cap;
    return true;
}

void cli_table_cell(struct cli_table *t, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    struct bt_str clean = {0};
    bt_text_clean(&clean, text, (size_t)n);
    free(text);
    if (grow(t)) {
        t->cell[t->n++] = bt_str_take(&clean);
    } else {
        bt_str_free(&clean);
    }
}

void cli_table_text(struct cli_table *t, const char *text, size_t n, int width)
{
    struct bt_str cut = {0};
    bt_text_fit(&cut, text, n, width);
    cli_table_cell(t, "%s", bt_str_text(&cut));
    bt_str_free(&cut);
}

static const char *cell_text(const struct cli_table *t, size_t i)
{
    return i < t->n && t->cell[i] ? t->cell[i] : "";
}

static int cell_width(const struct cli_table *t, size_t i)
{
    const char *text = cell_text(t, i);
    return bt_text_width(text, strlen(text));
}

static void add_cell(struct bt_str *line, const struct cli_table *t, size_t i, int width)
{
    size_t column = i % t->columns;
    int pad = width - cell_width(t, i);
    bool right = t->right >> column & 1, last = column + 1 == t->columns;
    bt_str_addf(line, "%s%*s%s", column ? "  " : "", right ? pad : 0, "", cell_text(t, i));
    if (!right && !last) bt_str_addf(line, "%*s", pad, "");
}

void cli_table_print(struct cli_table *t)
{
    int width[MOST_COLUMNS] = {0};
    struct bt_str line = {0};
    for (size_t i = 0; i < t->n; i++) {
        int w = cell_width(t, i), *widest = &width[i % t->columns];
        if (w > *widest) *widest = w;
    }
    for (size_t i = 0; i < t->n; i++) {
        add_cell(&line, t, i, width[i % t->columns]);
        if ((i + 1) % t->columns && i + 1 < t->n) continue;
        cli_line("%s", bt_str_text(&line));
        bt_str_clear(&line);
    }
    bt_str_free(&line);
    for (size_t i = 0; i < t->n; i++) {
        free(t->cell[i]);
    }
    free(t->cell);
    *t = (struct cli_table){.columns = t->columns, .right = t->right};
}
