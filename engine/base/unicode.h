/* Properties of code points, from utf8proc. */
#ifndef BERTTY_BASE_UNICODE_H
#define BERTTY_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two letters: "Lu", "Mn", …; static storage. "Cn" for what is no code point. */
const char *bt__unicode_category(int32_t cp);
/* Columns on a terminal: 0, 1 or 2. */
int bt__unicode_width(int32_t cp);
/* Full canonical decomposition of one code point into out; returns how many (≥ 1, ≤ cap). */
size_t bt__unicode_nfd(int32_t cp, int32_t *out, size_t cap);
/* Simple lower-case and upper-case mappings. */
int32_t bt__unicode_lower(int32_t cp);
int32_t bt__unicode_upper(int32_t cp);
/* Case-ignorable (section 3.13 of the Unicode standard): what the search for a cased letter beside a sigma passes over. */
bool bt__unicode_case_ignorable(int32_t cp);
/* Canonical combining class, for reordering. */
int bt__unicode_combining_class(int32_t cp);

#endif
