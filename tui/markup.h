/* Text of files in HTML and SVG: cleaned as for a terminal, and without a character that could become markup. */
#ifndef TUI_MARKUP_H
#define TUI_MARKUP_H

#include <bertty/str.h>
#include <stdint.h>

/* Appends it; good between tags and within quotes. */
void markup_text(struct bt_str *out, const char *text);
void markup_textn(struct bt_str *out, const char *bytes, size_t n);
/* One character that has been cleaned; between tags only. */
void markup_char(struct bt_str *out, int32_t c);

#endif
