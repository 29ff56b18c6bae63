#include "tests/unit/examples.h"

#include <bertty/text.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct bt_data_spec columns(const char *text, const char *pair, const char *label)
{
    return (struct bt_data_spec){
        .dialect = AUTO, .text_column = text, .text_pair_column = pair, .label_column = label};
}

static void expect(const char *name, const char *content, struct bt_data_spec spec, const char *rows)
{
    bt_examples_free(expect_told(file_text(name, content), spec, " ", rows));
}

/* The message, after the directory. */
static void expect_error(const char *name, const void *content, size_t n, struct bt_data_spec spec,
                         enum bt_status status, const char *message)
{
    struct bt_examples *e;
    const char *path = file_with(name, content, n);
    enum bt_status st = load(path, spec, &e);
    assert_null(e);
    assert_int_equal(st, status);
    assert_int_equal(err.status, status);
    assert_string_equal(err.text + strlen(files_dir) + 1, message);
    assert_null(strchr(err.text, '\n'));
}

static void refuse(const char *name, const char *content, struct bt_data_spec spec, const char *message)
{
    expect_error(name, content, strlen(content), spec, BT_INVALID, message);
}

/* ── what is read ── */

static void reads_the_usual_forms(void **state)
{
    (void)state;
    expect("a.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n", columns("text", NULL, "label"),
           "2:good/pos 3:bad/neg");
    expect("a.tsv", "good\t1\nbad\t0", columns("1", NULL, "2"), "1:good/1 2:bad/0");
    expect("a.csv", "text,label\n\"a, b\",1\n\"say \"\"hi\"\"\",0\n", columns("text", NULL, "label"),
           "2:a, b/1 3:say \"hi\"/0");
    expect("a.csv", "a;b\nx, y;1\nz, w, v;2\n", columns("a", NULL, "b"), "2:x, y/1 3:z, w, v/2");
    expect("a.txt", "one, two\nthree\n", columns("1", NULL, NULL), "1:one, two 2:three");
    expect("a.txt", "one, two\nthree, four\n", columns("1", NULL, NULL), "1:one, two 2:three, four");
    expect("a.txt", "one,1\ntwo,2\n", columns("1", NULL, "2"), "1:one/1 2:two/2");
    expect("a.csv", "one, 1\ntwo, 2\n", columns("1", NULL, "2"), "1:one/ 1 2:two/ 2");
    expect("a.jsonl", "{\"t\":\"x\",\"l\":1}\n{\"l\":true,\"t\":\"y\"}\n{\"t\":\"z\",\"l\":0.5}\n",
           columns("t", NULL, "l"), "1:x/1 2:y/true 3:z/0.5");
    expect("a.jsonl", "{\"t\":\"x\",\"l\":1}", columns("2", NULL, "1"), "1:1/x");
    expect("a.tsv", "q\ta\tb\n0\tx\ty\n", columns("a", "b", "q"), "2:x/y/0");
}

static void finds_the_columns_of_unquoted_text(void **state)
{
    (void)state;
    expect("q.tsv", "q\ttext\n1\t\"The end\n0\tof\" a \"quote\"\n1\tx\" y\n", columns("text", NULL, "q"),
           "2:\"The end/1 3:of\" a \"quote\"/0 4:x\" y/1");
    /* Extra columns at the end, as in STS-B. */
    expect("s.csv", "g\tx\t5.0\tone\ttwo\ng\tx\t1.5\tthree\tfour\tsource\turl\n", columns("4", "5", "3"),
           "1:one/two/5.0 2:three/four/1.5");
    expect("q.tsv", "a\tb\n\"one\ttwo\"\tx\n\"\"\"z\"\"\"\ty\n", columns("a", NULL, "b"),
           "2:one\ttwo/x 3:\"z\"/y");
}

static void line_ends(void **state)
{
    (void)state;
    expect("l.tsv", "\xef\xbb\xbftext\tlabel\r\na\t1\r\n\r\nb\t2\r\n", columns("text", NULL, "label"),
           "2:a/1 4:b/2");
    expect("l.tsv", "text\tlabel\ra\t1\rb\t2\r", columns("text", NULL, "label"), "2:a/1 3:b/2");
    expect("l.csv", "text,label\n\"two\nlines\",1\n\n\nlast,2", columns("text", NULL, "label"),
           "2:two\nlines/1 6:last/2");
    expect("l.csv", "text,label\r\n\"two\r\nlines\",1\r\nlast,\"2\"", columns("text", NULL, "label"),
           "2:two\r\nlines/1 4:last/2");
    expect("l.jsonl", "\xef\xbb\xbf{\"t\":\"a\"}\r\n\r\n{\"t\":\"b\"}\r\n", columns("t", NULL, NULL),
           "1:a 3:b");
}

static void headers(void **state)
{
    (void)state;
    expect("h.tsv", "text\tlabel\nx\ty\n", columns("1", NULL, "2"), "2:x/y");
    expect("h.tsv", "foo\tbar\nx\t1\ny\t0\n", columns("1", NULL, "2"), "2:x/1 3:y/0");
    expect("h.tsv", "foo\tbar\nx\ty\n", columns("1", NULL, "2"), "1:foo/bar 2:x/y");
    expect("h.tsv", "foo\tbar\nx\ty\n", columns("foo", NULL, "2"), "2:x/y");
    struct bt_data_spec spec = columns("1", NULL, NULL);
    spec.dialect.header = 1;
    expect("h.tsv", "foo\nbar\n", spec, "2:bar");
    spec.dialect.header = 0;
    expect("h.tsv", "text\nbar\n", spec, "1:text 2:bar");
}

static void odd_bytes_are_counted(void **state)
{
    (void)state;
    struct bt_examples *e;
    static const char bytes[] = "t\tl\nab\xff\t1\n\nx\0y\t2\n\xe4\xbd\t3\n";
    assert_int_equal(load(file_with("u.tsv", bytes, sizeof bytes - 1), columns("t", NULL, "l"), &e), BT_OK);
    assert_int_equal(bt_examples_count(e), 3);
    assert_int_equal(bt_examples_invalid_utf8(e), 2);
    assert_int_equal(bt_examples_empty(e), 1);
    assert_string_equal(bt_examples_at(e, 0)->text, "ab\xef\xbf\xbd");
    assert_int_equal(bt_examples_at(e, 1)->text_n, 3);
    assert_memory_equal(bt_examples_at(e, 1)->text, "x\0y", 4);
    bt_examples_free(e);
    static const char json[] = "{\"t\":\"a\xff\"}\n{\"t\":\"b\"}\n";
    assert_int_equal(load(file_with("u.jsonl", json, sizeof json - 1), columns("t", NULL, NULL), &e), BT_OK);
    assert_int_equal(bt_examples_invalid_utf8(e), 1);
    assert_string_equal(bt_examples_at(e, 0)->text, "a\xef\xbf\xbd");
    bt_examples_free(e);
}

static void the_first_bad_byte_is_found_anywhere(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        char text[40];
        memset(text, 'a', sizeof text);
        assert_int_equal(bt_utf8_valid(text, n), n);
        for (size_t bad = 0; bad < n; bad++) {
            text[bad] = '\xff';
            assert_int_equal(bt_utf8_valid(text, n), bad);
            memcpy(text + bad, "\xc3\xa9", n - bad < 2 ? 1 : 2);
            assert_int_equal(bt_utf8_valid(text, n), n - bad < 2 ? bad : n);
            memset(text, 'a', sizeof text);
        }
    }
}

static void several_files_and_limits(void **state)
{
    (void)state;
    const char *files[2];
    files[0] = file_text("m1.tsv", "text\tlabel\na\t1\nb\t2\n");
    files[1] = file_text("m2.csv", "label,text\n3,\"c\"\n4,d\n");
    struct bt_data_spec spec = columns("text", NULL, "label");
    spec.files = files;
    spec.n_files = 2;
    struct bt_examples *e;
    assert_int_equal(bt_examples_load(&spec, &e, &err), BT_OK);
    assert_int_equal(bt_examples_count(e), 4);
    assert_int_equal(bt_examples_at(e, 1)->file, 0);
    assert_int_equal(bt_examples_at(e, 2)->file, 1);
    assert_string_equal(bt_examples_at(e, 3)->label, "4");
    bt_examples_free(e);
    spec.max_samples = 3;
    assert_int_equal(bt_examples_load(&spec, &e, &err), BT_OK);
    assert_int_equal(bt_examples_count(e), 3);
    bt_examples_free(e);
}

static void class_names(void **state)
{
    (void)state;
    struct bt_data_spec spec = columns("1", NULL, "2");
    spec.class_names_file = file_text("class.txt", "\xef\xbb\xbfworld\r\nsports\r\nsci tech");
    expect("c.csv", "a,0\nb,2\nc,sports\n", spec, "1:a/world 2:b/sci tech 3:c/sports");
    char message[5000];
    snprintf(message, sizeof message, "c.csv:2: label '3', expected 0 … 2 or a name from %s",
             spec.class_names_file);
    refuse("c.csv", "a,0\nb,3\n", spec, message);
    spec.class_names_file = file_text("class.txt", "a\n\nb\n");
    struct bt_examples *e;
    assert_int_equal(load(file_text("c.csv", "a,0\n"), spec, &e), BT_INVALID);
    assert_non_null(strstr(err.text, "class.txt:2: empty, expected a class name"));
    spec.class_names_file = file_text("class.txt", "a\na\n");
    assert_int_equal(load(file_text("c.csv", "a,0\n"), spec, &e), BT_INVALID);
}

/* ── what is refused ── */

static void ragged_rows(void **state)
{
    (void)state;
    struct bt_data_spec spec = columns("text", NULL, "label");
    refuse("r.tsv", "text\tid\tlabel\na\t1\t1\nb\t2\n", spec,
           "r.tsv:3: found 2 columns, expected 3: 'label' is missing");
    refuse("r.csv", "a,1\nb\n", columns("1", NULL, "2"),
           "r.csv:2: found 1 column, expected 2: column 2 is missing");
    refuse("r.tsv", "text\tlabel\na\t1\nb\t\n", spec,
           "r.tsv:3: the label is empty, expected one in column 'label'");
    refuse("r.tsv", "text\tlabel\na\t1\nb\t  \n", spec,
           "r.tsv:3: the label is empty, expected one in column 'label'");
    expect("r.tsv", "text\tlabel\tx\n\t1\nb\t2\t3\t4\n", spec, "2:/1 3:b/2");
}

static void quotes_that_never_close(void **state)
{
    (void)state;
    struct bt_data_spec spec = columns("text", NULL, "label");
    refuse("o.csv", "text,label\n\"a\",1\n\"b,\n2\nc,3\n", spec,
           "o.csv:3: a quote opens a cell here and is never closed");
    refuse("o.csv", "text,label\n\"a\nb\",\"1\nb,2\n", spec,
           "o.csv:3: a quote opens a cell here and is never closed");
}

static void missing_columns(void **state)
{
    (void)state;
    expect_error("n.tsv", "text\tlabel\nx\t1\n", 16, columns("txt", NULL, NULL), BT_NOTFOUND,
                 "n.tsv: no column 'txt', did you mean 'text'? It has: text, label");
    expect_error("n.tsv", "text\tlabel\nx\t1\n", 16, columns("text", NULL, "9"), BT_NOTFOUND,
                 "n.tsv: no column '9': it has text, label");
    expect_error("n.tsv", "x\t1\ny\t2\n", 8, columns("text", NULL, NULL), BT_NOTFOUND,
                 "n.tsv: no column 'text': it has 1, 2 and no header");
    expect_error("n.tsv", "", 0, columns("1", NULL, NULL), BT_NOTFOUND,
                 "n.tsv: no column '1': the file is empty");
    struct bt_examples *e;
    assert_int_equal(load("n.tsv", (struct bt_data_spec){.dialect = AUTO}, &e), BT_INVALID);
}

static void json_lines(void **state)
{
    (void)state;
    struct bt_data_spec spec = columns("t", NULL, "l");
    refuse("j.jsonl", "{\"t\":\"a\",\"l\":1}\n{\"t\":\"b\"}\n", spec,
           "j.jsonl:2: no member 'l', expected one in each object");
    refuse("j.jsonl", "{\"t\":\"a\",\"l\":1}\n{\"t\":[1],\"l\":1}\n", spec,
           "j.jsonl:2: member 't' is an array, expected a string");
    refuse("j.jsonl", "{\"t\":\"a\",\"l\":1}\n{\"t\":null,\"l\":1}\n", spec,
           "j.jsonl:2: member 't' is null, expected a string");
    refuse("j.jsonl", "{\"t\":\"a\",\"l\":null}\n", spec,
           "j.jsonl:1: the label is empty, expected one in column 'l'");
    refuse("j.jsonl", "{\"t\":\"a\",\"l\":1}\n[1]\n", spec,
           "j.jsonl:2: not a JSON object, expected one {…} a line");
    struct bt_examples *e;
    static const char *const broken[] = {"{\"t\":\"a\",\"l\":1}\n\n{\"t\":\"b\",\"l",
                                         "{\"t\":\"a\",\"l\":1}\n\n{\"t\":\"\\ud800\",\"l\":1}\n"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(load(file_text("j.jsonl", broken[i]), spec, &e), BT_INVALID);
        assert_non_null(strstr(err.text, "j.jsonl:3:"));
    }
    struct bt_str deep = {0};
    bt_str_add(&deep, "{\"l\":1,\"t\":");
    for (int i = 0; i < 100000; i++) bt_str_addc(&deep, '[');
    assert_int_equal(load(file_with("j.jsonl", deep.data, deep.len), spec, &e), BT_INVALID);
    assert_non_null(strstr(err.text, "j.jsonl:1:"));
    bt_str_free(&deep);
}

static void what_is_no_text_file(void **state)
{
    (void)state;
    struct bt_data_spec spec = columns("1", NULL, NULL);
    expect_error("b.tsv",
                 "\xff\xfe"
                 "a\0b\0",
                 6, spec, BT_INVALID, "b.tsv: UTF-16 text, expected text in UTF-8");
    expect_error("b.tsv", "a\0b\0\n\0", 6, spec, BT_INVALID,
                 "b.tsv: UTF-16 text without a byte order mark, expected text in UTF-8");
    expect_error("b.tsv", "\x1f\x8b\x08\x00", 4, spec, BT_INVALID,
                 "b.tsv: gzip-compressed, expected text in UTF-8");
    struct bt_examples *e;
    const char *fifo = file_path("fifo"), *loop = file_path("loop");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink(loop, loop), 0);
    assert_int_equal(load(fifo, spec, &e), BT_INVALID);
    assert_int_equal(load("/dev/zero", spec, &e), BT_INVALID);
    assert_int_equal(load(files_dir, spec, &e), BT_INVALID);
    assert_non_null(strstr(err.text, "a directory"));
    assert_int_equal(load(loop, spec, &e), BT_IO);
    assert_int_equal(load(file_path("none"), spec, &e), BT_NOTFOUND);
}

static void long_records_are_bounded(void **state)
{
    (void)state;
    struct bt_examples *e;
    const char *path = file_text("long.tsv", "text\n");
    assert_int_equal(truncate(path, 1 << 30), 0); /* a sparse file: one cell of NUL bytes */
    assert_int_equal(load(path, columns("text", NULL, NULL), &e), BT_INVALID);
    assert_non_null(strstr(err.text, "long.tsv:2: a record of more than 128 MiB"));
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    assert_true(used.ru_maxrss < 800 << 10); /* KiB: it was not read to its end */
    size_t n = 3 << 20;
    char *cell = malloc(n);
    assert_non_null(cell);
    memset(cell, 'x', n);
    cell[0] = cell[n - 1] = '"';
    assert_int_equal(load(file_with("long.csv", cell, n), columns("1", NULL, NULL), &e), BT_OK);
    assert_int_equal(bt_examples_at(e, 0)->text_n, n - 2);
    bt_examples_free(e);
    free(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_usual_forms),
        cmocka_unit_test(finds_the_columns_of_unquoted_text),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(headers),
        cmocka_unit_test(odd_bytes_are_counted),
        cmocka_unit_test(the_first_bad_byte_is_found_anywhere),
        cmocka_unit_test(several_files_and_limits),
        cmocka_unit_test(class_names),
        cmocka_unit_test(ragged_rows),
        cmocka_unit_test(quotes_that_never_close),
        cmocka_unit_test(missing_columns),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(what_is_no_text_file),
        cmocka_unit_test(long_records_are_bounded),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
