/* Preloaded into the program: the n-th allocation fails, once, or that one and all after it.
 *
 *     FAIL_AT=n     the n-th from the start of main() on; n+ stands for all from there on; nothing or 0: none
 *     FAIL_COUNT=f  at the end the number of allocations goes to file f
 *
 * What a library allocates while it is loaded is left in peace: OpenBLAS and the Fortran library end the process when that fails.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The C library's own, which need no look-up before they can be called. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_long calls;
static long fail_at;
static bool fail_on, started;
static _Thread_local bool loading;

static bool fails(void)
{
    if (!started || loading) return false;
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (!fail_at || (fail_on ? n < fail_at : n != fail_at)) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
    if (size && n > (size_t)-1 / size) return NULL;
    return realloc(p, n * size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = memalign(alignment, size);
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

void *dlopen(const char *name, int flags)
{
    void *(*next)(const char *, int);
    loading = true;
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    void *library = next(name, flags);
    loading = false;
    return library;
}

__attribute__((constructor)) static void start(void)
{
    const char *at = getenv("FAIL_AT");
    char *end = NULL;
    fail_at = at ? strtol(at, &end, 10) : 0;
    fail_on = end && *end == '+';
    started = true;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FAIL_COUNT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
    if (fd >= 0 && write(fd, text, (size_t)n) != n) _exit(125);
    if (fd >= 0) close(fd);
}
