/* Figures of training examples over the epochs, and what a threshold decides. */
#include "tests/unit/folder.h"

#include <bertty/data_map.h>
#include <bertty/threshold.h>
#include <math.h>
#include <time.h>

#include "tui/views/predictions_map.h"

/* ── figures ── */

/* numpy: np.mean, np.std of .2, .9, .4, .8 as floats */
static void figures(void **state)
{
    static const float p[] = {0.2f, 0.9f, NAN, 0.4f, 0.8f};
    static const bool right[] = {false, true, true, false, true};
    struct bt_map_row r = {.id = 7};
    (void)state;
    bt_map_sum_up(p, right, 5, &r);
    assert_int_equal(r.epochs, 4);
    assert_true(fabs(r.confidence - 0.5749999992549419) <= 1e-12);
    assert_true(fabs(r.variability - 0.28613807224217574) <= 1e-12);
    assert_true(r.correctness == 0.5 && r.learnt && r.forgotten == 1); /* what was not seen is passed over */
    bt_map_sum_up(p, (const bool[]){false, false, true, false, false}, 5, &r);
    assert_true(!r.learnt && r.forgotten == 0 && r.correctness == 0);
    bt_map_sum_up(p + 2, right, 1, &r);
    assert_true(r.epochs == 0 && isnan(r.confidence) && isnan(r.variability));
}

static void map_of(struct bt_map **m)
{
    struct bt_error err = {0};
    put("r/dynamics/epoch-1.jsonl",
        "{\"id\":5,\"p\":0.1,\"correct\":false}\n{\"id\":1,\"p\":0.9,\"correct\":true}\n"
        "{\"id\":2,\"p\":0.75,\"correct\":true}\n{\"id\":3,\"p\":null,\"correct\":false}\n");
    put("r/dynamics/epoch-2.jsonl", "{\"id\":1,\"p\":1,\"correct\":true}\n{\"id\":2,\"p\":0.25,\"correct\":"
                                    "false}\n{\"id\":5,\"p\":0.2,\"correct\":false}\n");
    put("r/dynamics/epoch-3.jsonl.0123.tmp", "x");
    if (bt_map_load(at("r"), m, &err) != BT_OK) fail_msg("%s", err.text);
}

static void maps(void **state)
{
    struct bt_map *m;
    (void)state;
    map_of(&m);
    assert_true(m->n == 3 && m->n_epochs == 2 && m->epoch[1] == 2);
    assert_true(m->row[0].id == 1 && m->row[1].id == 2 && m->row[2].id == 5);
    assert_int_equal(m->row[0].region, BT_MAP_EASY);
    assert_int_equal(m->row[1].region, BT_MAP_AMBIGUOUS);
    assert_int_equal(m->row[2].region, BT_MAP_HARD);
    assert_true(m->limit == 0.25 && m->row[1].forgotten == 1 && m->row[1].confidence == 0.5);
    assert_true(m->count[BT_MAP_EASY] == 1 && m->count[BT_MAP_AMBIGUOUS] == 1 && m->count[BT_MAP_HARD] == 1);
    bt_map_free(m);
}

static void bad_maps(void **state)
{
    static const char *const bad[][2] = {
        {"{\"id\":0,\"p\":0.5,\"correct\":true}\n", "epoch-1.jsonl:1: expected \"id\""},
        {"\n{\"id\":1,\"p\":1.5,\"correct\":true}\n", ":2: expected \"p\""},
        {"{\"id\":1,\"p\":0.5}\n", "expected \"correct\""},
        {"{\"id\":", ":1: "},
        {"", "hold no rows"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_error err = {0};
        struct bt_map *m;
        put("bad/dynamics/epoch-1.jsonl", bad[i][0]);
        if (bt_map_load(at("bad"), &m, &err) == BT_OK) fail_msg("%s", bad[i][0]);
        if (!strstr(err.text, bad[i][1])) fail_msg("'%s' not in '%s'", bad[i][1], err.text);
    }
    struct bt_error err = {0};
    struct bt_map *m;
    assert_int_equal(bt_map_load(at("none"), &m, &err), BT_NOTFOUND);
}

/* Each row is in the box of just one cell, and the cells count all rows. */
static void cells(void **state)
{
    struct bt_map *m;
    struct pred_map_grid g = {.w = 0};
    (void)state;
    map_of(&m);
    m->row[0].confidence = 1; /* the ends belong to the last cells */
    m->row[1].variability = 0.5;
    m->row[2].confidence = m->row[2].variability = 0;
    assert_true(pred_map_count(&g, m, 13, 7));
    for (size_t i = 0; i < m->n; i++) {
        int in = 0;
        for (int y = 0; y < g.h; y++)
            for (int x = 0; x < g.w; x++) {
                const struct pred_map_box b = pred_map_cell(&g, x, y);
                if (!pred_map_in(&b, &m->row[i])) continue;
                in++;
                assert_int_equal(g.count[y * g.w + x], 1);
                assert_int_equal(g.region[y * g.w + x], m->row[i].region);
            }
        assert_int_equal(in, 1);
    }
    assert_int_equal(g.count[6 * 13], 1);
    assert_int_equal(pred_map_sign(0), ' ');
    assert_int_equal(pred_map_sign(9), '9');
    assert_int_equal(pred_map_sign(10), '+');
    assert_int_equal(pred_map_sign(999), '#');
    assert_int_equal(pred_map_sign(1000), '@');
    pred_map_grid_free(&g);
    bt_map_free(m);
}

/* ── thresholds ── */

enum { MANY = 100000 };
static char no[] = "no", yes[] = "yes";
static char *labels[] = {no, yes};

static struct bt_predictions many(void)
{
    struct bt_predictions p = {.kind = BT_ROWS_LABELS, .label = labels, .n_labels = 2, .n = MANY};
    p.row = calloc(MANY, sizeof *p.row);
    p.scores = calloc(2 * MANY, sizeof *p.scores);
    assert_true(p.row && p.scores);
    for (size_t i = 0; i < MANY; i++) {
        p.scores[2 * i + 1] = (float)(i * 7919 % MANY) / (float)MANY;
        p.scores[2 * i] = 1.0f - p.scores[2 * i + 1];
        p.row[i] = (struct bt_prediction){.id = (int64_t)i + 1,
                                          .gold = (p.scores[2 * i + 1] > 0.3f && i % 5) || i % 17 == 0,
                                          .judged = true,
                                          .scores = p.scores + 2 * i};
        if (i % 100 == 0) p.row[i].gold = -1; /* nothing to compare with */
    }
    return p;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void thresholds(void **state)
{
    struct bt_predictions p = many();
    struct bt_thresholds *t;
    struct bt_error err = {0};
    const double wanted = 0.37;
    size_t tp = 0, fp = 0, fn = 0, tn = 0;
    (void)state;
    if (bt_thresholds_make(&p, &t, &err) != BT_OK) fail_msg("%s", err.text);
    const double begin = now();
    for (int i = 0; i <= 100; i++) bt_thresholds_at(t, 1, i / 100.0);
    const double seconds = now() - begin;
    if (seconds > 0.050) fail_msg("a hundred thresholds take %.3f s", seconds);
    const double threshold[] = {NAN, wanted};
    assert_int_equal(bt_predictions_decide(&p, threshold, &err), BT_OK);
    for (size_t i = 0; i < p.n; i++) {
        const struct bt_prediction *r = &p.row[i];
        assert_int_equal(r->predicted, r->scores[1] >= (float)wanted);
        assert_true(r->p == r->scores[r->predicted] && r->predicted_text == labels[r->predicted]);
        assert_int_equal(r->correct, r->gold == r->predicted);
        if (r->gold < 0) continue;
        *(r->gold ? (r->predicted ? &tp : &fn) : (r->predicted ? &fp : &tn)) += 1;
    }
    const struct bt_threshold_at got = bt_thresholds_at(t, 1, wanted),
                                 best = bt_thresholds_at(t, 1, bt_thresholds_best(t, 1));
    assert_true(got.tp == tp && got.fp == fp && got.fn == fn && got.tn == tn);
    for (int i = 0; i <= 1000; i++) assert_true(!(bt_thresholds_at(t, 1, i / 1000.0).f1 > best.f1));
    bt_thresholds_free(t);
    free(p.row);
    free(p.scores);
}

static void no_thresholds(void **state)
{
    struct bt_predictions p = {.kind = BT_ROWS_NUMBERS};
    struct bt_thresholds *t;
    struct bt_error err = {0};
    (void)state;
    assert_int_equal(bt_thresholds_make(&p, &t, &err), BT_UNSUPPORTED);
    assert_int_equal(bt_predictions_decide(&p, NULL, &err), BT_UNSUPPORTED);
    p = (struct bt_predictions){.kind = BT_ROWS_LABELS, .n_labels = 3};
    assert_int_equal(bt_thresholds_make(&p, &t, &err), BT_UNSUPPORTED);
    p = (struct bt_predictions){.kind = BT_ROWS_LABELS, .label = labels, .n_labels = 2};
    assert_int_equal(bt_thresholds_make(&p, &t, &err), BT_OK);
    assert_true(isnan(bt_thresholds_best(t, 0)) && isnan(bt_thresholds_at(t, 0, 0.5).accuracy));
    bt_thresholds_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures), cmocka_unit_test(maps),       cmocka_unit_test(bad_maps),
        cmocka_unit_test(cells),   cmocka_unit_test(thresholds), cmocka_unit_test(no_thresholds),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
