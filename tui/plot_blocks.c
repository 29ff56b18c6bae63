#include "tui/plot.h"

#include <math.h>

/* Four by the side of each other, which no point waits for. */
enum { LANES = 4 };
_Static_assert(PLOT_BLOCK_POINTS % LANES == 0, "a block has whole lanes");

void plot_blocks(const double *y, size_t n, struct plot_block *block)
{
    for (size_t k = 0; k < n / PLOT_BLOCK_POINTS; k++, y += PLOT_BLOCK_POINTS) {
        double least[LANES], greatest[LANES], zero[LANES] = {0.0};
        for (int i = 0; i < LANES; i++) least[i] = greatest[i] = y[i];
        for (int i = 0; i < PLOT_BLOCK_POINTS; i += LANES)
            for (int j = 0; j < LANES; j++) {
                least[j] = y[i + j] < least[j] ? y[i + j] : least[j];
                greatest[j] = y[i + j] > greatest[j] ? y[i + j] : greatest[j];
                zero[j] += y[i + j] * 0.0; /* NaN from the first that is not finite on */
            }
        for (int j = 1; j < LANES; j++) {
            least[0] = least[j] < least[0] ? least[j] : least[0];
            greatest[0] = greatest[j] > greatest[0] ? greatest[j] : greatest[0];
            zero[0] += zero[j];
        }
        block[k] = (struct plot_block){.least = least[0], .greatest = greatest[0], .odd = isnan(zero[0])};
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
