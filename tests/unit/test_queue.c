/* The queue: what is in it and in which order, who may change it, and that each run is taken once. */
#include "run/proc.h"
#include "run/queue_file.h"
#include "tests/unit/run_fixture.h"

#include <bertty/queue.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { TAKERS = 4 };

/* ── what the tests share ── */

/* A directory of its own for each test: fix_dir/<name>. */
static const char *runs = "";

static void fresh(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s", fix_path("%s", name));
    runs = path;
}

static const char *dir_of(const char *id)
{
    static char path[4][700];
    static unsigned turn;
    char *out = path[turn++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", runs, id);
    return out;
}

static void add_with(const char *id, const char *const *settings)
{
    struct bt_experiment *x = fix_experiment(settings);
    char *dir = NULL;
    expect_ok(bt_queue_add(x, id, runs, &dir, &fix_err));
    assert_string_equal(bt_path_base(dir), id);
    bt_experiment_free(x);
    free(dir);
}

static void add(const char *id)
{
    add_with(id, NULL);
}

/* "a b c" */
static void expect_order(const char *expected)
{
    struct bt_queue q;
    struct bt_str text = {0};
    expect_ok(bt_queue_load(runs, &q, &fix_err));
    for (size_t i = 0; i < q.n; i++) {
        assert_int_equal(q.run[i]->place, i + 1);
        bt_str_addf(&text, "%s%s", i ? " " : "", q.run[i]->id);
    }
    assert_string_equal(bt_str_text(&text), expected);
    bt_str_free(&text);
    bt_queue_clear(&q);
}

static enum bt_run_state state_of(const char *id)
{
    struct bt_run_status s;
    expect_ok(bt_run_status(dir_of(id), &s, &fix_err));
    enum bt_run_state state = s.state;
    bt_run_status_clear(&s);
    return state;
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("expected '%s' in '%s'", part, text);
}

/* A shell script in the engine's place: it notes what it was started for, and what it is asked to do comes after. */
static const char *engine(const char *rest)
{
    static const char head[] = "#!/bin/sh\n"
                               "for a; do case $a in --resume=*) RUN=${a#--resume=};; esac; done\n"
                               "TOP=${RUN%/*}; echo ${RUN##*/} $$ >>$TOP/.started\n";
    static char path[600];
    snprintf(path, sizeof path, "%s", fix_path("engine"));
    struct bt_str text = {0};
    bt_str_addf(&text, "%s%s\n", head, rest);
    fix_write(path, bt_str_text(&text));
    bt_str_free(&text);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

/* Its run is training, and it lives on. */
#define TRAINS                                                                                               \
    "set -- $(sed 's/.*) //' /proc/$$/stat)\n"                                                               \
    "printf '{\"state\":\"training\",\"pid\":%d,\"pid_start\":%s,\"boot_id\":\"%s\",\"host\":\"%s\"}' $$ "   \
    "${20} $(cat /proc/sys/kernel/random/boot_id) $(uname -n) >$RUN/new && mv $RUN/new $RUN/status.json\n"   \
    "echo $RUN >&3\nexec 3>&-\nexec sleep 60"

static char *started(void)
{
    char *text;
    size_t n;
    char *path = bt_path_join(runs, ".started");
    if (bt_file_read(path, 1 << 16, &text, &n, NULL) != BT_OK) text = bt_strdup("");
    free(path);
    return text;
}

/* How often the engine was started for a run. */
static int starts_of(const char *id)
{
    char *text = started(), word[40];
    int n = 0;
    snprintf(word, sizeof word, "%s ", id);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        n += strncmp(line, word, strlen(word)) == 0;
    }
    free(text);
    return n;
}

static void end_engines(void)
{
    char *text = started();
    for (const char *p = strchr(text, ' '); p; p = strchr(p + 1, ' ')) {
        pid_t pid = (pid_t)strtol(p, NULL, 10);
        if (pid > 1) kill(pid, SIGKILL);
        for (int i = 0; i < 500 && bt__proc_start(pid); i++) usleep(10000);
    }
    free(text);
}

static enum bt_status take_with(struct bt_queue_taking how, size_t expected)
{
    struct bt_queue_taken taken;
    how.runs_dir = runs;
    how.by = "a test";
    enum bt_status st = bt_queue_take(&how, &taken, &fix_err);
    assert_int_equal(taken.n, expected);
    bt_queue_taken_clear(&taken);
    return st;
}

static void take(const char *program, size_t expected)
{
    expect_ok(take_with((struct bt_queue_taking){.program = program, .patience_s = 60}, expected));
}

/* ── the order ── */

static void order(void **state)
{
    int64_t place = 0;
    (void)state;
    fresh("order");
    expect_order("");
    add("a");
    add("b");
    add("c");
    add("d");
    expect_order("a b c d");
    expect_ok(bt_queue_move(dir_of("c"), BT_QUEUE_UP, &place, &fix_err));
    assert_int_equal(place, 2);
    expect_order("a c b d");
    expect_ok(bt_queue_move(dir_of("a"), BT_QUEUE_DOWN, &place, &fix_err));
    expect_order("c a b d");
    expect_ok(bt_queue_move(dir_of("d"), BT_QUEUE_FIRST, &place, &fix_err));
    expect_order("d c a b");
    expect_ok(bt_queue_move(dir_of("c"), BT_QUEUE_LAST, &place, &fix_err));
    assert_int_equal(place, 4);
    expect_order("d a b c");
    expect_ok(bt_queue_move(dir_of("d"), BT_QUEUE_UP, &place, &fix_err)); /* there is nothing above it */
    expect_ok(bt_queue_move(dir_of("c"), BT_QUEUE_DOWN, &place, &fix_err));
    expect_order("d a b c");
    expect_ok(bt_queue_remove(dir_of("a"), &fix_err));
    expect_order("d b c");
    assert_int_equal(state_of("a"), BT_RUN_STOPPED);
    assert_int_equal(bt_queue_remove(dir_of("a"), &fix_err), BT_INVALID);
    expect_text(fix_err.text, "a: the run is stopped, not queued");
    assert_int_equal(bt_queue_move(dir_of("a"), BT_QUEUE_UP, NULL, &fix_err), BT_INVALID);
}

/* The states of the runs are the queue; the file only orders them. */
static void file_is_only_the_order(void **state)
{
    (void)state;
    fresh("file");
    add("a");
    add("b");
    add("c");
    expect_ok(bt_queue_limit(runs, 3, &fix_err));
    fix_write(dir_of(".queue.json"), "{\"limit\": 3, \"order\": [\"gone\", \"c\"]}");
    expect_order("c a b"); /* those that it does not name, as they were queued */
    assert_int_equal(unlink(dir_of(".queue.json")), 0);
    expect_order("a b c");
    struct bt_queue q;
    expect_ok(bt_queue_load(runs, &q, &fix_err));
    assert_int_equal(q.limit, 1);
    assert_false(q.held);
    bt_queue_clear(&q);
}

static void damaged_file(void **state)
{
    static const char *const bad[][2] = {{"{", ".queue.json"},
                                         {"[]", "expected an object"},
                                         {"{\"limit\": 0}", "\"limit\": expected a number from 1 to 64"},
                                         {"{\"limit\": \"2\"}", "\"limit\""},
                                         {"{\"limit\": 1e3}", "\"limit\""},
                                         {"{\"held\": 1}", "\"held\": expected true or false"},
                                         {"{\"order\": {}}", "\"order\": expected a list"},
                                         {"{\"order\": [\"../x\"]}", "expected the names of runs"},
                                         {"{\"order\": [1]}", "expected the names of runs"}};
    (void)state;
    fresh("damaged");
    add("a");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bt_queue q;
        fix_write(dir_of(".queue.json"), bad[i][0]);
        assert_int_not_equal(bt_queue_load(runs, &q, &fix_err), BT_OK);
        expect_text(fix_err.text, ".queue.json");
        expect_text(fix_err.text, bad[i][1]);
        bt_queue_clear(&q);
        assert_int_not_equal(take_with((struct bt_queue_taking){.program = engine(TRAINS)}, 0), BT_OK);
        assert_int_not_equal(bt_queue_hold(runs, false, &fix_err), BT_OK);
        assert_int_equal(starts_of("a"), 0);
    }
}

/* The settings are those of the moment of queueing, and all of them. */
static void settings_stay(void **state)
{
    static const char *const settings[] = {"train.seed=77", NULL};
    struct bt_experiment *x, *y = fix_experiment(settings);
    char *dir = NULL;
    (void)state;
    fresh("settings");
    expect_ok(bt_queue_add(y, NULL, runs, &dir, &fix_err));
    expect_ok(bt_experiment_assign(y, "train.seed=78", &fix_err));
    char *path = bt_path_join(dir, "experiment.yaml");
    expect_ok(bt_experiment_load(path, &x, &fix_err));
    assert_int_equal(x->train_seed, 77);
    assert_true(x->model_name_or_path[0] == '/');
    assert_string_equal(x->run_output_dir, runs);
    assert_true(x->set[BT_OPTION_optim_weight_decay]);
    bt_experiment_free(x);
    bt_experiment_free(y);
    free(path);
    free(dir);
    struct bt_experiment *bad = fix_experiment(NULL);
    expect_ok(bt_experiment_assign(bad, "data.train_file=nothing.tsv", &fix_err));
    assert_int_not_equal(bt_queue_add(bad, "bad", runs, &dir, &fix_err), BT_OK);
    assert_false(bt_path_exists(dir_of("bad")));
    bt_experiment_free(bad);
}

/* ── the lock ── */

static void killed_holder(void **state)
{
    int lock, told[2];
    char c;
    (void)state;
    fresh("lock");
    add("a");
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        bool held = bt__queue_lock(runs, 5, &lock, NULL) == BT_OK;
        (void)!write(told[1], held ? "y" : "n", 1);
        for (;;) pause();
    }
    assert_int_equal(read(told[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    assert_int_equal(bt__queue_lock(runs, 0.1, &lock, &fix_err), BT_BUSY);
    assert_int_equal(take_with((struct bt_queue_taking){.program = engine(TRAINS)}, 0), BT_BUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    expect_ok(bt__queue_lock(runs, 0, &lock, &fix_err));
    close(lock);
    close(told[0]);
    close(told[1]);
}

/* ── taking ── */

static void limit_and_hold(void **state)
{
    (void)state;
    fresh("limit");
    const char *program = engine(TRAINS);
    struct bt_run_list l;
    add("a");
    add("b");
    add("c");
    add("d");
    expect_ok(bt_queue_hold(runs, true, &fix_err));
    take(program, 0);
    expect_ok(bt_queue_hold(runs, false, &fix_err));
    expect_ok(bt_run_list(runs, NULL, &l, &fix_err));
    assert_true(bt_queue_ready(runs, &l));
    bt_run_list_clear(&l);
    take(program, 1);
    expect_order("b c d");
    take(program, 0);
    expect_ok(bt_run_list(runs, NULL, &l, &fix_err));
    assert_false(bt_queue_ready(runs, &l));
    bt_run_list_clear(&l);
    expect_ok(bt_queue_limit(runs, 2, &fix_err));
    take(program, 1);
    expect_order("c d");
    assert_int_equal(state_of("b"), BT_RUN_TRAINING);
    expect_ok(bt_queue_hold(runs, true, &fix_err));
    expect_ok(
        take_with((struct bt_queue_taking){.program = program, .only = dir_of("d"), .patience_s = 9}, 1));
    expect_order("c");
    assert_int_equal(take_with((struct bt_queue_taking){.program = program, .only = dir_of("d")}, 0),
                     BT_INVALID);
    end_engines();
    assert_int_equal(starts_of("a") + starts_of("b") + starts_of("d"), 3);
    assert_int_equal(starts_of("c"), 0);
}

static void several_takers(void **state)
{
    pid_t child[TAKERS];
    int go[2];
    char c;
    (void)state;
    fresh("takers");
    const char *program = engine(TRAINS);
    add("a");
    add("b");
    add("c");
    expect_ok(bt_queue_limit(runs, 2, &fix_err));
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < TAKERS; i++) {
        child[i] = fork();
        if (child[i]) continue;
        struct bt_queue_taken taken;
        struct bt_queue_taking how = {.runs_dir = runs, .program = program, .patience_s = 60};
        close(go[1]);
        (void)!read(go[0], &c, 1); /* all at once, when the pipe is closed */
        _exit(bt_queue_take(&how, &taken, NULL) != BT_OK);
    }
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < TAKERS; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    end_engines();
    assert_int_equal(starts_of("a"), 1);
    assert_int_equal(starts_of("b"), 1);
    assert_int_equal(starts_of("c"), 0);
    expect_order("c");
}

/* What another machine queued is its own, unless a person says so. */
static void other_machine(void **state)
{
    (void)state;
    fresh("machine");
    const char *program = engine(TRAINS);
    add("theirs");
    add("ours");
    fix_write(dir_of("theirs/status.json"), "{\"state\": \"queued\", \"host\": \"another.host\"}");
    expect_ok(bt_queue_limit(runs, 5, &fix_err));
    take(program, 1);
    assert_int_equal(starts_of("ours"), 1);
    expect_ok(take_with((struct bt_queue_taking){.program = program, .anywhere = true, .patience_s = 9}, 1));
    end_engines();
    assert_int_equal(starts_of("theirs"), 1);
}

/* An engine that will not is passed over; one that cannot be started leaves everything as it is. */
static void refusals(void **state)
{
    (void)state;
    fresh("refusals");
    add("a");
    add("b");
    take(engine("case $RUN in */a) echo '!a is damaged' >&3; exit;; esac\n" TRAINS), 1);
    end_engines();
    assert_int_equal(starts_of("a"), 1);
    assert_int_equal(starts_of("b"), 1);
    assert_int_equal(take_with((struct bt_queue_taking){.program = fix_path("missing")}, 0), BT_IO);
    expect_text(fix_err.text, "a: ");
    expect_text(fix_err.text, "missing");
    assert_int_equal(take_with((struct bt_queue_taking){.program = engine("exit 3")}, 0), BT_IO);
    expect_order("a");
    assert_int_equal(take_with((struct bt_queue_taking){.program = engine("echo '!a is damaged' >&3")}, 0),
                     BT_INVALID);
    expect_text(fix_err.text, "a is damaged");
    expect_order("a");
}

/* ── the engine's side ── */

static enum bt_status take_here(const char *id, struct bt_train_result *r)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_request q = fix_request(&w);
    q.resume = dir_of(id);
    q.queued = "a test";
    return bt_train(&q, r, &fix_err);
}

/* What was queued trains to the same bits as what was launched, and has all that a run has. */
static void trains_the_same(void **state)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    (void)state;
    fresh("runs");
    expect_ok(fix_train("plain", NULL, &w, &r));
    bt_train_result_clear(&r);
    add("taken");
    expect_ok(take_here("taken", &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("plain"), fix_weights("taken"));
    char *steps = fix_json("taken", "run.json", "steps"), *mine = fix_json("taken", "run.json", "id");
    assert_string_equal(steps, "10");
    assert_string_equal(mine, "taken");
    free(steps);
    free(mine);
    assert_int_equal(take_here("taken", &r), BT_INVALID);
    expect_text(fix_err.text, "the run is finished, no longer queued");
    bt_train_result_clear(&r);
    assert_int_equal(state_of("taken"), BT_RUN_FINISHED);
}

static void data_that_has_gone(void **state)
{
    struct bt_train_result r;
    (void)state;
    fresh("runs");
    add("orphan");
    assert_int_equal(rename(fix_path("train.tsv"), fix_path("moved.tsv")), 0);
    assert_int_not_equal(take_here("orphan", &r), BT_OK);
    assert_int_equal(rename(fix_path("moved.tsv"), fix_path("train.tsv")), 0);
    bt_train_result_clear(&r);
    assert_int_equal(state_of("orphan"), BT_RUN_FAILED);
    char *why = fix_json("orphan", "status.json", "error");
    expect_text(why, "train.tsv");
    free(why);
    struct fix_watch w = {.at = -1};
    expect_ok(fix_resume("orphan", -1, false, &w, &r)); /* it is back: the run begins */
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
}

static void goes_on_later(void **state)
{
    struct fix_watch w = {.at = 5, .act = fix_stop};
    struct bt_train_result r;
    (void)state;
    fresh("runs");
    expect_ok(fix_train("later", NULL, &w, &r));
    bt_train_result_clear(&r);
    expect_ok(bt_queue_again(dir_of("later"), &fix_err));
    assert_int_equal(state_of("later"), BT_RUN_QUEUED);
    char *step = fix_json("later", "status.json", "step");
    assert_string_equal(step, "5");
    free(step);
    assert_int_equal(bt_queue_again(dir_of("later"), &fix_err), BT_INVALID);
    expect_ok(bt_run_control(dir_of("later"), "stop", &fix_err)); /* out of the queue */
    assert_int_equal(state_of("later"), BT_RUN_STOPPED);
    expect_ok(bt_queue_again(dir_of("later"), &fix_err));
    assert_int_equal(bt_run_control(dir_of("later"), "pause", &fix_err), BT_INVALID);
    assert_int_equal(bt_run_remove(dir_of("later"), &fix_err), BT_BUSY);
    expect_ok(take_here("later", &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("plain"), fix_weights("later")); /* of the test before */
    assert_int_equal(bt_queue_again(dir_of("later"), &fix_err), BT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(file_is_only_the_order),
        cmocka_unit_test(damaged_file),
        cmocka_unit_test(settings_stay),
        cmocka_unit_test(killed_holder),
        cmocka_unit_test(limit_and_hold),
        cmocka_unit_test(several_takers),
        cmocka_unit_test(other_machine),
        cmocka_unit_test(refusals),
        cmocka_unit_test(trains_the_same),
        cmocka_unit_test(data_that_has_gone),
        cmocka_unit_test(goes_on_later),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
