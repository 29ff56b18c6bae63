/* What a model said of an input, kept beyond the next question, for those who compare what it says of several. */
#ifndef BERTTY_EXPLAIN_SAID_H
#define BERTTY_EXPLAIN_SAID_H

#include <bertty/predictor.h>

/* How the answers of a task are to be taken. */
enum bt__way { BT__ONE_LABEL, BT__LABEL_SET, BT__ENTITIES, BT__NUMBER, BT__FREE_TEXT };
enum bt__way bt__way_of(int task); /* BT_TYPE_… */

struct bt__piece {
    char *label; /* of an entity "TYPE: text"; never NULL */
    size_t type; /* bytes of label before the colon; 0: not an entity */
    double score;
    size_t begin, end; /* as in struct bt_answer */
    bool chosen;
};

/* Zero-initialise; bt__said_free() releases. */
struct bt__said {
    struct bt__piece *piece;
    size_t n;
    char *decision; /* the chosen ones, as a person reads them */
};
/* text: that the answers are about. False: no memory; s is to be freed then too. */
bool bt__said_keep(struct bt__said *s, int task, const struct bt_output *out, const char *text);
void bt__said_free(struct bt__said *s);

/* The first piece of that label; NULL: none. */
const struct bt__piece *bt__said_find(const struct bt__said *s, const char *label);
/* Answers to questions are compared as SQuAD's scorer does, all else byte by byte. */
bool bt__said_same_text(int task, const char *a, const char *b);

#endif
