/* One file into the cache: under its blob's lock, resumed where an earlier call ended, checked, renamed, linked. */
#include "base/sha1.h"
#include "formats/hub_parts.h"

#include <bertty/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST_SMALL = 256 << 20 /* bytes of a file that lies in git itself */ };

struct fetch { /* a file while it comes */
    struct bt__hub *h;
    struct bt__hub_file *f;
    char *blob, *path; /* path: blob.incomplete, the name that huggingface_hub gives it */
    int lock, fd;
    int64_t have, best; /* bytes of it; the most that were ever there */
    bool begun;         /* the answer's first bytes came */
    bool resumed;       /* some of it is of an earlier call */
};

char *bt__hub_url(const struct bt__hub *h, const char *file)
{
    char *name = bt__http_escape(file, true);
    char *url = name ? bt_strfmt("%s/%s/resolve/%s/%s", h->endpoint, h->place.repo, h->commit, name) : NULL;
    free(name);
    return url;
}

enum bt_status bt__hub_mkdirs(const char *path, struct bt_error *err)
{
    char *copy = bt_strdup(path);
    if (!copy) return bt_fail(err, BT_NOMEM, "%s: no memory for its name", path);
    enum bt_status st = BT_OK;
    for (char *p = copy; *p && !st;) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char c = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            st = bt_fail_errno(err, "%s: cannot make the directory", copy);
        *p = c;
    }
    free(copy);
    return st;
}

int64_t bt__hub_left(const struct bt__hub *h, const struct bt__hub_file *f)
{
    struct stat info = {.st_size = 0};
    char *path = bt_strfmt("%s/%s.incomplete", h->blobs, f->hash);
    bool there = path && stat(path, &info) == 0;
    free(path);
    return there ? (int64_t)info.st_size : 0;
}

/* ── the lock ── */

static void tell(const struct fetch *x, enum bt_pull_kind kind, const char *text)
{
    bt__hub_tell(x->h,
                 &(struct bt_pull_progress){
                     .kind = kind, .file = x->f->name, .text = text, .done = x->have, .size = x->f->size});
}

/* A lock file that its holder removed is no lock any more. */
static bool still_there(int fd, const char *path)
{
    struct stat ours, now;
    return fstat(fd, &ours) == 0 && stat(path, &now) == 0 && ours.st_ino == now.st_ino &&
           ours.st_dev == now.st_dev;
}

static enum bt_status take_lock(struct fetch *x, struct bt_error *err)
{
    const struct timespec slice = {.tv_nsec = 50000000};
    char *path = bt_strfmt("%s/%s.lock", x->h->locks, x->f->hash);
    enum bt_status st = path ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
    for (bool told = false; !st;) {
        x->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (x->lock < 0) st = bt_fail_errno(err, "%s", path);
        /* a filesystem without locks (some NFS) has no second process to fear less: go on */
        bool held =
            !st && (flock(x->lock, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR));
        if (held && still_there(x->lock, path)) break;
        if (x->lock >= 0) close(x->lock);
        x->lock = -1;
        if (st || held) continue;
        if (!told) tell(x, BT_PULL_WAIT, "another process is fetching it");
        told = true;
        nanosleep(&slice, NULL);
        st = bt__hub_stopped(x->h, err);
    }
    free(path);
    return st;
}

/* ── bytes ── */

static enum bt_status start_over(struct fetch *x, struct bt_error *err)
{
    if (ftruncate(x->fd, 0) != 0) return bt_fail_errno(err, "%s", x->path);
    x->h->done -= x->have;
    x->have = 0;
    x->resumed = false;
    return BT_OK;
}

static enum bt_status write_bytes(struct fetch *x, const char *bytes, size_t n, struct bt_error *err)
{
    while (n > 0) {
        ssize_t put = pwrite(x->fd, bytes, n, (off_t)x->have);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return bt_fail_errno(err, "%s", x->path);
        bytes += put;
        n -= (size_t)put;
        x->have += put;
        x->h->done += put;
        x->h->bytes += put;
    }
    return BT_OK;
}

static enum bt_status on_bytes(void *ctx, const struct bt__http_answer *a, const char *bytes, size_t n,
                               struct bt_error *err)
{
    struct fetch *x = ctx;
    enum bt_status st = BT_OK;
    int64_t from = a->from < 0 && a->status != 206 ? 0 : a->from; /* 200: all of it, whatever was asked for */
    if (!x->begun && from == 0 && x->have > 0) st = start_over(x, err);
    if (!st && !x->begun && from != x->have)
        st = bt_fail(err, BT_DAMAGED, "%s: %s: asked for the bytes from %lld on, got those from %lld",
                     x->h->place.repo, x->f->name, (long long)x->have, (long long)from);
    x->begun = true;
    if (!st && x->f->size >= 0 && x->have + (int64_t)n > x->f->size)
        st = bt_fail(err, BT_DAMAGED, "%s: %s: more bytes came than the %lld that were announced",
                     x->h->place.repo, x->f->name, (long long)x->f->size);
    if (!st) st = write_bytes(x, bytes, n, err);
    if (!st) tell(x, BT_PULL_BYTES, NULL);
    return st;
}

/* One attempt; an answer that ends before the announced size is a cut connection. */
static enum bt_status attempt(struct fetch *x, const char *url, struct bt__http_answer *a,
                              struct bt_error *err)
{
    x->begun = false;
    const struct bt__http_request r = {.url = url, .from = x->have, .body = on_bytes, .ctx = x};
    enum bt_status st = bt__http_ask(x->h->http, &r, a, err);
    if (!st && a->status == 416 && x->have > 0) { /* what is there has no place in the file */
        a->transient = true;
        st = start_over(x, err);
        return st ? st
                  : bt_fail(err, BT_DAMAGED, "%s: %s: the part of an earlier call is of no use",
                            x->h->place.repo, x->f->name);
    }
    if (!st && a->status / 100 == 2 && x->f->size >= 0 && x->have < x->f->size) {
        a->transient = true;
        st = bt_fail(err, BT_IO, "%s: %s: the connection ended after %lld of %lld bytes", x->h->place.repo,
                     x->f->name, (long long)x->have, (long long)x->f->size);
    }
    return st;
}

/* As long as it grows beyond what ever was there, nothing is counted as a failure. */
static enum bt_status receive(struct fetch *x, struct bt_error *err)
{
    struct bt__http_answer a;
    char *url = bt__hub_url(x->h, x->f->name);
    enum bt_status st = url ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for an address");
    for (int tries = 0; !st && (x->f->size < 0 || x->have < x->f->size);) {
        st = attempt(x, url, &a, err);
        if (!st && a.status / 100 == 2) break;
        if (x->have > x->best) tries = 0;
        if (x->have > x->best) x->best = x->have;
        if (bt__hub_again(x->h, &a, x->f->name, &tries, &st, err)) st = BT_OK;
    }
    free(url);
    return st;
}

/* ── the hash ── */

/* 40 digits: git's name of the content, sha1 of "blob SIZE\0" and the bytes; some mirrors give the sha1 of the bytes alone. */
static enum bt_status check_sha1(const struct fetch *x, char got[65], bool *right, struct bt_error *err)
{
    char *data = NULL, head[40], plain[41];
    size_t n = 0;
    struct bt__sha1 s;
    enum bt_status st = bt_file_read(x->path, LARGEST_SMALL, &data, &n, err);
    if (st) return st;
    int length = snprintf(head, sizeof head, "blob %zu", n);
    bt__sha1_start(&s);
    bt__sha1_add(&s, head, (size_t)length + 1);
    bt__sha1_add(&s, data, n);
    bt__sha1_end(&s, got);
    bt__sha1_start(&s);
    bt__sha1_add(&s, data, n);
    bt__sha1_end(&s, plain);
    *right = strcmp(got, x->f->hash) == 0 || strcmp(plain, x->f->hash) == 0;
    free(data);
    return BT_OK;
}

/* *right: the content is what the hash says; of other kinds of names nothing can be said. */
static enum bt_status check(const struct fetch *x, char got[65], bool *right, struct bt_error *err)
{
    size_t n = strlen(x->f->hash), hex = strspn(x->f->hash, "0123456789abcdef");
    *right = true;
    if (n == 40 && hex == 40) return check_sha1(x, got, right, err);
    if (n != 64 || hex != 64) return BT_OK;
    enum bt_status st = bt_sha256_file(x->path, got, err);
    *right = !st && strcmp(got, x->f->hash) == 0;
    return st;
}

/* Receives until the hash is right: what an earlier call left may be spoiled, what came whole and now may not. */
static enum bt_status receive_right(struct fetch *x, struct bt_error *err)
{
    char got[65] = "";
    for (;;) {
        bool right = true, resumed = x->resumed;
        enum bt_status st = receive(x, err);
        if (!st) st = check(x, got, &right, err);
        if (st || right) return st;
        st = start_over(x, err);
        if (st) return st;
        x->best = 0;
        if (resumed) continue;
        unlink(x->path);
        return bt_fail(err, BT_DAMAGED, "%s: %s: its hash is %s, expected %s: thrown away", x->h->place.repo,
                       x->f->name, got, x->f->hash);
    }
}

/* ── the whole ── */

/* snapshots/COMMIT/NAME → ../../blobs/HASH */
static enum bt_status link_it(const struct fetch *x, struct bt_error *err)
{
    char *to = bt_strfmt("../../blobs/%s", x->f->hash), *at = bt_path_join(x->h->snapshot, x->f->name);
    enum bt_status st = to && at ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
    if (!st && symlink(to, at) != 0 && !bt_path_exists(at)) { /* there, but leads nowhere */
        unlink(at);
        if (symlink(to, at) != 0 && errno != EEXIST) st = bt_fail_errno(err, "%s", at);
    }
    free(to);
    free(at);
    return st;
}

static enum bt_status finish(const struct fetch *x, struct bt_error *err)
{
    if (fsync(x->fd) != 0) return bt_fail_errno(err, "%s: fsync", x->path);
    if (rename(x->path, x->blob) != 0) return bt_fail_errno(err, "%s", x->blob);
    return BT_OK;
}

static bool blob_there(const struct fetch *x)
{
    struct stat info;
    return stat(x->blob, &info) == 0 && S_ISREG(info.st_mode) &&
           (x->f->size < 0 || info.st_size == x->f->size);
}

static enum bt_status bring(struct fetch *x, struct bt_error *err)
{
    struct stat info;
    x->fd = open(x->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (x->fd < 0 || fstat(x->fd, &info) != 0) return bt_fail_errno(err, "%s", x->path);
    x->have = x->best = (int64_t)info.st_size;
    x->h->done += x->have;
    x->resumed = x->have > 0;
    enum bt_status st = x->f->size >= 0 && x->have > x->f->size ? start_over(x, err) : BT_OK;
    if (!st) st = receive_right(x, err);
    if (!st) st = finish(x, err);
    if (!st) x->h->fetched++;
    return st;
}

enum bt_status bt__hub_fetch(struct bt__hub *h, struct bt__hub_file *f, struct bt_error *err)
{
    struct fetch x = {.h = h, .f = f, .lock = -1, .fd = -1};
    x.blob = bt_path_join(h->blobs, f->hash);
    x.path = x.blob ? bt_strfmt("%s.incomplete", x.blob) : NULL;
    enum bt_status st = x.path ? take_lock(&x, err) : bt_fail(err, BT_NOMEM, "no memory for a name");
    bool there = !st && blob_there(&x);
    if (there && f->size > 0) h->done += f->size;
    if (!st && !there) st = bring(&x, err);
    if (!st) st = link_it(&x, err);
    if (!st) tell(&x, there ? BT_PULL_CACHED : BT_PULL_FETCHED, NULL);
    if (x.fd >= 0) close(x.fd);
    if (x.lock >= 0) close(x.lock);
    free(x.blob);
    free(x.path);
    return st;
}
