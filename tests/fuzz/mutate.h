/* Changes of an input that follow from a number: the same number, the same changes, on every machine. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_LARGEST = 1 << 14 /* bytes of an input */ };

struct fuzz_input {
    uint8_t bytes[FUZZ_LARGEST];
    size_t n;
};

/* A few changes: a bit, a byte, a piece cut out, doubled or put elsewhere, the end of another input, a number at its extremes, a word that formats
 * give a meaning. */
void fuzz_mutate(struct fuzz_input *in, const struct fuzz_input *other, uint64_t number);

#endif
