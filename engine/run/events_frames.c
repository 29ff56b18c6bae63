#include "run/events_frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_AT = 64 << 10, KEEP_AT_MOST = 1 << 20, KEEP = 3 << 18 }; /* bytes */

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

bool bt__frames_take_over(struct bt__frames *f, char *path)
{
    struct stat st;
    f->path = path;
    f->fd = path ? open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
        find_end(f->fd, (uint64_t)st.st_size, &f->size) && f->size > 0 &&
        (f->size == (uint64_t)st.st_size || ftruncate(f->fd, (off_t)f->size) == 0))
        return true;
    if (f->fd >= 0) close(f->fd);
    free(path);
    *f = (struct bt__frames){.fd = -1};
    return false;
}

enum bt_status bt__frames_add(struct bt__frames *f, const struct bt_str *body, struct bt_error *err)
{
    size_t before = f->pending.len;
    if (!body->failed) bt__frame_put(&f->pending, bt_str_text(body), body->len);
    if (body->failed || f->pending.failed) {
        f->pending.len = before;
        f->pending.failed = false;
        return bt_fail(err, BT_NOMEM, "%s: no memory for a record", f->path);
    }
    return f->pending.len >= FLUSH_AT ? bt__frames_flush(f, err) : BT_OK;
}

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

static bool cut_back(struct bt__frames *f)
{
    if (f->torn && ftruncate(f->fd, (off_t)f->size) != 0) return false;
    f->torn = false;
    return true;
}

static bool write_all(struct bt__frames *f)
{
    for (size_t done = 0; done < f->pending.len;) {
        ssize_t n = write(f->fd, f->pending.data + done, f->pending.len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? false : (errno = ENOSPC, false);
        f->torn = true; /* until all of it is there */
        done += (size_t)n;
    }
    f->torn = false;
    return true;
}

enum bt_status bt__frames_flush(struct bt__frames *f, struct bt_error *err)
{
    if (f->pending.len == 0) return BT_OK;
    if (cut_back(f) && write_all(f)) {
        f->size += f->pending.len;
        f->pending.len = 0;
        return BT_OK;
    }
    enum bt_status status = bt_fail_errno(err, "%s: cannot write", f->path);
    cut_back(f);
    drop_oldest(&f->pending);
    return status;
}

enum bt_status bt__frames_sync(struct bt__frames *f, struct bt_error *err)
{
    enum bt_status status = bt__frames_flush(f, err);
    if (status == BT_OK && fsync(f->fd) != 0) status = bt_fail_errno(err, "%s: fsync", f->path);
    return status;
}

enum bt_status bt__frames_close(struct bt__frames *f, struct bt_error *err)
{
    enum bt_status status = f->fd >= 0 ? bt__frames_flush(f, err) : BT_OK;
    if (f->fd >= 0 && close(f->fd) != 0 && status == BT_OK) status = bt_fail_errno(err, "%s: close", f->path);
    bt_str_free(&f->pending);
    free(f->path);
    *f = (struct bt__frames){.fd = -1};
    return status;
}
