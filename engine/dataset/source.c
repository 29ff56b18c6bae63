#include "dataset/plain_lines.h"
#include "dataset/records.h"

#include <bertty/str.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opened without waiting for a writer, so that a FIFO is seen and refused. */
static enum bt_status open_regular(const char *path, int *fd, uint64_t *size, struct bt_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && errno == ENOENT) return bt_fail(err, BT_NOTFOUND, "%s: no such file", path);
    if (*fd < 0) return bt_fail_errno(err, "%s", path);
    bool known = fstat(*fd, &st) == 0, directory = known && S_ISDIR(st.st_mode);
    if (known && S_ISREG(st.st_mode)) {
        *size = (uint64_t)st.st_size;
        return BT_OK;
    }
    close(*fd);
    return bt_fail(err, BT_INVALID, "%s: %s, expected a regular file", path,
                   directory ? "a directory" : "a FIFO, socket or device");
}

/* The kernel copies into an aligned place several times as fast as into another one. */
enum { ALIGNED = 64, MOST_AT_ONCE = 256 << 10 };

static char *room_for(size_t cap)
{
    return aligned_alloc(ALIGNED, (cap + ALIGNED - 1) / ALIGNED * ALIGNED);
}

/* Moves what is left to the front, or so near it that what is read next comes to an aligned place. */
static void keep_rest(struct bt__source *s)
{
    size_t pad = (ALIGNED - (s->n - s->at) % ALIGNED) % ALIGNED, from = s->at > pad ? s->at - pad : s->at;
    memmove(s->buf, s->buf + from, s->n - from);
    s->base += from;
    s->at -= from;
    s->n -= from;
}

static enum bt_status grow(struct bt__source *s, struct bt_error *err)
{
    char *more = room_for(s->cap * 2);
    if (!more) return bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", s->path, s->line);
    memcpy(more, s->buf, s->n);
    free(s->buf);
    s->buf = more;
    s->cap *= 2;
    return BT_OK;
}

static enum bt_status shorter(const struct bt__source *s, struct bt_error *err)
{
    struct stat now;
    if (fstat(s->fd, &now) != 0) return bt_fail_errno(err, "%s", s->path);
    return bt_fail(err, BT_DAMAGED,
                   "%s: became shorter while it was read: it ends at byte %llu, expected %llu", s->path,
                   (unsigned long long)now.st_size, (unsigned long long)s->limit);
}

/* Makes room, reads once. */
static enum bt_status fill(struct bt__source *s, struct bt_error *err)
{
    keep_rest(s);
    enum bt_status st = s->n > s->cap / 2 ? grow(s, err) : BT_OK;
    if (st) return st;
    size_t room = s->cap - s->n;
    uint64_t from = s->base + s->n, left = s->limit > from ? s->limit - from : 0;
    if (s->base > 0 && room > MOST_AT_ONCE && s->n < MOST_AT_ONCE) room = MOST_AT_ONCE;
    if (room > left) room = (size_t)left;
    ssize_t got = 0;
    do {
        got = room ? pread(s->fd, s->buf + s->n, room, (off_t)from) : 0;
    } while (got < 0 && errno == EINTR);
    if (got < 0) return bt_fail_errno(err, "%s", s->path);
    if (room > 0 && got == 0) return shorter(s, err);
    s->n += (size_t)got;
    s->end = s->base + s->n >= s->limit;
    return BT_OK;
}

/* A page that is no text in UTF-8 but something well known. */
static const char *foreign(const char *p, size_t n)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } marks[] = {{"\xff\xfe", 2, "UTF-16 text"},     {"\xfe\xff", 2, "UTF-16 text"},
                 {"\x1f\x8b", 2, "gzip-compressed"}, {"PK\x03\x04", 4, "a ZIP archive or a spreadsheet"},
                 {"PAR1", 4, "a Parquet file"},      {"\x28\xb5\x2f\xfd", 4, "zstd-compressed"},
                 {"\xfd\x37zXZ", 5, "xz-compressed"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (n >= marks[i].n && memcmp(p, marks[i].bytes, marks[i].n) == 0) return marks[i].what;
    }
    size_t nul[2] = {0, 0}, seen = n < 4096 ? n : 4096;
    for (size_t i = 0; i < seen; i++) nul[i & 1] += p[i] == '\0';
    size_t few = seen / 20, many = seen / 5;
    bool even = nul[0] > many && nul[1] <= few, odd = nul[1] > many && nul[0] <= few;
    if (seen >= 4 && (even || odd)) return "UTF-16 text without a byte order mark";
    return NULL;
}

/* Twice a small file is as good as the whole cap: it never fills more than half of it. */
static enum bt_status prepare(struct bt__source *s, size_t cap, struct bt_error *err)
{
    s->line = 1;
    s->cap = s->limit < cap / 2 - ALIGNED ? 2 * (size_t)s->limit + ALIGNED : cap;
    s->buf = room_for(s->cap);
    if (!s->buf || !s->path) return bt_fail(err, BT_NOMEM, "%s: no memory to read it", s->path);
    return BT_OK;
}

enum bt_status bt__source_open(const char *path, struct bt__source *s, struct bt_error *err)
{
    *s = (struct bt__source){0};
    enum bt_status st = open_regular(path, &s->fd, &s->limit, err);
    if (st) return st;
    s->open = true;
    s->path = bt_strdup(path);
    st = prepare(s, BT__PAGE, err);
    while (!st && !s->end && s->n <= s->cap / 2) st = fill(s, err);
    if (!st) {
        const char *what = foreign(s->buf, s->n);
        if (what) st = bt_fail(err, BT_INVALID, "%s: %s, expected text in UTF-8", path, what);
        if (s->n >= 3 && memcmp(s->buf, "\xef\xbb\xbf", 3) == 0) s->at = 3;
    }
    if (st) bt__source_close(s);
    return st;
}

enum bt_status bt__source_share(const struct bt__source *s, size_t cap, struct bt__source *out,
                                struct bt_error *err)
{
    *out = (struct bt__source){.fd = s->fd, .limit = s->limit, .path = bt_strdup(s->path)};
    enum bt_status st = prepare(out, cap, err);
    if (st) bt__source_close(out);
    return st;
}

void bt__source_close(struct bt__source *s)
{
    if (s->open) close(s->fd);
    free(s->buf);
    free(s->path);
    *s = (struct bt__source){0};
}

void bt__source_seek(struct bt__source *s, uint64_t offset, size_t line)
{
    s->line = line;
    if (offset >= s->base && offset - s->base <= s->n) {
        s->at = (size_t)(offset - s->base);
    } else {
        s->base = offset;
        s->at = s->n = 0;
    }
    s->end = s->base + s->n >= s->limit;
}

uint64_t bt__source_offset(const struct bt__source *s)
{
    return s->base + s->at;
}

/* Now and at every further try, although the buffer may hold it. */
static enum bt_status too_long(struct bt__source *s, const struct bt_data_dialect *d, struct bt_error *err)
{
    s->refused = bt__source_offset(s) + 1;
    return bt_fail(err, BT_INVALID, "%s:%zu: a record of more than %d MiB%s", s->path, s->line,
                   BT__RECORD_MAX >> 20, d->quoting == 1 ? "; is a quote in it never closed?" : "");
}

size_t bt__source_skip(struct bt__source *s, const struct bt_data_dialect *d, size_t max_rows, uint64_t until,
                       bool as_written)
{
    struct bt__plain passed;
    size_t n = s->n;
    if (until - s->base < n) n = until > s->base ? (size_t)(until - s->base) : 0;
    if (n <= s->at || s->refused == bt__source_offset(s) + 1) return 0;
    bt__plain_lines(d, s->buf + s->at, n - s->at, max_rows, as_written, &passed);
    s->at += passed.bytes;
    s->line += passed.lines;
    s->empty += passed.empty;
    return passed.rows;
}

enum bt_status bt__source_next(struct bt__source *s, const struct bt_data_dialect *d, struct bt__record *r,
                               struct bt_error *err)
{
    struct bt__span span;
    for (;;) {
        size_t n = s->n - s->at;
        if (n == 0 && s->end) return BT_NOTFOUND;
        if (n == 0 || !bt__record_find(d, s->buf + s->at, n, s->end, &span)) {
            enum bt_status st = n > BT__RECORD_MAX ? too_long(s, d, err) : fill(s, err);
            if (st) return st;
            continue;
        }
        if (span.size > BT__RECORD_MAX) return too_long(s, d, err);
        *r = (struct bt__record){.data = s->buf + s->at,
                                 .n = span.body,
                                 .line = s->line,
                                 .open = span.open ? s->line + span.open - 1 : 0,
                                 .offset = s->base + s->at};
        s->at += span.size;
        s->line += span.lines;
        if (span.body > 0) return BT_OK;
        s->empty++;
    }
}
