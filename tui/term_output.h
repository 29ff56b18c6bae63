/* What goes to a terminal, which never holds us up: what it does not take now waits here, in its order.
 *
 * A pseudo-terminal's queue cannot be asked (TIOCOUTQ is 0 there), and behind SSH more waits elsewhere. So a terminal that answers is asked after each frame
 * whether it is still well (DSR): its answer says that the frame has arrived. */
#ifndef TUI_TERM_OUTPUT_H
#define TUI_TERM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output;

/* tty is borrowed. NULL without memory. */
struct output *output_new(int tty);
void output_free(struct output *o);
/* Where curses writes: the terminal itself, or between output_capture() and output_release() what waits here. Ours. */
FILE *output_file(const struct output *o);
void output_capture(struct output *o);
void output_release(struct output *o);

/* Sent now or later. */
void output_add(struct output *o, const char *bytes, size_t n);
/* As much as the terminal takes. False: it is gone. */
bool output_flush(struct output *o);
/* The descriptor to be polled for POLLOUT; −1: nothing waits. */
int output_waits_on(const struct output *o);
/* Waits a moment for what waits, then forgets it. False: something was cut off. */
bool output_finish(struct output *o, int ms);

/* A frame begins. At its end a terminal that answers is asked to. */
void output_frame_begin(struct output *o);
void output_ask(struct output *o);
/* The terminal has answered once. */
void output_answered(struct output *o);
/* Questions that are still open. */
int output_open_questions(const struct output *o);
/* A frame is still on its way. small: one more may join it as long as they are few bytes, for what a key asked for. */
bool output_busy(struct output *o, bool small);
/* Seconds that the last frame took to arrive; 0: not known. */
double output_frame_s(const struct output *o);

#endif
