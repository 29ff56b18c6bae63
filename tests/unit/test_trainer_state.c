/* trainer.json: metrics that are no numbers, and which evaluation is the best. */
#include "run/trainer_state.h"

#include <bertty/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void gain(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    assert_true(bt__metric_gain(0.5, 0.75, true) == 0.25);
    assert_true(bt__metric_gain(0.5, 0.75, false) == -0.25);
    assert_true(bt__metric_gain(nan, -1.0, true) > 0.0);
    assert_true(bt__metric_gain(nan, 1.0, false) > 0.0);
    assert_false(bt__metric_gain(0.5, nan, true) > 0.0);
    assert_false(bt__metric_gain(0.5, nan, false) > 0.0);
    assert_false(bt__metric_gain(nan, nan, true) > 0.0);
}

static void put(const char *path, const struct bt__trainer_state *s)
{
    struct bt_str text = {.len = 0};
    const struct bt__hashes none = {.n = 0};
    bt__trainer_state_write(&text, s, 10, "adamw", &none);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bt_str_text(&text), 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
    bt_str_free(&text);
}

static void nan_stays_nan(void **state)
{
    (void)state;
    char path[] = "/tmp/bertty-state-XXXXXX";
    struct bt_error err;
    struct bt_json *root;
    struct bt__trainer_state s, back;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    bt__trainer_state_begin(&s);
    s.step = 3;
    s.best = (struct bt__mark){.step = 2, .metrics.n = 2};
    s.best.metrics.item[0] = (struct bt_metric_value){.name = "pearson", .value = (double)NAN};
    s.best.metrics.item[1] = (struct bt_metric_value){.name = "mse", .value = 0.1};
    put(path, &s);
    if (bt__trainer_state_read(path, &back, &root, &err)) fail_msg("%s", err.text);
    bt_json_free(root);
    unlink(path);
    assert_int_equal(back.best.step, 2);
    assert_int_equal(back.best.metrics.n, 2);
    assert_true(isnan(back.best.metrics.item[0].value));
    assert_true(bt_metrics_get(&back.best.metrics, "mse") == 0.1);
    assert_int_equal(back.last.step, -1);
}

static void newer_format(void **state)
{
    (void)state;
    char path[] = "/tmp/bertty-state-XXXXXX";
    struct bt_error err;
    struct bt_json *root;
    struct bt__trainer_state back;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "{\"format\": 2, \"step\": 3}\n"), 25);
    close(fd);
    assert_int_equal(bt__trainer_state_read(path, &back, &root, &err), BT_INVALID);
    assert_null(root);
    assert_non_null(strstr(err.text, "format 2 of a newer bertty"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gain), cmocka_unit_test(nan_stays_nan),
                                       cmocka_unit_test(newer_format)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
