/* Regular expressions: what they find, where a mistake stands, that none hangs. */
#include <bertty/regex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct bt_error err;

static struct bt_regex *compiled(const char *pattern, int flags)
{
    struct bt_regex *r;
    if (bt_regex_compile(pattern, strlen(pattern), flags, &r, NULL, &err)) fail_msg("%s", err.text);
    return r;
}

static void finds(const char *pattern, int flags, const char *text, int begin, int end)
{
    struct bt_regex *r = compiled(pattern, flags);
    size_t a = 0, b = 0;
    enum bt_match found = bt_regex_find(r, text, strlen(text), 0, &a, &b);
    if (found != (begin >= 0 ? BT_MATCH_FOUND : BT_MATCH_NONE) ||
        (begin >= 0 && ((int)a != begin || (int)b != end)))
        fail_msg("%s in %s: %d at %zu-%zu, expected %d-%d", pattern, text, (int)found, a, b, begin, end);
    bt_regex_free(r);
}

static void finds_what_it_should(void **state)
{
    (void)state;
    finds("b+", 0, "abbbc", 1, 4);
    finds("B+", 0, "abbbc", -1, 0);
    finds("B+", BT_REGEX_ICASE, "abbbc", 1, 4);
    finds("a.c", BT_REGEX_LITERAL, "abc a.c", 4, 7);
    finds("ÄRGER", BT_REGEX_ICASE | BT_REGEX_LITERAL, "mein ärger", 5, 11);
    finds("^\\w+$", 0, "süß", 0, 5);
    finds("^.$", 0, "日", 0, 3);
    finds("x*", 0, "abc", 0, 0);
    finds("$", 0, "", 0, 0);
}

static void invalid_bytes_are_passed_over(void **state)
{
    (void)state;
    finds("b.d", 0,
          "\xff"
          "a\xc3"
          "bcd\xe6\x97",
          3, 6);
    finds("a.b", 0,
          "a\xff"
          "b",
          -1, 0);
    finds("d$", 0,
          "\xf0\x9f"
          "abcd",
          5, 6);
}

static void mistakes_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *message;
        size_t at;
    } cases[] = {{"ab(c", "at character 5: missing closing parenthesis", 4},
                 {"ä[b", "at character 4: missing terminating ]", 4},
                 {"*a", "at character 1: quantifier does not follow", 0},
                 {"a\\Cb", "at character 4: using \\C is disabled", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_regex *r;
        size_t at;
        assert_int_equal(bt_regex_compile(cases[i].pattern, strlen(cases[i].pattern), 0, &r, &at, &err),
                         BT_INVALID);
        assert_null(r);
        if (!strstr(err.text, cases[i].message)) fail_msg("%s: %s", cases[i].pattern, err.text);
        assert_in_range(at, cases[i].at, cases[i].at + 1);
    }
}

static void as_typed(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *text;
        bool found;
    } cases[] = {{"a.c", "abc", false},   {"A.C", "xa.cx", true},  {"/a.c/", "abc", true},
                 {"/A.C/", "abc", false}, {"/A.C/i", "abc", true}, {"/a", "x/A", true},
                 {"//", "a//b", true},    {"//i", "a//ib", true},  {"/", "a/b", true},
                 {"a/i", "a/i", true},    {"/a/b/", "xa/b", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_regex *r;
        size_t a, b;
        assert_int_equal(bt_regex_typed(cases[i].typed, &r, &err), BT_OK);
        bool found = bt_regex_find(r, cases[i].text, strlen(cases[i].text), 0, &a, &b) == BT_MATCH_FOUND;
        if (found != cases[i].found) fail_msg("%s in %s", cases[i].typed, cases[i].text);
        bt_regex_free(r);
    }
    static const struct {
        const char *typed;
        bool unfinished;
    } parts[] = {{"", false},   {"loss", false}, {"a/b", false},   {"/", true},    {"//", true},
                 {"/lo", true}, {"/lo/", false}, {"/lo/i", false}, {"/lo/x", true}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (bt_regex_unfinished(parts[i].typed) != parts[i].unfinished) fail_msg("%s", parts[i].typed);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Patterns that take exponential or quadratic time are given up within a second or so. */
static void nothing_hangs(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(a+)+$",   "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x",
                                           "[^z]*zyz", "(a*)*b",   "(?:a?){60}a{60}b"};
    static const size_t sizes[] = {50, 3000, 100000, 8 << 20};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char *text = malloc(sizes[k]);
        memset(text, 'a', sizes[k]);
        text[sizes[k] - 1] = 'z';
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            struct bt_regex *r = compiled(patterns[i], 0);
            size_t a, b;
            double start = seconds();
            enum bt_match found = bt_regex_find(r, text, sizes[k], 0, &a, &b);
            double took = seconds() - start;
            if (took > 2) fail_msg("%s on %zu bytes took %.1f s", patterns[i], sizes[k], took);
            assert_int_not_equal(found, BT_MATCH_FOUND);
            bt_regex_free(r);
        }
        free(text);
    }
}

/* In parts, too, every place is looked at. */
static void long_texts(void **state)
{
    (void)state;
    const size_t n = 5 << 20;
    char *text = malloc(n);
    for (size_t i = 0; i + 3 <= n; i += 3) memcpy(text + i, "日", 3);
    struct bt_regex *r = compiled("x(?=日)", 0);
    for (size_t at = 3000; at + 7 < n; at = at * 3 + 3) {
        size_t place = at - at % 3, a = 0, b = 0;
        memcpy(text + place, "abx", 3);
        assert_int_equal(bt_regex_find(r, text, n - n % 3, 0, &a, &b), BT_MATCH_FOUND);
        assert_int_equal(a, place + 2);
        assert_int_equal(bt_regex_find(r, text, n - n % 3, place + 3, &a, &b), BT_MATCH_NONE);
        memcpy(text + place, "日", 3);
    }
    assert_int_equal(bt_regex_find(r, text, n - n % 3, 0, &(size_t){0}, &(size_t){0}), BT_MATCH_NONE);
    bt_regex_free(r);
    free(text);
}

static void what_is_local(void **state)
{
    (void)state;
    static const char *const local[] = {"abc",           "a.*b",  "\\bfoo\\w+", "[^,]+x",
                                        "(?:a|b)c{2,3}", "a\\.b", "(a)(b)",     "[]a]b"};
    static const char *const other[] = {"^a",    "a$",    "(?=a)b",  "(?<!a)b",     "a++b",   "\\Aa", "a\\z",
                                        "a\\Kb", "(?i)a", "(*FAIL)", "[[:alpha:]]", "(?>a)b", "a\\1"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        struct bt_regex *r = compiled(local[i], 0);
        if (!bt_regex_local(r)) fail_msg("%s", local[i]);
        bt_regex_free(r);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct bt_regex *r;
        if (bt_regex_compile(other[i], strlen(other[i]), 0, &r, NULL, NULL))
            continue; /* \1 without a group */
        if (bt_regex_local(r)) fail_msg("%s", other[i]);
        bt_regex_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_it_should), cmocka_unit_test(invalid_bytes_are_passed_over),
        cmocka_unit_test(mistakes_say_where),   cmocka_unit_test(as_typed),
        cmocka_unit_test(nothing_hangs),        cmocka_unit_test(long_texts),
        cmocka_unit_test(what_is_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
