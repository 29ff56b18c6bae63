/* Adapters of low rank on the disk: merged into their base, and apart from it as Hugging Face's peft keeps them.
 *
 * A model with adapters is saved as four files: model.safetensors with the products merged in, which everybody reads; adapter_model.safetensors
 * and adapter.json, an adapter of peft (there its settings are called adapter_config.json: transformers takes a directory with a file of that
 * name for an adapter alone, and looks for the base elsewhere); and base.safetensors, the adapted matrices as they were, without which a run could
 * not go on exactly. */
#ifndef BERTTY_FORMATS_ADAPTER_H
#define BERTTY_FORMATS_ADAPTER_H

#include "model/config.h"
#include "model/params.h"
#include <stddef.h>

/* Their names. */
#define BT__ADAPTER_WEIGHTS  "adapter_model.safetensors"
#define BT__ADAPTER_SETTINGS "adapter.json"
#define BT__ADAPTER_BASE     "base.safetensors"

/* Is this the base of an adapter? A, B: its two parameters, or NULL. */
bool bt__adapter_of(const struct bt__params *p, const struct bt__param *base, const struct bt__param **a,
                    const struct bt__param **b);
/* The matrix of base [rows, cols] with its adapter's product, into to. */
void bt__adapter_merge(const struct bt__model_config *c, const struct bt__params *p, const float *w,
                       const struct bt__param *base, float *to);
/* Writes the three files that stand beside model.safetensors; base: the model's name or directory, for peft. Nothing without adapters. */
enum bt_status bt__adapter_save(const char *dir, const struct bt__model_config *c, const struct bt__params *p,
                                const float *w, const char *base, struct bt_error *err);
/* Reads adapters and unmerged bases back over what dir's model.safetensors gave. BT_DAMAGED names what is missing. */
enum bt_status bt__adapter_load(const char *dir, const struct bt__params *p, float *w, struct bt_error *err);
/* Bytes of the three files. */
size_t bt__adapter_bytes(const struct bt__params *p);

#endif
