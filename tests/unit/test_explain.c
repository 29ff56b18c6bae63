/* Explanations of a small random model that the test writes itself: what golden values cannot show. */
#include "explain/parts.h"
#include "tests/unit/random_model.h"
#include <bertty/explain.h>

#include <math.h>
#include <stdio.h>

static struct bt_explanation *explained(struct bt_predictor *p, const char *text,
                                        const struct bt_explain_spec *how)
{
    struct bt_explanation *x = NULL;
    const struct bt_input in = input(text);
    expect(bt_explain(p, &in, how, &x, &err));
    return x;
}

static double sum(const struct bt_explanation *x)
{
    double s = 0.0;
    for (size_t i = 0; i < x->n; i++) s += x->item[i].score;
    return s;
}

/* ── points of an integral ── */

static double power(enum bt_explain_rule rule, int n, int exponent)
{
    double at[64], weight[64], s = 0.0;
    bt__quadrature(rule, n, at, weight);
    for (int i = 0; i < n; i++) s += weight[i] * pow(at[i], exponent);
    return s;
}

/* n points of Gauss and Legendre are exact for polynomials up to degree 2n − 1; the trapezoid rule has both ends, and is exact for lines. */
static void quadrature(void **state)
{
    double at[64], weight[64];
    (void)state;
    for (int n = 1; n <= 64; n++)
        for (int e = 0; e < 2 * n && e < 40; e++)
            assert_true(fabs(power(BT_EXPLAIN_GAUSS, n, e) - 1.0 / (e + 1)) < 1e-13);
    assert_true(fabs(power(BT_EXPLAIN_GAUSS, 2, 4) - 0.2) > 1e-3);
    bt__quadrature(BT_EXPLAIN_TRAPEZOID, 5, at, weight);
    assert_true(at[0] == 0.0 && at[4] == 1.0 && weight[0] == 0.125 && weight[1] == 0.25);
    assert_true(fabs(power(BT_EXPLAIN_TRAPEZOID, 7, 1) - 0.5) < 1e-15);
}

/* ── steps ── */

static void steps_are_doubled(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_explain_spec exact = {.method = BT_EXPLAIN_INTEGRATED, .steps = 1, .tolerance = 1e-3};
    struct bt_explanation *x = explained(p, "good films a bad filming", &exact);
    assert_true(x->steps > 1 && (x->steps & (x->steps - 1)) == 0 && !x->capped);
    assert_true(x->error <= 1e-3);
    assert_true(fabs(fabs(x->value - x->base - sum(x)) / fabs(x->value - x->base) - x->error) < 1e-9);
    bt_explanation_free(x);
    const struct bt_explain_spec capped = {
        .method = BT_EXPLAIN_INTEGRATED, .steps = 1, .most_steps = 2, .tolerance = 1e-9};
    x = explained(p, "good films a bad filming", &capped);
    assert_true(x->capped && x->steps == 2 && x->error > 1e-9);
    bt_explanation_free(x);
    bt_predictor_free(p);
}

/* The batches that the steps are computed in change nothing. */
static void batches_do_not_matter(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt_explain_spec how = {.method = BT_EXPLAIN_INTEGRATED, .steps = 13, .most_steps = 13};
    struct bt_explanation *one = explained(p, "the good film", &how);
    for (int together = 1; together < 40; together += 11) {
        how.together = together;
        struct bt_explanation *x = explained(p, "the good film", &how);
        for (size_t i = 0; i < x->n; i++) assert_true(fabs(x->item[i].score - one->item[i].score) < 1e-6);
        bt_explanation_free(x);
    }
    bt_explanation_free(one);
    bt_predictor_free(p);
}

/* The input is the baseline: nothing differs, and the error is not defined. */
static void nothing_differs(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_explain_spec how = {.method = BT_EXPLAIN_INTEGRATED};
    struct bt_explanation *x = explained(p, "[PAD] [PAD]", &how);
    assert_int_equal(x->n, 4);
    assert_true(isnan(x->error) && !x->capped && sum(x) == 0.0);
    bt_explanation_free(x);
    bt_predictor_free(p);
}

/* ── being asked to stop ── */

struct stopper {
    atomic_bool stop;
    int calls, at; /* stops at this call; 0: never */
};

static void progress(void *ctx, int done, int all)
{
    struct stopper *s = ctx;
    assert_true(done > 0 && done <= all);
    if (++s->calls == s->at) atomic_store(&s->stop, true);
}

static void cancelling(void **state)
{
    static const enum bt_explain_method methods[] = {BT_EXPLAIN_INTEGRATED, BT_EXPLAIN_OCCLUSION};
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_input in = input("the good film the bad film");
    for (size_t i = 0; i < 2; i++) {
        struct stopper s = {.at = 2};
        struct bt_explanation *x = NULL;
        atomic_init(&s.stop, false);
        struct bt_explain_spec how = {
            .method = methods[i], .together = 1, .cancel = &s.stop, .progress = progress, .ctx = &s};
        assert_int_equal(bt_explain(p, &in, &how, &x, &err), BT_CANCELLED);
        assert_null(x);
        assert_int_equal(s.calls, 2);
        s.at = 0;
        atomic_store(&s.stop, false);
        expect(bt_explain(p, &in, &how, &x, &err));
        assert_true(s.calls > 4);
        bt_explanation_free(x);
    }
    bt_predictor_free(p);
}

/* ── what has a score ── */

static void words_and_places(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    const char *text = "Films, a GOODing film";
    struct bt_explain_spec how = {.method = BT_EXPLAIN_GRADIENT};
    struct bt_explanation *pieces = explained(p, text, &how);
    how.words = true;
    struct bt_explanation *words = explained(p, text, &how);
    static const struct {
        const char *text;
        size_t begin, end;
    } expected[] = {{"[CLS]", 0, 0},    {"films", 0, 5},  {"[UNK]", 5, 6}, {"a", 7, 8},
                    {"gooding", 9, 16}, {"film", 17, 21}, {"[SEP]", 0, 0}};
    assert_int_equal(words->n, 7);
    assert_int_equal(pieces->n, 9);
    for (size_t i = 0; i < 7; i++) {
        double whole = 0.0;
        const struct bt_explained *w = &words->item[i];
        assert_string_equal(w->text, expected[i].text);
        assert_int_equal(w->begin, expected[i].begin);
        assert_int_equal(w->end, expected[i].end);
        assert_int_equal(w->special, i == 0 || i == 6);
        for (int k = 0; k < w->tokens; k++) whole += pieces->item[w->first + k].score;
        assert_true(fabs(whole - w->score) < 1e-9);
    }
    bt_explanation_free(pieces);
    bt_explanation_free(words);
    bt_predictor_free(p);
}

static void target_and_cut(void **state)
{
    (void)state;
    char text[5 * 100 + 1];
    struct bt_predictor *p = open_it();
    double best = -HUGE_VAL;
    const char *name = NULL;
    for (int i = 0; i < 100; i++) memcpy(text + 5 * i, i % 3 ? "good " : "film ", 6);
    for (int i = 0; i < LABELS; i++) {
        const struct bt_explain_spec how = {.of = BT_EXPLAIN_PROBABILITY, .target = bt_predictor_label(p, i)};
        struct bt_explanation *x = explained(p, text, &how);
        assert_true(x->truncated && x->tokens == POSITIONS && x->probability);
        assert_string_equal(x->target, how.target);
        if (x->value > best) name = how.target;
        best = fmax(best, x->value);
        bt_explanation_free(x);
    }
    struct bt_explanation *x = explained(p, text, &(struct bt_explain_spec){.method = BT_EXPLAIN_OCCLUSION});
    assert_string_equal(x->target, name);
    bt_explanation_free(x);
    bt_predictor_free(p);
}

static void refused(void **state)
{
    static const struct {
        const char *text, *said;
        struct bt_explain_spec how;
    } cases[] = {{.text = " \t", .said = "the text is empty"},
                 {.text = "a",
                  .how = {.target = "good"},
                  .said = "no label \"good\", expected one of: neg, neutral, pos"},
                 {.text = "a", .how = {.word = 2}, .said = "whole text"},
                 {.text = "a", .how = {.method = BT_EXPLAIN_ATTENTION, .layer = 3}, .said = "from 1 to 2"},
                 {.text = "a", .how = {.method = BT_EXPLAIN_ATTENTION, .head = -1}, .said = "from 1 to 2"}};
    (void)state;
    struct bt_predictor *p = open_it();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_explanation *x = NULL;
        const struct bt_input in = input(cases[i].text);
        assert_int_equal(bt_explain(p, &in, &cases[i].how, &x, &err), BT_INVALID);
        assert_null(x);
        if (!strstr(err.text, cases[i].said)) fail_msg("\"%s\" does not say: %s", err.text, cases[i].said);
    }
    bt_predictor_free(p);
}

/* What a deletion leaves is another text: F without it is F of that text. */
static void deletion(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_explain_spec how = {
        .method = BT_EXPLAIN_OCCLUSION, .occlude = BT_EXPLAIN_DELETE, .words = true, .target = "pos"};
    struct bt_explanation *x = explained(p, "the goods film", &how), *rest = explained(p, "the film", &how);
    assert_int_equal(x->n, 5);
    assert_true(fabs(x->item[2].score - (x->value - rest->value)) < 1e-5);
    assert_true(x->item[0].score == 0.0 && x->item[4].score == 0.0);
    bt_explanation_free(x);
    bt_explanation_free(rest);
    bt_predictor_free(p);
}

/* An explanation and an answer in turn: neither sees the other. */
static void predictor_stays_as_it_was(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    float before[LABELS];
    struct bt_output out;
    const struct bt_input in = input("the good film");
    expect(bt_predict(p, &in, &out, &err));
    memcpy(before, out.logits, sizeof before);
    for (int m = 0; m < BT_EXPLAIN_METHODS; m++) {
        struct bt_explanation *x =
            explained(p, "bad", &(struct bt_explain_spec){.method = (enum bt_explain_method)m});
        expect(bt_predict(p, &in, &out, &err));
        assert_memory_equal(out.logits, before, sizeof before);
        assert_int_equal(x->matrix != NULL, m == BT_EXPLAIN_ATTENTION || m == BT_EXPLAIN_ROLLOUT);
        bt_explanation_free(x);
    }
    bt_predictor_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quadrature),
                                       cmocka_unit_test(steps_are_doubled),
                                       cmocka_unit_test(batches_do_not_matter),
                                       cmocka_unit_test(nothing_differs),
                                       cmocka_unit_test(cancelling),
                                       cmocka_unit_test(words_and_places),
                                       cmocka_unit_test(target_and_cut),
                                       cmocka_unit_test(refused),
                                       cmocka_unit_test(deletion),
                                       cmocka_unit_test(predictor_stays_as_it_was)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
