/* Panes as pure geometry. */
#ifndef TUI_LAYOUT_H
#define TUI_LAYOUT_H

#include "tui/term.h"

/* Splits r into two that overlap by one cell (a shared border): the first gets `share` of 1000, within its minimum and the second's. */
void layout_columns(struct rect r, int share, int min_first, int min_second, struct rect *first,
                    struct rect *second);
void layout_rows(struct rect r, int share, int min_first, int min_second, struct rect *first,
                 struct rect *second);
/* The share of `length` that gives the first part so many cells. */
int layout_share(int length, int first);
/* True if (y, x) lies in r. */
bool layout_in(struct rect r, int y, int x);

#endif
