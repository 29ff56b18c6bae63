/* What the Compare view shows: its lines and cells, and the rows behind each count. */
#include "tui/views/compare_lines.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char pos[] = "pos", neg[] = "neg", mix[] = "mix";

static struct bt_pair_row row(int64_t id, const char *gold, const char *first, const char *second,
                              double lost)
{
    bool a = strcmp(first, gold) == 0, b = strcmp(second, gold) == 0;
    return (struct bt_pair_row){.id = id,
                                .gold = gold,
                                .first = first,
                                .second = second,
                                .p_first = 0.5,
                                .p_second = 0.5 + (double)id / 100,
                                .loss_first = 1,
                                .loss_second = 1 + lost,
                                .outcome = a && b ? BT_BOTH_RIGHT
                                           : a    ? BT_ONLY_FIRST
                                           : b    ? BT_ONLY_SECOND
                                                  : BT_BOTH_WRONG};
}

static struct bt_pair_row rows[6];
static char split[] = "validation", lr[] = "1e-5", lr2[] = "3e-5", accuracy[] = "eval/accuracy";
static struct bt_pairing pairing = {
    .split = split, .step_first = 40, .step_second = 60, .n = 6, .row = rows, .p = 0.5};
static struct bt_versus versus = {.pairing = &pairing};
static char *rates[] = {lr, lr2, lr};
static double values[] = {0.8, NAN, 0.9};
static char dir[] = "/runs/x", id[] = "x", state[] = "finished", none[] = "";
static struct bt_compare_setting setting = {.key = "optim.learning_rate", .value = rates};
static struct bt_compare_metric metric = {
    .name = accuracy, .value = values, .judged = true, .higher_is_better = true, .best = 2};
static struct bt_compare_run runs[] = {
    {.dir = dir, .id = id, .state = state, .best_step = 40, .last_step = 60, .step = BT_STEP_NONE},
    {.dir = dir, .id = id, .state = none, .best_step = -1, .last_step = 60, .step = BT_STEP_NONE},
    {.dir = dir, .id = id, .state = state, .best_step = -1, .last_step = -1, .step = BT_STEP_NONE}};
static struct bt_compare compare = {
    .n_runs = 3, .n_settings = 1, .n_metrics = 1, .run = runs, .setting = &setting, .metric = &metric};

static int fill(void **unused)
{
    (void)unused;
    rows[0] = row(1, pos, pos, pos, 0);
    rows[1] = row(2, neg, neg, pos, 0.5);
    rows[2] = row(4, neg, neg, pos, 2);
    rows[3] = row(5, pos, neg, pos, -1);
    rows[4] = row(6, mix, neg, neg, NAN);
    rows[5] = row(9, mix, neg, pos, 0.1);
    return 0;
}

static const struct compare_line *find(const struct compare_lines *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->line[i].text, text) == 0) return &l->line[i];
    fail_msg("no line \"%s\"", text);
    return NULL;
}

static void expect_cell(const struct compare_lines *l, const char *line, size_t i, const char *want)
{
    struct bt_str out = {0};
    compare_cell(l, find(l, line), &compare, i, &out);
    assert_string_equal(bt_str_text(&out), want);
    bt_str_free(&out);
}

static void cells_of_runs(void **unused)
{
    (void)unused;
    struct compare_lines l;
    assert_true(compare_lines_make(&compare, &(struct bt_versus){.pairing = NULL}, "mark two", &l));
    expect_cell(&l, "state", 0, "finished");
    expect_cell(&l, "state", 1, "-");
    expect_cell(&l, "best step", 0, "40");
    expect_cell(&l, "best step", 1, "-");
    expect_cell(&l, "eval/accuracy", 0, "0.8000 ");
    expect_cell(&l, "eval/accuracy", 1, "- ");
    expect_cell(&l, "eval/accuracy", 2, "0.9000*");
    expect_cell(&l, "optim.learning_rate", 0, "1e-5");
    expect_cell(&l, "optim.learning_rate", 1, "3e-5");
    expect_cell(&l, "optim.learning_rate", 2, "=");
    assert_int_equal(compare_cells(&l, find(&l, "state"), &compare), 3);
    assert_int_equal(find(&l, "mark two")->kind, COMPARE_NOTE);
    compare_lines_free(&l);
}

static void counts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t n;
    } want[] = {{"both right", 1},
                {"only A right (harmful flips)", 2},
                {"only B right (beneficial flips)", 1},
                {"both wrong", 2},
                {"both wrong, not the same", 1},
                {"same prediction", 2},
                {"different predictions", 4}};
    struct compare_lines l;
    struct compare_set set;
    assert_true(compare_lines_make(&compare, &versus, NULL, &l));
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct compare_line *line = find(&l, want[i].text);
        assert_int_equal(line->count, want[i].n);
        assert_true(compare_set_of(&l, line, 0, &set));
        assert_int_equal(compare_count(&pairing, &set), want[i].n);
    }
    expect_cell(&l, "both wrong", 0, "2  33.3 %");
    assert_false(compare_set_of(&l, find(&l, "state"), 0, &set));
    compare_lines_free(&l);
}

/* Every row stands in exactly one cell. */
static void matrix(void **unused)
{
    (void)unused;
    struct compare_lines l;
    struct compare_set set;
    size_t sum = 0, index[6];
    assert_int_equal(bt_pair_matrix_make(&pairing, &versus.matrix, NULL), BT_OK);
    assert_true(compare_lines_make(&compare, &versus, NULL, &l));
    assert_int_equal(versus.matrix.n, 2);
    assert_string_equal(versus.matrix.label[0], "neg");
    for (size_t i = 0; i < l.n; i++)
        for (size_t k = 0; l.line[i].kind == COMPARE_MATRIX && k < versus.matrix.n; k++) {
            assert_true(compare_set_of(&l, &l.line[i], k, &set));
            size_t n = compare_rows(&pairing, &set, COMPARE_BY_ROW, index);
            assert_int_equal(n, versus.matrix.count[l.line[i].index * 2 + k]);
            sum += n;
        }
    assert_int_equal(sum, pairing.n);
    expect_cell(&l, "neg", 1, "4");
    compare_lines_free(&l);
    bt_pair_matrix_clear(&versus.matrix);
}

static void orders(void **unused)
{
    (void)unused;
    struct compare_set set = {.which = COMPARE_DIFFERENT};
    size_t index[6];
    assert_int_equal(compare_rows(&pairing, &set, COMPARE_BY_ROW, index), 4);
    assert_true(index[0] == 1 && index[1] == 2 && index[2] == 3 && index[3] == 5);
    compare_rows(&pairing, &set, COMPARE_BY_LOSS, index);
    assert_true(index[0] == 2 && index[1] == 1 && index[2] == 5 && index[3] == 3);
    compare_rows(&pairing, &set, COMPARE_BY_P, index);
    assert_true(index[0] == 5 && index[3] == 1);
    set.which = COMPARE_BOTH_WRONG; /* a loss that is not known comes last */
    compare_rows(&pairing, &set, COMPARE_BY_LOSS, index);
    assert_true(index[0] == 5 && index[1] == 4);
}

/* Answers in free words make no matrix. */
static void too_many_labels(void **unused)
{
    (void)unused;
    enum { N = 100 };
    static char text[N][8];
    struct bt_pair_row *many = calloc(N, sizeof *many);
    struct bt_pairing p = pairing;
    struct compare_lines l;
    for (int i = 0; i < N; i++) {
        text[i][0] = 'a';
        text[i][1] = (char)('0' + i / 10);
        text[i][2] = (char)('0' + i % 10);
        many[i] = row(i + 1, pos, text[i], text[i], 0);
    }
    p.row = many;
    p.n = N;
    struct bt_versus much = {.pairing = &p};
    assert_int_equal(bt_pair_matrix_make(&p, &much.matrix, NULL), BT_OK);
    assert_true(compare_lines_make(&compare, &much, NULL, &l));
    assert_int_equal(much.matrix.n, 0);
    bt_pair_matrix_clear(&much.matrix);
    for (size_t i = 0; i < l.n; i++) assert_int_not_equal(l.line[i].kind, COMPARE_MATRIX);
    assert_int_equal(find(&l, "same prediction")->count, N);
    compare_lines_free(&l);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_runs), cmocka_unit_test(counts),          cmocka_unit_test(matrix),
        cmocka_unit_test(orders),        cmocka_unit_test(too_many_labels),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
