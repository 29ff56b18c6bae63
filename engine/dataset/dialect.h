/* What a file looks like, found from its first page: delimiter, quoting, header, and the columns' names. */
#ifndef BERTTY_DATASET_DIALECT_H
#define BERTTY_DATASET_DIALECT_H

#include "dataset/records.h"

/* The kind of examples is not known: a format is recognised only by what nothing else has. */
enum { BT__EXAMPLE_ANY = -1 };

struct bt__head {
    struct bt_data_dialect dialect; /* nothing is "auto" in it */
    char **name;                    /* [n], ours: of the header, of the JSON members, or "1", "2", … */
    size_t n;
    /* CoNLL: columns of most lines, and what else was seen */
    size_t fields;
    bool conllu, comments, document_starts, blank_lines;
    char label_first
        [40]; /* one column whose lines all begin with a label and a blank: the first of them; else "" */
};

/* Does every line of the page begin with a label and a blank, few labels again and again? label: the first of them. */
bool bt__label_first(const struct bt__source *s, char *label, size_t size);
bool bt__path_ends(const char *path, const char *end); /* in upper or lower case */
/* By its name or its first object. */
bool bt__looks_like_jsonl(const struct bt__source *s);

/* Every "auto" of asked decided. wanted: names that columns are asked by (n of them, NULL entries are fine); a first row that holds
 * one is a header. Leaves the source where it is. */
enum bt_status bt__dialect_find(const struct bt__source *s, const struct bt_data_dialect *asked,
                                const char *const *wanted, size_t n, struct bt_data_dialect *out,
                                struct bt_error *err);
/* The format too, and takes the header's record from the source. kind: of the examples that are to come of it (enum bt_example_kind), or
 * BT__EXAMPLE_ANY. bt__head_free() releases. */
enum bt_status bt__head_read(struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                             const char *const *wanted, size_t n, struct bt__head *out, struct bt_error *err);
/* As a spec says, whose files are not looked at. */
enum bt_status bt__head_of_spec(struct bt__source *s, const struct bt_data_spec *spec, struct bt__head *out,
                                struct bt_error *err);
void bt__head_free(struct bt__head *h);

/* Index of a column by name, or by its number from 1 if none has that name; −1: none. */
ptrdiff_t bt__column_of(const char *const *names, size_t n, const char *name);
ptrdiff_t bt__head_column(const struct bt__head *h, const char *name);
/* Tells that there is no such column, which ones there are and which is nearest. */
enum bt_status bt__head_no_column(const struct bt__head *h, const char *path, const char *name,
                                  struct bt_error *err);

/* Shape of the page under a dialect with quoting and delimiter given. */
struct bt__profile {
    size_t records;
    size_t columns;  /* of most records */
    size_t matching; /* records with so many */
    size_t split;    /* records with two or more */
    size_t first;    /* columns of the first record */
    size_t bytes;    /* of the page that the records take */
    size_t quoted;   /* closed quoted cells */
    size_t needed;   /* … that hold a delimiter, a line's end or "" */
    size_t spaced;   /* delimiters with a blank behind them, as in prose */
    size_t odd;      /* a " inside of a quoted cell that neither closes it nor is doubled */
    bool open;       /* a quote that is never closed */
};
void bt__profile(const struct bt_data_dialect *d, const struct bt__source *s, size_t max_records,
                 struct bt__profile *out);
/* *header: 1 if the first row names the columns, else 0. */
enum bt_status bt__header_find(const struct bt_data_dialect *d, const struct bt__source *s,
                               const char *const *wanted, size_t n_wanted, int *header, struct bt_error *err);

#endif
