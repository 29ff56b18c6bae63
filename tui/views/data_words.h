/* A row's text as the model will see it: word pieces, and where max_seq_length cuts. No terminal, no files. */
#ifndef TUI_VIEWS_DATA_WORDS_H
#define TUI_VIEWS_DATA_WORDS_H

#include <bertty/tokenizer.h>

struct data_words {
    struct bt_tokenizer *tokenizer; /* NULL: none; shared by threads */
    size_t max_length;              /* pieces, [CLS] and [SEP] counted; 0: nothing is cut */
    int truncation;                 /* BT_TRUNCATION_… */
    size_t max_query; /* > 0: the text is a question, cut to so many pieces; its pair is read in windows */
    size_t overlap;   /* pieces that two windows share */
    size_t step;      /* > 0: how far behind a window the next one begins, instead */
};

struct data_cut {
    size_t text, pair;      /* pieces of each */
    size_t kept, pair_kept; /* … that the model sees */
    size_t tail;            /* … of them, of the text, that stand at its end */
    size_t special;         /* [CLS] and [SEP] */
    size_t unknown;         /* [UNK] among all pieces */
    size_t windows;         /* that the text is read in */
};
/* How many of text and pair pieces (has_pair: there is a second text) are kept. */
void data_cut(const struct data_words *w, size_t text, size_t pair, bool has_pair, struct data_cut *out);
/* Encodes both (pair NULL: none) into e[0], e[1]; false without memory. */
bool data_encode(const struct data_words *w, const char *text, size_t text_n, const char *pair, size_t pair_n,
                 struct bt_encoding e[2], struct data_cut *out);

/* ── lengths of many inputs ── */

struct data_histogram {
    size_t *count, cap; /* rows of each length; count[cap - 1] takes what is longer */
    size_t n, min, max;
    double sum;
};
bool data_histogram_add(struct data_histogram *h, size_t length);
void data_histogram_free(struct data_histogram *h);
/* The smallest length that `share` of the rows does not exceed. */
size_t data_histogram_at(const struct data_histogram *h, double share);
/* Rows with a length in [from, to). */
size_t data_histogram_between(const struct data_histogram *h, size_t from, size_t to);
/* A round width of bins, so that at most `most` of them hold 99.5 % of the rows. */
size_t data_histogram_width(const struct data_histogram *h, size_t most);

#endif
