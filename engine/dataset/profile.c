#include "dataset/dialect.h"

#include <string.h>

enum { SHAPES = 256 };

/* One quoted cell from its opening quote on; the place behind it. */
static const char *quoted_cell(const struct bt_data_dialect *d, const char *p, const char *end,
                               struct bt__profile *out)
{
    const char *close = bt__quote_close(p + 1, end, d->delimiter, true);
    bool needed = false;
    if (!close) {
        out->open = true;
        return end;
    }
    for (const char *q = p + 1; q < close; q++) {
        if (*q == d->delimiter || *q == '\n') needed = true;
        if (*q != '"') continue;
        needed = true;
        if (q[1] == '"')
            q++;
        else
            out->odd++;
    }
    out->quoted++;
    out->needed += needed;
    return close + 1;
}

static size_t count_cells(const struct bt_data_dialect *d, const char *p, size_t n, struct bt__profile *out)
{
    const char *end = p + n;
    size_t cells = 1;
    for (;;) {
        if (d->quoting == 1 && p < end && *p == '"') p = quoted_cell(d, p, end, out);
        const char *stop = p < end ? memchr(p, d->delimiter, (size_t)(end - p)) : NULL;
        if (!stop) return cells;
        cells++;
        p = stop + 1;
        out->spaced += p < end && *p == ' ';
    }
}

void bt__profile(const struct bt_data_dialect *d, const struct bt__source *s, size_t max_records,
                 struct bt__profile *out)
{
    size_t shape[SHAPES] = {0};
    struct bt__span span;
    *out = (struct bt__profile){0};
    for (size_t at = s->at; at < s->n && out->records < max_records; at += span.size) {
        bool first =
            out->records == 0; /* a first record that is longer than the page counts as far as it goes */
        if (!bt__record_find(d, s->buf + at, s->n - at, s->end || first, &span)) break;
        out->bytes += span.size;
        if (span.body == 0) continue;
        size_t cells = count_cells(d, s->buf + at, span.body, out);
        if (out->open && out->records > 0) break; /* what such a quote swallows has no shape */
        if (out->records++ == 0) out->first = cells;
        out->split += cells > 1;
        shape[cells < SHAPES ? cells : SHAPES - 1]++;
    }
    for (size_t i = 1; i < SHAPES; i++) {
        if (shape[i] == 0 || shape[i] < out->matching) continue; /* of two the wider one */
        out->matching = shape[i];
        out->columns = i;
    }
}
