/* CoNLL columns: a word a line, sentences ended by a line that is empty or blank.
 *
 * Columns are separated by one tab or more, or by blanks of any kind, or by what data.delimiter says. A line whose first column is
 * -DOCSTART- stands between sentences. Lines that begin with # are words (hashtags are), unless every sentence of the first page begins with
 * "# " or the file is CoNLL-U, which has ten columns and a number in the first: then they are comments, and in CoNLL-U the lines of word
 * ranges and empty nodes (1-2, 8.1) are passed over. */
#include "dataset/formats.h"

#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64, CONLLU_COLUMNS = 10, CONLLU_WORD = 1, CONLLU_TAG = 3 };

struct line {
    const char *cell[COLUMNS_MAX];
    size_t cell_n[COLUMNS_MAX], n; /* n: of all columns; cells of the first ones only … */
    const char *last;              /* … and the last one */
    size_t last_n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool separates(char c, char delimiter)
{
    return delimiter == ' ' ? is_blank(c) : c == delimiter;
}

static void split(const char *p, size_t n, char delimiter, struct line *out)
{
    const char *end = p + n;
    out->n = out->last_n = 0;
    for (;;) {
        while (p < end && (separates(*p, delimiter) || is_blank(*p))) p++;
        if (p == end) return;
        const char *from = p, *stop;
        while (p < end && !separates(*p, delimiter)) p++;
        for (stop = p; stop > from && is_blank(stop[-1]);) stop--;
        out->last = from;
        out->last_n = (size_t)(stop - from);
        if (out->n < COLUMNS_MAX) {
            out->cell[out->n] = from;
            out->cell_n[out->n] = out->last_n;
        }
        out->n++;
    }
}

static bool blank_line(const char *p, size_t n)
{
    while (n > 0 && is_blank(p[n - 1])) n--;
    return n == 0;
}

static bool document_start(const char *p, size_t n)
{
    static const char mark[] = "-DOCSTART-";
    const size_t k = sizeof mark - 1;
    return n >= k && memcmp(p, mark, k) == 0 && (n == k || is_blank(p[k]));
}

bool bt__conll_find(const char *p, size_t n, bool last, struct bt__span *out)
{
    struct bt__span line;
    *out = (struct bt__span){0};
    while (out->size < n) {
        const char *at = p + out->size;
        if (!bt__line_find(at, n - out->size, last, &line)) return false;
        bool between = blank_line(at, line.body) || document_start(at, line.body);
        if (between && out->size > 0) return true;
        out->body = between ? 0 : out->size + line.body;
        out->size += line.size;
        out->lines += line.lines;
        if (between) return true;
    }
    return last;
}

/* ── what the first page is like ── */

struct page {
    size_t lines, blocks, comments, commented; /* commented: blocks that begin with "# " */
    size_t others, tabs;                       /* lines that do not begin with #; those with a tab */
    size_t width[COLUMNS_MAX];                 /* lines with so many columns */
    size_t tagged;                             /* lines that end with O or B-… and the like */
    size_t numbered;                           /* … that begin with a number */
    size_t word_bytes;
    bool document_starts, blanks;
};

static bool tag_like(const char *p, size_t n)
{
    return (n == 1 && *p == 'O') || (n > 2 && memchr("BIESLUM", *p, 7) && (p[1] == '-' || p[1] == '_'));
}

static bool number_like(const char *p, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        bool digit = p[i] >= '0' && p[i] <= '9';
        if (!digit && p[i] != '-' && p[i] != '.') return false;
        digits += digit;
    }
    return digits > 0;
}

static void look_at_line(struct page *g, const char *p, size_t n, char delimiter, bool first)
{
    struct line line;
    bool comment = n > 1 && p[0] == '#' && p[1] == ' ';
    g->commented += comment && first;
    g->comments += comment;
    g->others += p[0] != '#';
    g->tabs += p[0] != '#' && memchr(p, '\t', n);
    g->lines++;
    split(p, n, delimiter, &line);
    g->width[line.n < COLUMNS_MAX ? line.n : COLUMNS_MAX - 1]++;
    g->tagged += line.n > 1 && tag_like(line.last, line.last_n);
    g->numbered += line.n > 0 && number_like(line.cell[0], line.cell_n[0]);
    g->word_bytes += line.n > 0 ? line.cell_n[0] : 0;
}

static void look_at_page(struct page *g, const struct bt__source *s, char delimiter)
{
    struct bt__span line;
    bool inside = false;
    *g = (struct page){0};
    for (size_t at = s->at; at < s->n; at += line.size) {
        const char *p = s->buf + at;
        if (!bt__line_find(p, s->n - at, s->end, &line)) break;
        bool start = document_start(p, line.body), blank = blank_line(p, line.body);
        g->document_starts = g->document_starts || start;
        g->blanks = g->blanks || (blank && line.body > 0);
        if (!start && !blank) {
            g->blocks += !inside;
            look_at_line(g, p, line.body, delimiter, !inside);
        }
        inside = !start && !blank;
    }
}

static size_t usual_width(const struct page *g)
{
    size_t best = 0;
    for (size_t i = 1; i < COLUMNS_MAX; i++) {
        if (g->width[i] > 0 && g->width[i] >= g->width[best]) best = i;
    }
    return best;
}

/* Without knowing that it holds words: sentences with tags, or some sentences of short words in columns all alike. */
static bool sure(const struct page *g, size_t width)
{
    size_t words = g->lines - g->comments;
    if (width < 2 || words == 0 || (double)g->width[width] < 0.95 * (double)words) return false;
    if (g->document_starts || (double)g->tagged >= 0.95 * (double)words)
        return g->blocks >= 2 || g->document_starts;
    return g->blocks >= 5 && words >= 4 * g->blocks && g->word_bytes <= 15 * g->lines;
}

static bool named(const char *path)
{
    static const char *const endings[] = {".conll", ".conllu", ".bio", ".iob", ".iob2"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (bt__path_ends(path, endings[i])) return true;
    }
    return false;
}

bool bt__conll_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                     struct bt__head *head)
{
    struct page g;
    bool told = asked->format == BT_DATA_CONLL;
    if (!told && ((kind != BT__EXAMPLE_ANY && kind != BT_EXAMPLE_WORDS) || bt__looks_like_jsonl(s)))
        return false;
    char delimiter = asked->delimiter ? asked->delimiter : ' ';
    look_at_page(&g, s, delimiter);
    if (!asked->delimiter && g.others > 0 && g.tabs == g.others) {
        delimiter = '\t';
        look_at_page(&g, s, delimiter);
    }
    size_t width = usual_width(&g);
    bool numbered = width == CONLLU_COLUMNS && delimiter == '\t' && g.numbered >= g.width[width];
    head->dialect = (struct bt_data_dialect){.format = BT_DATA_CONLL, .delimiter = delimiter};
    head->fields = width;
    head->conllu = numbered;
    head->comments = numbered || (g.blocks > 0 && g.commented == g.blocks);
    head->document_starts = g.document_starts;
    head->blank_lines = g.blanks;
    return told || kind == BT_EXAMPLE_WORDS || named(s->path) || sure(&g, width);
}

/* ── one sentence ── */

/* Where the word and its tag are. */
struct place {
    size_t word, tag, width; /* indices; tag SIZE_MAX: none */
    bool last;               /* the tag is the last column, so that all lines have to have as many */
};

static struct place usual_place(const struct bt__head *h)
{
    if (h->conllu) return (struct place){.word = CONLLU_WORD, .tag = CONLLU_TAG, .width = CONLLU_COLUMNS};
    if (h->fields < 2) return (struct place){.tag = SIZE_MAX, .width = 1};
    return (struct place){.tag = h->fields - 1, .width = h->fields, .last = true};
}

/* The next line with a word: BT_NOTFOUND at the sentence's end. */
struct reading {
    const struct bt__head *head;
    const char *path, *p;
    size_t n, number; /* of bytes that are left; of the line, from 1 */
    struct line line;
    size_t at; /* line number of line */
};

static bool passed_over(const struct bt__head *h, const char *p, size_t n, const struct line *l)
{
    if (h->comments && n > 0 && p[0] == '#' && (h->conllu || n == 1 || p[1] == ' ')) return true;
    return h->conllu && l->n > 0 && number_like(l->cell[0], l->cell_n[0]) &&
           (memchr(l->cell[0], '-', l->cell_n[0]) || memchr(l->cell[0], '.', l->cell_n[0]));
}

static enum bt_status next_word(struct reading *r, const struct place *want, struct bt_error *err)
{
    struct bt__span span;
    size_t needed = want->word + 1;
    if (want->tag != SIZE_MAX && want->tag >= needed) needed = want->tag + 1;
    while (r->n > 0) {
        const char *p = r->p;
        bt__line_find(p, r->n, true, &span);
        r->p += span.size;
        r->n -= span.size;
        r->at = r->number++;
        split(p, span.body, r->head->dialect.delimiter, &r->line);
        if (passed_over(r->head, p, span.body, &r->line)) continue;
        if (r->line.n < needed || (want->last && r->line.n != want->width))
            return bt_fail(err, BT_INVALID, "%s:%zu: found %zu column%s, expected %zu%s", r->path, r->at,
                           r->line.n, r->line.n == 1 ? "" : "s", want->last ? want->width : needed,
                           r->line.n > needed ? "; is the tag in the last one? name data.tags_column" : "");
        return BT_OK;
    }
    return BT_NOTFOUND;
}

enum bt_status bt__conll_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                               struct bt_row *row, struct bt_error *err)
{
    struct place want = usual_place(h);
    struct bt_str words = {0}, tags = {0};
    struct reading r = {.head = h, .path = path, .p = rec->data, .n = rec->n, .number = rec->line};
    enum bt_status st;
    while (!(st = next_word(&r, &want, err))) {
        if (words.len) bt_str_addc(&words, ' ');
        if (tags.len) bt_str_addc(&tags, ' ');
        bt_str_addn(&words, r.line.cell[want.word], r.line.cell_n[want.word]);
        if (want.tag != SIZE_MAX) bt_str_addn(&tags, r.line.cell[want.tag], r.line.cell_n[want.tag]);
    }
    if (st == BT_NOTFOUND) {
        bt__row_begin(row);
        row->line = rec->line;
        bt__row_cell(row, bt_str_text(&words), words.len);
        bt__row_cell(row, bt_str_text(&tags), tags.len);
        st = !words.failed && !tags.failed && bt__row_end(row)
                 ? BT_OK
                 : bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", path, rec->line);
    }
    bt_str_free(&words);
    bt_str_free(&tags);
    return st;
}

/* ── loading ── */

static enum bt_status column(const struct bt__loader *l, const char *asked, const char *option, size_t *index)
{
    int64_t number;
    if (!asked) return BT_OK;
    if (!bt_parse_int64(asked, &number) || number < 1 || number > COLUMNS_MAX)
        return bt_fail(l->err, BT_INVALID,
                       "%s: data.%s is '%s', expected a number from 1 to %d: CoNLL columns have no names",
                       l->path, option, asked, COLUMNS_MAX);
    if ((size_t)number > l->head.fields)
        return bt_fail(l->err, BT_NOTFOUND, "%s: no column %s: its lines have %zu column%s", l->path, asked,
                       l->head.fields, l->head.fields == 1 ? "" : "s");
    *index = (size_t)number - 1;
    return BT_OK;
}

static enum bt_status take_word(struct bt__loader *l, const struct reading *r, const struct place *want)
{
    struct bt_part *part = bt__loader_part(l, r->at);
    if (!part) return bt__loader_no_memory(l, r->at);
    part->text = bt__loader_keep(l, r->line.cell[want->word], r->line.cell_n[want->word], &part->n);
    if (!part->text) return bt__loader_no_memory(l, r->at);
    if (want->tag == SIZE_MAX) return BT_OK;
    part->tag = bt__loader_keep_tag(l, r->line.cell[want->tag], r->line.cell_n[want->tag], &part->tag_n);
    if (!part->tag) return bt__loader_no_memory(l, r->at);
    return bt__loader_label(l, r->at, "tags", &part->tag, &part->tag_n);
}

static enum bt_status take(struct bt__loader *l, const struct bt__record *rec, const struct place *want)
{
    struct reading r = {.head = &l->head, .path = l->path, .p = rec->data, .n = rec->n, .number = rec->line};
    enum bt_status st;
    while (!(st = next_word(&r, want, l->err))) {
        if ((st = take_word(l, &r, want))) return st;
    }
    if (st != BT_NOTFOUND || l->parts == 0) return st == BT_NOTFOUND ? BT_OK : st;
    struct bt_example *x = bt__loader_add(l, rec->line);
    if (!x) return bt__loader_no_memory(l, rec->line);
    return bt__loader_words(l, x);
}

static const char *separator_name(char c)
{
    return c == '\t' ? "tabs" : c == ' ' ? "blanks" : c == ',' ? "commas" : "the delimiter";
}

static enum bt_status tell(struct bt__loader *l, const struct place *want)
{
    const struct bt__head *h = &l->head;
    struct bt_str s = {0};
    if (h->fields == 0) return bt__loader_found(l, "conll: no words");
    bt_str_addf(&s, "conll%s: %zu column%s separated by %s, word in %zu", h->conllu ? " (CoNLL-U)" : "",
                h->fields, h->fields == 1 ? "" : "s", separator_name(h->dialect.delimiter), want->word + 1);
    if (want->tag == SIZE_MAX)
        bt_str_add(&s, ", no tags");
    else
        bt_str_addf(&s, ", tag in %zu", want->tag + 1);
    bt_str_addf(&s, ", %s lines end sentences%s%s", h->blank_lines ? "empty or blank" : "empty",
                h->document_starts ? ", -DOCSTART- lines" : "", h->comments ? ", # comments" : "");
    enum bt_status st = s.failed ? bt__loader_no_memory(l, 1) : bt__loader_found(l, "%s", s.data);
    bt_str_free(&s);
    return st;
}

enum bt_status bt__load_conll(struct bt__loader *l)
{
    struct bt__record rec;
    const struct bt__head *h = &l->head;
    struct place want = usual_place(h);
    size_t tag = want.tag;
    enum bt_status st = column(l, l->spec->tokens_column, "tokens_column", &want.word);
    if (!st) st = column(l, l->spec->tags_column, "tags_column", &tag);
    if (st) return st;
    want.last = want.last && !l->spec->tags_column;
    want.tag = tag;
    while (!st && bt__loader_wants_more(l)) {
        st = bt__source_next(&l->source, &h->dialect, &rec, l->err);
        if (!st) st = take(l, &rec, &want);
    }
    l->source.empty = 0; /* lines between sentences */
    if (st && st != BT_NOTFOUND) return st;
    return tell(l, &want);
}
