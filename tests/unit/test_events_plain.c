/* The fast way through event files against the general one; what is shown while more is read. */
#include "folder.h"
#include "run/events_plain.h"

#include <bertty/events.h>

#include <cmocka.h>

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* ── frames ── */

enum form { PLAIN, NO_STEP, TWO_VALUES, STEP_LAST, MORE_BEHIND, VALUE_FIRST, FORMS };

static void add_value(struct bt_str *out, const char *tag, float value, bool value_first)
{
    struct bt_str v = {0};
    if (value_first) bt__wire_put_float(&v, 2, value);
    bt__wire_put_bytes(&v, 1, tag, strlen(tag));
    if (!value_first) bt__wire_put_float(&v, 2, value);
    bt__wire_put_bytes(out, 1, bt_str_text(&v), v.len);
    bt_str_free(&v);
}

static void add_event(struct bt_str *out, enum form form, const char *tag, int64_t step, float value)
{
    struct bt_str body = {0}, values = {0};
    bt__wire_put_double(&body, 1, 1e9 + (double)step / 3);
    if (form != NO_STEP && form != STEP_LAST) bt__wire_put_varint(&body, 2, (uint64_t)step);
    add_value(&values, tag, value, form == VALUE_FIRST);
    if (form == TWO_VALUES) add_value(&values, "second", value + 1, false);
    bt__wire_put_bytes(&body, 5, bt_str_text(&values), values.len);
    if (form == STEP_LAST) bt__wire_put_varint(&body, 2, (uint64_t)step);
    if (form == MORE_BEHIND) bt__wire_put_bytes(&body, 9, "x", 1);
    bt__frame_put(out, bt_str_text(&body), body.len);
    bt_str_free(&body);
    bt_str_free(&values);
}

/* ── the same from both ── */

static const char *random_tag(void)
{
    static char tag[10][140];
    static const uint32_t length[10] = {0, 1, 3, 7, 8, 9, 16, 17, 90, 130};
    uint32_t i = below(10);
    if (!tag[i][0]) memset(tag[i], 'a' + (int)i, length[i]);
    return tag[i];
}

static int64_t random_step(int64_t now)
{
    static const int64_t far[] = {-5, 0, 127, 128, 16383, 16384, (int64_t)1 << 40, INT64_MAX};
    return below(60) ? now : far[below(8)];
}

static void write_random(int events)
{
    struct bt_str file = {0};
    for (int i = 0; i < events; i++) {
        enum form form = below(4) ? PLAIN : (enum form)below(FORMS);
        size_t before = file.len;
        add_event(&file, form, random_tag(), random_step(i / 3), (float)i);
        size_t data = file.len - before - BT__FRAME_HEAD;
        if (!below(40)) file.data[before + BT__FRAME_HEAD + below((uint32_t)data)] ^= 0x10;
    }
    FILE *f = fopen(at("events.out.tfevents.1"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
    assert_int_equal(fclose(f), 0);
    bt_str_free(&file);
}

static struct bt_series_reader *read_by(size_t bytes)
{
    struct bt_series_reader *r = NULL;
    bool more = true;
    assert_int_equal(bt_series_open(folder, &r, NULL), BT_OK);
    while (more) {
        assert_int_equal(bt_series_poll(r, bytes, &more, NULL), BT_OK);
        if (below(4) == 0) bt_series_commit(r);
    }
    bt_series_commit(r);
    return r;
}

static void expect_same(struct bt_series_reader *a, struct bt_series_reader *b)
{
    assert_int_equal(bt_series_count(a), bt_series_count(b));
    assert_int_equal(bt_series_damage(a, NULL), bt_series_damage(b, NULL));
    for (size_t i = 0; i < bt_series_count(a); i++) {
        const struct bt_series *x = bt_series_at(a, i), *y = bt_series_at(b, i);
        assert_string_equal(x->tag, y->tag);
        assert_int_equal(x->n, y->n);
        assert_memory_equal(x->step, y->step, x->n * sizeof *x->step);
        assert_memory_equal(x->wall, y->wall, x->n * sizeof *x->wall);
        assert_memory_equal(x->value, y->value, x->n * sizeof *x->value);
    }
}

/* A byte at a time nothing goes the fast way. */
static void both_ways_are_one(void **state)
{
    (void)state;
    for (seed = 1; seed < 12000000; seed += 1000003) {
        write_random(800);
        struct bt_series_reader *slow = read_by(1), *fast = read_by(0), *parts = read_by(3000);
        assert_true(bt_series_count(fast) >= 8);
        expect_same(slow, fast);
        expect_same(slow, parts);
        bt_series_free(slow);
        bt_series_free(fast);
        bt_series_free(parts);
    }
}

/* ── what is taken ── */

static void takes_whole_frames(void **state)
{
    (void)state;
    struct bt_str file = {0};
    size_t each, half;
    for (int64_t s = 2; s <= 21; s++) {
        add_event(&file, PLAIN, "train/loss", s, (float)s);
        if (s == 2) each = file.len;
        if (s == 11) half = file.len;
    }
    assert_int_equal(file.len, 20 * each);
    const uint8_t *p = (const uint8_t *)file.data;
    for (size_t n = file.len - each; n <= file.len; n++) {
        struct bt__series_set set = {.n = 0};
        const struct bt__scalar first = {.tag = "train/loss", .tag_n = 10, .value = 1, .has_value = true};
        assert_int_equal(bt__plain_take(&set, p, n), 0); /* of a series that nobody knows */
        assert_true(bt__series_add(&set, &first, 1, 1e9));
        assert_int_equal(bt__plain_take(&set, p, n), n / each * each);
        assert_int_equal(set.all[0]->points.n, 1 + n / each);
        bt__series_free(&set);
    }
    file.data[half + BT__FRAME_HEAD + 2] ^= 1;
    struct bt__series_set set = {.n = 0};
    const struct bt__scalar first = {.tag = "train/loss", .tag_n = 10, .value = 1, .has_value = true};
    assert_true(bt__series_add(&set, &first, 1, 1e9));
    assert_int_equal(bt__plain_take(&set, p, file.len), half); /* a wrong checksum */
    bt__series_free(&set);
    bt_str_free(&file);
}

/* ── what is shown ── */

static void log_steps(int64_t resume, int64_t from, int64_t to, double value)
{
    struct bt_events *w = NULL;
    assert_int_equal(bt_events_open(folder, &w, NULL), BT_OK);
    if (resume >= 0) assert_int_equal(bt_events_resume(w, resume, NULL), BT_OK);
    for (int64_t s = from; s <= to; s++)
        assert_int_equal(bt_events_scalar(w, "loss", s, 1e9, value, NULL), BT_OK);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
}

static void expect_values(const struct bt_series *s, size_t n, size_t first, double before, double after)
{
    assert_int_equal(s->n, n);
    for (size_t i = 0; i < n; i++) assert_true(s->value[i] == (i < first ? before : after));
}

/* Steps that a resume replaces stand in the same memory as those that are shown, or not: nothing may show before the commit. */
static void replaced_steps_show_later(void **state)
{
    (void)state;
    struct bt_series_reader *r = NULL;
    log_steps(-1, 1, 1000, 1);
    assert_int_equal(bt_series_open(folder, &r, NULL), BT_OK);
    assert_int_equal(bt_series_poll(r, 0, NULL, NULL), BT_OK);
    assert_true(bt_series_commit(r));
    const struct bt_series *s = bt_series_find(r, "loss");
    uint64_t version = s->version;
    for (int round = 0; round < 3; round++) { /* into what was shown before, and again while not committed */
        log_steps(500, 501, 1000, 2 + round);
        assert_int_equal(bt_series_poll(r, 0, NULL, NULL), BT_OK);
        log_steps(700, 701, 800, 7);
        assert_int_equal(bt_series_poll(r, 0, NULL, NULL), BT_OK);
        assert_int_equal(s->version, version);
        expect_values(s, round ? 800 : 1000, round ? 500 : 1000, 1, 0);
        log_steps(500, 501, 800, 0);
        assert_int_equal(bt_series_poll(r, 0, NULL, NULL), BT_OK);
        assert_true(bt_series_commit(r));
        expect_values(s, 800, 500, 1, 0);
        version = s->version;
    }
    bt_series_free(r);
}

/* So large that its points lie in one mapping, and with more of them than its beginning promises. */
static void large_file(void **state)
{
    (void)state;
    enum { STEPS = 60000, LATE = 30000 };
    struct bt_events *w = NULL;
    assert_int_equal(bt_events_open(folder, &w, NULL), BT_OK);
    for (int64_t s = 1; s <= STEPS; s++) {
        bt_events_scalar(w, "a", s, 1e9, 1, NULL);
        for (int k = 0; s > LATE && k < 6; k++)
            bt_events_scalar(w, (const char[2]){(char)('b' + k)}, s, 1e9, (double)s, NULL);
    }
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    struct bt_series_reader *r = read_by(3 << 20);
    assert_int_equal(bt_series_count(r), 7);
    expect_values(bt_series_at(r, 0), STEPS, STEPS, 1, 0);
    for (size_t k = 1; k < 7; k++) {
        const struct bt_series *s = bt_series_at(r, k);
        assert_int_equal(s->n, STEPS - LATE);
        for (size_t i = 0; i < s->n; i++)
            assert_true(s->step[i] == LATE + 1 + (int64_t)i && s->value[i] == (double)s->step[i]);
    }
    bt_series_free(r);
}

/* The thread that makes the mapping ready may be at work still when there is an end to it. */
static void freed_at_once(void **state)
{
    (void)state;
    struct bt_events *w = NULL;
    struct bt_series_reader *r = NULL;
    assert_int_equal(bt_events_open(folder, &w, NULL), BT_OK);
    for (int64_t s = 1; s <= 100000; s++)
        for (int k = 0; k < 4; k++)
            bt_events_scalar(w, (const char[2]){(char)('a' + k)}, s, 1e9, (double)s, NULL);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    for (int i = 0; i < 5; i++) {
        bool more = false;
        assert_int_equal(bt_series_open(folder, &r, NULL), BT_OK);
        assert_int_equal(bt_series_poll(r, (size_t)(i + 1) << 14, &more, NULL), BT_OK);
        assert_true(more && bt_series_commit(r));
        const struct bt_series *s = bt_series_at(r, 3);
        assert_true(s->n > 80 && s->value[s->n - 1] == (double)s->n);
        bt_series_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ways_are_one, folder_make, folder_remove),
        cmocka_unit_test(takes_whole_frames),
        cmocka_unit_test_setup_teardown(replaced_steps_show_later, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(large_file, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(freed_at_once, folder_make, folder_remove),
    };
    return cmocka_run_group_tests_name("events_plain", tests, NULL, NULL);
}
