/* What a hub answers, and what lies in the cache of what it has given. */
#include "tests/fuzz/fuzz.h"

#include "formats/hub_parts.h"
#include "formats/peft.h"
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

#define READER(name)                                                                                         \
    static enum bt_status read_##name(const char *path, const char *dir, const char *text, size_t n,         \
                                      struct bt_error *err)
#define UNUSED (void)path, (void)dir, (void)text, (void)n

static void free_hub(struct bt__hub *h)
{
    for (size_t i = 0; i < h->n; i++) free(h->file[i].name);
    for (size_t i = 0; i < h->n_siblings; i++) free(h->sibling[i]);
    free(h->file);
    free(h->sibling);
    bt__hub_place_free(&h->place);
}

/* The list of a model's files, and behind it the index of its weights: every name that is to be fetched stays in its folder. */
READER(listing)
{
    struct bt_pull_request r = {.name = "org/name"};
    struct bt__hub h = {.r = &r, .snapshot = (char *)(uintptr_t)dir};
    UNUSED;
    enum bt_status st = bt__hub_place(r.name, &h.place, err);
    if (!st) st = bt__hub_take_info(&h, text, strlen(text), "https://hub:443", err);
    if (!st) st = bt__hub_choose_small(&h, err);
    if (!st) st = bt__hub_choose_weights(&h, err);
    for (size_t i = 0; i < h.n; i++)
        if (!bt__hub_is_plain(h.file[i].name)) fuzz_broken("a file that leads elsewhere");
    if (!st && h.n < 2) fuzz_broken("a model of one file");
    if (!st && !bt__hub_is_commit(h.commit)) fuzz_broken("no commit");
    free_hub(&h);
    return st;
}

static void whole(const char *text, size_t size)
{
    if (!memchr(text, 0, size)) fuzz_broken("a text without its end");
}

/* The heads of answers, a line each. */
READER(headers)
{
    struct bt__http_answer a = {.length = -1};
    UNUSED;
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t size = stop ? (size_t)(stop - at) + 1 : (size_t)(end - at);
        char *line = malloc(size); /* its end is where it is: nobody may read on */
        if (!line) break;
        memcpy(line, at, size);
        bt__http_header(&a, line, size);
        free(line);
        at += size;
    }
    whole(a.etag, sizeof a.etag);
    whole(a.linked, sizeof a.linked);
    whole(a.commit, sizeof a.commit);
    whole(a.code, sizeof a.code);
    whole(a.message, sizeof a.message);
    whole(a.retry, sizeof a.retry);
    if (a.length < -1 || a.from < -1 || a.linked_size < -1) fuzz_broken("a number below nothing");
    (void)err;
    return BT_OK;
}

/* A name as somebody types it, and then the reference of one that is in the cache. */
READER(name)
{
    char *found = NULL;
    UNUSED;
    if (bt_hub_is_name(text)) {
        struct bt__hub_place p;
        if (bt__hub_place(text, &p, err) != BT_OK) fuzz_broken("a name that is none");
        if (strstr(p.folder + strlen(dir), "..")) fuzz_broken("a folder above the cache");
        bt__hub_place_free(&p);
    }
    const enum bt_status st = bt_hub_find("org/name", &found, err);
    if (!st && strncmp(found, dir, strlen(dir)) != 0) fuzz_broken("a model outside the cache");
    free(found);
    return st;
}

READER(adapter)
{
    char *found = NULL, *name = NULL;
    struct bt__peft p;
    UNUSED;
    const enum bt_status st = bt__peft_base(dir, &found, &name, err);
    if (!st && !found == !name) fuzz_broken("a base that is neither here nor there");
    if (!st && bt__peft_open(dir, &p, NULL) == BT_OK) {
        bt__peft_scale(&p, "bert.encoder.layer.0.attention.self.query", 8);
        bt__peft_close(&p);
    }
    free(found);
    free(name);
    return st;
}

static bool put_beside(const char *dir, const char *name, const void *bytes, size_t n)
{
    char *path = bt_path_join(dir, name), *above = path ? bt_path_above(path) : NULL;
    const bool put =
        above && bt_mkdirs(above, NULL) == BT_OK && bt_file_replace(path, bytes, n, NULL) == BT_OK;
    free(path);
    free(above);
    return put;
}

/* An adapter's settings, and a base of one matrix, two by three, for the tensors to be merged into. */
static bool put_base(const char *dir)
{
    static const char settings[] =
        "{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"base\", \"r\": 1, \"lora_alpha\": 2}";
    static const char header[] =
        "{\"bert.x.query.weight\": {\"dtype\": \"F32\", \"shape\": [2, 3], \"data_offsets\": [0, 24]}}";
    uint8_t base[8 + sizeof header - 1 + 24] = {sizeof header - 1};
    memcpy(base + 8, header, sizeof header - 1);
    return put_beside(dir, "adapter_config.json", settings, sizeof settings - 1) &&
           put_beside(dir, "base/model.safetensors", base, sizeof base);
}

READER(adapter_weights)
{
    static bool beside;
    struct bt__weights *w = NULL;
    UNUSED;
    if (!beside && !(beside = put_base(dir))) fuzz_broken("no base");
    enum bt_status st = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, err);
    for (size_t i = 0; !st && i < bt__weights_count(w); i++) {
        const struct bt__tensor_info *t = bt__weights_at(w, i);
        if (t->count > 8 * n + 64) fuzz_broken("a tensor that is larger than its file");
        float *to = malloc(t->count * sizeof *to + 1);
        if (to) st = bt__weights_read_f32(w, i, to, err);
        free(to);
    }
    bt__weights_close(w);
    return st;
}

const struct fuzz_target fuzz_hub[] = {
    {.name = "hub-listing",
     .file = "listing.json",
     .rest = "model.safetensors.index.json",
     .sources = "engine/formats/hub_info.c engine/formats/hub_files.c",
     .read = read_listing},
    {.name = "hub-headers", .sources = "engine/formats/hub_headers.c", .read = read_headers},
    {.name = "hub-name",
     .file = "models--org--name/refs/main",
     .sources = "engine/formats/hub_cache.c",
     .read = read_name},
    {.name = "adapter",
     .file = "adapter_config.json",
     .sources = "engine/formats/peft.c",
     .read = read_adapter},
    {.name = "adapter-weights",
     .file = "adapter_model.safetensors",
     .seal = fuzz_seal_safetensors,
     .sources = "engine/formats/weights_peft.c",
     .read = read_adapter_weights},
    {.name = NULL}};
