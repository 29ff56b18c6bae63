/* Rows at a bit each, against a plain array. */
#include "tui/views/row_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 3000 };

/* Gaps of up to `most` rows. */
static void same_as_an_array(uint32_t most)
{
    struct row_set s = {.n = 0}, copy;
    size_t row[MANY], n = 0, i;
    uint32_t x = most;
    for (size_t at = 0; n < MANY; at++) {
        x = x * 1664525u + 1013904223u;
        at += (x >> 16) % most;
        row[n++] = at;
        assert_true(row_set_add(&s, at));
    }
    assert_true(row_set_copy(&s, &copy));
    row_set_free(&s);
    assert_int_equal(copy.n, MANY);
    for (i = 0; i < MANY; i++) {
        size_t place;
        assert_int_equal(row_set_at(&copy, i), row[i]);
        assert_true(row_set_find(&copy, row[i], &place));
        assert_int_equal(place, i);
        if (i + 1 < MANY && row[i] + 1 == row[i + 1]) continue;
        assert_false(row_set_find(&copy, row[i] + 1, &place));
        assert_int_equal(place, i + 1);
    }
    assert_int_equal(row_set_at(&copy, MANY), SIZE_MAX);
    row_set_free(&copy);
}

static void any_density(void **state)
{
    (void)state;
    static const uint32_t most[] = {1, 2, 3, 64, 65, 1000, 5000, 20000};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) same_as_an_array(most[i]);
}

static void nothing(void **state)
{
    (void)state;
    struct row_set s = {.n = 0}, copy;
    size_t place;
    assert_int_equal(row_set_at(&s, 0), SIZE_MAX);
    assert_false(row_set_find(&s, 7, &place));
    assert_int_equal(place, 0);
    assert_true(row_set_copy(&s, &copy));
    assert_int_equal(copy.n, 0);
    row_set_free(&copy);
    row_set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_density), cmocka_unit_test(nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
