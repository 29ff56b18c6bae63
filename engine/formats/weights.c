#include "formats/weights.h"

#include "formats/safetensors.h"
#include "formats/torch_bin.h"
#include "formats/weights_parts.h"
#include <bertty/file.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* In the order in which they are looked for: the first that a directory has is read. */
static const struct bt__weights_format *const formats[] = {
    &bt__weights_peft,        &bt__weights_peft_torch,
    &bt__weights_safetensors, &bt__weights_safetensors_shards,
    &bt__weights_torch_bin,   &bt__weights_torch_bin_shards,
    &bt__weights_tf,
};
enum { FORMATS = sizeof formats / sizeof *formats };

struct bt__weights {
    const struct bt__weights_format *format;
    void *file;
    char *path;
};

/* ── safetensors ── */

static enum bt_status st_open(const char *path, void **file, struct bt_error *err)
{
    struct bt__safetensors *s = NULL;
    enum bt_status st = bt__safetensors_open(path, &s, err);
    *file = s;
    return st;
}

static void st_close(void *file)
{
    bt__safetensors_close(file);
}

static size_t st_count(const void *file)
{
    return bt__safetensors_count(file);
}

static const struct bt__tensor_info *st_at(const void *file, size_t i)
{
    return bt__safetensors_at(file, i);
}

static ptrdiff_t st_find(const void *file, const char *name)
{
    return bt__safetensors_find(file, name);
}

static enum bt_status st_read(const void *file, size_t i, float *dst, struct bt_error *err)
{
    return bt__safetensors_read_f32(file, i, dst, 1, err);
}

const struct bt__weights_format bt__weights_safetensors = {.kind = BT__WEIGHTS_SAFETENSORS,
                                                           .name = "model.safetensors",
                                                           .open = st_open,
                                                           .close = st_close,
                                                           .count = st_count,
                                                           .at = st_at,
                                                           .find = st_find,
                                                           .read = st_read};

/* ── torch ── */

static enum bt_status torch_open(const char *path, void **file, struct bt_error *err)
{
    struct bt__torch_bin *b = NULL;
    enum bt_status st = bt__torch_bin_open(path, &b, err);
    *file = b;
    return st;
}

static void torch_close(void *file)
{
    bt__torch_bin_close(file);
}

static size_t torch_count(const void *file)
{
    return bt__torch_bin_count(file);
}

static const struct bt__tensor_info *torch_at(const void *file, size_t i)
{
    return bt__torch_bin_at(file, i);
}

static ptrdiff_t torch_find(const void *file, const char *name)
{
    return bt__torch_bin_find(file, name);
}

static enum bt_status torch_read(const void *file, size_t i, float *dst, struct bt_error *err)
{
    return bt__torch_bin_read_f32(file, i, dst, 1, err);
}

const struct bt__weights_format bt__weights_torch_bin = {.kind = BT__WEIGHTS_TORCH_BIN,
                                                         .name = "pytorch_model.bin",
                                                         .open = torch_open,
                                                         .close = torch_close,
                                                         .count = torch_count,
                                                         .at = torch_at,
                                                         .find = torch_find,
                                                         .read = torch_read};

/* ── the door ── */

/* The path of a format's file in dir; BT_NOTFOUND: it has none. A file that is there but cannot be reached counts: opening it tells why. */
static enum bt_status look(const char *dir, const struct bt__weights_format *format, char **found,
                           struct bt_error *err)
{
    struct stat info;
    if (format->look) return format->look(dir, found, err);
    char *path = bt_path_join(dir, format->name);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    if (lstat(path, &info) == 0 || errno != ENOENT) {
        *found = path;
        return BT_OK;
    }
    free(path);
    return BT_NOTFOUND;
}

static bool wanted(const struct bt__weights_format *format, enum bt__weights_kind kind)
{
    return kind == BT__WEIGHTS_AUTO || format->kind == kind;
}

static enum bt_status none_found(const char *dir, enum bt__weights_kind kind, struct bt_error *err)
{
    struct bt_str names = {.len = 0};
    if (!bt_path_exists(dir)) return bt_fail(err, BT_NOTFOUND, "%s: no such directory", dir);
    for (size_t i = 0; i < FORMATS; i++)
        if (wanted(formats[i], kind)) bt_str_addf(&names, "%s%s", names.len ? ", " : "", formats[i]->name);
    bt_fail(err, BT_NOTFOUND, "%s: no weights, expected %s", dir, bt_str_text(&names));
    bt_str_free(&names);
    return BT_NOTFOUND;
}

enum bt_status bt__weights_open(const char *dir, enum bt__weights_kind kind, struct bt__weights **out,
                                struct bt_error *err)
{
    struct bt__weights *w = calloc(1, sizeof *w);
    if (!w) return bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    enum bt_status st = BT_NOTFOUND;
    for (size_t i = 0; i < FORMATS && st == BT_NOTFOUND; i++) {
        if (!wanted(formats[i], kind)) continue;
        w->format = formats[i];
        st = look(dir, w->format, &w->path, err);
    }
    if (st == BT_NOTFOUND)
        st = none_found(dir, kind, err);
    else if (!st)
        st = w->format->open(w->path, &w->file, err);
    if (st) {
        bt__weights_close(w);
        return st;
    }
    *out = w;
    return BT_OK;
}

void bt__weights_close(struct bt__weights *w)
{
    if (!w) return;
    if (w->file) w->format->close(w->file);
    free(w->path);
    free(w);
}

const char *bt__weights_path(const struct bt__weights *w)
{
    return w->path;
}

const char *bt__weights_part(const struct bt__weights *w, size_t i)
{
    if (i == 0) return w->path;
    return w->format->part ? w->format->part(w->file, i - 1) : NULL;
}

size_t bt__weights_count(const struct bt__weights *w)
{
    return w->format->count(w->file);
}

const struct bt__tensor_info *bt__weights_at(const struct bt__weights *w, size_t i)
{
    return w->format->at(w->file, i);
}

ptrdiff_t bt__weights_find(const struct bt__weights *w, const char *name)
{
    return w->format->find(w->file, name);
}

enum bt_status bt__weights_read_f32(const struct bt__weights *w, size_t i, float *dst, struct bt_error *err)
{
    return w->format->read(w->file, i, dst, err);
}
