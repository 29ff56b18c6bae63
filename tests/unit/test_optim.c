/* Each optimiser against its formula in double over whole matrices: the rows of the word embedding that a batch does not have, weight decay, rates of
 * layers and head, frozen parts; and its bits against the number of threads. */
#include "optim/optim.h"

#include "base/rng.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 61, H = 24, STEPS = 7, WORDS = 9 /* of a step */ };

static const double LR = 1e-2, DECAY = 0.1, SCALE = 0.7;
static struct bt_error err;

/* ── a model and its gradients ── */

struct fixture {
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__gradient g;
    int32_t slot[VOCAB], id[WORDS];
    float word[WORDS * H], *dense;
};

static void begin(struct fixture *f, int threads)
{
    struct bt__model_config c = {.vocab_size = VOCAB,
                                 .hidden_size = H,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 40,
                                 .max_position_embeddings = 16,
                                 .type_vocab_size = 2,
                                 .initializer_range = 0.3f};
    assert_int_equal(bt__pool_create(threads, &f->pool, &err), BT_OK);
    const struct bt__head_spec head = {.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 3};
    assert_int_equal(bt__model_create(&c, &head, &f->m, &err), BT_OK);
    bt__model_init(f->m, 5, NULL);
    f->dense = calloc(f->m->params.total, sizeof *f->dense);
    assert_non_null(f->dense);
    f->g = (struct bt__gradient){.dense_begin = f->m->position,
                                 .dense_end = f->m->params.total,
                                 .dense = f->dense,
                                 .word = f->word,
                                 .word_id = f->id,
                                 .slot = f->slot};
}

static void end(struct fixture *f)
{
    free(f->dense);
    bt__model_free(f->m);
    bt__pool_free(f->pool);
}

static float number(int step, size_t i)
{
    return (float)bt__rng_uniform(bt__rng_key(9, 96, (uint64_t)step), (uint32_t)i) - 0.5f;
}

/* Step's gradient: nine words, never one of the upper half; positions beyond 10 have none. */
static void draw(struct fixture *f, int step)
{
    size_t n = f->g.dense_end - f->g.dense_begin, beyond = f->m->position + 10 * H - f->g.dense_begin;
    for (size_t i = 0; i < n; i++) f->dense[i] = number(step, i);
    memset(f->dense + beyond, 0, sizeof *f->dense * 6 * H);
    for (int w = 0; w < VOCAB; w++) f->slot[w] = -1;
    f->g.n_words = WORDS;
    for (int i = 0; i < WORDS; i++) {
        f->id[i] = (i * 3 + step * 2) % (VOCAB / 2);
        f->slot[f->id[i]] = i;
    }
    for (size_t i = 0; i < WORDS * H; i++) f->word[i] = number(step + 100, i);
}

static double gradient(const struct fixture *f, size_t at)
{
    if (at >= f->g.dense_begin) return (double)f->dense[at - f->g.dense_begin];
    int32_t slot = f->slot[at / H];
    return slot < 0 ? 0.0 : (double)f->word[(size_t)slot * H + at % H];
}

/* ── the formulas ── */

struct reference {
    const struct bt__optim_settings *s;
    double *w, *a, *b; /* [params.total] weights and two states */
    double *g;         /* of one parameter, scaled */
};

static void adam(struct reference *r, const struct bt__param *p, double lr, double decay, int t)
{
    bool correct = r->s->kind == BT__OPTIM_ADAMW && r->s->correct_bias;
    double c1 = correct ? 1.0 - pow(r->s->beta1, t) : 1.0, c2 = correct ? 1.0 - pow(r->s->beta2, t) : 1.0;
    for (size_t i = 0; i < p->count; i++) {
        double *m = &r->a[p->offset + i], *v = &r->b[p->offset + i], *w = &r->w[p->offset + i];
        *m = r->s->beta1 * *m + (1.0 - r->s->beta1) * r->g[i];
        *v = r->s->beta2 * *v + (1.0 - r->s->beta2) * r->g[i] * r->g[i];
        *w -= lr * (*m / c1 / (sqrt(*v / c2) + r->s->epsilon) + decay * *w);
    }
}

static void sgd(struct reference *r, const struct bt__param *p, double lr, double decay, int t)
{
    for (size_t i = 0; i < p->count; i++) {
        double *m = &r->a[p->offset + i], *w = &r->w[p->offset + i], g = r->g[i] + decay * *w;
        *m = t == 1 ? g : r->s->momentum * *m + g;
        *w -= lr * *m;
    }
}

/* a: moments of the rows, or of a vector's elements; b: of the columns. */
static void adafactor(struct reference *r, const struct bt__param *p, double lr, double decay, int t)
{
    const int rows = p->rank == 2 ? p->rows : 1, cols = p->cols;
    double beta = 1.0 - pow(t, -0.8), mean = 0.0, sum = 0.0, *a = r->a + p->offset, *b = r->b + p->offset;
    double *u = calloc(p->count, sizeof *u);
    assert_non_null(u);
    for (int i = 0; i < rows; i++) a[i] *= p->rank == 2 ? beta : 1.0;
    for (int j = 0; j < cols; j++) b[j] *= beta;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            double square = r->g[i * cols + j] * r->g[i * cols + j] + 1e-30;
            if (p->rank == 2) a[i] += (1.0 - beta) * square / cols;
            b[j] += (1.0 - beta) * square / rows;
        }
    for (int i = 0; i < rows; i++) mean += a[i] / rows;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            double v = p->rank == 2 ? a[i] / mean * b[j] : b[j];
            u[i * cols + j] = r->g[i * cols + j] / sqrt(v);
            sum += u[i * cols + j] * u[i * cols + j];
        }
    double over = fmax(1.0, sqrt(sum / (double)p->count));
    for (size_t i = 0; i < p->count; i++) {
        double *w = &r->w[p->offset + i];
        *w -= lr * decay * *w + lr * u[i] / over;
    }
    free(u);
}

static void (*const formula[])(struct reference *r, const struct bt__param *p, double lr, double decay,
                               int t) = {[BT__OPTIM_ADAMW] = adam,
                                         [BT__OPTIM_BERT_ADAM] = adam,
                                         [BT__OPTIM_ADAFACTOR] = adafactor,
                                         [BT__OPTIM_SGD] = sgd};

static double rate(const struct fixture *f, const struct bt__optim_settings *s, const struct bt__param *p)
{
    if (p->head) return LR * s->head_rate_factor;
    return LR * pow(s->layer_decay, f->m->config.num_hidden_layers - p->layer);
}

static void reference_step(const struct fixture *f, struct reference *r, int t)
{
    for (size_t i = 0; i < f->m->params.n; i++) {
        const struct bt__param *p = &f->m->params.item[i];
        if (p->frozen) continue;
        for (size_t j = 0; j < p->count; j++) r->g[j] = SCALE * gradient(f, p->offset + j);
        formula[r->s->kind](r, p, rate(f, r->s, p), p->decay ? DECAY : 0.0, t);
    }
}

/* ── the comparison ── */

static struct bt__optim_settings settings(enum bt__optim_kind kind)
{
    return (struct bt__optim_settings){.kind = kind,
                                       .weight_decay = DECAY,
                                       .beta1 = 0.9,
                                       .beta2 = 0.99,
                                       .epsilon = 1e-6,
                                       .correct_bias = true,
                                       .layer_decay = 0.9,
                                       .head_rate_factor = 2.0};
}

static void expect_close(const struct fixture *f, const struct reference *r)
{
    for (size_t i = 0; i < f->m->params.n; i++) {
        const struct bt__param *p = &f->m->params.item[i];
        for (size_t j = p->offset; j < p->offset + p->count; j++)
            if (fabs((double)f->m->w[j] - r->w[j]) > 2e-6)
                fail_msg("%s, %s[%zu]: %.8g, expected %.8g", bt__optim_name(r->s->kind), p->name,
                         j - p->offset, (double)f->m->w[j], r->w[j]);
    }
}

static double squares(const struct fixture *f)
{
    double sum = 0.0;
    for (size_t i = 0; i < f->m->params.n; i++) {
        const struct bt__param *p = &f->m->params.item[i];
        for (size_t j = 0; j < p->count && !p->frozen; j++)
            sum += gradient(f, p->offset + j) * gradient(f, p->offset + j);
    }
    return sum;
}

static void compare_frozen(const struct bt__optim_settings *s, const struct bt__freeze *freeze)
{
    struct fixture f;
    struct bt__optim *o;
    begin(&f, 2);
    bt__params_freeze(&f.m->params, freeze);
    const size_t total = f.m->params.total;
    double *memory = calloc(4 * total, sizeof *memory);
    assert_non_null(memory);
    struct reference r = {
        .s = s, .w = memory, .a = memory + total, .b = memory + 2 * total, .g = memory + 3 * total};
    for (size_t i = 0; i < total; i++) r.w[i] = (double)f.m->w[i];
    assert_int_equal(bt__optim_create(f.m, f.pool, s, &o, &err), BT_OK);
    for (int t = 1; t <= STEPS; t++) {
        draw(&f, t);
        double expected = sqrt(squares(&f));
        assert_true(fabs(bt__optim_norm(o, &f.g) - expected) < 1e-9 * expected);
        bt__optim_step(o, &f.g, t, LR, SCALE);
        reference_step(&f, &r, t);
    }
    expect_close(&f, &r);
    bt__optim_free(o);
    free(memory);
    end(&f);
}

static void compare(const struct bt__optim_settings *s)
{
    compare_frozen(s, &(struct bt__freeze){.layers = 0});
}

static void adamw_(void **state)
{
    (void)state;
    struct bt__optim_settings s = settings(BT__OPTIM_ADAMW);
    compare(&s);
    s.correct_bias = false;
    compare(&s);
}

static void bert_adam_(void **state)
{
    (void)state;
    struct bt__optim_settings s = settings(BT__OPTIM_BERT_ADAM);
    compare(&s);
}

static void adafactor_(void **state)
{
    (void)state;
    struct bt__optim_settings s = settings(BT__OPTIM_ADAFACTOR);
    compare(&s);
}

static void sgd_(void **state)
{
    (void)state;
    struct bt__optim_settings s = settings(BT__OPTIM_SGD);
    compare(&s);
    s.momentum = 0.8;
    compare(&s);
    s.weight_decay =
        0.0; /* words that never come stay: the reference has decay, so only their bits are looked at */
    struct fixture f;
    struct bt__optim *o;
    begin(&f, 1);
    float before = f.m->w[f.m->word + (VOCAB - 1) * H], first = f.m->w[f.m->word + 2 * H];
    assert_int_equal(bt__optim_create(f.m, f.pool, &s, &o, &err), BT_OK);
    draw(&f, 1);
    bt__optim_step(o, &f.g, 1, LR, SCALE);
    assert_true(f.m->w[f.m->word + (VOCAB - 1) * H] == before);
    assert_true(f.m->w[f.m->word + 2 * H] != first);
    bt__optim_free(o);
    end(&f);
}

static void frozen(void **state)
{
    (void)state;
    for (int kind = 0; kind <= BT__OPTIM_SGD; kind++) {
        struct bt__optim_settings s = settings((enum bt__optim_kind)kind);
        compare_frozen(&s, &(struct bt__freeze){.embeddings = true, .layers = 1});
        compare_frozen(&s, &(struct bt__freeze){.biases = true});
    }
}

/* ── bits and state ── */

/* Steps 1 … STEPS; with fresh, a new optimiser takes over the state before every step. */
static void run(struct fixture *f, const struct bt__optim_settings *s, bool fresh)
{
    struct bt__optim *o, *next;
    assert_int_equal(bt__optim_create(f->m, f->pool, s, &o, &err), BT_OK);
    for (int t = 1; t <= STEPS; t++) {
        draw(f, t);
        bt__optim_step(o, &f->g, t, LR, SCALE);
        if (!fresh) continue;
        assert_int_equal(bt__optim_create(f->m, f->pool, s, &next, &err), BT_OK);
        assert_int_equal(bt__optim_tensors(next), bt__optim_tensors(o));
        for (size_t i = 0; i < bt__optim_tensors(o); i++) {
            struct bt__optim_tensor a = bt__optim_tensor(o, i), b = bt__optim_tensor(next, i);
            assert_int_equal(a.count, b.count);
            memcpy(b.data, a.data, a.count * sizeof *a.data);
        }
        bt__optim_loaded(next);
        bt__optim_free(o);
        o = next;
    }
    bt__optim_free(o);
}

static void same_bits(void **state)
{
    (void)state;
    for (int kind = 0; kind <= BT__OPTIM_SGD; kind++) {
        struct bt__optim_settings s = settings((enum bt__optim_kind)kind);
        struct fixture f, other;
        s.momentum = 0.5;
        begin(&f, 1);
        run(&f, &s, false);
        for (int threads = 1; threads <= 3; threads++) {
            begin(&other, threads);
            run(&other, &s, threads == 1);
            if (memcmp(f.m->w, other.m->w, sizeof(float) * f.m->params.total) != 0)
                fail_msg("%s: other weights with %d threads", bt__optim_name(s.kind), threads);
            end(&other);
        }
        end(&f);
    }
}

/* Adafactor's state is a row and a column of each matrix; a plain SGD has none; frozen parts have none. */
static void sizes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, 1);
    struct bt__optim_settings s = settings(BT__OPTIM_ADAMW);
    const size_t weights = f.m->params.total * sizeof(float);
    size_t adam_bytes = bt__optim_saved_bytes(f.m, &s);
    assert_true(adam_bytes >= 2 * weights && adam_bytes < 2 * weights + 16384);
    bt__params_freeze(&f.m->params, &(struct bt__freeze){.embeddings = true, .layers = 2});
    size_t head = (H * H + H + 3 * H + 3) * 2 * sizeof(float);
    assert_true(bt__optim_saved_bytes(f.m, &s) >= head && bt__optim_saved_bytes(f.m, &s) < head + 1024);
    bt__params_freeze(&f.m->params, &(struct bt__freeze){.layers = 0});
    s = settings(BT__OPTIM_ADAFACTOR);
    assert_true(bt__optim_saved_bytes(f.m, &s) < adam_bytes / 5);
    assert_true(bt__optim_bytes(f.m, &s) > bt__optim_saved_bytes(f.m, &s));
    s = settings(BT__OPTIM_SGD);
    assert_int_equal(bt__optim_bytes(f.m, &s), 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw_), cmocka_unit_test(bert_adam_), cmocka_unit_test(adafactor_),
        cmocka_unit_test(sgd_),   cmocka_unit_test(frozen),     cmocka_unit_test(same_bits),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
