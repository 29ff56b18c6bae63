/* A panel as a file: CSV with every point, SVG, or the plot in characters.
 *
 * A struct charts_export is a copy of what is shown, so that any thread may write it; the caller frees it with charts_export_free(). */
#ifndef TUI_VIEWS_CHARTS_EXPORT_H
#define TUI_VIEWS_CHARTS_EXPORT_H

#include "tui/views/charts_scale.h"
#include <bertty/str.h>

struct charts_export;

/* d: the drawing of the panel. NULL without memory. */
struct charts_export *charts_export_take(const struct charts_panel *panel, const struct charts_drawing *d);
void charts_export_free(struct charts_export *e); /* NULL is fine */

/* The kind is that of the name's ending: .csv, .svg or .txt. BT_INVALID: another ending. */
enum bt_status charts_export_check(const char *path, struct bt_error *err);
enum bt_status charts_export_write(const struct charts_export *e, const char *path, struct bt_error *err);

/* Appends them. */
void charts_export_csv(const struct charts_export *e, struct bt_str *out);
void charts_export_svg(const struct charts_export *e, struct bt_str *out);
void charts_export_text(const struct charts_export *e, struct bt_str *out);

#endif
