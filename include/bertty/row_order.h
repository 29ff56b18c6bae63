/* Rows in the order of a column: numbers first and as numbers, then text by code points, then empty cells; rows with equal cells stay in theirs.
 *
 * Cells are added in the order of the rows, then bt_row_order_sort() is called until it is done. One thread at a time. */
#ifndef BERTTY_ROW_ORDER_H
#define BERTTY_ROW_ORDER_H

#include <bertty/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_row_order;

enum { BT_ROW_ORDER_TEXT = 1024 /* bytes of a text that count */ };

/* most_bytes: of memory that it may take. Reversed: empty cells are last all the same. NULL without memory. */
struct bt_row_order *bt_row_order_create(bool reversed, size_t most_bytes);
void bt_row_order_free(struct bt_row_order *o); /* NULL is fine */
/* A NUL-terminated cell of n bytes. BT_NOMEM: it does not fit; how many rows did is told. */
enum bt_status bt_row_order_add(struct bt_row_order *o, size_t row, const char *cell, size_t n,
                                struct bt_error *err);
/* A part of the work; *progress in [0, 1], 1: done. */
enum bt_status bt_row_order_sort(struct bt_row_order *o, const atomic_bool *cancel, double *progress,
                                 struct bt_error *err);
/* The rows, once it is done: the caller frees them with free(); NULL without memory. */
uint32_t *bt_row_order_take(const struct bt_row_order *o, size_t *n);

#endif
