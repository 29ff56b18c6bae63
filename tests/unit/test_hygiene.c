/* Which rows make the figures of the splits, and that the report has the same figures. */
#include "tests/unit/files.h"

#include <bertty/data_report.h>
#include <bertty/hygiene.h>
#include <bertty/str.h>

static struct bt_error err;

static void rows_are(const struct bt_hygiene *h, size_t i, enum bt_hygiene_kind kind, size_t file,
                     size_t other, size_t count, size_t n, const size_t *row)
{
    const struct bt_hygiene_count *c = &h->count[i];
    if (c->kind != kind || c->file != file || c->other != other || c->count != count || c->n != n)
        fail_msg("count %zu: kind %d of %zu, %zu: %zu, %zu rows", i, (int)c->kind, c->file, c->other,
                 c->count, c->n);
    for (size_t k = 0; k < n; k++) assert_int_equal(c->row[k], row[k]);
}

static void each_count_has_its_rows(void **state)
{
    (void)state;
    const char *both[] = {file_text("a.tsv", "text\tlabel\nx\t1\ny\t1\nx\t2\nx\t1\nz\t1\n"),
                          file_text("b.tsv", "text\tlabel\nnew\t1\nx\t2\nz\t2\nx\t3\nnew\t1\n")};
    const struct bt_data_spec spec = {.files = both,
                                      .n_files = 2,
                                      .dialect = {.quoting = -1, .header = -1},
                                      .text_column = "text",
                                      .label_column = "label"};
    struct bt_hygiene *h;
    struct bt_data_report *r;
    if (bt_hygiene_find(&spec, &h, &err)) fail_msg("%s", err.text);
    assert_int_equal(h->n_files, 2);
    assert_int_equal(h->rows[0], 5);
    assert_int_equal(h->n, 6);
    rows_are(h, 0, BT_HYGIENE_DUPLICATES, 0, 0, 2, 2, (size_t[]){2, 3});
    rows_are(h, 1, BT_HYGIENE_CONFLICTS, 0, 0, 1, 3, (size_t[]){0, 2, 3});
    rows_are(h, 2, BT_HYGIENE_DUPLICATES, 1, 0, 2, 2, (size_t[]){3, 4});
    rows_are(h, 3, BT_HYGIENE_CONFLICTS, 1, 0, 1, 2, (size_t[]){1, 3});
    rows_are(h, 4, BT_HYGIENE_OVERLAP, 1, 0, 3, 3, (size_t[]){1, 2, 3});
    rows_are(h, 5, BT_HYGIENE_SAME_LABEL, 1, 0, 1, 1, (size_t[]){1});
    if (bt_data_report(&spec, NULL, 0, &r, &err)) fail_msg("%s", err.text);
    assert_int_equal(r->file[0].duplicates, 2);
    assert_int_equal(r->file[1].conflicts, 1);
    assert_int_equal(r->n_overlaps, 1);
    assert_int_equal(r->overlap[0].inputs, 3);
    assert_int_equal(r->overlap[0].with_label, 1);
    bt_data_report_free(r);
    bt_hygiene_free(h);
}

static void mistakes(void **state)
{
    (void)state;
    const char *file = file_text("c.tsv", "text\tlabel\nx\t1\n");
    struct bt_data_spec spec = {
        .files = &file, .n_files = 1, .dialect = {.quoting = -1, .header = -1}, .text_column = "none"};
    struct bt_hygiene *h;
    assert_int_equal(bt_hygiene_find(&spec, &h, &err), BT_NOTFOUND);
    assert_null(h);
}

/* ── whoever waits ── */

enum { MANY = 20000 };

struct waiter {
    int told, until; /* gives up after so many */
    double last[3];
    bool backwards;
};

static bool is_told(void *ctx, const char *doing, const char *path, double done)
{
    static const char *const stages[] = {"reading", "comparing", "counting"};
    struct waiter *w = ctx;
    int stage = 0;
    while (strcmp(stages[stage], doing) != 0) assert_in_range(++stage, 0, 2);
    assert_non_null(strstr(path, "many.tsv"));
    assert_true(done >= 0 && done <= 1);
    w->backwards |= done < w->last[stage];
    w->last[stage] = done;
    return ++w->told < w->until;
}

static const char *many_rows(void)
{
    struct bt_str s = {0};
    bt_str_add(&s, "text\tlabel\n");
    for (int i = 0; i < MANY; i++) bt_str_addf(&s, "text number %d\t%d\n", i, i % 2);
    const char *path = file_with("many.tsv", s.data, s.len);
    bt_str_free(&s);
    return path;
}

/* Both are told of each stage, and end wherever nobody waits any more. */
static void whoever_waits_is_told(void **state)
{
    (void)state;
    const char *file = many_rows();
    struct waiter w = {.until = INT32_MAX};
    const struct bt_data_watch watch = {.tell = is_told, .ctx = &w};
    const struct bt_data_spec spec = {.files = &file,
                                      .n_files = 1,
                                      .dialect = {.quoting = -1, .header = -1},
                                      .text_column = "text",
                                      .label_column = "label",
                                      .watch = &watch};
    struct bt_hygiene *h;
    struct bt_data_report *r;
    assert_int_equal(bt_hygiene_find(&spec, &h, &err), BT_OK);
    assert_true(w.last[0] > 0.9 && w.last[1] > 0.7 && !w.backwards);
    bt_hygiene_free(h);
    for (int all = w.told, i = 1; i <= all; i++) {
        w = (struct waiter){.until = i};
        assert_int_equal(bt_hygiene_find(&spec, &h, &err), BT_CANCELLED);
        assert_int_equal(w.told, i);
        assert_null(h);
    }
    w = (struct waiter){.until = INT32_MAX};
    assert_int_equal(bt_data_report(&spec, NULL, 0, &r, &err), BT_OK);
    assert_true(w.last[0] > 0.9 && w.last[1] > 0.7 && w.last[2] > 0.7 && !w.backwards);
    bt_data_report_free(r);
    for (int all = w.told, i = 1; i <= all; i++) {
        w = (struct waiter){.until = i};
        assert_int_equal(bt_data_report(&spec, NULL, 0, &r, &err), BT_CANCELLED);
        assert_null(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_count_has_its_rows), cmocka_unit_test(mistakes),
                                       cmocka_unit_test(whoever_waits_is_told)};
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
