/* Rows out of very many, in ascending order, at a bit each. No terminal, no files. */
#ifndef TUI_VIEWS_ROW_SET_H
#define TUI_VIEWS_ROW_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; row_set_free() releases. */
struct row_set {
    uint64_t *word; /* [words] a bit a row */
    size_t words;
    size_t *before; /* [words / a block] rows before each block of words */
    size_t n, last; /* rows; the last one */
};

/* Rows come in ascending order. False without memory. */
bool row_set_add(struct row_set *s, size_t row);
/* The i-th; SIZE_MAX beyond the last. */
size_t row_set_at(const struct row_set *s, size_t i);
/* Whether a row is among them; *i: how many are before it. */
bool row_set_find(const struct row_set *s, size_t row, size_t *i);
/* to is empty. False without memory. */
bool row_set_copy(const struct row_set *s, struct row_set *to);
void row_set_free(struct row_set *s);

#endif
