/* Weights in several files with an index: {"weight_map": {tensor: file}}. A shard is a file of the index's own directory, every tensor
 * is in the shard that the index names, and in no other. */
#include "formats/weights_parts.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_INDEX = 64 << 20, MOST_SHARDS = 1024 };

struct shard {
    char *path;
    void *file;
};

struct place {
    uint32_t shard;
    size_t i; /* in the shard */
};

struct shards {
    const struct bt__weights_format *format;
    const char *path; /* of the index; borrowed while opening */
    struct bt_json *index;
    struct shard *shard;
    size_t n_shards;
    struct place *t;
    size_t n;
    struct bt__names names;
};

static const struct bt__tensor_info *shards_at(const void *file, size_t i)
{
    const struct shards *s = file;
    return s->format->at(s->shard[s->t[i].shard].file, s->t[i].i);
}

static const char *name_of(const void *ctx, size_t i)
{
    return shards_at(ctx, i)->name;
}

static void shards_close(void *file)
{
    struct shards *s = file;
    for (size_t i = 0; i < s->n_shards; i++) {
        if (s->shard[i].file) s->format->close(s->shard[i].file);
        free(s->shard[i].path);
    }
    free(s->shard);
    free(s->t);
    bt__names_free(&s->names);
    bt_json_free(s->index);
    free(s);
}

/* The path of a shard, beside the index. */
static char *shard_path(const struct shards *s, const char *name)
{
    size_t dir = (size_t)(bt_path_base(s->path) - s->path);
    return bt_strfmt("%.*s%s", (int)dir, s->path, name);
}

static const struct shard *find_shard(const struct shards *s, const char *name)
{
    for (size_t i = 0; i < s->n_shards; i++)
        if (strcmp(bt_path_base(s->shard[i].path), name) == 0) return &s->shard[i];
    return NULL;
}

static enum bt_status add_shard(struct shards *s, const char *tensor, const char *name, struct bt_error *err)
{
    if (!name[0] || name[0] == '.' || strchr(name, '/'))
        return bt_fail(err, BT_INVALID,
                       "%s: tensor %s: \"%.100s\" is not the name of a file beside the index", s->path,
                       tensor, name);
    if (find_shard(s, name)) return BT_OK;
    if (s->n_shards == MOST_SHARDS)
        return bt_fail(err, BT_UNSUPPORTED, "%s: more than %d files", s->path, MOST_SHARDS);
    struct shard *x = &s->shard[s->n_shards];
    *x = (struct shard){.path = shard_path(s, name)};
    if (!x->path) return bt_fail(err, BT_NOMEM, "%s: no memory", s->path);
    s->n_shards++;
    enum bt_status st = s->format->open(x->path, &x->file, err);
    if (!st) s->n += s->format->count(x->file);
    return st;
}

static enum bt_status open_shards(struct shards *s, const struct bt_json *map, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    s->shard = calloc(MOST_SHARDS, sizeof *s->shard);
    if (!s->shard) return bt_fail(err, BT_NOMEM, "%s: no memory", s->path);
    for (const void *it = bt_json_first(map); it && !st; it = bt_json_next(map, it))
        st = add_shard(s, bt_json_key(it), bt_json_text(bt_json_value(it), ""), err);
    return st;
}

/* The tensors of all shards, each once and where the index says. */
static enum bt_status list_tensors(struct shards *s, const struct bt_json *map, struct bt_error *err)
{
    ptrdiff_t twice = -1;
    size_t n = 0;
    s->t = calloc(s->n + 1, sizeof *s->t);
    if (!s->t) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", s->path);
    for (size_t i = 0; i < s->n_shards; i++)
        for (size_t k = 0; k < s->format->count(s->shard[i].file); k++)
            s->t[n++] = (struct place){.shard = (uint32_t)i, .i = k};
    enum bt_status st = bt__names_build(&s->names, s->n, name_of, s, &twice, err);
    if (st) return st;
    if (twice >= 0)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s is in two of its files", s->path,
                       name_of(s, (size_t)twice));
    for (size_t i = 0; i < s->n; i++) {
        const char *said = bt_json_text(bt_json_get(map, name_of(s, i)), "");
        const char *found = s->shard[s->t[i].shard].path;
        if (strcmp(said, bt_path_base(found)) != 0)
            return bt_fail(err, BT_DAMAGED, "%s: tensor %s is in a file where the index %s has it not", found,
                           name_of(s, i), bt_path_base(s->path));
    }
    return BT_OK;
}

static enum bt_status check_index(const struct shards *s, const struct bt_json *map, struct bt_error *err)
{
    for (const void *it = bt_json_first(map); it; it = bt_json_next(map, it))
        if (bt__names_find(&s->names, bt_json_key(it), name_of, s) < 0)
            return bt_fail(err, BT_DAMAGED, "%s: tensor %s is in none of its files", s->path,
                           bt_json_key(it));
    return BT_OK;
}

static enum bt_status open_index(const char *path, const struct bt__weights_format *format, void **file,
                                 struct bt_error *err)
{
    struct shards *s = calloc(1, sizeof *s);
    if (!s) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    s->format = format;
    s->path = path;
    struct bt_error why = {.status = BT_OK};
    s->index = bt_json_load(path, LARGEST_INDEX, &why);
    const struct bt_json *map = bt_json_get(s->index, "weight_map");
    enum bt_status st = BT_OK;
    if (!s->index)
        st = bt_fail(err, why.status, "%s", why.text);
    else if (bt_json_kind(map) != BT_JSON_OBJECT || !bt_json_len(map))
        st = bt_fail(err, BT_INVALID, "%s: no weight_map that names tensors' files", path);
    if (!st) st = open_shards(s, map, err);
    if (!st) st = list_tensors(s, map, err);
    if (!st) st = check_index(s, map, err);
    s->path = NULL;
    if (st)
        shards_close(s);
    else
        *file = s;
    return st;
}

static enum bt_status open_safetensors(const char *path, void **file, struct bt_error *err)
{
    return open_index(path, &bt__weights_safetensors, file, err);
}

static enum bt_status open_torch(const char *path, void **file, struct bt_error *err)
{
    return open_index(path, &bt__weights_torch_bin, file, err);
}

static size_t shards_count(const void *file)
{
    const struct shards *s = file;
    return s->n;
}

static ptrdiff_t shards_find(const void *file, const char *name)
{
    const struct shards *s = file;
    return bt__names_find(&s->names, name, name_of, s);
}

static const char *shards_part(const void *file, size_t i)
{
    const struct shards *s = file;
    return i < s->n_shards ? s->shard[i].path : NULL;
}

static enum bt_status shards_read(const void *file, size_t i, float *dst, struct bt_error *err)
{
    const struct shards *s = file;
    return s->format->read(s->shard[s->t[i].shard].file, s->t[i].i, dst, err);
}

#define SHARDS_OPS                                                                                           \
    .close = shards_close, .count = shards_count, .at = shards_at, .find = shards_find, .part = shards_part, \
    .read = shards_read

const struct bt__weights_format bt__weights_safetensors_shards = {.kind = BT__WEIGHTS_SAFETENSORS,
                                                                  .name = "model.safetensors.index.json",
                                                                  .open = open_safetensors,
                                                                  SHARDS_OPS};
const struct bt__weights_format bt__weights_torch_bin_shards = {
    .kind = BT__WEIGHTS_TORCH_BIN, .name = "pytorch_model.bin.index.json", .open = open_torch, SHARDS_OPS};
