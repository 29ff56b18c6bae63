/* What a model's directory holds: weights in their formats, configuration, vocabulary. */
#include "tests/fuzz/fuzz.h"

#include "formats/hf_dir.h"
#include "formats/safetensors.h"
#include "formats/tf_bundle.h"
#include "formats/torch_bin.h"
#include <bertty/tokenizer.h>
#include <stdlib.h>
#include <string.h>

/* More elements than any input can hold are never asked for: a reader that lists them lied about its file. */
static float *room_for(uint64_t count, size_t n)
{
    if (count > 8 * n + 64) fuzz_broken("a tensor that is larger than its file");
    float *to = malloc((size_t)count * sizeof *to + 1);
    if (!to) fuzz_broken("no memory");
    return to;
}

#define EACH_TENSOR(FORMAT)                                                                                  \
    static enum bt_status read_##FORMAT(const char *path, const char *dir, const char *text, size_t n,       \
                                        struct bt_error *err)                                                \
    {                                                                                                        \
        struct bt__##FORMAT *f = NULL;                                                                       \
        enum bt_status st = bt__##FORMAT##_open(path, &f, err);                                              \
        (void)dir, (void)text;                                                                               \
        for (size_t i = 0; !st && i < bt__##FORMAT##_count(f); i++) {                                        \
            const struct bt__tensor_info *t = bt__##FORMAT##_at(f, i);                                       \
            float *to = room_for(t->count, n);                                                               \
            if (bt__##FORMAT##_find(f, t->name) < 0) fuzz_broken("a tensor that is not found");              \
            st = bt__##FORMAT##_read_f32(f, i, to, 1, err);                                                  \
            free(to);                                                                                        \
        }                                                                                                    \
        bt__##FORMAT##_close(f);                                                                             \
        return st;                                                                                           \
    }
EACH_TENSOR(safetensors)
EACH_TENSOR(torch_bin)
EACH_TENSOR(tf_bundle)

static enum bt_status read_config(const char *path, const char *dir, const char *text, size_t n,
                                  struct bt_error *err)
{
    struct bt__model_config c;
    (void)path, (void)text, (void)n;
    const enum bt_status st = bt__hf_config_load(dir, &c, err);
    if (!st) bt__model_config_free(&c);
    return st;
}

/* Some text in its own letters, and in others. */
static enum bt_status read_tokenizer(const char *path, const char *dir, const char *text, size_t n,
                                     struct bt_error *err)
{
    static const char sample[] = "a b [MASK] ab\xc3\xa9 \xe4\xb8\xad ABC, 12";
    struct bt_tokenizer *t = NULL;
    (void)path;
    const enum bt_status st = bt_tokenizer_load(dir, NULL, &t, err);
    if (st) return st;
    struct bt_encoding e = {0};
    for (int k = 0; k < 2; k++) {
        const size_t size = k ? (n < 512 ? n : 512) : sizeof sample - 1;
        if (bt_tokenizer_encode(t, k ? text : sample, size, &e, NULL) != BT_OK) continue;
        for (size_t i = 0; i < e.n; i++) {
            if (e.ids[i] < 0 || e.ids[i] >= bt_tokenizer_vocab_size(t))
                fuzz_broken("an id outside the vocabulary");
            if (e.begin[i] > e.end[i] || e.end[i] > size) fuzz_broken("a piece outside its text");
        }
    }
    bt_encoding_free(&e);
    bt_tokenizer_free(t);
    return BT_OK;
}

/* Shards and their index, or whatever else the directory's weights are. */
static enum bt_status read_shards(const char *path, const char *dir, const char *text, size_t n,
                                  struct bt_error *err)
{
    struct bt__weights *w = NULL;
    (void)path, (void)text;
    enum bt_status st = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, err);
    for (size_t i = 0; !st && i < bt__weights_count(w); i++) {
        const struct bt__tensor_info *t = bt__weights_at(w, i);
        float *to = room_for(t->count, n);
        if (bt__weights_find(w, t->name) < 0) fuzz_broken("a tensor that is not found");
        st = bt__weights_read_f32(w, i, to, err);
        free(to);
    }
    bt__weights_close(w);
    return st;
}

#define TORCH                                                                                                \
    "engine/formats/torch_bin.c engine/formats/torch_pickle.c engine/formats/torch_source.c "                \
    "engine/formats/torch_zip.c"
#define TF                                                                                                   \
    "engine/formats/tf_bundle.c engine/formats/tf_names.c engine/formats/tf_proto.c "                        \
    "engine/formats/tf_table.c"
#define SETTINGS "engine/tokenizer/load_json.c engine/tokenizer/load.c engine/tokenizer/added.c"
const struct fuzz_target fuzz_model[] = {
    {.name = "safetensors",
     .file = "model.safetensors",
     .sources = "engine/formats/safetensors.c engine/formats/tensor_file.c",
     .read = read_safetensors},
    {.name = "safetensors-sealed",
     .file = "model.safetensors",
     .seal = fuzz_seal_safetensors,
     .sources = "engine/formats/safetensors.c engine/formats/tensor_file.c",
     .read = read_safetensors},
    {.name = "shards",
     .file = "model.safetensors.index.json",
     .rest = "model-00001-of-00001.safetensors",
     .sources = "engine/formats/weights_shards.c engine/formats/weights.c",
     .read = read_shards},
    {.name = "torch", .file = "pytorch_model.bin", .sources = TORCH, .read = read_torch_bin},
    {.name = "tf",
     .file = "m.ckpt.index",
     .rest = "m.ckpt.data-00000-of-00001",
     .sources = TF,
     .read = read_tf_bundle},
    {.name = "tf-sealed",
     .file = "m.ckpt.index",
     .rest = "m.ckpt.data-00000-of-00001",
     .seal = fuzz_seal_tf,
     .sources = TF,
     .read = read_tf_bundle},
    {.name = "config", .file = "config.json", .sources = "engine/formats/hf_config.c", .read = read_config},
    {.name = "vocab",
     .file = "vocab.txt",
     .sources = "engine/tokenizer/vocab.c engine/tokenizer/load.c",
     .read = read_tokenizer},
    {.name = "tokenizer",
     .file = "tokenizer.json",
     .sources = "engine/tokenizer/load_json.c engine/tokenizer/vocab_json.c",
     .read = read_tokenizer},
    {.name = "tokenizer-config",
     .file = "tokenizer_config.json",
     .rest = "vocab.txt",
     .sources = SETTINGS,
     .read = read_tokenizer},
    {.name = "special-tokens",
     .file = "special_tokens_map.json",
     .rest = "vocab.txt",
     .sources = SETTINGS,
     .read = read_tokenizer},
    {.name = NULL}};
