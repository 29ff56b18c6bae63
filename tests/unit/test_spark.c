/* Curves as words. */
#include "tui/spark.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_spark(const float *v, size_t n, int columns, enum plot_glyphs g, const char *expected)
{
    struct bt_str out = {.data = NULL};
    spark_add(&out, v, n, columns, g);
    assert_string_equal(bt_str_text(&out), expected);
    bt_str_free(&out);
}

static void falling(void **state)
{
    (void)state;
    static const float v[] = {3, 2, 1, 0, 0, 0};
    assert_spark(v, 6, 3, PLOT_BRAILLE, "⠑⢄⣀");
    assert_spark(v, 6, 6, PLOT_BLOCK, "█▆▃▁▁▁");
    assert_spark(v, 6, 6, PLOT_ASCII, "''-...");
    assert_spark(v, 6, 3, PLOT_ASCII, "'..");   /* means of two: 2.5, 0.5, 0 */
    assert_spark(v, 3, 10, PLOT_BRAILLE, "⠑⡀"); /* fewer than fit: less room */
    assert_spark(v, 0, 10, PLOT_BRAILLE, "");
    assert_spark(v, 6, 0, PLOT_BRAILLE, "");
}

static void odd_values(void **state)
{
    (void)state;
    static const float flat[] = {2, 2, 2, 2}, hole[] = {1, 1, 0, NAN, 0, 0},
                       far[] = {0, 1, INFINITY, -INFINITY};
    assert_spark(flat, 4, 4, PLOT_BLOCK, "▅▅▅▅");
    assert_spark(hole, 6, 3, PLOT_BRAILLE, "⠉×⣀");
    assert_spark(hole, 6, 6, PLOT_ASCII, "''.x..");
    assert_spark(far, 4, 4, PLOT_BLOCK, "▁██▁");
    static float many[1000];
    struct bt_str out = {.data = NULL};
    spark_add(&out, many, 1000, 400, PLOT_BRAILLE);
    assert_true(out.len <= 128 * 3);
    bt_str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(falling), cmocka_unit_test(odd_values)};
    return cmocka_run_group_tests_name("spark", tests, NULL, NULL);
}
