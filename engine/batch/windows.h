/* A text that is longer than the room for it, read in windows that share pieces: each but the first begins a step behind the one before. */
#ifndef BERTTY_BATCH_WINDOWS_H
#define BERTTY_BATCH_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

/* Pieces that windows of room pieces share when so many are asked for: never more than half a window, so that every window is a step ahead. */
int bt__window_overlap(int64_t asked, int room);
/* Windows that a text of so many pieces takes (0 pieces: one), the first piece of number k, and the best one for a piece. */
size_t bt__windows(size_t pieces, size_t room, size_t overlap);
size_t bt__window_begin(size_t pieces, size_t room, size_t overlap, size_t k);
size_t bt__window_best(size_t pieces, size_t room, size_t overlap, size_t piece);

#endif
