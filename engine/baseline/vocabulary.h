/* Terms and their numbers: a growing table by hash. Zero-initialise; the caller frees with bt__vocabulary_free(). */
#ifndef BERTTY_BASELINE_VOCABULARY_H
#define BERTTY_BASELINE_VOCABULARY_H

#include <bertty/str.h>
#include <stdbool.h>
#include <stdint.h>

struct bt__term {
    size_t at, n; /* in text */
    uint32_t hash;
};
struct bt__vocabulary {
    struct bt_str text;
    struct bt__term *term; /* [n] */
    size_t n, cap;
    uint32_t *slot; /* [slots] number of a term + 1; 0: free */
    size_t slots;   /* a power of two */
};

/* The number of a term; −1: it is not there. */
int64_t bt__vocabulary_find(const struct bt__vocabulary *v, const char *text, size_t n);
/* The same, and it is there then; −1: no memory. */
int64_t bt__vocabulary_add(struct bt__vocabulary *v, const char *text, size_t n);
/* Numbers the terms anew, in their bytewise order; place[n] receives the new number of each. False: no memory. */
bool bt__vocabulary_sort(struct bt__vocabulary *v, uint32_t *place);
void bt__vocabulary_free(struct bt__vocabulary *v);

#endif
