#include "tests/unit/files.h"

#include "dataset/cells.h"
#include <bertty/table.h>
#include <pthread.h>

#define AUTO ((struct bt_data_dialect){.quoting = -1, .header = -1})

static struct bt_error err;

/* ── the scanner against libcsv ── */

struct seen {
    struct bt_str text;
};

static void see_cell(void *ctx, const char *bytes, size_t n)
{
    struct seen *s = ctx;
    if (!bytes) {
        bt_str_add(&s->text, "<end>");
        return;
    }
    bt_str_addf(&s->text, "%zu:", n);
    bt_str_addn(&s->text, bytes, n);
    bt_str_addc(&s->text, '|');
}

/* What begins at p looks the same however much of the rest is there, or is not decided yet. */
static void same_for_prefixes(const struct bt_data_dialect *d, const char *p, size_t n,
                              const struct bt__span *whole)
{
    for (size_t k = 1; k < n; k++) {
        struct bt__span part;
        if (!bt__record_find(d, p, k, false, &part)) continue;
        assert_memory_equal(&part, whole, sizeof part);
    }
}

static void own_records(struct bt__csv *csv, const char *p, size_t n, struct seen *s)
{
    const struct bt_data_dialect d = {.format = BT_DATA_CSV, .delimiter = ',', .quoting = 1};
    struct bt_row row = {0};
    for (size_t at = 0; at < n;) {
        struct bt__span span;
        assert_true(bt__record_find(&d, p + at, n - at, true, &span));
        assert_in_range(span.size, 1, n - at);
        same_for_prefixes(&d, p + at, n - at, &span);
        const struct bt__record rec = {.data = p + at, .n = span.body, .line = 1};
        at += span.size;
        if (span.body == 0) continue;
        assert_int_equal(bt__cells_split(&d, csv, "x", &rec, &row, &err), BT_OK);
        for (size_t i = 0; i < row.n; i++) see_cell(s, row.cell[i], row.cell_n[i]);
        see_cell(s, NULL, 0);
    }
    bt_row_free(&row);
}

static void compare_with_libcsv(struct bt__csv *csv, const char *p, size_t n)
{
    struct seen own = {0}, theirs = {0};
    own_records(csv, p, n, &own);
    assert_true(bt__csv_all(',', p, n, see_cell, &theirs));
    if (own.text.len != theirs.text.len ||
        (own.text.len && memcmp(own.text.data, theirs.text.data, own.text.len) != 0))
        fail_msg("[%.*s]: own [%s], libcsv [%s]", (int)n, p, bt_str_text(&own.text),
                 bt_str_text(&theirs.text));
    bt_str_free(&own.text);
    bt_str_free(&theirs.text);
}

static void agrees_with_libcsv_on_all_short_texts(void **state)
{
    (void)state;
    static const char alphabet[] = "a,\"\n\r";
    struct bt__csv *csv = bt__csv_create(',');
    for (unsigned n = 1, count = 5; n <= 6; n++, count *= 5) {
        for (unsigned k = 0; k < count; k++) {
            char *exact = malloc(n), *p = exact; /* of that size, so that reading on is seen */
            assert_non_null(p);
            for (unsigned rest = k, i = 0; i < n; i++, rest /= 5) p[i] = alphabet[rest % 5];
            compare_with_libcsv(csv, p, n);
            free(exact);
        }
    }
    bt__csv_free(csv);
}

static void agrees_with_libcsv_on_random_texts(void **state)
{
    (void)state;
    static const char alphabet[] = {'a', ',', '"', '"', '\n', '\r', ' ', '\t', '\0', (char)0xff};
    struct bt__csv *csv = bt__csv_create(',');
    uint32_t x = 1;
    for (int round = 0; round < 4000; round++) {
        char text[64];
        size_t n = 1 + (x >> 8) % sizeof text;
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            text[i] = alphabet[(x >> 16) % sizeof alphabet];
        }
        compare_with_libcsv(csv, text, n);
    }
    bt__csv_free(csv);
}

/* ── rows ── */

enum { ROWS = 3000 };

/* Rows of one to three lines: "<i>,"text …",<label>". */
static const char *many_rows(const char *name)
{
    struct bt_str s = {0};
    bt_str_add(&s, "id,text,label\n");
    for (int i = 0; i < ROWS; i++)
        bt_str_addf(&s, "%d,\"row %d, %s\"\"x\"\"%s\",%s\n", i, i, i % 3 ? "" : "two\nlines ",
                    i % 500 == 499 ? " Needle" : "", i % 2 ? "odd" : "even");
    const char *path = file_with(name, s.data, s.len);
    bt_str_free(&s);
    return path;
}

static struct bt_table *open_table(const char *path)
{
    struct bt_table *t;
    if (bt_table_open(path, &AUTO, &t, &err)) fail_msg("%s", err.text);
    return t;
}

static void scan_all(struct bt_table *t)
{
    for (bool done = false; !done;) assert_int_equal(bt_table_scan(t, 5000, NULL, &done, &err), BT_OK);
    assert_true(bt_table_complete(t));
    assert_true(bt_table_progress(t) == 1);
}

static void check_row(struct bt_table *t, size_t i, struct bt_row *r)
{
    char text[64];
    assert_int_equal(bt_table_row(t, i, r, &err), BT_OK);
    assert_int_equal(r->n, 3);
    snprintf(text, sizeof text, "%zu", i);
    assert_string_equal(r->cell[0], text);
    snprintf(text, sizeof text, "row %zu, %s\"x\"%s", i, i % 3 ? "" : "two\nlines ",
             i % 500 == 499 ? " Needle" : "");
    assert_string_equal(r->cell[1], text);
    assert_int_equal(r->cell_n[1], strlen(text));
    assert_int_equal(r->line, 2 + i + (i + 2) / 3);
}

static void any_row_in_any_order(void **state)
{
    (void)state;
    struct bt_table *t = open_table(many_rows("t.csv"));
    struct bt_row r = {0};
    assert_int_equal(bt_table_columns(t), 3);
    assert_string_equal(bt_table_column(t, 1), "text");
    assert_int_equal(bt_table_find_column(t, "label"), 2);
    assert_int_equal(bt_table_find_column(t, "1"), 0);
    assert_int_equal(bt_table_find_column(t, "x"), -1);
    assert_int_equal(bt_table_dialect(t)->quoting, 1);
    scan_all(t);
    assert_int_equal(bt_table_rows(t), ROWS);
    for (size_t i = 0; i < ROWS; i++) check_row(t, i, &r);
    for (size_t i = ROWS; i-- > 0;) check_row(t, i, &r);
    for (size_t i = 0, k = 1; i < 2000; i++, k = k * 7919 % ROWS) check_row(t, k, &r);
    assert_int_equal(bt_table_row(t, ROWS, &r, &err), BT_NOTFOUND);
    bt_row_free(&r);
    bt_table_free(t);
}

static void other_forms(void **state)
{
    (void)state;
    struct bt_row r = {0};
    struct bt_table *t =
        open_table(file_text("o.jsonl", "{\"a\":1}\n\n{\"b\":[1,{\"c\":null}],\"a\":\"x\"}\n{\"a\":\n"));
    assert_int_equal(bt_table_columns(t), 2);
    assert_int_equal(bt_table_rows(t), 3);
    assert_int_equal(bt_table_row(t, 1, &r, &err), BT_OK);
    assert_string_equal(r.cell[0], "x");
    assert_string_equal(r.cell[1], "[1,{\"c\":null}]");
    assert_int_equal(r.line, 3);
    assert_int_equal(bt_table_row(t, 2, &r, &err), BT_INVALID);
    assert_string_equal(r.cell[0], "{\"a\":");
    assert_non_null(strstr(err.text, "o.jsonl:4:"));
    assert_int_equal(bt_table_row(t, 0, &r, &err), BT_OK);
    assert_string_equal(r.cell[1], "");
    bt_table_free(t);
    t = open_table(file_text("o.tsv", "a\t\"b\nc\td\te\n"));
    assert_string_equal(bt_table_column(t, 1), "2");
    assert_int_equal(bt_table_row(t, 1, &r, &err), BT_OK);
    assert_int_equal(r.n, 3);
    assert_int_equal(bt_table_row(t, 0, &r, &err), BT_OK);
    assert_string_equal(r.cell[1], "\"b");
    bt_table_free(t);
    t = open_table(file_text("o.csv", "text,label\n\"a\",1\n\"b\n,2\n"));
    assert_int_equal(bt_table_rows(t), 2);
    assert_int_equal(bt_table_row(t, 1, &r, &err), BT_INVALID);
    assert_string_equal(r.cell[0], "\"b\n,2\n");
    assert_non_null(strstr(err.text, "o.csv:3: a quote opens"));
    bt_table_free(t);
    t = open_table(file_text("o.csv", ""));
    assert_int_equal(bt_table_rows(t), 0);
    assert_true(bt_table_progress(t) == 1);
    bt_table_free(t);
    bt_row_free(&r);
}

/* ── search ── */

static enum bt_status search(struct bt_table *t, struct bt_table_query q, size_t from, bool back, size_t *row)
{
    return bt_table_search(t, &q, from, back, 0, NULL, row, &err);
}

static void finds_cells(void **state)
{
    (void)state;
    struct bt_table *t = open_table(many_rows("t.csv"));
    size_t row;
    const struct bt_table_query needle = {.needle = "Needle", .column = -1};
    scan_all(t);
    assert_int_equal(search(t, needle, 0, false, &row), BT_OK);
    assert_int_equal(row, 499);
    assert_int_equal(search(t, needle, 500, false, &row), BT_OK);
    assert_int_equal(row, 999);
    assert_int_equal(search(t, needle, SIZE_MAX, true, &row), BT_OK);
    assert_int_equal(row, 2999);
    assert_int_equal(search(t, needle, 2998, true, &row), BT_OK);
    assert_int_equal(row, 2499);
    assert_int_equal(search(t, needle, 498, true, &row), BT_NOTFOUND);
    assert_int_equal(row, SIZE_MAX);
    assert_int_equal(search(t, needle, 3000, false, &row), BT_NOTFOUND);
    assert_int_equal(row, ROWS);
    assert_int_equal(search(t, (struct bt_table_query){.needle = "nEEDLE", .column = 1}, 0, false, &row),
                     BT_NOTFOUND);
    struct bt_regex *folded;
    assert_int_equal(bt_regex_typed("nEEDLE", &folded, &err), BT_OK);
    assert_int_equal(search(t, (struct bt_table_query){.regex = folded, .column = 1}, 600, false, &row),
                     BT_OK);
    assert_int_equal(row, 999);
    assert_int_equal(search(t, (struct bt_table_query){.regex = folded, .column = 2}, 0, false, &row),
                     BT_NOTFOUND);
    bt_regex_free(folded);
    assert_int_equal(
        search(t, (struct bt_table_query){.needle = "17", .column = 0, .whole = true}, 0, false, &row),
        BT_OK);
    assert_int_equal(row, 17);
    assert_int_equal(search(t, (struct bt_table_query){.needle = "\"x\"", .column = 1}, 9, false, &row),
                     BT_OK);
    assert_int_equal(row, 9);
    bt_table_free(t);
}

static void finds_json_texts(void **state)
{
    (void)state;
    struct bt_table *t = open_table(
        file_text("s.jsonl", "{\"t\":\"one\"}\n{\"t\":\"\\u0074wo\"}\n{\"t\":[1 ,\"x\"]}\n{\"t\":1.50}\n"));
    static const struct {
        const char *needle;
        size_t row;
    } cases[] = {{"one", 0}, {"two", 1}, {"1,\"x\"", 2}, {"1.5", 3}, {"1.50", 4}, {"[1 ", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t row;
        const struct bt_table_query q = {.needle = cases[i].needle, .column = -1};
        assert_int_equal(search(t, q, 0, false, &row), cases[i].row < 4 ? BT_OK : BT_NOTFOUND);
        assert_int_equal(row, cases[i].row);
    }
    bt_table_free(t);
}

static void search_in_slices(void **state)
{
    (void)state;
    struct bt_table *t = open_table(many_rows("t.csv"));
    const struct bt_table_query q = {.needle = "Needle", .column = -1};
    size_t row = 0, calls = 0;
    scan_all(t);
    enum bt_status st;
    while ((st = bt_table_search(t, &q, row, false, 1000, NULL, &row, &err)) == BT_NOTFOUND && row < ROWS)
        calls++;
    assert_int_equal(st, BT_OK);
    assert_int_equal(row, 499);
    assert_in_range(calls, 5, 100);
    row = 490;
    while ((st = bt_table_search(t, &q, row, true, 1000, NULL, &row, &err)) == BT_NOTFOUND && row != SIZE_MAX)
        calls++;
    assert_int_equal(st, BT_NOTFOUND);
    assert_int_equal(row, SIZE_MAX);
    atomic_bool cancel = true;
    assert_int_equal(bt_table_search(t, &q, 0, false, 0, &cancel, &row, &err), BT_CANCELLED);
    bt_table_free(t);
}

/* Text that has all that a file can have around it: quotes in quotes, empty lines, CRLF, records larger than a slice. */
static const char *odd_rows(const char *name, char delimiter, bool quotes)
{
    static const char *const cells[] = {"a", "ab", "b a", "", "abc b", "b", "c", "aXb", "xyz"};
    static const char *const quoted[] = {"\"a\"\"b\"", "\"a\nb\"", "\"ab\"", "\"\"", "\"b\"\"\"", "\"x,y\""};
    struct bt_str s = {0};
    uint32_t x = 7;
    bt_str_addf(&s, "one%ctwo%cthree\n", delimiter, delimiter);
    for (int i = 0; i < 1500; i++) {
        for (int k = 0; k < 3; k++) {
            x = x * 1664525u + 1013904223u;
            bool q = quotes && (i / 30) % 3 == 0 && (x >> 13) % 2;
            bt_str_add(&s, q ? quoted[(x >> 16) % 6] : cells[(x >> 16) % 9]);
            if (k < 2) bt_str_addc(&s, delimiter);
        }
        bt_str_add(&s, (x >> 9) % 19 == 0 ? "\r\n" : (x >> 9) % 23 == 0 ? "\n\n" : "\n");
    }
    const char *path = file_with(name, s.data, s.len);
    bt_str_free(&s);
    return path;
}

static bool some_cell_matches(struct bt_regex *r, const struct bt_row *row, ptrdiff_t column)
{
    size_t a, b;
    for (size_t i = 0; i < row->n; i++)
        if ((column < 0 || (size_t)column == i) && bt_regex_find(r, row->cell[i], row->cell_n[i], 0, &a, &b))
            return true;
    return false;
}

/* Every row that is found forwards in slices, and backwards, is one whose cells match, and none is left out. */
static void search_equals_cells(struct bt_table *t, const char *pattern, ptrdiff_t column)
{
    struct bt_regex *r;
    struct bt_row cells = {0};
    size_t at = 0, row = 0, rows = bt_table_rows(t);
    assert_int_equal(bt_regex_compile(pattern, strlen(pattern), 0, &r, NULL, &err), BT_OK);
    const struct bt_table_query q = {.regex = r, .column = column};
    for (size_t i = 0; i < rows; i++) {
        bt_table_row(t, i, &cells, &err);
        if (!some_cell_matches(r, &cells, column)) continue;
        enum bt_status st;
        while ((st = bt_table_search(t, &q, at, false, 700, NULL, &row, &err)) == BT_NOTFOUND && row < rows) {
            assert_in_range(row, at, rows);
            at = row;
        }
        if (st != BT_OK || row != i) fail_msg("%s: found %zu, expected %zu", pattern, row, i);
        if (i % 41 == 0) { /* goes over a whole stretch of the index each time */
            assert_int_equal(bt_table_search(t, &q, i, true, 0, NULL, &row, &err), BT_OK);
            assert_int_equal(row, i);
        }
        at = i + 1;
    }
    assert_int_equal(bt_table_search(t, &q, at, false, 0, NULL, &row, &err), BT_NOTFOUND);
    assert_int_equal(row, rows);
    bt_regex_free(r);
    bt_row_free(&cells);
}

static void expressions_match_cells(void **state)
{
    (void)state;
    static const char *const patterns[] = {"^a",      "b$",    "ab",      "a.b",  "^$",   "a\\b",
                                           "\\bb\\b", "[^,]b", "b[^c]*a", "a\nb", "b\"",  "(?<=a)b",
                                           "z",       "x,y",   "a\\s+b",  "Q",    "c\\B", "."};
    for (int kind = 0; kind < 3; kind++) {
        struct bt_table *t = open_table(kind == 0   ? odd_rows("odd.csv", ',', true)
                                        : kind == 1 ? odd_rows("plain.csv", ',', false)
                                                    : odd_rows("odd.tsv", '\t', false));
        scan_all(t);
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            search_equals_cells(t, patterns[i], -1);
            search_equals_cells(t, patterns[i], 1);
        }
        bt_table_free(t);
    }
    const struct bt_data_dialect letters = {.delimiter = 'x', .quoting = 0, .header = 0};
    struct bt_table *t;
    assert_int_equal(bt_table_open(file_text("x.csv", "axb\naxcb\nabxc\n"), &letters, &t, &err), BT_OK);
    search_equals_cells(t, "\\bb", -1);
    bt_table_free(t);
}

/* ── filters ── */

static size_t rows_that_hold(struct bt_table *t, const char *text)
{
    struct bt_row_filter *f;
    size_t row = 0, n = 0;
    if (bt_row_filter_parse(text, t, &f, NULL, &err)) fail_msg("%s: %s", text, err.text);
    const struct bt_table_query q = {.filter = f};
    for (enum bt_status st; row < bt_table_rows(t); row += st == BT_OK) {
        st = bt_table_search(t, &q, row, false, 1000, NULL, &row, &err);
        assert_true(st == BT_OK || st == BT_NOTFOUND);
        n += st == BT_OK;
    }
    bt_row_filter_free(f);
    return n;
}

static size_t pieces_are_bytes(void *ctx, const char *text, size_t n)
{
    (void)text;
    ++*(int *)ctx;
    return n;
}

static void typed_filters(void **state)
{
    (void)state;
    struct bt_table *t = open_table(file_text(
        "f.csv", "id,text,label,score,gold label\n1,short,pos,0.5,pos\n2,\"a longer, text\",neg,.25,pos\n"
                 "3,日本語,pos,1e1,neg\n4,Short Again,neutral,,pos\n10,x,pos,-2,pos\nragged\n"));
    static const struct {
        const char *filter;
        size_t rows;
    } cases[] = {
        {"label = pos", 3},
        {"label=\"pos\"", 3},
        {"label == 'pos' and length(text) > 3", 1},
        {"length(text) = 3", 1},
        {"score >= 0.5", 2},
        {"score >= .5 or not text ~ /short/i", 5},
        {"not text ~ /short/", 5},
        {"text !~ /short/i", 4},
        {"text ~ short", 2},
        {"id < 5", 4},
        {"id > 3 and id <= 10", 2},
        {"score != 0.5", 5},
        {"score < 0", 1},
        {"label = `gold label`", 2},
        {"label != `gold label`", 4},
        {"label < neh", 1},
        {"\"short\"", 2},
        {"/^S/", 1},
        {"/^S/ or /^x$/", 2},
        {"(label = pos or label = neg) and score > -5", 4},
        {"label = pos or label = neg and score > 5", 3},
        {"not (label = pos or label = neg)", 2},
        {"NOT NOT label = pos", 3},
        {"\"a longer, text\"", 1},
        {"text = \"a longer, text\"", 1},
        {"score = \"\"", 1},
        {"label = 3", 0},
        {"length(label)=length(text)", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = rows_that_hold(t, cases[i].filter);
        if (n != cases[i].rows) fail_msg("%s: %zu rows, expected %zu", cases[i].filter, n, cases[i].rows);
    }
    struct bt_row_filter *f;
    struct bt_row r = {0};
    int asked = 0;
    assert_int_equal(bt_row_filter_parse("pieces(text) >= 9", t, &f, NULL, &err), BT_OK);
    assert_true(bt_row_filter_needs_pieces(f));
    bt_row_filter_pieces(f, pieces_are_bytes, &asked);
    assert_int_equal(bt_table_row(t, 2, &r, &err), BT_OK);
    assert_true(bt_row_filter_holds(f, &r));
    assert_int_equal(asked, 1);
    bt_row_free(&r);
    bt_row_filter_free(f);
    bt_table_free(t);
}

static void mistakes_in_filters(void **state)
{
    (void)state;
    struct bt_table *t = open_table(file_text("f.csv", "id,text,label\n1,a,x\n2,b,y\n"));
    static const struct {
        const char *filter, *message;
    } cases[] = {
        {"", "at character 1: expected a column"},
        {"labl = x", "at character 1: found labl, expected a column; is it label?"},
        {"text = ", "at character 8: expected a value"},
        {"text", "at character 5: expected a comparison"},
        {"text = a b", "at character 10: found b, expected and, or, or the end"},
        {"(text = a", "at character 10: expected )"},
        {"text = \"a", "at character 10: expected a closing \""},
        {"text ~ /a(/", "missing closing parenthesis"},
        {"length(txt) > 1", "at character 8: found txt, expected a column; is it text?"},
        {"length(text > 1", "at character 13: found >, expected )"},
        {"日 = 1", "at character 1: found 日"},
        {"text = a %", "at character 10: found %, expected"},
        {"length(text) ~ /a/", "a column left of ~"},
        {"text ~ ", "at character 8: expected /an expression/"},
        {"text = a and", "at character 13: expected a column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_row_filter *f;
        assert_int_equal(bt_row_filter_parse(cases[i].filter, t, &f, NULL, &err), BT_INVALID);
        assert_null(f);
        if (!strstr(err.text, cases[i].message)) fail_msg("%s: %s", cases[i].filter, err.text);
    }
    struct bt_str deep = {0};
    struct bt_row_filter *f;
    for (int i = 0; i < 100000; i++) bt_str_addc(&deep, '(');
    assert_int_equal(bt_row_filter_parse(bt_str_text(&deep), t, &f, NULL, &err), BT_INVALID);
    bt_str_free(&deep);
    bt_table_free(t);
}

/* ── while things change ── */

struct scanner {
    struct bt_table *t;
    enum bt_status st;
};

static void *scan_in_background(void *arg)
{
    struct scanner *s = arg;
    bool done = false;
    while (!s->st && !done) s->st = bt_table_scan(s->t, 20000, NULL, &done, NULL);
    return NULL;
}

static const char *large_file(void)
{
    struct bt_str s = {0};
    for (int i = 0; i < 200000; i++) bt_str_addf(&s, "%d\ttext of row %d\n", i, i);
    const char *path = file_with("large.tsv", s.data, s.len);
    bt_str_free(&s);
    return path;
}

static void rows_are_read_while_others_are_found(void **state)
{
    (void)state;
    struct bt_table *t = open_table(large_file());
    struct scanner s = {.t = t};
    struct bt_row r = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, scan_in_background, &s), 0);
    for (bool complete = false; !complete;) {
        char text[32];
        complete = bt_table_complete(t);
        size_t last = bt_table_rows(t) - 1;
        assert_int_equal(bt_table_row(t, last, &r, &err), BT_OK);
        snprintf(text, sizeof text, "%zu", last);
        assert_string_equal(r.cell[0], text);
    }
    pthread_join(thread, NULL);
    assert_int_equal(s.st, BT_OK);
    assert_int_equal(bt_table_rows(t), 200000);
    bt_row_free(&r);
    bt_table_free(t);
}

static void a_file_that_becomes_shorter(void **state)
{
    (void)state;
    const char *path = large_file();
    struct bt_table *t = open_table(path);
    struct bt_row r = {0};
    bool done;
    size_t known = bt_table_rows(t), row;
    assert_in_range(known, 1000, 199999);
    assert_int_equal(truncate(path, 3 << 20), 0);
    assert_int_equal(bt_table_scan(t, 0, NULL, &done, &err), BT_DAMAGED);
    assert_non_null(strstr(err.text, "became shorter"));
    assert_false(done);
    assert_int_equal(bt_table_row(t, known - 1, &r, &err), BT_OK);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(bt_table_row(t, bt_table_rows(t) - 1, &r, &err), BT_DAMAGED);
    assert_int_equal(search(t, (struct bt_table_query){.needle = "x", .column = 0}, known - 1, false, &row),
                     BT_DAMAGED);
    bt_row_free(&r);
    bt_table_free(t);
}

static void a_file_that_grows(void **state)
{
    (void)state;
    const char *path = file_text("grow.tsv", "a\t1\nb\t2");
    struct bt_table *t = open_table(path);
    struct bt_row r = {0};
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    fputs("3\nc\t3\n", f);
    fclose(f);
    scan_all(t);
    assert_int_equal(bt_table_rows(t), 2);
    assert_int_equal(bt_table_row(t, 1, &r, &err), BT_OK);
    assert_string_equal(r.cell[1], "2");
    bt_row_free(&r);
    bt_table_free(t);
}

/* A record that is too long is refused even if the buffer happens to hold it; the rows before it are known. */
static void records_that_are_too_long(void **state)
{
    (void)state;
    const char *path = file_text("long.tsv", "a\t1\nb\t2\n");
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 130 << 20, SEEK_SET), 0); /* a hole: NUL bytes */
    fputs("\t3\nd\t4\n", f);
    fclose(f);
    struct bt_table *t = open_table(path);
    bool done;
    assert_int_equal(bt_table_rows(t), 2);
    assert_int_equal(bt_table_scan(t, 0, NULL, &done, &err), BT_INVALID);
    assert_non_null(strstr(err.text, "long.tsv:3: a record of more than 128 MiB"));
    assert_int_equal(bt_table_rows(t), 2);
    bt_table_free(t);
}

static void cancelled_scans_go_on(void **state)
{
    (void)state;
    struct bt_table *t = open_table(large_file());
    atomic_bool cancel = true;
    bool done;
    assert_int_equal(bt_table_scan(t, 0, &cancel, &done, &err), BT_CANCELLED);
    scan_all(t);
    assert_int_equal(bt_table_rows(t), 200000);
    bt_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_libcsv_on_all_short_texts),
        cmocka_unit_test(agrees_with_libcsv_on_random_texts),
        cmocka_unit_test(any_row_in_any_order),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(finds_cells),
        cmocka_unit_test(finds_json_texts),
        cmocka_unit_test(search_in_slices),
        cmocka_unit_test(expressions_match_cells),
        cmocka_unit_test(typed_filters),
        cmocka_unit_test(mistakes_in_filters),
        cmocka_unit_test(rows_are_read_while_others_are_found),
        cmocka_unit_test(a_file_that_becomes_shorter),
        cmocka_unit_test(a_file_that_grows),
        cmocka_unit_test(cancelled_scans_go_on),
        cmocka_unit_test(records_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
