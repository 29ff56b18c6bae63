/* Reading data files as labelled texts: CSV, TSV and JSONL, one file or several taken as one.
 *
 * Files are read whole (a file that is a FIFO, a device or a directory is refused at once). The caller frees what a load gives with
 * bt_examples_free(); examples and their texts are borrowed from it. Errors name file, line and column. */
#ifndef BERTTY_DATASET_H
#define BERTTY_DATASET_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order of data.format's choices. */
enum bt_data_format { BT_DATA_AUTO, BT_DATA_CSV, BT_DATA_TSV, BT_DATA_JSONL };

/* How a file's cells are found. Zero-initialised with quoting and header −1: everything from the content. */
struct bt_data_dialect {
    enum bt_data_format format;
    char delimiter; /* '\0': from the content */
    int quoting;    /* "…" encloses cells: 1, 0; −1: from the content */
    int header;     /* the first row names the columns: 1, 0; −1: from the content */
};

struct bt_data_spec {
    const char *const *files;
    size_t n_files;
    struct bt_data_dialect dialect;
    const char *text_column;      /* a name, or a number from 1 */
    const char *text_pair_column; /* NULL: single texts */
    const char *label_column;     /* NULL: labels are not read */
    const char *class_names_file; /* NULL, or names for the labels 0, 1, … */
    size_t max_samples;           /* 0: all */
};

struct bt_experiment;
/* An experiment's data settings; texts are borrowed from x, files and max_samples are the caller's to fill in. */
struct bt_data_spec bt_experiment_data(const struct bt_experiment *x);

struct bt_example {
    const char *text, *pair,
        *label; /* valid UTF-8 (what was not is U+FFFD); pair, label NULL without such a column; borrowed */
    size_t text_n, pair_n, label_n; /* bytes */
    size_t line;                    /* of the record's first line in its file, from 1 */
    uint32_t file;                  /* index into the spec's files */
};

struct bt_examples;

/* BT_INVALID: ragged row, empty label, unterminated quote, … with file and line. */
enum bt_status bt_examples_load(const struct bt_data_spec *spec, struct bt_examples **out,
                                struct bt_error *err);
void bt_examples_free(struct bt_examples *e); /* NULL is fine */
size_t bt_examples_count(const struct bt_examples *e);
const struct bt_example *bt_examples_at(const struct bt_examples *e, size_t i);
/* What was odd but not refused: records whose bytes were no valid UTF-8, and empty records that were passed over. */
size_t bt_examples_invalid_utf8(const struct bt_examples *e);
size_t bt_examples_empty(const struct bt_examples *e);

#endif
