/* Writing a model directory that transformers' Auto classes load. */
#include "formats/hf_dir.h"
#include "formats/safetensors.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 30 };

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
    bt_jw_text(w, "BertForSequenceClassification");
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
    bt_jw_ktext(w, "problem_type", "single_label_classification");
    bt_jw_ktext(w, "dtype", "float32");
    write_labels(w, c);
    bt_jw_end_object(w);
}

static enum bt_status put(const char *dir, const char *name, const void *data, size_t n, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    enum bt_status st = bt_file_write_atomic(path, data, n, err);
    free(path);
    return st;
}

static enum bt_status put_text(const char *dir, const char *name, struct bt_str *text, struct bt_error *err)
{
    bt_str_addc(text, '\n');
    enum bt_status st = text->failed ? bt_fail(err, BT_NOMEM, "%s/%s: no memory", dir, name)
                                     : put(dir, name, text->data, text->len, err);
    bt_str_free(text);
    return st;
}

/* *found: the file was there. */
static enum bt_status copy(const char *from, const char *to, const char *name, bool *found,
                           struct bt_error *err)
{
    char *data, *path = bt_path_join(from, name);
    size_t n;
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", from);
    *found = bt_path_exists(path);
    enum bt_status st = *found ? bt_file_read(path, LARGEST, &data, &n, err) : BT_OK;
    if (*found && !st) {
        st = put(to, name, data, n, err);
        free(data);
    }
    free(path);
    return st;
}

/* The pieces of tokenizer.json's vocabulary in the order of their numbers, a line each. */
static enum bt_status vocabulary_from_json(const char *from, const char *to, struct bt_error *err)
{
    char *path = bt_path_join(from, "tokenizer.json");
    struct bt_json *root = path ? bt_json_load(path, LARGEST, err) : NULL;
    free(path);
    if (!root) return path ? (err ? err->status : BT_INVALID) : bt_fail(err, BT_NOMEM, "%s: no memory", from);
    const struct bt_json *vocab = bt_json_get(bt_json_get(root, "model"), "vocab");
    size_t n = bt_json_len(vocab);
    const char **piece = calloc(n + 1, sizeof *piece);
    for (const void *it = bt_json_first(vocab); it && piece; it = bt_json_next(vocab, it)) {
        int64_t id = bt_json_int(bt_json_value(it), -1);
        if (id >= 0 && (size_t)id < n) piece[id] = bt_json_key(it);
    }
    struct bt_str text = {.data = NULL, .failed = !piece};
    for (size_t i = 0; piece && i < n; i++) {
        bt_str_add(&text, piece[i] ? piece[i] : "[unused]");
        if (i + 1 < n) bt_str_addc(&text, '\n');
    }
    enum bt_status st = put_text(to, "vocab.txt", &text, err);
    free(piece);
    bt_json_free(root);
    return st;
}

static enum bt_status write_tokenizer_config(const char *dir, bool do_lower_case, struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "tokenizer_class", "BertTokenizer");
    bt_jw_kbool(&w, "do_lower_case", do_lower_case);
    bt_jw_end_object(&w);
    return put_text(dir, "tokenizer_config.json", &text, err);
}

static enum bt_status save_tokenizer(const char *dir, const char *from, bool do_lower_case,
                                     struct bt_error *err)
{
    bool vocab, json, config, special;
    enum bt_status st = copy(from, dir, "vocab.txt", &vocab, err);
    if (!st) st = copy(from, dir, "tokenizer.json", &json, err);
    if (!st) st = copy(from, dir, "tokenizer_config.json", &config, err);
    if (!st) st = copy(from, dir, "special_tokens_map.json", &special, err);
    if (!st && !vocab) st = vocabulary_from_json(from, dir, err);
    if (!st && !config) st = write_tokenizer_config(dir, do_lower_case, err);
    return st;
}

static enum bt_status save_weights(const char *dir, const struct bt__params *p, const float *w,
                                   struct bt_error *err)
{
    char *path = bt_path_join(dir, "model.safetensors");
    struct bt__tensor_out *t = calloc(p->n, sizeof *t);
    enum bt_status st =
        path && t ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a table of tensors", dir);
    for (size_t i = 0; !st && i < p->n; i++) {
        const struct bt__param *q = &p->item[i];
        t[i] = (struct bt__tensor_out){.name = q->name, .rank = q->rank, .data = w + q->offset};
        t[i].shape[0] = q->rank == 2 ? q->rows : q->cols;
        t[i].shape[1] = q->cols;
    }
    if (!st) st = bt__safetensors_write(path, t, p->n, err);
    free(t);
    free(path);
    return st;
}

enum bt_status bt__hf_save(const char *dir, const struct bt__model_config *c, const struct bt__params *p,
                           const float *w, const char *tokenizer_dir, bool do_lower_case,
                           struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    write_config(&j, c);
    enum bt_status st = put_text(dir, "config.json", &text, err);
    if (!st) st = save_tokenizer(dir, tokenizer_dir, do_lower_case, err);
    return st ? st : save_weights(dir, p, w, err);
}
