/* Rows in the order of a column. */
#include <bertty/row_order.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bt_error err;

static uint32_t *sorted(struct bt_row_order *o, size_t *n)
{
    double progress = 0, before = 0;
    while (progress < 1) {
        assert_int_equal(bt_row_order_sort(o, NULL, &progress, &err), BT_OK);
        assert_true(progress >= before);
        before = progress;
    }
    return bt_row_order_take(o, n);
}

static void comes_as(const char *const *cell, size_t n, bool reversed, const uint32_t *want)
{
    struct bt_row_order *o = bt_row_order_create(reversed, 1 << 20);
    size_t got;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bt_row_order_add(o, i, cell[i], strlen(cell[i]), &err), BT_OK);
    uint32_t *row = sorted(o, &got);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++)
        if (row[i] != want[i])
            fail_msg("place %zu%s: row %u, expected %u", i, reversed ? " reversed" : "", row[i], want[i]);
    free(row);
    bt_row_order_free(o);
}

static void numbers_texts_and_nothing(void **state)
{
    (void)state;
    static const char *const cells[] = {"b",    "10",         "",           "9",         "-1", "a",
                                        "9.0",  "1e2",        "abcdefghij", "abcdefghi", "",   "\xc3\xa4",
                                        "-0.5", "abcdefghik", "0",          "-0"};
    static const uint32_t up[] = {4, 12, 14, 15, 3, 6, 1, 7, 5, 9, 8, 13, 0, 11, 2, 10};
    static const uint32_t down[] = {11, 0, 13, 8, 9, 5, 7, 1, 3, 6, 14, 15, 12, 4, 2, 10};
    comes_as(cells, sizeof cells / sizeof *cells, false, up);
    comes_as(cells, sizeof cells / sizeof *cells, true, down);
    comes_as(cells, 0, false, up);
    comes_as(cells, 1, false, (const uint32_t[]){0});
}

enum { MANY = 50000 };
static int value[MANY];

static int by_value_then_row(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (value[x] != value[y]) return value[x] < value[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void many_rows_stay_stable(void **state)
{
    (void)state;
    struct bt_row_order *o = bt_row_order_create(false, 64 << 20);
    static uint32_t want[MANY];
    uint32_t x = 3;
    size_t n;
    for (uint32_t i = 0; i < MANY; i++) {
        char text[48];
        x = x * 1664525u + 1013904223u;
        value[i] = (int)(x >> 20);
        want[i] = i;
        snprintf(text, sizeof text, "some longer text %06d", value[i]);
        assert_int_equal(bt_row_order_add(o, i, text, strlen(text), &err), BT_OK);
    }
    qsort(want, MANY, sizeof *want, by_value_then_row);
    uint32_t *row = sorted(o, &n);
    assert_int_equal(n, MANY);
    assert_memory_equal(row, want, sizeof want);
    free(row);
    bt_row_order_free(o);
}

static void too_large_is_said(void **state)
{
    (void)state;
    struct bt_row_order *o = bt_row_order_create(false, 1 << 20);
    enum bt_status st = BT_OK;
    size_t i = 0;
    for (; !st && i < 100000; i++) st = bt_row_order_add(o, i, "1", 1, &err);
    assert_int_equal(st, BT_NOMEM);
    assert_non_null(strstr(err.text, "rows fit into 1 MiB; filter it first"));
    atomic_bool cancel = true;
    double progress;
    assert_int_equal(bt_row_order_sort(o, &cancel, &progress, &err), BT_CANCELLED);
    bt_row_order_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_texts_and_nothing),
                                       cmocka_unit_test(many_rows_stay_stable),
                                       cmocka_unit_test(too_large_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
