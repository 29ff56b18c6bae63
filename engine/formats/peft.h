/* Directories of Hugging Face's peft that hold an adapter of low rank: adapter_config.json, adapter_model.safetensors (or .bin), and the
 * name of the base that it is for.
 *
 * Such a directory is a model like any other: its weights are the base's with the products merged in, its configuration and its tokenizer
 * the base's where it has none of its own. As in transformers, an adapter_config.json makes a directory an adapter whatever else is there. */
#ifndef BERTTY_FORMATS_PEFT_H
#define BERTTY_FORMATS_PEFT_H

#include "formats/weights.h"
#include "model/config.h"
#include <bertty/json.h>

#define BT__PEFT_SETTINGS "adapter_config.json"

/* What adapter_config.json says. Zero-initialise; bt__peft_close() releases. */
struct bt__peft {
    char *path;           /* of the file */
    char *base;           /* the directory of the base */
    struct bt_json *root; /* the rest */
    double alpha;
    bool rank_stabilised; /* the products count alpha/√r, not alpha/r */
};
bool bt__peft_is(const char *dir);
/* Reads it, finds the base, and refuses what would need more than products and tensors in other's place. */
enum bt_status bt__peft_open(const char *dir, struct bt__peft *p, struct bt_error *err);
void bt__peft_close(struct bt__peft *p);
/* The base of dir's adapter: *found is its directory; or NULL where there is none yet, and *name is what the hub calls it ("org/name@revision"). The
 * caller frees both. Refuses what bt__peft_open() refuses. */
enum bt_status bt__peft_base(const char *dir, char **found, char **name, struct bt_error *err);
/* How much the product of r columns counts beside the matrix "bert.encoder.layer.0.attention.self.query". */
double bt__peft_scale(const struct bt__peft *p, const char *matrix, int64_t r);

/* dir, or the directory of its base if dir is an adapter that has none of these two files. The caller frees *found. */
enum bt_status bt__peft_where(const char *dir, const char *file, const char *or_file, char **found,
                              struct bt_error *err);
/* Makes the base's configuration that of the adapter: the task, the number of labels, a vocabulary that has grown. */
enum bt_status bt__peft_config(const char *dir, struct bt__model_config *c, struct bt_error *err);

/* Name of a tensor of the adapter's file in the model: without "base_model.model." and ".base_layer". Borrowed from to. */
const char *bt__peft_plain(const char *name, char *to, size_t size);

#endif
