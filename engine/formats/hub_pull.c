/* `bertty pull`: a model from the hub into the cache. */
#include "formats/hf_dir.h"
#include "formats/hub_parts.h"
#include "formats/peft.h"
#include "formats/weights.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LARGEST_TOKEN = 4096, SILENCE_S = 10 };
static const char usual_endpoint[] = "https://huggingface.co";

/* ── settings ── */

static enum bt_status read_token_file(char **text, struct bt_error *err)
{
    size_t n;
    char *home = bt__hub_home(), *path = bt__hub_env_path("HF_TOKEN_PATH");
    if (!path && home) path = bt_path_join(home, "token");
    enum bt_status st = path ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
    if (!st && bt_path_exists(path)) st = bt_file_read(path, LARGEST_TOKEN, text, &n, err);
    free(home);
    free(path);
    return st;
}

/* HF_TOKEN, else what `hf auth login` wrote. NULL: none. */
static enum bt_status find_token(char **token, struct bt_error *err)
{
    const char *set = getenv("HF_TOKEN");
    char *text = NULL;
    if (!set || !*set) set = getenv("HUGGING_FACE_HUB_TOKEN");
    enum bt_status st = set && *set ? BT_OK : read_token_file(&text, err);
    if (st) return st;
    if (!text) text = bt_strdup(set && *set ? set : "");
    if (!text) return bt_fail(err, BT_NOMEM, "no memory for the token");
    char *start = text + strspn(text, " \t\r\n");
    start[strcspn(start, " \t\r\n")] = '\0';
    for (const char *p = start; *p && !st; p++)
        if (*p < 0x21 || *p > 0x7e)
            st = bt_fail(err, BT_INVALID, "HF_TOKEN: it holds a character that no token has");
    *token = st || !*start ? NULL : bt_strdup(start);
    if (!st && *start && !*token) st = bt_fail(err, BT_NOMEM, "no memory for the token");
    free(text);
    return st;
}

static char *endpoint(void)
{
    const char *set = getenv("HF_ENDPOINT");
    size_t n = set ? strlen(set) : 0;
    while (n && set[n - 1] == '/') n--;
    return n ? bt_strndup(set, n) : bt_strdup(usual_endpoint);
}

static bool hub_stop(void *ctx)
{
    const struct bt__hub *h = ctx;
    return bt__hub_stopped(h, NULL) != BT_OK;
}

static enum bt_status connect_to(struct bt__hub *h, struct bt_error *err)
{
    const char *timeout = getenv("HF_HUB_DOWNLOAD_TIMEOUT");
    int64_t seconds = SILENCE_S;
    if (timeout && (!bt_parse_int64(timeout, &seconds) || seconds < 1 || seconds > 86400))
        seconds = SILENCE_S;
    h->endpoint = endpoint();
    enum bt_status st =
        h->endpoint ? find_token(&h->token, err) : bt_fail(err, BT_NOMEM, "no memory for an address");
    if (st) return st;
    const struct bt__http_options o = {
        .endpoint = h->endpoint, .token = h->token, .silence_s = (long)seconds, .stop = hub_stop, .ctx = h};
    return bt__http_open(&o, &h->http, err);
}

/* ── what there is to fetch ── */

static enum bt_status take_answer(struct bt__hub *h, struct bt__hub_file *f, const struct bt__http_answer *a,
                                  struct bt_error *err)
{
    const char *hash = a->linked[0] ? a->linked : a->etag, *origin = bt__http_origin(h->http);
    bool whole = a->status / 100 == 2;
    if (!bt__hub_is_plain(hash))
        return bt_fail(err, BT_INVALID, "%s: %s: %s gives the ETag \"%.80s\", expected a hash", h->place.repo,
                       f->name, origin, hash);
    if (a->commit[0] && strcmp(a->commit, h->commit) != 0)
        return bt_fail(err, BT_DAMAGED, "%s: %s: of the commit %.50s, expected %s", h->place.repo, f->name,
                       a->commit, h->commit);
    memcpy(f->hash, hash, strlen(hash) + 1);
    f->size = a->linked_size >= 0 ? a->linked_size : whole ? a->length : -1;
    return BT_OK;
}

static enum bt_status look_at(struct bt__hub *h, struct bt__hub_file *f, struct bt_error *err)
{
    struct bt__http_answer a;
    char *path = bt_path_join(h->snapshot, f->name), *url = bt__hub_url(h, f->name);
    enum bt_status st =
        path && url ? bt__hub_stopped(h, err) : bt_fail(err, BT_NOMEM, "no memory for a name");
    f->there = path && bt_path_exists(path);
    if (!st && !f->there) {
        st = bt__hub_ask(h, &(struct bt__http_request){.url = url, .head = true}, f->name, &a, err);
        if (!st) st = take_answer(h, f, &a, err);
        if (!st && f->size > 0) h->total += f->size;
    }
    free(path);
    free(url);
    return st;
}

static enum bt_status check_space(const struct bt__hub *h, size_t first, struct bt_error *err)
{
    struct statvfs fs;
    double needed = 0.0;
    for (size_t i = first; i < h->n; i++)
        if (!h->file[i].there && h->file[i].size > 0)
            needed += (double)h->file[i].size - (double)bt__hub_left(h, &h->file[i]);
    if (statvfs(h->blobs, &fs) != 0) return bt_fail_errno(err, "%s", h->blobs);
    double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    if (needed <= free_bytes) return BT_OK;
    return bt_fail(err, BT_IO, "%s: %.1f MiB are to come, and only %.1f MiB are free in %s", h->place.repo,
                   needed / 1048576.0, free_bytes / 1048576.0, h->place.cache);
}

/* The files from number first on: hashes and sizes, room for them, then each. */
static enum bt_status fetch_from(struct bt__hub *h, size_t first, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = first; i < h->n && !st; i++) st = look_at(h, &h->file[i], err);
    if (!st) st = check_space(h, first, err);
    if (!st) bt__hub_tell(h, &(struct bt_pull_progress){.kind = BT_PULL_FILES, .size = -1});
    for (size_t i = first; i < h->n && !st; i++) {
        struct bt__hub_file *f = &h->file[i];
        if (f->there)
            bt__hub_tell(h, &(struct bt_pull_progress){.kind = BT_PULL_CACHED, .file = f->name, .size = -1});
        else
            st = bt__hub_fetch(h, f, err);
    }
    return st;
}

/* Better now than after 400 MB of another architecture's weights. */
static enum bt_status check_config(const struct bt__hub *h, struct bt_error *err)
{
    struct bt__model_config c = {.num_labels = 0};
    enum bt_status st = bt__hf_config_load(h->snapshot, &c, err);
    if (!st) bt__model_config_free(&c);
    return st ? bt_error_prefix(err, st, "%s: not a model for bertty", h->place.repo) : BT_OK;
}

/* ── the cache ── */

static enum bt_status make_folders(struct bt__hub *h, struct bt_error *err)
{
    h->blobs = bt_path_join(h->place.folder, "blobs");
    h->snapshot = bt_strfmt("%s/snapshots/%s", h->place.folder, h->commit);
    h->locks = bt_strfmt("%s/.locks/%s", h->place.cache, bt_path_base(h->place.folder));
    if (!h->blobs || !h->snapshot || !h->locks) return bt_fail(err, BT_NOMEM, "no memory for a name");
    enum bt_status st = bt__hub_mkdirs(h->blobs, err);
    if (!st) st = bt__hub_mkdirs(h->snapshot, err);
    return st ? st : bt__hub_mkdirs(h->locks, err);
}

static enum bt_status put_text(const char *path, const char *text, struct bt_error *err)
{
    char *tmp = bt_strfmt("%s.%ld.tmp", path, (long)getpid());
    if (!tmp) return bt_fail(err, BT_NOMEM, "no memory for a name");
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    size_t n = strlen(text);
    bool good = fd >= 0 && bt_write_all(fd, text, n) && fsync(fd) == 0;
    if (fd >= 0) good = close(fd) == 0 && good;
    good = good && rename(tmp, path) == 0;
    enum bt_status st = good ? BT_OK : bt_fail_errno(err, "%s", path);
    if (!good) unlink(tmp);
    free(tmp);
    return st;
}

/* refs/REVISION is written last: the name is known once all is there. */
static enum bt_status write_ref(const struct bt__hub *h, struct bt_error *err)
{
    if (bt__hub_is_commit(h->place.revision)) return BT_OK;
    char *path = bt_strfmt("%s/refs/%s", h->place.folder, h->place.revision);
    char *dir = path ? bt_strndup(path, (size_t)(bt_path_base(path) - path)) : NULL;
    enum bt_status st = dir ? bt__hub_mkdirs(dir, err) : bt_fail(err, BT_NOMEM, "no memory for a name");
    if (!st) st = put_text(path, h->commit, err);
    free(dir);
    free(path);
    return st;
}

/* ── the base of an adapter ── */

static bool is_whole(const char *dir)
{
    struct bt__weights *w = NULL;
    if (bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, NULL) != BT_OK) return false;
    bt__weights_close(w);
    return true;
}

static enum bt_status pull_one(struct bt__hub *h, struct bt_pull_result *result, struct bt_error *err);

static enum bt_status fetch_base(struct bt__hub *h, const char *name, struct bt_error *err)
{
    struct bt_pull_request r = *h->r;
    struct bt_pull_result result;
    r.name = name;
    struct bt__hub base = {.r = &r, .base = true};
    enum bt_status st = pull_one(&base, &result, err);
    h->base_files = result.files;
    h->base_fetched = result.fetched;
    h->base_bytes = result.bytes;
    bt_pull_result_clear(&result);
    return st;
}

/* Before the adapter's weights: without it they are nothing. */
static enum bt_status ensure_base(struct bt__hub *h, struct bt_error *err)
{
    char *dir, *name;
    if (h->base)
        return bt_fail(err, BT_UNSUPPORTED, "%s: an adapter itself, expected a whole model", h->place.repo);
    enum bt_status st = bt__peft_base(h->snapshot, &dir, &name, err);
    if (st) st = bt_error_prefix(err, st, "%s: not a model for bertty", h->place.repo);
    if (!st && name) st = fetch_base(h, name, err);
    free(dir);
    free(name);
    return st;
}

/* ── the whole ── */

static enum bt_status pull(struct bt__hub *h, struct bt_error *err)
{
    enum bt_status st = connect_to(h, err);
    if (!st) st = bt__hub_info(h, err);
    if (!st) st = bt__hub_choose_small(h, err);
    if (!st) st = make_folders(h, err);
    if (!st) st = fetch_from(h, 0, err);
    const bool adapter = !st && bt__hub_is_adapter(h);
    if (!st) st = adapter ? ensure_base(h, err) : check_config(h, err);
    size_t small = h->n;
    if (!st) st = bt__hub_choose_weights(h, err);
    if (!st) st = fetch_from(h, small, err);
    if (!st && adapter) st = check_config(h, err);
    return st ? st : write_ref(h, err);
}

/* Without the hub: is it in the cache as a whole? */
static enum bt_status offline(struct bt__hub *h, char **dir, struct bt_error *err)
{
    enum bt_status st = bt__hub_snapshot(&h->place, dir, err);
    if (!st && *dir && is_whole(*dir)) return BT_OK;
    free(*dir);
    *dir = NULL;
    if (st) return st;
    return bt_fail(err, BT_NOTFOUND,
                   "%s: HF_HUB_OFFLINE is set, so nothing is fetched, and the cache %s does not have it",
                   h->r->name, h->place.cache);
}

static void hub_free(struct bt__hub *h)
{
    bt__http_close(h->http);
    bt__hub_place_free(&h->place);
    for (size_t i = 0; i < h->n; i++) free(h->file[i].name);
    for (size_t i = 0; i < h->n_siblings; i++) free(h->sibling[i]);
    free(h->file);
    free(h->sibling);
    free(h->endpoint);
    free(h->token);
    free(h->blobs);
    free(h->snapshot);
    free(h->locks);
}

static enum bt_status pull_one(struct bt__hub *h, struct bt_pull_result *result, struct bt_error *err)
{
    *result = (struct bt_pull_result){.dir = NULL};
    enum bt_status st = bt__hub_place(h->r->name, &h->place, err);
    if (!st && (bt__hub_env_true("HF_HUB_OFFLINE") || bt__hub_env_true("TRANSFORMERS_OFFLINE"))) {
        st = offline(h, &result->dir, err);
    } else if (!st) {
        st = pull(h, err);
        result->dir = st ? NULL : bt_strdup(h->snapshot);
    }
    if (!st) result->commit = result->dir ? bt_strdup(bt_path_base(result->dir)) : NULL;
    if (!st && !result->commit) st = bt_fail(err, BT_NOMEM, "no memory for a name");
    result->files = h->n + h->base_files;
    result->fetched = h->fetched + h->base_fetched;
    result->bytes = h->bytes + h->base_bytes;
    hub_free(h);
    return st;
}

enum bt_status bt_hub_pull(const struct bt_pull_request *r, struct bt_pull_result *result,
                           struct bt_error *err)
{
    return pull_one(&(struct bt__hub){.r = r}, result, err);
}

void bt_pull_result_clear(struct bt_pull_result *r)
{
    free(r->dir);
    free(r->commit);
    *r = (struct bt_pull_result){.dir = NULL};
}
