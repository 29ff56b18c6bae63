#include "dataset/dialect.h"

#include "dataset/formats.h"
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIRST_RECORDS = 1000, NAMES_MAX = 1024 };

bool bt__path_ends(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return n >= k && strcasecmp(path + n - k, end) == 0;
}

bool bt__looks_like_jsonl(const struct bt__source *s)
{
    static const char *const endings[] = {".jsonl", ".ndjson", ".json"};
    const char *p = s->buf + s->at, *end = s->buf + s->n;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (bt__path_ends(s->path, endings[i])) return true;
    }
    while (p < end && strchr(" \t\r\n", *p)) p++;
    if (p == end || *p++ != '{') return false;
    while (p < end && strchr(" \t", *p)) p++;
    return p < end && (*p == '"' || *p == '}');
}

static double share(const struct bt__profile *p)
{
    return p->records ? (double)p->matching / (double)p->records : 0;
}

/* Is " of a file with this delimiter a quote? Free text with tabs often is not quoted, so there a quote has to do something. */
static int find_quoting(const struct bt__source *s, char delimiter, size_t max_records,
                        struct bt__profile *out)
{
    struct bt_data_dialect d = {.format = BT_DATA_CSV, .delimiter = delimiter};
    struct bt__profile plain, quoted;
    bt__profile(&d, s, max_records, &plain);
    d.quoting = 1;
    bt__profile(&d, s, max_records, &quoted);
    bool yes;
    if (quoted.bytes < plain.bytes / 2) /* a quote that opens and swallows the rest of the page */
        yes = share(&quoted) > share(&plain) + 0.02;
    else if (delimiter == '\t')
        yes = quoted.odd == 0 && share(&quoted) >= share(&plain) &&
              (quoted.needed > 0 || (double)quoted.quoted >= 0.9 * (double)quoted.records);
    else
        yes = quoted.odd == 0 || share(&quoted) >= share(&plain);
    *out = yes ? quoted : plain;
    return yes;
}

/* How sure it is that the delimiter is the one, [0, 1]. prose: the file may be one of plain sentences. */
static double rate(const struct bt__profile *p, char delimiter, bool prose)
{
    if (p->columns < 2 || p->records == 0) return 0;
    if (prose && p->spaced * 2 > (p->columns - 1) * p->records) return 0;
    if (delimiter == '\t') /* hardly ever stands in a text, so records of several widths do not matter */
        return (double)p->split >= 0.95 * (double)p->records ? 1 : 0;
    return p->first >= 2 && p->first <= p->columns ? share(p) : 0;
}

static void find_delimiter(const struct bt__source *s, const struct bt_data_dialect *asked,
                           struct bt_data_dialect *d)
{
    static const char candidates[] = {'\t', ',', ';', '|'};
    double best = 0;
    struct bt__profile p;
    bool csv = d->format == BT_DATA_CSV || bt__path_ends(s->path, ".csv");
    d->delimiter = 0;
    for (size_t i = 0; i < sizeof candidates; i++) {
        struct bt_data_dialect with = {
            .format = BT_DATA_CSV, .delimiter = candidates[i], .quoting = asked->quoting};
        if (asked->quoting < 0)
            find_quoting(s, candidates[i], FIRST_RECORDS, &p);
        else
            bt__profile(&with, s, FIRST_RECORDS, &p);
        double r = rate(&p, candidates[i], !csv);
        if (r <= best + 0.02) continue;
        best = r;
        d->delimiter = candidates[i];
    }
    if (best >= 0.9 || (csv && best > 0)) return;
    /* One column, then; its quotes count if they enclose whole cells. */
    struct bt_data_dialect comma = {.format = BT_DATA_CSV, .delimiter = ',', .quoting = 1};
    bt__profile(&comma, s, FIRST_RECORDS, &p);
    d->delimiter = csv || (p.columns == 1 && p.quoted > 0 && share(&p) == 1 && p.odd == 0) ? ',' : '\t';
}

static enum bt_status check_asked(const struct bt__source *s, const struct bt_data_dialect *asked,
                                  struct bt_error *err)
{
    char c = asked->delimiter;
    if (c == '"' || c == '\n' || c == '\r' || (unsigned char)c >= 128)
        return bt_fail(err, BT_INVALID,
                       "%s: a quote, a line's end or a byte above 127 cannot be the delimiter", s->path);
    return BT_OK;
}

enum bt_status bt__dialect_find(const struct bt__source *s, const struct bt_data_dialect *asked,
                                const char *const *wanted, size_t n, struct bt_data_dialect *out,
                                struct bt_error *err)
{
    struct bt_data_dialect d = *asked;
    struct bt__profile p;
    enum bt_status st = check_asked(s, asked, err);
    if (st) return st;
    if (d.format == BT_DATA_JSONL || (d.format == BT_DATA_AUTO && !d.delimiter && bt__looks_like_jsonl(s))) {
        *out = (struct bt_data_dialect){.format = BT_DATA_JSONL};
        return BT_OK;
    }
    if (!d.delimiter && d.format == BT_DATA_TSV) d.delimiter = '\t';
    if (!d.delimiter) find_delimiter(s, asked, &d);
    if (d.quoting < 0) d.quoting = find_quoting(s, d.delimiter, SIZE_MAX, &p);
    if (d.format == BT_DATA_AUTO) d.format = d.delimiter == '\t' ? BT_DATA_TSV : BT_DATA_CSV;
    if (d.header < 0) st = bt__header_find(&d, s, wanted, n, &d.header, err);
    *out = d;
    return st;
}

/* ── names ── */

static enum bt_status no_memory(const struct bt__source *s, struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "%s: no memory for the columns' names", s->path);
}

static bool add_name(struct bt__head *h, char *name)
{
    char **more = name ? realloc(h->name, (h->n + 1) * sizeof *more) : NULL;
    if (!more) {
        free(name);
        return false;
    }
    h->name = more;
    h->name[h->n++] = name;
    return true;
}

static enum bt_status number_columns(const struct bt__source *s, struct bt__head *h, struct bt_error *err)
{
    struct bt__profile p;
    bt__profile(&h->dialect, s, FIRST_RECORDS, &p);
    for (size_t i = 0; i < p.columns; i++) {
        if (!add_name(h, bt_strfmt("%zu", i + 1))) return no_memory(s, err);
    }
    return BT_OK;
}

static enum bt_status read_header(struct bt__source *s, struct bt__head *h, struct bt_error *err)
{
    struct bt__record rec;
    struct bt_row row = {0};
    enum bt_status st = bt__source_next(s, &h->dialect, &rec, err);
    if (st == BT_NOTFOUND) return BT_OK;
    struct bt__csv *csv = bt__csv_create(h->dialect.delimiter);
    if (!csv) st = no_memory(s, err);
    if (!st) st = bt__cells_split(&h->dialect, csv, s->path, &rec, &row, err);
    for (size_t i = 0; !st && i < row.n; i++) {
        char *name = row.cell_n[i] ? bt_strndup(row.cell[i], row.cell_n[i]) : bt_strfmt("%zu", i + 1);
        if (!add_name(h, name)) st = no_memory(s, err);
    }
    bt_row_free(&row);
    bt__csv_free(csv);
    return st;
}

static bool has_name(const struct bt__head *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->name[i], name) == 0) return true;
    }
    return false;
}

static bool has_swag_names(const struct bt__head *h)
{
    return h->dialect.header == 1 && has_name(h, "sent1") && has_name(h, "sent2") && has_name(h, "ending0") &&
           has_name(h, "ending1");
}

/* Members of the page's first objects, in the order in which they appear. What cannot be parsed is reported when it is read; only
 * without a first object there is nothing to go by. */
static enum bt_status read_members(const struct bt__source *s, struct bt__head *h, struct bt_error *err)
{
    struct bt__span span;
    size_t records = 0, line = s->line;
    bool repaired;
    for (size_t at = s->at; at < s->n && records < 100; at += span.size, line += span.lines) {
        if (!bt__record_find(&h->dialect, s->buf + at, s->n - at, s->end, &span)) break;
        if (span.body == 0) continue;
        struct bt__record rec = {.data = s->buf + at, .n = span.body, .line = line};
        struct bt_json *o = bt__json_record(s->path, &rec, &repaired, records ? NULL : err);
        if (!o && records == 0) return err ? err->status : BT_INVALID;
        bool ok = true;
        records++;
        for (const void *it = bt_json_first(o); ok && it; it = bt_json_next(o, it)) {
            const char *key = bt_json_key(it);
            if (h->n < NAMES_MAX && !has_name(h, key)) ok = add_name(h, bt_strdup(key));
        }
        bt_json_free(o);
        if (!ok) return no_memory(s, err);
    }
    return BT_OK;
}

/* Makes the buffer hold the first record, however long it is. */
static enum bt_status hold_first(struct bt__source *s, const struct bt_data_dialect *d, struct bt_error *err)
{
    struct bt__record rec;
    size_t empty = s->empty;
    enum bt_status st = bt__source_next(s, d, &rec, err);
    if (st == BT_NOTFOUND) return BT_OK;
    if (st) return st;
    bt__source_seek(s, rec.offset, rec.line);
    s->empty = empty;
    return BT_OK;
}

/* A format that is no table: the one asked for, or the first that the page looks like. */
static const struct bt__format *other_format(const struct bt__source *s, int kind,
                                             const struct bt_data_dialect *asked, struct bt__head *out)
{
    static const enum bt_data_format order[] = {BT_DATA_SQUAD, BT_DATA_SEMEVAL, BT_DATA_CONLL, BT_DATA_TEXT};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const struct bt__format *f = bt__format_of(order[i]);
        if (asked->format != BT_DATA_AUTO && asked->format != order[i]) continue;
        out->dialect = (struct bt_data_dialect){.format = order[i]};
        if (f->looks(s, kind, asked, out) || asked->format == order[i]) return f;
    }
    return NULL;
}

static enum bt_status fixed_columns(const struct bt__source *s, const struct bt__format *f,
                                    struct bt__head *out, struct bt_error *err)
{
    for (size_t i = 0; f->columns[i]; i++) {
        if (add_name(out, bt_strdup(f->columns[i]))) continue;
        bt__head_free(out);
        return no_memory(s, err);
    }
    return BT_OK;
}

enum bt_status bt__head_read(struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                             const char *const *wanted, size_t n, struct bt__head *out, struct bt_error *err)
{
    *out = (struct bt__head){0};
    const struct bt__format *other = other_format(s, kind, asked, out);
    if (other) return fixed_columns(s, other, out, err);
    *out = (struct bt__head){0};
    struct bt_data_dialect table = *asked;
    if (asked->format == BT_DATA_SWAG) {
        table.format = BT_DATA_CSV;
        if (table.header < 0) table.header = 1;
    }
    enum bt_status st = bt__dialect_find(s, &table, wanted, n, &out->dialect, err);
    if (!st) st = hold_first(s, &out->dialect, err);
    if (st) return st;
    if (out->dialect.format == BT_DATA_JSONL)
        st = read_members(s, out, err);
    else if (out->dialect.header)
        st = read_header(s, out, err);
    else
        st = number_columns(s, out, err);
    bool may_be_swag =
        asked->format == BT_DATA_AUTO && (kind == BT__EXAMPLE_ANY || kind == BT_EXAMPLE_CHOICES);
    if (!st && (asked->format == BT_DATA_SWAG || (may_be_swag && has_swag_names(out))))
        out->dialect.format = BT_DATA_SWAG;
    const bool one = out->n == 1 && out->dialect.header == 0 && !asked->delimiter;
    if (!st && one && !bt__label_first(s, out->label_first, sizeof out->label_first))
        out->label_first[0] = '\0';
    if (st) bt__head_free(out);
    return st;
}

void bt__head_free(struct bt__head *h)
{
    for (size_t i = 0; i < h->n; i++) free(h->name[i]);
    free(h->name);
    *h = (struct bt__head){0};
}

ptrdiff_t bt__column_of(const char *const *names, size_t n, const char *name)
{
    int64_t number;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) return (ptrdiff_t)i;
    }
    if (!bt_parse_int64(name, &number) || number < 1 || (uint64_t)number > n) return -1;
    return (ptrdiff_t)number - 1;
}

ptrdiff_t bt__head_column(const struct bt__head *h, const char *name)
{
    return bt__column_of((const char *const *)h->name, h->n, name);
}

enum bt_status bt__head_no_column(const struct bt__head *h, const char *path, const char *name,
                                  struct bt_error *err)
{
    struct bt_str s = {0};
    bool named = h->dialect.header == 1 || h->dialect.format == BT_DATA_JSONL;
    const char *near = bt_nearest(name, (const char *const *)h->name, h->n);
    for (size_t i = 0; i < h->n && s.len < 200; i++)
        bt_str_addf(&s, "%s%s", i ? ", " : "", s.len > 180 ? "…" : h->name[i]);
    if (h->n == 0)
        bt_fail(err, BT_NOTFOUND, "%s: no column '%s': the file is empty", path, name);
    else if (near && named)
        bt_fail(err, BT_NOTFOUND, "%s: no column '%s', did you mean '%s'? It has: %s", path, name, near,
                bt_str_text(&s));
    else if (h->label_first[0])
        bt_fail(err, BT_NOTFOUND,
                "%s: no column '%s': its lines begin with a label ('%s') and a blank, which data.delimiter: "
                "\" \", "
                "text column 2- and label column 1 read",
                path, name, h->label_first);
    else
        bt_fail(err, BT_NOTFOUND, "%s: no column '%s': it has %s%s", path, name, bt_str_text(&s),
                named ? "" : " and no header");
    bt_str_free(&s);
    return BT_NOTFOUND;
}
