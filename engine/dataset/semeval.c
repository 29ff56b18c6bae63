/* SemEval's aspects as in the .seg files: three lines a record, a sentence with $T$ where the aspect stands, the aspect, and −1, 0 or 1.
 * Empty lines between records are passed over. */
#include "dataset/formats.h"

#include <string.h>

static const char mark[] = "$T$";
enum { MARK = sizeof mark - 1, RECORDS = 100 };

struct aspect {
    const char *sentence, *aspect, *label;
    size_t sentence_n, aspect_n, label_n, lines;
};

static void trim(const char **p, size_t *n)
{
    while (*n > 0 && (**p == ' ' || **p == '\t')) {
        ++*p;
        --*n;
    }
    while (*n > 0 && memchr(" \t\r", (*p)[*n - 1], 3)) --*n;
}

static bool blank(const char *p, size_t n)
{
    trim(&p, &n);
    return n == 0;
}

bool bt__semeval_find(const char *p, size_t n, bool last, struct bt__span *out)
{
    struct bt__span line;
    *out = (struct bt__span){0};
    for (int i = 0; i < 3 && out->size < n; i++) {
        if (!bt__line_find(p + out->size, n - out->size, last, &line)) return false;
        bool empty = i == 0 && blank(p, line.body);
        out->body = empty ? 0 : out->size + line.body;
        out->size += line.size;
        out->lines += line.lines;
        if (empty || i == 2) return true;
    }
    return last;
}

static void split(const char *p, size_t n, struct aspect *a)
{
    struct bt__span line;
    const char **text[] = {&a->sentence, &a->aspect, &a->label};
    size_t *size[] = {&a->sentence_n, &a->aspect_n, &a->label_n};
    *a = (struct aspect){0};
    for (; a->lines < 3 && n > 0; a->lines++) {
        bt__line_find(p, n, true, &line);
        *text[a->lines] = p;
        *size[a->lines] = line.body;
        p += line.size;
        n -= line.size;
    }
    trim(&a->aspect, &a->aspect_n);
    trim(&a->label, &a->label_n);
}

static bool label_fits(const struct aspect *a)
{
    return (a->label_n == 1 && memchr("01", *a->label, 2)) ||
           (a->label_n == 2 && memcmp(a->label, "-1", 2) == 0);
}

bool bt__semeval_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                       struct bt__head *head)
{
    size_t records = 0, good = 0;
    struct bt__span span;
    struct aspect a;
    (void)head;
    if ((kind != BT__EXAMPLE_ANY && kind != BT_EXAMPLE_ASPECT) || asked->delimiter) return false;
    for (size_t at = s->at; at < s->n && records < RECORDS; at += span.size) {
        if (!bt__semeval_find(s->buf + at, s->n - at, s->end, &span)) break;
        if (span.body == 0) continue;
        split(s->buf + at, span.body, &a);
        bool marked = memmem(a.sentence, a.sentence_n, mark, MARK) != NULL;
        if (records++ == 0 && !marked) return false;
        good += marked && label_fits(&a);
    }
    return good > 0 && (good * 2 >= records || bt__path_ends(s->path, ".seg"));
}

/* The sentence with the aspect for every $T$. Bytes of it before the first one in *at; SIZE_MAX: there is none. */
static void fill_in(const struct aspect *a, struct bt_str *out, size_t *at)
{
    const char *p = a->sentence, *end = p + a->sentence_n, *found;
    *at = SIZE_MAX;
    while ((found = memmem(p, (size_t)(end - p), mark, MARK))) {
        bt_str_addn(out, p, (size_t)(found - p));
        if (*at == SIZE_MAX) *at = out->len;
        bt_str_addn(out, a->aspect, a->aspect_n);
        p = found + MARK;
    }
    bt_str_addn(out, p, (size_t)(end - p));
}

static enum bt_status check(const struct aspect *a, const char *path, const struct bt__record *rec,
                            struct bt_error *err)
{
    if (a->lines < 3)
        return bt_fail(err, BT_INVALID,
                       "%s:%zu: the record has %zu line%s, expected 3: sentence, aspect, label", path,
                       rec->line, a->lines, a->lines == 1 ? "" : "s");
    if (a->aspect_n == 0) return bt_fail(err, BT_INVALID, "%s:%zu: the aspect is empty", path, rec->line + 1);
    if (!label_fits(a))
        return bt_fail(err, BT_INVALID, "%s:%zu: label '%.*s', expected -1, 0 or 1", path, rec->line + 2,
                       a->label_n < 60 ? (int)a->label_n : 60, a->label);
    return BT_OK;
}

enum bt_status bt__semeval_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                                 struct bt_row *r, struct bt_error *err)
{
    struct aspect a;
    struct bt_str text = {0};
    size_t at;
    (void)h;
    split(rec->data, rec->n, &a);
    enum bt_status st = check(&a, path, rec, err);
    if (st) return st;
    fill_in(&a, &text, &at);
    bt__row_begin(r);
    r->line = rec->line;
    bt__row_cell(r, bt_str_text(&text), text.len);
    bt__row_cell(r, a.aspect, a.aspect_n);
    bt__row_cell(r, a.label, a.label_n);
    if (at != SIZE_MAX) {
        r->mark = at;
        r->mark_n = a.aspect_n;
    }
    bool ok = !text.failed && bt__row_end(r);
    bt_str_free(&text);
    return ok ? BT_OK : bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", path, rec->line);
}

static enum bt_status take(struct bt__loader *l, const struct bt__record *rec, const struct aspect *a,
                           const struct bt_str *text, size_t at)
{
    struct bt_example *x = bt__loader_add(l, rec->line);
    if (!x || text->failed) return bt__loader_no_memory(l, rec->line);
    x->text = bt__loader_keep(l, bt_str_text(text), text->len, &x->text_n);
    x->pair = bt__loader_keep(l, a->aspect, a->aspect_n, &x->pair_n);
    x->label = bt__loader_keep_tag(l, a->label, a->label_n, &x->label_n);
    if (!x->text || !x->pair || !x->label) return bt__loader_no_memory(l, rec->line);
    if (l->invalid || at == SIZE_MAX) { /* bytes have moved, or no $T$ says where */
        const char *found = strstr(x->text, x->pair);
        at = found ? (size_t)(found - x->text) : SIZE_MAX;
    }
    if (at != SIZE_MAX) {
        x->mark = at;
        x->mark_n = x->pair_n;
    }
    return bt__loader_done(l, x);
}

enum bt_status bt__load_semeval(struct bt__loader *l)
{
    struct bt__record rec;
    struct bt_str text = {0};
    struct aspect a;
    enum bt_status st = BT_OK;
    size_t at = 0, records = 0;
    while (!st && bt__loader_wants_more(l)) {
        if ((st = bt__source_next(&l->source, &l->head.dialect, &rec, l->err))) break;
        split(rec.data, rec.n, &a);
        if ((st = check(&a, l->path, &rec, l->err))) break;
        bt_str_clear(&text);
        fill_in(&a, &text, &at);
        records++;
        st = take(l, &rec, &a, &text, at);
    }
    bt_str_free(&text);
    if (st && st != BT_NOTFOUND) return st;
    l->source.empty = 0; /* between records */
    return bt__loader_found(
        l, "semeval: %zu record%s of 3 lines, a sentence with $T$, its aspect, a label −1, 0 or 1", records,
        records == 1 ? "" : "s");
}
