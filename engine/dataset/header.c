#include "dataset/dialect.h"

#include "dataset/cells.h"
#include <bertty/num.h>
#include <string.h>
#include <strings.h>

enum { SAMPLE = 200, COLUMNS = 64, VALUES = 20, NAME_MAX_BYTES = 64 };

struct column {
    bool number, known, named; /* of the first row's cell: a number; a usual name; neither empty nor long */
    size_t seen, numbers;      /* cells below it that are not empty; … that are numbers */
    size_t distinct;           /* of those, at most VALUES + 1 */
    uint64_t value[VALUES + 1];
    uint64_t first; /* hash of the first row's cell */
    bool repeats;   /* which stands among the others too */
};

static uint64_t hash(const char *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h;
}

static bool usual_name(const char *cell)
{
    static const char *const names[] = {
        "text",     "label",     "sentence",    "sentence1", "sentence2", "text_a",  "text_b", "class",
        "category", "review",    "content",     "title",     "question",  "premise", "target", "hypothesis",
        "labels",   "sentiment", "id",          "index",     "score",     "text1",   "text2",  "query",
        "comment",  "tweet",     "description", "sent1",     "sent2",     "ending0", "aspect", "context"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(cell, names[i]) == 0) return true;
    }
    return false;
}

static void look_at_first(struct column *c, const char *cell, size_t n)
{
    double v;
    *c = (struct column){
        .number = bt_parse_double(cell, &v), .known = usual_name(cell), .first = hash(cell, n)};
    c->named = n > 0 && n <= NAME_MAX_BYTES;
}

static void look_at(struct column *c, const char *cell, size_t n)
{
    double v;
    if (n == 0) return;
    uint64_t h = hash(cell, n);
    size_t i = 0;
    c->seen++;
    c->numbers += bt_parse_double(cell, &v);
    c->repeats = c->repeats || h == c->first;
    while (i < c->distinct && c->value[i] != h) i++;
    if (i == c->distinct && i <= VALUES) c->value[c->distinct++] = h;
}

/* The first rows, column by column; *n: how many columns the first one has (at most COLUMNS). False without memory. */
static bool sample(const struct bt_data_dialect *d, const struct bt__source *s, struct column *column,
                   size_t *n)
{
    struct bt__span span;
    struct bt_row row = {0};
    size_t rows = 0;
    struct bt__csv *csv = bt__csv_create(d->delimiter);
    enum bt_status st = csv ? BT_OK : BT_NOMEM;
    *n = 0;
    for (size_t at = s->at; !st && at < s->n && rows < SAMPLE; at += span.size) {
        if (!bt__record_find(d, s->buf + at, s->n - at, s->end, &span)) break;
        struct bt__record rec = {.data = s->buf + at, .n = span.body, .open = span.open};
        if (span.body == 0) continue;
        if ((st = bt__cells_split(d, csv, s->path, &rec, &row, NULL))) break;
        if (rows++ == 0) *n = row.n < COLUMNS ? row.n : COLUMNS;
        for (size_t i = 0; i < *n && i < row.n; i++)
            (rows == 1 ? look_at_first : look_at)(&column[i], row.cell[i], row.cell_n[i]);
    }
    bt_row_free(&row);
    bt__csv_free(csv);
    return st != BT_NOMEM;
}

/* Asked for by a name that is no number. */
static bool is_wanted(const struct column *c, const char *const *wanted, size_t n)
{
    double v;
    for (size_t i = 0; i < n; i++) {
        if (wanted[i] && !bt_parse_double(wanted[i], &v) && hash(wanted[i], strlen(wanted[i])) == c->first)
            return true;
    }
    return false;
}

static bool all_could_be_names(const struct column *column, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (column[i].number || (!column[i].named && column[i].first != hash("", 0))) return false;
        for (size_t k = 0; k < i; k++) {
            if (column[i].named && column[i].first == column[k].first) return false;
        }
    }
    return n > 0;
}

static bool names_columns(const struct column *column, size_t n, const char *const *wanted, size_t n_wanted)
{
    for (size_t i = 0; i < n; i++) {
        if (is_wanted(&column[i], wanted, n_wanted)) return true;
    }
    if (!all_could_be_names(column, n)) return false;
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &column[i];
        if (c->named && (c->known || (c->seen > 0 && (double)c->numbers >= 0.9 * (double)c->seen)))
            return true;
    }
    /* A column of a few values that come again and again: its name is not one of them. */
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &column[i];
        if (c->named && c->seen >= 20 && c->distinct <= VALUES && c->distinct * 4 <= c->seen)
            return !c->repeats;
    }
    return false;
}

enum bt_status bt__header_find(const struct bt_data_dialect *d, const struct bt__source *s,
                               const char *const *wanted, size_t n_wanted, int *header, struct bt_error *err)
{
    struct column column[COLUMNS];
    size_t n;
    if (!sample(d, s, column, &n)) return bt_fail(err, BT_NOMEM, "%s: no memory to read it", s->path);
    *header = names_columns(column, n, wanted, n_wanted);
    return BT_OK;
}
