/* What a run keeps of its batches: the file, and that it tells the truth about every step. */
#include "run/batches.h"
#include "tests/unit/run_fixture.h"

#include <bertty/events.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ── the file ── */

static const char *folder(const char *name)
{
    const char *dir = fix_path("%s", name);
    expect_ok(bt_mkdirs(dir, &fix_err));
    return dir;
}

/* Steps first … last of three rows each: row 10 · step + i, loss step + i / 4. */
static void write_steps(struct bt__batches *b, int64_t first, int64_t last)
{
    for (int64_t s = first; s <= last; s++) {
        for (int i = 0; i < 3; i++) bt__batches_row(b, 10 * s + i, 0, (float)s + (float)i / 4);
        expect_ok(bt__batches_step(b, s, &fix_err));
    }
}

static struct bt_batches *load(const char *dir, int64_t first, int64_t last)
{
    struct bt_batches *b = NULL;
    expect_ok(bt_batches_load(dir, first, last, &b, &fix_err));
    return b;
}

static void make(const char *dir, int64_t last)
{
    struct bt__batches *b;
    expect_ok(bt__batches_open(dir, &b, &fix_err));
    write_steps(b, 1, last);
    bt__batches_close(b);
}

static void there_and_back(void **state)
{
    (void)state;
    const char *dir = folder("plain");
    struct bt__batches *w;
    expect_ok(bt__batches_open(dir, &w, &fix_err));
    write_steps(w, 1, 5);
    bt__batches_row(w, 300, 0, NAN);
    bt__batches_row(w, 1, 2, 0.5f);
    bt__batches_row(w, 1ll << 40, 3, 7.0f);
    expect_ok(bt__batches_step(w, 6, &fix_err));
    expect_ok(bt__batches_step(w, 7, &fix_err)); /* nothing */
    bt__batches_close(w);
    struct bt_batches *b = load(dir, 6, 6);
    assert_int_equal(b->n, 3);
    assert_true(isnan(b->row[0].loss));
    assert_int_equal(b->row[1].window, 2);
    assert_int_equal(b->row[2].row, 1ll << 40);
    bt_batches_sort(b); /* NaN, 7, 0.5 */
    assert_int_equal(b->row[0].row, 300);
    assert_int_equal(b->row[1].row, 1ll << 40);
    assert_int_equal(b->oldest, 1);
    assert_int_equal(b->newest, 6);
    bt_batches_free(b);
    b = load(dir, 2, 4);
    assert_int_equal(b->n, 9);
    assert_int_equal(b->first, 2);
    assert_int_equal(b->last, 4);
    assert_int_equal(b->row[4].row, 31);
    assert_true(b->row[4].loss == 3.25f && b->row[4].window == 0);
    bt_batches_free(b);
}

static void nearest(void **state)
{
    (void)state;
    const char *dir = folder("nearest");
    struct bt__batches *w;
    struct bt_batches *b;
    expect_ok(bt__batches_open(dir, &w, &fix_err));
    write_steps(w, 10, 10);
    write_steps(w, 20, 20);
    bt__batches_close(w);
    static const int64_t asked[][2] = {{1, 10}, {14, 10}, {15, 10}, {16, 20}, {99, 20}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        b = load(dir, asked[i][0], asked[i][0]);
        assert_int_equal(b->last, asked[i][1]);
        bt_batches_free(b);
    }
    b = load(dir, 5, 12); /* those that there are */
    assert_int_equal(b->first, 10);
    assert_int_equal(b->n, 3);
    bt_batches_free(b);
    assert_int_equal(bt_batches_load(folder("none"), 1, 1, &b, &fix_err), BT_NOTFOUND);
    assert_int_equal(bt_batches_first(40, 10), 31);
    assert_int_equal(bt_batches_first(37, 10), 31);
    assert_int_equal(bt_batches_first(7, 1), 7);
}

static void resumed_file(void **state)
{
    (void)state;
    const char *dir = folder("resumed");
    struct bt__batches *w;
    make(dir, 8);
    expect_ok(bt__batches_open(dir, &w, &fix_err));
    expect_ok(bt__batches_resume(w, 4, &fix_err));
    bt__batches_close(w);
    struct bt_batches *b = load(dir, 1, 100);
    assert_int_equal(b->newest, 4);
    assert_int_equal(b->n, 12);
    bt_batches_free(b);
    expect_ok(bt__batches_open(dir, &w, &fix_err));
    bt__batches_row(w, 999, 0, 1.0f);
    expect_ok(bt__batches_step(w, 5, &fix_err));
    bt__batches_close(w);
    b = load(dir, 5, 100);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->row[0].row, 999);
    bt_batches_free(b);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void torn_tail(void **state)
{
    (void)state;
    const char *dir = folder("torn"), *path = fix_path("torn/batches");
    struct bt__batches *w;
    make(dir, 6);
    const off_t whole = size_of(path);
    for (int cut = 1; cut < 35; cut += 7) {
        assert_int_equal(truncate(path, whole - cut), 0);
        struct bt_batches *b = load(dir, 1, 100);
        assert_int_equal(b->newest, 5);
        assert_int_equal(b->damaged, 0);
        bt_batches_free(b);
        expect_ok(bt__batches_open(dir, &w, &fix_err));
        write_steps(w, 6, 6);
        bt__batches_close(w);
        assert_int_equal(size_of(path), whole);
        b = load(dir, 1, 100);
        assert_int_equal(b->newest, 6);
        bt_batches_free(b);
    }
}

static void damage(void **state)
{
    (void)state;
    const char *dir = folder("damaged"), *path = fix_path("damaged/batches");
    make(dir, 9);
    const off_t frame = size_of(path) / 9;
    int fd = open(path, O_RDWR);
    char c;
    assert_int_equal(pread(fd, &c, 1, 3 * frame + 14), 1);
    c ^= 4;
    assert_int_equal(pwrite(fd, &c, 1, 3 * frame + 14), 1);
    struct bt_batches *b = load(dir, 1, 100);
    assert_int_equal(b->damaged, 1);
    assert_int_equal(b->n, 8 * 3); /* all but step 4 */
    bt_batches_free(b);
    assert_int_equal(pread(fd, &c, 1, 6 * frame + 2), 1);
    c ^= 4;
    assert_int_equal(pwrite(fd, &c, 1, 6 * frame + 2), 1); /* a length: nothing behind it can be found */
    b = load(dir, 1, 100);
    assert_int_equal(b->newest, 6);
    bt_batches_free(b);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(bt_batches_load(dir, 1, 1, &b, &fix_err), BT_NOTFOUND);
    close(fd);
    struct bt__batches *w;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_true(bt__batches_open(dir, &w, &fix_err) != BT_OK);
    assert_true(bt_batches_load(dir, 1, 1, &b, &fix_err) != BT_OK);
}

/* Bytes that a hostile file may have behind a right checksum. */
static void nonsense(void **state)
{
    (void)state;
    struct bt__batches *w;
    struct bt_batches *b;
    const char *dir = folder("nonsense");
    expect_ok(bt__batches_open(dir, &w, &fix_err));
    bt__batches_row(w, -1, 1, 1.0f); /* ten bytes of a varint, no row */
    bt__batches_row(w, 5, -1, 2.0f);
    expect_ok(bt__batches_step(w, 3, &fix_err));
    bt__batches_row(w, 5, 0, 2.0f);
    expect_ok(bt__batches_step(w, INT64_MAX, &fix_err));
    bt__batches_close(w);
    b = load(dir, 3, 3);
    assert_int_equal(b->n, 0);
    bt_batches_free(b);
    b = load(dir, 1, INT64_MAX);
    assert_int_equal(b->n, 1);
    bt_batches_free(b);
}

/* ── runs ── */

static void run(const char *name, const char *const *settings)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train(name, settings, &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(w.warnings, 0);
    bt_train_result_clear(&r);
}

static struct bt_series_reader *curves(const char *name)
{
    struct bt_series_reader *r;
    bool more;
    expect_ok(bt_series_open(fix_path("runs/%s", name), &r, &fix_err));
    expect_ok(bt_series_poll(r, 0, &more, &fix_err));
    bt_series_commit(r);
    return r;
}

/* Every example once an epoch, and the loss of the curve is the mean of the rows' losses: with accumulated batches, with pieces or without. */
static void tells_the_truth(void **state)
{
    (void)state;
    run("truth", NULL);
    struct bt_series_reader *events = curves("truth");
    const struct bt_series *loss = bt_series_find(events, "train/loss");
    struct bt_batches *b = load(fix_path("runs/truth"), 1, 1000);
    int seen[FIX_TRAIN + 1] = {0};
    assert_int_equal(b->newest, 10);
    assert_int_equal(b->n, 2 * FIX_TRAIN);
    size_t at = 0;
    for (size_t i = 0; i < loss->n; i++) {
        double sum = 0;
        const size_t from = at;
        for (; at < b->n && b->row[at].step == loss->step[i]; at++) {
            assert_true(b->row[at].row >= 1 && b->row[at].row <= FIX_TRAIN);
            seen[b->row[at].row]++;
            sum += (double)b->row[at].loss;
        }
        assert_true(at > from && fabs(sum / (double)(at - from) - loss->value[i]) < 1e-6);
    }
    for (int i = 1; i <= FIX_TRAIN; i++) assert_int_equal(seen[i], 2);
    bt_batches_free(b);
    bt_series_free(events);
}

static void expect_same(const char *one, const char *other)
{
    struct bt_batches *a = load(fix_path("runs/%s", one), 1, 1000),
                      *b = load(fix_path("runs/%s", other), 1, 1000);
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->row[i].step, b->row[i].step);
        assert_int_equal(a->row[i].row, b->row[i].row);
        assert_int_equal(a->row[i].window, b->row[i].window);
        assert_memory_equal(&a->row[i].loss, &b->row[i].loss, sizeof(float));
    }
    bt_batches_free(a);
    bt_batches_free(b);
}

/* However many threads; and stopped and resumed from an older checkpoint, between two points of the curves. */
static void same_after_resume(void **state)
{
    (void)state;
    static const char *const settings[] = {"run.logging_steps=3", "run.num_threads=1", NULL};
    fix_train_until("stopped", settings, 9); /* a step whose figures are told */
    fix_go_on("stopped", 4);
    expect_same("truth", "stopped");
    assert_string_equal(fix_weights("truth"), fix_weights("stopped"));
}

static bool die_before_step_5(void *ctx)
{
    static int step;
    (void)ctx;
    if (++step == 5) _exit(0);
    return false;
}

/* A process that is killed between a checkpoint and the next point of the curves: what the checkpoint knows of is there. */
static void killed_behind_a_checkpoint(void **state)
{
    (void)state;
    static const char *const settings[] = {"run.logging_steps=10", "run.save_steps=4",
                                           "eval.eval_strategy=no", NULL};
    struct bt_train_result r;
    struct fix_watch w = {.at = -1};
    pid_t child = fork();
    if (child == 0) {
        struct bt_train_request q = fix_request(&w);
        q.name = "killed";
        q.experiment = fix_experiment(settings);
        q.interrupted = die_before_step_5;
        bt_train(&q, &r, &fix_err);
        _exit(1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct bt_batches *b = load(fix_path("runs/killed"), 1, 1000);
    assert_int_equal(b->newest, 4);
    bt_batches_free(b);
    fix_go_on("killed", -1);
    expect_same("truth", "killed");
}

/* Texts that are read in windows. */
static void windows(void **state)
{
    (void)state;
    static const char *const settings[] = {"data.truncation=sliding_window", "data.max_seq_length=6",
                                           "task.doc_stride=2", "train.num_train_epochs=1", NULL};
    run("windows", settings);
    struct bt_batches *b = load(fix_path("runs/windows"), 1, 1000);
    int most = 0, alone = 0;
    assert_true(b->n > FIX_TRAIN);
    for (size_t i = 0; i < b->n; i++) {
        if (b->row[i].window > most) most = b->row[i].window;
        alone += b->row[i].window == 0;
    }
    assert_true(most >= 3 && alone > 5);
    bt_batches_free(b);
}

/* What made the run end is there too. */
static void diverged(void **state)
{
    (void)state;
    struct bt_train_result r;
    fix_diverge("diverged", &r);
    struct bt_batches *b = load(fix_path("runs/diverged"), 1, 1);
    assert_int_equal(b->last, 1);
    assert_true(b->n > 0);
    bt_batches_free(b);
    bt_train_result_clear(&r);
}

/* A directory stands in the file's place: a warning, the same weights. */
static void cannot_be_kept(void **state)
{
    (void)state;
    fix_train_until("unkept", NULL, 5);
    assert_int_equal(unlink(fix_path("runs/unkept/batches")), 0);
    expect_ok(bt_mkdirs(fix_path("runs/unkept/batches"), &fix_err));
    struct fix_watch w = fix_go_on("unkept", -1);
    assert_int_equal(w.warnings, 1);
    assert_non_null(strstr(w.warning, "batches"));
    assert_string_equal(fix_weights("unkept"), fix_weights("truth"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(nearest),
        cmocka_unit_test(resumed_file),
        cmocka_unit_test(torn_tail),
        cmocka_unit_test(damage),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(tells_the_truth),
        cmocka_unit_test(same_after_resume),
        cmocka_unit_test(killed_behind_a_checkpoint),
        cmocka_unit_test(windows),
        cmocka_unit_test(diverged),
        cmocka_unit_test(cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
