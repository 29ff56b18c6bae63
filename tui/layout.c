#include "tui/layout.h"

/* Length of the first of two parts that share one cell of `length`. */
static int first_part(int length, int share, int min_first, int min_second)
{
    int first = (int)((long)(length + 1) * share / 1000);
    if (first > length + 1 - min_second) first = length + 1 - min_second;
    if (first < min_first) first = min_first;
    if (first > length) first = length;
    return first < 0 ? 0 : first;
}

void layout_columns(struct rect r, int share, int min_first, int min_second, struct rect *first,
                    struct rect *second)
{
    int w = first_part(r.w, share, min_first, min_second);
    int overlap = w > 0 ? 1 : 0;
    *first = (struct rect){.y = r.y, .x = r.x, .h = r.h, .w = w};
    *second = (struct rect){.y = r.y, .x = r.x + w - overlap, .h = r.h, .w = r.w - w + overlap};
}

void layout_rows(struct rect r, int share, int min_first, int min_second, struct rect *first,
                 struct rect *second)
{
    int h = first_part(r.h, share, min_first, min_second);
    int overlap = h > 0 ? 1 : 0;
    *first = (struct rect){.y = r.y, .x = r.x, .h = h, .w = r.w};
    *second = (struct rect){.y = r.y + h - overlap, .x = r.x, .h = r.h - h + overlap, .w = r.w};
}

int layout_share(int length, int first)
{
    return (int)(((long)first * 1000 + length) / (length + 1));
}

bool layout_in(struct rect r, int y, int x)
{
    return y >= r.y && y < r.y + r.h && x >= r.x && x < r.x + r.w;
}
