/* config.json of a Hugging Face model directory, or bert_config.json of one of Google's: the same fields. */
#include "formats/hf_dir.h"
#include "formats/peft.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 64 << 20 };

struct reader {
    const struct bt_json *root;
    const char *path;
    struct bt_error *err;
    enum bt_status status;
};

static int integer(struct reader *r, const char *field, int fallback)
{
    const struct bt_json *v = bt_json_get(r->root, field);
    if (!v || bt_json_kind(v) == BT_JSON_NULL) {
        if (fallback < 0 && !r->status)
            r->status = bt_fail(r->err, BT_INVALID, "%s: no field %s, expected a number", r->path, field);
        return fallback;
    }
    int64_t n = bt_json_int(v, -1);
    if ((bt_json_kind(v) != BT_JSON_INT || n < 0 || n > INT32_MAX) && !r->status)
        r->status = bt_fail(r->err, BT_INVALID, "%s: %s is not a whole number of 0 or more", r->path, field);
    return (int)n;
}

static float real(struct reader *r, const char *field, float fallback)
{
    const struct bt_json *v = bt_json_get(r->root, field);
    enum bt_json_kind kind = bt_json_kind(v);
    if (!v || kind == BT_JSON_NULL) return fallback;
    if (kind != BT_JSON_INT && kind != BT_JSON_REAL && !r->status)
        r->status = bt_fail(r->err, BT_INVALID, "%s: %s is not a number", r->path, field);
    return (float)bt_json_number(v, 0.0);
}

static enum bt__act activation(struct reader *r)
{
    static const struct {
        const char *name;
        enum bt__act act;
    } acts[] = {{.name = "gelu", .act = BT__ACT_GELU},
                {.name = "gelu_python", .act = BT__ACT_GELU},
                {.name = "gelu_new", .act = BT__ACT_GELU_TANH},
                {.name = "gelu_tanh", .act = BT__ACT_GELU_TANH},
                {.name = "gelu_pytorch_tanh", .act = BT__ACT_GELU_TANH},
                {.name = "relu", .act = BT__ACT_RELU}};
    const char *name = bt_json_text(bt_json_get(r->root, "hidden_act"), "gelu");
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, name) == 0) return acts[i].act;
    if (!r->status)
        r->status = bt_fail(r->err, BT_UNSUPPORTED,
                            "%s: hidden_act \"%.30s\", expected gelu, gelu_new or relu", r->path, name);
    return BT__ACT_GELU;
}

/* id2label: keys are the numbers 0 … n−1 as text, in any order. */
static void labels(struct reader *r, struct bt__model_config *c)
{
    const struct bt_json *map = bt_json_get(r->root, "id2label");
    size_t n = bt_json_len(map);
    if (bt_json_kind(map) != BT_JSON_OBJECT || n == 0 || r->status) return;
    c->label_names = calloc(n, sizeof *c->label_names);
    if (!c->label_names) {
        r->status = bt_fail(r->err, BT_NOMEM, "%s: no memory for %zu labels", r->path, n);
        return;
    }
    c->num_labels = (int)n;
    for (const void *it = bt_json_first(map); it && !r->status; it = bt_json_next(map, it)) {
        int64_t id = -1;
        const char *name = bt_json_text(bt_json_value(it), NULL);
        bool number = bt_parse_int64(bt_json_key(it), &id);
        if (!number || id < 0 || (size_t)id >= n || !name || c->label_names[id])
            r->status = bt_fail(r->err, BT_INVALID,
                                "%s: id2label: \"%.20s\", expected the numbers 0 to %zu, each with a name",
                                r->path, bt_json_key(it), n - 1);
        else if (!(c->label_names[id] = bt_strdup(name)))
            r->status = bt_fail(r->err, BT_NOMEM, "%s: no memory for its labels", r->path);
    }
}

static void options(struct reader *r, const struct bt_json *map, struct bt__model_config *c)
{
    if (bt_json_kind(map) != BT_JSON_OBJECT) return;
    for (const void *it = bt_json_first(map); it && !r->status; it = bt_json_next(map, it)) {
        const char *value = bt_json_text(bt_json_value(it), NULL);
        if (value) r->status = bt__model_ask(c, bt_json_key(it), value, r->err);
    }
}

/* What we left there ourselves: numbers by name, and options. */
static void settings(struct reader *r, struct bt__model_config *c)
{
    const struct bt_json *map = bt_json_get(r->root, "bertty");
    if (bt_json_kind(map) != BT_JSON_OBJECT) return;
    for (const void *it = bt_json_first(map); it; it = bt_json_next(map, it)) {
        enum bt_json_kind kind = bt_json_kind(bt_json_value(it));
        if (kind == BT_JSON_INT || kind == BT_JSON_REAL)
            bt__model_set(c, bt_json_key(it), bt_json_number(bt_json_value(it), 0.0));
    }
    options(r, bt_json_get(map, "options"), c);
}

/* A name that does not fit is none that we know. */
static void name_of(const struct bt_json *v, char *to, size_t size)
{
    const char *text = bt_json_text(v, "");
    if (strlen(text) < size) memcpy(to, text, strlen(text) + 1);
}

static void fields(struct reader *r, struct bt__model_config *c)
{
    const char *type = bt_json_text(bt_json_get(r->root, "model_type"), "bert");
    const char *positions = bt_json_text(bt_json_get(r->root, "position_embedding_type"), "absolute");
    if (strcmp(type, "bert") != 0)
        r->status = bt_fail(r->err, BT_UNSUPPORTED, "%s: model_type \"%.40s\", expected bert", r->path, type);
    else if (strcmp(positions, "absolute") != 0)
        r->status = bt_fail(r->err, BT_UNSUPPORTED,
                            "%s: position_embedding_type \"%.40s\", expected absolute", r->path, positions);
    *c = (struct bt__model_config){.vocab_size = integer(r, "vocab_size", -1),
                                   .hidden_size = integer(r, "hidden_size", -1),
                                   .num_hidden_layers = integer(r, "num_hidden_layers", -1),
                                   .num_attention_heads = integer(r, "num_attention_heads", -1),
                                   .intermediate_size = integer(r, "intermediate_size", -1),
                                   .max_position_embeddings = integer(r, "max_position_embeddings", 512),
                                   .type_vocab_size = integer(r, "type_vocab_size", 2),
                                   .pad_token_id = integer(r, "pad_token_id", 0),
                                   .layer_norm_eps = real(r, "layer_norm_eps", 1e-12f),
                                   .initializer_range = real(r, "initializer_range", 0.02f),
                                   .hidden_dropout_prob = real(r, "hidden_dropout_prob", 0.1f),
                                   .attention_probs_dropout_prob =
                                       real(r, "attention_probs_dropout_prob", 0.1f),
                                   .classifier_dropout = real(r, "classifier_dropout", -1.0f),
                                   .hidden_act = activation(r)};
    c->mean_pooling = strcmp(bt_json_text(bt_json_get(r->root, "classifier_pooling"), "cls"), "mean") == 0;
    name_of(bt_json_at(bt_json_get(r->root, "architectures"), 0), c->architecture, sizeof c->architecture);
    name_of(bt_json_get(r->root, "problem_type"), c->problem_type, sizeof c->problem_type);
    labels(r, c);
    settings(r, c);
}

/* The path of the file; NULL: no memory. */
static char *config_path(const char *dir)
{
    char *path = bt_path_join(dir, "config.json");
    if (!path || bt_path_exists(path)) return path;
    char *google = bt_path_join(dir, "bert_config.json");
    bool there = google && bt_path_exists(google);
    free(there ? path : google);
    return there ? google : path;
}

static enum bt_status load_from(const char *dir, struct bt__model_config *c, struct bt_error *err)
{
    char *path = config_path(dir);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    struct bt_error why = {.status = BT_OK};
    struct bt_json *root = bt_json_load(path, LARGEST, &why);
    struct reader r = {.root = root, .path = path, .err = err, .status = why.status};
    if (!root) bt_fail(err, why.status, "%s", why.text);
    if (root && bt_json_kind(root) != BT_JSON_OBJECT)
        r.status = bt_fail(err, BT_INVALID, "%s: not a JSON object", path);
    if (!r.status) fields(&r, c);
    if (!r.status) r.status = bt__model_config_check(c, path, err);
    if (r.status) bt__model_config_free(c);
    if (root) bt_json_free(root);
    free(path);
    return r.status;
}

enum bt_status bt__hf_config_load(const char *dir, struct bt__model_config *c, struct bt_error *err)
{
    char *where;
    *c = (struct bt__model_config){.num_labels = 0};
    enum bt_status st = bt__peft_where(dir, "config.json", "bert_config.json", &where, err);
    if (st) return st;
    st = load_from(where, c, err);
    if (!st && strcmp(where, dir) != 0) st = bt__peft_config(dir, c, err);
    if (st) bt__model_config_free(c);
    free(where);
    return st;
}
