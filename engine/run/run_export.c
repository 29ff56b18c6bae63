#include "formats/adapter.h"
#include "formats/peft.h"
#include "run/checkpoint.h"
#include "run/checkpoint_parts.h"
#include "run/find.h"

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

enum { BLOCK = 1 << 20 };

enum kind { OURS = 0 /* what only an exact resume needs */, MODEL = 1, ADAPTER = 2 };

/* Files of a checkpoint that are not only the model's. The manifest is no file of itself. */
static const struct {
    const char *name;
    unsigned kinds; /* enum kind */
    const char *as; /* its name where it goes; NULL: the same */
} others[] = {{.name = "trainer.json", .kinds = OURS},
              {.name = "optimizer.safetensors", .kinds = OURS},
              {.name = BT__ADAPTER_BASE, .kinds = OURS},
              {.name = "config.json", .kinds = MODEL | ADAPTER}, /* the labels; peft asks the base's */
              {.name = BT__ADAPTER_WEIGHTS, .kinds = ADAPTER},
              {.name = BT__ADAPTER_SETTINGS, .kinds = ADAPTER, .as = BT__PEFT_SETTINGS}};

static unsigned kinds_of(const char *name, const char **as)
{
    *as = name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i].name) != 0) continue;
        if (others[i].as) *as = others[i].as;
        return others[i].kinds;
    }
    return MODEL;
}

/* ── copying ── */

static bool pour(int from, int to, char *block)
{
    for (;;) {
        ssize_t n = read(from, block, BLOCK);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0 && fsync(to) == 0;
        if (!bt_write_all(to, block, (size_t)n)) return false;
    }
}

static enum bt_status copy_file(const char *from_dir, const char *name, const char *to_dir, const char *as,
                                char *block, struct bt_error *err)
{
    char *from = bt_path_join(from_dir, name), *to = bt_path_join(to_dir, as);
    enum bt_status status = from && to ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", name);
    int in = status == BT_OK ? open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (status == BT_OK && in < 0) status = bt_fail_errno(err, "%s", from);
    int out = status == BT_OK ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (status == BT_OK && (out < 0 || !pour(in, out, block))) status = bt_fail_errno(err, "%s", to);
    if (in >= 0) close(in);
    if (out >= 0 && close(out) != 0 && status == BT_OK) status = bt_fail_errno(err, "%s", to);
    free(from);
    free(to);
    return status;
}

/* peft puts an adapter on a whole model. */
static enum bt_status check_adapter(const char *from, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    char *path = bt_path_join(from, BT__ADAPTER_SETTINGS);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", from);
    struct bt_json *v = bt_json_load(path, BT__MAX_STATUS, &why);
    const char *base = bt_json_text(bt_json_get(v, "base_model_name_or_path"), "");
    enum bt_status status = v ? BT_OK : bt_fail(err, why.status, "%s", why.text);
    if (v && bt__peft_is(base))
        status = bt_fail(err, BT_UNSUPPORTED,
                         "%s: the run started from %s, an adapter itself, on which peft puts no other: "
                         "expected an export without --adapter",
                         from, base);
    bt_json_free(v);
    free(path);
    return status;
}

static enum bt_status copy_files(const char *from, const char *to, enum kind wanted, struct bt_error *err)
{
    char *manifest = bt_path_join(from, "manifest.json"), *block = malloc(BLOCK);
    enum bt_status status = manifest && block ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory", from);
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = status == BT_OK ? bt_json_load(manifest, BT__MAX_STATUS, &why) : NULL;
    if (status == BT_OK && !v) status = bt_fail(err, why.status, "%s", why.text);
    const struct bt_json *files = bt_json_get(v, "files");
    if (status == BT_OK && wanted == ADAPTER && !bt_json_get(files, BT__ADAPTER_SETTINGS))
        status =
            bt_fail(err, BT_NOTFOUND, "%s: has no adapter, expected a run with model.adapter: lora", from);
    if (status == BT_OK && wanted == ADAPTER) status = check_adapter(from, err);
    for (const void *it = bt_json_first(files); it && status == BT_OK; it = bt_json_next(files, it)) {
        const char *as, *name = bt_json_key(it);
        if (kinds_of(name, &as) & wanted) status = copy_file(from, name, to, as, block, err);
    }
    bt_json_free(v);
    free(manifest);
    free(block);
    return status;
}

/* ── the directory ── */

static enum bt_status check_target(const char *to, struct bt_error *err)
{
    DIR *d = opendir(to);
    if (!d && errno == ENOENT) return BT_OK;
    if (!d && errno == ENOTDIR) return bt_fail(err, BT_EXISTS, "%s: there is a file of that name", to);
    if (!d) return bt_fail_errno(err, "%s", to);
    enum bt_status status = BT_OK;
    for (struct dirent *e; status == BT_OK && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = bt_fail(err, BT_EXISTS, "%s: not empty: expected a new or empty directory", to);
    closedir(d);
    return status;
}

/* Beside the target, so that a rename makes all of it appear at once. */
static enum bt_status fill(const char *from, const char *to, enum kind wanted, struct bt_error *err)
{
    char *tmp = bt_strfmt("%s.%ld.tmp", to, (long)getpid());
    if (!tmp) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", to);
    if (mkdir(tmp, 0777) != 0) {
        enum bt_status failed = bt_fail_errno(err, "%s: cannot make the directory", to);
        free(tmp);
        return failed;
    }
    enum bt_status status = copy_files(from, tmp, wanted, err);
    if (status == BT_OK) status = bt__sync_dir(tmp, err);
    if (status == BT_OK && rename(tmp, to) != 0) status = bt_fail_errno(err, "%s", to);
    if (status != BT_OK) bt__remove_flat(tmp);
    free(tmp);
    return status;
}

enum bt_status bt_run_export(const char *dir, int64_t step, bool adapter, const char *to, int64_t *found,
                             struct bt_error *err)
{
    char *from = NULL, *target = realpath(to, NULL);
    if (!target) target = bt_strdup(to);
    for (size_t n = target ? strlen(target) : 0; n > 1 && target[n - 1] == '/'; n--) target[n - 1] = '\0';
    enum bt_status status = target && *target ? check_target(target, err)
                            : target          ? bt_fail(err, BT_INVALID, "an empty name of a directory")
                                              : bt_fail(err, BT_NOMEM, "%s: no memory for a name", to);
    if (status == BT_OK) status = bt_run_checkpoint(dir, step, &from, found, err);
    if (status == BT_OK) status = bt__checkpoint_verify(from, err);
    if (status == BT_OK) status = fill(from, target, adapter ? ADAPTER : MODEL, err);
    free(from);
    free(target);
    return status;
}
