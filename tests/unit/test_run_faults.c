/* What goes wrong around a run: damage, a full disk, a loss that is no number, a second engine; and what is kept. */
#include "run/limits.h"
#include "tests/unit/run_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct fix_watch quiet = {.at = -1};

static void run(const char *name, const char *const *settings, struct bt_train_result *r)
{
    quiet = (struct fix_watch){.at = -1};
    expect_ok(fix_train(name, settings, &quiet, r));
}

static void flip_byte(const char *path)
{
    int fd = open(path, O_RDWR);
    char c;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, 3000), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, 3000), 1);
    close(fd);
}

/* The newest checkpoint is damaged: the one before it is taken, told, and leads to the same end. */
static void damaged_newest(void **state)
{
    (void)state;
    static const char *const files[] = {"model.safetensors", "optimizer.safetensors"};
    struct bt_train_result r;
    run("whole", NULL, &r);
    bt_train_result_clear(&r);
    for (int i = 0; i < 2; i++) {
        struct fix_watch w = {.at = -1};
        const char *name = i ? "damaged-1" : "damaged-0";
        fix_train_until(name, NULL, 7);
        flip_byte(fix_path("runs/%s/checkpoints/step-000007/%s", name, files[i]));
        assert_int_equal(fix_resume(name, 7, false, &w, &r), BT_DAMAGED);
        assert_non_null(strstr(fix_err.text, files[i]));
        bt_train_result_clear(&r);
        w = fix_go_on(name, -1);
        assert_non_null(strstr(w.warning, files[i]));
        assert_string_equal(fix_weights(name), fix_weights("whole"));
    }
}

/* A half-written checkpoint and torn temporary files are swept away, other people's files are not. */
static void leftovers(void **state)
{
    (void)state;
    fix_train_until("swept", NULL, 5);
    expect_ok(bt_mkdirs(fix_path("runs/swept/checkpoints/step-000009.tmp"), &fix_err));
    fix_write(fix_path("runs/swept/checkpoints/step-000009.tmp/config.json"), "{");
    fix_write(fix_path("runs/swept/status.json.0123456789abcdef.tmp"), "{");
    fix_write(fix_path("runs/swept/notes.tmp"), "mine");
    fix_go_on("swept", -1);
    assert_false(bt_path_exists(fix_path("runs/swept/checkpoints/step-000009.tmp")));
    assert_false(bt_path_exists(fix_path("runs/swept/status.json.0123456789abcdef.tmp")));
    assert_true(bt_path_exists(fix_path("runs/swept/notes.tmp")));
}

static void changed_data(void **state)
{
    (void)state;
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    fix_train_until("changed", NULL, 3);
    fix_rows(fix_path("train.tsv"), FIX_TRAIN - 2, 1);
    assert_int_equal(fix_resume("changed", -1, false, &w, &r), BT_INVALID);
    assert_non_null(strstr(fix_err.text, "train.tsv"));
    bt_train_result_clear(&r);
    char *status = fix_json("changed", "status.json", "state");
    assert_string_equal(status, "stopped"); /* a refusal leaves the run as it was */
    free(status);
    expect_ok(fix_resume("changed", -1, true, &w, &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
    fix_rows(fix_path("train.tsv"), FIX_TRAIN, 0);
}

static void limit_files(struct fix_watch *w, const struct bt_progress *p)
{
    struct rlimit l = {.rlim_cur = p->step < 6 ? 20000 : RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    w->at = 6;
}

/* No file may grow beyond 20 kB between steps 2 and 6: the checkpoint of step 3 fails, training goes on, nothing is left over. */
static void no_room(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct fix_watch w = {.at = 2, .act = limit_files};
    struct bt_train_result r;
    expect_ok(fix_train(
        "full", (const char *const[]){"run.save_total_limit=100", "eval.eval_strategy=no", NULL}, &w, &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
    assert_true(w.warnings > 0);
    assert_non_null(strstr(w.warning, "no checkpoint at step 3"));
    assert_false(bt_path_exists(fix_path("runs/full/checkpoints/step-000003")));
    assert_false(bt_path_exists(fix_path("runs/full/checkpoints/step-000003.tmp")));
    assert_true(bt_path_exists(fix_path("runs/full/checkpoints/step-000006")));
    assert_string_equal(fix_weights("full"), fix_weights("whole"));
}

static void limit_for_good(struct fix_watch *w, const struct bt_progress *p)
{
    (void)w, (void)p;
    struct rlimit l = {.rlim_cur = 20000, .rlim_max = RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* The last weights find no room: the run has failed, whatever it has come to. */
static void no_room_at_the_end(void **state)
{
    (void)state;
    struct fix_watch w = {.at = 9, .act = limit_for_good};
    struct bt_train_result r;
    assert_int_equal(fix_train("full-end", NULL, &w, &r), BT_IO);
    struct rlimit l = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    assert_string_equal(r.state, "failed");
    bt_train_result_clear(&r);
    w = (struct fix_watch){.at = -1};
    expect_ok(fix_resume("full-end", -1, false, &w, &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("full-end"), fix_weights("whole"));
}

/* A model that is twice as large as this machine's memory, weights, moments and gradients together. */
static void no_memory(void **state)
{
    (void)state;
    const double layer = 12.0 * 1024 * 1024 * 16; /* bytes */
    struct bt_str config = {0};
    bt_str_addf(&config,
                "{\"model_type\":\"bert\",\"vocab_size\":%d,\"hidden_size\":1024,\"num_hidden_layers\":%d,"
                "\"num_attention_heads\":16,\"intermediate_size\":4096,\"max_position_embeddings\":16,"
                "\"type_vocab_size\":2}",
                5 + FIX_WORDS, (int)(2.0 * bt__memory_mib() * 1048576.0 / layer) + 1);
    expect_ok(bt_mkdirs(fix_path("large"), &fix_err));
    fix_write(fix_path("large/config.json"), bt_str_text(&config));
    bt_str_free(&config);
    assert_int_equal(symlink(fix_path("vocab/vocab.txt"), fix_path("large/vocab.txt")), 0);
    char model[600];
    snprintf(model, sizeof model, "model.name_or_path=%s", fix_path("large"));
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    assert_int_equal(fix_train("large-run", (const char *const[]){model, NULL}, &w, &r), BT_NOMEM);
    assert_non_null(strstr(fix_err.text, "MiB of memory"));
    assert_null(r.dir);
    bt_train_result_clear(&r);
}

static void diverged(void **state)
{
    (void)state;
    struct bt_train_result r;
    fix_diverge("hot-run", &r);
    assert_string_equal(r.state, "diverged");
    assert_int_equal(r.best_step, -1);
    bt_train_result_clear(&r);
    char *now = fix_json("hot-run", "status.json", "state"),
         *why = fix_json("hot-run", "status.json", "error");
    assert_string_equal(now, "diverged");
    assert_non_null(strstr(why, "step 1"));
    free(now);
    free(why);
    assert_false(bt_path_exists(fix_path("runs/hot-run/last")));
}

/* The embeddings' LayerNorm gets the same for every token and gives its bias: a loss as any other, whose gradient overflows. */
static void steep(struct bt__model *m)
{
    const struct bt__model_config *c = &m->config;
    const size_t tables[] = {m->word, m->position, m->type},
                 rows[] = {(size_t)c->vocab_size, (size_t)c->max_position_embeddings,
                           (size_t)c->type_vocab_size};
    for (size_t t = 0; t < 3; t++)
        memset(m->w + tables[t], 0, rows[t] * (size_t)c->hidden_size * sizeof *m->w);
    for (int i = 0; i < c->hidden_size; i++) {
        m->w[m->norm_w + (size_t)i] = i % 2 ? 3e38f : -3e38f;
        m->w[m->norm_b + (size_t)i] = 0.1f * (float)(i % 3);
    }
}

static void endless_gradient(void **state)
{
    (void)state;
    struct bt_train_result r;
    struct fix_watch w = {.at = -1};
    char model[600];
    fix_model(fix_path("steep"), steep);
    snprintf(model, sizeof model, "model.name_or_path=%s", fix_path("steep"));
    assert_int_equal(fix_train("steep-run", (const char *const[]){model, NULL}, &w, &r), BT_DIVERGED);
    assert_string_equal(r.state, "diverged");
    bt_train_result_clear(&r);
    assert_non_null(strstr(fix_err.text, "step 1: the gradient's norm is"));
    assert_false(bt_path_exists(fix_path("runs/steep-run/last")));
}

static void second_engine(struct fix_watch *w, const struct bt_progress *p)
{
    struct bt_train_result r;
    struct fix_watch other = {.at = -1};
    struct bt_train_request q = fix_request(&other);
    q.resume = p->dir;
    w->result = (int)bt_train(&q, &r, &fix_err);
    bt_train_result_clear(&r);
}

static void one_engine(void **state)
{
    (void)state;
    struct fix_watch w = {.at = 2, .act = second_engine};
    struct bt_train_result r;
    expect_ok(fix_train("locked", NULL, &w, &r));
    bt_train_result_clear(&r);
    assert_int_equal(w.result, BT_BUSY);
    assert_string_equal(fix_weights("locked"), fix_weights("whole"));
}

static void names(void **state)
{
    (void)state;
    static const char *const odd[] = {"../up", "/abs", "a/b", ".hidden", "-x", "", "a b", "\x1b[31m"};
    struct bt_train_result r;
    struct fix_watch w = {.at = -1};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(fix_train(odd[i], NULL, &w, &r), BT_INVALID);
        assert_null(r.dir);
        bt_train_result_clear(&r);
    }
    assert_int_equal(fix_train("whole", NULL, &w, &r), BT_EXISTS);
    bt_train_result_clear(&r);
    assert_int_equal(fix_resume("whole", -1, false, &w, &r), BT_INVALID); /* it is finished */
    bt_train_result_clear(&r);
    run("mode", (const char *const[]){"train.max_steps=1", "eval.eval_strategy=no", NULL}, &r);
    bt_train_result_clear(&r);
    struct stat info;
    assert_int_equal(stat(fix_path("runs/mode"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

/* Bad input is told before there is a directory. */
static void nothing_half_made(void **state)
{
    (void)state;
    static const char *const bad[] = {"data.text_column=txt", "data.max_seq_length=17",
                                      "task.labels=[odd, other]", "model.freeze_layers=3",
                                      "eval.metric_for_best_model=nonsense"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fix_watch w = {.at = -1};
        struct bt_train_result r;
        assert_int_not_equal(fix_train("never", (const char *const[]){bad[i], NULL}, &w, &r), BT_OK);
        assert_null(r.dir);
        bt_train_result_clear(&r);
        assert_false(bt_path_exists(fix_path("runs/never")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_newest),
        cmocka_unit_test(leftovers),
        cmocka_unit_test(changed_data),
        cmocka_unit_test(no_room),
        cmocka_unit_test(diverged),
        cmocka_unit_test(no_room_at_the_end),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(one_engine),
        cmocka_unit_test(names),
        cmocka_unit_test(nothing_half_made),
        cmocka_unit_test(endless_gradient),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
