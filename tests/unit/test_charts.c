/* What the Charts view shows, without drawing it: panels, axes, smoothing, runs that come and go. */
#include "tui/views/charts_data.h"

#include <bertty/file.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bertty-charts-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* A run with `n` points of train/loss and train/epoch at the steps 10, 20, …, two seconds apart. */
static char *make_run(const char *name, int n)
{
    char *path = bt_path_join(dir, name);
    struct bt_events *w;
    assert_int_equal(bt_mkdirs(path, NULL), BT_OK);
    assert_int_equal(bt_events_open(path, &w, NULL), BT_OK);
    for (int i = 1; i <= n; i++) {
        bt_events_scalar(w, "train/loss", 10 * i, 1e9 + 2 * i, 1.0 / i, NULL);
        bt_events_scalar(w, "train/epoch", 10 * i, 1e9 + 2 * i, i / 4.0, NULL);
    }
    if (n) bt_events_scalar(w, "eval/loss", 25, 1e9 + 5, 0.5, NULL);
    if (n) bt_events_scalar(w, "system/rss_mib", 10, 1e9 + 2, 900, NULL);
    if (n) bt_events_scalar(w, "eval/accuracy", 25, 1e9 + 5, 0.75, NULL);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    return path;
}

static bool poll_once(struct charts *c)
{
    bool more, changed;
    struct charts_poll *p = charts_begin(c);
    charts_poll_run(p);
    changed = charts_end(c, p, &more);
    assert_false(more);
    return changed;
}

static struct charts_panel *panel(struct charts *c, const char *name)
{
    for (size_t i = 0; i < c->n_panels; i++)
        if (strcmp(c->panel[i].name, name) == 0) return &c->panel[i];
    fail_msg("no panel %s", name);
    return NULL;
}

static void groups(void **state)
{
    (void)state;
    static const struct {
        const char *tag, *name;
        bool eval;
    } cases[] = {{"train/loss", "loss", false},
                 {"eval/loss", "loss", true},
                 {"val_loss", "loss", true},
                 {"validation/f1", "f1", true},
                 {"loss", "loss", false},
                 {"trainer/x", "trainer/x", false},
                 {"system/rss_mib", "system/rss_mib", false},
                 {"eval/", "eval/", false},
                 {"test_acc", "acc", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool eval;
        assert_string_equal(charts_group(cases[i].tag, &eval), cases[i].name);
        assert_int_equal(eval, cases[i].eval);
    }
}

/* Against the definition: the weighted mean of what was seen, the weights falling by the factor. */
static void smoothing(void **state)
{
    (void)state;
    const double y[] = {1, 3, NAN, 2, -INFINITY, 5};
    double smooth[6];
    charts_smooth(y, 6, 0.5, smooth);
    assert_true(smooth[0] == 1);
    assert_true(fabs(smooth[1] - (3 + 0.5 * 1) / 1.5) < 1e-12);
    assert_true(isnan(smooth[2]));
    assert_true(fabs(smooth[3] - (2 + 0.5 * 3 + 0.25 * 1) / 1.75) < 1e-12);
    assert_true(isinf(smooth[4]));
    assert_true(fabs(smooth[5] - (5 + 0.5 * 2 + 0.25 * 3 + 0.125 * 1) / 1.875) < 1e-12);
    charts_smooth(y, 2, 0, smooth);
    assert_true(smooth[0] == 1 && smooth[1] == 3);
}

static void panels_and_axes(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 8);
    const char *dirs[] = {a};
    assert_true(charts_set_runs(&c, dirs, 1));
    assert_int_equal(c.n_panels, 0);
    assert_true(poll_once(&c));
    assert_false(poll_once(&c));
    static const char *const order[] = {"loss", "accuracy", "system/rss_mib", "epoch"};
    assert_int_equal(c.n_panels, 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(c.panel[i].name, order[i]);
    struct charts_panel *loss = panel(&c, "loss");
    assert_int_equal(loss->n, 2);
    struct charts_curve *train = &loss->curve[loss->curve[0].eval],
                        *eval = &loss->curve[!loss->curve[0].eval];
    assert_true(charts_prepare(loss, CHARTS_STEP, 0));
    assert_true(train->n == 8 && train->x[7] == 80 && !train->smooth);
    assert_true(charts_prepare(loss, CHARTS_EPOCH, 0.9));
    assert_true(train->x[7] == 2 && eval->x[0] == 0.625);
    assert_non_null(train->smooth);
    assert_null(eval->smooth);
    assert_true(charts_prepare(loss, CHARTS_RELATIVE, 0));
    assert_true(train->x[0] == 0 && train->x[7] == 14 && eval->x[0] == 3);
    assert_true(charts_prepare(loss, CHARTS_WALL, 0));
    assert_true(train->x[7] == 1e9 + 16);
    assert_true(charts_step_on(c.run[0], CHARTS_EPOCH, 25) == 0.625);
    assert_true(charts_step_on(c.run[0], CHARTS_RELATIVE, 25) == 3);
    assert_true(charts_step_on(c.run[0], CHARTS_STEP, 25) == 25);
    charts_free(&c);
    free(a);
}

static void new_points_appear(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 8);
    const char *dirs[] = {a};
    charts_set_runs(&c, dirs, 1);
    poll_once(&c);
    charts_prepare(panel(&c, "loss"), CHARTS_STEP, 0.5);
    struct bt_events *w;
    bt_events_open(a, &w, NULL);
    bt_events_scalar(w, "train/loss", 90, 1e9, 0.1, NULL);
    bt_events_close(w, NULL);
    assert_true(poll_once(&c));
    struct charts_panel *loss = panel(&c, "loss");
    charts_prepare(loss, CHARTS_STEP, 0.5);
    struct charts_curve *train = &loss->curve[loss->curve[0].eval];
    assert_true(train->n == 9 && train->x[8] == 90 && train->smooth[8] < 0.2);
    /* a clock that was set back does not make x fall */
    charts_prepare(loss, CHARTS_WALL, 0);
    assert_true(train->x[8] == train->x[7]);
    charts_free(&c);
    free(a);
}

static void colours_are_stable(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 3), *b = make_run("b", 3), *d = make_run("d", 3);
    assert_true(charts_set_runs(&c, (const char *[]){a, b, a}, 3)); /* one is named twice */
    assert_int_equal(c.n_runs, 2);
    poll_once(&c);
    assert_int_equal(panel(&c, "accuracy")->n, 2);
    assert_int_equal(c.run[1]->colour, 1);
    assert_true(charts_set_runs(&c, (const char *[]){d, b}, 2));
    assert_int_equal(c.n_runs, 2);
    assert_string_equal(c.run[0]->id, "d");
    assert_int_equal(c.run[0]->colour, 0); /* a's is free again */
    assert_int_equal(c.run[1]->colour, 1);
    assert_int_equal(panel(&c, "accuracy")->n, 1);
    assert_true(charts_set_runs(&c, NULL, 0));
    assert_int_equal(c.n_runs, 0);
    assert_int_equal(c.n_panels, 0);
    charts_free(&c);
    free(a);
    free(b);
    free(d);
}

/* Runs that go while they are being read are freed afterwards; those that come back are the same. */
static void runs_change_during_a_poll(void **state)
{
    (void)state;
    struct charts c = {0};
    bool more;
    char *a = make_run("a", 3), *b = make_run("b", 3);
    charts_set_runs(&c, (const char *[]){a, b}, 2);
    struct charts_poll *p = charts_begin(&c);
    charts_set_runs(&c, (const char *[]){b}, 1);
    charts_poll_run(p);
    assert_true(charts_end(&c, p, &more));
    assert_int_equal(c.n_runs, 1);
    assert_string_equal(c.run[0]->id, "b");
    assert_int_equal(panel(&c, "loss")->n, 2);
    p = charts_begin(&c);
    struct charts_run *same = c.run[0];
    charts_set_runs(&c, NULL, 0);
    charts_set_runs(&c, (const char *[]){b}, 1);
    charts_poll_run(p);
    charts_end(&c, p, &more);
    assert_ptr_equal(c.run[0], same);
    charts_free(&c);
    free(a);
    free(b);
}

static void what_the_directory_tells(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 3), path[200];
    static const char status[] = "{\"state\":\"training\",\"step\":3,\"total\":975}";
    snprintf(path, sizeof path, "%s/checkpoints/step-000200", a);
    bt_mkdirs(path, NULL);
    snprintf(path, sizeof path, "%s/checkpoints/step-000100", a);
    bt_mkdirs(path, NULL);
    snprintf(path, sizeof path, "%s/checkpoints/step-000300.tmp", a);
    bt_mkdirs(path, NULL);
    snprintf(path, sizeof path, "%s/best", a);
    assert_int_equal(symlink("checkpoints/step-000100", path), 0);
    snprintf(path, sizeof path, "%s/status.json", a);
    bt_file_replace(path, status, sizeof status - 1, NULL);
    charts_set_runs(&c, (const char *[]){a, "/nonexistent/run"}, 2);
    poll_once(&c);
    struct charts_info *info = &c.run[0]->info;
    assert_int_equal(info->total, 975);
    assert_int_equal(info->best, 100);
    assert_true(info->live);
    assert_int_equal(info->n_saved, 2);
    assert_int_equal(info->saved[0], 100);
    assert_int_equal(info->saved[1], 200);
    assert_non_null(c.run[1]->error);
    assert_false(poll_once(&c));
    charts_free(&c);
    free(a);
}

static void points_by_x(void **state)
{
    (void)state;
    const double x[] = {1, 3, 3, 7};
    assert_int_equal(charts_at(x, 4, 0), 0);
    assert_int_equal(charts_at(x, 4, 1), 0);
    assert_int_equal(charts_at(x, 4, 3), 2);
    assert_int_equal(charts_at(x, 4, 6.9), 2);
    assert_int_equal(charts_at(x, 4, 100), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),       cmocka_unit_test(smoothing),   TEST(panels_and_axes),
        TEST(new_points_appear),        TEST(colours_are_stable),      TEST(runs_change_during_a_poll),
        TEST(what_the_directory_tells), cmocka_unit_test(points_by_x),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
