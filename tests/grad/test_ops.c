/* Every operation's backward pass against finite differences of its forward pass, for every instruction set that this CPU has.
 *
 * The objective is Σ r·y with fixed random r, summed in double; the derivative to each input element comes from central
 * differences with Richardson's extrapolation. What an op drops is the same in both directions: the mask is part of what is tested. */
#include "math/attention.h"
#include "math/gemm.h"
#include "model/pass_internal.h"
#include "tasks/softmax.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Errors allowed, relative to the derivative and absolute: what float rounding in the forward pass leaves of a difference. */
static const double relative = 5e-3, absolute = 2e-3;

typedef double objective_fn(void *ctx);

static float draw(uint32_t stream, size_t i)
{
    return 2.0f * (float)bt__rng_uniform(bt__rng_key(31, stream, 0), (uint32_t)i) - 1.0f;
}

static void fill(float *x, size_t n, uint32_t stream)
{
    for (size_t i = 0; i < n; i++) x[i] = draw(stream, i);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static double central(objective_fn *f, void *ctx, float *x, float e)
{
    const float saved = *x;
    double side[2];
    for (int s = 0; s < 2; s++) {
        *x = saved + (s ? -e : e);
        side[s] = f(ctx);
    }
    *x = saved;
    return (side[0] - side[1]) / (2.0 * (double)e);
}

/* grad [n] must be the derivative of f to x [n]; e is the step. */
static void check(const char *what, objective_fn *f, void *ctx, float *x, const float *grad, size_t n,
                  float e)
{
    for (size_t i = 0; i < n; i++) {
        double got = (4.0 * central(f, ctx, x + i, e / 2) - central(f, ctx, x + i, e)) / 3.0;
        double want = (double)grad[i], scale = fmax(fabs(got), fabs(want));
        if (!(fabs(got - want) <= relative * scale + absolute))
            fail_msg("%s [%zu] (%s): gradient %.6g, finite difference %.6g", what, i, bt__kernels()->name,
                     want, got);
    }
}

static void for_each_set(void (*test)(const struct bt__kernels *k))
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512bf16"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        setenv("BERTTY_KERNELS", sets[i], 1);
        test(bt__kernels());
    }
    unsetenv("BERTTY_KERNELS");
}

/* ── two linear layers with an activation between ── */

enum { SEQS = 5, ROWS = 23, IN = 21, MID = 37, OUT = 19 };

struct mlp {
    const struct bt__kernels *k;
    enum bt__act act;
    struct bt__pool *pool;
    struct bt__batch b;
    float x[ROWS * IN], w1[MID * IN], b1[MID], w2[OUT * MID], b2[OUT];
    float pre[ROWS * MID], mid[ROWS * MID], y[ROWS * OUT], r[ROWS * OUT];
    float dx[ROWS * IN], dw1[MID * IN], db1[MID], dw2[OUT * MID], db2[OUT], dpre[ROWS * MID];
};

static void run_job(struct mlp *m, struct bt__job job)
{
    float *panels = malloc(sizeof(float) * bt__panel_floats(MID, MID));
    assert_non_null(panels);
    bt__run_jobs(m->pool, panels, &job, 1);
    free(panels);
}

static double mlp_forward(void *ctx)
{
    struct mlp *m = ctx;
    struct bt__linear one = {.kernels = m->k,
                             .by = &m->k->fp32,
                             .act = (int)m->act,
                             .rows = &m->b.rows,
                             .n = MID,
                             .k = IN,
                             .x = m->x,
                             .w = m->w1,
                             .bias = m->b1,
                             .ldx = IN,
                             .y = m->pre,
                             .activated = m->mid,
                             .ldy = MID,
                             .epilogue = BT__ACTIVATE};
    struct bt__linear two = {.kernels = m->k,
                             .by = &m->k->fp32,
                             .rows = &m->b.rows,
                             .n = OUT,
                             .k = MID,
                             .x = m->mid,
                             .w = m->w2,
                             .bias = m->b2,
                             .ldx = MID,
                             .y = m->y,
                             .ldy = OUT};
    run_job(m, bt__job_linear(&one));
    run_job(m, bt__job_linear(&two));
    return dot(m->y, m->r, ROWS * OUT);
}

/* dw and db of a layer from dy and its input. */
static void weights_backward(struct mlp *m, const float *dy, int n, const float *x, int k, float *dw,
                             float *db)
{
    float *scratch[1] = {malloc(bt__weight_scratch() * sizeof(float))};
    assert_non_null(scratch[0]);
    struct bt__linear_weight w = {.kernels = m->k,
                                  .by = &m->k->fp32,
                                  .rows = &m->b.rows,
                                  .n = n,
                                  .k = k,
                                  .dy = dy,
                                  .x = x,
                                  .lddy = n,
                                  .ldx = k,
                                  .dw = dw,
                                  .scratch = scratch};
    struct bt__column_sum b = {.kernels = m->k, .rows = &m->b.rows, .cols = n, .x = dy, .ld = n, .sum = db};
    run_job(m, bt__job_linear_weight(&w));
    run_job(m, bt__job_column_sum(&b));
    free(scratch[0]);
}

static void mlp_backward(struct mlp *m)
{
    mlp_forward(m);
    struct bt__linear_input two = {.kernels = m->k,
                                   .by = &m->k->fp32,
                                   .act = (int)m->act,
                                   .rows = &m->b.rows,
                                   .n = OUT,
                                   .k = MID,
                                   .dy = m->r,
                                   .w = m->w2,
                                   .pre = m->pre,
                                   .lddy = OUT,
                                   .dx = m->dpre,
                                   .activated = m->mid,
                                   .lddx = MID,
                                   .epilogue = BT__ACTIVATE_BACKWARD};
    struct bt__linear_input one = {.kernels = m->k,
                                   .by = &m->k->fp32,
                                   .rows = &m->b.rows,
                                   .n = MID,
                                   .k = IN,
                                   .dy = m->dpre,
                                   .w = m->w1,
                                   .lddy = MID,
                                   .dx = m->dx,
                                   .lddx = IN,
                                   .epilogue = BT__PLAIN};
    run_job(m, bt__job_linear_input(&two));
    run_job(m, bt__job_linear_input(&one));
    weights_backward(m, m->r, OUT, m->mid, MID, m->dw2, m->db2);
    weights_backward(m, m->dpre, MID, m->x, IN, m->dw1, m->db1);
}

static void plan(struct bt__batch *b)
{
    static const int length[SEQS] = {7, 1, 5, 8, 2};
    const int32_t ids[8] = {3, 1, 4, 1, 5, 0, 2, 6};
    const uint8_t types[8] = {0, 0, 1, 0, 1, 1, 0, 1};
    struct bt_error err;
    assert_int_equal(bt__batch_reserve(b, SEQS, ROWS, SEQS, &err), BT_OK);
    for (int i = 0; i < SEQS; i++)
        assert_int_equal(bt__batch_add(b, ids, types, length[i], NULL, i, &err), BT_OK);
    bt__batch_plan(b);
    assert_int_equal(b->rows.n, ROWS);
}

/* ReLU: rows are drawn anew until no value stands so near its kink that a step of a difference would cross it. */
static void avoid_kinks(struct mlp *m)
{
    for (uint32_t i = 0, again = 0; i < ROWS * MID; i++) {
        if (i == 0) mlp_forward(m);
        if (fabsf(m->pre[i]) > 5e-3f) continue;
        assert_true(again < 200);
        fill(m->x + i / MID * IN, IN, 100 + again++);
        i = UINT32_MAX; /* from the start */
    }
}

static void check_mlp(const struct bt__kernels *k, enum bt__act act)
{
    struct bt_error err;
    struct mlp *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->k = k;
    m->act = act;
    assert_int_equal(bt__gemm_init(&err), BT_OK);
    assert_int_equal(bt__pool_create(1, &m->pool, &err), BT_OK);
    plan(&m->b);
    fill(m->x, ROWS * IN, 1);
    fill(m->w1, MID * IN, 2);
    fill(m->b1, MID, 3);
    fill(m->w2, OUT * MID, 4);
    fill(m->b2, OUT, 5);
    fill(m->r, ROWS * OUT, 6);
    if (act == BT__ACT_RELU) avoid_kinks(m);
    mlp_backward(m);
    const float e = act == BT__ACT_RELU ? 4e-3f : 2e-2f;
    check("input", mlp_forward, m, m->x, m->dx, ROWS * IN, e);
    check("first weight", mlp_forward, m, m->w1, m->dw1, MID * IN, e);
    check("first bias", mlp_forward, m, m->b1, m->db1, MID, e);
    check("second weight", mlp_forward, m, m->w2, m->dw2, OUT * MID, 2e-2f);
    check("second bias", mlp_forward, m, m->b2, m->db2, OUT, 2e-2f);
    bt__batch_free(&m->b);
    bt__pool_free(m->pool);
    free(m);
}

static void check_gelu(const struct bt__kernels *k)
{
    check_mlp(k, BT__ACT_GELU);
}

static void check_gelu_tanh(const struct bt__kernels *k)
{
    check_mlp(k, BT__ACT_GELU_TANH);
}

static void check_relu(const struct bt__kernels *k)
{
    check_mlp(k, BT__ACT_RELU);
}

/* ── LayerNorm behind dropout and a residual ── */

enum { N = 45 };

struct norm {
    const struct bt__kernels *k;
    struct bt__dropout drop;
    float x[N], bias[N], residual[N], gamma[N], beta[N], xhat[N], y[N], r[N], rstd;
};

static double norm_forward(void *ctx)
{
    struct norm *f = ctx;
    f->rstd =
        f->k->norm(N, f->x, f->bias, f->residual, f->gamma, f->beta, 1e-12f, &f->drop, 777, f->xhat, f->y);
    return dot(f->y, f->r, N);
}

static void check_norm(const struct bt__kernels *k)
{
    struct norm f = {.k = k, .drop = bt__dropout_make(0.3, bt__rng_key(5, 6, 7))};
    float ds[N], dx[N], dgamma[N];
    fill(f.x, N, 11);
    fill(f.bias, N, 12);
    fill(f.residual, N, 13);
    fill(f.gamma, N, 14);
    fill(f.beta, N, 15);
    fill(f.r, N, 16);
    norm_forward(&f);
    k->norm_backward(N, f.r, f.xhat, f.rstd, f.gamma, &f.drop, 777, ds, dx);
    for (int i = 0; i < N; i++) dgamma[i] = f.r[i] * f.xhat[i];
    check("input", norm_forward, &f, f.x, dx, N, 2e-2f);
    check("bias", norm_forward, &f, f.bias, dx, N, 2e-2f);
    check("residual", norm_forward, &f, f.residual, ds, N, 2e-2f);
    check("gamma", norm_forward, &f, f.gamma, dgamma, N, 2e-2f);
    check("beta", norm_forward, &f, f.beta, f.r, N, 2e-2f);
}

/* ── dropout ── */

struct dropout {
    const struct bt__kernels *k;
    struct bt__dropout drop;
    float x[N], y[N], r[N];
};

static double dropout_forward(void *ctx)
{
    struct dropout *f = ctx;
    f->k->dropout(N, f->x, &f->drop, 4321, f->y);
    return dot(f->y, f->r, N);
}

static void check_dropout(const struct bt__kernels *k)
{
    struct dropout f = {.k = k, .drop = bt__dropout_make(0.4, bt__rng_key(8, 9, 10))};
    float d[N];
    fill(f.x, N, 21);
    fill(f.r, N, 22);
    k->dropout(N, f.r, &f.drop, 4321, d);
    check("input", dropout_forward, &f, f.x, d, N, 2e-2f);
    int dropped = 0;
    for (int i = 0; i < N; i++) dropped += d[i] == 0.0f;
    assert_true(dropped > 0 && dropped < N);
}

/* The LayerNorm's mask is the mask of a dropout at the same positions. */
static void check_mask(const struct bt__kernels *k)
{
    struct bt__dropout drop = bt__dropout_make(0.4, bt__rng_key(8, 9, 10)),
                       none = {.threshold = 0, .scale = 1};
    float x[N], gamma[N], beta[N], dropped[N], a[N], b[N];
    fill(x, N, 23);
    fill(beta, N, 24);
    for (int i = 0; i < N; i++) gamma[i] = 1.0f;
    k->dropout(N, x, &drop, 99, dropped);
    k->norm(N, x, NULL, NULL, gamma, beta, 1e-12f, &drop, 99, NULL, a);
    k->norm(N, dropped, NULL, NULL, gamma, beta, 1e-12f, &none, 99, NULL, b);
    for (int i = 0; i < N; i++) assert_true(fabs((double)a[i] - (double)b[i]) < 1e-5);
}

/* ── softmax ── */

struct softmax {
    const struct bt__kernels *k;
    float s[N], p[N], r[N];
};

static double softmax_forward(void *ctx)
{
    struct softmax *f = ctx;
    memcpy(f->p, f->s, sizeof f->p);
    f->k->softmax(N, f->p, 0.7f);
    return dot(f->p, f->r, N);
}

static void check_softmax(const struct bt__kernels *k)
{
    struct softmax f = {.k = k};
    float d[N];
    for (int i = 0; i < N; i++) {
        f.s[i] = 4.0f * draw(31, (size_t)i);
        f.r[i] = 20.0f * draw(32, (size_t)i); /* so that the derivatives stand out of the absolute error */
    }
    softmax_forward(&f);
    memcpy(d, f.r, sizeof d);
    k->softmax_backward(N, f.p, d, 0.7f);
    check("input", softmax_forward, &f, f.s, d, N, 2e-2f);
}

/* ── attention, as column slices of wider matrices ── */

enum { KEYS = 11, D = 13, LD = 17 };

struct attend {
    struct bt__attention a;
    float q[KEYS * LD], key[KEYS * LD], value[KEYS * LD], out[KEYS * LD], r[KEYS * LD];
    float p[KEYS * KEYS], scratch[4 * (KEYS + BT__PANEL_MOST) * (KEYS + D)];
};

static double attend_forward(void *ctx)
{
    struct attend *f = ctx;
    bt__attention_forward(&f->a, f->out, LD);
    double sum = 0.0;
    for (int i = 0; i < f->a.nq; i++) sum += dot(f->out + i * LD, f->r + i * LD, D);
    return sum;
}

static void check_slice(const char *what, struct attend *f, float *x, const float *grad, int rows)
{
    for (int i = 0; i < rows; i++) check(what, attend_forward, f, x + i * LD, grad + i * LD, D, 2e-2f);
}

static void check_attention(const struct bt__kernels *k)
{
    struct bt_error err;
    assert_int_equal(bt__gemm_init(&err), BT_OK);
    for (int nq = 1; nq <= KEYS; nq += KEYS - 1) {
        struct attend f;
        float dq[KEYS * LD] = {0}, dkey[KEYS * LD] = {0}, dvalue[KEYS * LD] = {0};
        f.a = (struct bt__attention){.k = k,
                                     .nq = nq,
                                     .n = KEYS,
                                     .d = D,
                                     .q = f.q,
                                     .key = f.key,
                                     .value = f.value,
                                     .ldq = LD,
                                     .ldkv = LD,
                                     .scale = 0.4f,
                                     .drop = bt__dropout_make(0.25, bt__rng_key(1, 2, 3)),
                                     .pos = 55,
                                     .p = f.p,
                                     .scratch = f.scratch};
        fill(f.q, KEYS * LD, 41);
        fill(f.key, KEYS * LD, 42);
        fill(f.value, KEYS * LD, 43);
        for (size_t i = 0; i < KEYS * LD; i++) f.r[i] = 3.0f * draw(44, i);
        attend_forward(&f);
        bt__attention_backward(&f.a, f.r, LD, dq, LD, dkey, dvalue, LD);
        check_slice("query", &f, f.q, dq, nq);
        check_slice("key", &f, f.key, dkey, KEYS);
        check_slice("value", &f, f.value, dvalue, KEYS);
    }
}

/* ── embeddings ── */

enum { VOCAB = 9, H = 16 };

struct embed {
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *p;
    struct bt__batch b;
    float r[ROWS * H];
};

static double embed_forward(void *ctx)
{
    struct embed *f = ctx;
    f->p->batch = &f->b;
    bt__pass_dropout(f->p, true, 3, 4);
    bt__embed_forward(f->p);
    return dot(f->p->x0, f->r, ROWS * H);
}

static void make_embed(struct embed *f)
{
    struct bt_error err;
    struct bt__model_config c = {.vocab_size = VOCAB,
                                 .hidden_size = H,
                                 .num_hidden_layers = 1,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 16,
                                 .max_position_embeddings = 12,
                                 .type_vocab_size = 2,
                                 .layer_norm_eps = 1e-12f,
                                 .initializer_range = 0.5f,
                                 .hidden_dropout_prob = 0.2f};
    assert_int_equal(bt__gemm_init(&err), BT_OK);
    assert_int_equal(bt__pool_create(1, &f->pool, &err), BT_OK);
    assert_int_equal(
        bt__model_create(&c,
                         &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2},
                         &f->m, &err),
        BT_OK);
    bt__model_init(f->m, 7, NULL);
    plan(&f->b);
    struct bt__pass_limits limits = {
        .seqs = SEQS, .rows = ROWS, .longest = 8, .pairs = f->b.pair[SEQS], .train = true};
    assert_int_equal(bt__pass_create(f->m, f->pool, &limits, &f->p, &err), BT_OK);
    fill(f->r, ROWS * H, 51);
}

/* The word gradient is sparse: rows of words that the batch does not have are zero. */
static void dense_words(const struct embed *f, float *out)
{
    const struct bt__gradient *g = bt__pass_gradient(f->p);
    memset(out, 0, VOCAB * H * sizeof *out);
    for (int i = 0; i < g->n_words; i++) memcpy(out + g->word_id[i] * H, g->word + i * H, H * sizeof *out);
}

static void check_embeddings(const struct bt__kernels *k)
{
    struct embed f = {.pool = NULL};
    float word[VOCAB * H], position[12 * H], type[2 * H], norm_w[H], norm_b[H];
    (void)k;
    make_embed(&f);
    embed_forward(&f);
    memcpy(f.p->dy, f.r, sizeof f.r);
    bt__embed_backward(f.p, true);
    dense_words(&f, word);
    memcpy(position, bt__grad_at(f.p, f.m->position), sizeof position);
    memcpy(type, bt__grad_at(f.p, f.m->type), sizeof type);
    memcpy(norm_w, bt__grad_at(f.p, f.m->norm_w), sizeof norm_w);
    memcpy(norm_b, bt__grad_at(f.p, f.m->norm_b), sizeof norm_b);
    float *w = f.m->w;
    check("words", embed_forward, &f, w + f.m->word, word, VOCAB * H, 1e-2f);
    check("positions", embed_forward, &f, w + f.m->position, position, 12 * H, 1e-2f);
    check("types", embed_forward, &f, w + f.m->type, type, 2 * H, 1e-2f);
    check("gamma", embed_forward, &f, w + f.m->norm_w, norm_w, H, 1e-2f);
    check("beta", embed_forward, &f, w + f.m->norm_b, norm_b, H, 1e-2f);
    bt__pass_free(f.p);
    bt__model_free(f.m);
    bt__batch_free(&f.b);
    bt__pool_free(f.pool);
}

/* ── cross-entropy ── */

struct loss {
    float logits[6];
    int gold;
    double smoothing;
};

static double loss_forward(void *ctx)
{
    struct loss *f = ctx;
    return 0.5 * bt__cross_entropy(f->logits, 6, f->gold, f->smoothing, 1.0, NULL);
}

static void cross_entropy(void **state)
{
    (void)state;
    static const double smoothing[] = {0.0, 0.1, 0.9};
    for (int s = 0; s < 3; s++)
        for (int gold = 0; gold < 6; gold++) {
            struct loss f = {.gold = gold, .smoothing = smoothing[s]};
            float d[6];
            for (size_t i = 0; i < 6; i++) f.logits[i] = 5.0f * draw(61, i);
            bt__cross_entropy(f.logits, 6, gold, f.smoothing, 0.5, d);
            for (int i = 0; i < 6; i++) { /* in double: far closer than the other ops */
                double got = central(loss_forward, &f, &f.logits[i], 0x1p-8f);
                assert_true(fabs(got - (double)d[i]) < 1e-5);
            }
        }
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        for_each_set(check_##name);                                                                          \
    }
TEST(gelu)
TEST(gelu_tanh)
TEST(relu)
TEST(norm)
TEST(dropout)
TEST(mask)
TEST(softmax)
TEST(attention)
TEST(embeddings)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gelu),       cmocka_unit_test(gelu_tanh),
                                       cmocka_unit_test(relu),       cmocka_unit_test(norm),
                                       cmocka_unit_test(dropout),    cmocka_unit_test(mask),
                                       cmocka_unit_test(softmax),    cmocka_unit_test(attention),
                                       cmocka_unit_test(embeddings), cmocka_unit_test(cross_entropy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
