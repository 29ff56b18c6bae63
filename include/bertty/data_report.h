/* What a data set is like: labels, lengths, duplicates, overlap between files. The caller frees with bt_data_report_free(). */
#ifndef BERTTY_DATA_REPORT_H
#define BERTTY_DATA_REPORT_H

#include <bertty/dataset.h>
#include <bertty/tokenizer.h>

struct bt_label_count {
    char *label;
    size_t rows;
};

struct bt_lengths { /* of the inputs, pair or longest choice included */
    size_t n, min, max;
    double mean;
    size_t p50, p90, p99; /* smallest length that this share of rows does not exceed */
    size_t bin_width;     /* > 0 if n > 0 */
    size_t bin[32];       /* rows with length in [i·width, (i+1)·width); the last one takes the rest */
};

struct bt_file_report {
    char *path;
    char *found; /* what the file was recognised as and by what */
    enum bt_example_kind kind;
    size_t rows, invalid_utf8, empty_texts;
    struct bt_label_count *label; /* most frequent first; of words: their tags, rows counts words */
    size_t n_labels;
    struct bt_label_count
        *entity; /* most frequent first; of words: types of entities, of aspects: the aspects */
    size_t n_entities;
    const char *scheme;      /* of the tags: "IOB2", …; NULL: no words, or tags without a scheme */
    struct bt_lengths parts; /* words, labels, answers or choices of a row; n = 0: rows have none */
    size_t total_parts;
    size_t impossible; /* questions without an answer */
    size_t misaligned; /* answers that are not where the file says */
    size_t foreign;    /* words whose tag is in no scheme, where others are in one */
    char **odd;        /* [n_odd] the first few of those, a line each */
    size_t n_odd;
    size_t unmarked;              /* aspects that do not stand in their text */
    struct bt_lengths characters; /* code points */
    struct bt_lengths pieces;     /* word pieces with [CLS] and [SEP]; n = 0 without a tokenizer */
    size_t truncated;             /* rows longer than max_length pieces */
    size_t unknown, total_pieces; /* [UNK] pieces of all */
    size_t duplicates;            /* rows whose input (text and pair) stood before in the file */
    size_t conflicts;             /* different inputs that stand with more than one label */
};

struct bt_overlap {
    size_t first, second; /* files */
    size_t inputs;        /* rows of the second file whose input stands in the first one */
    size_t with_label;    /* … with the same label */
};

struct bt_data_report {
    struct bt_file_report *file;
    size_t n_files;
    struct bt_overlap *overlap; /* pairs of files that share an input */
    size_t n_overlaps;
};

/* Each of the spec's files is a split of its own; the spec's watch is told. tokenizer may be NULL; max_length 0: nothing is cut. */
enum bt_status bt_data_report(const struct bt_data_spec *spec, const struct bt_tokenizer *tokenizer,
                              size_t max_length, struct bt_data_report **out, struct bt_error *err);
void bt_data_report_free(struct bt_data_report *r);

#endif
