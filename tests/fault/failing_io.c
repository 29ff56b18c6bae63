/* Preloaded into the program: chosen calls fail, or do less than they were asked for; and the clock on the wall jumps.
 *
 *     IO_CALLS=a,b    of open read write fsync flock
 *     IO_PATH=text    … on files whose path holds the text; nothing: on all
 *     IO_ERROR=n      … fail with this errno
 *     IO_FIRST=n IO_LAST=n   … from the n-th to the n-th of them (1 to the last)
 *     IO_CUT=path:n   … do not fail: before the first of them the file is cut to n bytes
 *     IO_SHORT=n      reads and writes of the files of IO_PATH move at most n bytes, and every fifth is interrupted by a signal
 *     IO_LOG=path     a line for each open, fsync and flock on IO_PATH: its name, the path, and "failed" or nothing
 *     IO_CLOCK=n      each look at the clock on the wall finds it n seconds further off, backwards if n < 0
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *calls, *path, *cut;
    int error, log;
    long first, last, most, clock;
    atomic_long seen, moved, looked;
} io = {.log = -1};

static long number(const char *name, long fallback)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : fallback;
}

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("IO_LOG");
    io.path = getenv("IO_PATH");
    io.cut = getenv("IO_CUT");
    io.error = (int)number("IO_ERROR", 0);
    io.first = number("IO_FIRST", 1);
    io.last = number("IO_LAST", 1L << 40);
    io.most = number("IO_SHORT", 0);
    io.clock = number("IO_CLOCK", 0);
    if (log)
        io.log = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    io.calls = getenv("IO_CALLS");
}

static bool is_named(const char *call)
{
    const char *p = io.calls ? strstr(io.calls, call) : NULL;
    size_t n = strlen(call);
    return p && (p == io.calls || p[-1] == ',') && (p[n] == '\0' || p[n] == ',');
}

static void path_of(int fd, char out[4096])
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, 4095);
    out[n > 0 ? n : 0] = '\0';
}

static bool concerned(const char *path)
{
    return path[0] && (!io.path || strstr(path, io.path));
}

static void tell(const char *call, const char *path, bool fails)
{
    char line[4200];
    int n = snprintf(line, sizeof line, "%s %s%s\n", call, path, fails ? " failed" : "");
    if (n > 0) (void)!syscall(SYS_write, io.log, line, (size_t)n);
}

static void cut(void)
{
    char path[4096];
    const char *colon = strrchr(io.cut, ':');
    snprintf(path, sizeof path, "%.*s", (int)(colon - io.cut), io.cut);
    if (truncate(path, strtol(colon + 1, NULL, 10)) != 0) _exit(125);
}

/* With errno. */
static bool fails(const char *call, const char *path)
{
    if (!concerned(path)) return false;
    long n = is_named(call) ? atomic_fetch_add(&io.seen, 1) + 1 : 0;
    bool hit = n >= io.first && n <= io.last;
    if (io.cut && hit && n == io.first) cut();
    hit = hit && !io.cut;
    if (io.log >= 0 && strcmp(call, "read") != 0 && strcmp(call, "write") != 0) tell(call, path, hit);
    if (hit) errno = io.error;
    return hit;
}

/* Fails, is interrupted, or takes less than *n. */
static bool moves_nothing(const char *call, int fd, size_t *n)
{
    char path[4096];
    if (!io.most && !is_named(call)) return false;
    path_of(fd, path);
    if (fails(call, path)) return true;
    if (!io.most || path[0] != '/' || !concerned(path)) return false;
    if (atomic_fetch_add(&io.moved, 1) % 5 == 4) {
        errno = EINTR;
        return true;
    }
    if (*n > (size_t)io.most) *n = (size_t)io.most;
    return false;
}

ssize_t write(int fd, const void *data, size_t n)
{
    return moves_nothing("write", fd, &n) ? -1 : syscall(SYS_write, fd, data, n);
}

ssize_t read(int fd, void *data, size_t n)
{
    return moves_nothing("read", fd, &n) ? -1 : syscall(SYS_read, fd, data, n);
}

ssize_t pread(int fd, void *data, size_t n, off_t at)
{
    return moves_nothing("read", fd, &n) ? -1 : syscall(SYS_pread64, fd, data, n, at);
}

ssize_t pread64(int fd, void *data, size_t n, off64_t at)
{
    return pread(fd, data, n, at);
}

static int failing_fd(const char *call, int fd)
{
    char path[4096];
    path_of(fd, path);
    return fails(call, path) ? -1 : 0;
}

int fsync(int fd)
{
    return failing_fd("fsync", fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int flock(int fd, int how)
{
    return failing_fd("flock", fd) ? -1 : (int)syscall(SYS_flock, fd, how);
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, int) : 0;
    va_end(rest);
    return fails("open", path) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, int) : 0;
    va_end(rest);
    return open(path, flags, mode);
}

static time_t jump(void)
{
    return io.clock ? io.clock * (1 + atomic_fetch_add(&io.looked, 1)) : 0;
}

int clock_gettime(clockid_t which, struct timespec *t)
{
    int result = (int)syscall(SYS_clock_gettime, which, t);
    if (result == 0 && which == CLOCK_REALTIME) t->tv_sec += jump();
    return result;
}

time_t time(time_t *to)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (to) *to = t.tv_sec;
    return t.tv_sec;
}
