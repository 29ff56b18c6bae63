/* Reading data files as labelled examples: tables (CSV, TSV, JSONL, SWAG), sentences of words (CoNLL), questions (SQuAD), aspects
 * (SemEval's .seg) and plain text, one file or several taken as one.
 *
 * Files are read whole (a file that is a FIFO, a device or a directory is refused at once). The caller frees what a load gives with
 * bt_examples_free(); examples and their texts are borrowed from it. Errors name file, line and column. */
#ifndef BERTTY_DATASET_H
#define BERTTY_DATASET_H

#include <bertty/error.h>
#include <bertty/str.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an example is made of; it follows from the task. */
enum bt_example_kind {
    BT_EXAMPLE_TEXT,      /* text, perhaps pair; label as its text (a class, or a number for regression) */
    BT_EXAMPLE_LABEL_SET, /* the same with any number of labels: one part each */
    BT_EXAMPLE_WORDS,     /* one part a word: its text, and its tag */
    BT_EXAMPLE_QUESTION, /* text: the question, pair: the context; one part a gold answer, with its place in the context */
    BT_EXAMPLE_ASPECT, /* text: the sentence, pair: the aspect, mark: its place if the file tells it; label */
    BT_EXAMPLE_CHOICES, /* text, one part a choice (SWAG: start of the ending + ending); label: the right one's number from 0 */
    BT_EXAMPLE_PLAIN /* text alone: a line or a record of a plain text file */
};

/* The order of data.format's choices. */
enum bt_data_format {
    BT_DATA_AUTO, /* from the content */
    BT_DATA_CSV,
    BT_DATA_TSV,
    BT_DATA_JSONL,
    BT_DATA_CONLL,   /* a word a line in columns; empty lines end sentences */
    BT_DATA_SQUAD,   /* one JSON object: data → paragraphs → qas */
    BT_DATA_SEMEVAL, /* three lines a record: sentence with $T$, aspect, −1/0/1 */
    BT_DATA_SWAG,    /* a CSV with the columns sent1, sent2, ending0, … */
    BT_DATA_TEXT,    /* a text a line */
    BT_DATA_FORMATS
};
/* The kind of examples that only this format has, or that it has usually; BT_EXAMPLE_TEXT for tables. */
enum bt_example_kind bt_data_format_kind(enum bt_data_format f);
/* "csv", … as data.format spells it. */
const char *bt_data_format_name(enum bt_data_format f);

/* How a file's cells are found. Zero-initialised with quoting and header −1: everything from the content. */
struct bt_data_dialect {
    enum bt_data_format format;
    char delimiter; /* '\0': from the content */
    int quoting;    /* "…" encloses cells: 1, 0; −1: from the content */
    int header;     /* the first row names the columns: 1, 0; −1: from the content */
};

/* Who waits for long work on files. */
struct bt_data_watch {
    /* Called every few milliseconds by the thread that works. doing: "reading", static; done: share of that file, [0, 1]. False: nobody wants
     * it any more, and the work ends with BT_CANCELLED. */
    bool (*tell)(void *ctx, const char *doing, const char *path, double done);
    void *ctx;
};

struct bt_data_spec {
    const char *const *files;
    size_t n_files;
    struct bt_data_dialect dialect;
    const char *text_column;      /* a name, or a number from 1 */
    const char *text_pair_column; /* NULL: single texts */
    const char *label_column;     /* NULL: labels are not read */
    const char *class_names_file; /* NULL, or names for the labels 0, 1, … */
    enum bt_example_kind kind;
    const char *aspect_column, *context_column, *tokens_column, *tags_column, *id_column; /* NULL: none */
    const char *const *choice_columns;
    size_t n_choice_columns;
    const char *label_separator; /* between the labels of a set; NULL: "," */
    const char *label_until;     /* a label ends before the first of this; NULL: nowhere */
    bool strict;        /* what is odd is refused instead of counted: invalid UTF-8, misaligned answers */
    size_t max_samples; /* 0: all */
    const struct bt_data_watch *watch; /* NULL: nobody */
};

/* Whether a column's name is a range like "2-": column 2 and all behind it. */
bool bt_data_column_is_range(const char *name);

struct bt_experiment;
/* An experiment's data settings; texts are borrowed from x, files and max_samples are the caller's to fill in. */
struct bt_data_spec bt_experiment_data(const struct bt_experiment *x);
/* The same with the files and max_samples of a split: "train", "test", else the validation data, whose rows keep their numbers in the training data's files where they are cut off them. All
 * borrowed from x. n_files 0: the experiment names none. */
struct bt_data_spec bt_experiment_split(const struct bt_experiment *x, const char *split);

struct bt_example {
    const char *text, *pair,
        *label; /* valid UTF-8 (what was not is U+FFFD); pair, label NULL without such a column; borrowed */
    size_t text_n, pair_n, label_n; /* bytes */
    size_t line;                    /* of the record's first line in its file, from 1 */
    uint32_t file;                  /* index into the spec's files */
    const char *id;                 /* its name in the file (a question's id); NULL: none */
    const struct bt_part *part;     /* [parts] */
    uint32_t parts;
    size_t mark, mark_n; /* bytes of text that the aspect takes; mark_n 0: not known */
    bool impossible;     /* a question whose context holds no answer */
};

/* What an example has several of. Texts are valid UTF-8 and borrowed. */
struct bt_part {
    const char *text, *tag; /* a word, answer, choice or label; tag: of a word, else NULL */
    size_t n, tag_n;        /* bytes */
    int64_t at;             /* of an answer: code points of the context before it; else −1 */
    size_t line;            /* in the file, from 1 */
};

/* What it reads, in a line: its text, or else its words or choices, and behind " | " the second text. */
void bt_example_text(const struct bt_example *x, struct bt_str *out);

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
/* Answers whose text is not where the file says; their at is the nearest place that holds it, or −1. */
size_t bt_examples_misaligned(const struct bt_examples *e);
/* The first few of those, a line each with file and line; NULL: no more. */
const char *bt_examples_odd(const struct bt_examples *e, size_t i);
/* What the file was recognised as and by what, in a line; file: index into the spec's files. NULL: not read. */
const char *bt_examples_found(const struct bt_examples *e, size_t file);

#endif
