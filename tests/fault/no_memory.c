/* Preloaded: allocation number $FAIL_AT fails, counted from 1 over the whole process; $FAIL_COUNT: their number is told at the end, on
 * standard error. Those of the Fortran library behind OpenBLAS are spared: it ends the process by itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static atomic_long count;

static int fails(const void *caller)
{
    const char *at = getenv("FAIL_AT");
    long n = atomic_fetch_add(&count, 1) + 1;
    Dl_info who;
    if (!at || n != atol(at)) return 0;
    if (dladdr(caller, &who) && (strstr(who.dli_fname, "gfortran") || strstr(who.dli_fname, "openblas")))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

__attribute__((destructor)) static void tell(void)
{
    if (getenv("FAIL_COUNT")) fprintf(stderr, "%ld\n", atomic_load(&count));
}
