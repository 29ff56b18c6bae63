#include "dataset/formats.h"

#include <string.h>

static const char *find(const char *p, const char *end, char c)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
}

const char *bt__quote_close(const char *at, const char *end, char delimiter, bool last)
{
    for (;;) {
        const char *q = find(at, end, '"');
        if (q == end) return NULL;
        if (q + 1 == end) return last ? q : NULL;
        if (q[1] == delimiter || q[1] == '\n' || q[1] == '\r') return q;
        at = q + (q[1] == '"' ? 2 : 1);
    }
}

/* The first " in [at, stop) that begins a cell of the record at p, or NULL. */
static const char *opening_quote(const char *p, const char *at, const char *stop, char delimiter)
{
    if (at < stop && *at == '"' && (at == p || at[-1] == delimiter))
        return at; /* where all cells are quoted */
    while ((at = find(at, stop, '"')) < stop) {
        if (at == p || at[-1] == delimiter) return at;
        at++;
    }
    return NULL;
}

static size_t count_lines(const char *p, const char *end)
{
    size_t lines = 0;
    for (const char *at = p; (at = find(at, end, '\n')) < end; at++) lines++;
    for (const char *at = p; (at = find(at, end, '\r')) < end; at++) lines += at + 1 == end || at[1] != '\n';
    return lines;
}

static bool unclosed(const char *p, size_t n, const char *quote, bool last, struct bt__span *out)
{
    if (!last) return false;
    size_t before = out->lines;
    out->body = out->size = n;
    out->open = before + 1;
    out->lines = before + count_lines(quote, p + n);
    return true;
}

static bool line_end(const char *p, const char *end, bool last, struct bt__span *out)
{
    size_t n = (size_t)(end - p);
    if (out->body == n) {
        out->size = n;
        return last;
    }
    bool cr = p[out->body] == '\r';
    if (cr && out->body + 1 == n && !last) return false; /* perhaps the first half of CRLF */
    out->size = out->body + (cr && out->body + 1 < n && p[out->body + 1] == '\n' ? 2 : 1);
    out->lines++;
    return true;
}

static bool find_jsonl(const char *p, size_t n, bool last, struct bt__span *out)
{
    const char *lf = find(p, p + n, '\n');
    out->body = (size_t)(lf - p);
    if (!line_end(p, p + n, last, out)) return false;
    while (out->body > 0 && memchr(" \t\r", p[out->body - 1], 3)) out->body--;
    return true;
}

bool bt__line_find(const char *p, size_t n, bool last, struct bt__span *out)
{
    const char *lf = find(p, p + n, '\n'), *cr = find(p, lf, '\r');
    *out = (struct bt__span){.body = (size_t)(cr - p)};
    return line_end(p, p + n, last, out);
}

bool bt__record_find(const struct bt_data_dialect *d, const char *p, size_t n, bool last,
                     struct bt__span *out)
{
    const struct bt__format *f = bt__format_of(d->format);
    if (f->find) return f->find(p, n, last, out);
    *out = (struct bt__span){0};
    if (d->format == BT_DATA_JSONL) return find_jsonl(p, n, last, out);
    const char *end = p + n, *at = p;
    const char *lf = find(p, end, '\n'), *cr = find(p, lf, '\r');
    for (;;) {
        if (lf < at) lf = find(at, end, '\n');
        if (cr < at) cr = find(at, lf, '\r');
        const char *quote = d->quoting == 1 ? opening_quote(p, at, cr, d->delimiter) : NULL;
        if (!quote) break;
        const char *close = bt__quote_close(quote + 1, end, d->delimiter, last);
        if (!close) return unclosed(p, n, quote, last, out);
        if (lf < close || cr < close) out->lines += count_lines(quote, close);
        at = close + 1;
        if (at < end && *at == d->delimiter) at++;
    }
    out->body = (size_t)(cr - p);
    return line_end(p, end, last, out);
}
