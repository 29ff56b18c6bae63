/* Text from files, made safe for a terminal, and its width in columns.
 *
 * Everything that comes from a file, a model or a user goes through bt_text_clean() before it reaches a screen or a
 * command's output on a terminal: C0 and C1 controls, DEL, bidi controls, zero-width characters, tag characters, lone
 * surrogates, invalid bytes and unassigned/private-use code points appear as visible escapes (\n, \t, \x1b, \u202e, \U000e0041), so that no
 * byte of data can act on the terminal. Widths are those of utf8proc (East Asian wide = 2, combining = 0). */
#ifndef BERTTY_TEXT_H
#define BERTTY_TEXT_H

#include <bertty/str.h>
#include <stdint.h>

/* Appends the cleaned form of n bytes to out. */
void bt_text_clean(struct bt_str *out, const char *bytes, size_t n);
/* Appends the cleaned form cut to at most columns (with … as the last column if something was cut); returns the columns used. */
int bt_text_fit(struct bt_str *out, const char *bytes, size_t n, int columns);
/* Appends the cleaned form from column skip on, at most columns wide; wide characters cut in two become spaces. Returns columns used. */
int bt_text_slice(struct bt_str *out, const char *bytes, size_t n, int skip, int columns);
/* Columns that the cleaned form takes. */
int bt_text_width(const char *bytes, size_t n);
/* Decodes one code point at p (n bytes left, n ≥ 1): its length in bytes, or 0 if the bytes are not valid UTF-8. */
size_t bt_utf8_decode(const char *p, size_t n, int32_t *code_point);
/* Encodes; returns bytes written (1–4). */
size_t bt_utf8_encode(int32_t code_point, char out[4]);
/* Number of bytes from the start that are valid UTF-8 (n if all). */
size_t bt_utf8_valid(const char *bytes, size_t n);
/* Code points in n bytes of valid UTF-8. */
size_t bt_utf8_count(const char *bytes, size_t n);

#endif
