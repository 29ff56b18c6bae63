/* Choosing which runs Charts and Compare show, without leaving them. */
#ifndef TUI_VIEWS_MARKS_H
#define TUI_VIEWS_MARKS_H

#include "tui/app.h"

/* A list of all runs; the chosen one is marked, or no longer. Says so where there is none. */
void marks_choose(struct app *a);

#endif
