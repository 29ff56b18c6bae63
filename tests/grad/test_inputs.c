/* The gradient to the word vectors that a pass reads, for every head, against finite differences; and that nothing else is computed for it. */
#include "math/gemm.h"
#include "model/pass_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 40, HIDDEN = 32, LABELS = 3, SEQS = 4, LONGEST = 12, DIRECTIONS = 6 };

/* Relative, with a floor for derivatives that vanish. */
static const double tolerance = 1e-2, smallest = 1e-3;

/* What the gradient is of. */
enum number { LOGITS, WORD, ODDS };

struct variant {
    enum bt__head head;
    bool all; /* every token is read, else the first of each sequence */
    enum number number;
    struct bt__lora lora;
};

struct fixture {
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *p;
    struct bt__batch b;
    float x[SEQS * LONGEST * HIDDEN], dlogits[SEQS * LONGEST * LABELS];
    int32_t target[SEQS * LONGEST];
    enum number number;
};

static void fill(struct fixture *f, bool all)
{
    struct bt_error err;
    struct bt__rng r = bt__rng_key(3, 99, 0);
    uint8_t types[LONGEST], reads[LONGEST];
    int32_t ids[LONGEST];
    memset(reads, 1, sizeof reads);
    assert_int_equal(bt__batch_reserve(&f->b, SEQS, SEQS * LONGEST, SEQS * LONGEST, &err), BT_OK);
    for (int i = 0; i < SEQS; i++) {
        const int n = 3 + (i * 5) % 9;
        for (int j = 0; j < n; j++) {
            ids[j] = (int32_t)(bt__rng_u32(r, (uint32_t)(i * 100 + j)) % VOCAB);
            types[j] = j > n / 2;
        }
        assert_int_equal(bt__batch_add(&f->b, ids, types, n, all ? reads : NULL, i, &err), BT_OK);
    }
    bt__batch_plan(&f->b);
    for (int i = 0; i < f->b.rows.n * HIDDEN; i++)
        f->x[i] = (float)bt__rng_uniform(r, 5000u + (uint32_t)i) - 0.5f;
    for (int i = 0; i < SEQS * LONGEST * LABELS; i++) f->dlogits[i] = (float)((i * 7) % 5) - 2.0f;
    for (int i = 0; i < SEQS * LONGEST; i++) f->target[i] = i == 1 ? -1 : (i * 13 + 5) % VOCAB;
}

static struct fixture *make(const struct variant *v)
{
    struct bt_error err;
    struct fixture *f = calloc(1, sizeof *f);
    const struct bt__model_config c = {.vocab_size = VOCAB,
                                       .hidden_size = HIDDEN,
                                       .num_hidden_layers = 2,
                                       .num_attention_heads = 4,
                                       .intermediate_size = 48,
                                       .max_position_embeddings = 32,
                                       .type_vocab_size = 2,
                                       .layer_norm_eps = 1e-12f,
                                       .initializer_range = 0.25f,
                                       .lora = v->lora};
    const bool lm = v->head == BT__HEAD_MLM;
    const struct bt__head_spec head = {
        .kind = v->head, .name = lm ? "cls.predictions" : "classifier", .outputs = lm ? VOCAB : LABELS};
    assert_non_null(f);
    f->number = v->number;
    assert_int_equal(bt__gemm_init(&err), BT_OK);
    assert_int_equal(bt__pool_create(2, &f->pool, &err), BT_OK);
    assert_int_equal(bt__model_create(&c, &head, &f->m, &err), BT_OK);
    bt__model_init(f->m, 7, NULL);
    for (size_t i = 0; i < f->m->params.n; i++) { /* a B of zeros would hide an adapter */
        const struct bt__param *q = &f->m->params.item[i];
        for (size_t j = 0; q->adapter && j < q->count; j++) f->m->w[q->offset + j] += 0.1f * (float)(j % 3);
    }
    fill(f, v->all);
    const struct bt__pass_limits limits = {.seqs = SEQS,
                                           .rows = f->b.rows.n,
                                           .longest = f->b.longest,
                                           .pairs = f->b.pair[SEQS],
                                           .reads = f->b.reads.n,
                                           .read_pairs = f->b.read_pair[SEQS],
                                           .train = true,
                                           .inputs = true};
    assert_int_equal(bt__pass_create(f->m, f->pool, &limits, &f->p, &err), BT_OK);
    return f;
}

static void drop(struct fixture *f)
{
    bt__pass_free(f->p);
    bt__model_free(f->m);
    bt__batch_free(&f->b);
    bt__pool_free(f->pool);
    free(f);
}

/* F for word vectors x. */
static double number_of(struct fixture *f, const float *x)
{
    double sum = 0.0, loss[SEQS * LONGEST];
    bt__pass_use_words(f->p, x);
    const float *logits = bt__pass_forward(f->p, &f->b);
    const int n = bt__pass_logit_rows(f->m, &f->b)->n;
    for (int i = 0; f->number == LOGITS && i < n * LABELS; i++)
        sum += (double)f->dlogits[i] * (double)logits[i];
    if (f->number == ODDS) bt__pass_lm_loss(f->p, &f->b, f->target, 0.0, loss, NULL);
    for (int r = 0; f->number != LOGITS && r < f->b.reads.n; r++)
        if (f->target[r] >= 0)
            sum += f->number == WORD ? bt__pass_lm_logit(f->p, r, f->target[r]) : exp(-loss[r]);
    return sum;
}

static const float *gradient_of(struct fixture *f)
{
    if (f->number == LOGITS) return bt__pass_input_gradient(f->p, &f->b, f->dlogits);
    return bt__pass_lm_input_gradient(f->p, &f->b, f->target, f->number == ODDS);
}

/* Along a direction of signs: central differences with Richardson's extrapolation. */
static double difference(struct fixture *f, const float *sign, double step)
{
    static float moved[SEQS * LONGEST * HIDDEN];
    double value[2];
    const int n = f->b.rows.n * HIDDEN;
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < n; i++) moved[i] = f->x[i] + (float)(side ? step : -step) * sign[i];
        value[side] = number_of(f, moved);
    }
    return (value[1] - value[0]) / (2.0 * step);
}

static void check(const struct variant *v)
{
    struct fixture *f = make(v);
    static float sign[SEQS * LONGEST * HIDDEN], gradient[SEQS * LONGEST * HIDDEN];
    const int n = f->b.rows.n * HIDDEN;
    struct bt__rng r = bt__rng_key(11, 97, 0);
    number_of(f, f->x);
    memcpy(gradient, gradient_of(f), sizeof *gradient * (size_t)n);
    for (int k = 0; k < DIRECTIONS; k++) {
        double slope = 0.0;
        for (int i = 0; i < n; i++) { /* of one row, but in the first direction of all */
            const bool moves = k == 0 || i / HIDDEN == (k * 5) % f->b.rows.n;
            sign[i] = !moves ? 0.0f : bt__rng_u32(r, (uint32_t)(k * n + i)) % 2 ? 1.0f : -1.0f;
            slope += (double)gradient[i] * (double)sign[i];
        }
        const double h = 4e-3, close = difference(f, sign, h), wide = difference(f, sign, 2.0 * h),
                     expected = (4.0 * close - wide) / 3.0;
        const double off = fabs(slope - expected),
                     size = fmax(fmax(fabs(slope), fabs(expected)), smallest / tolerance);
        if (!(off <= tolerance * size))
            fail_msg("head %d, direction %d: gradient %g, difference %g", (int)v->head, k, slope, expected);
    }
    assert_int_equal(f->p->word_cap, 0);
    assert_int_equal(f->p->grad.dense_begin, f->p->grad.dense_end); /* no room for a parameter's gradient */
    drop(f);
}

static void every_head(void **state)
{
    (void)state;
    check(&(struct variant){.head = BT__HEAD_POOLED});
    check(&(struct variant){.head = BT__HEAD_POOLED, .all = true});
    check(&(struct variant){.head = BT__HEAD_MEAN, .all = true});
    check(&(struct variant){.head = BT__HEAD_TOKENS, .all = true});
    check(&(struct variant){.head = BT__HEAD_MLM, .all = true, .number = WORD});
    check(&(struct variant){.head = BT__HEAD_MLM, .all = true, .number = ODDS});
    check(&(struct variant){.head = BT__HEAD_MLM, .number = ODDS});
}

static void with_adapters(void **state)
{
    (void)state;
    const struct bt__lora lora = {.r = 4, .alpha = 8.0f, .targets = (1u << BT__LORA_KINDS) - 1};
    check(&(struct variant){.head = BT__HEAD_POOLED, .lora = lora});
}

/* Without vectors of the caller's the embeddings of the ids are read; with those very vectors the answer has the same bits. */
static void same_as_embeddings(void **state)
{
    (void)state;
    struct fixture *f = make(&(struct variant){.head = BT__HEAD_TOKENS, .all = true});
    static float words[SEQS * LONGEST * HIDDEN], first[SEQS * LONGEST * LABELS];
    const size_t n = (size_t)f->b.reads.n * LABELS * sizeof *first;
    for (int r = 0; r < f->b.rows.n; r++)
        memcpy(words + r * HIDDEN, f->m->w + f->m->word + f->b.ids[r] * HIDDEN, sizeof(float) * HIDDEN);
    memcpy(first, bt__pass_forward(f->p, &f->b), n);
    bt__pass_use_words(f->p, words);
    assert_memory_equal(bt__pass_forward(f->p, &f->b), first, n);
    bt__pass_use_words(f->p, f->x);
    assert_memory_not_equal(bt__pass_forward(f->p, &f->b), first, n);
    bt__pass_use_words(f->p, NULL);
    assert_memory_equal(bt__pass_forward(f->p, &f->b), first, n);
    drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_head), cmocka_unit_test(with_adapters),
                                       cmocka_unit_test(same_as_embeddings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
