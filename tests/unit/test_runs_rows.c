/* The Runs view's filter, order and texts. */
#include "tui/format.h"
#include "tui/views/runs_rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUN(i, st, b, s)                                                                                     \
    {                                                                                                        \
        .id = (char *)(uintptr_t)(i), .dir = (char *)(uintptr_t)(i), .state = (st), .best = (b),             \
        .best_step = 10, .step = (s), .total = 100, .started = 1000.0 - (double)(s), .last = NAN,            \
        .train_loss = NAN, .eta_s = 60                                                                       \
    }

static struct bt_run_status run[] = {
    RUN("imdb-20261124-110859-3f2a", BT_RUN_TRAINING, 0.8, 5),
    RUN("imdb-20261124-100000-91bc", BT_RUN_FINISHED, 0.9, 100),
    RUN("cola", BT_RUN_FAILED, NAN, 0),
    RUN("rte", BT_RUN_DIVERGED, 0.6, 50),
};
static const struct bt_run_list list = {.run = run, .n = sizeof run / sizeof *run};

static bool hidden;

static bool marked(void *ctx, const char *dir)
{
    (void)ctx;
    return strcmp(dir, "rte") == 0;
}

/* The first letter and the last of every id, in the order shown. */
static void assert_rows(const char *filter, enum runs_column column, bool descending, const char *expected)
{
    struct bt_run_filter *f;
    struct bt_error why = {.status = BT_OK};
    struct runs_order order = {.column = column, .descending = descending, .now = 1000.0, .marked = marked};
    size_t row[4];
    char got[16] = "";
    if (bt_run_filter_parse(filter, &f, &why) != BT_OK) fail_msg("%s", why.text);
    const struct runs_which which = {.filter = f, .hidden = hidden};
    size_t n = runs_rows(&list, &which, &order, row);
    for (size_t i = 0; i < n; i++) {
        const char *id = run[row[i]].id;
        got[2 * i] = id[0];
        got[2 * i + 1] = id[strlen(id) - 1];
        got[2 * i + 2] = '\0';
    }
    assert_string_equal(got, expected);
    bt_run_filter_free(f);
}

static void filters(void **state)
{
    (void)state;
    assert_rows("", RUNS_AGE, false, "caiareic");
    assert_rows("-imdb", RUNS_AGE, false, "care");
    assert_rows("metric>=0.6 -finished", RUNS_AGE, false, "iare");
    assert_rows("nothing", RUNS_AGE, false, "");
}

/* A run with the tag `hidden` is there when it is asked for. */
static void hidden_runs(void **state)
{
    (void)state;
    static char tag[] = "hidden", *tags[] = {tag};
    run[2].notes = (struct bt_notes){.tag = tags, .n_tags = 1};
    assert_rows("", RUNS_AGE, false, "iareic");
    assert_rows("state:f", RUNS_AGE, false, "ic");
    assert_rows("tag:hidden", RUNS_AGE, false, "ca");
    hidden = true;
    assert_rows("", RUNS_AGE, false, "caiareic");
    hidden = false;
    run[2].notes = (struct bt_notes){.n_tags = 0};
}

static void orders(void **state)
{
    (void)state;
    assert_rows("", RUNS_BEST, true, "iciareca"); /* what has no value is last either way */
    assert_rows("", RUNS_BEST, false, "reiaicca");
    assert_rows("", RUNS_ID, false, "caiciare");
    assert_rows("", RUNS_MARK, true, "reiaicca");
    assert_rows("", RUNS_STATE, false, "iaiccare");
    assert_rows("", RUNS_AT, true, "iaiccare"); /* equal: as in the list */
    assert_rows("", RUNS_AGE, true, "icreiaca");
}

static void assert_text(void (*f)(struct bt_str *, double), double v, const char *expected)
{
    struct bt_str s = {.data = NULL};
    f(&s, v);
    assert_string_equal(bt_str_text(&s), expected);
    bt_str_free(&s);
}

static void texts(void **state)
{
    (void)state;
    assert_text(runs_duration, 0, "0s");
    assert_text(runs_duration, 59.9, "59s");
    assert_text(runs_duration, 3599, "59m");
    assert_text(runs_duration, 7500, "2h05");
    assert_text(runs_duration, 5 * 86400.0, "5d");
    assert_text(runs_duration, NAN, "");
    assert_text(runs_duration, -1, "");
    struct bt_str s = {.data = NULL};
    format_run_id(&s, "movie-reviews-20261124-110859-3f2a");
    bt_str_addc(&s, ' ');
    format_run_id(&s, "mine-20261124-110859");
    assert_string_equal(bt_str_text(&s), "movie-reviews-…-3f2a mine-20261124-110859");
    bt_str_clear(&s);
    format_run_id(&s, "a-name-without-end-20261124-110859-3f2a");
    assert_string_equal(bt_str_text(&s), "a-name-without…-3f2a");
    bt_str_clear(&s);
    format_run_id(&s, "ääääääää-20261124-110859-3f2a"); /* no character is cut in two */
    assert_string_equal(bt_str_text(&s), "äääääää…-3f2a");
    bt_str_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(filters), cmocka_unit_test(orders),
                                       cmocka_unit_test(hidden_runs), cmocka_unit_test(texts)};
    return cmocka_run_group_tests_name("runs_rows", tests, NULL, NULL);
}
