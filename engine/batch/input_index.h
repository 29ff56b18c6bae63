/* Which inputs stand in which files, and with which labels: by 128-bit hashes, in time that is linear in the rows.
 *
 * Zero-initialise; bt__input_index_free() releases. Rows are added file by file, in ascending order of the files. */
#ifndef BERTTY_BATCH_INPUT_INDEX_H
#define BERTTY_BATCH_INPUT_INDEX_H

#include <bertty/dataset.h>

struct bt__input {  /* an input in one file */
    uint64_t a, b;  /* its hash */
    uint64_t label; /* hash of the first label that it stands with; 0: none */
    uint32_t file;
    uint32_t earlier; /* 1 + index of the same input in a file before this one; 0: none */
    bool conflict;    /* it stands with another label too */
};

struct bt__input_index {
    enum bt_example_kind kind;
    struct bt__input *input;
    size_t n, cap;
    uint32_t *slot; /* [slots] 1 + index of the last one of its hash; 0: free */
    size_t slots;
    uint64_t *labelled; /* [labelled_slots] set of (input, file, label); 0: free */
    size_t n_labelled, labelled_slots;
};

struct bt__input_seen {
    bool duplicate;    /* the file has it already */
    bool new_conflict; /* it stands with a second label, for the first time */
    uint32_t at;       /* index of the input */
};

/* Adds a row. False without memory. */
bool bt__input_add(struct bt__input_index *x, const struct bt_example *e, uint32_t file,
                   struct bt__input_seen *seen);
/* input stands with e's label in that file. */
bool bt__input_has_label(const struct bt__input_index *x, const struct bt__input *input,
                         const struct bt_example *e);
void bt__input_index_free(struct bt__input_index *x);

uint64_t bt__hash_bytes(const void *bytes, size_t n, uint64_t seed);

#endif
