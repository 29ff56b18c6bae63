/* What people say about rows: decisions about labels, tags and notes; the version of the data that they are about. */
#include "tests/unit/folder.h"

#include <bertty/data_hash.h>
#include <bertty/label_decisions.h>
#include <bertty/row_notes.h>
#include <bertty/run.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static void expect(enum bt_status got, enum bt_status expected, const struct bt_error *err, const char *part)
{
    if (got != expected)
        fail_msg("%s instead of %s: %s", bt_status_name(got), bt_status_name(expected), err->text);
    if (part && !strstr(err->text, part)) fail_msg("'%s' not in '%s'", part, err->text);
}

static void expect_file(const char *path, const char *wanted)
{
    struct bt_error err = {0};
    char *text = NULL;
    size_t n = 0;
    expect(bt_file_read(at(path), 1 << 20, &text, &n, &err), BT_OK, &err, NULL);
    assert_string_equal(text, wanted);
    free(text);
}

/* ── decisions ── */

static char given[] = "pos", other[] = "neg";

static void decide(int64_t row, enum bt_verdict verdict, const char *data)
{
    struct bt_error err = {0};
    const struct bt_label_decision d = {
        .row = row, .verdict = verdict, .given = given, .label = verdict == BT_RELABEL ? other : NULL};
    expect(bt_label_decisions_set(at("decided.jsonl"), &d, data, &err), BT_OK, &err, NULL);
}

static void decisions(void **state)
{
    struct bt_label_decisions d;
    struct bt_error err = {0};
    (void)state;
    decide(12, BT_RELABEL, "abc");
    decide(3, BT_DROP, "abc");
    decide(12, BT_KEEP, "abc");
    expect_file("decided.jsonl", "{\"data\":\"abc\"}\n"
                                 "{\"row\":12,\"given\":\"pos\",\"decision\":\"keep\"}\n"
                                 "{\"row\":3,\"given\":\"pos\",\"decision\":\"drop\"}\n");
    expect(bt_label_decisions_load(at("decided.jsonl"), &d, &err), BT_OK, &err, NULL);
    assert_int_equal(d.n, 2);
    assert_int_equal(bt_label_decisions_of(&d, 3)->verdict, BT_DROP);
    assert_int_equal(bt_label_decisions_of(&d, 12)->verdict, BT_KEEP);
    assert_null(bt_label_decisions_of(&d, 4));
    expect(bt_label_decisions_about(&d, "d", "abc", &err), BT_OK, &err, NULL);
    expect(bt_label_decisions_about(&d, "d", "abd", &err), BT_INVALID, &err, "another version of the data");
    bt_label_decisions_clear(&d);
    decide(12, BT_UNDECIDED, "abc");
    expect_file("decided.jsonl", "{\"data\":\"abc\"}\n{\"row\":3,\"given\":\"pos\",\"decision\":\"drop\"}\n");
}

/* A listing of `bertty audit --json` may be the file: its other members and lines stay. */
static void listing(void **state)
{
    (void)state;
    put("decided.jsonl", "{\"row\":7,\"flagged\":true,\"given\":\"pos\",\"likelier\":\"neg\",\"text\":"
                         "\"a\\nb\"}\n\n{\"rows\":9}\n");
    decide(7, BT_RELABEL, NULL);
    expect_file("decided.jsonl",
                "{\"row\":7,\"given\":\"pos\",\"decision\":\"relabel\",\"label\":\"neg\",\"flagged\":true,"
                "\"likelier\":\"neg\",\"text\":\"a\\nb\"}\n\n{\"rows\":9}\n");
    decide(7, BT_UNDECIDED, NULL);
    expect_file("decided.jsonl", "{\"row\":7,\"given\":\"pos\",\"flagged\":true,\"likelier\":\"neg\","
                                 "\"text\":\"a\\nb\"}\n\n{\"rows\":9}\n");
}

static void damaged_decisions(void **state)
{
    static const char *const bad[][2] = {
        {"{}\n[1]\n", ":2: not a JSON object"},
        {"{\"row\":1", ":1: "},
        {"{\"row\":1,\"decision\":\"maybe\"}\n", ":1: decision \"maybe\""},
        {"{\"row\":1,\"decision\":\"keep\"}\n{\"row\":1,\"decision\":\"drop\"}", ":2: a second"}};
    const struct bt_label_decision d = {.row = 5, .verdict = BT_KEEP};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_error err = {0};
        struct bt_label_decisions all;
        put("decided.jsonl", bad[i][0]);
        expect(bt_label_decisions_load(at("decided.jsonl"), &all, &err), BT_INVALID, &err, bad[i][1]);
        expect(bt_label_decisions_set(at("decided.jsonl"), &d, NULL, &err), BT_INVALID, &err, bad[i][1]);
        expect_file("decided.jsonl", bad[i][0]);
    }
}

/* ── the data's version ── */

static void make_run(const char *sum)
{
    struct bt_str text = {0};
    put("dev.tsv", "text\tlabel\na\tb\n");
    put("runs/r/status.json", "{\"state\":\"finished\"}");
    put("runs/r/predictions/validation-step-000010.jsonl", "");
    bt_str_addf(&text, "data:\n  train_file: [\"%s\", \"%s\"]\n  validation_file: \"%s\"\n", at("dev.tsv"),
                at("dev.tsv"), at("dev.tsv"));
    put("runs/r/experiment.yaml", bt_str_text(&text));
    bt_str_clear(&text);
    bt_str_addf(&text, "{\"data\":{\"%s\":\"%s\"}}", at("dev.tsv"), sum);
    put("runs/r/run.json", bt_str_text(&text));
    bt_str_free(&text);
}

static void versions(void **state)
{
    char sum[65], one[BT_DATA_HASH], two[BT_DATA_HASH];
    struct bt_error err = {0};
    (void)state;
    make_run("");
    expect(bt_data_hash_of_run(at("runs/r"), "validation", one, &err), BT_NOTFOUND, &err, "run.json");
    expect(bt_sha256_file(at("dev.tsv"), sum, &err), BT_OK, &err, NULL);
    make_run(sum);
    expect(bt_data_hash_of_run(at("runs/r"), "validation", one, &err), BT_OK, &err, NULL);
    assert_string_equal(one, sum);
    const char *const files[] = {at("dev.tsv"), at("dev.tsv")};
    struct bt_data_spec spec = {.files = files, .n_files = 1};
    expect(bt_data_hash_now(&spec, two, &err), BT_OK, &err, NULL);
    assert_string_equal(two, one);
    spec.n_files = 2;
    expect(bt_data_hash_now(&spec, two, &err), BT_OK, &err, NULL);
    expect(bt_data_hash_of_run(at("runs/r"), "train", one, &err), BT_OK, &err, NULL);
    assert_string_equal(two, one);
    assert_string_not_equal(two, sum);
    spec.n_files = 0;
    expect(bt_data_hash_now(&spec, two, &err), BT_NOTFOUND, &err, "no file");
}

/* ── tags and notes ── */

static const char sum_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  sum_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static void notes(void **state)
{
    static const int64_t rows[] = {9, 2, 30};
    static const char *const odd[] = {"odd"};
    struct bt_row_notes n;
    struct bt_error err = {0};
    (void)state;
    make_run(sum_a);
    const struct bt_notes_change tag = {.add = odd, .n_add = 1}, note = {.note = "irony"},
                                 none = {.drop = odd, .n_drop = 1, .note = ""};
    expect(bt_row_notes_change(at("runs/r"), "validation", rows, 3, &tag, NULL, &err), BT_OK, &err, NULL);
    expect(bt_row_notes_change(at("runs/r"), "validation", rows, 1, &note, &n, &err), BT_OK, &err, NULL);
    assert_int_equal(n.n, 3);
    assert_true(n.item[0].row == 2 && n.item[1].row == 9 && n.item[2].row == 30);
    assert_string_equal(bt_row_notes_of(&n, 9)->note, "irony");
    assert_true(bt_notes_tagged(bt_row_notes_of(&n, 30), "ODD"));
    assert_null(bt_row_notes_of(&n, 3));
    assert_null(bt_row_notes_of(NULL, 3));
    bt_row_notes_clear(&n);
    make_run(sum_b); /* evaluated on other data: nothing is known of its rows, and nothing is lost */
    expect(bt_row_notes_load(at("runs/r"), "validation", &n, &err), BT_OK, &err, NULL);
    assert_true(n.n == 0 && n.others == 3);
    expect(bt_row_notes_change(at("runs/r"), "validation", rows, 1, &tag, NULL, &err), BT_OK, &err, NULL);
    make_run(sum_a);
    expect(bt_row_notes_change(at("runs/r"), "validation", rows, 3, &none, &n, &err), BT_OK, &err, NULL);
    assert_true(n.n == 0 && n.others == 1);
    bt_row_notes_clear(&n);
    make_run(sum_b);
    expect(bt_row_notes_load(at("runs/r"), "validation", &n, &err), BT_OK, &err, NULL);
    assert_true(n.n == 1 && n.item[0].row == 9);
    bt_row_notes_clear(&n);
    expect(bt_row_notes_load(at("runs/r"), "test", &n, &err), BT_OK, &err, NULL);
    assert_true(n.n == 0 && n.others == 0);
}

static void bad_notes(void **state)
{
    static const char *const bad[][2] = {{"[]\n", "validation.notes.jsonl:1: expected {"},
                                         {"{\"row\":0}\n", ":1: expected \"row\""},
                                         {"\n{\"row\":1,\"tags\":[\"a b\"]}\n", ":2: 'a b' is no tag"},
                                         {"{\"row\":1}\n{\"row\":1}\n", ":2: a second line about row 1"},
                                         {"{\"row\":", ":1"}};
    static const int64_t row = 4;
    const struct bt_notes_change c = {.note = "x"};
    struct bt_row_notes n;
    (void)state;
    make_run("");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_error err = {0};
        put("runs/r/predictions/validation.notes.jsonl", bad[i][0]);
        const enum bt_status st = bt_row_notes_load(at("runs/r"), "validation", &n, &err);
        if (st == BT_OK || st != err.status) fail_msg("%s: %s", bad[i][0], bt_status_name(st));
        if (!strstr(err.text, bad[i][1])) fail_msg("'%s' not in '%s'", bad[i][1], err.text);
        if (bt_row_notes_change(at("runs/r"), "validation", &row, 1, &c, NULL, &err) == BT_OK)
            fail_msg("%s", bad[i][0]);
        expect_file("runs/r/predictions/validation.notes.jsonl", bad[i][0]);
    }
    struct bt_error err = {0};
    const int64_t zero = 0;
    expect(bt_row_notes_change(at("runs/r"), "validation", &zero, 1, &c, NULL, &err), BT_INVALID, &err,
           "row 0");
    int fd = open(at("runs/r"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    expect(bt_row_notes_change(at("runs/r"), "validation", &row, 1, &c, NULL, &err), BT_BUSY, &err,
           "somebody else");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions), cmocka_unit_test(listing), cmocka_unit_test(damaged_decisions),
        cmocka_unit_test(versions),  cmocka_unit_test(notes),   cmocka_unit_test(bad_notes),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
