#include "tui/plot.h"

#include <math.h>

void plot_blocks(const double *y, size_t n, struct plot_block *block)
{
    for (size_t k = 0; k < n / PLOT_BLOCK_POINTS; k++, y += PLOT_BLOCK_POINTS) {
        double least = y[0], greatest = y[0], zero = 0.0;
        for (int i = 0; i < PLOT_BLOCK_POINTS; i++) {
            least = y[i] < least ? y[i] : least;
            greatest = y[i] > greatest ? y[i] : greatest;
            zero += y[i] * 0.0; /* NaN from the first that is not finite on */
        }
        block[k] = (struct plot_block){.least = least, .greatest = greatest, .odd = isnan(zero)};
    }
}

size_t plot_block_at(const struct plot_block *block, size_t i, size_t end, bool log)
{
    if (!block || i % PLOT_BLOCK_POINTS || end - i < PLOT_BLOCK_POINTS) return 0;
    block += i / PLOT_BLOCK_POINTS;
    return block->odd || (log && block->least <= 0) ? 0 : PLOT_BLOCK_POINTS;
}

void plot_window(const double *x, size_t n, struct plot_range within, size_t *begin, size_t *end)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (x[middle] < within.min)
            low = middle + 1;
        else
            high = middle;
    }
    *begin = low;
    high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (x[middle] <= within.max)
            low = middle + 1;
        else
            high = middle;
    }
    *end = low;
}
