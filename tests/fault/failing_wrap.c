/* The same in front of a sanitizer's allocator, which bears no other one beside it: linked into the program with --wrap (the Makefile's bertty-failing), so that our own
 * allocations fail and nobody else's. */
#define WRAPPED
#include "failing_malloc.c"
