/* The fast pass over lines against the one that finds records one by one. */
#include "dataset/plain_lines.h"
#include "dataset/records.h"
#include <bertty/str.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What was passed over, found record by record. */
static void same_as_one_by_one(const struct bt_data_dialect *d, const char *p, size_t n, size_t max)
{
    struct bt__plain got, want = {.bytes = 0};
    bt__plain_lines(d, p, n, max, false, &got);
    assert_in_range(got.bytes, 0, n);
    assert_in_range(got.rows, 0, max);
    while (want.bytes < got.bytes) {
        struct bt__span span;
        assert_true(bt__record_find(d, p + want.bytes, n - want.bytes, want.bytes + 1 < n, &span));
        want.bytes += span.size;
        want.rows += span.body > 0;
        want.empty += span.body == 0;
        want.lines += span.lines;
    }
    if (memcmp(&want, &got, sizeof got) != 0)
        fail_msg("[%.*s]: %zu bytes, %zu rows, %zu lines; one by one %zu, %zu, %zu", (int)n, p, got.bytes,
                 got.rows, got.lines, want.bytes, want.rows, want.lines);
}

static void on_random_lines(void **state)
{
    (void)state;
    static const char alphabet[] = {'a', 'b', ',', '\n', '\n', '\r', ' ', '"', '\t', '\0', 'c', 'd'};
    static const struct bt_data_dialect dialects[] = {
        {.format = BT_DATA_CSV, .delimiter = ',', .quoting = 1},
        {.format = BT_DATA_TSV, .delimiter = '\t'},
        {.format = BT_DATA_JSONL},
    };
    uint32_t x = 1;
    for (int round = 0; round < 60000; round++) {
        char *text;
        size_t n = 1 + (x >> 8) % 300, most = 2 + (x >> 5) % 11;
        assert_non_null(text = malloc(n));
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            text[i] = alphabet[(x >> 16) % most];
            if (i && text[i - 1] == '\r' && x >> 30) text[i] = '\n';
        }
        same_as_one_by_one(&dialects[round % 3], text, n, round % 7 ? (x >> 9) % 40 : SIZE_MAX);
        free(text);
    }
}

static uint32_t drawn(uint32_t *x, uint32_t n)
{
    *x = *x * 1664525u + 1013904223u;
    return (*x >> 16) % n;
}

/* Cells as a writer of CSV makes them, with now and then something that none makes. */
static void add_cell(struct bt_str *s, uint32_t *x, bool odd)
{
    static const char *const plain[] = {"", "a", "bc", "some words that take their place", "d e"};
    static const char *const inner[] = {"x", "\"\"", "\n", ",", "\r\n", "words and words", "\"\"\"\"", " "};
    static const char *const bad[] = {"a\"b", "\"a\"b", "\r", "\"\"a\"\"", "a\"\"", " \"a\"", "\""};
    if (odd && drawn(x, 60) == 0) {
        bt_str_add(s, bad[drawn(x, 7)]);
    } else if (drawn(x, 2)) {
        bt_str_addc(s, '"');
        for (uint32_t n = drawn(x, 9); n > 0; n--) bt_str_add(s, inner[drawn(x, 8)]);
        bt_str_addc(s, '"');
    } else {
        bt_str_add(s, plain[drawn(x, 5)]);
    }
}

/* The first "" within a quoted cell, of cells as they should be; NULL: none. */
static const char *first_doubled(const char *p, const char *end)
{
    bool inside = false;
    for (; p < end; p++) {
        if (*p != '"') continue;
        if (inside && p + 1 < end && p[1] == '"') return p;
        inside = !inside;
    }
    return NULL;
}

static void on_quoted_cells(void **state)
{
    (void)state;
    static const struct bt_data_dialect csv = {.format = BT_DATA_CSV, .delimiter = ',', .quoting = 1};
    uint32_t x = 3;
    for (int round = 0; round < 20000; round++) {
        struct bt_str s = {0};
        const bool odd = round % 2;
        const uint32_t records = 1 + drawn(&x, 30);
        for (uint32_t i = 0; i < records; i++) {
            for (uint32_t k = drawn(&x, 4); k > 0; k--) {
                add_cell(&s, &x, odd);
                if (k > 1) bt_str_addc(&s, ',');
            }
            bt_str_add(&s, drawn(&x, 5) ? "\n" : "\r\n");
        }
        char *exact = malloc(s.len); /* of that size, so that reading on is seen */
        assert_non_null(exact);
        memcpy(exact, s.data, s.len);
        same_as_one_by_one(&csv, exact, s.len, round % 3 ? SIZE_MAX : drawn(&x, 20));
        struct bt__plain got;
        bt__plain_lines(&csv, exact, s.len, SIZE_MAX, false, &got);
        if (!odd) assert_int_equal(got.bytes, s.len); /* nothing needed a closer look */
        bt__plain_lines(&csv, exact, s.len, SIZE_MAX, true, &got);
        const char *doubled = first_doubled(exact, exact + s.len);
        if (doubled && !odd) assert_in_range(got.bytes, 0, doubled - exact);
        if (!doubled && !odd) assert_int_equal(got.bytes, s.len);
        free(exact);
        bt_str_free(&s);
    }
}

/* It gets as far as it can. */
static void passes_over_plain_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct bt__plain csv, tsv, json;
    } cases[] = {
        {"a\nb\n\nc", {5, 2, 1, 3}, {5, 2, 1, 3}, {5, 2, 1, 3}},
        {"a\r\nb\r\n\r\nc\n", {10, 3, 1, 4}, {10, 3, 1, 4}, {6, 2, 0, 2}},
        {"\n\n\n", {3, 0, 3, 3}, {3, 0, 3, 3}, {3, 0, 3, 3}},
        {"a\nb\"\nc\n", {2, 1, 0, 1}, {7, 3, 0, 3}, {7, 3, 0, 3}},
        {"a\nb\rc\nd\n", {2, 1, 0, 1}, {2, 1, 0, 1}, {8, 3, 0, 3}},
        {"a\n b\n", {5, 2, 0, 2}, {5, 2, 0, 2}, {2, 1, 0, 1}},
        {"\"a\n\",\"\"\n\"\"\"b\"\n", {14, 2, 0, 3}, {14, 3, 0, 3}, {14, 3, 0, 3}},
        {"\"a\"\n\"b\" \n\"c\"\n", {4, 1, 0, 1}, {13, 3, 0, 3}, {13, 3, 0, 3}},
        {"\"a\"\n\"b\"", {4, 1, 0, 1}, {4, 1, 0, 1}, {4, 1, 0, 1}},
    };
    static const struct bt_data_dialect csv = {.format = BT_DATA_CSV, .delimiter = ',', .quoting = 1},
                                        tsv = {.format = BT_DATA_TSV, .delimiter = '\t'},
                                        json = {.format = BT_DATA_JSONL};
    const struct bt_data_dialect *const d[] = {&csv, &tsv, &json};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 3; k++) {
            const struct bt__plain *want = k == 0 ? &cases[i].csv : k == 1 ? &cases[i].tsv : &cases[i].json;
            struct bt__plain got;
            bt__plain_lines(d[k], cases[i].text, strlen(cases[i].text), SIZE_MAX, false, &got);
            if (memcmp(&got, want, sizeof got) != 0)
                fail_msg("case %zu, dialect %zu: %zu bytes, %zu rows, %zu lines", i, k, got.bytes, got.rows,
                         got.lines);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_random_lines), cmocka_unit_test(on_quoted_cells),
                                       cmocka_unit_test(passes_over_plain_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
