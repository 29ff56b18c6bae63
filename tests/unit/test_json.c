/* Reading JSON: numbers of any width, what is refused, and numbers that were written. */
#include <bertty/json.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct bt_json *parse(const char *text)
{
    struct bt_error err;
    struct bt_json *root = bt_json_parse(text, strlen(text), "x", &err);
    if (!root) fail_msg("%s", err.text);
    return root;
}

static void integers_of_any_width(void **state)
{
    (void)state;
    struct bt_json *root = parse("{\"model_max_length\": 1000000000000000019884624838656,"
                                 " \"a\": [-9223372036854775808, 9223372036854775807, 9223372036854775808],"
                                 " \"text\": \"12345678901234567890123 \\\" -99999999999999999999\"}");
    const struct bt_json *wide = bt_json_get(root, "model_max_length"), *a = bt_json_get(root, "a");
    assert_int_equal(bt_json_kind(wide), BT_JSON_REAL);
    assert_true(bt_json_number(wide, 0.0) == 1e30);
    assert_int_equal(bt_json_int(wide, -1), -1);
    assert_true(bt_json_int(bt_json_at(a, 0), 0) == INT64_MIN);
    assert_true(bt_json_int(bt_json_at(a, 1), 0) == INT64_MAX);
    assert_int_equal(bt_json_kind(bt_json_at(a, 2)), BT_JSON_REAL);
    assert_string_equal(bt_json_text(bt_json_get(root, "text"), ""),
                        "12345678901234567890123 \" -99999999999999999999");
    bt_json_free(root);
}

static void refused_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where;
    } bad[] = {{.text = "{\"a\": 1,\n \"a\": 2}", .where = "x:2:4"}, /* duplicate */
               {.text = "[1, 2", .where = "x:1:5"},
               {.text = "[\"\\ud800\"]", .where = "x:1:9"}, /* lone surrogate */
               {.text = "[\"\xff\"]", .where = "x:1:2"},
               {.text = "[1e999]", .where = "x:1:6"},
               {.text = "[12345678901234567890,", .where = "x:1:"},
               {.text = "[NaN]", .where = "x:1:4"},
               {.text = "[] []", .where = "x:1:"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_error err = {.status = BT_OK};
        struct bt_json *root = bt_json_parse(bad[i].text, strlen(bad[i].text), "x", &err);
        assert_null(root);
        assert_int_equal(err.status, BT_INVALID);
        if (strncmp(err.text, bad[i].where, strlen(bad[i].where)) != 0)
            fail_msg("%s: found \"%s\", expected %s", bad[i].text, err.text, bad[i].where);
    }
}

static void nesting(void **state)
{
    (void)state;
    char text[1200];
    struct bt_error err;
    memset(text, '[', 600);
    memset(text + 600, ']', 600);
    assert_null(bt_json_parse(text, sizeof text, "x", &err));
    assert_int_equal(err.status, BT_INVALID);
    struct bt_json *root = bt_json_parse(text + 400, 400, "x", &err);
    assert_non_null(root);
    bt_json_free(root);
}

static double read_back(double v)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_num(&w, v);
    struct bt_json *read = bt_json_parse(bt_str_text(&out), out.len, "n", NULL);
    const double again = bt_json_number(read, (double)NAN);
    bt_json_free(read);
    bt_str_free(&out);
    return again;
}

/* Every bit, the sign of zero too. */
static void numbers_are_read_back(void **state)
{
    (void)state;
    static const double numbers[] = {
        0.0, -0.0, 1.0, -1.0, 0.1, -2.5e-308, 5e-324, 1.7976931348623157e308, 9007199254740993.0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const double again = read_back(numbers[i]);
        assert_memory_equal(&again, &numbers[i], sizeof again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers_of_any_width),
                                       cmocka_unit_test(refused_with_line_and_column),
                                       cmocka_unit_test(nesting), cmocka_unit_test(numbers_are_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
