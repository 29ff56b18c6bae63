/* How much memory there is to be had, by /proc and /sys as different machines have them. */
#include "run/limits.h"
#include "tests/unit/folder.h"

static double memory(void)
{
    return bt__memory_below(at("root"));
}

static void put_available(const char *kib)
{
    char text[200];
    snprintf(text, sizeof text, "MemTotal:  99999999 kB\nMemFree:   1 kB\nMemAvailable:   %s kB\n", kib);
    put("root/proc/meminfo", text);
}

/* Available, and what this process has already. */
static void whole_machine(void **state)
{
    (void)state;
    put_available("2097152");
    assert_true(memory() >= 2048 && memory() < 3500);
    put("root/proc/self/cgroup", "0::/user/run.scope\n");
    put("root/sys/fs/cgroup/user/run.scope/memory.max", "max\n");
    assert_true(memory() >= 2048 && memory() < 3500);
    assert_true(bt__memory_mib() > 0);
}

/* The smallest limit of a group and those above it. */
static void limit_of_a_group(void **state)
{
    (void)state;
    put_available("2097152");
    put("root/proc/self/cgroup", "12:cpuset:/x\n0::/user/run.scope\n");
    put("root/sys/fs/cgroup/user/run.scope/memory.max", "536870912\n");
    assert_true(memory() == 512);
    put("root/sys/fs/cgroup/user/memory.max", "268435456\n");
    assert_true(memory() == 256);
    put("root/sys/fs/cgroup/memory.max", "134217728\n");
    assert_true(memory() == 128);
    put("root/proc/self/cgroup", "0::/\n");
    assert_true(memory() == 128);
    put_available("1");
    assert_true(memory() < 128);
}

static void limit_of_the_first_version(void **state)
{
    (void)state;
    put_available("2097152");
    put("root/proc/self/cgroup", "9:cpu,cpuacct:/y\n4:memory:/user\n0::/\n");
    put("root/sys/fs/cgroup/memory/user/memory.limit_in_bytes", "1073741824\n");
    put("root/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(memory() == 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_machine),
        TEST(limit_of_a_group),
        TEST(limit_of_the_first_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
