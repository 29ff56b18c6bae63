/* Event files: checksums, torn tails, damage, resumes, growth, hostile bytes. */
#include "base/crc32c.h"
#include "run/events_wire.h"

#include <bertty/events.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ── a directory of its own for each test ── */

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bertty-events-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

/* The n-th event file by name. */
static const char *event_file(int n)
{
    static char path[400];
    struct dirent **list;
    int found = scandir(dir, &list, NULL, alphasort), seen = 0;
    path[0] = '\0';
    for (int i = 0; i < found; i++) {
        if (bt__events_name(list[i]->d_name) && seen++ == n)
            snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return path;
}

static int files(void)
{
    int n = 0;
    while (*event_file(n)) n++;
    return n;
}

static int remove_dir(void **state)
{
    (void)state;
    while (*event_file(0))
        if (unlink(event_file(0)) != 0 && rmdir(event_file(0)) != 0) return -1;
    return rmdir(dir);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void append(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void flip(const char *path, off_t at)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 0x40, f);
    assert_int_equal(fclose(f), 0);
}

static struct bt_events *writer(void)
{
    struct bt_events *w = NULL;
    struct bt_error err = {0};
    if (bt_events_open(dir, &w, &err) != BT_OK) fail_msg("%s", err.text);
    return w;
}

static void put(struct bt_events *w, const char *tag, int64_t from, int64_t to)
{
    struct bt_error err;
    for (int64_t s = from; s <= to; s++)
        assert_int_equal(bt_events_scalar(w, tag, s, 1e9 + (double)s, (double)s / 4, &err), BT_OK);
}

static void write_steps(const char *tag, int64_t from, int64_t to)
{
    struct bt_events *w = writer();
    put(w, tag, from, to);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
}

static struct bt_series_reader *reader(void)
{
    struct bt_series_reader *r = NULL;
    assert_int_equal(bt_series_open(dir, &r, NULL), BT_OK);
    return r;
}

static bool poll_all(struct bt_series_reader *r)
{
    bool more = true;
    struct bt_error err;
    while (more)
        if (bt_series_poll(r, 0, &more, &err) != BT_OK) fail_msg("%s", err.text);
    return bt_series_commit(r);
}

/* The series has exactly the steps from…to, as put() writes them. */
static void expect_steps(struct bt_series_reader *r, const char *tag, int64_t from, int64_t to)
{
    const struct bt_series *s = bt_series_find(r, tag);
    assert_non_null(s);
    assert_int_equal(s->n, (size_t)(to - from + 1));
    for (size_t i = 0; i < s->n; i++) {
        assert_int_equal(s->step[i], from + (int64_t)i);
        assert_true(s->value[i] == (double)s->step[i] / 4);
        assert_true(s->wall[i] == 1e9 + (double)s->step[i]);
    }
}

static void expect_read(const char *tag, int64_t from, int64_t to)
{
    struct bt_series_reader *r = reader();
    poll_all(r);
    expect_steps(r, tag, from, to);
    const char *text;
    if (bt_series_damage(r, &text)) fail_msg("%s", text);
    bt_series_free(r);
}

/* ── checksums ── */

static void crc_vectors(void **state)
{
    (void)state;
    uint8_t b[48];
    /* RFC 3720, B.4 */
    memset(b, 0, sizeof b);
    assert_int_equal(bt__crc32c(b, 32), 0x8a9136aau);
    memset(b, 0xff, sizeof b);
    assert_int_equal(bt__crc32c(b, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++) b[i] = (uint8_t)i;
    assert_int_equal(bt__crc32c(b, 32), 0x46dd794eu);
    for (int i = 0; i < 32; i++) b[i] = (uint8_t)(31 - i);
    assert_int_equal(bt__crc32c(b, 32), 0x113fdb5cu);
    assert_int_equal(bt__crc32c("123456789", 9), 0xe3069283u);
    assert_int_equal(bt__crc32c("", 0), 0);
}

static void crc_both_ways(void **state)
{
    (void)state;
    uint8_t b[100];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof b; i++) b[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (size_t from = 0; from < 9; from += 3)
        for (size_t n = 0; n + from <= sizeof b; n++)
            assert_int_equal(bt__crc32c(b + from, n), bt__crc32c_portable(b + from, n));
}

/* ── writing and reading back ── */

static void round_trip(void **state)
{
    (void)state;
    struct bt_events *w = writer();
    const double special[] = {0.0, -1.5, (double)NAN, (double)INFINITY, -(double)INFINITY, 1e-40, 3e38};
    for (int i = 0; i < 7; i++)
        assert_int_equal(bt_events_scalar(w, "special", i, 0, special[i], NULL), BT_OK);
    put(w, "train/loss", 1, 3000); /* more than one buffer */
    put(w, "negative", -2, 2);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    struct bt_series_reader *r = reader();
    assert_true(poll_all(r));
    expect_steps(r, "train/loss", 1, 3000);
    expect_steps(r, "negative", -2, 2);
    assert_int_equal(bt_series_count(r), 3);
    assert_string_equal(bt_series_at(r, 0)->tag, "negative");
    assert_string_equal(bt_series_at(r, 1)->tag, "special");
    assert_null(bt_series_at(r, 3));
    assert_null(bt_series_find(r, "train"));
    const struct bt_series *s = bt_series_find(r, "special");
    for (int i = 0; i < 7; i++)
        assert_true(s->value[i] == (double)(float)special[i] || (isnan(special[i]) && isnan(s->value[i])));
    bt_series_free(r);
}

static void grows(void **state)
{
    (void)state;
    struct bt_series_reader *r = reader();
    assert_false(poll_all(r)); /* no file yet */
    struct bt_events *w = writer();
    assert_int_equal(bt_events_flush(w, NULL), BT_OK);
    assert_false(poll_all(r));
    for (int64_t s = 1; s <= 50; s++) {
        put(w, "loss", s, s);
        assert_int_equal(bt_events_flush(w, NULL), BT_OK);
        uint64_t before = bt_series_version(r);
        assert_true(poll_all(r));
        assert_int_not_equal(bt_series_version(r), before);
        expect_steps(r, "loss", 1, s);
    }
    assert_false(poll_all(r));
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    bt_series_free(r);
}

/* What is read does not show before the commit. */
static void polls_are_invisible(void **state)
{
    (void)state;
    write_steps("loss", 1, 10);
    struct bt_series_reader *r = reader();
    poll_all(r);
    write_steps("loss", 11, 20);
    write_steps("more", 1, 1);
    assert_int_equal(bt_series_poll(r, 0, NULL, NULL), BT_OK);
    expect_steps(r, "loss", 1, 10);
    assert_int_equal(bt_series_count(r), 1);
    assert_true(bt_series_commit(r));
    expect_steps(r, "loss", 1, 20);
    assert_int_equal(bt_series_count(r), 2);
    bt_series_free(r);
}

static void small_budgets(void **state)
{
    (void)state;
    write_steps("loss", 1, 500);
    struct bt_series_reader *r = reader();
    bool more = true;
    int polls = 0;
    size_t last = 0;
    while (more) {
        assert_int_equal(bt_series_poll(r, 1000, &more, NULL), BT_OK);
        bt_series_commit(r);
        const struct bt_series *s = bt_series_find(r, "loss");
        if (more) assert_true(s && s->n > last && s->n < last + 60);
        last = s ? s->n : 0;
        polls++;
    }
    expect_steps(r, "loss", 1, 500);
    assert_in_range(polls, 15, 60);
    bt_series_free(r);
}

static void files_in_order(void **state)
{
    (void)state;
    write_steps("loss", 1, 5);
    char later[400];
    snprintf(later, sizeof later, "%s/events.out.tfevents.9999999999.host", dir);
    assert_int_equal(rename(event_file(0), later), 0);
    struct bt_events *w = NULL;
    char old[400];
    snprintf(old, sizeof old, "%s/hidden", dir);
    assert_int_equal(rename(later, old), 0);
    assert_int_equal(bt_events_open(dir, &w, NULL), BT_OK);
    put(w, "loss", -10, 0);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    assert_int_equal(rename(old, later), 0);
    assert_int_equal(files(), 2);
    expect_read("loss", -10, 5);
}

/* ── going on ── */

static void continues_one_file(void **state)
{
    (void)state;
    write_steps("loss", 1, 10);
    write_steps("loss", 11, 20);
    assert_int_equal(files(), 1);
    expect_read("loss", 1, 20);
}

/* Cut at every byte of the last two records: what is whole stays, the next writer's records follow it. */
static void torn_tail(void **state)
{
    (void)state;
    write_steps("loss", 1, 8);
    off_t two = size_of(event_file(0));
    write_steps("loss", 9, 10);
    off_t whole = size_of(event_file(0)), each = (whole - two) / 2;
    for (off_t cut = whole - 1; cut >= two; cut--) {
        assert_int_equal(truncate(event_file(0), cut), 0);
        int64_t left = cut >= two + each ? 9 : 8;
        struct bt_series_reader *r = reader();
        poll_all(r);
        expect_steps(r, "loss", 1, left);
        assert_int_equal(bt_series_damage(r, NULL), 0);
        write_steps("loss", left + 1, 10);
        poll_all(r);
        expect_steps(r, "loss", 1, 10);
        bt_series_free(r);
        assert_int_equal(files(), 1);
        assert_int_equal(size_of(event_file(0)), whole);
    }
}

/* A file system after a power cut: the size is there, the data is zeros. */
static void zeros_at_the_end(void **state)
{
    (void)state;
    static const char zeros[6000];
    write_steps("loss", 1, 8);
    append(event_file(0), zeros, sizeof zeros);
    write_steps("loss", 9, 10);
    assert_int_equal(files(), 1);
    expect_read("loss", 1, 10);
}

static void cut_inside_the_first_record(void **state)
{
    (void)state;
    write_steps("loss", 1, 3);
    assert_int_equal(truncate(event_file(0), 7), 0);
    write_steps("loss", 1, 4);
    expect_read("loss", 1, 4);
}

/* A file that is damaged before its end is evidence, not a tail. */
static void damaged_file_is_kept(void **state)
{
    (void)state;
    write_steps("loss", 1, 10);
    flip(event_file(0), 120);
    off_t size = size_of(event_file(0));
    char first[400];
    snprintf(first, sizeof first, "%s", event_file(0));
    write_steps("loss", 11, 12);
    assert_int_equal(files(), 2);
    assert_int_equal(size_of(first), size);
}

static void resume_supersedes(void **state)
{
    (void)state;
    struct bt_series_reader *r = reader();
    write_steps("loss", 1, 100);
    write_steps("eval", 90, 90);
    poll_all(r);
    struct bt_events *w = writer();
    assert_int_equal(bt_events_resume(w, 60, NULL), BT_OK);
    put(w, "loss", 61, 70);
    assert_int_equal(bt_events_flush(w, NULL), BT_OK);
    assert_true(poll_all(r));
    expect_steps(r, "loss", 1, 70);
    assert_null(bt_series_find(r, "eval"));
    expect_read("loss", 1, 70); /* a reader that comes later */
    assert_int_equal(bt_events_resume(w, 60, NULL), BT_OK);
    assert_int_equal(bt_events_resume(w, 65, NULL), BT_OK);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    poll_all(r);
    expect_steps(r, "loss", 1, 60);
    size_t n;
    const int64_t *at = bt_series_resumes(r, &n);
    assert_int_equal(n, 2);
    assert_int_equal(at[0], 60);
    assert_int_equal(at[1], 65);
    bt_series_free(r);
}

static void resume_from_the_beginning(void **state)
{
    (void)state;
    struct bt_series_reader *r = reader();
    write_steps("loss", 0, 10);
    poll_all(r);
    struct bt_events *w = writer();
    assert_int_equal(bt_events_resume(w, 0, NULL), BT_OK);
    put(w, "loss", 0, 3);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    poll_all(r);
    expect_steps(r, "loss", 0, 3);
    size_t n;
    bt_series_resumes(r, &n);
    assert_int_equal(n, 0);
    bt_series_free(r);
}

/* Others start again without a word: the newer values win. */
static void steps_that_go_back(void **state)
{
    (void)state;
    struct bt_series_reader *r = reader();
    write_steps("loss", 1, 10);
    poll_all(r);
    write_steps("loss", 4, 6);
    poll_all(r);
    expect_steps(r, "loss", 1, 6);
    bt_series_free(r);
    expect_read("loss", 1, 6);
}

static void replaced_file_is_read_again(void **state)
{
    (void)state;
    struct bt_series_reader *r = reader();
    write_steps("loss", 1, 10);
    poll_all(r);
    assert_int_equal(unlink(event_file(0)), 0);
    write_steps("loss", 3, 4);
    poll_all(r);
    expect_steps(r, "loss", 3, 4);
    bt_series_free(r);
}

/* ── damage ── */

static void wrong_checksum_is_told(void **state)
{
    (void)state;
    const char *text;
    write_steps("loss", 1, 1);
    off_t one = size_of(event_file(0));
    write_steps("loss", 2, 10);
    flip(event_file(0), one + BT__FRAME_HEAD + 3); /* inside the data of step 2 */
    struct bt_series_reader *r = reader();
    assert_true(poll_all(r));
    const struct bt_series *s = bt_series_find(r, "loss");
    assert_int_equal(s->n, 9);
    assert_int_equal(s->step[1], 3);
    assert_int_equal(bt_series_damage(r, &text), 1);
    char expected[40];
    snprintf(expected, sizeof expected, "byte %lld", (long long)one);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "tfevents"));
    bt_series_free(r);
}

static void wrong_length_ends_the_file(void **state)
{
    (void)state;
    const char *text;
    write_steps("loss", 1, 4);
    off_t four = size_of(event_file(0));
    write_steps("loss", 5, 10);
    flip(event_file(0), four + 1);
    struct bt_series_reader *r = reader();
    poll_all(r);
    expect_steps(r, "loss", 1, 4);
    assert_int_equal(bt_series_damage(r, &text), 1);
    assert_non_null(strstr(text, "length"));
    flip(event_file(0), four + 1); /* mended: nothing is lost */
    poll_all(r);
    expect_steps(r, "loss", 1, 10);
    assert_int_equal(bt_series_damage(r, &text), 0);
    bt_series_free(r);
}

/* A last record that is wrong now may be right a moment later (a write seen half-way). */
static void last_record_is_tried_again(void **state)
{
    (void)state;
    write_steps("loss", 1, 4);
    off_t end = size_of(event_file(0));
    flip(event_file(0), end - 1);
    struct bt_series_reader *r = reader();
    poll_all(r);
    expect_steps(r, "loss", 1, 3);
    assert_int_equal(bt_series_damage(r, NULL), 1);
    flip(event_file(0), end - 1);
    poll_all(r);
    expect_steps(r, "loss", 1, 4);
    assert_int_equal(bt_series_damage(r, NULL), 0);
    bt_series_free(r);
}

static void raw_frame(const char *data, size_t n)
{
    struct bt_str s = {0};
    bt__frame_put(&s, data, n);
    append(event_file(0), s.data, s.len);
    bt_str_free(&s);
}

static void no_event_in_a_right_frame(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x0a\xff\xff\xff\xff\x7f",
                                      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x2a\x05\x0a\x7f",
                                      "\x0b", "\x09\x01"};
    write_steps("loss", 1, 3);
    for (size_t i = 0; i < 5; i++) raw_frame(bad[i], strlen(bad[i]));
    write_steps("loss", 4, 5);
    struct bt_series_reader *r = reader();
    poll_all(r);
    expect_steps(r, "loss", 1, 5);
    assert_int_equal(bt_series_damage(r, NULL), 5);
    bt_series_free(r);
}

/* A length of 2^63 with a right checksum: wait for data that never comes; no memory is taken for it. */
static void huge_lengths(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 15, (uint64_t)1 << 63, (uint64_t)1 << 32};
    for (size_t i = 0; i < 4; i++) {
        write_steps("loss", 1, 3);
        uint8_t head[BT__FRAME_HEAD];
        memcpy(head, &lengths[i], 8);
        uint32_t crc = bt__crc32c_masked(head, 8);
        memcpy(head + 8, &crc, 4);
        append(event_file(0), head, sizeof head);
        append(event_file(0), "0123456789abcdefghij", 20);
        expect_read("loss", 1, 3);
    }
}

static void big_record_is_passed_over(void **state)
{
    (void)state;
    enum { BIG = 65 << 20 };
    write_steps("loss", 1, 3);
    uint64_t n = BIG;
    uint8_t head[BT__FRAME_HEAD];
    memcpy(head, &n, 8);
    uint32_t crc = bt__crc32c_masked(head, 8);
    memcpy(head + 8, &crc, 4);
    append(event_file(0), head, sizeof head);
    assert_int_equal(truncate(event_file(0), size_of(event_file(0)) + BIG + 4), 0); /* sparse */
    write_steps("loss", 4, 6);
    assert_int_equal(files(), 1);
    expect_read("loss", 1, 6);
}

static void strange_files(void **state)
{
    (void)state;
    struct bt_error err;
    struct bt_series_reader *r;
    char path[400];
    write_steps("loss", 1, 3);
    snprintf(path, sizeof path, "%s/tfevents.fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/tfevents.link", dir);
    assert_int_equal(symlink("/dev/zero", path), 0);
    snprintf(path, sizeof path, "%s/tfevents.dir", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_read("loss", 1, 3);
    assert_int_equal(bt_series_open("/nonexistent", &r, &err), BT_IO);
    assert_int_equal(bt_series_open("/dev/null", &r, &err), BT_INVALID);
}

/* Random damage of every kind: never a crash, never a value that was not written. */
static void random_damage(void **state)
{
    (void)state;
    uint32_t x = 12345;
    for (int round = 0; round < 300; round++) {
        write_steps("loss", 1, 40);
        for (int hits = 1 + (int)((x = x * 1664525u + 1013904223u) >> 30); hits > 0; hits--) {
            x = x * 1664525u + 1013904223u;
            off_t size = size_of(event_file(0));
            if ((x >> 28) == 0)
                assert_int_equal(truncate(event_file(0), (off_t)(x >> 8) % size + 1), 0);
            else
                flip(event_file(0), (off_t)(x >> 8) % size);
        }
        struct bt_series_reader *r = reader();
        poll_all(r);
        const struct bt_series *s = bt_series_find(r, "loss");
        for (size_t i = 0; s && i < s->n; i++) assert_true(s->value[i] == (double)s->step[i] / 4);
        bt_series_free(r);
        assert_int_equal(unlink(event_file(0)), 0);
    }
}

/* Random fields in frames with right checksums: the parser alone is in front of them. */
static void random_messages(void **state)
{
    (void)state;
    uint32_t x = 99;
    write_steps("loss", 1, 1);
    for (int round = 0; round < 3000; round++) {
        char b[64];
        size_t n = (x = x * 1664525u + 1013904223u) >> 26;
        static const char keys[] = {0x2a, 0x0a, 0x42, 0x4a, 0x15, 0x12, 0x10, 0x09, 0x3a, 0x05};
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            b[i] = (x >> 31) ? keys[(x >> 8) % sizeof keys] : (char)((x >> 16) % 40);
        }
        raw_frame(b, n);
    }
    struct bt_series_reader *r = reader();
    poll_all(r);
    assert_int_equal(bt_series_damage(r, NULL) > 0, 1);
    bt_series_free(r);
}

/* ── a full disk ── */

static void full_disk(void **state)
{
    (void)state;
    struct rlimit old, tight = {.rlim_cur = 4000};
    struct bt_error err = {0};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    struct bt_events *w = writer();
    put(w, "loss", 1, 20);
    assert_int_equal(bt_events_flush(w, &err), BT_OK);
    off_t before = size_of(event_file(0));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    put(w, "loss", 21, 200);
    enum bt_status status = bt_events_flush(w, &err);
    off_t during = size_of(event_file(0));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, BT_IO);
    assert_non_null(strstr(err.text, "tfevents"));
    assert_int_equal(during, before); /* no half record is left */
    expect_read("loss", 1, 20);
    assert_int_equal(bt_events_close(w, &err), BT_OK);
    expect_read("loss", 1, 200); /* and nothing is lost */
}

/* The buffer of a writer that cannot write stays small, the newest values survive. */
static void full_for_long(void **state)
{
    (void)state;
    struct rlimit old, tight = {.rlim_cur = 100};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    struct bt_events *w = writer();
    assert_int_equal(bt_events_flush(w, NULL), BT_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    for (int64_t s = 1; s <= 40000; s++) bt_events_scalar(w, "loss", s, 1e9 + (double)s, (double)s / 4, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
    assert_in_range(size_of(event_file(0)), 700 << 10, 1100 << 10);
    struct bt_series_reader *r = reader();
    poll_all(r);
    const struct bt_series *s = bt_series_find(r, "loss");
    assert_non_null(s);
    expect_steps(r, "loss", s->step[0], 40000);
    assert_true(s->step[0] > 1);
    bt_series_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_vectors),
        cmocka_unit_test(crc_both_ways),
        TEST(round_trip),
        TEST(grows),
        TEST(polls_are_invisible),
        TEST(small_budgets),
        TEST(files_in_order),
        TEST(continues_one_file),
        TEST(torn_tail),
        TEST(zeros_at_the_end),
        TEST(cut_inside_the_first_record),
        TEST(damaged_file_is_kept),
        TEST(resume_supersedes),
        TEST(resume_from_the_beginning),
        TEST(steps_that_go_back),
        TEST(replaced_file_is_read_again),
        TEST(wrong_checksum_is_told),
        TEST(wrong_length_ends_the_file),
        TEST(last_record_is_tried_again),
        TEST(no_event_in_a_right_frame),
        TEST(huge_lengths),
        TEST(big_record_is_passed_over),
        TEST(strange_files),
        TEST(random_damage),
        TEST(random_messages),
        TEST(full_disk),
        TEST(full_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
