/* A Hugging Face model directory: config.json, vocab.txt / tokenizer.json, weights (formats/weights.h). */
#ifndef BERTTY_FORMATS_HF_DIR_H
#define BERTTY_FORMATS_HF_DIR_H

#include "formats/weights.h"
#include "model/config.h"
#include "model/params.h"
#include <bertty/str.h>

/* Reads and checks config.json, or bert_config.json where that is missing (hidden_act "gelu" is the erf one, as transformers
 * takes it), of an adapter of peft's those of its base (formats/peft.h). model_type must be bert (or absent). The caller frees c with bt__model_config_free(). */
enum bt_status bt__hf_config_load(const char *dir, struct bt__model_config *c, struct bt_error *err);

struct bt__load_report {
    size_t loaded, fresh,
        ignored; /* parameters found; head parameters missing in the file; tensors of the file not used */
    bool pooler_fresh; /* the file has no pooler */
};
/* Fills w (p->total floats) from dir's weights: names with or without "bert.", gamma/beta for weight/bias, position_ids
 * ignored; shapes checked; adapters are not looked for, but fresh; missing encoder weights are an error with the tensor's name; missing head or optional parameters are
 * left untouched (the caller has drawn them) and counted. fresh[i] (p->n flags, may be NULL) says which. */
enum bt_status bt__hf_weights_load(const char *dir, enum bt__weights_kind kind, const struct bt__params *p,
                                   float *w, bool *fresh, struct bt__load_report *report,
                                   struct bt_error *err);
/* What a saved tokenizer must say about upper case and accents. */
struct bt__hf_case {
    bool lower_case;                  /* what it does: for a directory that says nothing */
    int do_lower_case, strip_accents; /* −1: as the copied files say; 0, 1: decided otherwise */
};
/* Writes config.json (architectures, problem_type, id2label/label2id, dtype float32), model.safetensors, and copies
 * vocab.txt, tokenizer.json, tokenizer_config.json, special_tokens_map.json from tokenizer_dir (a missing tokenizer_config.json is written
 * with do_lower_case; vocab.txt is made from tokenizer.json if it is missing) into the existing directory dir, each file fsynced. */
enum bt_status bt__hf_save(const char *dir, const struct bt__model_config *c, const struct bt__params *p,
                           const float *w, const char *tokenizer_dir, const struct bt__hf_case *letters,
                           struct bt_error *err);
/* Its parts. bt__hf_put: text and a newline as dir/name; text is freed. */
enum bt_status bt__hf_save_tokenizer(const char *dir, const char *from, const struct bt__hf_case *letters,
                                     struct bt_error *err);
enum bt_status bt__hf_put(const char *dir, const char *name, struct bt_str *text, struct bt_error *err);

#endif
