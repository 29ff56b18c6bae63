/* Tags and a note in a run's directory: read, changed, damaged. */
#include "tests/unit/folder.h"

#include <bertty/run.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static const char *const words[] = {"base", "paper"};

static void expect(enum bt_status got, enum bt_status expected, const struct bt_error *err, const char *part)
{
    if (got != expected)
        fail_msg("%s instead of %s: %s", bt_status_name(got), bt_status_name(expected), err->text);
    if (part && !strstr(err->text, part)) fail_msg("'%s' not in '%s'", part, err->text);
}

static void changes(void **state)
{
    (void)state;
    struct bt_error err = {0};
    struct bt_notes n;
    put("runs/a/status.json", "{\"state\":\"finished\"}");
    const char *a = at("runs/a");
    struct bt_notes_change both = {.add = words, .n_add = 2, .note = "ein Wort: ä"};
    expect(bt_notes_change(a, &both, &n, &err), BT_OK, &err, NULL);
    assert_int_equal(n.n_tags, 2);
    bt_notes_clear(&n);
    const char *const again[] = {"BASE", "new"}, *const gone[] = {"paper", "never-there"};
    struct bt_notes_change more = {.add = again, .n_add = 2, .drop = gone, .n_drop = 2};
    expect(bt_notes_change(a, &more, NULL, &err), BT_OK, &err, NULL);
    expect(bt_notes_load(a, &n, &err), BT_OK, &err, NULL);
    assert_int_equal(n.n_tags, 2);
    assert_string_equal(n.tag[0], "base");
    assert_string_equal(n.tag[1], "new");
    assert_string_equal(n.note, "ein Wort: ä");
    bt_notes_clear(&n);
    struct bt_notes_change all = {.add = words + 1, .n_add = 1, .all = true};
    expect(bt_notes_change(a, &all, &n, &err), BT_OK, &err, NULL);
    assert_true(n.n_tags == 1 && bt_notes_tagged(&n, "Paper"));
    bt_notes_clear(&n);
    struct bt_notes_change none = {.all = true, .note = ""};
    expect(bt_notes_change(a, &none, NULL, &err), BT_OK, &err, NULL);
    assert_false(bt_path_exists(at("runs/a/notes.json"))); /* nothing to say: no file */
}

static void in_the_list(void **state)
{
    (void)state;
    struct bt_run_list first, second;
    struct bt_error err = {0};
    put("list/a/status.json", "{\"state\":\"finished\"}");
    put("list/keras/events.out.tfevents.1.x", "");
    struct bt_notes_change c = {.add = words, .n_add = 1, .note = "x"};
    expect(bt_notes_change(at("list/keras"), &c, NULL, &err), BT_OK, &err, NULL);
    expect(bt_run_list(at("list"), NULL, &first, &err), BT_OK, &err, NULL);
    assert_int_equal(first.n, 2);
    size_t k = strcmp(first.run[0].id, "keras") == 0 ? 0 : 1;
    assert_true(bt_notes_tagged(&first.run[k].notes, "base"));
    assert_int_equal(first.run[1 - k].notes.n_tags, 0);
    expect(bt_notes_change(at("list/a"), &c, NULL, &err), BT_OK, &err, NULL);
    expect(bt_run_list(at("list"), &first, &second, &err), BT_OK, &err, NULL);
    for (size_t i = 0; i < 2; i++) assert_string_equal(second.run[i].notes.note, "x");
    bt_run_list_clear(&first);
    struct bt_notes_change none = {.all = true, .note = ""};
    expect(bt_notes_change(at("list/a"), &none, NULL, &err), BT_OK, &err, NULL);
    expect(bt_run_list(at("list"), &second, &first, &err), BT_OK, &err, NULL);
    size_t with = (size_t)(first.run[0].notes.note != NULL) + (size_t)(first.run[1].notes.note != NULL);
    assert_int_equal(with, 1);
    bt_run_list_clear(&first);
    bt_run_list_clear(&second);
    expect(bt_notes_change(at("list/a"), &c, NULL, &err), BT_OK, &err, NULL);
    expect(bt_run_remove(at("list/a"), &err), BT_OK, &err, NULL); /* notes.json is a part of a run */
    assert_false(bt_path_exists(at("list/a")));
}

static void assert_damage(const char *text, const char *part)
{
    struct bt_error err = {0};
    struct bt_notes n;
    struct bt_run_status s;
    put("bad/status.json", "{}");
    put("bad/notes.json", text);
    assert_int_not_equal(bt_notes_load(at("bad"), &n, &err), BT_OK);
    if (!strstr(err.text, part) || !strstr(err.text, "notes.json")) fail_msg("%s: %s", part, err.text);
    assert_string_equal(n.fault, err.text);
    assert_int_equal(n.n_tags, 0);
    bt_notes_clear(&n);
    assert_int_equal(bt_run_status(at("bad"), &s, &err), BT_OK);
    assert_non_null(s.notes.fault);
    bt_run_status_clear(&s);
    struct bt_notes_change c = {.add = words, .n_add = 1};
    assert_int_not_equal(bt_notes_change(at("bad"), &c, NULL, &err), BT_OK); /* it stays as it is */
    char *left;
    size_t length;
    assert_int_equal(bt_file_read(at("bad/notes.json"), 1 << 20, &left, &length, &err), BT_OK);
    assert_string_equal(left, text);
    free(left);
}

static void damage(void **state)
{
    (void)state;
    assert_damage("{\"tags\": [\"a\"", "json:1:13");
    assert_damage("[]", "expected {");
    assert_damage("{\"tags\": \"a\"}", "expected a list");
    assert_damage("{\"tags\": [1]}", "tag 1");
    assert_damage("{\"tags\": [\"a b\"]}", "is no tag");
    assert_damage("{\"tags\": [\"\\u001b[2J\"]}", "is no tag");
    assert_damage("{\"tags\": [\"a\\u0000b\"]}", "is no tag");
    assert_damage("{\"note\": 7}", "expected a text");
    struct bt_str big = {0};
    bt_str_add(&big, "{\"note\": \"");
    for (int i = 0; i < BT_NOTE_BYTES + 1; i++) bt_str_addc(&big, 'x');
    bt_str_add(&big, "\"}");
    assert_damage(bt_str_text(&big), "4001 bytes");
    bt_str_clear(&big);
    bt_str_add(&big, "{\"tags\": [");
    for (int i = 0; i <= BT_TAGS; i++) bt_str_addf(&big, "%s\"t%d\"", i ? "," : "", i);
    bt_str_add(&big, "]}");
    assert_damage(bt_str_text(&big), "33 tags");
    bt_str_clear(&big);
    for (int i = 0; i < 70000; i++) bt_str_addc(&big, ' ');
    assert_damage(bt_str_text(&big), "at most 65536");
    bt_str_free(&big);
}

static void odd_places(void **state)
{
    (void)state;
    struct bt_error err = {0};
    struct bt_notes n;
    struct bt_notes_change c = {.add = words, .n_add = 1};
    put("odd/status.json", "{}");
    assert_int_equal(mkfifo(at("odd/notes.json"), 0600), 0);
    expect(bt_notes_load(at("odd"), &n, &err), BT_INVALID, &err, "not a regular file");
    bt_notes_clear(&n);
    assert_int_equal(unlink(at("odd/notes.json")), 0);
    put("secret", "{\"tags\": [\"secret\"]}");
    assert_int_equal(symlink(at("secret"), at("odd/notes.json")), 0);
    expect(bt_notes_load(at("odd"), &n, &err), BT_INVALID, &err, "not a regular file");
    bt_notes_clear(&n);
    assert_int_equal(unlink(at("odd/notes.json")), 0);
    expect(bt_notes_change(at("nowhere"), &c, NULL, &err), BT_IO, &err, "nowhere");
    int fd = open(at("odd"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    expect(bt_notes_change(at("odd"), &c, NULL, &err), BT_BUSY, &err, "somebody else");
    close(fd);
    expect(bt_notes_change(at("odd"), &c, NULL, &err), BT_OK, &err, NULL);
}

static void refused(void **state)
{
    (void)state;
    struct bt_error err = {0};
    static const char *const bad[] = {"", "+a", "-a", "a b", "a,b", "a\tb", "\"a\"", "\xff"};
    put("plain/status.json", "{}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_notes_change c = {.add = &bad[i], .n_add = 1};
        expect(bt_notes_change(at("plain"), &c, NULL, &err), BT_INVALID, &err, "is no tag");
    }
    struct bt_notes_change c = {.note = "two\nlines"};
    expect(bt_notes_change(at("plain"), &c, NULL, &err), BT_INVALID, &err, "one line");
    assert_false(bt_path_exists(at("plain/notes.json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(changes), cmocka_unit_test(in_the_list),
                                       cmocka_unit_test(damage), cmocka_unit_test(odd_places),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests_name("run_notes", tests, folder_make, folder_remove);
}
