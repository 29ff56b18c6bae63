/* Numbers and times as text. */
#include <bertty/num.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } right[] = {
        {"90s", 90},           {"30m", 1800},   {"1h30m", 5400},    {"1.5h", 5400},  {"2d", 172800},
        {"1d2h3m4s", 93784},   {"0.5s", 0.5},   {"01:30:00", 5400}, {"30:00", 1800}, {"0:05", 5},
        {"100:00:00", 360000}, {"90:00", 5400}, {"1000d", 864e5},
    };
    static const char *const wrong[] = {
        "",      "30",    "30 m",   "m",       "-5m",    "+5m",   "1e3s",
        "inf",   "nans",  "30m1h",  "5m5m",    "1h30",   "0s",    "0:00",
        "1001d", "1:60",  "1:2:60", "1:2:3:4", ":",      "1:",    ":30",
        "1:30m", "1..5h", "0x5m",   "1,5h",    "1_000s", "30min", "99999999999999999999999999s"};
    double seconds = -1;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        if (!bt_parse_duration(right[i].text, &seconds)) fail_msg("%s", right[i].text);
        assert_true(seconds == right[i].seconds);
    }
    seconds = -1;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (bt_parse_duration(wrong[i], &seconds)) fail_msg("'%s' is %g", wrong[i], seconds);
    assert_true(seconds == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(durations)};
    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
