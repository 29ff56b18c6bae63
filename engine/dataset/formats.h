/* The formats of data files: one row each. */
#ifndef BERTTY_DATASET_FORMATS_H
#define BERTTY_DATASET_FORMATS_H

#include "dataset/loader.h"

struct bt__format {
    const char *name;
    enum bt_example_kind kind; /* of its examples, where they can be of one only; else BT_EXAMPLE_TEXT */
    /* Whether the page looks like it, which may fill in the rest of the head. NULL: found in another way. */
    bool (*looks)(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                  struct bt__head *head);
    /* Where a record ends, as bt__record_find(). NULL: as a table's. */
    bool (*find)(const char *p, size_t n, bool last, struct bt__span *out);
    /* A record as a row for looking at. NULL: as a table's. */
    enum bt_status (*cells)(const struct bt__head *h, const char *path, const struct bt__record *rec,
                            struct bt_row *r, struct bt_error *err);
    const char *const *columns; /* of those rows, up to a NULL */
    enum bt_status (*load)(struct bt__loader *l);
};

const struct bt__format *bt__format_of(enum bt_data_format f);

bool bt__conll_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                     struct bt__head *head);
bool bt__conll_find(const char *p, size_t n, bool last, struct bt__span *out);
enum bt_status bt__conll_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                               struct bt_row *r, struct bt_error *err);

bool bt__squad_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                     struct bt__head *head);

bool bt__semeval_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                       struct bt__head *head);
bool bt__semeval_find(const char *p, size_t n, bool last, struct bt__span *out);
enum bt_status bt__semeval_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                                 struct bt_row *r, struct bt_error *err);

bool bt__text_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                    struct bt__head *head);
bool bt__text_find(const char *p, size_t n, bool last, struct bt__span *out);
enum bt_status bt__text_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                              struct bt_row *r, struct bt_error *err);

#endif
