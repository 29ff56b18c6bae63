#include "run/checkpoint.h"

#include "formats/adapter.h"
#include "formats/hf_dir.h"
#include "formats/safetensors.h"
#include "run/checkpoint_parts.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char manifest_name[] = "manifest.json";

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory for a checkpoint");
}

size_t bt__checkpoint_bytes(const struct bt__model *m, size_t optim)
{
    const size_t texts = 4 << 20; /* vocabulary, configuration, manifest */
    size_t floats = m->params.total;
    for (size_t i = 0; i < m->params.n; i++)
        if (m->params.item[i].adapter) floats -= m->params.item[i].count; /* merged */
    return floats * sizeof(float) + bt__adapter_bytes(&m->params) + optim + texts;
}

/* ── the optimiser's file ── */

/* "exp_avg.bert.…" as in PyTorch, and the epoch's figures. names: one for each tensor of the state, freed by the caller. */
static size_t list_tensors(const struct bt__checkpoint *c, struct bt__tensor_out *t, char **names)
{
    size_t n = bt__optim_tensors(c->optim);
    for (size_t i = 0; i < n; i++) {
        const struct bt__optim_tensor s = bt__optim_tensor(c->optim, i);
        names[i] = bt_strfmt("%s.%s", s.slot, s.param->name);
        t[i] = (struct bt__tensor_out){.name = names[i], .rank = s.rank, .data = s.data};
        for (int k = 0; k < s.rank; k++) t[i].shape[k] = s.shape[k];
    }
    if (!c->p_gold) return n;
    const int64_t examples = (int64_t)c->examples;
    t[n++] =
        (struct bt__tensor_out){.name = "epoch.p_gold", .rank = 1, .shape = {examples}, .data = c->p_gold};
    t[n++] =
        (struct bt__tensor_out){.name = "epoch.correct", .rank = 1, .shape = {examples}, .data = c->right};
    return n;
}

static enum bt_status save_optimiser(const char *dir, const struct bt__checkpoint *c, struct bt_error *err)
{
    if (!c->optim) return BT_OK;
    size_t most = bt__optim_tensors(c->optim) + 2;
    struct bt__tensor_out *t = calloc(most, sizeof *t);
    char **names = calloc(most, sizeof *names), *path = bt_path_join(dir, "optimizer.safetensors");
    size_t n = t && names ? list_tensors(c, t, names) : 0;
    bool ok = t && names && path;
    for (size_t i = 0; i < n; i++) ok = ok && t[i].name;
    enum bt_status st = ok ? bt__safetensors_write(path, t, n, err) : no_memory(err);
    for (size_t i = 0; names && i < most; i++) free(names[i]);
    free(names);
    free(path);
    free(t);
    return st;
}

/* ── the manifest ── */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the files in dir, sorted; freed with free_names. */
static enum bt_status list_files(const char *dir, char ***names, size_t *n, struct bt_error *err)
{
    DIR *d = opendir(dir);
    if (!d) return bt_fail_errno(err, "%s", dir);
    enum bt_status st = BT_OK;
    for (struct dirent *e; !st && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, manifest_name) == 0) continue;
        char **more = realloc(*names, (*n + 1) * sizeof *more);
        if (more) *names = more;
        char *copy = more ? bt_strdup(e->d_name) : NULL;
        if (copy)
            (*names)[(*n)++] = copy;
        else
            st = no_memory(err);
    }
    closedir(d);
    if (*n) qsort(*names, *n, sizeof **names, by_name);
    return st;
}

static enum bt_status measure(const char *dir, const char *name, int64_t *bytes, char hex[65],
                              struct bt_error *err)
{
    struct stat info;
    char *path = bt_path_join(dir, name);
    enum bt_status st = path ? bt_sha256_file(path, hex, err) : no_memory(err);
    if (!st && stat(path, &info) != 0) st = bt_fail_errno(err, "%s", path);
    if (!st) *bytes = (int64_t)info.st_size;
    free(path);
    return st;
}

static enum bt_status describe_files(const char *dir, int64_t step, struct bt_str *out, struct bt_error *err)
{
    char **names = NULL, hex[65];
    size_t n = 0;
    int64_t bytes = 0;
    enum bt_status st = list_files(dir, &names, &n, err);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "step", step);
    bt_jw_key(&w, "files");
    bt_jw_object(&w);
    for (size_t i = 0; i < n && !st; i++) {
        st = measure(dir, names[i], &bytes, hex, err);
        bt_jw_key(&w, names[i]);
        bt_jw_object(&w);
        bt_jw_kint(&w, "bytes", bytes);
        bt_jw_ktext(&w, "sha256", hex);
        bt_jw_end_object(&w);
    }
    bt_jw_end_object(&w);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
    return !st && out->failed ? no_memory(err) : st;
}

static enum bt_status put(const char *dir, const char *name, const struct bt_str *text, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    enum bt_status st = path && !text->failed ? bt_file_write_atomic(path, bt_str_text(text), text->len, err)
                                              : no_memory(err);
    free(path);
    return st;
}

static enum bt_status save_manifest(const char *dir, int64_t step, struct bt_error *err)
{
    struct bt_str text = {0};
    enum bt_status st = describe_files(dir, step, &text, err);
    if (!st) st = put(dir, manifest_name, &text, err);
    bt_str_free(&text);
    return st;
}

static enum bt_status check_file(const char *dir, const char *name, const struct bt_json *saved,
                                 struct bt_error *err)
{
    char hex[65];
    int64_t bytes = 0, expected = bt_json_int(bt_json_get(saved, "bytes"), -1);
    if (!*name || strchr(name, '/'))
        return bt_fail(err, BT_DAMAGED, "%s/%s: odd file name \"%.60s\"", dir, manifest_name, name);
    struct bt_error mine = {.status = BT_OK};
    if (measure(dir, name, &bytes, hex, &mine)) return bt_fail(err, BT_DAMAGED, "%s", mine.text);
    if (bytes != expected)
        return bt_fail(err, BT_DAMAGED, "%s/%s: %lld bytes, expected %lld", dir, name, (long long)bytes,
                       (long long)expected);
    if (strcmp(hex, bt_json_text(bt_json_get(saved, "sha256"), "")) != 0)
        return bt_fail(err, BT_DAMAGED, "%s/%s: its SHA-256 is not the manifest's", dir, name);
    return BT_OK;
}

enum bt_status bt__checkpoint_verify(const char *dir, struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK};
    char *path = bt_path_join(dir, manifest_name);
    if (!path) return no_memory(err);
    struct bt_json *root = bt_json_load(path, 1 << 20, &mine);
    const struct bt_json *files = bt_json_get(root, "files");
    enum bt_status st = BT_OK;
    if (!root)
        st = bt_fail(err, BT_DAMAGED, "%s", mine.text);
    else if (!bt_json_get(files, "model.safetensors") || !bt_json_get(files, "trainer.json"))
        st = bt_fail(err, BT_DAMAGED, "%s: names no model.safetensors and trainer.json", path);
    for (const void *it = bt_json_first(files); it && !st; it = bt_json_next(files, it))
        st = check_file(dir, bt_json_key(it), bt_json_value(it), err);
    bt_json_free(root);
    free(path);
    return st;
}

/* ── writing ── */

static enum bt_status fill(const char *tmp, const struct bt__checkpoint *c, const struct bt_str *trainer,
                           struct bt_error *err)
{
    if (mkdir(tmp, 0700) != 0) return bt_fail_errno(err, "%s", tmp);
    enum bt_status st = bt__hf_save(tmp, &c->model->config, &c->model->params, c->model->w, c->tokenizer_dir,
                                    &c->letters, err);
    if (!st) st = bt__adapter_save(tmp, &c->model->config, &c->model->params, c->model->w, c->base, err);
    if (!st) st = save_optimiser(tmp, c, err);
    if (!st) st = put(tmp, "trainer.json", trainer, err);
    if (!st) st = save_manifest(tmp, c->step, err);
    return st ? st : bt__sync_dir(tmp, err);
}

/* Renames tmp to path; one that is there already (a run that was resumed from an earlier step comes by again) makes room first. */
static enum bt_status put_in_place(const char *tmp, const char *path, struct bt_error *err)
{
    char *old = bt_strfmt("%s.old.tmp", path);
    if (!old) return no_memory(err);
    bool was_there = rename(path, old) == 0;
    enum bt_status st = BT_OK;
    if (rename(tmp, path) != 0) {
        st = bt_fail_errno(err, "%s", path);
        if (was_there && rename(old, path) == 0) was_there = false;
    }
    if (was_there) bt__remove_flat(old);
    free(old);
    return st;
}

static enum bt_status save_at(const char *parent, const char *tmp, const char *path,
                              const struct bt__checkpoint *c, const struct bt_str *trainer,
                              struct bt_error *err)
{
    bt__remove_flat(tmp);
    enum bt_status st = fill(tmp, c, trainer, err);
    if (!st) st = put_in_place(tmp, path, err);
    if (st) {
        bt__remove_flat(tmp);
        return st;
    }
    st = bt__sync_dir(parent, err);
    if (!st) st = bt__checkpoint_verify(path, err);
    if (st) bt__remove_flat(path);
    return st;
}

enum bt_status bt__checkpoint_save(const char *run_dir, const struct bt__checkpoint *c,
                                   const struct bt_str *trainer, struct bt_error *err)
{
    char *parent = bt_path_join(run_dir, "checkpoints"), *path = bt__checkpoint_path(run_dir, c->step);
    char *tmp = path ? bt_strfmt("%s.tmp", path) : NULL;
    enum bt_status st = parent && tmp ? bt_mkdirs(parent, err) : no_memory(err);
    if (!st) st = save_at(parent, tmp, path, c, trainer, err);
    free(parent);
    free(path);
    free(tmp);
    return st;
}

/* ── reading ── */

static enum bt_status read_tensor(const struct bt__safetensors *s, const char *path, const char *name,
                                  size_t count, float *to, int finite, struct bt_error *err)
{
    ptrdiff_t at = bt__safetensors_find(s, name);
    if (at < 0) return bt_fail(err, BT_DAMAGED, "%s: no tensor %s", path, name);
    size_t found = bt__safetensors_at(s, (size_t)at)->count;
    if (found != count)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s has %zu elements, expected %zu", path, name, found,
                       count);
    return bt__safetensors_read_f32(s, (size_t)at, to, finite, err);
}

static enum bt_status read_state(const struct bt__safetensors *s, const char *path,
                                 const struct bt__checkpoint *c, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    size_t n = c->optim ? bt__optim_tensors(c->optim) : 0;
    for (size_t i = 0; i < n && !st; i++) {
        const struct bt__optim_tensor t = bt__optim_tensor(c->optim, i);
        char name[128];
        snprintf(name, sizeof name, "%s.%s", t.slot, t.param->name);
        st = read_tensor(s, path, name, t.count, t.data, 1, err);
    }
    if (st || !c->p_gold) return st;
    st = read_tensor(s, path, "epoch.p_gold", c->examples, c->p_gold, 0, err);
    return st ? st : read_tensor(s, path, "epoch.correct", c->examples, c->right, 0, err);
}

enum bt_status bt__checkpoint_optim(const char *dir, const struct bt__checkpoint *c, struct bt_error *err)
{
    struct bt__safetensors *s = NULL;
    char *path = bt_path_join(dir, "optimizer.safetensors");
    enum bt_status st = path ? bt__safetensors_open(path, &s, err) : no_memory(err);
    if (!st) st = read_state(s, path, c, err);
    bt__safetensors_close(s);
    free(path);
    return st;
}
