#include "dataset/table.h"

#include "dataset/formats.h"

#include <string.h>

enum { SEARCH_BYTES = 1 << 20 };

struct search {
    struct bt_table *t;
    const struct bt_table_query *q;
    size_t needle_n;
    bool prefilter; /* a cell that holds the needle stands in the file as it is … */
    bool escapes;   /* … unless the record holds a backslash */
    struct bt_row row;
    uint64_t bytes; /* looked at */
    struct bt_error *err;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static bool same_folded(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

static const char *next_of(const char *p, const char *end, char c)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
}

/* Each case's next place is kept, so that a rare one is not looked for again and again. */
static bool contains_folded(const char *p, size_t n, const char *needle, size_t k)
{
    if (k > n) return false;
    const char *end = p + (n - k) + 1;
    const char *low = next_of(p, end, lower(needle[0])), *up = next_of(p, end, upper(needle[0]));
    while (low < end || up < end) {
        const char *at = low < up ? low : up;
        if (same_folded(at, needle, k)) return true;
        if (low == at) low = next_of(at + 1, end, lower(needle[0]));
        if (up == at) up = next_of(at + 1, end, upper(needle[0]));
    }
    return false;
}

static bool contains(const struct search *s, const char *p, size_t n)
{
    if (s->needle_n == 0) return true;
    if (s->q->ignore_case) return contains_folded(p, n, s->q->needle, s->needle_n);
    return memmem(p, n, s->q->needle, s->needle_n) != NULL;
}

static bool cell_matches(const struct search *s, const char *p, size_t n)
{
    if (!s->q->whole) return contains(s, p, n);
    if (n != s->needle_n) return false;
    return s->q->ignore_case ? same_folded(p, s->q->needle, n) : memcmp(p, s->q->needle, n) == 0;
}

static void row_matches(struct search *s, bool *yes)
{
    for (size_t i = 0; i < s->row.n; i++) {
        if ((s->q->column < 0 || (size_t)s->q->column == i) &&
            cell_matches(s, s->row.cell[i], s->row.cell_n[i]))
            *yes = true;
    }
}

static enum bt_status record_matches(struct search *s, const struct bt__record *rec, bool *yes)
{
    *yes = false;
    bool skip = s->prefilter && !contains(s, rec->data, rec->n);
    if (skip && !(s->escapes && memchr(rec->data, '\\', rec->n))) return BT_OK;
    enum bt_status st = bt__table_cells(s->t, rec, &s->row, NULL);
    if (st == BT_NOMEM) return bt_fail(s->err, st, "no memory to search");
    row_matches(s, yes);
    return BT_OK;
}

/* Whether a cell's text is the record's own bytes. JSON writes numbers, blanks between members and invalid bytes in another way than they
 * stand in the file: only what can be nothing but part of a string will do. */
static void choose_prefilter(struct search *s)
{
    const char *needle = s->q->needle;
    bool letter = false;
    s->escapes = s->t->head.dialect.format == BT_DATA_JSONL;
    s->prefilter = !strchr(needle, '"');
    if (bt__format_of(s->t->head.dialect.format)->cells) s->prefilter = false;
    if (!s->escapes || !s->prefilter) return;
    for (const char *p = needle; *p; p++) {
        char c = lower(*p);
        if (c >= 'a' && c <= 'z' && c != 'e') letter = true;
        if ((signed char)*p < 0 || strchr("\\,:{}[]", *p)) s->prefilter = false;
    }
    s->prefilter = s->prefilter && letter;
}

static bool cancelled(const atomic_bool *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

/* Rows that are held are looked at one by one. */
static enum bt_status search_held(struct search *s, size_t from, bool back, const atomic_bool *cancel,
                                  size_t *row)
{
    size_t rows = bt_table_rows(s->t);
    bool yes = false;
    if (back && from >= rows) from = rows - 1;
    for (*row = from; *row < rows; *row += back ? SIZE_MAX : 1) {
        if (cancelled(cancel)) return bt_fail(s->err, BT_CANCELLED, "cancelled");
        enum bt_status st = bt__table_held(s->t, *row, &s->row, s->err);
        if (st) return st;
        row_matches(s, &yes);
        if (yes) return BT_OK;
    }
    if (!back) *row = rows;
    return BT_NOTFOUND;
}

/* The next row of the search's own reader. */
static enum bt_status step(struct search *s, bool look, bool *yes)
{
    struct bt__record rec;
    enum bt_status st = bt__source_next(&s->t->find, &s->t->head.dialect, &rec, s->err);
    if (st == BT_NOTFOUND)
        st = bt_fail(s->err, BT_DAMAGED, "%s: rows are gone: the file was changed while it was open",
                     s->t->scan.path);
    if (st) {
        s->t->find_row = SIZE_MAX;
        return st;
    }
    s->t->find_row++;
    s->bytes += rec.n + 1;
    *yes = false;
    return look ? record_matches(s, &rec, yes) : BT_OK;
}

static enum bt_status forwards(struct search *s, size_t from, size_t max_bytes, const atomic_bool *cancel,
                               size_t *row)
{
    size_t rows = bt_table_rows(s->t);
    bool yes = false;
    *row = from < rows ? from : rows;
    if (from >= rows) return BT_NOTFOUND;
    bt__table_seek(s->t, &s->t->find, &s->t->find_row, from);
    while (s->t->find_row < rows) {
        size_t at = s->t->find_row;
        if (at % BT__STRIDE == 0 && cancelled(cancel)) return bt_fail(s->err, BT_CANCELLED, "cancelled");
        enum bt_status st = step(s, at >= from, &yes);
        if (st) return st;
        *row = at + (at >= from && !yes);
        if (yes) return BT_OK;
        if (max_bytes && s->bytes >= max_bytes && at >= from) break;
    }
    return BT_NOTFOUND;
}

/* The last matching row of one stretch of the index, up to row last. */
static enum bt_status last_in_stretch(struct search *s, size_t first, size_t last, size_t *found)
{
    bool yes = false;
    *found = SIZE_MAX;
    s->t->find_row = SIZE_MAX;
    bt__table_seek(s->t, &s->t->find, &s->t->find_row, first);
    while (s->t->find_row <= last) {
        size_t at = s->t->find_row;
        enum bt_status st = step(s, true, &yes);
        if (st) return st;
        if (yes) *found = at;
    }
    return BT_OK;
}

static enum bt_status backwards(struct search *s, size_t from, size_t max_bytes, const atomic_bool *cancel,
                                size_t *row)
{
    size_t rows = bt_table_rows(s->t), found = SIZE_MAX;
    size_t last = from < rows ? from : rows - 1;
    *row = SIZE_MAX;
    while (rows > 0 && last != SIZE_MAX) {
        size_t first = last - last % BT__STRIDE;
        if (cancelled(cancel)) return bt_fail(s->err, BT_CANCELLED, "cancelled");
        enum bt_status st = last_in_stretch(s, first, last, &found);
        if (st) return st;
        *row = found != SIZE_MAX ? found : first - 1;
        if (found != SIZE_MAX) return BT_OK;
        last = first - 1;
        if (max_bytes && s->bytes >= max_bytes) break;
    }
    return BT_NOTFOUND;
}

enum bt_status bt_table_search(struct bt_table *t, const struct bt_table_query *q, size_t from, bool back,
                               size_t max_bytes, const atomic_bool *cancel, size_t *row, struct bt_error *err)
{
    struct search s = {.t = t, .q = q, .needle_n = strlen(q->needle), .err = err};
    choose_prefilter(&s);
    if (t->held) {
        enum bt_status st = search_held(&s, from, back, cancel, row);
        bt_row_free(&s.row);
        return st;
    }
    if (!t->find.buf) {
        enum bt_status st = bt__source_share(&t->scan, SEARCH_BYTES, &t->find, err);
        if (st) return st;
    }
    enum bt_status st = (back ? backwards : forwards)(&s, from, max_bytes, cancel, row);
    bt_row_free(&s.row);
    return st;
}
