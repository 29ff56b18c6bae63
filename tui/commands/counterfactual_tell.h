/* Counterfactuals in words and in JSON, on standard output. */
#ifndef TUI_COMMANDS_COUNTERFACTUAL_TELL_H
#define TUI_COMMANDS_COUNTERFACTUAL_TELL_H

#include <bertty/counterfactual.h>

/* model: as it was given. row: of a file, from 1; 0: of none, it is not told. */

/* The first `limit` variants as a table; what they were made with. */
void counterfactual_tell_variants(const struct bt_variants *v, size_t limit, int64_t row);
/* An object for each variant, then the sum. */
void counterfactual_json_variants(const struct bt_variants *v, const char *model, int64_t row);
void counterfactual_tell_flip(const struct bt_flip *f, int64_t row);
void counterfactual_json_flip(const struct bt_flip *f, const char *model, int64_t row);

#endif
