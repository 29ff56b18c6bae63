/* Texts as words: each word goes through the tokenizer by itself, and the head reads its first piece.
 *
 * A text longer than the model takes is cut into windows that overlap; a word is read in the one where most pieces stand on its poorer side, and in
 * no other. A word of which the tokenizer leaves nothing (U+200B) has no row of logits, but it is not lost: it stays a word. */
#ifndef BERTTY_TASKS_WORDS_H
#define BERTTY_TASKS_WORDS_H

#include "tasks/task.h"

#define BT__NO_ROW UINT32_MAX

struct bt__word {
    uint32_t begin, end; /* bytes of the text; of an example with parts: of those, joined by blanks */
    uint32_t row;        /* of the split's logits, or BT__NO_ROW */
};

/* Zero-initialise; bt__words_free() releases. */
struct bt__words {
    size_t n;
    struct bt__word *at; /* [n] */
    size_t *start;       /* [examples + 1] first word of each example */
    size_t *row_start;   /* [sequences + 1] first row of each sequence */
    uint32_t *of_row;    /* [rows] the word */
    size_t windowed;     /* examples that are more than one sequence */
};

/* Fills d->f and w from d's examples: their parts, or, where they have none, the text cut at white space and punctuation as the tokenizer does it. */
enum bt_status bt__words_build(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                               struct bt__words *w, struct bt_error *err);
void bt__words_free(struct bt__words *w);

#endif
