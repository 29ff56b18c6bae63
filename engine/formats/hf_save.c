/* Writing a model directory that transformers' Auto classes load. */
#include "formats/adapter.h"
#include "formats/hf_dir.h"
#include "formats/safetensors.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>

static void write_labels(struct bt_json_writer *w, const struct bt__model_config *c)
{
    char number[16];
    if (!c->label_names) return;
    bt_jw_key(w, "id2label");
    bt_jw_object(w);
    for (int i = 0; i < c->num_labels; i++) {
        snprintf(number, sizeof number, "%d", i);
        bt_jw_ktext(w, number, c->label_names[i]);
    }
    bt_jw_end_object(w);
    bt_jw_key(w, "label2id");
    bt_jw_object(w);
    for (int i = 0; i < c->num_labels; i++) bt_jw_kint(w, c->label_names[i], i);
    bt_jw_end_object(w);
}

static void write_settings(struct bt_json_writer *w, const struct bt__model_config *c)
{
    if (c->settings == 0 && c->n_asked == 0) return;
    bt_jw_key(w, "bertty");
    bt_jw_object(w);
    for (int i = 0; i < c->settings; i++) bt_jw_knum(w, c->setting[i].name, c->setting[i].value);
    if (c->n_asked) {
        bt_jw_key(w, "options");
        bt_jw_object(w);
        for (int i = 0; i < c->n_asked; i++) bt_jw_ktext(w, c->asked[i].key, c->asked[i].value);
        bt_jw_end_object(w);
    }
    bt_jw_end_object(w);
}

static void write_float(struct bt_json_writer *w, const char *key, float v)
{
    bt_jw_key(w, key);
    bt_jw_float(w, v);
}

static void write_config(struct bt_json_writer *w, const struct bt__model_config *c)
{
    static const char *const acts[] = {
        [BT__ACT_GELU] = "gelu", [BT__ACT_GELU_TANH] = "gelu_new", [BT__ACT_RELU] = "relu"};
    bt_jw_object(w);
    bt_jw_key(w, "architectures");
    bt_jw_array(w);
    bt_jw_text(w, c->architecture);
    bt_jw_end_array(w);
    bt_jw_ktext(w, "model_type", "bert");
    bt_jw_kint(w, "vocab_size", c->vocab_size);
    bt_jw_kint(w, "hidden_size", c->hidden_size);
    bt_jw_kint(w, "num_hidden_layers", c->num_hidden_layers);
    bt_jw_kint(w, "num_attention_heads", c->num_attention_heads);
    bt_jw_kint(w, "intermediate_size", c->intermediate_size);
    bt_jw_kint(w, "max_position_embeddings", c->max_position_embeddings);
    bt_jw_kint(w, "type_vocab_size", c->type_vocab_size);
    bt_jw_kint(w, "pad_token_id", c->pad_token_id);
    bt_jw_ktext(w, "hidden_act", acts[c->hidden_act]);
    bt_jw_ktext(w, "position_embedding_type", "absolute");
    write_float(w, "layer_norm_eps", c->layer_norm_eps);
    write_float(w, "initializer_range", c->initializer_range);
    write_float(w, "hidden_dropout_prob", c->hidden_dropout_prob);
    write_float(w, "attention_probs_dropout_prob", c->attention_probs_dropout_prob);
    if (c->classifier_dropout >= 0.0f) write_float(w, "classifier_dropout", c->classifier_dropout);
    if (c->mean_pooling) bt_jw_ktext(w, "classifier_pooling", "mean");
    if (c->problem_type[0]) bt_jw_ktext(w, "problem_type", c->problem_type);
    bt_jw_ktext(w, "dtype", "float32");
    write_labels(w, c);
    write_settings(w, c);
    bt_jw_end_object(w);
}

struct merge {
    const struct bt__model_config *c;
    const struct bt__params *p;
    const float *w;
};

static void merge(const void *ctx, const void *base, float *to)
{
    const struct merge *m = ctx;
    bt__adapter_merge(m->c, m->p, m->w, base, to);
}

/* Adapters are merged into their bases. */
static enum bt_status save_weights(const char *dir, const struct bt__model_config *c,
                                   const struct bt__params *p, const float *w, struct bt_error *err)
{
    char *path = bt_path_join(dir, "model.safetensors");
    struct bt__tensor_out *t = calloc(p->n, sizeof *t);
    enum bt_status st =
        path && t ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a table of tensors", dir);
    const struct merge m = {.c = c, .p = p, .w = w};
    size_t n = 0;
    for (size_t i = 0; !st && i < p->n; i++) {
        const struct bt__param *q = &p->item[i], *a, *b;
        if (q->adapter) continue;
        struct bt__tensor_out *to = &t[n++];
        *to = (struct bt__tensor_out){.name = q->name, .rank = q->rank, .data = w + q->offset};
        to->shape[0] = q->rank == 2 ? q->rows : q->cols;
        to->shape[1] = q->cols;
        if (!bt__adapter_of(p, q, &a, &b)) continue;
        to->data = NULL;
        to->make = merge;
        to->ctx = &m;
        to->which = q;
    }
    if (!st) st = bt__safetensors_write(path, t, n, err);
    free(t);
    free(path);
    return st;
}

enum bt_status bt__hf_save(const char *dir, const struct bt__model_config *c, const struct bt__params *p,
                           const float *w, const char *tokenizer_dir, const struct bt__hf_case *letters,
                           struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    write_config(&j, c);
    enum bt_status st = bt__hf_put(dir, "config.json", &text, err);
    if (!st) st = bt__hf_save_tokenizer(dir, tokenizer_dir, letters, err);
    return st ? st : save_weights(dir, c, p, w, err);
}
