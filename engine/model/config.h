/* What a BERT checkpoint says about its own shape (the fields of Hugging Face's config.json, by their names). */
#ifndef BERTTY_MODEL_CONFIG_H
#define BERTTY_MODEL_CONFIG_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stdint.h>

enum bt__act { BT__ACT_GELU /* erf */, BT__ACT_GELU_TANH, BT__ACT_RELU };

/* What a task settled on from its data and decodes by, for whoever uses the model. */
struct bt__model_setting {
    char name[40];
    double value;
};
enum { BT__MODEL_SETTINGS = 4 };

/* An option of the run that the model was made by, and its value as text. */
struct bt__model_option {
    char *key, *value;
};

/* The matrices of a layer that can have an adapter, in the order of their parameters. */
enum bt__lora_kind {
    BT__LORA_QUERY,
    BT__LORA_KEY,
    BT__LORA_VALUE,
    BT__LORA_OUT,  /* attention.output.dense */
    BT__LORA_UP,   /* intermediate.dense */
    BT__LORA_DOWN, /* output.dense */
    BT__LORA_KINDS
};

/* Adapters of low rank (Hu et al. 2022): y = x·Wᵀ + b + alpha/r · dropout(x)·Aᵀ·Bᵀ. */
struct bt__lora {
    int r; /* 0: there are none */
    float alpha, dropout;
    unsigned targets; /* 1 << enum bt__lora_kind */
    int first_layer;  /* encoder layers below have none */
};

struct bt__model_config {
    int vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int max_position_embeddings, type_vocab_size;
    int pad_token_id;
    float layer_norm_eps, initializer_range;
    float hidden_dropout_prob, attention_probs_dropout_prob; /* [0, 1) */
    float classifier_dropout;                                /* [0, 1); negative: as hidden_dropout_prob */
    enum bt__act hidden_act;
    bool mean_pooling; /* classifier_pooling, as ModernBERT's config.json has it: "mean" */
    char architecture[64], problem_type[40]; /* "" where the file says nothing */
    int num_labels;                          /* 0: the file names none */
    char **label_names; /* id2label, num_labels of them, owned; NULL when num_labels is 0 */
    struct bt__model_setting setting[BT__MODEL_SETTINGS]; /* our own part of config.json, "bertty" */
    int settings;
    struct bt__model_option *asked; /* [n_asked] likewise, "bertty.options"; owned */
    int n_asked;
    struct bt__lora lora; /* not the file's: asked for by a run */
};

/* What stands on the encoder and makes logits. R = rows that the batch reads, S = sequences, C = outputs. */
enum bt__head {
    BT__HEAD_POOLED, /* first read of each sequence, pooler (dense + tanh), dropout, classifier: [S, C] */
    BT__HEAD_MEAN,   /* mean over a sequence's reads, dropout, classifier; no pooler: [S, C] */
    BT__HEAD_TOKENS, /* dropout and classifier of every read; no pooler: [R, C] */
    BT__HEAD_MLM /* masked language model of every read, its decoder tied to the word embeddings: see bt__pass_lm_loss() */
};

struct bt__head_spec {
    enum bt__head kind;
    const char
        *name; /* of its parameters: "classifier", "qa_outputs"; outlives the model. MLM: "cls.predictions" */
    int outputs;     /* C ≥ 1; MLM: not read, it is the vocabulary's size */
    bool no_dropout; /* nothing is dropped before the classifier: BertForQuestionAnswering */
};

/* Checks ranges and that the heads divide the hidden size; name (a file) goes into the message. */
enum bt_status bt__model_config_check(const struct bt__model_config *c, const char *name,
                                      struct bt_error *err);
/* The value of a setting, or NaN; adds or changes one (what is beyond BT__MODEL_SETTINGS is left out). */
double bt__model_setting(const struct bt__model_config *c, const char *name);
void bt__model_set(struct bt__model_config *c, const char *name, double value);
/* The value of an option, or NULL; adds one; drops all. */
const char *bt__model_asked(const struct bt__model_config *c, const char *key);
enum bt_status bt__model_ask(struct bt__model_config *c, const char *key, const char *value,
                             struct bt_error *err);
void bt__model_asked_free(struct bt__model_config *c);
void bt__model_config_free(struct bt__model_config *c); /* label names, options; back to the zero state */
enum bt_status bt__model_config_copy(struct bt__model_config *dst, const struct bt__model_config *src,
                                     struct bt_error *err); /* deep */

#endif
