/* The tree of the texts that were asked in Probe: branches, the order on the screen, differences word by word, and what is kept between starts. */
#include "tui/views/probe_tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An answer of two labels. */
static void note(struct probe_tree *t, const char *text, double positive)
{
    struct probe_said said[] = {
        {.label = (char *)"negative", .score = 1.0 - positive, .chosen = positive < 0.5},
        {.label = (char *)"positive", .score = positive, .chosen = positive >= 0.5}};
    const struct probe_answer a = {.task = -1, .said = said, .n = 2, .step = 20};
    assert_true(probe_tree_note(t, text, NULL, &a, "runs/one"));
}

static void branches(void **state)
{
    struct probe_tree t = {.at = -1};
    struct probe_branch order[8];
    static const struct {
        int node, depth, parent;
    } want[] = {{0, 0, -1}, {1, 0, 0}, {2, 1, 1}, {5, 1, 2}, {3, 1, 1}, {4, 1, 3}};
    (void)state;
    note(&t, "a", 0.5);
    note(&t, "a film", 0.6);
    note(&t, "a good film", 0.9);
    note(&t, "a film", 0.6); /* back */
    assert_int_equal(t.n, 3);
    assert_int_equal(t.at, 1);
    note(&t, "a bad film", 0.1); /* a branch */
    note(&t, "a bad film.", 0.1);
    note(&t, "a good film", 0.9);
    note(&t, "a very good film", 0.95);
    assert_true(probe_tree_order(&t, order));
    assert_int_equal(t.n, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(order[i].node, want[i].node);
        assert_int_equal(order[i].depth, want[i].depth);
        assert_int_equal(t.node[order[i].node].parent, want[i].parent);
    }
    probe_tree_free(&t);
}

static void changed(const char *a, const char *b, const char *want, const char *marked)
{
    struct bt_str out = {0};
    probe_words_changed(a, b, &out);
    assert_string_equal(bt_str_text(&out), want);
    bt_str_clear(&out);
    probe_words_marked(a, b, &out);
    assert_string_equal(bt_str_text(&out), marked);
    bt_str_free(&out);
}

static void words(void **state)
{
    (void)state;
    changed("the film was good", "the film was bad", "− good + bad", "the film was −good +bad");
    changed("a film", "a very good film", "+ very good", "a +very +good film");
    changed("a very good film", "a film", "− very good", "a −very −good film");
    changed("one two three four", "two three four five", "− one + five", "−one two three four +five");
    changed("a  film", "a film", "", "a film");
    changed("", "a", "+ a", "+a");
    changed("a", "", "− a", "−a");
    char *many = calloc(1, 2001); /* more words than are compared */
    for (int i = 0; i < 1000; i++) memcpy(many + 2 * i, "x ", 2);
    struct bt_str out = {0};
    probe_words_changed(many, "x", &out);
    assert_true(out.len > 3 && strcmp(out.data + out.len - 3, "…") == 0);
    bt_str_free(&out);
    free(many);
}

static void answers(void **state)
{
    struct probe_tree t = {.at = -1};
    struct bt_str out = {0};
    (void)state;
    note(&t, "a", 0.75);
    note(&t, "b", 0.25);
    note(&t, "c", 0.125);
    assert_true(probe_answer_changed(&t.node[0], &t.node[1], &out));
    assert_string_equal(bt_str_text(&out), "positive → negative -0.5000");
    bt_str_clear(&out);
    assert_true(probe_answer_changed(&t.node[1], &t.node[2], &out));
    assert_string_equal(bt_str_text(&out), "negative +0.1250");
    free(t.node[2].run); /* by another run: nothing to compare */
    t.node[2].run = bt_strdup("runs/two");
    assert_false(probe_answer_changed(&t.node[1], &t.node[2], &out));
    bt_str_free(&out);
    probe_tree_free(&t);
}

/* The oldest leaves go first; the texts that are edited stay. */
static void full(void **state)
{
    struct probe_tree t = {.at = -1};
    char text[32];
    (void)state;
    note(&t, "root", 0.5);
    for (int i = 0; i < PROBE_NODES + 50; i++) {
        snprintf(text, sizeof text, "text %d", i);
        note(&t, "root", 0.5);
        note(&t, text, 0.5);
    }
    assert_int_equal(t.n, PROBE_NODES);
    assert_string_equal(t.node[0].text, "root");
    assert_string_equal(t.node[1].text, "text 51");
    for (int i = 1; i < t.n; i++) assert_int_equal(t.node[i].parent, 0);
    probe_tree_free(&t);
    for (int i = 0; i < PROBE_NODES + 50; i++) { /* one line */
        snprintf(text, sizeof text, "text %d", i);
        note(&t, text, 0.5);
    }
    assert_int_equal(t.n, PROBE_NODES);
    assert_string_equal(t.node[t.at].text, "text 349");
    for (int i = 0; i < t.n; i++) assert_int_equal(t.node[i].parent, i - 1);
    probe_tree_free(&t);
}

static void kept(void **state)
{
    struct probe_tree t = {.at = -1}, again = {.at = -1};
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    (void)state;
    note(&t, "a \x1b[31m film", 0.75);
    note(&t, "a bad film", 0.25);
    note(&t, "a \x1b[31m film", 0.75);
    bt_jw_object(&w);
    probe_tree_keep(&t, &w);
    bt_jw_end_object(&w);
    struct bt_json *root = bt_json_parse(bt_str_text(&text), text.len, "kept", NULL);
    assert_non_null(root);
    probe_tree_restore(&again, root);
    assert_int_equal(again.n, 2);
    assert_int_equal(again.at, 0);
    assert_string_equal(again.node[0].text, t.node[0].text);
    assert_int_equal(again.node[1].parent, 0);
    assert_string_equal(again.node[1].said, "negative");
    assert_string_equal(again.node[1].label, "negative");
    assert_true(again.node[1].n == 2 && again.node[1].score[0] == 0.75 && again.node[1].step == 20);
    bt_json_free(root);
    bt_str_free(&text);
    /* What nobody of us wrote. */
    static const char *const odd[] = {
        "{}", "{\"tree\": 3}", "{\"tree\": [3, {}]}",
        "{\"at\": 99, \"tree\": [{\"text\": \"a\", \"parent\": 7}, {\"text\": \"b\", \"parent\": 1}]}",
        "{\"at\": -5, \"tree\": [{\"text\": \"a\", \"run\": \"x\", \"scores\": [1, [2], {\"a\": 3}]}]}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct probe_branch order[4];
        root = bt_json_parse(odd[i], strlen(odd[i]), "kept", NULL);
        probe_tree_restore(&again, root);
        assert_true(again.n <= 2 && again.at < again.n);
        for (int k = 0; k < again.n; k++) assert_true(again.node[k].parent < k);
        assert_true(probe_tree_order(&again, order));
        bt_json_free(root);
    }
    probe_tree_restore(&again, NULL);
    assert_int_equal(again.n, 0);
    probe_tree_free(&again);
    probe_tree_free(&t);
}

/* Of texts that are too much the newest are kept, and what they were made of is forgotten. */
static void kept_of_much(void **state)
{
    enum { LONG = 100 << 10 };
    struct probe_tree t = {.at = -1}, again = {.at = -1};
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    char *much = malloc(LONG + 1);
    (void)state;
    for (int i = 0; i < 4; i++) {
        memset(much, 'a' + i, LONG);
        much[LONG] = '\0';
        note(&t, much, 0.5);
    }
    bt_jw_object(&w);
    probe_tree_keep(&t, &w);
    bt_jw_end_object(&w);
    struct bt_json *root = bt_json_parse(bt_str_text(&text), text.len, "kept", NULL);
    probe_tree_restore(&again, root);
    assert_int_equal(again.n, 2);
    assert_int_equal(again.at, 1);
    assert_int_equal(again.node[0].parent, -1);
    assert_int_equal(again.node[1].parent, 0);
    assert_string_equal(again.node[1].text, much);
    bt_json_free(root);
    bt_str_free(&text);
    free(much);
    probe_tree_free(&again);
    probe_tree_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(branches), cmocka_unit_test(words),
                                       cmocka_unit_test(answers),  cmocka_unit_test(full),
                                       cmocka_unit_test(kept),     cmocka_unit_test(kept_of_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
