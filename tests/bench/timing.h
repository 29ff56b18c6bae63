/* What the programs that measure share. */
#ifndef BERTTY_TESTS_BENCH_TIMING_H
#define BERTTY_TESTS_BENCH_TIMING_H

#include <time.h>

/* Seconds of a clock that only rises. */
static inline double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* For qsort(), of doubles. */
static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
