/* A table that is loaded: where the columns are, and the record at hand. */
#ifndef BERTTY_DATASET_TABULAR_H
#define BERTTY_DATASET_TABULAR_H

#include "dataset/question.h"

enum { BT__TEXT, BT__PAIR, BT__LABEL, BT__ID, BT__CHOICE, BT__WHATS };
enum { BT__ROLES = 64 };

struct bt__role {
    const char *name; /* as it was asked for */
    int what;
    ptrdiff_t column;
    bool rest;        /* the columns behind it too */
    const char *cell; /* of the record … */
    size_t cell_n;
    const struct bt_json *json; /* … and as JSON; NULL: not JSONL, or none */
};

struct bt__table_load {
    struct bt__loader *l;
    const struct bt_data_dialect *d;
    struct bt__csv *csv;
    struct bt_row row;
    struct bt_json *root; /* JSONL: of the record */
    struct bt__role role[BT__ROLES];
    size_t n, at[BT__WHATS];    /* role of each kind (of the choices the last one); SIZE_MAX: none */
    struct bt__context context; /* of the question before */
    size_t choices;             /* of the first record */
    const char *tokens, *tags;  /* members with words; tags NULL: none */
    struct bt_str text;
    enum bt_status (*takes_object)(struct bt__table_load *t, const struct bt__record *rec);
};

const struct bt__role *bt__role_of(const struct bt__table_load *t, int what); /* NULL: none */

/* What a kind makes of the record, for an example that has its texts and id. */
typedef enum bt_status bt__kind_take(struct bt__table_load *t, struct bt_example *x);
extern bt__kind_take *const bt__kind_takes[];

/* Sets the table up for objects with lists of words and of tags. */
enum bt_status bt__json_words(struct bt__table_load *t);

#endif
