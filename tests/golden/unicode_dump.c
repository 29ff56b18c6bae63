/* Prints utf8proc's table for make_hf_unicode.py: code point, category, lower case, combining class, decomposition. */
#include "base/unicode.h"

#include <stdio.h>

int main(void)
{
    for (int32_t cp = 0; cp < 0x110000; cp++) {
        int32_t parts[32];
        if (cp >= 0xd800 && cp < 0xe000) continue;
        size_t n = bt__unicode_nfd(cp, parts, 32);
        printf("%d %s %d %d", (int)cp, bt__unicode_category(cp), (int)bt__unicode_lower(cp),
               bt__unicode_combining_class(cp));
        for (size_t i = 0; i < n; i++) printf(" %d", (int)parts[i]);
        putchar('\n');
    }
    return 0;
}
