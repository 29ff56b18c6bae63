/* What a BERT checkpoint says about its own shape (the fields of Hugging Face's config.json, by their names). */
#ifndef BERTTY_MODEL_CONFIG_H
#define BERTTY_MODEL_CONFIG_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stdint.h>

enum bt__act { BT__ACT_GELU /* erf */, BT__ACT_GELU_TANH, BT__ACT_RELU };

struct bt__model_config {
    int vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int max_position_embeddings, type_vocab_size;
    int pad_token_id;
    float layer_norm_eps, initializer_range;
    float hidden_dropout_prob, attention_probs_dropout_prob; /* [0, 1) */
    float classifier_dropout;                                /* [0, 1); negative: as hidden_dropout_prob */
    enum bt__act hidden_act;
    int num_labels;     /* 0: the file names none */
    char **label_names; /* id2label, num_labels of them, owned; NULL when num_labels is 0 */
};

/* Checks ranges and that the heads divide the hidden size; name (a file) goes into the message. */
enum bt_status bt__model_config_check(const struct bt__model_config *c, const char *name,
                                      struct bt_error *err);
void bt__model_config_free(struct bt__model_config *c); /* the label names; back to the zero state */
enum bt_status bt__model_config_copy(struct bt__model_config *dst, const struct bt__model_config *src,
                                     struct bt_error *err); /* deep */

#endif
