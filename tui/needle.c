#include "tui/needle.h"

#include <string.h>

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

void needle_set(struct needle *x, const char *text)
{
    *x = (struct needle){.text = text, .n = strlen(text)};
    for (size_t i = 0; i < 256; i++) x->skip[i] = x->n ? x->n : 1;
    for (size_t i = 0; i + 1 < x->n; i++) {
        unsigned char c = lower((unsigned char)text[i]);
        x->skip[c] = x->n - 1 - i;
        if (c >= 'a' && c <= 'z') x->skip[c - 32] = x->n - 1 - i;
    }
}

static bool here(const struct needle *x, const char *at)
{
    for (size_t i = x->n; i-- > 0;)
        if (lower((unsigned char)at[i]) != lower((unsigned char)x->text[i])) return false;
    return true;
}

bool needle_in(const struct needle *x, const char *haystack, size_t n)
{
    if (!haystack || x->n == 0) return haystack != NULL;
    for (size_t at = 0; at + x->n <= n; at += x->skip[(unsigned char)haystack[at + x->n - 1]]) {
        if (here(x, haystack + at)) return true;
    }
    return false;
}
