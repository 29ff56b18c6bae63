/* Starting an engine that outlives us: what it inherits, what it announces, and what systemd would do to it. */
#include "run/launch.h"
#include "run/logind.h"
#include "run/proc.h"
#include "tests/unit/folder.h"

#include <bertty/file.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_text(const char *path)
{
    char *text;
    size_t n;
    struct bt_error err = {0};
    if (bt_file_read(at(path), 1 << 20, &text, &n, &err) != BT_OK) fail_msg("%s", err.text);
    return text;
}

/* A shell script in the engine's place. $RUN is the run directory. */
static enum bt_status launch(const char *script, double patience, char **dir, struct bt_error *err)
{
    static const char *const sets[] = {"train.seed=1", "run.name=a b"};
    char text[2000];
    snprintf(text, sizeof text, "#!/bin/sh\nRUN=%s/runs/r\n%s\n", folder, script);
    put("engine", text);
    assert_int_equal(chmod(at("engine"), 0700), 0);
    struct bt_launch l = {.experiment = "-x.yaml",
                          .set = sets,
                          .n_set = 2,
                          .name = "r",
                          .runs_dir = at("runs"),
                          .program = at("engine")};
    return bt__launch(&l, patience, dir, err);
}

#define BEGIN "mkdir -p $RUN; echo $$ >$RUN/pid; "
#define SAY   "echo $RUN >&3; "

static void arguments_and_log(void **state)
{
    (void)state;
    char *dir = NULL;
    struct bt_error err = {0};
    if (launch(BEGIN "for a; do echo \"[$a]\" >>$RUN/args; done; echo out; echo err >&2; cat >$RUN/in; " SAY,
               20, &dir, &err) != BT_OK)
        fail_msg("%s", err.text);
    assert_string_equal(dir, at("runs/r"));
    free(dir);
    char *args = read_text("runs/r/args"), *in = read_text("runs/r/in"),
         *log = read_text("runs/r/launch.log"), expected[600];
    snprintf(expected, sizeof expected,
             "[train]\n[--announce=3]\n[--set=train.seed=1]\n[--set=run.name=a b]\n[--name=r]\n"
             "[--runs=%s]\n[--]\n[-x.yaml]\n",
             at("runs"));
    assert_string_equal(args, expected);
    assert_string_equal(in, "");
    assert_string_equal(log, "out\nerr\n");
    free(args);
    free(in);
    free(log);
}

static void inherits_nothing(void **state)
{
    (void)state;
    char *dir = NULL;
    struct bt_error err = {0};
    int leak = open("/etc/passwd", O_RDONLY), high = fcntl(leak, F_DUPFD, 20); /* without close-on-exec */
    assert_true(leak >= 0 && high >= 20);
    sigset_t usr, before;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr, &before);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, pipe_before;
    sigaction(SIGPIPE, &ignore, &pipe_before);
    enum bt_status status =
        launch(BEGIN "ls -l /proc/$$/fd >$RUN/fds; grep ^Sig /proc/self/status >$RUN/signals; "
                     "cut -d' ' -f4,5,6,7 /proc/$$/stat >$RUN/stat; " SAY,
               20, &dir, &err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGPIPE, &pipe_before, NULL);
    close(leak);
    close(high);
    if (status != BT_OK) fail_msg("%s", err.text);
    free(dir);
    char *fds = read_text("runs/r/fds"), *signals = read_text("runs/r/signals"),
         *stat = read_text("runs/r/stat");
    assert_null(strstr(fds, "passwd"));
    expect_text(signals, "SigBlk:\t0000000000000000");
    const char *ignored = strstr(signals, "SigIgn:");
    const unsigned long long c_library = 3ull
                                         << 31; /* signals 32 and 33 are its own: nobody else can set them */
    assert_non_null(ignored);
    assert_true((strtoull(ignored + strlen("SigIgn:"), NULL, 16) & ~c_library) == 0);
    int parent, group, session, tty;
    assert_int_equal(sscanf(stat, "%d %d %d %d", &parent, &group, &session, &tty), 4);
    assert_int_not_equal(parent, getpid());
    assert_int_not_equal(session, getsid(0));
    assert_int_equal(tty, 0);
    free(fds);
    free(signals);
    free(stat);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child of ours is left */
}

static void failures(void **state)
{
    (void)state;
    char *dir = NULL;
    struct bt_error err = {0};
    assert_int_equal(launch("echo '!x.yaml: line 3: no such option' >&3", 20, &dir, &err), BT_INVALID);
    assert_string_equal(err.text, "x.yaml: line 3: no such option");
    assert_int_equal(launch("echo first; echo 'out of luck' >&2; exit 3", 20, &dir, &err), BT_IO);
    expect_text(err.text, "ended before it had a run directory: out of luck");
    assert_int_equal(launch("echo nonsense >&3", 20, &dir, &err), BT_INVALID);
    expect_text(err.text, "nonsense");
    struct bt_launch l = {.experiment = "x", .runs_dir = at("runs"), .program = at("missing")};
    assert_int_equal(bt__launch(&l, 20, &dir, &err), BT_IO);
    expect_text(err.text, "missing: cannot be started: No such file");
    l.experiment = NULL;
    assert_int_equal(bt__launch(&l, 20, &dir, &err), BT_INVALID);
    assert_null(dir);
}

static void silence(void **state)
{
    (void)state;
    char *dir = NULL;
    struct bt_error err = {0};
    /* only exec in the shell's place: the one that is told to end is then the one that sleeps */
    assert_int_equal(launch(BEGIN "exec sleep 60", 0.3, &dir, &err), BT_IO);
    expect_text(err.text, "no run directory within");
    char *text = read_text("runs/r/pid");
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    free(text);
    assert_true(pid > 0);
    for (int i = 0; i < 500 && bt__proc_start(pid); i++) usleep(10000);
    assert_int_equal(bt__proc_start(pid), 0);
}

static void resumes(void **state)
{
    (void)state;
    char *dir = NULL;
    struct bt_error err = {0};
    put("runs/r/launch.log", "before\n");
    put("engine", "#!/bin/sh\necho \"$@\"\ncd \"${0%/*}\"; echo $PWD/runs/r >&3\n");
    assert_int_equal(chmod(at("engine"), 0700), 0);
    struct bt_launch l = {.resume = at("runs/r"), .force = true, .program = at("engine")};
    if (bt__launch(&l, 20, &dir, &err) != BT_OK) fail_msg("%s", err.text);
    free(dir);
    char *log = read_text("runs/r/launch.log"), expected[400];
    snprintf(expected, sizeof expected, "before\ntrain --announce=3 --force --resume=%s --\n", at("runs/r"));
    assert_string_equal(log, expected);
    free(log);
    char checkpoint[400];
    snprintf(checkpoint, sizeof checkpoint, "%s@400", at("runs/r"));
    l.resume = checkpoint;
    assert_int_equal(bt__launch(&l, 20, &dir, &err), BT_OK);
    free(dir);
    log = read_text("runs/r/launch.log");
    expect_text(log, "/runs/r@400 --\n");
    free(log);
}

static void logout(void **state)
{
    (void)state;
    put("etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=no\n");
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_SAFE); /* no systemd */
    put("run/systemd/system/x", "");
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_SAFE);
    put("etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n"); /* compiled in */
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_KILLS);
    put("etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\nKillUserProcesses=no\n");
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_SAFE);
    put("etc/systemd/logind.conf.d/10-kill.conf", "[Login]\nKillUserProcesses=yes\n");
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_KILLS);
    assert_int_equal(bt__logout_plan(folder, NULL, NULL, "ann"),
                     BT__LOGOUT_SAFE); /* from cron, a container */
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "root"), BT__LOGOUT_SAFE);
    put("run/user/7/bus", "");
    put("usr/bin/systemd-run", "");
    assert_int_equal(bt__logout_plan(folder, "3", "/run/user/7", "ann"), BT__LOGOUT_KILLS);
    put("var/lib/systemd/linger/ann", "");
    assert_int_equal(bt__logout_plan(folder, "3", "/run/user/7", "ann"), BT__LOGOUT_SCOPE);
    assert_int_equal(bt__logout_plan(folder, "3", NULL, "ann"), BT__LOGOUT_KILLS);
}

/* systemd-run in its place: it tells how it was called, and becomes what it was to start; or it fails. */
static char *logged(enum bt__logout plan, const char *systemd_run)
{
    static const char *const engine =
        "#!/bin/sh\nRUN=%s/runs/r\nmkdir -p $RUN; : >$RUN/log.txt; echo engine $1\necho $RUN >&3\n";
    char text[2000], path[4200], *dir = NULL;
    struct bt_error err = {0};
    snprintf(path, sizeof path, "%s:%s", at("bin"), getenv("PATH"));
    snprintf(text, sizeof text, engine, folder);
    put("engine", text);
    put("bin/systemd-run", systemd_run);
    assert_int_equal(chmod(at("engine"), 0700) | chmod(at("bin/systemd-run"), 0700), 0);
    char *before = bt_strdup(getenv("PATH"));
    setenv("PATH", path, 1);
    struct bt_launch l = {.experiment = "x.yaml", .runs_dir = at("runs"), .program = at("engine")};
    enum bt_status st = bt__launch_planned(&l, plan, 20, &dir, &err);
    setenv("PATH", before, 1);
    free(before);
    free(dir);
    if (st != BT_OK) fail_msg("%s", err.text);
    return read_text("runs/r/launch.log");
}

/* Where a logout would end it: in a scope of its own, or with a warning in the run's log. */
static void logout_is_survived_or_told(void **state)
{
    (void)state;
    static const char works[] =
        "#!/bin/sh\necho scope $*; while [ $1 != -- ]; do shift; done; shift; exec \"$@\"\n";
    static const char fails[] = "#!/bin/sh\necho no manager here >&2; exit 1\n";
    static const char warning[] = "warning: systemd ends a user's processes at logout here";
    char *out = logged(BT__LOGOUT_SCOPE, works), *log = read_text("runs/r/log.txt");
    expect_text(out, "scope --user --scope --quiet --collect -- /");
    expect_text(out, "\nengine train\n");
    assert_null(strstr(log, "warning"));
    free(out);
    free(log);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(remove(at("runs/r/launch.log")), 0);
        out = logged(i ? BT__LOGOUT_SCOPE : BT__LOGOUT_KILLS, fails);
        log = read_text("runs/r/log.txt");
        assert_string_equal(out, "engine train\n");
        expect_text(log, warning);
        free(out);
        free(log);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_and_log),
        TEST(inherits_nothing),
        TEST(failures),
        TEST(silence),
        TEST(resumes),
        TEST(logout),
        TEST(logout_is_survived_or_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
