/* Engines that the kernel has killed for lack of memory: counted, and told. */
#include "run/alive.h"
#include "tests/unit/folder.h"

#include <unistd.h>

static void put_groups(int inner, int outer)
{
    char text[100];
    if (inner >= 0) {
        snprintf(text, sizeof text, "low 9\noom 5\noom_kill %d\noom_group_kill 7\n", inner);
        put("root/sys/fs/cgroup/user/run.scope/memory.events", text);
    }
    snprintf(text, sizeof text, "oom_kill_disable 0\nunder_oom 0\noom_kill %d\n", outer);
    put("root/sys/fs/cgroup/memory/user/memory.oom_control", text);
}

/* Kills for lack of memory are counted from the engine's beginning, also where its group has gone since. */
static void kills_for_memory(void **state)
{
    (void)state;
    struct bt__kills k;
    char root[400];
    snprintf(root, sizeof root, "%s", at("root"));
    put("root/proc/self/cgroup", "9:name=systemd:/x\n0::/user/run.scope\n");
    put_groups(3, 40);
    bt__kills_now(root, &k);
    assert_string_equal(k.group, "/user/run.scope");
    assert_int_equal(k.n, 3);
    assert_true(k.count[0] == 3 && k.count[1] == 40 && k.count[2] == -1);
    assert_int_equal(bt__kills_since(root, &k), 0);
    put_groups(5, 47);
    assert_int_equal(bt__kills_since(root, &k), 2);
    assert_int_equal(remove(at("root/sys/fs/cgroup/user/run.scope/memory.events")), 0);
    assert_int_equal(bt__kills_since(root, &k), 7);
    put("root/sys/fs/evil/memory.events", "oom_kill 1000\n");
    snprintf(k.group, sizeof k.group, "/../evil");
    assert_int_equal(bt__kills_since(root, &k), 0);
    put("root/proc/self/cgroup", "4:memory:/user\n0::/\n");
    bt__kills_now(root, &k);
    assert_string_equal(k.group, "/user");
    assert_int_equal(k.count[0], 47);
    bt__kills_now(at("nothing"), &k);
    assert_int_equal(k.n, 0);
}

static void expect_why(const char *root, const struct bt__kills *k, pid_t pid, const char *why)
{
    struct bt__here h;
    bt__here_init(&h);
    h.root = root;
    struct bt__engine e = {.pid = pid, .start = 1, .updated = h.now, .kills = k};
    char *text = bt__engine_lost(&h, &e);
    bt__here_free(&h);
    assert_non_null(text);
    expect_text(text, why);
    free(text);
}

/* Why an engine is gone: by the kernel's log where it may be read, else by its control group's count. */
static void killed_for_memory_is_told(void **state)
{
    (void)state;
    struct bt__kills k;
    char root[400];
    snprintf(root, sizeof root, "%s", at("root"));
    put("root/proc/self/cgroup", "0::/user/run.scope\n");
    put_groups(3, 40);
    bt__kills_now(root, &k);
    expect_why(root, &k, getpid(), "is gone without a last word");
    put_groups(4, 40);
    expect_why(root, &k, getpid(), "killed, likely out of memory");
    expect_why(root, NULL, getpid(), "is gone without a last word");
    char line[200];
    snprintf(line, sizeof line, "3,1,2,-;Out of memory: Killed process %d (bertty) total-vm:1kB\n", getpid());
    put("root/dev/kmsg", line);
    expect_why(root, &k, getpid(), "killed, out of memory, as the kernel's log says");
    expect_why(root, &k, getpid() + 1, "killed, likely out of memory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(kills_for_memory), TEST(killed_for_memory_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
