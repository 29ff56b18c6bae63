/* The parts of a table that its files share. */
#ifndef BERTTY_DATASET_TABLE_H
#define BERTTY_DATASET_TABLE_H

#include "dataset/cells.h"
#include "dataset/dialect.h"

enum {
    BT__STRIDE = 256,    /* rows from one kept place to the next */
    BT__BLOCK = 1024,    /* places in a block of the index: blocks never move, so that readers need no lock */
    BT__BLOCKS = 1 << 16 /* 17 billion rows */
};

struct bt__mark {
    uint64_t offset;
    size_t line;
};

struct bt_table {
    struct bt__head head;
    struct bt__csv *csv;
    struct bt_examples *held;     /* SQuAD: all rows, nothing is read later; NULL: any other format */
    struct bt__source scan;       /* of the thread that scans */
    struct bt__source read, find; /* of the one that looks at rows and searches */
    size_t read_row, find_row;    /* the row that comes next from each */
    struct bt__mark **block;      /* [blocks] */
    size_t blocks;                /* that the file can need, at most BT__BLOCKS */
    atomic_size_t rows;           /* rows whose places are known */
    _Atomic uint64_t known;       /* bytes of the file up to the end of those */
    atomic_bool complete;
};

/* Places s before a row that is known. at: the row that s gives next. */
void bt__table_seek(const struct bt_table *t, struct bt__source *s, size_t *at, size_t row);
/* Cells of a record, as bt_table_row() gives them. */
enum bt_status bt__table_cells(struct bt_table *t, const struct bt__record *rec, struct bt_row *r,
                               struct bt_error *err);
/* A row of a table that is held. */
enum bt_status bt__table_held(const struct bt_table *t, size_t row, struct bt_row *r, struct bt_error *err);

#endif
