#include "run/events_wire.h"

#include <bertty/events.h>
#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Fields of tensorboard/compat/proto/event.proto and summary.proto */
enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7
};
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, SESSION_STATUS = 1, SESSION_START = 1 };

enum { FLUSH_AT = 64 << 10, KEEP_AT_MOST = 1 << 20, KEEP = 3 << 18 }; /* bytes */

struct bt_events {
    char *path;
    int fd;
    uint64_t size;         /* of the file's whole records */
    bool torn;             /* bytes beyond size could not be cut off yet */
    struct bt_str pending; /* whole frames that are not in the file yet */
    struct bt_str body, values, value;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ── opening ── */

/* The name of the newest event file (names begin with their time), or NULL; the caller frees. */
static char *newest_file(const char *dir)
{
    DIR *d = opendir(dir);
    char *best = NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!bt__events_name(e->d_name) || (best && strcmp(e->d_name, best) <= 0)) continue;
        char *copy = bt_strdup(e->d_name);
        if (!copy) continue;
        free(best);
        best = copy;
    }
    if (d) closedir(d);
    return best;
}

/* The end of the last whole record, or false if the file is damaged somewhere before its end. */
static bool find_end(int fd, uint64_t size, uint64_t *end)
{
    struct bt__records r = {0};
    struct bt__wire data;
    enum bt__record got;
    bt__records_start(&r, fd, 0, size);
    while ((got = bt__records_next(&r, &data)) == RECORD_OK || got == RECORD_HUGE)
        if (got == RECORD_HUGE) bt__records_skip(&r);
    *end = r.offset;
    bool good = got == RECORD_END || got == RECORD_UNFINISHED || bt__records_tail(&r, got);
    bt__records_free(&r);
    return good;
}

/* True if the newest file was taken over. */
static bool take_over(struct bt_events *w, const char *dir)
{
    char *name = newest_file(dir);
    struct stat st;
    if (!name) return false;
    w->path = bt_path_join(dir, name);
    free(name);
    w->fd = w->path ? open(w->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (w->fd >= 0 && fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode) &&
        find_end(w->fd, (uint64_t)st.st_size, &w->size) && w->size > 0 &&
        (w->size == (uint64_t)st.st_size || ftruncate(w->fd, (off_t)w->size) == 0))
        return true;
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
    free(w->path);
    w->path = NULL;
    return false;
}

static void host_name(char host[65])
{
    if (gethostname(host, 65) != 0) strncpy(host, "host", 65);
    host[64] = '\0';
    for (char *c = host; *c; c++) {
        bool plain =
            (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-';
        if (!plain) *c = '-';
    }
}

static enum bt_status create(struct bt_events *w, const char *dir, struct bt_error *err)
{
    char host[65];
    host_name(host);
    for (int i = 0; i < 1000 && w->fd < 0; i++) {
        char *name = bt_strfmt("events.out.tfevents.%010lld.%s.%ld.%d", (long long)time(NULL), host,
                               (long)getpid(), i);
        free(w->path);
        w->path = name ? bt_path_join(dir, name) : NULL;
        free(name);
        if (!w->path) return bt_fail(err, BT_NOMEM, "%s: no memory for the event file", dir);
        w->fd = open(w->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (w->fd < 0 && errno != EEXIST) break;
    }
    return w->fd < 0 ? bt_fail_errno(err, "%s: cannot create the event file", w->path) : BT_OK;
}

/* ── events ── */

static enum bt_status put_event(struct bt_events *w, struct bt_error *err)
{
    size_t before = w->pending.len;
    if (!w->body.failed) bt__frame_put(&w->pending, bt_str_text(&w->body), w->body.len);
    if (w->body.failed || w->pending.failed) {
        w->pending.len = before;
        w->pending.failed = false;
        bt_str_free(&w->body);
        return bt_fail(err, BT_NOMEM, "%s: no memory for an event", w->path);
    }
    return w->pending.len >= FLUSH_AT ? bt_events_flush(w, err) : BT_OK;
}

static void begin_event(struct bt_events *w, int64_t step, double wall_time)
{
    bt_str_clear(&w->body);
    bt__wire_put_double(&w->body, EVENT_WALL_TIME, wall_time > 0 ? wall_time : now());
    if (step) bt__wire_put_varint(&w->body, EVENT_STEP, (uint64_t)step);
}

static enum bt_status put_version(struct bt_events *w, struct bt_error *err)
{
    static const char version[] = "brain.Event:2";
    begin_event(w, 0, 0);
    bt__wire_put_bytes(&w->body, EVENT_FILE_VERSION, version, sizeof version - 1);
    return put_event(w, err);
}

enum bt_status bt_events_open(const char *dir, struct bt_events **out, struct bt_error *err)
{
    struct bt_events *w = calloc(1, sizeof *w);
    if (!w) return bt_fail(err, BT_NOMEM, "%s: no memory for the event file", dir);
    w->fd = -1;
    enum bt_status status = BT_OK;
    if (!take_over(w, dir)) {
        status = create(w, dir, err);
        if (status == BT_OK) status = put_version(w, err);
    }
    if (status == BT_OK) {
        *out = w;
        return BT_OK;
    }
    bt_events_close(w, NULL);
    return status;
}

enum bt_status bt_events_resume(struct bt_events *w, int64_t step, struct bt_error *err)
{
    /* TensorBoard: “a START event with step N supersedes what was seen with steps ≥ N”. */
    begin_event(w, step > 0 ? step + 1 : 0, 0);
    bt_str_clear(&w->value);
    bt__wire_put_varint(&w->value, SESSION_STATUS, SESSION_START);
    bt__wire_put_bytes(&w->body, EVENT_SESSION_LOG, bt_str_text(&w->value), w->value.len);
    w->body.failed |= w->value.failed;
    return put_event(w, err);
}

enum bt_status bt_events_scalar(struct bt_events *w, const char *tag, int64_t step, double wall_time,
                                double value, struct bt_error *err)
{
    bt_str_clear(&w->value);
    bt__wire_put_bytes(&w->value, VALUE_TAG, tag, strlen(tag));
    bt__wire_put_float(&w->value, VALUE_SIMPLE, (float)value);
    bt_str_clear(&w->values);
    bt__wire_put_bytes(&w->values, SUMMARY_VALUE, bt_str_text(&w->value), w->value.len);
    begin_event(w, step, wall_time);
    bt__wire_put_bytes(&w->body, EVENT_SUMMARY, bt_str_text(&w->values), w->values.len);
    w->body.failed |= w->value.failed || w->values.failed;
    return put_event(w, err);
}

/* ── the file ── */

/* Above KEEP_AT_MOST bytes the oldest whole frames go, until KEEP are left. */
static void drop_oldest(struct bt_str *pending)
{
    size_t drop = 0;
    if (pending->len <= KEEP_AT_MOST) return;
    while (pending->len - drop > KEEP) {
        uint64_t n = 0;
        for (size_t i = 8; i-- > 0;) n = n << 8 | (uint8_t)pending->data[drop + i];
        drop += (size_t)n + BT__FRAME;
    }
    pending->len -= drop;
    memmove(pending->data, pending->data + drop, pending->len + 1);
}

static bool cut_back(struct bt_events *w)
{
    if (w->torn && ftruncate(w->fd, (off_t)w->size) != 0) return false;
    w->torn = false;
    return true;
}

static bool write_all(struct bt_events *w)
{
    for (size_t done = 0; done < w->pending.len;) {
        ssize_t n = write(w->fd, w->pending.data + done, w->pending.len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? false : (errno = ENOSPC, false);
        w->torn = true; /* until all of it is there */
        done += (size_t)n;
    }
    w->torn = false;
    return true;
}

enum bt_status bt_events_flush(struct bt_events *w, struct bt_error *err)
{
    if (w->pending.len == 0) return BT_OK;
    if (cut_back(w) && write_all(w)) {
        w->size += w->pending.len;
        w->pending.len = 0;
        return BT_OK;
    }
    enum bt_status status = bt_fail_errno(err, "%s: cannot write", w->path);
    cut_back(w);
    drop_oldest(&w->pending);
    return status;
}

enum bt_status bt_events_sync(struct bt_events *w, struct bt_error *err)
{
    enum bt_status status = bt_events_flush(w, err);
    if (status == BT_OK && fsync(w->fd) != 0) status = bt_fail_errno(err, "%s: fsync", w->path);
    return status;
}

enum bt_status bt_events_close(struct bt_events *w, struct bt_error *err)
{
    if (!w) return BT_OK;
    enum bt_status status = w->fd >= 0 ? bt_events_flush(w, err) : BT_OK;
    if (w->fd >= 0 && close(w->fd) != 0 && status == BT_OK) status = bt_fail_errno(err, "%s: close", w->path);
    bt_str_free(&w->pending);
    bt_str_free(&w->body);
    bt_str_free(&w->values);
    bt_str_free(&w->value);
    free(w->path);
    free(w);
    return status;
}
