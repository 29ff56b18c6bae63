/* The form over an experiment file, without a terminal. */
#include "tui/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const file = "# for the paper\n"
                                "model:\n"
                                "  name_or_path: some/dir   # small\n"
                                "data:\n"
                                "  train_file: [a.tsv, b.tsv]\n"
                                "  validation_file:\n"
                                "    - dev1.tsv\n"
                                "    - \"dev 2.tsv\"\n"
                                "  text_column: 1\n"
                                "  label_column: 'label'\n"
                                "\n"
                                "optim: {learning_rate: 1e-4, weight_decay: 0.01}\n"
                                "train:\n"
                                "  train_batch_size: 16 # fits\n";

static struct form *open_text(const char *text)
{
    struct form *f = form_new();
    struct bt_error err = {0};
    assert_non_null(f);
    if (form_load(f, text, strlen(text), "x.yaml", &err)) fail_msg("%s", err.text);
    return f;
}

static void assert_text(const struct form *f, const char *expected)
{
    assert_string_equal(form_text(f, NULL), expected);
}

static void assert_shown(const struct form *f, size_t field, const char *expected)
{
    struct bt_str s = {.data = NULL};
    form_show(f, field, &s);
    assert_string_equal(bt_str_text(&s), expected);
    bt_str_free(&s);
}

/* How many lines of the text differ from the file's, each way. */
static size_t new_lines(const char *a, const char *b)
{
    bool flag[100];
    size_t n = form_count_lines(b, strlen(b)), count = 0;
    assert_true(n < 100);
    assert_true(form_new_lines(a, strlen(a), b, strlen(b), flag));
    for (size_t i = 0; i < n; i++) count += flag[i];
    return count;
}

static void put(struct form *f, size_t field, const char *typed)
{
    struct bt_error err = {0};
    if (form_put(f, field, typed, &err)) fail_msg("%s", err.text);
}

static void nothing_changes_without_a_change(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    assert_text(f, file);
    assert_false(form_dirty(f));
    assert_int_equal(form_faults(f), 0);
    put(f, BT_OPTION_optim_learning_rate, " 1e-4 ");
    put(f, BT_OPTION_data_train_file, "a.tsv, b.tsv");
    put(f, BT_OPTION_data_label_column, "label");
    put(f, BT_OPTION_train_seed, "42");
    form_undo(f);
    assert_text(f, file);
    assert_shown(f, BT_OPTION_data_validation_file, "dev1.tsv, dev 2.tsv");
    assert_int_equal(form_values(f)->data_validation_file.n, 2);
    assert_string_equal(form_values(f)->data_validation_file.item[1], "dev 2.tsv");
    form_free(f);
}

static void one_value_changes_one_line(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    put(f, BT_OPTION_train_train_batch_size, "32");
    assert_int_equal(new_lines(file, form_text(f, NULL)), 1);
    assert_int_equal(new_lines(form_text(f, NULL), file), 1);
    assert_non_null(strstr(form_text(f, NULL), "  train_batch_size: 32 # fits\n"));
    assert_int_equal(form_field_mark(f, BT_OPTION_train_train_batch_size), FORM_CHANGED);
    assert_int_equal(form_changes(f), 1);
    put(f, BT_OPTION_optim_learning_rate, "5e-5");
    assert_non_null(strstr(form_text(f, NULL), "optim: {learning_rate: 5e-5, weight_decay: 0.01}\n"));
    assert_int_equal(new_lines(file, form_text(f, NULL)), 2);
    put(f, BT_OPTION_train_train_batch_size, "16");
    put(f, BT_OPTION_optim_learning_rate, "1e-4");
    assert_text(f, file);
    assert_false(form_dirty(f));
    form_free(f);
}

static void values_are_written_as_typed(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    put(f, BT_OPTION_data_test_file, "x: y.tsv");
    assert_non_null(strstr(form_text(f, NULL), "  test_file: \"x: y.tsv\"\n") ? form_text(f, NULL) : NULL);
    assert_string_equal(form_values(f)->data_test_file.item[0], "x: y.tsv");
    put(f, BT_OPTION_run_name, "say \"hi\" # now");
    assert_string_equal(form_values(f)->run_name, "say \"hi\" # now");
    put(f, BT_OPTION_optim_adam_beta2, ".98");
    assert_non_null(strstr(form_text(f, NULL), "adam_beta2: .98"));
    assert_int_equal(form_faults(f), 0);
    form_free(f);
}

static void what_is_wrong_is_marked(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    struct bt_error err = {0};
    put(f, BT_OPTION_optim_learning_rate, "fast");
    assert_int_equal(form_field_mark(f, BT_OPTION_optim_learning_rate), FORM_INVALID);
    assert_string_equal(form_field_fault(f, BT_OPTION_optim_learning_rate),
                        "found \"fast\", expected a number from 0 to 10");
    assert_shown(f, BT_OPTION_optim_learning_rate, "fast");
    assert_true(form_values(f)->optim_learning_rate == 2e-5);
    put(f, BT_OPTION_train_train_batch_size, "0");
    assert_int_equal(form_faults(f), 2);
    assert_int_equal(form_fault(f, 0).field, BT_OPTION_optim_learning_rate);
    assert_int_equal(form_fault(f, 0).line, 12);
    char *before = bt_strdup(form_text(f, NULL));
    assert_int_equal(form_put(f, BT_OPTION_train_seed, "a: {", &err), BT_INVALID);
    assert_int_equal(form_put(f, BT_OPTION_train_seed, "[1", &err), BT_INVALID);
    assert_text(f, before);
    free(before);
    form_free(f);
}

static void faults_between_fields_are_all_listed(void **state)
{
    (void)state;
    struct form *f = open_text("eval: {eval_strategy: steps, early_stopping_patience: 3}\n"
                               "run: {save_strategy: best}\n"
                               "train: {max_steps: 0}\n");
    bool missing_model = false, missing_steps = false, no_dev = false, zero = false;
    for (size_t i = 0; i < form_faults(f); i++) {
        size_t field = form_fault(f, i).field;
        missing_model |= field == BT_OPTION_model_name_or_path;
        missing_steps |= field == BT_OPTION_eval_eval_steps;
        no_dev |= field == BT_OPTION_eval_early_stopping_patience;
        zero |= field == BT_OPTION_train_max_steps;
    }
    assert_true(missing_model && missing_steps && no_dev && zero);
    assert_int_equal(form_field_mark(f, BT_OPTION_model_name_or_path), FORM_INVALID);
    put(f, BT_OPTION_model_name_or_path, "m");
    assert_int_equal(form_field_mark(f, BT_OPTION_model_name_or_path), FORM_CHANGED);
    form_free(f);
}

static void unknown_keys_and_broken_files(void **state)
{
    (void)state;
    struct form *f = open_text("optim:\n  learning_rat: 3\n  adam_beta1: 7\nmodel: {name_or_path: m}\n");
    bool told = false;
    for (size_t i = 0; i < form_faults(f); i++)
        told |=
            form_fault(f, i).field == FORM_NO_FIELD &&
            strstr(form_fault(f, i).text, "x.yaml:2:3: optim has no option \"learning_rat\", did you mean "
                                          "\"learning_rate\"?");
    assert_true(told);
    assert_int_equal(form_field_mark(f, BT_OPTION_optim_adam_beta1), FORM_INVALID);
    assert_null(form_broken(f));
    form_free(f);
    f = open_text("optim: [\n");
    assert_non_null(strstr(form_broken(f), "x.yaml:"));
    assert_false(form_step(f, BT_OPTION_train_seed, 1, false));
    assert_int_not_equal(form_put(f, BT_OPTION_train_seed, "3", NULL), BT_OK);
    assert_text(f, "optim: [\n");
    form_free(f);
}

static void undo_and_redo_are_exact(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    put(f, BT_OPTION_train_seed, "7");
    char *one = bt_strdup(form_text(f, NULL));
    assert_int_equal(form_reset(f, BT_OPTION_data_validation_file, NULL), BT_OK);
    assert_null(strstr(form_text(f, NULL), "dev"));
    assert_int_equal(form_removed(f), 1);
    char *two = bt_strdup(form_text(f, NULL));
    assert_true(form_undo(f));
    assert_text(f, one);
    assert_true(form_undo(f));
    assert_text(f, file);
    assert_false(form_undo(f));
    assert_true(form_redo(f));
    assert_true(form_redo(f));
    assert_text(f, two);
    assert_false(form_redo(f));
    assert_true(form_undo(f));
    put(f, BT_OPTION_train_seed, "8");
    assert_false(form_redo(f));
    free(one);
    free(two);
    form_free(f);
}

static void steps(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    assert_true(form_step(f, BT_OPTION_optim_learning_rate, 1, true));
    assert_shown(f, BT_OPTION_optim_learning_rate, "2e-4");
    for (int i = 0; i < 2; i++) assert_true(form_step(f, BT_OPTION_optim_learning_rate, -1, true));
    assert_true(form_values(f)->optim_learning_rate == 5e-5);
    assert_true(form_undo(f)); /* the steps of one field are one change */
    assert_text(f, file);
    assert_true(form_step(f, BT_OPTION_optim_learning_rate, -1, false));
    assert_true(form_values(f)->optim_learning_rate == 9e-5);
    assert_true(form_step(f, BT_OPTION_train_train_batch_size, 1, true));
    assert_shown(f, BT_OPTION_train_train_batch_size, "32");
    assert_true(form_step(f, BT_OPTION_train_train_batch_size, -99, true));
    assert_shown(f, BT_OPTION_train_train_batch_size, "1");
    assert_true(form_step(f, BT_OPTION_optim_warmup_ratio, 3, false));
    assert_shown(f, BT_OPTION_optim_warmup_ratio, "0.13");
    assert_true(form_step(f, BT_OPTION_optim_warmup_ratio, 20, true));
    assert_shown(f, BT_OPTION_optim_warmup_ratio, "1");
    assert_true(form_step(f, BT_OPTION_train_group_by_length, 1, false));
    assert_false(form_values(f)->train_group_by_length);
    assert_true(form_step(f, BT_OPTION_data_format, -1, false));
    assert_int_equal(form_values(f)->data_format, BT_FORMAT_TEXT);
    assert_true(form_step(f, BT_OPTION_eval_early_stopping_patience, 2, false));
    assert_shown(f, BT_OPTION_eval_early_stopping_patience, "2");
    assert_true(form_step(f, BT_OPTION_eval_early_stopping_patience, -1, false));
    assert_true(form_step(f, BT_OPTION_eval_early_stopping_patience, -1, false));
    assert_shown(f, BT_OPTION_eval_early_stopping_patience, "null");
    assert_false(form_step(f, BT_OPTION_run_name, 1, false));
    form_free(f);
}

/* Every number, stepped up and down from its default, stays within its range and comes out of null. */
static void steps_stay_in_range(void **state)
{
    (void)state;
    struct form *f = open_text(file);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        const struct bt_option *o = &bt_options(NULL)[i];
        if (o->kind != BT_OPTION_INT && o->kind != BT_OPTION_REAL) continue;
        for (int coarse = 0; coarse < 2; coarse++) {
            for (int by = -40; by <= 80; by += 40) {
                if (by) assert_true(form_step(f, i, by, coarse != 0));
                const char *fault = form_field_fault(f, i);
                if (fault && !strstr(fault, "0 steps") && !strstr(fault, "together") &&
                    !strstr(fault, "needs") && !strstr(fault, "may not fit"))
                    fail_msg("%s: %s", o->key, fault);
            }
        }
        assert_int_not_equal(form_field_mark(f, i), FORM_DEFAULT);
        assert_int_equal(form_load(f, file, strlen(file), "x.yaml", NULL), BT_OK);
    }
    form_free(f);
}

static void saving(void **state)
{
    (void)state;
    struct form *f = form_new();
    assert_non_null(f);
    assert_null(form_path(f));
    put(f, BT_OPTION_model_name_or_path, "m");
    put(f, BT_OPTION_data_train_file, "t.tsv");
    assert_text(f, "model:\n  name_or_path: m\n\ndata:\n  train_file: t.tsv\n");
    assert_true(form_dirty(f));
    size_t n;
    const char *text = form_text(f, &n);
    char *copy = bt_strndup(text, n);
    assert_int_equal(form_saved(f, "new.yaml", copy, n, NULL), BT_OK);
    free(copy);
    assert_false(form_dirty(f));
    assert_string_equal(form_path(f), "new.yaml");
    assert_int_equal(form_field_mark(f, BT_OPTION_data_train_file), FORM_SET);
    assert_true(form_undo(f));
    assert_true(form_dirty(f));
    form_free(f);
}

static void about(void **state)
{
    (void)state;
    struct bt_str s = {.data = NULL};
    form_about(BT_OPTION_train_train_batch_size, &s);
    assert_string_equal(bt_str_text(&s), "1 to 65536 rows · default 32");
    bt_str_clear(&s);
    form_about(BT_OPTION_eval_eval_strategy, &s);
    assert_string_equal(bt_str_text(&s), "no, epoch, steps · default epoch");
    bt_str_free(&s);
}

static void lines_that_are_new(void **state)
{
    (void)state;
    assert_int_equal(form_count_lines("", 0), 0);
    assert_int_equal(form_count_lines("a\nb", 3), 2);
    assert_int_equal(new_lines("a\nb\nc\n", "a\nb\nc\n"), 0);
    assert_int_equal(new_lines("a\nb\nc\n", "a\nc\n"), 0);
    assert_int_equal(new_lines("a\nc\n", "a\nb\nc\n"), 1);
    assert_int_equal(new_lines("a\nb\nc\nd\n", "x\nb\nd\ny\n"), 2);
    assert_int_equal(new_lines("", "x\ny"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_without_a_change),
        cmocka_unit_test(one_value_changes_one_line),
        cmocka_unit_test(values_are_written_as_typed),
        cmocka_unit_test(what_is_wrong_is_marked),
        cmocka_unit_test(faults_between_fields_are_all_listed),
        cmocka_unit_test(unknown_keys_and_broken_files),
        cmocka_unit_test(undo_and_redo_are_exact),
        cmocka_unit_test(steps),
        cmocka_unit_test(steps_stay_in_range),
        cmocka_unit_test(saving),
        cmocka_unit_test(about),
        cmocka_unit_test(lines_that_are_new),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
