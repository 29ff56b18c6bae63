/* The words of a text as scikit-learn's TfidfVectorizer cuts it: lower case, then every match of \b\w\w+\b. */
#ifndef BERTTY_BASELINE_WORDS_H
#define BERTTY_BASELINE_WORDS_H

#include <bertty/str.h>
#include <stdbool.h>

/* A word in lower case, borrowed for the call. False: enough. */
typedef bool bt__word_fn(void *ctx, const char *word, size_t n);

/* Calls each for the words of n bytes of valid UTF-8, in their order. A word is a longest run of at least two letters, numbers or underscores
 * (categories L and N, as Python's \w). scratch is the caller's, to be freed. False: each said so, or no memory. */
bool bt__words(const char *text, size_t n, struct bt_str *scratch, bt__word_fn *each, void *ctx);

#endif
