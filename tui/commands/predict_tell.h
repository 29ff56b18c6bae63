/* What a model says to an input, as `bertty predict` prints it: one form a task, for people and for programs. */
#ifndef TUI_COMMANDS_PREDICT_TELL_H
#define TUI_COMMANDS_PREDICT_TELL_H

#include <bertty/experiment.h>
#include <bertty/predictor.h>
#include <bertty/str.h>

/* Appends the line(s) for one input, the last newline left out. x: the predictor's settings; in: what was asked. */
void predict_tell_text(const struct bt_experiment *x, const struct bt_input *in, const struct bt_output *out,
                       struct bt_str *to);
/* Words and tags as CoNLL's columns. */
void predict_tell_conll(const struct bt_output *out, struct bt_str *to);
/* Appends one JSON object. type: BT_TYPE_… */
void predict_tell_json(int type, const struct bt_input *in, const struct bt_output *out, struct bt_str *to);

#endif
