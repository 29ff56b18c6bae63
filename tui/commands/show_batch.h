/* `bertty show RUN --batch STEP`. */
#ifndef TUI_COMMANDS_SHOW_BATCH_H
#define TUI_COMMANDS_SHOW_BATCH_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stdint.h>

/* steps: "STEP" or "FIRST-LAST". False: it is neither. */
bool show_batch_steps(const char *steps, int64_t *first, int64_t *last);
/* Prints the rows of these steps of a run (a directory); last 0: of the point at first. */
enum bt_status show_batch(const char *dir, int64_t first, int64_t last, bool json, struct bt_error *err);

#endif
