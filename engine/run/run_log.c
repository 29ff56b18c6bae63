#include <bertty/file.h>
#include <bertty/run.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fewer bytes than asked for: the end of the file. −1: a failure. */
static ssize_t read_at(int fd, char *to, size_t n, int64_t at)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(fd, to + have, n - have, (off_t)(at + (int64_t)have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* Where to begin: behind what the caller has, or max_bytes before the end. A file that has become shorter is a new one. */
static int64_t begin_at(int64_t offset, int64_t size, size_t max_bytes)
{
    if (offset >= 0 && offset <= size) return offset;
    return size > (int64_t)max_bytes ? size - (int64_t)max_bytes : 0;
}

/* Whole lines of [from, from + n): *n is cut after the last newline; a line longer than all of it is taken as it is. Returns how many bytes to leave out at the
 * front (the rest of a line whose beginning was not read). */
static size_t whole_lines(const char *text, size_t *n, bool inside_line, bool full)
{
    size_t skip = 0, end = *n;
    if (inside_line) {
        const char *first = memchr(text, '\n', *n);
        skip = first ? (size_t)(first - text) + 1 : 0;
    }
    while (end > skip && text[end - 1] != '\n') end--;
    if (end > skip || !full) *n = end;
    return skip;
}

static enum bt_status read_lines(int fd, const char *path, int64_t *offset, size_t max_bytes,
                                 struct bt_str *out, struct bt_error *err)
{
    struct stat info;
    char before = '\n';
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    int64_t from = begin_at(*offset, info.st_size, max_bytes);
    bool anew = from != *offset;
    size_t want = (size_t)(info.st_size - from);
    if (want > max_bytes) want = max_bytes;
    char *text = malloc(want + 1);
    if (!text) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu bytes", path, want);
    ssize_t got = read_at(fd, text, want, from);
    if (got >= 0 && anew && from > 0 && read_at(fd, &before, 1, from - 1) != 1) got = -1;
    enum bt_status status = got < 0 ? bt_fail_errno(err, "%s", path) : BT_OK;
    if (status == BT_OK) {
        size_t n = (size_t)got, skip = whole_lines(text, &n, before != '\n', n == max_bytes);
        bt_str_addn(out, text + skip, n - skip);
        *offset = from + (int64_t)n;
        if (out->failed) status = bt_fail(err, BT_NOMEM, "%s: no memory", path);
    }
    free(text);
    return status;
}

enum bt_status bt_run_log(const char *dir, int64_t *offset, size_t max_bytes, struct bt_str *out,
                          struct bt_error *err)
{
    char *path = bt_path_join(dir, "log.txt");
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    enum bt_status status = BT_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd >= 0)
        status = read_lines(fd, path, offset, max_bytes, out, err);
    else if (errno == ENOENT && bt_path_exists(dir))
        *offset = 0; /* another tool's run, or one that has not said anything yet */
    else
        status = errno == ENOENT || errno == ENOTDIR ? bt_fail(err, BT_NOTFOUND, "%s: no such directory", dir)
                                                     : bt_fail_errno(err, "%s", path);
    if (fd >= 0) close(fd);
    free(path);
    return status;
}
