/* What the files of the report share. */
#ifndef TUI_REPORT_PARTS_H
#define TUI_REPORT_PARTS_H

#include "tui/report.h"
#include <bertty/events.h>

struct report_own {
    size_t n;                         /* runs */
    struct bt_series_reader **events; /* [n] */
    struct bt_pairing **alone;        /* [n] a run's predictions paired with themselves; NULL: none */
    struct bt_texts *texts;           /* [n] */
};

/* "A", "B", …: of a run, and again from A after Z. */
const char *report_letter(size_t run);
/* Appends the figures with the curves. */
void report_curves(const struct report *r, struct bt_str *out);

#endif
