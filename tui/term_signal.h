/* Signals while the terminal is ours: what changes its state is queued for the loop; what kills us restores it first. One user a process. */
#ifndef TUI_TERM_SIGNAL_H
#define TUI_TERM_SIGNAL_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>

struct signals_seen {
    bool resized, suspend, continued;
    int ending; /* SIGTERM, SIGHUP, SIGINT or SIGQUIT; 0: none */
};

/* restore: what puts the screen of the terminal tty back (n bytes, copied); its modes are kept as they are now. */
enum bt_status signals_install(int tty, const char *restore, size_t n, struct bt_error *err);
void signals_remove(void);
int signals_fd(void); /* readable when something came */
struct signals_seen signals_take(void);
/* Stops this process as Ctrl-Z does elsewhere; returns when it goes on. */
void signals_stop_self(void);

#endif
