/* Which lines of a text are new, by the longest common subsequence of what lies between a common start and a common end. */
#include "tui/form.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 1 << 22 };

struct line {
    const char *at;
    size_t n;
};

struct lines {
    struct line *line;
    size_t n;
};

size_t form_count_lines(const char *text, size_t n)
{
    size_t lines = 0;
    for (const char *p = text; p && n;) {
        const char *end = memchr(p, '\n', n);
        size_t length = end ? (size_t)(end - p) + 1 : n;
        lines++;
        p += length;
        n -= length;
    }
    return lines;
}

static bool split(const char *text, size_t n, struct lines *out)
{
    out->n = form_count_lines(text, n);
    out->line = calloc(out->n + 1, sizeof *out->line);
    if (!out->line) return false;
    for (size_t i = 0; i < out->n; i++) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) + 1 : n;
        out->line[i] = (struct line){.at = text, .n = length};
        text += length;
        n -= length;
    }
    return true;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n) == 0;
}

/* length[i][j]: of the longest common subsequence of a from i on and b from j on. */
static bool mark(const struct line *a, size_t n, const struct line *b, size_t m, bool *flag)
{
    if ((n + 1) > MOST_CELLS / (m + 1)) return true; /* too much to look at: all of them stay marked */
    unsigned short *length = calloc((n + 1) * (m + 1), sizeof *length);
    if (!length) return false;
    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            unsigned short down = length[(i + 1) * (m + 1) + j], right = length[i * (m + 1) + j + 1];
            length[i * (m + 1) + j] = same(&a[i], &b[j])
                                          ? (unsigned short)(length[(i + 1) * (m + 1) + j + 1] + 1)
                                          : (down > right ? down : right);
        }
    for (size_t i = 0, j = 0; i < n && j < m;) {
        if (same(&a[i], &b[j])) {
            flag[j++] = false;
            i++;
        } else if (length[(i + 1) * (m + 1) + j] >= length[i * (m + 1) + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
    free(length);
    return true;
}

bool form_new_lines(const char *a, size_t a_n, const char *b, size_t b_n, bool *flag)
{
    struct lines x = {.n = 0}, y = {.n = 0};
    bool fine = split(a, a_n, &x) && split(b, b_n, &y);
    size_t start = 0, end = 0;
    if (fine) {
        while (start < x.n && start < y.n && same(&x.line[start], &y.line[start])) start++;
        while (end < x.n - start && end < y.n - start && same(&x.line[x.n - 1 - end], &y.line[y.n - 1 - end]))
            end++;
        for (size_t i = 0; i < y.n; i++) flag[i] = i >= start && i < y.n - end;
        fine = mark(x.line + start, x.n - start - end, y.line + start, y.n - start - end, flag + start);
    }
    free(x.line);
    free(y.line);
    return fine;
}
