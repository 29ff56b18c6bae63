/* What the Charts view shows, without drawing it: panels, axes, smoothing, runs that come and go. */
#include "tests/unit/folder.h"
#include "tui/views/charts_export.h"

#include <bertty/file.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run with `n` points of train/loss and train/epoch at the steps 10, 20, …, two seconds apart. */
static char *make_run(const char *name, int n)
{
    char *path = bt_path_join(folder, name);
    struct bt_events *w;
    assert_int_equal(bt_mkdirs(path, NULL), BT_OK);
    assert_int_equal(bt_events_open(path, &w, NULL), BT_OK);
    for (int i = 1; i <= n; i++) {
        bt_events_scalar(w, "train/loss", 10 * i, 1e9 + 2 * i, 1.0 / i, NULL);
        bt_events_scalar(w, "train/epoch", 10 * i, 1e9 + 2 * i, i / 4.0, NULL);
        bt_events_scalar(w, "train/tokens", 10 * i, 1e9 + 2 * i, 1000.0 * i, NULL);
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
    static const char *const order[] = {"loss", "accuracy", "system/rss_mib", "epoch", "tokens"};
    assert_int_equal(c.n_panels, 5);
    for (size_t i = 0; i < 5; i++) assert_string_equal(c.panel[i].name, order[i]);
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
    assert_true(charts_step_on(c.run[0], CHARTS_TOKENS, 25) == 2500);
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

/* Series of a run that were logged at the same steps have one x; those that were not, and those that went on alone, have their own. */
static void same_steps_share_x(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 8);
    struct bt_events *w;
    bt_events_open(a, &w, NULL);
    for (int i = 1; i <= 8; i++) bt_events_scalar(w, "odd", 10 * i + (i == 8), 1e9, 1, NULL);
    bt_events_close(w, NULL);
    charts_set_runs(&c, (const char *[]){a}, 1);
    poll_once(&c);
    static const char *const name[] = {"epoch", "tokens", "odd"};
    struct charts_panel *p[3];
    for (int k = 0; k < 3; k++) assert_true(charts_prepare(p[k] = panel(&c, name[k]), CHARTS_STEP, 0));
    assert_ptr_equal(p[0]->curve[0].x, p[1]->curve[0].x);
    assert_true(p[1]->curve[0].x[7] == 80 && p[2]->curve[0].x[6] == 70 && p[2]->curve[0].x[7] == 81);
    bt_events_open(a, &w, NULL);
    bt_events_scalar(w, "train/epoch", 90, 1e9, 0.1, NULL);
    bt_events_close(w, NULL);
    assert_true(poll_once(&c));
    for (int k = 0; k < 2; k++) assert_true(charts_prepare(p[k] = panel(&c, name[k]), CHARTS_STEP, 0));
    assert_true(p[0]->curve[0].n == 9 && p[0]->curve[0].x[8] == 90);
    assert_true(p[1]->curve[0].n == 8 && p[1]->curve[0].x[7] == 80);
    assert_true(charts_prepare(p[0], CHARTS_EPOCH, 0) && charts_prepare(p[1], CHARTS_STEP, 0));
    assert_true(p[0]->curve[0].x[0] == 0.25 && p[1]->curve[0].x[0] == 10);
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

/* ── scales ── */

static struct charts *loaded(const char *name, int n)
{
    static struct charts c;
    char *path = make_run(name, n);
    c = (struct charts){0};
    assert_true(charts_set_runs(&c, (const char *[]){path}, 1));
    poll_once(&c);
    free(path);
    return &c;
}

/* Polls until the run shows so many points of its loss, and says how often that was. */
static int polls_until(struct charts *c, size_t run, size_t points)
{
    for (int n = 0; n < 10; n++) {
        const struct bt_series *loss = bt_series_find(c->run[run]->reader, "train/loss");
        if (loss && loss->n == points) return n;
        poll_once(c);
    }
    fail_msg("run %zu never has %zu points", run, points);
    return -1;
}

/* Of many runs that are over a poll looks at a few, each in its turn; at those from which something came, always. */
static void many_runs(void **state)
{
    enum { RUNS = 40, POLLS = 3 /* to look at all of them */ };
    struct charts c = {0};
    char *dir[RUNS];
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "many-%02d", i);
        dir[i] = make_run(name, 2);
    }
    assert_true(charts_set_runs(&c, (const char *const *)dir, RUNS));
    poll_once(&c);
    for (int i = 0; i < RUNS; i++) assert_true(c.run[i]->loaded);
    bool waited = false;
    for (int i = 0; i < RUNS; i++) {
        free(make_run(bt_path_base(dir[i]), 5));
        const int n = polls_until(&c, (size_t)i, 5);
        assert_in_range(n, 1, POLLS);
        waited |= n > 1;
        free(make_run(bt_path_base(dir[i]), 6));
        assert_int_equal(polls_until(&c, (size_t)i, 6), 1);
        for (int quiet = 0; quiet < 24; quiet++) poll_once(&c);
    }
    assert_true(waited); /* else all are looked at every time */
    for (int i = 0; i < RUNS; i++) {
        free(make_run(bt_path_base(dir[i]), 7));
        charts_attend(&c, dir[i]);
        assert_int_equal(polls_until(&c, (size_t)i, 7), 1);
        for (int quiet = 0; quiet < 24; quiet++) poll_once(&c);
        free(dir[i]);
    }
    charts_free(&c);
}

static void filters(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_panel *shown[8];
    assert_int_equal(charts_filter(c, NULL, shown), 5);
    struct bt_regex *re = NULL;
    assert_int_equal(bt_regex_typed("/^ACC|rss/i", &re, NULL), BT_OK);
    assert_int_equal(charts_filter(c, re, shown), 2);
    assert_string_equal(shown[0]->name, "accuracy");
    bt_regex_free(re);
    assert_int_equal(bt_regex_typed("^acc", &re, NULL), BT_OK); /* a text */
    assert_int_equal(charts_filter(c, re, shown), 0);
    bt_regex_free(re);
    charts_free(c);
}

static void grids(void **state)
{
    (void)state;
    static const struct {
        int width, height, columns, rows;
        size_t n;
        int want_columns, want_rows;
    } cases[] = {{80, 22, 0, 0, 9, 2, 2},  {120, 34, 0, 0, 9, 3, 3}, {120, 34, 0, 0, 2, 2, 1},
                 {80, 22, 0, 0, 1, 1, 1},  {40, 10, 0, 0, 9, 1, 1},  {80, 22, 9, 9, 9, 5, 2},
                 {120, 34, 1, 0, 9, 1, 3}, {200, 60, 0, 0, 0, 1, 1}, {10, 3, 0, 0, 4, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int columns = cases[i].columns, rows = cases[i].rows;
        charts_grid(cases[i].width, cases[i].height, cases[i].n, &columns, &rows);
        assert_int_equal(columns, cases[i].want_columns);
        assert_int_equal(rows, cases[i].want_rows);
    }
}

static void zooming(void **state)
{
    (void)state;
    struct plot_range full = {.min = 0, .max = 100}, r = full;
    assert_false(charts_zoom(&r, full, false, 0.25, 0.5)); /* what was at a quarter stays there */
    assert_true(fabs(r.min - 12.5) < 1e-9 && fabs(r.max - 62.5) < 1e-9);
    charts_pan(&r, full, false, 0.5);
    assert_true(fabs(r.min - 37.5) < 1e-9 && fabs(r.max - 87.5) < 1e-9);
    charts_pan(&r, full, false, 9);
    assert_true(fabs(r.min - 50) < 1e-9 && fabs(r.max - 100) < 1e-9);
    charts_pan(&r, full, false, -9);
    assert_true(fabs(r.min) < 1e-9);
    assert_true(charts_zoom(&r, full, false, 0.5, 3));
    assert_true(r.min == 0 && r.max == 100);
    for (int i = 0; i < 200; i++) charts_zoom(&r, full, false, 0.5, 0.5);
    assert_true(r.max > r.min); /* never empty */
    full = r = (struct plot_range){.min = 1, .max = 10000};
    assert_false(charts_zoom(&r, full, true, 0, 0.5));
    assert_true(fabs(r.min - 1) < 1e-9 && fabs(r.max - 100) < 1e-6);
    charts_pan(&r, full, true, 1);
    assert_true(fabs(r.min - 100) < 1e-6 && fabs(r.max - 10000) < 1e-3);
}

static void extents(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_panel *shown[8];
    struct charts_options o = {0};
    size_t n = charts_filter(c, NULL, shown);
    for (size_t i = 0; i < n; i++) charts_prepare(shown[i], o.axis, 0);
    struct plot_range x = charts_extent(shown, n, &o);
    assert_true(x.min == 0 && x.max == 80);
    o.log_x = true;
    x = charts_extent(shown, n, &o);
    assert_true(x.min == 10 && x.max == 80);
    o.log_x = false;
    x = charts_extent(shown, 0, &o);
    assert_true(x.max > x.min);
    charts_free(c);
}

static void cursor_goes_from_point_to_point(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_panel *loss = panel(c, "loss");
    charts_prepare(loss, CHARTS_STEP, 0);
    assert_true(charts_next_x(loss, 20, 1) == 25); /* of the evaluation */
    assert_true(charts_next_x(loss, 25, 1) == 30);
    assert_true(charts_next_x(loss, 20, 22) == 50);
    assert_true(charts_next_x(loss, 80, 1) == 80);
    assert_true(charts_next_x(loss, 30, -1) == 25);
    assert_true(charts_next_x(loss, 50, -22) == 25);
    assert_true(charts_next_x(loss, 10, -1) == 10);
    assert_true(charts_next_x(loss, 15, 500) == 80);
    assert_true(charts_step_at(loss, 1000) >= 25);
    charts_free(c);
}

static void what_a_panel_draws(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_panel *loss = panel(c, "loss");
    struct charts_options o = {.weight = 0.6};
    struct charts_look look = {.log_y = true};
    struct charts_drawing d;
    struct plot_range x = {.min = 0, .max = 80};
    charts_prepare(loss, o.axis, o.weight);
    assert_true(charts_draw_panel(c, loss, &o, &look, x, PLOT_BRAILLE, &d));
    assert_int_equal(d.spec.n_lines, 3); /* smoothed, raw, evaluation */
    assert_true(!d.line[0].faint && d.line[1].faint && d.line[2].dashed && !d.line[0].dashed);
    assert_true(d.line[1].y[7] == 0.125 && d.line[0].y[7] > 0.125);
    assert_true(d.spec.log_y && d.spec.y.min > 0 && d.spec.y.min <= 0.125 && d.spec.y.max >= 1);
    charts_drawing_free(&d);
    look = (struct charts_look){.zoomed = true, .y = {.min = 0.2, .max = 0.3}};
    charts_draw_panel(c, loss, &o, &look, x, PLOT_BRAILLE, &d);
    assert_true(d.spec.y.min == 0.2 && d.spec.y.max == 0.3);
    charts_drawing_free(&d);
    charts_free(c);
}

static void *poll_thread(void *poll)
{
    charts_poll_run(poll);
    return NULL;
}

/* A poll on a thread of its own while the panels are drawn; for ThreadSanitizer above all. */
static void drawing_while_a_poll_reads(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 8);
    charts_set_runs(&c, (const char *[]){a}, 1);
    for (int round = 0; round < 4; round++) {
        struct charts_options o = {.weight = 0.5};
        struct charts_drawing d;
        struct bt_events *w;
        pthread_t thread;
        bool more;
        assert_int_equal(bt_events_open(a, &w, NULL), BT_OK);
        bt_events_scalar(w, "train/loss", 100 + round, 2e9, 1, NULL);
        bt_events_close(w, NULL);
        struct charts_poll *p = charts_begin(&c);
        assert_int_equal(pthread_create(&thread, NULL, poll_thread, p), 0);
        for (size_t i = 0; i < c.n_panels; i++) {
            assert_true(charts_prepare(&c.panel[i], o.axis, o.weight));
            struct plot_range x = {.min = 0, .max = 200};
            assert_true(charts_draw_panel(&c, &c.panel[i], &o, NULL, x, PLOT_BRAILLE, &d));
            charts_drawing_free(&d);
        }
        pthread_join(thread, NULL);
        assert_true(charts_end(&c, p, &more));
    }
    charts_prepare(panel(&c, "loss"), CHARTS_STEP, 0);
    assert_int_equal(panel(&c, "loss")->curve[0].n + panel(&c, "loss")->curve[1].n, 8 + 4 + 1);
    charts_free(&c);
    free(a);
}

/* A spike, also smeared by the smoothing, does not flatten the rest. */
static void outliers(void **state)
{
    (void)state;
    enum { N = 200 };
    double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = i >= 100 && i < 104 ? 1000 : 1 + i / 1000.0;
    }
    struct plot_line line = {.x = x, .y = y, .n = N};
    struct plot_range all = {.min = 0, .max = N};
    assert_true(charts_values(&line, 1, all, false, false).max >= 1000);
    struct plot_range r = charts_values(&line, 1, all, false, true);
    assert_true(r.min <= 1 && r.max >= 1.199 && r.max < 1.5);
    r = charts_values(&line, 1, all, true, true);
    assert_true(r.min > 0 && r.min <= 1 && r.max >= 1.199 && r.max <= 2);
    for (int i = 0; i < N; i++) y[i] = 3; /* no spread: nothing to leave out */
    r = charts_values(&line, 1, all, false, true);
    assert_true(r.min < 3 && r.max > 3);
}

static void summaries(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_panel *loss = panel(c, "loss");
    struct charts_options o = {0};
    charts_prepare(loss, o.axis, 0);
    struct charts_curve *train = &loss->curve[loss->curve[0].eval];
    struct charts_summary m = charts_summarise(train, (struct plot_range){.min = 15, .max = 65}, &o);
    assert_true(m.any && m.at == 7 && m.least == 5 && m.greatest == 1);
    o = (struct charts_options){.cursor = true, .at = 44};
    m = charts_summarise(train, (struct plot_range){.min = 0, .max = 80}, &o);
    assert_int_equal(m.at, 3);
    m = charts_summarise(train, (struct plot_range){.min = 81, .max = 90}, &o);
    assert_false(m.any);
    charts_free(c);
}

/* The first of the least and of the greatest values, as a look at every point finds them. */
static void summary_of_many_points(void **state)
{
    (void)state;
    enum { N = 9001 };
    struct charts c = {0};
    struct bt_events *w;
    char *a = make_run("summed", 0);
    assert_int_equal(bt_events_open(a, &w, NULL), BT_OK);
    for (int i = 0; i < N; i++)
        bt_events_scalar(w, "train/loss", i, 1e9, i % 1777 == 5 ? (double)NAN : (double)(i * 7919 % 4001),
                         NULL);
    bt_events_close(w, NULL);
    charts_set_runs(&c, (const char *[]){a}, 1);
    poll_once(&c);
    assert_true(charts_prepare(panel(&c, "loss"), CHARTS_STEP, 0.5));
    const struct charts_curve *curve = &panel(&c, "loss")->curve[0];
    assert_non_null(curve->blocks);
    struct charts_options o = {0};
    for (int from = 0; from < N; from += 501)
        for (int to = from + 1; to <= N + 1000; to = 2 * to + 17) {
            struct plot_range x = {.min = from, .max = to};
            struct charts_summary m = charts_summarise(curve, x, &o);
            size_t least = 0, greatest = 0;
            bool any = false;
            for (size_t i = (size_t)from; i < N && i <= (size_t)to; i++) {
                double v = curve->series->value[i];
                if (isnan(v)) continue;
                if (!any || v < curve->series->value[least]) least = i;
                if (!any || v > curve->series->value[greatest]) greatest = i;
                any = true;
            }
            assert_true(m.any == any && (!any || (m.least == least && m.greatest == greatest)));
        }
    charts_free(&c);
    free(a);
}

/* A first look comes before everything is read; then all of it. */
static void much_to_read(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct charts c = {0};
    bool more;
    char *a = make_run("much", 0), *b = make_run("more", 3);
    struct bt_events *w;
    assert_int_equal(bt_events_open(a, &w, NULL), BT_OK);
    for (int i = 0; i < N; i++) bt_events_scalar(w, "train/loss", i, 1e9, 1, NULL);
    bt_events_close(w, NULL);
    charts_set_runs(&c, (const char *[]){a, b}, 2);
    struct charts_poll *p = charts_begin(&c);
    charts_poll_run(p);
    assert_true(charts_end(&c, p, &more) && more);
    assert_in_range(panel(&c, "loss")->curve[0].series->n, 1000, N - 1);
    assert_false(c.run[0]->loaded || c.run[1]->loaded);
    for (int round = 0; more && round < 3; round++) {
        p = charts_begin(&c);
        charts_poll_run(p);
        charts_end(&c, p, &more);
    }
    assert_true(!more && c.run[0]->loaded && c.run[1]->loaded);
    assert_int_equal(panel(&c, "loss")->curve[0].series->n, N);
    charts_free(&c);
    free(a);
    free(b);
}

static void looks_and_names(void **state)
{
    (void)state;
    struct charts_looks l = {0};
    charts_look(&l, "loss")->log_y = true;
    assert_false(charts_look(&l, "accuracy")->log_y);
    assert_true(charts_look(&l, "loss")->log_y);
    assert_int_equal(l.n, 2);
    charts_looks_free(&l);
    assert_string_equal(charts_short_id("movie-reviews-20261124-101112-3f2a"), "3f2a");
    assert_string_equal(charts_short_id("lr-3e-5"), "lr-3e-5");
    assert_string_equal(charts_short_id("plain"), "plain");
}

/* ── files ── */

static struct charts_export *export_of(struct charts *c, const char *name)
{
    struct charts_panel *p = panel(c, name);
    struct charts_options o = {.weight = 0.6};
    struct charts_drawing d;
    charts_prepare(p, o.axis, o.weight);
    assert_true(charts_draw_panel(c, p, &o, NULL, (struct plot_range){.min = 0, .max = 80}, PLOT_ASCII, &d));
    struct charts_export *e = charts_export_take(p, &d);
    assert_non_null(e);
    charts_drawing_free(&d);
    return e;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)); text++) n++;
    return n;
}

static void exports(void **state)
{
    (void)state;
    struct charts *c = loaded("a,<b>", 8);
    struct charts_export *e = export_of(c, "loss");
    charts_free(c); /* what was taken is a copy */
    struct bt_str out = {0};
    charts_export_csv(e, &out);
    assert_int_equal(count(bt_str_text(&out), "\n"), 10);
    assert_non_null(strstr(bt_str_text(&out), "run,tag,step,wall_time,value,smoothed\n"));
    assert_non_null(strstr(bt_str_text(&out), "\"a,<b>\",train/loss,10,1000000002.000,1,1\n"));
    assert_non_null(strstr(bt_str_text(&out), "\"a,<b>\",eval/loss,25,1000000005.000,0.5,\n"));
    bt_str_clear(&out);
    charts_export_svg(e, &out);
    assert_non_null(strstr(bt_str_text(&out), "a,&lt;b&gt; train/loss"));
    assert_int_equal(count(bt_str_text(&out), "<path clip-path"), 3);
    assert_int_equal(count(bt_str_text(&out), "nan"), 0);
    bt_str_clear(&out);
    charts_export_text(e, &out);
    assert_int_equal(strncmp(bt_str_text(&out), "loss\n", 5), 0);
    assert_non_null(strstr(bt_str_text(&out), "o  0.1250    a,<b>  train/loss\n"));
    bt_str_free(&out);
    charts_export_free(e);
}

static void put_status(const char *run, const char *text)
{
    char *path = bt_path_join(run, "status.json");
    assert_int_equal(bt_file_write_atomic(path, text, strlen(text), NULL), BT_OK);
    free(path);
}

/* A run that says that it is a baseline, with a point at step 0, an hour before the others. */
static char *make_baseline(const char *name, double loss)
{
    char *path = bt_path_join(folder, name);
    struct bt_events *w;
    assert_int_equal(bt_mkdirs(path, NULL), BT_OK);
    put_status(path, "{\"state\": \"finished\", \"total\": 0, \"baseline\": \"tfidf\"}");
    assert_int_equal(bt_events_open(path, &w, NULL), BT_OK);
    bt_events_scalar(w, "eval/loss", 0, 1e9 - 3600, loss, NULL);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    return path;
}

/* A baseline stands at every x: it is within the y axis whatever part of x is shown, and says nothing about the x axis. */
static void baselines(void **state)
{
    (void)state;
    struct charts c = {0};
    char *a = make_run("a", 7), *b = make_baseline("b", 3.0);
    const char *dirs[] = {a, b};
    put_status(a, "{\"state\": \"finished\", \"total\": 70}");
    assert_true(charts_set_runs(&c, dirs, 2));
    assert_true(poll_once(&c));
    struct charts_panel *loss = panel(&c, "loss");
    struct charts_options o = {.axis = CHARTS_WALL};
    struct charts_drawing d;
    struct plot_range x = {.min = 50, .max = 70};
    assert_int_equal(loss->n, 3);
    charts_prepare(loss, o.axis, 0);
    assert_true(charts_extent(&loss, 1, &o).min > 1e9 - 60);
    o.axis = CHARTS_EPOCH;
    charts_prepare(loss, o.axis, 0);
    assert_true(charts_extent(&loss, 1, &o).max == 1.75); /* nothing goes on */
    o.axis = CHARTS_STEP;
    charts_prepare(loss, o.axis, 0);
    assert_true(charts_extent(&loss, 1, &o).max == 70);
    assert_true(charts_next_x(loss, 10, -1) == 10);
    assert_true(charts_draw_panel(&c, loss, &o, NULL, x, PLOT_BRAILLE, &d));
    assert_int_equal(d.spec.n_lines, 3);
    assert_true(!d.line[0].level && !d.line[1].level && d.line[2].level && d.line[2].dashed);
    assert_true(d.spec.y.max >= 3.0);
    const struct charts_curve *level = &loss->curve[2];
    const struct charts_summary m = charts_summarise(level, x, &o);
    assert_true(m.any && level->series->value[m.least] == 3.0);
    struct charts_export *e = charts_export_take(loss, &d);
    struct bt_str out = {0};
    charts_export_svg(e, &out);
    assert_int_equal(count(bt_str_text(&out), "stroke-dasharray=\"7 4\" d=\"M70.0 "), 1);
    assert_int_equal(count(bt_str_text(&out), " L880.0 "), 2); /* and the last step of the other */
    assert_int_equal(count(bt_str_text(&out), "<path clip-path"), 3);
    charts_export_free(e);
    charts_drawing_free(&d);
    dirs[0] = b;
    assert_true(charts_set_runs(&c, dirs, 1)); /* alone */
    loss = panel(&c, "loss");
    charts_prepare(loss, o.axis, 0);
    x = charts_extent(&loss, 1, &o);
    assert_true(x.min < x.max && x.max <= 1);
    bt_str_free(&out);
    charts_free(&c);
    free(a);
    free(b);
}

static void export_files(void **state)
{
    (void)state;
    struct charts *c = loaded("a", 8);
    struct charts_export *e = export_of(c, "accuracy");
    struct bt_error err;
    char path[200], *data;
    size_t n;
    snprintf(path, sizeof path, "%s/x.csv", folder);
    assert_int_equal(charts_export_write(e, path, &err), BT_OK);
    assert_int_equal(bt_file_read(path, 1 << 20, &data, &n, &err), BT_OK);
    assert_string_equal(data,
                        "run,tag,step,wall_time,value,smoothed\na,eval/accuracy,25,1000000005.000,0.75,\n");
    free(data);
    snprintf(path, sizeof path, "%s/x.pdf", folder);
    assert_int_equal(charts_export_write(e, path, &err), BT_INVALID);
    assert_int_equal(charts_export_check("x", &err), BT_INVALID);
    snprintf(path, sizeof path, "%s/none/x.svg", folder);
    assert_int_equal(charts_export_write(e, path, &err), BT_IO);
    charts_export_free(e);
    charts_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),
        cmocka_unit_test(smoothing),
        TEST(panels_and_axes),
        TEST(new_points_appear),
        TEST(same_steps_share_x),
        TEST(colours_are_stable),
        TEST(runs_change_during_a_poll),
        TEST(what_the_directory_tells),
        cmocka_unit_test(points_by_x),
        TEST(filters),
        cmocka_unit_test(many_runs),
        cmocka_unit_test(grids),
        cmocka_unit_test(zooming),
        TEST(extents),
        TEST(cursor_goes_from_point_to_point),
        TEST(what_a_panel_draws),
        cmocka_unit_test(outliers),
        TEST(drawing_while_a_poll_reads),
        TEST(summaries),
        TEST(summary_of_many_points),
        TEST(much_to_read),
        cmocka_unit_test(looks_and_names),
        TEST(exports),
        TEST(baselines),
        TEST(export_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
