/* Columns that series share, against series that share nothing. */
#include "run/events_series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* ── series that share nothing ── */

enum { SERIES = 7, MOST = 4000 };

struct lone {
    size_t n;
    int64_t step[MOST];
    double wall[MOST], value[MOST];
};

static const char tag[SERIES][2] = {"a", "b", "c", "d", "e", "f", "g"};

static void lone_cut(struct lone *l, int64_t step)
{
    while (l->n && l->step[l->n - 1] >= step) l->n--;
}

static void lone_add(struct lone *l, int64_t step, double wall, double value)
{
    lone_cut(l, step < INT64_MAX && l->n && step < l->step[l->n - 1] ? step : INT64_MAX);
    l->step[l->n] = step;
    l->wall[l->n] = wall;
    l->value[l->n++] = value;
}

static void add(struct bt__series_set *set, int which, int64_t step, double wall, double value)
{
    const struct bt__scalar v = {.tag = tag[which], .tag_n = 1, .value = value, .has_value = true};
    assert_true(bt__series_add(set, &v, step, wall));
}

static const struct bt_series *shown(const struct bt__series_set *set, int which)
{
    for (size_t i = 0; i < set->n_shown; i++)
        if (strcmp(set->shown[i]->tag, tag[which]) == 0) return &set->shown[i]->pub;
    return NULL;
}

static void expect_shown(const struct bt__series_set *set, const struct lone *want)
{
    for (int i = 0; i < SERIES; i++) {
        const struct bt_series *s = shown(set, i);
        assert_int_equal(s ? s->n : 0, want[i].n);
        if (!s) continue;
        assert_memory_equal(s->step, want[i].step, s->n * sizeof *s->step);
        assert_memory_equal(s->wall, want[i].wall, s->n * sizeof *s->wall);
        assert_memory_equal(s->value, want[i].value, s->n * sizeof *s->value);
    }
}

/* What is read differs from what is shown until it is committed: series fall out of step, go back alone or all together, come back. */
static void as_if_alone(void **state)
{
    (void)state;
    static struct lone read[SERIES], seen[SERIES];
    for (uint32_t round = 1; round <= 30; round++) {
        struct bt__series_set set = {.n = 0};
        seed = round * 7919;
        memset(read, 0, sizeof read);
        memset(seen, 0, sizeof seen);
        int64_t step = 1;
        for (int turn = 0; turn < 600; turn++, step++) {
            for (int i = 0; i < SERIES; i++) {
                if (below(25) == 0) continue;
                const int64_t at = below(150) ? step : step - 1 - (int64_t)below(60);
                const double wall = 1e9 + (double)(below(9) ? step : at) / (below(5) ? 1 : 3);
                lone_add(&read[i], at, wall, (double)step * 10.0 + i);
                add(&set, i, at, wall, (double)step * 10.0 + i);
            }
            if (below(80) == 0) {
                step -= (int64_t)below(100);
                assert_true(bt__series_supersede(&set, step));
                for (int i = 0; i < SERIES; i++) lone_cut(&read[i], step);
            }
            if (below(40) == 0) expect_shown(&set, seen);
            if (below(60) == 0) {
                bt__series_commit(&set);
                memcpy(seen, read, sizeof seen);
                expect_shown(&set, seen);
            }
        }
        expect_shown(&set, seen);
        bt__series_commit(&set);
        expect_shown(&set, read);
        bt__series_free(&set);
    }
}

/* ── what is kept once ── */

static void log_together(struct bt__series_set *set, int64_t from, int64_t to)
{
    for (int64_t step = from; step <= to; step++)
        for (int i = 0; i < SERIES; i++) {
            if (i == 5 && step < 50) continue; /* comes later, and between two that are together */
            add(set, i, i == 5 ? 2 * step : step, i == 4 || i == 5 ? 0.5 * (double)step : (double)step,
                (double)(step * i));
        }
}

static void expect_together(struct bt__series_set *set)
{
    assert_true(bt__series_commit(set));
    const struct bt_series *first = shown(set, 0);
    for (int i = 1; i < SERIES; i++) {
        const struct bt_series *s = shown(set, i);
        assert_true((s->step == first->step) == (i != 5));
        assert_true((s->wall == first->wall) == (i != 5 && i != 4));
        assert_true(s->value != first->value);
    }
}

static void steps_in_common_are_kept_once(void **state)
{
    (void)state;
    struct bt__series_set set = {.n = 0};
    log_together(&set, 1, 1000);
    expect_together(&set);
    log_together(&set, 1001, 5000); /* what is shown grows: other blocks, in common again */
    expect_together(&set);
    assert_true(bt__series_supersede(&set, 3000));
    log_together(&set, 3000, 6000);
    expect_together(&set);
    bt__series_free(&set);
}

/* Back and forth in a long series: each time costs what a step costs, not what the series does. */
static void back_and_forth(void **state)
{
    (void)state;
    enum { LONG = 200000, TIMES = 200000 };
    struct bt__series_set set = {.n = 0};
    for (int64_t step = 1; step <= LONG; step++)
        for (int i = 0; i < 2; i++) add(&set, i, step, (double)step, 1);
    assert_true(bt__series_commit(&set));
    for (int k = 0; k < TIMES; k++)
        for (int i = 0; i < 2; i++) add(&set, i, LONG - k % 2, (double)k, (double)k);
    unsigned parted = set.all[0]->parted + set.all[1]->parted;
    assert_true(bt__series_commit(&set));
    assert_int_equal(shown(&set, 0)->n, LONG - 1);
    assert_true(parted > 0);
    assert_ptr_not_equal(set.all[0]->points.column[BT__COLUMN_WALL],
                         set.all[1]->points.column[BT__COLUMN_WALL]);
    bt__series_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_if_alone),
        cmocka_unit_test(steps_in_common_are_kept_once),
        cmocka_unit_test(back_and_forth),
    };
    return cmocka_run_group_tests_name("events_columns", tests, NULL, NULL);
}
