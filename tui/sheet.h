/* Lines of text to read and to scroll through: the details of a row, a report. Long text is wrapped at blanks.
 *
 * Zero-initialise; sheet_begin() empties it and keeps its memory; sheet_free() releases it. Texts are copied and cleaned as they come. */
#ifndef TUI_SHEET_H
#define TUI_SHEET_H

#include "tui/term.h"
#include <bertty/str.h>

struct sheet_line {
    size_t at, n; /* bytes of the text */
    int indent;
    enum role role;
    bool joined; /* goes on in the row of the line before, at its indent */
};

struct sheet {
    struct bt_str text;
    struct sheet_line *line;
    size_t n, cap;
    int width;
    int top, page; /* first row that is shown; rows of the last drawing */
};

void sheet_begin(struct sheet *s, int width);
void sheet_free(struct sheet *s);
void sheet_print(struct sheet *s, enum role role, int indent, const char *fmt, ...) BT_PRINTF(4, 5);
/* Beside the last line, at an indent of its own. */
void sheet_join(struct sheet *s, enum role role, int indent, const char *fmt, ...) BT_PRINTF(4, 5);
/* Wrapped to the width, line breaks kept. Of very long text the beginning. */
void sheet_wrap(struct sheet *s, enum role role, int indent, const char *bytes, size_t n);
/* The same with parts of the text in roles of their own: mark[n_marks] in order, not overlapping. Line breaks become blanks. */
struct sheet_mark {
    size_t begin, end; /* bytes */
    enum role role;
};
void sheet_wrap_marked(struct sheet *s, enum role role, int indent, const char *bytes, size_t n,
                       const struct sheet_mark *mark, size_t n_marks);
int sheet_rows(const struct sheet *s);
void sheet_draw(struct sheet *s, struct term *t, struct rect r);
/* ACT_UP … ACT_HALF_DOWN, ACT_HOME, ACT_END; false: another action. */
bool sheet_act(struct sheet *s, int action, int count);
void sheet_scroll(struct sheet *s, int by);

/* Bytes of clean text that fit into width columns, cut at a blank where there is one. At least one code point. */
size_t sheet_fit(const char *clean, size_t n, int width);

#endif
