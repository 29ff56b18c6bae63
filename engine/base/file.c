#include <bertty/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opened without waiting for a writer, so that a FIFO is seen and refused. */
static enum bt_status open_regular(const char *path, size_t max_bytes, int *fd, size_t *size,
                                   struct bt_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && errno == ENOENT) return bt_fail(err, BT_NOTFOUND, "%s: no such file", path);
    if (*fd < 0) return bt_fail_errno(err, "%s", path);
    if (fstat(*fd, &st) != 0) {
        enum bt_status failed = bt_fail_errno(err, "%s", path);
        close(*fd);
        return failed;
    }
    if (!S_ISREG(st.st_mode)) {
        close(*fd);
        return bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    }
    if ((uint64_t)st.st_size > max_bytes) {
        close(*fd);
        return bt_fail(err, BT_INVALID, "%s: %lld bytes, expected at most %zu", path, (long long)st.st_size,
                       max_bytes);
    }
    *size = (size_t)st.st_size;
    return BT_OK;
}

/* Reads until the end or cap bytes; −1 on failure. */
static ssize_t read_all(int fd, char *data, size_t cap)
{
    size_t n = 0;
    while (n < cap) {
        ssize_t got = read(fd, data + n, cap - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static enum bt_status read_once(const char *path, size_t max_bytes, char **data, size_t *n,
                                struct bt_error *err)
{
    int fd;
    size_t size = 0;
    enum bt_status st = open_regular(path, max_bytes, &fd, &size, err);
    if (st) return st;
    *data = malloc(size + 1);
    ssize_t got = *data ? read_all(fd, *data, size) : 0;
    if (!*data) st = bt_fail(err, BT_NOMEM, "%s: no memory for %zu bytes", path, size);
    if (got < 0) st = bt_fail_errno(err, "%s", path);
    close(fd);
    if (st) {
        free(*data);
        *data = NULL;
        return st;
    }
    *n = (size_t)got;
    (*data)[*n] = '\0';
    return BT_OK;
}

/* NFS: the file was replaced on the server since its name was looked up. Opened again it is the new one. */
enum bt_status bt_file_read(const char *path, size_t max_bytes, char **data, size_t *n, struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK}; /* a success leaves err as it was */
    enum bt_status st;
    int tries = 3;
    do {
        *data = NULL;
        st = read_once(path, max_bytes, data, n, &mine);
    } while (st == BT_IO && errno == ESTALE && --tries > 0);
    if (st && err) *err = mine;
    return st;
}

bool bt_write_all(int fd, const void *data, size_t n)
{
    const char *p = data;
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

static enum bt_status sync_directory_of(const char *path, struct bt_error *err)
{
    char *dir = bt_path_above(path);
    if (!dir) return bt_fail(err, BT_NOMEM, "%s: no memory for its directory's name", path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum bt_status st = BT_OK;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) st = bt_fail_errno(err, "%s: fsync", dir);
    if (fd >= 0) close(fd);
    free(dir);
    return st;
}

static char *temporary_name(const char *path)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)getpid() << 32 ^ (uintptr_t)&random;
    return bt_strfmt("%s.%016llx.tmp", path, (unsigned long long)random);
}

static enum bt_status replace(const char *path, const void *data, size_t n, bool sync, struct bt_error *err)
{
    char *tmp = temporary_name(path);
    if (!tmp) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", path);
    enum bt_status st = BT_OK;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) st = bt_fail_errno(err, "%s", path);
    if (!st && !bt_write_all(fd, data, n)) st = bt_fail_errno(err, "%s", path);
    if (!st && sync && fsync(fd) != 0) st = bt_fail_errno(err, "%s: fsync", path);
    if (fd >= 0 && close(fd) != 0 && !st) st = bt_fail_errno(err, "%s", path);
    if (!st && rename(tmp, path) != 0) st = bt_fail_errno(err, "%s", path);
    if (st && fd >= 0) unlink(tmp);
    if (!st && sync) st = sync_directory_of(path, err);
    free(tmp);
    return st;
}

enum bt_status bt_file_write_atomic(const char *path, const void *data, size_t n, struct bt_error *err)
{
    return replace(path, data, n, true, err);
}

enum bt_status bt_file_replace(const char *path, const void *data, size_t n, struct bt_error *err)
{
    return replace(path, data, n, false, err);
}

enum bt_status bt_mkdirs(const char *path, struct bt_error *err)
{
    char *copy = bt_strdup(path);
    if (!copy) return bt_fail(err, BT_NOMEM, "%s: no memory for its name", path);
    enum bt_status st = BT_OK;
    for (char *p = copy + 1; !st; p++) {
        char c = *p;
        if (c != '/' && c != '\0') continue;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            st = bt_fail_errno(err, "%s: cannot make the directory", copy);
        *p = c;
        if (c == '\0') break;
    }
    struct stat info;
    if (!st && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)))
        st = bt_fail(err, BT_EXISTS, "%s: not a directory", path);
    free(copy);
    return st;
}

char *bt_path_join(const char *a, const char *b)
{
    size_t n = strlen(a);
    return bt_strfmt("%s%s%s", a, n && a[n - 1] != '/' ? "/" : "", b);
}

char *bt_path_above(const char *path)
{
    const char *base = bt_path_base(path);
    if (base == path) return bt_strdup(".");
    return bt_strndup(path, base - path > 1 ? (size_t)(base - path) - 1 : 1);
}

const char *bt_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool bt_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool bt_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
