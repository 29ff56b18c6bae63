#include "batch/lengths.h"

#include <string.h>

/* Byte by byte, lowest first: linear, whatever the lengths are. */
static void sort(uint32_t *v, size_t n, uint32_t *scratch)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        size_t start[257] = {0};
        for (size_t i = 0; i < n; i++) start[(v[i] >> shift & 255) + 1]++;
        for (size_t i = 0; i < 256; i++) start[i + 1] += start[i];
        for (size_t i = 0; i < n; i++) scratch[start[v[i] >> shift & 255]++] = v[i];
        memcpy(v, scratch, n * sizeof *v);
    }
}

/* The smallest length that the share num/den of the rows does not exceed. */
static size_t quantile(const uint32_t *sorted, size_t n, size_t num, size_t den)
{
    size_t rank = (n * num + den - 1) / den;
    return sorted[rank ? rank - 1 : 0];
}

/* 1, 2, 5, 10, 20, … so that all bins but the last hold what is usual. */
static size_t width_for(size_t usual)
{
    static const size_t steps[] = {1, 2, 5};
    for (size_t scale = 1;; scale *= 10) {
        for (size_t i = 0; i < 3; i++) {
            if (31 * steps[i] * scale > usual) return steps[i] * scale;
        }
    }
}

void bt__lengths(struct bt_lengths *out, uint32_t *length, size_t n, uint32_t *scratch)
{
    double sum = 0;
    *out = (struct bt_lengths){.n = n};
    if (n == 0) return;
    sort(length, n, scratch);
    out->min = length[0];
    out->max = length[n - 1];
    out->p50 = quantile(length, n, 50, 100);
    out->p90 = quantile(length, n, 90, 100);
    out->p99 = quantile(length, n, 99, 100);
    out->bin_width = width_for(out->p99);
    for (size_t i = 0; i < n; i++) {
        size_t bin = length[i] / out->bin_width;
        sum += length[i];
        out->bin[bin < 31 ? bin : 31]++;
    }
    out->mean = sum / (double)n;
}
