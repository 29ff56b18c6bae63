#include "batch/windows.h"

#include <stdbool.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int bt__window_overlap(int64_t asked, int room)
{
    return asked < room / 2 ? (int)asked : room / 2;
}

size_t bt__windows(size_t pieces, size_t room, size_t overlap)
{
    size_t step = room - overlap;
    return pieces <= room ? 1 : 1 + (pieces - room + step - 1) / step;
}

/* The last window is moved back, so that it is as long as the others. */
size_t bt__window_begin(size_t pieces, size_t room, size_t overlap, size_t k)
{
    return pieces <= room ? 0 : smaller(k * (room - overlap), pieces - room);
}

size_t bt__window_best(size_t pieces, size_t room, size_t overlap, size_t piece)
{
    const size_t step = room - overlap, n = bt__windows(pieces, room, overlap);
    size_t best = 0, most = 0;
    bool found = false;
    for (size_t k = piece < room ? 0 : (piece - room) / step; k < n && k <= piece / step + 1; k++) {
        size_t begin = bt__window_begin(pieces, room, overlap, k), end = smaller(begin + room, pieces);
        if (piece < begin || piece >= end) continue;
        size_t context = smaller(piece - begin, end - 1 - piece);
        if (found && context <= most) continue;
        found = true;
        best = k;
        most = context;
    }
    return best;
}
