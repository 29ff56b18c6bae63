/* Loading examples: the store that they go to, and what every reader has at hand. */
#ifndef BERTTY_DATASET_LOADER_H
#define BERTTY_DATASET_LOADER_H

#include "dataset/cells.h"
#include "dataset/classes.h"
#include "dataset/dialect.h"
#include <bertty/json.h>

enum { BT__TAGS_KEPT = 256 };

struct bt__loader {
    const struct bt_data_spec *spec;
    struct bt_examples *to;
    struct bt__classes classes; /* n = 0: labels stay as they are */
    uint32_t file;              /* that is read: */
    const char *path;
    struct bt__source source; /* before its first record behind the header */
    struct bt__head head;
    struct bt_part
        *part; /* of the record that is read: bt__loader_part() adds, bt__loader_parts() hands over */
    size_t parts, parts_cap;
    struct bt_part tag[BT__TAGS_KEPT]; /* texts that were kept already, by their hash */
    struct bt_str scratch;             /* of bt__loader_keep() */
    bool invalid;                      /* the record held invalid UTF-8 */
    uint64_t told;                     /* offset in the file when the spec's watch was told last */
    struct bt_error *err;
};

/* A new example, or NULL without memory. Ends the invalid UTF-8 of the one before. */
struct bt_example *bt__loader_add(struct bt__loader *l, size_t line);
/* False if the spec's max_samples are there. */
bool bt__loader_wants_more(const struct bt__loader *l);
/* Bytes as valid UTF-8 and NUL-terminated, in the store; NULL without memory. */
const char *bt__loader_keep(struct bt__loader *l, const char *bytes, size_t n, size_t *kept_n);
/* The same for texts that come again and again. */
const char *bt__loader_keep_tag(struct bt__loader *l, const char *bytes, size_t n, size_t *kept_n);
/* One more part, at = −1; NULL without memory. Valid until the next call. */
struct bt_part *bt__loader_part(struct bt__loader *l, size_t line);
/* Hands the parts to x and counts its invalid UTF-8, which strict mode refuses. Every example ends with it. */
enum bt_status bt__loader_done(struct bt__loader *l, struct bt_example *x);
/* The same for the parts that are words: x's text is them with blanks between. */
enum bt_status bt__loader_words(struct bt__loader *l, struct bt_example *x);
/* Tells an odd thing of the file, if it is one of the first few. Strict mode refuses it. */
BT_PRINTF(3, 4)
enum bt_status bt__loader_odd(struct bt__loader *l, size_t line, const char *fmt, ...);
/* Counts a misaligned answer. */
void bt__loader_misaligned(struct bt__loader *l);
/* What the file was recognised as. */
BT_PRINTF(2, 3) enum bt_status bt__loader_found(struct bt__loader *l, const char *fmt, ...);
enum bt_status bt__loader_no_memory(const struct bt__loader *l, size_t line);
/* The label as it counts: a name of class_names_file if there is one. */
enum bt_status bt__loader_label(struct bt__loader *l, size_t line, const char *column, const char **label,
                                size_t *n);

/* Readers: all records of the file. */
enum bt_status bt__load_table(struct bt__loader *l); /* CSV, TSV, JSONL, SWAG */
enum bt_status bt__load_conll(struct bt__loader *l);
enum bt_status bt__load_squad(struct bt__loader *l);
enum bt_status bt__load_semeval(struct bt__loader *l);
enum bt_status bt__load_text(struct bt__loader *l);

#endif
