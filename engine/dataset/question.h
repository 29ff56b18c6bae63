/* Questions: JSON objects in SQuAD's form, and their answers' places in a context. */
#ifndef BERTTY_DATASET_QUESTION_H
#define BERTTY_DATASET_QUESTION_H

#include "dataset/loader.h"

/* A context, kept in the store. Zero-initialise; bt__context_free() releases the index. */
struct bt__context {
    const char *text;
    size_t n;     /* bytes */
    size_t *step; /* [steps] byte of every 256th code point */
    size_t steps, code_points;
};

/* Keeps n bytes as the context. False without memory. */
bool bt__context_set(struct bt__loader *l, struct bt__context *c, const char *bytes, size_t n);
void bt__context_free(struct bt__context *c);

struct bt__question {
    const struct bt_json *id, *question, *answers; /* NULL: none */
    size_t line;
};
/* Adds the question as an example; the context's text is shared. */
enum bt_status bt__question_take(struct bt__loader *l, const struct bt__question *q,
                                 const struct bt__context *c);
/* Adds an answer to the parts, at its place: the stated one (in code points; INT64_MIN: the first) if it is there, else the nearest. */
enum bt_status bt__question_answer(struct bt__loader *l, const struct bt__context *c, size_t line,
                                   const char *id, const char *bytes, size_t n, int64_t stated);
/* The same for a list or an object of them, as SQuAD or the datasets library has it. */
enum bt_status bt__question_answers(struct bt__loader *l, const struct bt__context *c, size_t line,
                                    const char *id, const struct bt_json *answers);

#endif
