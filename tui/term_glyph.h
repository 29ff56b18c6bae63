/* Characters and colours as far as a terminal has them. */
#ifndef TUI_TERM_GLYPH_H
#define TUI_TERM_GLYPH_H

#include <stdint.h>

/* Arms of a line-drawing character. */
enum { LINE_UP = 1, LINE_DOWN = 2, LINE_LEFT = 4, LINE_RIGHT = 8 };
uint32_t glyph_line(unsigned arms);

/* The nearest in ASCII; '?' where there is none. */
char glyph_ascii(uint32_t code_point);

/* The palette's nearest to 0xRRGGBB; colours: 8, 16, 256. */
int colour_index(int32_t rgb, int colours);
/* 0xRRGGBB of a palette's colour (0 … 255). The first 16 are xterm's; other terminals, and users, have their own. */
int32_t palette_colour(int index);

#endif
