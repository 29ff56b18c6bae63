/* Quantities as a screen shows them. */
#ifndef TUI_FORMAT_H
#define TUI_FORMAT_H

#include <bertty/str.h>
#include <stdint.h>

void format_count(struct bt_str *out, int64_t n); /* 2,913 */
void format_duration(struct bt_str *out,
                     double seconds); /* 45s, 1m38s, 2h05m, 3d04h; "?" if it is no number */
/* What tells runs of one name apart stays: "movie-reviews-…-3f2a" of "movie-reviews-20261124-110859-3f2a". */
void format_run_id(struct bt_str *out, const char *id);
/* The end of a text that is too wide, "…" before it: of paths the end tells one from another. */
void format_end(struct bt_str *out, const char *text, size_t n, int columns);

#endif
