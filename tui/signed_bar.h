/* A bar that goes to either side of a line: its side tells the sign, its length the size; no colour is needed. */
#ifndef TUI_SIGNED_BAR_H
#define TUI_SIGNED_BAR_H

#include <bertty/str.h>
#include <stdbool.h>

/* Appends at most `columns` columns: value within −1 and 1, "···▒▒│▇▇▇", without blanks behind it. only_right: nothing is below 0, and the bar begins at the left. */
void signed_bar(struct bt_str *out, double value, int columns, bool only_right);

#endif
