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

#ifdef WRAPPED /* failing_wrap.c */
#define OWN(name)  __wrap_##name
#define REAL(name) __real_##name
#else
#define OWN(name)  name
#define REAL(name) __libc_##name /* the C library's own, which need no look-up before they can be called */
#endif
extern void *REAL(malloc)(size_t size);
extern void *REAL(calloc)(size_t n, size_t size);
extern void *REAL(realloc)(void *p, size_t size);
extern void *REAL(memalign)(size_t alignment, size_t size);
void *OWN(malloc)(size_t size);
void *OWN(calloc)(size_t n, size_t size);
void *OWN(realloc)(void *p, size_t size);
void *OWN(reallocarray)(void *p, size_t n, size_t size);
void *OWN(memalign)(size_t alignment, size_t size);
void *OWN(aligned_alloc)(size_t alignment, size_t size);
int OWN(posix_memalign)(void **out, size_t alignment, size_t size);

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

void *OWN(malloc)(size_t size)
{
    return fails() ? NULL : REAL(malloc)(size);
}

void *OWN(calloc)(size_t n, size_t size)
{
    return fails() ? NULL : REAL(calloc)(n, size);
}

void *OWN(realloc)(void *p, size_t size)
{
    return fails() ? NULL : REAL(realloc)(p, size);
}

void *OWN(reallocarray)(void *p, size_t n, size_t size)
{
    if (size && n > (size_t)-1 / size) return NULL;
    return OWN(realloc)(p, n * size);
}

void *OWN(memalign)(size_t alignment, size_t size)
{
    return fails() ? NULL : REAL(memalign)(alignment, size);
}

void *OWN(aligned_alloc)(size_t alignment, size_t size)
{
    return OWN(memalign)(alignment, size);
}

int OWN(posix_memalign)(void **out, size_t alignment, size_t size)
{
    void *p = OWN(memalign)(alignment, size);
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

#ifndef WRAPPED
void *dlopen(const char *name, int flags)
{
    void *(*next)(const char *, int);
    loading = true;
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    void *library = next(name, flags);
    loading = false;
    return library;
}
#endif

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
