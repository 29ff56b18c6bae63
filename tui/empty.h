/* What a view says while it has nothing to show: what is missing and, below it, what to do about that. */
#ifndef TUI_EMPTY_H
#define TUI_EMPTY_H

#include "tui/term.h"

enum { EMPTY_LINES = 5 };

struct empty {
    enum role role;      /* of the first line */
    const char *missing; /* "There is no run yet." */
    const char *advice[EMPTY_LINES];
};

/* At the top of in, wrapped at blanks. Borrowed for the call. */
void empty_draw(struct term *t, struct rect in, const struct empty *e);

#endif
