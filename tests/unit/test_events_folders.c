/* Runs whose event files lie in directories below: Keras's train/ and validation/, PyTorch's add_scalars(). */
#include "folder.h"

#include <bertty/events.h>
#include <bertty/run.h>

#include <cmocka.h>

static void expect_ok(enum bt_status status, const struct bt_error *err)
{
    if (status != BT_OK) fail_msg("%s", err->text);
}

/* Steps from…to of a tag with this value; resume < 0: none. */
static void write_to(const char *path, const char *tag, int64_t resume, int64_t from, int64_t to,
                     double value)
{
    struct bt_events *w = NULL;
    struct bt_error err = {0};
    expect_ok(bt_mkdirs(at(path), &err), &err);
    expect_ok(bt_events_open(at(path), &w, &err), &err);
    if (resume >= 0) expect_ok(bt_events_resume(w, resume, &err), &err);
    for (int64_t s = from; s <= to; s++) expect_ok(bt_events_scalar(w, tag, s, 1e9, value, &err), &err);
    expect_ok(bt_events_close(w, &err), &err);
}

static struct bt_series_reader *open_run(const char *path)
{
    struct bt_series_reader *r = NULL;
    struct bt_error err = {0};
    expect_ok(bt_series_open(at(path), &r, &err), &err);
    return r;
}

static void read_all(struct bt_series_reader *r)
{
    struct bt_error err = {0};
    bool more = true;
    while (more) expect_ok(bt_series_poll(r, 0, &more, &err), &err);
    bt_series_commit(r);
}

static void expect_series(struct bt_series_reader *r, const char *tag, int64_t last, double value)
{
    const struct bt_series *s = bt_series_find(r, tag);
    if (!s) fail_msg("no %s", tag);
    assert_int_equal(s->n, (size_t)last);
    for (size_t i = 0; i < s->n; i++) assert_true(s->step[i] == (int64_t)i + 1 && s->value[i] == value);
}

static void keras(void **state)
{
    (void)state;
    write_to("fit/train", "epoch_loss", -1, 1, 5, 0.5);
    write_to("fit/validation", "epoch_loss", -1, 1, 4, 0.75);
    struct bt_series_reader *r = open_run("fit");
    read_all(r);
    assert_int_equal(bt_series_count(r), 2);
    expect_series(r, "train/epoch_loss", 5, 0.5);
    expect_series(r, "eval/epoch_loss", 4, 0.75);
    write_to("fit/validation", "epoch_loss", -1, 5, 6, 0.75); /* it grows */
    write_to("fit/test", "loss", -1, 1, 1, 2);                /* and another directory comes */
    read_all(r);
    expect_series(r, "train/epoch_loss", 5, 0.5);
    expect_series(r, "eval/epoch_loss", 6, 0.75);
    expect_series(r, "test/loss", 1, 2);
    write_to("fit/validation", "epoch_loss", 2, 3, 3, 0.75); /* a resume there concerns nobody else */
    read_all(r);
    expect_series(r, "train/epoch_loss", 5, 0.5);
    expect_series(r, "eval/epoch_loss", 3, 0.75);
    size_t n;
    bt_series_resumes(r, &n);
    assert_int_equal(n, 0);
    bt_series_free(r);
}

static void add_scalars(void **state)
{
    (void)state;
    write_to("run", "rate", -1, 1, 3, 1);
    write_to("run/my_loss_train", "my/loss", -1, 1, 3, 2);
    write_to("run/my_loss_val", "my/loss", -1, 1, 3, 3);
    write_to("run/my_loss_a_b", "my/loss", -1, 1, 3, 4);
    write_to("run/my_loss", "my/loss", -1, 1, 3, 5);     /* no key */
    write_to("run/1700000000.5_x", "loss", -1, 1, 3, 6); /* of another tag: a table of settings */
    write_to("run/checkpoints", "loss", -1, 1, 3, 7);    /* no name for scalars */
    struct bt_series_reader *r = open_run("run");
    read_all(r);
    assert_int_equal(bt_series_count(r), 4);
    expect_series(r, "rate", 3, 1);
    expect_series(r, "train/my/loss", 3, 2);
    expect_series(r, "eval/my/loss", 3, 3);
    expect_series(r, "my/loss/a_b", 3, 4);
    bt_series_free(r);
}

static void expect_list(const char *runs_dir, const char *first, const char *second)
{
    struct bt_run_list l;
    struct bt_error err = {0};
    expect_ok(bt_run_list(at(runs_dir), NULL, &l, &err), &err);
    assert_int_equal(l.n, second ? 2 : 1);
    for (size_t i = 0; i < l.n; i++)
        assert_true(strcmp(l.run[i].id, first) == 0 || (second && strcmp(l.run[i].id, second) == 0));
    bt_run_list_clear(&l);
}

static void expect_found(const char *runs_dir, const char *name, const char *path)
{
    char *dir = NULL;
    struct bt_error err = {0};
    expect_ok(bt_run_find(at(runs_dir), name, &dir, NULL, &err), &err);
    char *expected = realpath(at(path), NULL);
    assert_string_equal(dir, expected);
    free(expected);
    free(dir);
}

static void they_are_one_run(void **state)
{
    (void)state;
    write_to("logs/fit/train", "epoch_loss", -1, 1, 2, 0.5);
    write_to("logs/fit/validation", "epoch_loss", -1, 1, 2, 0.5);
    expect_list("logs", "fit", NULL);
    expect_list("logs/fit", "fit", NULL); /* the directory that was given to Keras */
    expect_found("logs", "fit", "logs/fit");
    expect_found("logs/fit", "fit", "logs/fit");
}

/* Somebody calls a run of ours "test". */
static void a_run_of_ours_is_no_part(void **state)
{
    (void)state;
    write_to("runs/test", "train/loss", -1, 1, 2, 0.5);
    put("runs/test/status.json", "{}");
    write_to("runs/other", "train/loss", -1, 1, 2, 0.5);
    put("runs/other/status.json", "{}");
    expect_list("runs", "test", "other");
    struct bt_series_reader *r = open_run("runs");
    read_all(r);
    assert_int_equal(bt_series_count(r), 0);
    bt_series_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keras, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(add_scalars, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(they_are_one_run, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_run_of_ours_is_no_part, folder_make, folder_remove),
    };
    return cmocka_run_group_tests_name("events_folders", tests, NULL, NULL);
}
