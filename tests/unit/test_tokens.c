/* Texts made into tokens on several threads: the same as on one, and in order. */
#include "batch/features.h"
#include "batch/in_order.h"

#include <bertty/file.h>
#include <bertty/text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXTS = 5000, MOST = 24 };

struct fixture {
    struct bt_tokenizer *t;
    char text[TEXTS][MOST];
    struct bt__text line[TEXTS];
};

static int make(void **state)
{
    static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\n##b\nab\n,\n";
    char dir[] = "/tmp/bertty-tokens-XXXXXX", path[64];
    struct fixture *f = calloc(1, sizeof *f);
    uint32_t seed = 1;
    if (!f || !mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/vocab.txt", dir);
    if (bt_file_replace(path, vocab, sizeof vocab - 1, NULL) || bt_tokenizer_load(dir, NULL, &f->t, NULL))
        return -1;
    unlink(path);
    rmdir(dir);
    for (int i = 0; i < TEXTS; i++) {
        size_t n = (size_t)i % (MOST - 1);
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            f->text[i][k] = "ab ab,c "[seed >> 29];
        }
        if (i % 5 ==
            0) { /* of other pages of the table of characters, which two threads may ask for at once */
            n = bt_utf8_encode(i % 3 ? 0x100 + 0x80 * (i % 150) : 0x4e00 + i, f->text[i]);
        }
        f->line[i] = (struct bt__text){.text = f->text[i], .text_n = n};
    }
    *state = f;
    return 0;
}

static int release(void **state)
{
    struct fixture *f = *state;
    bt_tokenizer_free(f->t);
    free(f);
    return 0;
}

static void features(void **state)
{
    struct fixture *f = *state;
    const struct bt__features_options opt = {.max_length = 8, .truncation = BT__SLIDING, .overlap = 2};
    struct bt__features first = {.n = 0};
    for (int threads = 1; threads <= 3; threads++) {
        struct bt__features x;
        struct bt__pool *pool;
        assert_int_equal(bt__pool_create(threads, &pool, NULL), BT_OK);
        assert_int_equal(bt__features_build(&x, f->t, f->line, TEXTS, &opt, pool, NULL), BT_OK);
        bt__pool_free(pool);
        if (threads == 1) {
            first = x;
            continue;
        }
        assert_int_equal(x.n, first.n);
        assert_int_equal(x.unknown, first.unknown);
        assert_memory_equal(x.start, first.start, (x.n + 1) * sizeof *x.start);
        assert_memory_equal(x.ids, first.ids, x.start[x.n] * sizeof *x.ids);
        assert_memory_equal(x.example, first.example, x.n * sizeof *x.example);
        bt__features_free(&x);
    }
    assert_true(first.n > TEXTS && first.unknown > 0);
    bt__features_free(&first);
}

struct taker {
    struct fixture *f;
    struct bt_encoding own;
    size_t taken, stop;
    bool wrong;
};

static const char *text_of(void *ctx, size_t i, size_t *n)
{
    const struct taker *k = ctx;
    *n = k->f->line[i].text_n;
    return k->f->text[i];
}

static enum bt_status take(void *ctx, size_t i, const int32_t *ids, size_t n, struct bt_error *err)
{
    struct taker *k = ctx;
    if (i == k->stop) return bt_fail(err, BT_INVALID, "text %zu", i);
    bt_tokenizer_ids(k->f->t, k->f->text[i], k->f->line[i].text_n, &k->own, NULL);
    k->wrong |= i != k->taken++ || n != k->own.n || (n && memcmp(ids, k->own.ids, n * sizeof *ids) != 0);
    return BT_OK;
}

static void in_order(void **state)
{
    for (int threads = 1; threads <= 3; threads++) {
        for (size_t stop = 777; stop <= TEXTS; stop += TEXTS - 777) {
            struct taker k = {.f = *state, .stop = stop};
            struct bt__in_order o = {.ctx = &k, .text = text_of, .take = take};
            struct bt_error err = {0};
            struct bt__pool *pool;
            assert_int_equal(bt__pool_create(threads, &pool, NULL), BT_OK);
            enum bt_status st = bt__tokenize_in_order(k.f->t, &o, TEXTS, pool, &err);
            assert_int_equal(st, stop < TEXTS ? BT_INVALID : BT_OK);
            assert_string_equal(err.text, stop < TEXTS ? "text 777" : "");
            assert_int_equal(k.taken, stop);
            assert_false(k.wrong);
            bt_encoding_free(&k.own);
            bt__pool_free(pool);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features),
        cmocka_unit_test(in_order),
    };
    return cmocka_run_group_tests(tests, make, release);
}
