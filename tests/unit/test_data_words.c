/* What the Data view says about word pieces: where a text is cut, and how long texts are. */
#include "batch/features.h"
#include "tui/views/data_words.h"

#include <bertty/experiment.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The view's cut is the trainer's, whatever the lengths. */
static void cuts_as_the_trainer(void **unused)
{
    static const int how[] = {BT_TRUNCATION_LONGEST_FIRST, BT_TRUNCATION_ONLY_FIRST,
                              BT_TRUNCATION_ONLY_SECOND, BT_TRUNCATION_HEAD_TAIL};
    static const enum bt__truncation trainer[] = {BT__LONGEST_FIRST, BT__ONLY_FIRST, BT__ONLY_SECOND,
                                                  BT__HEAD_TAIL};
    (void)unused; /* head_tail is for single texts: the longest of a pair first */
    for (size_t k = 0; k < 4; k++)
        for (size_t a = 0; a < 30; a++)
            for (size_t b = 0; b < 30; b++)
                for (int pair = b > 0; pair < 2; pair++) {
                    struct data_words w = {.max_length = 16, .truncation = how[k]};
                    struct data_cut cut;
                    size_t first = a, second = b;
                    data_cut(&w, a, b, pair, &cut);
                    bt__truncate(&first, &second, pair ? 13 : 14,
                                 k == 3 && pair ? BT__LONGEST_FIRST : trainer[k]);
                    assert_int_equal(cut.kept, first);
                    assert_int_equal(cut.pair_kept, second);
                    assert_int_equal(cut.special, pair ? 3 : 2);
                    bool tail = k == 3 && a > 14 && !pair;
                    assert_int_equal(cut.tail, tail ? bt__truncate_tail(first, trainer[k]) : 0);
                }
}

/* Windows see all of a single text; of 510 pieces head and tail are those of Sun et al. */
static void windows_and_tails(void **unused)
{
    struct data_words w = {.max_length = 16, .truncation = BT_TRUNCATION_SLIDING_WINDOW};
    struct data_cut cut;
    (void)unused;
    data_cut(&w, 100, 0, false, &cut);
    assert_int_equal(cut.kept, 100);
    data_cut(&w, 100, 20, true, &cut);
    assert_int_equal(cut.kept + cut.pair_kept + cut.special, 16);
    assert_int_equal(bt__truncate_tail(510, BT__HEAD_TAIL), 382);
    assert_int_equal(bt__truncate_tail(510, BT__LONGEST_FIRST), 0);
}

static void cuts_nothing_without_a_limit(void **unused)
{
    struct data_words w = {.max_length = 0};
    struct data_cut cut;
    (void)unused;
    data_cut(&w, 1000, 2000, true, &cut);
    assert_int_equal(cut.kept, 1000);
    assert_int_equal(cut.pair_kept, 2000);
}

static void histogram(void **unused)
{
    struct data_histogram h = {0};
    (void)unused;
    assert_int_equal(data_histogram_at(&h, 0.5), 0);
    for (size_t i = 1; i <= 1000; i++) assert_true(data_histogram_add(&h, i));
    assert_int_equal(h.n, 1000);
    assert_int_equal(h.min, 1);
    assert_int_equal(h.max, 1000);
    assert_int_equal(data_histogram_at(&h, 0.5), 500);
    assert_int_equal(data_histogram_at(&h, 0.9), 900);
    assert_int_equal(data_histogram_at(&h, 1), 1000);
    assert_int_equal(data_histogram_between(&h, 10, 20), 10);
    assert_int_equal(data_histogram_between(&h, 990, SIZE_MAX), 11);
    size_t width = data_histogram_width(&h, 12);
    assert_int_equal(width, 100);
    assert_true(data_histogram_add(&h, (size_t)1 << 40)); /* counted, not stored by its length */
    assert_int_equal(h.n, 1001);
    assert_int_equal(h.max, (size_t)1 << 40);
    assert_int_equal(data_histogram_between(&h, 1001, SIZE_MAX), 1);
    data_histogram_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_as_the_trainer),
        cmocka_unit_test(windows_and_tails),
        cmocka_unit_test(cuts_nothing_without_a_limit),
        cmocka_unit_test(histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
