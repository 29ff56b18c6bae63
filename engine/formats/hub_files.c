/* Which files of a model are fetched: those that this program reads, in the form that it prefers, and no others. */
#include "formats/adapter.h"
#include "formats/hub_parts.h"
#include "formats/peft.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_INDEX = 64 << 20, MOST_FILES = 1024 };

static const char *const small[] = {"vocab.txt", "tokenizer.json", "tokenizer_config.json",
                                    "special_tokens_map.json", "added_tokens.json"};

/* In the order of formats/weights.c. */
static const struct {
    const char *file, *index;
} weights[] = {{.file = "model.safetensors", .index = "model.safetensors.index.json"},
               {.file = "pytorch_model.bin", .index = "pytorch_model.bin.index.json"}};
enum { WEIGHTS = sizeof weights / sizeof *weights };

static enum bt_status add(struct bt__hub *h, const char *name, struct bt_error *err)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->file[i].name, name) == 0) return BT_OK;
    if (h->n == MOST_FILES)
        return bt_fail(err, BT_UNSUPPORTED, "%s: more than %d files", h->place.repo, MOST_FILES);
    struct bt__hub_file *more = realloc(h->file, (h->n + 1) * sizeof *more);
    char *copy = bt_strdup(name);
    if (more) h->file = more;
    if (!more || !copy) {
        free(copy);
        return bt_fail(err, BT_NOMEM, "no memory for a list of files");
    }
    h->file[h->n++] = (struct bt__hub_file){.name = copy, .size = -1};
    return BT_OK;
}

static enum bt_status add_if_there(struct bt__hub *h, const char *name, struct bt_error *err)
{
    return bt__hub_has(h, name) ? add(h, name, err) : BT_OK;
}

static enum bt_status add_small(struct bt__hub *h, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < sizeof small / sizeof *small && !st; i++) st = add_if_there(h, small[i], err);
    return st;
}

static bool ends_in(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* TensorFlow's: NAME.index; its data is NAME.data-00000-of-00001. */
static bool has_tf(const struct bt__hub *h)
{
    for (size_t i = 0; i < h->n_siblings; i++)
        if (ends_in(h->sibling[i], ".index")) return true;
    return false;
}

/* The one that is read: its number, WEIGHTS for TensorFlow's, −1: there is none. */
static int form_of(const struct bt__hub *h)
{
    for (int i = 0; i < WEIGHTS; i++)
        if (bt__hub_has(h, weights[i].file) || bt__hub_has(h, weights[i].index)) return i;
    return has_tf(h) ? WEIGHTS : -1;
}

static const char *index_of(const struct bt__hub *h)
{
    int form = form_of(h);
    return form < 0 || form == WEIGHTS || bt__hub_has(h, weights[form].file) ? NULL : weights[form].index;
}

/* ── of an adapter ── */

static const char *const adapter_weights[] = {BT__ADAPTER_WEIGHTS, "adapter_model.bin"};

static const char *weights_of_adapter(const struct bt__hub *h)
{
    for (size_t i = 0; i < sizeof adapter_weights / sizeof *adapter_weights; i++)
        if (bt__hub_has(h, adapter_weights[i])) return adapter_weights[i];
    return NULL;
}

bool bt__hub_is_adapter(const struct bt__hub *h)
{
    return bt__hub_has(h, BT__PEFT_SETTINGS);
}

static enum bt_status choose_adapter(struct bt__hub *h, struct bt_error *err)
{
    if (!weights_of_adapter(h))
        return bt_fail(err, BT_NOTFOUND, "%s: an adapter without weights, expected %s or %s", h->place.repo,
                       adapter_weights[0], adapter_weights[1]);
    enum bt_status st = add(h, BT__PEFT_SETTINGS, err);
    if (!st) st = add_if_there(h, "config.json", err);
    return st ? st : add_small(h, err);
}

/* ── of a whole model ── */

enum bt_status bt__hub_choose_small(struct bt__hub *h, struct bt_error *err)
{
    if (bt__hub_is_adapter(h)) return choose_adapter(h, err);
    const char *repo = h->place.repo,
               *config = bt__hub_has(h, "config.json") ? "config.json" : "bert_config.json";
    if (!bt__hub_has(h, config)) return bt_fail(err, BT_NOTFOUND, "%s: it has no config.json", repo);
    if (!bt__hub_has(h, "vocab.txt") && !bt__hub_has(h, "tokenizer.json"))
        return bt_fail(err, BT_NOTFOUND, "%s: it has neither vocab.txt nor tokenizer.json", repo);
    if (form_of(h) < 0)
        return bt_fail(err, BT_NOTFOUND,
                       "%s: it has no weights that bertty reads: model.safetensors, pytorch_model.bin (or "
                       "their shards), a "
                       "checkpoint of TensorFlow's",
                       repo);
    enum bt_status st = add(h, config, err);
    if (!st) st = add_small(h, err);
    const char *index = index_of(h);
    return st || !index ? st : add(h, index, err);
}

static enum bt_status add_shards(struct bt__hub *h, const char *index, struct bt_error *err)
{
    char *path = bt_path_join(h->snapshot, index);
    struct bt_json *root = path ? bt_json_load(path, LARGEST_INDEX, err) : NULL;
    const struct bt_json *map = bt_json_get(root, "weight_map");
    enum bt_status st = path ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
    if (path && !root) st = err ? err->status : BT_INVALID;
    if (!st && !bt_json_first(map))
        st =
            bt_fail(err, BT_INVALID, "%s: %s: no weight_map that names tensors' files", h->place.repo, index);
    for (const void *it = st ? NULL : bt_json_first(map); it && !st; it = bt_json_next(map, it)) {
        const char *name = bt_json_text(bt_json_value(it), "");
        if (!bt__hub_is_plain(name) || !bt__hub_has(h, name))
            st = bt_fail(err, BT_INVALID, "%s: %s: \"%.100s\" is not one of the model's files", h->place.repo,
                         index, name);
        else
            st = add(h, name, err);
    }
    bt_json_free(root);
    free(path);
    return st;
}

static enum bt_status add_tf(struct bt__hub *h, struct bt_error *err)
{
    enum bt_status st = add_if_there(h, "checkpoint", err);
    for (size_t i = 0; i < h->n_siblings && !st; i++)
        if (ends_in(h->sibling[i], ".index") || strstr(h->sibling[i], ".data-"))
            st = add(h, h->sibling[i], err);
    return st;
}

enum bt_status bt__hub_choose_weights(struct bt__hub *h, struct bt_error *err)
{
    if (bt__hub_is_adapter(h)) return add(h, weights_of_adapter(h), err);
    int form = form_of(h);
    const char *index = index_of(h);
    if (form == WEIGHTS) return add_tf(h, err);
    return index ? add_shards(h, index, err) : add(h, weights[form].file, err);
}
