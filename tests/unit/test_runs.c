/* Run directories as their readers see them: status, lost engines, lists, names, checkpoints, steering, deletion, logs. */
#include "tests/unit/folder.h"

#include <bertty/file.h>
#include <bertty/run.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ── engines ── */

struct engine {
    long long pid, start;
    char boot_id[64], host[256];
    double updated;
};

/* What /proc says of a process behind its name: "S 1 …". */
static const char *stat_of(long long pid, char text[1024])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/stat", pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, 1023, f);
    fclose(f);
    assert_true(n > 0);
    text[n] = '\0';
    return strrchr(text, ')') + 2;
}

/* On a busy machine a process that was let go on comes to its pause() when it is its turn. */
static void wait_until_it_sleeps(long long pid)
{
    char text[1024];
    for (int i = 0; i < 3000 && *stat_of(pid, text) != 'S'; i++) usleep(10000);
}

static long long start_of(long long pid)
{
    char text[1024];
    long long start = 0;
    const char *p = stat_of(pid, text);
    for (int field = 3; field < 22; field++) p = strchr(p, ' ') + 1;
    assert_int_equal(sscanf(p, "%lld", &start), 1);
    return start;
}

/* This test as an engine that is alive. */
static struct engine here(void)
{
    struct engine e = {.pid = getpid(), .start = start_of(getpid()), .updated = (double)time(NULL)};
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%63s", e.boot_id), 1);
    fclose(f);
    assert_int_equal(gethostname(e.host, sizeof e.host), 0);
    return e;
}

static void put_status(const char *run, const char *state, const struct engine *e)
{
    char path[200], text[1000];
    snprintf(path, sizeof path, "%s/status.json", run);
    snprintf(
        text, sizeof text,
        "{\"state\":\"%s\",\"pid\":%lld,\"boot_id\":\"%s\",\"pid_start\":%lld,\"host\":\"%s\",\"updated\":%f,"
        "\"error\":null}",
        state, e->pid, e->boot_id, e->start, e->host, e->updated);
    put(path, text);
}

static enum bt_run_state state_of(const char *run)
{
    struct bt_run_status s;
    struct bt_error err = {0};
    if (bt_run_status(at(run), &s, &err) != BT_OK) fail_msg("%s", err.text);
    enum bt_run_state state = s.state;
    bt_run_status_clear(&s);
    return state;
}

static void status_is_read(void **state)
{
    (void)state;
    struct bt_run_status s;
    put("film/status.json",
        "{\"state\":\"finished\",\"pid\":7,\"step\":200,\"total\":300,\"epoch\":2.5,\"epochs\":3,"
        "\"tokens_per_s\":2913.5,\"eta_s\":null,\"train_loss\":0.25,\"metric\":\"accuracy\",\"best\":0.875,"
        "\"best_step\":150,\"last\":0.5,\"last_step\":200,\"started\":1000.5,\"updated\":2000,\"error\":"
        "\"disk\","
        "\"steered\":true,\"name\":\"film\",\"more\":[1]}");
    assert_int_equal(bt_run_status(at("film/"), &s, NULL), BT_OK);
    assert_string_equal(s.id, "film");
    assert_string_equal(s.dir, at("film"));
    assert_int_equal(s.state, BT_RUN_FINISHED);
    assert_int_equal(s.pid, 7);
    assert_int_equal(s.step, 200);
    assert_int_equal(s.total, 300);
    assert_true(s.epoch == 2.5 && s.epochs == 3 && s.tokens_per_s == 2913.5 && isnan(s.eta_s));
    assert_true(s.train_loss == 0.25 && s.best == 0.875 && s.last == 0.5);
    assert_string_equal(s.metric, "accuracy");
    assert_int_equal(s.best_step, 150);
    assert_int_equal(s.last_step, 200);
    assert_true(s.started == 1000.5 && s.updated == 2000 && s.steered);
    assert_string_equal(s.error, "disk");
    assert_string_equal(s.name, "film");
    bt_run_status_clear(&s);
}

static void status_of_strange_files(void **state)
{
    (void)state;
    struct bt_run_status s;
    struct bt_error err = {0};
    assert_int_equal(bt_run_status(at("none"), &s, &err), BT_NOTFOUND);
    put("keras/events.out.tfevents.1.x", "");
    assert_int_equal(state_of("keras"), BT_RUN_UNKNOWN);
    static const char *const texts[] = {"",
                                        "[]",
                                        "{\"state\":3}",
                                        "{\"state\":\"odd\"}",
                                        "{\"state\":",
                                        "{\"best\":\"x\",\"step\":1.5,\"error\":{}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("odd/status.json", texts[i]);
        assert_int_equal(bt_run_status(at("odd"), &s, &err), BT_OK);
        assert_int_equal(s.state, BT_RUN_UNKNOWN);
        expect_text(s.error, "status.json");
        assert_true(isnan(s.best) && s.best_step == -1 && s.step == 0);
        bt_run_status_clear(&s);
    }
    assert_int_equal(remove(at("odd/status.json")), 0);
    assert_int_equal(mkfifo(at("odd/status.json"), 0600), 0);
    assert_int_equal(state_of("odd"), BT_RUN_UNKNOWN);
}

static void living_and_lost(void **state)
{
    (void)state;
    struct engine alive = here(), e;
    put_status("r", "training", &alive);
    assert_int_equal(state_of("r"), BT_RUN_TRAINING);
    e = alive;
    e.start++; /* its number went to a later process: this one */
    put_status("r", "training", &e);
    assert_int_equal(state_of("r"), BT_RUN_LOST);
    put_status("r", "finished", &e);
    assert_int_equal(state_of("r"), BT_RUN_FINISHED);
    e = alive;
    e.boot_id[0] = e.boot_id[0] == '0' ? '1' : '0';
    put_status("r", "paused", &e);
    assert_int_equal(state_of("r"), BT_RUN_LOST);
    e = alive;
    e.pid = 0;
    put_status("r", "starting", &e);
    assert_int_equal(state_of("r"), BT_RUN_LOST);
}

static void another_host(void **state)
{
    (void)state;
    struct engine e = here();
    snprintf(e.host, sizeof e.host, "elsewhere");
    e.boot_id[0] = 'x';
    e.start++;
    e.updated -= 200;
    put_status("r", "training", &e);
    assert_int_equal(state_of("r"), BT_RUN_TRAINING);
    e.updated -= 200;
    put_status("r", "training", &e);
    struct bt_run_status s;
    assert_int_equal(bt_run_status(at("r"), &s, NULL), BT_OK);
    assert_int_equal(s.state, BT_RUN_LOST);
    expect_text(s.error, "elsewhere");
    bt_run_status_clear(&s);
}

/* Ended, but not waited for: its entry is still in /proc. */
static void zombie_is_lost(void **state)
{
    (void)state;
    struct engine e = here();
    siginfo_t info;
    int hold[2];
    assert_int_equal(pipe(hold), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(hold[1]);
        _exit(read(hold[0], &c, 1) != 0);
    }
    e.pid = child;
    e.start = start_of(child);
    put_status("r", "training", &e);
    assert_int_equal(state_of("r"), BT_RUN_TRAINING);
    close(hold[1]);
    close(hold[0]);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(state_of("r"), BT_RUN_LOST);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(state_of("r"), BT_RUN_LOST);
    struct bt_run_status s;
    assert_int_equal(bt_run_status(at("r"), &s, NULL), BT_OK);
    expect_text(s.error, "killed");
    bt_run_status_clear(&s);
}

/* ── lists ── */

static struct bt_run_list list(const struct bt_run_list *previous)
{
    struct bt_run_list l;
    struct bt_error err = {0};
    if (bt_run_list(folder, previous, &l, &err) != BT_OK) fail_msg("%s", err.text);
    return l;
}

static void lists(void **state)
{
    (void)state;
    struct bt_run_list l;
    assert_int_equal(bt_run_list(at("missing"), NULL, &l, NULL), BT_OK);
    assert_int_equal(l.n, 0);
    put("old/status.json", "{\"state\":\"finished\",\"started\":100}");
    put("new/status.json", "{\"state\":\"stopped\",\"started\":300}");
    put("mid/status.json", "{\"state\":\"failed\",\"started\":200}");
    put("keras/events.out.tfevents.1.x", "");
    put("notes/text", "no run");
    put(".hidden/status.json", "{\"state\":\"finished\"}");
    put("file", "");
    assert_int_equal(symlink("old", at("link")), 0);
    l = list(NULL);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.run[0].id, "keras"); /* as old as its directory: of today */
    assert_string_equal(l.run[1].id, "new");
    assert_string_equal(l.run[2].id, "mid");
    assert_string_equal(l.run[3].id, "old");
    assert_string_equal(l.run[3].dir, at("old"));
    bt_run_list_clear(&l);
}

/* An unchanged file is not read again: made unreadable in place, its run keeps its state. */
static void lists_reuse(void **state)
{
    (void)state;
    struct engine e = here();
    struct stat info;
    struct bt_run_list first, second, third;
    put("a/status.json", "{\"state\":\"finished\",\"started\":100,\"name\":\"x\"}");
    put_status("b", "training", &e);
    first = list(NULL);
    assert_int_equal(stat(at("a/status.json"), &info), 0);
    FILE *f = fopen(at("a/status.json"), "r+");
    assert_non_null(f);
    fputs("{\"state\":\"failed!!", f);
    fclose(f);
    struct timespec times[] = {info.st_atim, info.st_mtim};
    assert_int_equal(utimensat(-1, at("a/status.json"), times, 0), 0);
    second = list(&first);
    assert_int_equal(second.n, 2);
    size_t a = strcmp(second.run[0].id, "a") == 0 ? 0 : 1;
    assert_int_equal(second.run[a].state, BT_RUN_FINISHED);
    assert_string_equal(second.run[a].name, "x");
    assert_int_equal(second.run[1 - a].state, BT_RUN_TRAINING);
    bt_run_list_clear(&first); /* the second owns its texts */
    put("a/status.json", "{\"state\":\"stopped\",\"started\":100}");
    third = list(&second);
    a = strcmp(third.run[0].id, "a") == 0 ? 0 : 1;
    assert_int_equal(third.run[a].state, BT_RUN_STOPPED);
    bt_run_list_clear(&second);
    bt_run_list_clear(&third);
}

/* A run that was alive in the earlier list is looked at again although its file says the same. */
static void lists_notice_deaths(void **state)
{
    (void)state;
    struct engine e = here();
    int hold[2];
    assert_int_equal(pipe(hold), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(hold[1]);
        _exit(read(hold[0], &c, 1) != 0);
    }
    e.pid = child;
    e.start = start_of(child);
    put_status("r", "training", &e);
    struct bt_run_list first = list(NULL);
    assert_int_equal(first.run[0].state, BT_RUN_TRAINING);
    close(hold[1]);
    close(hold[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct bt_run_list second = list(&first);
    assert_int_equal(second.run[0].state, BT_RUN_LOST);
    bt_run_list_clear(&first);
    bt_run_list_clear(&second);
}

/* ── engines that live, but do nothing ── */

static struct bt_run_list expect_stalled(struct bt_run_list *before, const char *part)
{
    struct bt_run_list now = list(before);
    const struct bt_run_status *s = &now.run[0];
    assert_int_equal(s->state, BT_RUN_TRAINING);
    if (part) {
        assert_non_null(s->stalled);
        expect_text(s->stalled, part);
        expect_text(s->error, part);
    } else {
        assert_null(s->stalled);
        assert_null(s->error);
    }
    if (before) bt_run_list_clear(before);
    return now;
}

/* The status file stays as it is: what the process does is looked at anew each time. */
static void stalled_engines(void **state)
{
    (void)state;
    struct engine e = here();
    char part[64];
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a check fails while it is stopped */
        for (;;) pause();
    }
    e.pid = child;
    e.start = start_of(child);
    e.updated -= 100;
    put_status("r", "training", &e);
    struct bt_run_list runs = expect_stalled(NULL, NULL);
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    snprintf(part, sizeof part, "kill -CONT %d lets it go on", (int)child);
    runs = expect_stalled(&runs, part);
    runs = expect_stalled(&runs, "stopped from outside at");
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitpid(child, NULL, WCONTINUED), child);
    runs = expect_stalled(&runs, NULL);
    e.updated -= 300;
    put_status("r", "training", &e);
    wait_until_it_sleeps(child);
    snprintf(part, sizeof part, ": process %d sleeps", (int)child);
    runs = expect_stalled(&runs, part);
    snprintf(e.host, sizeof e.host, "elsewhere");
    e.updated += 200;
    put_status("r", "training", &e);
    runs = expect_stalled(&runs, NULL);
    bt_run_list_clear(&runs);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* ── names ── */

static void find(const char *name, const char *run, int64_t expected)
{
    char *dir;
    int64_t step = 99;
    struct bt_error err = {0};
    if (bt_run_find(folder, name, &dir, &step, &err) != BT_OK) fail_msg("%s: %s", name, err.text);
    assert_string_equal(dir, at(run));
    assert_int_equal(step, expected);
    free(dir);
}

static void refuse(const char *name, enum bt_status status, const char *part)
{
    char *dir;
    int64_t step;
    struct bt_error err = {0};
    assert_int_equal(bt_run_find(folder, name, &dir, &step, &err), status);
    assert_null(dir);
    expect_text(err.text, part);
    assert_null(strchr(err.text, '\n'));
}

static void newer_formats(void **state)
{
    (void)state;
    struct bt_run_status s;
    put("now/status.json", "{\"format\": 1, \"state\": \"finished\"}");
    put("first/status.json", "{\"state\": \"finished\"}"); /* written before it was told */
    put("later/status.json", "{\"format\": 2, \"state\": \"finished\"}");
    find("now", "now", BT_STEP_NONE);
    find("first", "first", BT_STEP_NONE);
    refuse("later", BT_INVALID, "later/status.json: format 2 of a newer bertty: this one (");
    refuse("later@best", BT_INVALID, "knows up to 1");
    assert_int_equal(state_of("now"), BT_RUN_FINISHED);
    assert_int_equal(state_of("first"), BT_RUN_FINISHED);
    assert_int_equal(bt_run_status(at("later"), &s, NULL), BT_OK);
    assert_int_equal(s.state, BT_RUN_UNKNOWN);
    expect_text(s.error, "format 2 of a newer bertty");
    bt_run_status_clear(&s);
}

static void finds(void **state)
{
    (void)state;
    put("movie-20260101-3f2a/status.json", "{}");
    put("movie-20260102-91bc/status.json", "{}");
    put("movie/run.json", "{}");
    put("other@home/status.json", "{}");
    put("notes/text", "");
    assert_int_equal(symlink("/", at("root")), 0);
    find("movie-20260101-3f2a", "movie-20260101-3f2a", BT_STEP_NONE);
    find("movie", "movie", BT_STEP_NONE); /* exact before prefix */
    find("3f2a", "movie-20260101-3f2a", BT_STEP_NONE);
    find("movie-20260102", "movie-20260102-91bc", BT_STEP_NONE);
    find("91bc@400", "movie-20260102-91bc", 400);
    find("91bc@best", "movie-20260102-91bc", BT_STEP_BEST);
    find("91bc@last", "movie-20260102-91bc", BT_STEP_LAST);
    find(at("movie-20260102-91bc@7"), "movie-20260102-91bc", 7);
    find(at("movie/"), "movie", BT_STEP_NONE);
    refuse("movie-2026", BT_INVALID, "could be any of 2: movie-20260101-3f2a, movie-20260102-91bc");
    refuse("moive", BT_NOTFOUND, "did you mean 'movie'?");
    refuse("something-else-entirely", BT_NOTFOUND, "bertty runs");
    refuse("notes", BT_NOTFOUND, "no run 'notes'");
    refuse(at("notes"), BT_NOTFOUND, "not a run");
    refuse(at("nothing"), BT_NOTFOUND, "no such run");
    refuse("root", BT_NOTFOUND, "no run");
}

static void finds_refuse_odd_names(void **state)
{
    (void)state;
    put("x/status.json", "{}");
    refuse("", BT_INVALID, "empty");
    refuse("../x", BT_INVALID, "..");
    refuse("..", BT_INVALID, "..");
    refuse("runs/../../x", BT_INVALID, "..");
    refuse("x/..", BT_INVALID, "..");
    refuse(".", BT_INVALID, "'.'");
    refuse(".x", BT_INVALID, "'.x'");
    refuse("x\n", BT_INVALID, "control characters");
    refuse("\x1b[2J", BT_INVALID, "control characters");
    refuse("x@", BT_INVALID, "@");
    refuse("x@-1", BT_INVALID, "'-1'");
    refuse("x@1e3", BT_INVALID, "'1e3'");
    refuse("x@newest", BT_INVALID, "best or last");
    refuse("@best", BT_INVALID, "empty");
}

/* ── checkpoints ── */

static void put_checkpoint(const char *run, int step, const char *weights, size_t told)
{
    char path[200], manifest[300];
    snprintf(path, sizeof path, "%s/checkpoints/step-%06d/model.safetensors", run, step);
    put(path, weights);
    snprintf(path, sizeof path, "%s/checkpoints/step-%06d/manifest.json", run, step);
    snprintf(manifest, sizeof manifest,
             "{\"files\":{\"model.safetensors\":{\"bytes\":%zu,\"sha256\":\"00\"}}}", told);
    put(path, manifest);
}

static void checkpoint_is(int64_t wish, int64_t expected)
{
    char *path, end[64];
    int64_t step = -9;
    struct bt_error err = {0};
    if (bt_run_checkpoint(at("r"), wish, &path, &step, &err) != BT_OK) fail_msg("%s", err.text);
    assert_int_equal(step, expected);
    snprintf(end, sizeof end, "r/checkpoints/step-%06d", (int)expected);
    assert_string_equal(path, at(end));
    free(path);
}

static void checkpoints(void **state)
{
    (void)state;
    char *path;
    int64_t step, *steps;
    size_t n;
    struct bt_error err = {0};
    put("r/status.json", "{}");
    assert_int_equal(bt_run_checkpoint(at("r"), BT_STEP_NONE, &path, &step, &err), BT_NOTFOUND);
    assert_null(path);
    put_checkpoint("r", 100, "12345", 5);
    put_checkpoint("r", 200, "1234", 5); /* cut short */
    put_checkpoint("r", 300, "12345", 5);
    put_checkpoint("r", 400, "12345", 5);
    put("r/checkpoints/step-000500/model.safetensors", "no manifest yet");
    put("r/checkpoints/step-000600.tmp/manifest.json", "{}");
    checkpoint_is(BT_STEP_NONE, 400);
    assert_int_equal(symlink("checkpoints/step-000100", at("r/best")), 0);
    assert_int_equal(symlink("checkpoints/step-000300", at("r/last")), 0);
    checkpoint_is(BT_STEP_NONE, 100);
    checkpoint_is(BT_STEP_BEST, 100);
    checkpoint_is(BT_STEP_LAST, 300);
    checkpoint_is(400, 400);
    assert_int_equal(bt_run_checkpoint(at("r"), 200, &path, &step, &err), BT_NOTFOUND);
    expect_text(err.text, "step 200: there are 100, 300, 400");
    assert_int_equal(bt_run_checkpoint(at("r"), 500, &path, &step, &err), BT_NOTFOUND);
    assert_int_equal(bt_run_checkpoints(at("r"), &steps, &n, NULL), BT_OK);
    assert_int_equal(n, 3);
    assert_true(steps[0] == 100 && steps[1] == 300 && steps[2] == 400);
    free(steps);
    put("r/checkpoints/step-000100/manifest.json", "{\"files\":{\"../x\":{\"bytes\":1}}}");
    checkpoint_is(BT_STEP_BEST, 300); /* the best is damaged: the last */
    put("r/checkpoints/step-000300/model.safetensors", "");
    checkpoint_is(BT_STEP_BEST, 400); /* the last too: the newest */
}

/* ── steering ── */

static char *text_of(const char *path)
{
    char *text;
    size_t n;
    struct bt_error err = {0};
    if (bt_file_read(at(path), 1 << 20, &text, &n, &err) != BT_OK) fail_msg("%s", err.text);
    return text;
}

static void steer_fails(const char *run, const char *command, const char *part)
{
    struct bt_error err = {0};
    assert_int_equal(bt_run_control(at(run), command, &err), BT_INVALID);
    expect_text(err.text, part);
}

static void steering(void **state)
{
    (void)state;
    struct engine e = here();
    static const char *const fine[] = {"stop",       "pause", "resume",
                                       "checkpoint", "eval",  "set learning_rate=1e-5"};
    put_status("r", "training", &e);
    put("r/control", "old\n");
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_int_equal(bt_run_control(at("r"), fine[i], NULL), BT_OK);
    char *text = text_of("r/control");
    assert_string_equal(text, "old\nstop\npause\nresume\ncheckpoint\neval\nset learning_rate=1e-5\n");
    free(text);
    steer_fails("r", "", "no command");
    steer_fails("r", "halt", "halt");
    steer_fails("r", "stop now", "now");
    steer_fails("r", "stop\npause", "one line");
    steer_fails("r", "set learning_rate=fast", "learning_rate");
    steer_fails("r", "set train.seed=3", "learning_rate");
    e.start++;
    put_status("r", "training", &e);
    steer_fails("r", "stop", "r: the run is lost");
    put("k/events.out.tfevents.1.x", "");
    steer_fails("k", "stop", "unknown");
    assert_int_equal(bt_run_control(at("none"), "stop", NULL), BT_NOTFOUND);
}

static void steering_follows_no_link(void **state)
{
    (void)state;
    struct engine e = here();
    put_status("r", "training", &e);
    put("victim", "text\n");
    assert_int_equal(symlink(at("victim"), at("r/control")), 0);
    assert_int_equal(bt_run_control(at("r"), "stop", NULL), BT_IO);
    char *text = text_of("victim");
    assert_string_equal(text, "text\n");
    free(text);
    assert_int_equal(remove(at("r/control")), 0);
    assert_int_equal(mkfifo(at("r/control"), 0600), 0);
    assert_int_not_equal(bt_run_control(at("r"), "stop", NULL), BT_OK); /* and does not wait */
}

/* ── deletion ── */

static void removal(void **state)
{
    (void)state;
    struct bt_error err = {0};
    put("keep/precious", "text");
    put("r/status.json", "{\"state\":\"finished\"}");
    put("r/status.json.0123456789abcdef.tmp", "");
    put("r/events.out.tfevents.1.host.2", "");
    put("r/log.txt", "");
    put_checkpoint("r", 100, "12345", 5);
    put("r/predictions/test-step-000100.jsonl", "");
    assert_int_equal(symlink("checkpoints/step-000100", at("r/best")), 0);
    assert_int_equal(symlink(at("keep"), at("r/checkpoints/step-000200")), 0);
    assert_int_equal(symlink(at("keep"), at("r/dynamics")), 0);
    assert_int_equal(symlink(at("keep"), at("r/last")), 0);
    put("r/notes.txt", "mine");
    assert_int_equal(bt_run_remove(at("r"), &err), BT_INVALID);
    expect_text(err.text, "notes.txt");
    assert_true(bt_path_exists(at("r/checkpoints/step-000100/manifest.json")));
    assert_int_equal(remove(at("r/notes.txt")), 0);
    if (bt_run_remove(at("r"), &err) != BT_OK) fail_msg("%s", err.text);
    assert_false(bt_path_exists(at("r")));
    assert_true(bt_path_exists(at("keep/precious")));
}

static void removal_refused(void **state)
{
    (void)state;
    struct engine e = here();
    struct bt_error err = {0};
    put_status("alive", "paused", &e);
    assert_int_equal(bt_run_remove(at("alive"), &err), BT_BUSY);
    assert_true(bt_path_exists(at("alive/status.json")));
    put("keras/events.out.tfevents.1.x", "");
    assert_int_equal(bt_run_remove(at("keras"), &err), BT_INVALID);
    put("folder/text", "");
    assert_int_equal(bt_run_remove(at("folder"), &err), BT_INVALID);
    assert_true(bt_path_exists(at("folder/text")) && bt_path_exists(at("keras/events.out.tfevents.1.x")));
    put("r/status.json", "{\"state\":\"finished\"}");
    assert_int_equal(symlink("r", at("link")), 0);
    assert_int_equal(bt_run_remove(at("link"), &err), BT_INVALID);
    assert_true(bt_path_exists(at("r/status.json")));
    assert_int_equal(bt_run_remove(at("none"), &err), BT_NOTFOUND);
    put("r/control", "");
    int control = open(at("r/control"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(control, LOCK_EX), 0); /* an engine that has not written its status yet */
    assert_int_equal(bt_run_remove(at("r"), &err), BT_BUSY);
    close(control);
    assert_int_equal(bt_run_remove(at("r"), &err), BT_OK);
}

/* ── logs ── */

static void log_is(int64_t *offset, size_t max, const char *expected, int64_t after)
{
    struct bt_str out = {0};
    struct bt_error err = {0};
    if (bt_run_log(at("r"), offset, max, &out, &err) != BT_OK) fail_msg("%s", err.text);
    assert_string_equal(bt_str_text(&out), expected);
    assert_int_equal(*offset, after);
    bt_str_free(&out);
}

static void logs(void **state)
{
    (void)state;
    int64_t offset = -1;
    struct bt_str out = {0};
    assert_int_equal(bt_run_log(at("r"), &offset, 100, &out, NULL), BT_NOTFOUND);
    put("r/status.json", "{}");
    log_is(&offset, 100, "", 0);
    put("r/log.txt", "one\ntwo\nthr");
    offset = -1;
    log_is(&offset, 100, "one\ntwo\n", 8);
    log_is(&offset, 100, "", 8);
    put("r/log.txt", "one\ntwo\nthree\nfour\n");
    log_is(&offset, 100, "three\nfour\n", 19);
    offset = -1;
    log_is(&offset, 8, "four\n", 19); /* "ee" of the line before was not whole */
    offset = -1;
    log_is(&offset, 11, "three\nfour\n", 19);
    offset = 0;
    log_is(&offset, 9, "one\ntwo\n", 8); /* piece by piece */
    log_is(&offset, 9, "three\n", 14);
    put("r/log.txt", "new\n"); /* shorter than where we were */
    log_is(&offset, 100, "new\n", 4);
    put("r/log.txt", "a line without an end");
    offset = 0;
    log_is(&offset, 6, "a line", 6);
    assert_int_equal(remove(at("r/log.txt")), 0);
    assert_int_equal(mkfifo(at("r/log.txt"), 0600), 0);
    assert_int_equal(bt_run_log(at("r"), &offset, 100, &out, NULL), BT_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_is_read),
        TEST(status_of_strange_files),
        TEST(living_and_lost),
        TEST(another_host),
        TEST(zombie_is_lost),
        TEST(lists),
        TEST(lists_reuse),
        TEST(lists_notice_deaths),
        TEST(stalled_engines),
        TEST(newer_formats),
        TEST(finds),
        TEST(finds_refuse_odd_names),
        TEST(checkpoints),
        TEST(steering),
        TEST(steering_follows_no_link),
        TEST(removal),
        TEST(removal_refused),
        TEST(logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
