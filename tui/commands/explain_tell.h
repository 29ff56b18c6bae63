/* An explanation in words and in JSON. */
#ifndef TUI_COMMANDS_EXPLAIN_TELL_H
#define TUI_COMMANDS_EXPLAIN_TELL_H

#include <bertty/explain.h>
#include <bertty/str.h>

/* What F is, how it was explained, a line for each token with a bar: to the right what speaks for the target, to the left what speaks against it. On
 * standard output. columns: of the bars together. */
void explain_tell_text(const struct bt_explain_spec *how, const struct bt_explanation *x, int columns);
/* An object; row: of a file, from 1, or 0. */
void explain_tell_json(const struct bt_explain_spec *how, const struct bt_explanation *x,
                       const struct bt_input *in, int64_t row, struct bt_str *out);

#endif
