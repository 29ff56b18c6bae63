/* A line or several lines of editable text with a cursor: Emacs keys, word motions, undo, history. No drawing beyond its own rectangle. */
#ifndef TUI_EDIT_H
#define TUI_EDIT_H

#include "tui/term.h"
#include <bertty/str.h>

struct edit;

/* lines: more than one (Enter inserts a line break with Alt or where enter_breaks). NULL without memory. */
struct edit *edit_new(bool lines);
void edit_free(struct edit *e);
void edit_set(struct edit *e, const char *text); /* cursor at the end; can be undone */
const char *edit_text(const struct edit *e);     /* borrowed until the next change */
size_t edit_cursor(const struct edit *e);        /* byte offset */
/* True: taken. *changed: the text is another one now. */
bool edit_key(struct edit *e, const struct event *ev, bool *changed);
void edit_insert(struct edit *e, const char *text, size_t n);
/* The left button puts the cursor there. False: not within the last drawing. */
bool edit_click(struct edit *e, const struct event *ev);
/* Wraps if lines; scrolls so that the cursor is seen; shows the cursor if focused. */
void edit_draw(struct edit *e, struct term *t, struct rect r, enum role role, bool focused);

#endif
