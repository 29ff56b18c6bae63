/* The order of examples in batches of so many tokens. */
#include "batch/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 300, BATCH = 8, MOST = 64 };

static struct bt__order order_of(const int *lengths, int n)
{
    return (struct bt__order){
        .seed = 5, .n = (size_t)n, .batch = BATCH, .group = true, .lengths = lengths, .max_tokens = MOST};
}

/* Whether each example is there once, and each batch within both limits. */
static void check_epoch(const int *lengths, const uint32_t *index, const uint32_t *start, size_t batches)
{
    int seen[N] = {0};
    assert_int_equal(start[0], 0);
    assert_int_equal(start[batches], N);
    for (size_t b = 0; b < batches; b++) {
        int tokens = 0;
        assert_in_range(start[b + 1] - start[b], 1, BATCH);
        for (uint32_t i = start[b]; i < start[b + 1]; i++) {
            seen[index[i]]++;
            tokens += lengths[index[i]];
        }
        assert_in_range(tokens, 3, MOST);
    }
    for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
}

static void as_many_in_every_epoch(void **state)
{
    (void)state;
    int lengths[N];
    uint32_t index[3][N], start[3][N + 1], again[N], places[N + 1];
    struct bt_error err;
    size_t batches;
    for (int i = 0; i < N; i++) lengths[i] = 3 + i * i * 13 % 62;
    const struct bt__order o = order_of(lengths, N);
    assert_int_equal(bt__order_batches(&o, &batches, &err), BT_OK);
    assert_in_range(batches, N / BATCH + 1, N - 1);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(bt__order_epoch(&o, epoch, index[epoch], start[epoch], &err), BT_OK);
        check_epoch(lengths, index[epoch], start[epoch], batches);
    }
    assert_memory_not_equal(index[0], index[1], sizeof index[0]);
    assert_int_equal(bt__order_epoch(&o, 2, again, places, &err), BT_OK);
    assert_memory_equal(again, index[2], sizeof again);
    assert_memory_equal(places, start[2], (batches + 1) * sizeof *places);
}

static void few(void **state)
{
    (void)state;
    const int lengths[] = {64, 1, 64};
    uint32_t index[3], start[4];
    struct bt_error err;
    size_t batches;
    for (int n = 0; n <= 3; n++) {
        const struct bt__order o = order_of(lengths, n);
        assert_int_equal(bt__order_batches(&o, &batches, &err), BT_OK);
        assert_int_equal(batches, n);
        assert_int_equal(bt__order_epoch(&o, 0, index, start, &err), BT_OK);
        assert_int_equal(start[batches], n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_many_in_every_epoch), cmocka_unit_test(few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
