/* A curve as a word: as many characters as it may take, in dots, blocks or ASCII. */
#ifndef TUI_SPARK_H
#define TUI_SPARK_H

#include "tui/plot.h"
#include <bertty/str.h>

/* Appends n values in at most so many columns (braille: two values a column), scaled from their least to their greatest. A NaN is ×, in ASCII x. Fewer values than there is room
 * for take less room. */
void spark_add(struct bt_str *out, const float *value, size_t n, int columns, enum plot_glyphs glyphs);

#endif
