/* Repetitions with other seeds: which runs belong together, and their mean. */
#include "tests/unit/folder.h"

#include <bertty/run_groups.h>
#include <math.h>

static struct bt_run_list list;
static struct bt_facts *facts;

static void put_run(const char *id, double started, const char *best, bool steered, const char *settings)
{
    char path[100], text[400];
    snprintf(path, sizeof path, "%s/status.json", id);
    snprintf(text, sizeof text,
             "{\"state\":\"finished\",\"started\":%g,\"best\":%s,\"metric\":\"f1\",\"step\":5,\"total\":10,"
             "\"steered\":%s}",
             started, best, steered ? "true" : "false");
    put(path, text);
    snprintf(path, sizeof path, "%s/experiment.yaml", id);
    put(path, settings);
}

static int make_runs(void **state)
{
    if (folder_make(state) != 0) return -1;
    put_run("a1", 9, "0.8", false, "train: {seed: 1, data_seed: 1}\nrun: {name: a1, output_dir: /x}\n");
    put_run("b1", 8, "0.5", false, "train: {seed: 1}\noptim: {learning_rate: 1e-3}\n");
    put_run("a2", 7, "0.9", false, "train: {seed: 2}\nrun: {name: a2}\n");
    put_run("a3", 6, "null", false, "train: {seed: 3}\n");
    put_run("s", 5, "0.1", true, "train: {seed: 4}\n"); /* steered: it is not what the others are */
    put_run("d", 4, "0.7", false, "train: {seed: 4, data_seed: 9}\n");
    put_run("b2", 3, "0.7", false, "train: {seed: 9}\noptim: {learning_rate: 0.001}\n");
    put_run("x", 2, "0.7", false, "train: [\n");
    put_run("y", 1, "0.7", false, "train: [\n");
    if (bt_run_list(folder, NULL, &list, NULL) != BT_OK || list.n != 9) return -1;
    struct bt_facts_wish wish[9];
    for (size_t i = 0; i < 9; i++)
        wish[i] = (struct bt_facts_wish){.dir = list.run[i].dir, .need = BT_FACTS_SETTINGS};
    return bt_facts_read(wish, 9, NULL, NULL, &facts, NULL) == BT_OK ? 0 : -1;
}

static int remove_runs(void **state)
{
    bt_run_list_clear(&list);
    bt_facts_free(facts);
    return folder_remove(state);
}

static void groups(void **state)
{
    (void)state;
    struct bt_run_groups g;
    const size_t row[] = {8, 7, 6, 5, 4, 3, 2, 1, 0};
    assert_true(bt_run_groups_make(&list, row, 9, facts, &g));
    assert_int_equal(g.n, 2);
    const struct bt_run_group *b = &g.group[0], *a = &g.group[1]; /* b2 stands before a3 */
    assert_int_equal(a->n, 3);
    assert_int_equal(b->n, 2);
    assert_string_equal(list.run[a->member[0]].id, "a3");
    assert_string_equal(list.run[a->member[2]].id, "a1");
    assert_int_equal(a->n_values, 2);
    assert_true(fabs(a->mean - 0.85) < 1e-12 && fabs(a->sd - 0.1 / sqrt(2.0)) < 1e-12);
    assert_true(fabs(b->mean - 0.6) < 1e-12);
    assert_string_equal(a->metric, "f1");
    assert_true(a->step == 15 && a->total == 30);
    for (size_t o = 0; o < BT_OPTIONS; o++) assert_int_equal(g.told[o], o == BT_OPTION_optim_learning_rate);
    for (size_t i = 0; i < list.n; i++) {
        char first = list.run[i].id[0];
        assert_int_equal(g.of[i], first == 'a' ? 1 : first == 'b' ? 0 : BT_ALONE);
    }
    bt_run_groups_clear(&g);
}

static void some_of_them(void **state)
{
    (void)state;
    struct bt_run_groups g;
    const size_t row[] = {0, 1, 2}; /* a1, b1, a2 */
    assert_true(bt_run_groups_make(&list, row, 3, facts, &g));
    assert_int_equal(g.n, 1);
    assert_int_equal(g.group[0].n, 2);
    bt_run_groups_clear(&g);
    assert_true(bt_run_groups_make(&list, row, 2, facts, &g));
    assert_int_equal(g.n, 0);
    bt_run_groups_clear(&g);
    assert_true(bt_run_groups_make(&list, row, 3, NULL, &g)); /* nothing known */
    assert_int_equal(g.n, 0);
    bt_run_groups_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups), cmocka_unit_test(some_of_them)};
    return cmocka_run_group_tests_name("run_groups", tests, make_runs, remove_runs);
}
