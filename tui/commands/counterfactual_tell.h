/* Counterfactuals in words and in JSON, on standard output. */
#ifndef TUI_COMMANDS_COUNTERFACTUAL_TELL_H
#define TUI_COMMANDS_COUNTERFACTUAL_TELL_H

#include <bertty/counterfactual.h>

/* The first `limit` variants as a table; what they were made with. */
void counterfactual_tell_variants(const struct bt_variants *v, size_t limit);
/* An object for each variant, then the sum. model: as it was given. */
void counterfactual_json_variants(const struct bt_variants *v, const char *model);
void counterfactual_tell_flip(const struct bt_flip *f);
void counterfactual_json_flip(const struct bt_flip *f, const char *model);

#endif
