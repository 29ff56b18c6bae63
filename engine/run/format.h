/* The format of a run's directory: told in status.json and in each checkpoint's trainer.json as "format", so that what a newer bertty wrote is not taken for what
 * this one knows. */
#ifndef BERTTY_RUN_FORMAT_H
#define BERTTY_RUN_FORMAT_H

#include <bertty/error.h>
#include <bertty/json.h>

enum { BT__RUN_FORMAT = 1 }; /* files that do not tell one are of this one, too: it was not told at first */

/* BT_INVALID: v, the content of path, is of a later format. */
enum bt_status bt__format_check(const struct bt_json *v, const char *path, struct bt_error *err);
/* Likewise of a run by its status.json. One that is missing or cannot be read is for others to complain of. */
enum bt_status bt__format_of_run(const char *dir, struct bt_error *err);

#endif
