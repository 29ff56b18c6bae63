/* A parsed filter: a tree in an array. */
#ifndef BERTTY_DATASET_ROW_FILTER_H
#define BERTTY_DATASET_ROW_FILTER_H

#include <bertty/regex.h>
#include <bertty/row_filter.h>

enum bt__op {
    BT__OP_OR,
    BT__OP_AND,
    BT__OP_NOT, /* of left */
    BT__OP_EQ,
    BT__OP_NE,
    BT__OP_LT,
    BT__OP_LE,
    BT__OP_GT,
    BT__OP_GE,
    BT__OP_MATCH, /* left is a value, or none: any cell */
};

enum bt__value_kind {
    BT__VALUE_COLUMN,
    BT__VALUE_LENGTH,
    BT__VALUE_PIECES,
    BT__VALUE_NUMBER,
    BT__VALUE_TEXT
};

struct bt__value {
    enum bt__value_kind kind;
    size_t column; /* of a column, and what length and pieces are of */
    double number;
    char *text; /* ours */
    size_t n;
};

struct bt__node {
    enum bt__op op;
    int left, right;       /* nodes, of or, and, not */
    struct bt__value a, b; /* of comparisons */
    bool any;              /* of a match: in any cell; a says nothing */
    struct bt_regex *regex;
};

struct bt_row_filter {
    struct bt__node *node;
    int n, cap, root;
    bt_row_pieces_fn *pieces;
    void *pieces_ctx;
    size_t gave_up;
};

#endif
