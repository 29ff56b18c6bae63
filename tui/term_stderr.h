/* Standard error while the screen is ours: what a library prints there would spoil it, so it is kept and told afterwards. One user a process. */
#ifndef TUI_TERM_STDERR_H
#define TUI_TERM_STDERR_H

/* Nothing happens where standard error is no terminal: it was sent elsewhere on purpose. */
void stderr_hold(void);
/* Gives it back, and prints what was kept (controls and bytes beyond ASCII as '?'). May be called in a signal handler, and twice. */
void stderr_release(void);

#endif
