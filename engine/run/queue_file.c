#include "run/queue_file.h"

#include "run/proc.h"
#include "run/rundir.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 20 };
static const double LOCK_POLL = 0.02; /* seconds */
static const char file_name[] = ".queue.json", lock_name[] = ".queue.lock";

/* ── the file ── */

void bt__queue_file_clear(struct bt__queue_file *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->id[i]);
    free(f->id);
    *f = (struct bt__queue_file){.limit = 1};
}

static enum bt_status damaged(const char *path, const char *expected, struct bt_error *err)
{
    return bt_fail(err, BT_INVALID,
                   "%s: %s (without this file queued runs go one at a time, in the order of their queueing)",
                   path, expected);
}

static enum bt_status take_order(const struct bt_json *order, const char *path, struct bt__queue_file *f,
                                 struct bt_error *err)
{
    size_t n = bt_json_len(order);
    f->id = calloc(n + 1, sizeof *f->id);
    if (!f->id) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    for (size_t i = 0; i < n; i++) {
        const char *id = bt_json_text(bt_json_at(order, i), "");
        if (!bt__run_name_ok(id)) return damaged(path, "\"order\": expected the names of runs", err);
        if (!(f->id[f->n] = bt_strdup(id))) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
        f->n++;
    }
    return BT_OK;
}

static enum bt_status take_members(const struct bt_json *v, const char *path, struct bt__queue_file *f,
                                   struct bt_error *err)
{
    const struct bt_json *limit = bt_json_get(v, "limit"), *held = bt_json_get(v, "held"),
                         *order = bt_json_get(v, "order");
    if (bt_json_kind(v) != BT_JSON_OBJECT) return damaged(path, "expected an object", err);
    f->limit = bt_json_int(limit, limit ? 0 : 1);
    f->held = bt_json_bool(held, false);
    if (f->limit < 1 || f->limit > BT_QUEUE_MOST)
        return damaged(path, "\"limit\": expected a number from 1 to 64", err);
    if (held && bt_json_kind(held) != BT_JSON_BOOL)
        return damaged(path, "\"held\": expected true or false", err);
    if (order && bt_json_kind(order) != BT_JSON_ARRAY)
        return damaged(path, "\"order\": expected a list", err);
    return take_order(order, path, f, err);
}

enum bt_status bt__queue_file_read(const char *runs_dir, struct bt__queue_file *out, struct bt_error *err)
{
    struct stat info;
    char *path = bt_path_join(runs_dir, file_name);
    *out = (struct bt__queue_file){.limit = 1};
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory", runs_dir);
    bool missing = lstat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
    struct bt_json *v = missing ? NULL : bt_json_load(path, MAX_BYTES, err);
    enum bt_status st = v ? take_members(v, path, out, err) : missing ? BT_OK : BT_INVALID;
    bt_json_free(v);
    free(path);
    if (st) bt__queue_file_clear(out);
    return st;
}

enum bt_status bt__queue_file_write(const char *runs_dir, const struct bt__queue_file *f,
                                    struct bt_error *err)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_kint(&w, "limit", f->limit);
    bt_jw_kbool(&w, "held", f->held);
    bt_jw_key(&w, "order");
    bt_jw_array(&w);
    for (size_t i = 0; i < f->n; i++) bt_jw_text(&w, f->id[i]);
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    bt_str_addc(&text, '\n');
    char *path = bt_path_join(runs_dir, file_name);
    enum bt_status st = path && !text.failed ? bt_file_write_atomic(path, text.data, text.len, err)
                                             : bt_fail(err, BT_NOMEM, "%s: no memory", runs_dir);
    free(path);
    bt_str_free(&text);
    return st;
}

enum bt_status bt__queue_file_order(struct bt__queue_file *f, const struct bt_run_status *const *run,
                                    size_t n, struct bt_error *err)
{
    struct bt__queue_file fresh = {.limit = f->limit, .held = f->held, .id = calloc(n + 1, sizeof *fresh.id)};
    while (fresh.id && fresh.n < n && (fresh.id[fresh.n] = bt_strdup(run[fresh.n]->id))) fresh.n++;
    bool whole = fresh.n == n && fresh.id;
    struct bt__queue_file old = *f;
    if (whole) *f = fresh;
    bt__queue_file_clear(whole ? &old : &fresh);
    return whole ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the queue's order");
}

/* ── the order ── */

struct waiting {
    struct bt_run_status *run;
    size_t at; /* in the file; behind all of it if it is not there */
};

static int in_order(const void *a, const void *b)
{
    const struct waiting *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->run->updated < y->run->updated || x->run->updated > y->run->updated)
        return x->run->updated < y->run->updated ? -1 : 1;
    return strcmp(x->run->id, y->run->id);
}

static size_t position(const struct bt__queue_file *f, const char *id)
{
    size_t i = 0;
    while (i < f->n && strcmp(f->id[i], id) != 0) i++;
    return i;
}

void bt__queue_places(const char *runs_dir, struct bt_run_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += list->run[i].state == BT_RUN_QUEUED;
        list->run[i].place = 0;
    }
    struct waiting *all = n ? calloc(n, sizeof *all) : NULL;
    if (!all) return;
    struct bt__queue_file f;
    (void)bt__queue_file_read(runs_dir, &f, NULL);
    n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->run[i].state == BT_RUN_QUEUED)
            all[n++] = (struct waiting){.run = &list->run[i], .at = position(&f, list->run[i].id)};
    qsort(all, n, sizeof *all, in_order);
    for (size_t i = 0; i < n; i++) all[i].run->place = (int64_t)i + 1;
    bt__queue_file_clear(&f);
    free(all);
}

/* ── the lock ── */

bool bt__queue_exists(const char *runs_dir)
{
    struct stat info;
    char *path = bt_path_join(runs_dir, lock_name);
    bool there = path && lstat(path, &info) == 0;
    free(path);
    return there;
}

static enum bt_status open_lock(const char *path, int *fd, struct bt_error *err)
{
    struct stat info;
    *fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (*fd < 0) return bt_fail_errno(err, "%s", path);
    if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode)) return BT_OK;
    close(*fd);
    return bt_fail(err, BT_INVALID, "%s: not a regular file", path);
}

/* Never waits in flock(): a holder that was suspended would hold us for ever. */
static enum bt_status wait_for(int fd, const char *path, double patience_s, struct bt_error *err)
{
    double until = bt__clock() + patience_s;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return bt_fail_errno(err, "%s: a queue needs a file system with locks", path);
        if (bt__clock() >= until) return bt_fail(err, BT_BUSY, "%s: somebody else changes the queue", path);
        bt__sleep(LOCK_POLL);
    }
    return BT_OK;
}

enum bt_status bt__queue_lock(const char *runs_dir, double patience_s, int *fd, struct bt_error *err)
{
    *fd = -1;
    enum bt_status st = bt_mkdirs(runs_dir, err);
    char *path = st ? NULL : bt_path_join(runs_dir, lock_name);
    if (!st && !path) st = bt_fail(err, BT_NOMEM, "%s: no memory", runs_dir);
    if (!st) st = open_lock(path, fd, err);
    if (!st && (st = wait_for(*fd, path, patience_s, err))) {
        close(*fd);
        *fd = -1;
    }
    free(path);
    return st;
}
