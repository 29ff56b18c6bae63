/* Whether a change in a runs directory is noticed, and that nothing is when nothing changes. */
#include "tests/unit/folder.h"

#include <bertty/run_watch.h>
#include <unistd.h>

static struct bt_run_watch *watch;

static void begin(void)
{
    bt_run_watch_begin(watch, folder);
}

static int make(void **state)
{
    int rc = folder_make(state);
    put("one/status.json", "{}");
    put("two/status.json", "{}");
    watch = bt_run_watch_new();
    begin();
    return rc || !watch;
}

static int drop(void **state)
{
    bt_run_watch_free(watch);
    return folder_remove(state);
}

/* The watch after the runs were listed again. */
static bool changed(void)
{
    bool noticed = bt_run_watch_changed(watch);
    begin();
    return noticed;
}

static void nothing_happens(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) assert_false(changed());
}

static void files_of_runs(void **state)
{
    (void)state;
    put("one/status.json", "{\"step\": 1}");
    assert_true(changed());
    assert_false(changed());
    FILE *f = fopen(at("two/status.json"), "w"); /* in place, as we do not, but others may */
    assert_non_null(f);
    fputs("{}", f);
    fclose(f);
    assert_true(changed());
    put("two/notes.json", "{}");
    assert_true(changed());
    assert_int_equal(unlink(at("two/notes.json")), 0);
    assert_true(changed());
    assert_false(changed());
}

static void runs_come_and_go(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("three"), 0700), 0);
    assert_true(changed());
    assert_false(changed());
    put("three/status.json", "{}"); /* the new directory is watched too */
    assert_true(changed());
    assert_int_equal(rename(at("three"), at("four")), 0);
    assert_true(changed());
    put("four/status.json", "{\"step\": 1}");
    assert_true(changed());
    put(".queue", "limit 2");
    assert_true(changed());
    assert_int_equal(unlink(at("four/status.json")), 0);
    assert_int_equal(rmdir(at("four")), 0);
    assert_true(changed());
    assert_false(changed());
}

/* A directory that is made while the runs are listed: between the noticing and the next look. */
static void between_two_looks(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("late"), 0700), 0);
    assert_true(bt_run_watch_changed(watch));
    put("late/status.json", "{}");
    assert_true(bt_run_watch_changed(watch)); /* not watched yet: whatever comes counts */
    begin();
    assert_false(changed());
    put("late/status.json", "{\"step\": 1}");
    assert_true(changed());
}

static void no_directory(void **state)
{
    (void)state;
    bt_run_watch_begin(watch, at("none"));
    assert_true(bt_run_watch_changed(watch));
    assert_true(bt_run_watch_changed(watch));
    begin();
    assert_false(changed());
    bt_run_watch_begin(watch, "/proc/self"); /* of a file system that we do not trust to tell */
    assert_true(bt_run_watch_changed(watch));
}

static void another_in_its_place(void **state)
{
    (void)state;
    put("inner/run/status.json", "{}");
    bt_run_watch_begin(watch, at("inner"));
    assert_false(bt_run_watch_changed(watch));
    assert_int_equal(rename(at("inner"), at("old")), 0);
    put("inner/run/status.json", "{}");
    assert_true(bt_run_watch_changed(watch));
    bt_run_watch_begin(watch, at("inner"));
    assert_false(bt_run_watch_changed(watch));
    put("inner/run/status.json", "{\"step\": 1}");
    assert_true(bt_run_watch_changed(watch));
}

static void expect_steps(const struct bt_run_list *previous, struct bt_run_list *out, int one, int two)
{
    begin();
    assert_int_equal(bt_run_list_watched(watch, folder, previous, out, NULL), BT_OK);
    assert_int_equal(out->n, 2);
    for (size_t i = 0; i < out->n; i++)
        assert_int_equal(out->run[i].step, strcmp(out->run[i].id, "one") == 0 ? one : two);
}

/* What was heard of is read again, the rest is not looked at. */
static void listing(void **state)
{
    struct bt_run_list l[5];
    (void)state;
    put("one/status.json", "{\"state\": \"finished\", \"step\": 1}");
    put("two/status.json", "{\"state\": \"finished\", \"step\": 2}");
    expect_steps(NULL, &l[0], 1, 2);
    put("two/status.json", "{\"state\": \"finished\", \"step\": 3}");
    assert_true(bt_run_watch_changed(watch));
    expect_steps(&l[0], &l[1], 1, 3);
    put("two/status.json", "{\"state\": \"finished\", \"step\": 4}"); /* heard by the list itself */
    expect_steps(&l[1], &l[2], 1, 4);
    FILE *f = fopen(at("one/status.json"), "w"); /* not heard of before it is closed */
    assert_non_null(f);
    fputs("{\"state\": \"finished\", \"step\": 555}", f);
    fflush(f);
    expect_steps(&l[2], &l[3], 1, 4);
    fclose(f);
    expect_steps(&l[3], &l[4], 555, 4);
    for (size_t i = 0; i < sizeof l / sizeof *l; i++) bt_run_list_clear(&l[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_happens, make, drop),
        cmocka_unit_test_setup_teardown(files_of_runs, make, drop),
        cmocka_unit_test_setup_teardown(runs_come_and_go, make, drop),
        cmocka_unit_test_setup_teardown(between_two_looks, make, drop),
        cmocka_unit_test_setup_teardown(no_directory, make, drop),
        cmocka_unit_test_setup_teardown(another_in_its_place, make, drop),
        cmocka_unit_test_setup_teardown(listing, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
