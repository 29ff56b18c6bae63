/* What a terminal sends, as events. Bytes in, events out: no terminal, no clock.
 *
 * The texts of paste events are borrowed until the next call. */
#ifndef TUI_TERM_INPUT_H
#define TUI_TERM_INPUT_H

#include "tui/term.h"

struct input;

/* EVENT_ANSWER: key is the number of a private mode, y its state (DECRPM: 1 set, 2 reset, …); or ANSWER_LAST, the device's attributes, which every
 * terminal tells and we ask for last: what has not been answered until then will not be; or ANSWER_WELL (DSR), to what ends a frame. */
enum { ANSWER_LAST = -1, ANSWER_WELL = -2 };

struct input *input_new(void); /* NULL without memory */
void input_free(struct input *in);
/* Another sequence that the terminal sends for a key; what is common to most terminals is known. */
void input_add(struct input *in, const char *sequence, int32_t key);
/* False without memory: the bytes are lost. */
bool input_feed(struct input *in, const char *bytes, size_t n);
/* The next event, if the bytes so far make one. idle: nothing has followed for a while, so that a lone Esc is the key. */
bool input_next(struct input *in, bool idle, struct event *e);
/* An answer of the terminal to what we asked (OSC 11) may come in pieces, with pauses between them. */
void input_expect_answer(struct input *in, bool expected);
/* Something stands there that more bytes may complete. */
bool input_unfinished(const struct input *in);

#endif
