/* What an experiment's options mean to the parts below: the tokenizer, the model's shape. The data reader's are
 * bt_experiment_data(). */
#ifndef BERTTY_RUN_SETTINGS_H
#define BERTTY_RUN_SETTINGS_H

#include "model/config.h"
#include "model/params.h"
#include <bertty/experiment.h>
#include <bertty/tokenizer.h>

struct bt_tokenizer_options bt__tokenizer_options_of(const struct bt_experiment *x);
/* Activation and dropout of the options where they are set. */
void bt__model_config_override(struct bt__model_config *c, const struct bt_experiment *x);
/* Does the model of a directory have a row for every piece, and the tokenizer what begins and ends a text? */
enum bt_status bt__tokenizer_fits(const struct bt_tokenizer *t, const struct bt__model_config *c,
                                  const char *dir, struct bt_error *err);
/* The adapters that the experiment asks for. BT_INVALID: model.lora_target_modules names no matrix of a layer. */
enum bt_status bt__lora_of(const struct bt_experiment *x, struct bt__model_config *c, struct bt_error *err);
/* What the experiment leaves untrained, in the table's flags. BT_INVALID: model.modules_to_save names what is not there. */
enum bt_status bt__freeze(const struct bt_experiment *x, struct bt__params *p, struct bt_error *err);

#endif
