/* A text that is looked for in many others, whatever the case of ASCII letters (Horspool 1980). */
#ifndef TUI_NEEDLE_H
#define TUI_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

struct needle {
    const char *text; /* borrowed */
    size_t n;
    size_t skip[256]; /* by the byte under the needle's last one */
};

void needle_set(struct needle *x, const char *text);
/* haystack: n bytes, or NULL, which holds nothing. An empty needle is in every text. */
bool needle_in(const struct needle *x, const char *haystack, size_t n);

#endif
