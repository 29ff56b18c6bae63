/* Text to read: where it is wrapped, what is cleaned, how far it scrolls. */
#include "tui/sheet.h"
#include "tui/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t fit(const char *text, int width)
{
    return sheet_fit(text, strlen(text), width);
}

static void wraps_at_blanks(void **unused)
{
    (void)unused;
    assert_int_equal(fit("one two three", 20), 13);
    assert_int_equal(fit("one two three", 8), 8); /* with the blank */
    assert_int_equal(fit("one two three", 7), 4);
    assert_int_equal(fit("unbreakable", 4), 4);
    assert_int_equal(fit("日本語", 5), 6); /* two columns each */
    assert_int_equal(fit("日", 1), 3);     /* never nothing */
    assert_int_equal(fit("", 4), 0);
}

static void lines_are_clean(void **unused)
{
    struct sheet s = {0};
    (void)unused;
    sheet_begin(&s, 20);
    sheet_print(&s, ROLE_TEXT, 0, "a\x1b[1m%s", "\n");
    sheet_wrap(&s, ROLE_TEXT, 2, "first\n\nthird \x07", 14);
    sheet_join(&s, ROLE_DIM, 10, "beside");
    assert_int_equal(s.n, 5);
    assert_int_equal(sheet_rows(&s), 4);
    assert_memory_equal(bt_str_text(&s.text) + s.line[0].at, "a\\x1b[1m\\n", s.line[0].n);
    assert_int_equal(s.line[2].n, 0);
    assert_memory_equal(bt_str_text(&s.text) + s.line[3].at, "third \\x07", s.line[3].n);
    sheet_free(&s);
}

static void long_text_is_cut(void **unused)
{
    struct sheet s = {0};
    size_t n = 200000;
    char *text = malloc(n);
    (void)unused;
    assert_non_null(text);
    memset(text, 'x', n);
    sheet_begin(&s, 100);
    sheet_wrap(&s, ROLE_TEXT, 0, text, n);
    assert_in_range(sheet_rows(&s), 600, 700);
    assert_non_null(strstr(bt_str_text(&s.text), "bytes more"));
    free(text);
    sheet_free(&s);
}

static void scrolls_within(void **unused)
{
    struct sheet s = {.page = 4};
    (void)unused;
    sheet_begin(&s, 20);
    for (int i = 0; i < 10; i++) sheet_print(&s, ROLE_TEXT, 0, "line %d", i);
    assert_true(sheet_act(&s, ACT_PAGE_DOWN, 1));
    assert_int_equal(s.top, 3);
    sheet_act(&s, ACT_END, 1);
    assert_int_equal(s.top, 6);
    sheet_act(&s, ACT_UP, 2);
    assert_int_equal(s.top, 4);
    sheet_act(&s, ACT_HOME, 1);
    sheet_scroll(&s, -5);
    assert_int_equal(s.top, 0);
    assert_false(sheet_act(&s, ACT_ENTER, 1));
    sheet_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_at_blanks),
        cmocka_unit_test(lines_are_clean),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(scrolls_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
