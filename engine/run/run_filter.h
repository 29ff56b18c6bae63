/* A filter from the inside. */
#ifndef BERTTY_RUN_RUN_FILTER_H
#define BERTTY_RUN_RUN_FILTER_H

#include <bertty/regex.h>
#include <bertty/run_filter.h>

enum bt__word_kind {
    BT__WORD_ANY,    /* id, name, state */
    BT__WORD_FIELD,  /* a text of the run */
    BT__WORD_OPTION, /* a text of its settings */
    BT__WORD_NUMBER
};
enum bt__compare { BT__LESS, BT__LESS_EQUAL, BT__EQUAL, BT__GREATER_EQUAL, BT__GREATER };
enum bt__field { BT__STATE, BT__TAG, BT__NOTE, BT__NAME, BT__HOST, BT__ERROR, BT__FIELDS };

struct bt__word {
    enum bt__word_kind kind;
    enum bt__field field;
    const struct bt_option *option; /* of BT__WORD_OPTION */
    char *text;                     /* what is looked for; owned */
    bool whole;                     /* all of it, not a part */
    struct bt_regex *regex;         /* instead of text; owned; NULL: none */
    struct bt_run_key key;          /* of BT__WORD_NUMBER, as the next two */
    enum bt__compare compare;
    double value;
};

enum bt__node_kind { BT__NODE_WORD, BT__NODE_NOT, BT__NODE_AND, BT__NODE_OR };

/* a: a word's number, or the first operand; b: the second. Operands are nodes that stand before. */
struct bt__node {
    enum bt__node_kind kind;
    size_t a, b;
};

struct bt_run_filter {
    struct bt__word *word;
    size_t n_words;
    struct bt__node *node; /* the last one is the whole; none: everything */
    size_t n_nodes;
};

extern const char *const bt__field_names[BT__FIELDS];

/* One word without its minus. literal: it was quoted; regex: the place in text where an expression (without its slashes) begins, −1: none. */
enum bt_status bt__word_parse(const char *text, bool literal, ptrdiff_t regex, struct bt__word *out,
                              struct bt_error *err);
void bt__word_clear(struct bt__word *w);
bool bt__word_match(const struct bt__word *w, const struct bt_run_status *s, const struct bt_run_facts *f,
                    double now);

/* The built-in figures' names, NULL at the end, in the order of their telling. */
extern const char *const bt__key_names[];
/* "learning_rate" or "optim.learning_rate", n bytes. NULL: none; err names the nearest. */
const struct bt_option *bt__option_named(const char *name, size_t n, struct bt_error *err);
/* Is the option's value a number that can be more or less than another? */
bool bt__option_is_number(const struct bt_option *o);

#endif
