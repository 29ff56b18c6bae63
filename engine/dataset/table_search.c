#include "dataset/table.h"

#include "dataset/formats.h"

#include <string.h>
#include <time.h>

enum { SEARCH_BYTES = 256 << 10, CLOCK_ROWS = 4 /* after so many the clock is looked at */ };
static const double LONGEST = 0.002; /* seconds of one search in slices */

struct search {
    struct bt_table *t;
    const struct bt_table_query *q;
    size_t needle_n;
    bool
        prefilter; /* a cell that matches stands in the file as it is, so that a record without a match there has none … */
    bool escapes;         /* … unless it holds a backslash */
    bool doubled;         /* … unless it holds "" */
    bool blocks;          /* many records are looked at together */
    uint64_t hit, hit_to; /* offsets in the file: where the next match may begin, as far as was looked */
    struct bt_row row;
    uint64_t bytes, max_bytes; /* looked at */
    double until;              /* of the processor's clock; 0: no matter */
    struct bt_error *err;
};

/* Where a match begins in n bytes; n: nowhere. A text that was given up may hold one anywhere. */
static size_t find_match(const struct search *s, const char *p, size_t n)
{
    size_t begin = 0, end;
    if (s->q->regex) {
        enum bt_match found = bt_regex_find(s->q->regex, p, n, 0, &begin, &end);
        return found == BT_MATCH_NONE ? n : begin;
    }
    const char *at = s->needle_n ? memmem(p, n, s->q->needle, s->needle_n) : p;
    return at ? (size_t)(at - p) : n;
}

static bool cell_matches(const struct search *s, const char *p, size_t n)
{
    size_t begin, end;
    if (s->q->regex) return bt_regex_find(s->q->regex, p, n, 0, &begin, &end) == BT_MATCH_FOUND;
    if (s->q->whole) return n == s->needle_n && memcmp(p, s->q->needle, n) == 0;
    return s->needle_n == 0 || memmem(p, n, s->q->needle, s->needle_n) != NULL;
}

static void row_matches(struct search *s, bool *yes)
{
    if (s->q->filter) {
        *yes = bt_row_filter_holds(s->q->filter, &s->row);
        return;
    }
    for (size_t i = 0; i < s->row.n && !*yes; i++) {
        if (s->q->column < 0 || (size_t)s->q->column == i)
            *yes = cell_matches(s, s->row.cell[i], s->row.cell_n[i]);
    }
}

/* The record's own bytes tell that no cell of it matches. */
static bool is_out(const struct search *s, const struct bt__record *rec)
{
    if (!s->prefilter || (s->escapes && memchr(rec->data, '\\', rec->n)) ||
        (s->doubled && memmem(rec->data, rec->n, "\"\"", 2)))
        return false;
    uint64_t end = rec->offset + rec->n;
    if (s->blocks && end <= s->hit_to && rec->offset <= s->hit) return s->hit >= end;
    return find_match(s, rec->data, rec->n) == rec->n;
}

static enum bt_status record_matches(struct search *s, const struct bt__record *rec, bool *yes)
{
    *yes = false;
    if (is_out(s, rec)) return BT_OK;
    enum bt_status st = bt__table_cells(s->t, rec, &s->row, NULL);
    if (st == BT_NOMEM) return bt_fail(s->err, st, "no memory to search");
    row_matches(s, yes);
    return BT_OK;
}

/* JSON writes numbers, blanks between members and invalid bytes in another way than they stand in the file: only what can be nothing but
 * part of a string will do. */
static bool stands_in_json(const char *needle)
{
    bool letter = false;
    for (const char *p = needle; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        if (c >= 'a' && c <= 'z' && c != 'e') letter = true;
        if ((signed char)*p < 0 || strchr("\\,:{}[]", *p)) return false;
    }
    return letter;
}

/* What an expression takes for a letter: then \b at the edge of a cell is another thing in the record. */
static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Whether a cell's text is the record's own bytes. */
static void choose_prefilter(struct search *s)
{
    const struct bt_data_dialect *d = &s->t->head.dialect;
    const struct bt_table_query *q = s->q;
    s->escapes = d->format == BT_DATA_JSONL;
    s->doubled = q->regex && !s->escapes && d->quoting == 1;
    if (q->filter || bt__format_of(d->format)->cells) return;
    s->prefilter = q->regex ? bt_regex_local(q->regex) && !s->escapes && !is_letter(d->delimiter)
                            : !strchr(q->needle, '"');
    if (s->escapes && s->prefilter) s->prefilter = stands_in_json(q->needle);
    s->blocks = s->prefilter && !s->escapes && s->needle_n + (q->regex != NULL) > 0;
}

static bool cancelled(const atomic_bool *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool late(const struct search *s)
{
    return s->until > 0 && clock_now() > s->until;
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
        if (*row % CLOCK_ROWS == 0 && late(s)) {
            *row += back ? SIZE_MAX : 1;
            return BT_NOTFOUND;
        }
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

/* Passes over the records in the buffer before the one that a match begins in. How many. */
static size_t skip_to_hit(struct search *s, size_t most)
{
    struct bt__source *f = &s->t->find;
    uint64_t at = bt__source_offset(f);
    size_t n = f->n - f->at;
    if (!s->blocks || n == 0) return 0;
    if (at >= s->hit_to || at > s->hit) {
        if (s->max_bytes && n > s->max_bytes) n = (size_t)s->max_bytes;
        s->hit = at + find_match(s, f->buf + f->at, n);
        s->hit_to = at + n;
        s->blocks = !s->q->regex || bt_regex_local(s->q->regex);
    }
    size_t passed =
        bt__source_skip(f, &s->t->head.dialect, most, s->hit < s->hit_to ? s->hit : s->hit_to, s->doubled);
    s->t->find_row += passed;
    s->bytes += bt__source_offset(f) - at;
    return passed;
}

static enum bt_status forwards(struct search *s, size_t from, const atomic_bool *cancel, size_t *row)
{
    size_t rows = bt_table_rows(s->t), looked = 0;
    bool yes = false;
    *row = from < rows ? from : rows;
    if (from >= rows) return BT_NOTFOUND;
    bt__table_seek(s->t, &s->t->find, &s->t->find_row, from);
    if (s->t->find_row < from)
        s->t->find_row +=
            bt__source_skip(&s->t->find, &s->t->head.dialect, from - s->t->find_row, UINT64_MAX, false);
    while (s->t->find_row < rows) {
        size_t at = s->t->find_row;
        bool look = at >= from;
        if (look && skip_to_hit(s, rows - at)) {
            *row = s->t->find_row;
        } else {
            enum bt_status st = step(s, look, &yes);
            if (st) return st;
            *row = at + (look && !yes);
            if (yes) return BT_OK;
        }
        if (cancelled(cancel)) return bt_fail(s->err, BT_CANCELLED, "cancelled");
        if (look && s->max_bytes && s->bytes >= s->max_bytes) break;
        if (look && ++looked % CLOCK_ROWS == 0 && late(s)) break;
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

static enum bt_status backwards(struct search *s, size_t from, const atomic_bool *cancel, size_t *row)
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
        if ((s->max_bytes && s->bytes >= s->max_bytes) || late(s)) break;
    }
    return BT_NOTFOUND;
}

enum bt_status bt_table_search(struct bt_table *t, const struct bt_table_query *q, size_t from, bool back,
                               size_t max_bytes, const atomic_bool *cancel, size_t *row, struct bt_error *err)
{
    struct search s = {.t = t, .q = q, .max_bytes = max_bytes, .err = err};
    if (!q->filter && !q->regex) s.needle_n = strlen(q->needle);
    if (max_bytes) s.until = clock_now() + LONGEST;
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
    enum bt_status st = (back ? backwards : forwards)(&s, from, cancel, row);
    bt_row_free(&s.row);
    return st;
}
