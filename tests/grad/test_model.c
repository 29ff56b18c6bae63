/* The whole model's gradient, with every head and choice of rows that it reads, against finite differences, and its bits against the number of threads.
 *
 * Each parameter is moved along a fixed direction of random signs; the change of the loss, taken in double from central differences with
 * Richardson's extrapolation, must agree with gradient · direction. Dropout is on: its mask depends on the step alone. ReLU, whose
 * kinks spoil differences, is tested with the kernels. */
#include "math/gemm.h"
#include "model/pass_internal.h"
#include "optim/optim.h"
#include "tasks/softmax.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 40, LABELS = 3, SEQS = 9, LONGEST = 24 };

/* Relative to the larger of the two, with a floor for derivatives that vanish: the rounding of SEQS losses, and of more by the root. */
static const double tolerance = 2e-2, smallest = 2e-3;

struct fixture {
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *p;
    struct bt__batch b;
    float dlogits[SEQS * LONGEST * LABELS];
    struct bt__pass_limits limits;
    int32_t target[SEQS * LONGEST]; /* of the language model */
    double smoothing;
};

/* Which tokens of a sequence are read. */
enum reads { FIRST, SOME /* of every sequence but one */, ALL };

struct variant {
    enum bt__head head;
    enum reads reads;
    enum bt__act act;
    int layers, threads;
    bool no_dropout;
    int vocab; /* 0: VOCAB */
    double smoothing;
    bool recompute, bf16;
    struct bt__lora lora;
    bool frozen; /* all but the adapters, head and pooler is, before the pass is made */
};

static void choose_reads(enum reads how, int seq, int n, uint8_t *reads)
{
    for (int j = 0; j < n; j++)
        reads[j] = how == FIRST ? j == 0 : how == ALL || (seq != 4 && (seq * 7 + j * j) % 3 != 1);
}

static void fill_batch(struct bt__batch *b, enum reads how)
{
    struct bt_error err;
    struct bt__rng r = bt__rng_key(3, 99, 0);
    int32_t ids[LONGEST];
    uint8_t types[LONGEST], reads[LONGEST];
    assert_int_equal(bt__batch_reserve(b, SEQS, SEQS * LONGEST, SEQS * LONGEST, &err), BT_OK);
    for (int i = 0; i < SEQS; i++) {
        int n = 3 + (i * 5) % 17;
        for (int j = 0; j < n; j++) {
            ids[j] = (int32_t)(bt__rng_u32(r, (uint32_t)(i * 100 + j)) % VOCAB);
            types[j] = j > n / 2;
        }
        choose_reads(how, i, n, reads);
        assert_int_equal(bt__batch_add(b, ids, types, n, how == FIRST ? NULL : reads, i, &err), BT_OK);
    }
    bt__batch_plan(b);
}

static struct fixture make(const struct variant *v)
{
    struct bt_error err;
    struct fixture f = {.pool = NULL};
    struct bt__model_config c = {.vocab_size = v->vocab ? v->vocab : VOCAB,
                                 .hidden_size = 32,
                                 .num_hidden_layers = v->layers,
                                 .num_attention_heads = 4,
                                 .intermediate_size = 48,
                                 .max_position_embeddings = 32,
                                 .type_vocab_size = 2,
                                 .layer_norm_eps = 1e-12f,
                                 .initializer_range = 0.25f,
                                 .hidden_dropout_prob = 0.1f,
                                 .attention_probs_dropout_prob = 0.2f,
                                 .classifier_dropout = 0.15f,
                                 .hidden_act = v->act,
                                 .lora = v->lora};
    assert_int_equal(bt__gemm_init(&err), BT_OK);
    assert_int_equal(bt__pool_create(v->threads ? v->threads : 2, &f.pool, &err), BT_OK);
    const struct bt__head_spec head = {.kind = v->head,
                                       .name = v->head == BT__HEAD_MLM ? "cls.predictions" : "classifier",
                                       .outputs = v->head == BT__HEAD_MLM ? c.vocab_size : LABELS,
                                       .no_dropout = v->no_dropout};
    assert_int_equal(bt__model_create(&c, &head, &f.m, &err), BT_OK);
    bt__model_init(f.m, 7, NULL);
    struct bt__rng r = bt__rng_key(5, 98, 0);
    for (size_t i = 0; i < f.m->params.n; i++) { /* biases and LayerNorm weights off their special values */
        const struct bt__param *q = &f.m->params.item[i];
        for (size_t j = 0; q->rank == 1 && j < q->count; j++)
            f.m->w[q->offset + j] += 0.2f * ((float)bt__rng_uniform(r, (uint32_t)(q->offset + j)) - 0.5f);
    }
    for (size_t i = 0; i < f.m->params.n; i++) { /* a B of zeros hides the gradient of A */
        const struct bt__param *q = &f.m->params.item[i];
        for (size_t j = 0; q->adapter && j < q->count; j++)
            f.m->w[q->offset + j] += 0.4f * ((float)bt__rng_uniform(r, (uint32_t)(q->offset + j)) - 0.5f);
    }
    static const char *const pooler[] = {"pooler"};
    if (v->frozen)
        bt__params_freeze(
            &f.m->params,
            &(struct bt__freeze){.adapters = true, .embeddings = true, .module = pooler, .n_modules = 1});
    fill_batch(&f.b, v->reads);
    f.limits = (struct bt__pass_limits){.seqs = SEQS,
                                        .rows = f.b.rows.n,
                                        .longest = f.b.longest,
                                        .pairs = f.b.pair[SEQS],
                                        .reads = f.b.reads.n,
                                        .read_pairs = f.b.read_pair[SEQS],
                                        .train = true,
                                        .recompute = v->recompute,
                                        .bf16 = v->bf16,
                                        .step_rows = 2L * f.b.rows.n};
    f.smoothing = v->smoothing;
    for (int i = 0; i < SEQS * LONGEST; i++) f.target[i] = i == 3 ? -1 : (i * i * 97 + 5) % c.vocab_size;
    assert_int_equal(bt__pass_create(f.m, f.pool, &f.limits, &f.p, &err), BT_OK);
    return f;
}

static void drop(struct fixture *f)
{
    bt__pass_free(f->p);
    bt__model_free(f->m);
    bt__batch_free(&f->b);
    bt__pool_free(f->pool);
}

static double lm_loss(struct fixture *f)
{
    double sum = 0.0, loss[SEQS * LONGEST];
    bt__pass_lm_loss(f->p, &f->b, f->target, f->smoothing, loss, NULL);
    for (int i = 0; i < f->b.reads.n; i++) sum += loss[i];
    return sum;
}

static double loss_of(struct fixture *f)
{
    double sum = 0.0;
    bt__pass_dropout(f->p, true, 11, 4);
    const float *logits = bt__pass_forward(f->p, &f->b);
    if (f->m->head.kind == BT__HEAD_MLM) return lm_loss(f);
    for (int i = 0; i < bt__pass_logit_rows(f->m, &f->b)->n; i++)
        sum += bt__cross_entropy(logits + i * LABELS, LABELS, i % LABELS, 0.1, 1.0, f->dlogits + i * LABELS);
    return sum;
}

/* Forward and backward. */
static void run(struct fixture *f, const struct bt__trainable *what, bool first)
{
    loss_of(f);
    if (f->m->head.kind == BT__HEAD_MLM)
        bt__pass_lm_backward(f->p, &f->b, f->target, f->smoothing, 1.0, what, first);
    else
        bt__pass_backward(f->p, &f->b, f->dlogits, what, first);
}

static float sign_at(size_t i)
{
    return bt__rng_u32(bt__rng_key(17, 97, 0), (uint32_t)i) & 1 ? 1.0f : -1.0f;
}

static double gradient_at(const struct fixture *f, size_t i)
{
    const struct bt__gradient *g = bt__pass_gradient(f->p);
    const size_t h = (size_t)f->m->config.hidden_size;
    if (i >= g->dense_begin) return (double)g->dense[i - g->dense_begin];
    int32_t slot = g->slot[i / h];
    return slot < 0 ? 0.0 : (double)g->word[(size_t)slot * h + i % h];
}

static double central(struct fixture *f, const struct bt__param *q, float *saved, float e)
{
    double side[2];
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < q->count; i++)
            f->m->w[q->offset + i] = saved[i] + (s ? -e : e) * sign_at(q->offset + i);
        side[s] = loss_of(f);
    }
    memcpy(f->m->w + q->offset, saved, q->count * sizeof *saved);
    return (side[0] - side[1]) / (2.0 * (double)e);
}

/* Richardson's extrapolation of two central differences. */
static double difference(struct fixture *f, const struct bt__param *q, float *saved, float e)
{
    return (4.0 * central(f, q, saved, e / 2) - central(f, q, saved, e)) / 3.0;
}

/* The loss is rounded, so a difference has noise of some 1e-2 where gradients nearly cancel: the mean over several steps has less. */
static double mean_difference(struct fixture *f, const struct bt__param *q, float *saved, float e)
{
    double sum = 0.0;
    for (int i = 0; i < 6; i++, e *= 1.25f) sum += difference(f, q, saved, e);
    return sum / 6.0;
}

static void check_param(struct fixture *f, const struct bt__param *q)
{
    float *saved = malloc(q->count * sizeof *saved);
    assert_non_null(saved);
    memcpy(saved, f->m->w + q->offset, q->count * sizeof *saved);
    double want = 0.0;
    for (size_t i = 0; i < q->count; i++)
        want += gradient_at(f, q->offset + i) * (double)sign_at(q->offset + i);
    float e = 4e-3f / sqrtf((float)(q->count > 64 ? q->count / 64 : 1));
    double got = difference(f, q, saved, e);
    double noise = smallest * sqrt((double)bt__pass_logit_rows(f->m, &f->b)->n / SEQS);
    if (fabs(got - want) > tolerance * fmax(fabs(want), fabs(got)) + noise)
        got = mean_difference(f, q, saved, e);
    if (fabs(got - want) > tolerance * fmax(fabs(want), fabs(got)) + noise)
        fail_msg("%s: gradient %.6g, finite difference %.6g", q->name, want, got);
    free(saved);
}

static void check_all(const struct variant *v)
{
    struct fixture f = make(v);
    struct bt__trainable all = {.embeddings = true, .first_layer = 0};
    run(&f, &all, true);
    /* the backward pass uses memory of the forward pass: copy what the differences would overwrite */
    for (size_t i = 0; i < f.m->params.n; i++) check_param(&f, &f.m->params.item[i]);
    drop(&f);
}

static void gradient_gelu(void **state)
{
    (void)state;
    check_all(&(struct variant){.act = BT__ACT_GELU, .layers = 3});
}

static void gradient_gelu_tanh(void **state)
{
    (void)state;
    check_all(&(struct variant){.act = BT__ACT_GELU_TANH, .layers = 2});
}

static void gradient_single_layer(void **state)
{
    (void)state;
    check_all(&(struct variant){.act = BT__ACT_GELU, .layers = 1});
}

/* Every head with every choice of rows. */
static void gradient_heads(void **state)
{
    (void)state;
    const enum bt__head heads[] = {BT__HEAD_POOLED, BT__HEAD_MEAN, BT__HEAD_TOKENS};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (int reads = FIRST; reads <= ALL; reads++)
            check_all(&(struct variant){.head = heads[i],
                                        .reads = (enum reads)reads,
                                        .layers = 1 + reads % 2,
                                        .no_dropout = i == 2 && reads == ALL});
}

/* With more than one block of the vocabulary, and with one. */
static void gradient_lm(void **state)
{
    (void)state;
    check_all(&(struct variant){
        .head = BT__HEAD_MLM, .reads = SOME, .layers = 2, .vocab = 2 * BT__LM_COLS + 50, .smoothing = 0.1});
    check_all(&(struct variant){.head = BT__HEAD_MLM, .reads = ALL, .layers = 1, .act = BT__ACT_GELU_TANH});
}

static const struct bt__lora everywhere = {.r = 4, .alpha = 6.0f, .dropout = 0.2f, .targets = 63};

/* The whole gradient as one array. */
static double *all_of(const struct fixture *f)
{
    double *g = malloc(f->m->params.total * sizeof *g);
    assert_non_null(g);
    for (size_t i = 0; i < f->m->params.total; i++) g[i] = gradient_at(f, i);
    return g;
}

static void same_bits(struct variant v)
{
    double *first = NULL;
    const int threads[] = {1, 2, 3, 5};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        v.threads = threads[t];
        struct fixture f = make(&v);
        struct bt__trainable all = {.embeddings = true, .first_layer = 0};
        run(&f, &all, true);
        double *g = all_of(&f);
        if (!first)
            first = g;
        else {
            assert_memory_equal(first, g, f.m->params.total * sizeof *g);
            free(g);
        }
        drop(&f);
    }
    free(first);
}

/* Layers that are computed again give what kept ones give, in less memory. */
static void check_recompute(struct variant v)
{
    double *kept = NULL;
    size_t bytes = 0, saved = 0;
    for (int k = 0; k < 2; k++) {
        v.recompute = k == 1;
        struct fixture f = make(&v);
        const struct bt__model_config *c = &f.m->config;
        struct bt__trainable all = {.embeddings = true, .first_layer = 0};
        run(&f, &all, true);
        run(&f, &all, false);
        double *g = all_of(&f);
        size_t rows = (size_t)f.b.rows.n, h = (size_t)c->hidden_size;
        saved =
            rows * (5 * h + (size_t)c->intermediate_size) + f.b.pair[SEQS] * (size_t)c->num_attention_heads;
        if (k == 0) {
            kept = g;
            bytes = bt__pass_bytes(f.m, &f.limits, 1);
        } else {
            assert_memory_equal(kept, g, f.m->params.total * sizeof *g);
            assert_true(bt__pass_bytes(f.m, &f.limits, 1) + (size_t)(v.layers - 2) * saved * sizeof(float) <
                        bytes);
            free(g);
        }
        drop(&f);
    }
    free(kept);
}

static void recompute(void **state)
{
    (void)state;
    check_recompute((struct variant){.layers = 4});
    check_recompute((struct variant){.layers = 4, .lora = everywhere});
    check_recompute((struct variant){.layers = 4, .bf16 = true});
    check_recompute((struct variant){.layers = 4, .head = BT__HEAD_TOKENS, .reads = ALL});
    check_recompute(
        (struct variant){.layers = 3, .head = BT__HEAD_MLM, .reads = SOME, .act = BT__ACT_GELU_TANH});
}

/* ── a kept prefix ── */

/* All sequences in other batches than f->b: the last ones first. */
static void pass_reversed(struct fixture *f)
{
    struct bt_error err;
    struct bt__batch b;
    assert_int_equal(bt__batch_reserve(&b, SEQS, f->b.rows.n, SEQS, &err), BT_OK);
    for (int i = SEQS - 1; i >= 0; i--) {
        const int at = f->b.start[i], n = f->b.start[i + 1] - at;
        assert_int_equal(bt__batch_add(&b, f->b.ids + at, f->b.types + at, n, NULL, i, &err), BT_OK);
        if (i != 5 && i != 0) continue;
        bt__batch_plan(&b);
        bt__pass_forward(f->p, &b);
        bt__batch_clear(&b);
    }
    bt__batch_free(&b);
}

static size_t logits_count(const struct fixture *f)
{
    return (size_t)bt__pass_logit_rows(f->m, &f->b)->n * LABELS;
}

/* Loss and gradient of what is trained, which must be those of g unless it is NULL; returns them. */
static double *run_kept(struct fixture *f, const struct bt__trainable *what, const double *g, double *loss)
{
    *loss = loss_of(f);
    bt__pass_backward(f->p, &f->b, f->dlogits, what, true);
    double *got = all_of(f);
    for (size_t i = 0; g && i < f->m->params.n; i++) {
        const struct bt__param *q = &f->m->params.item[i];
        if (!q->frozen) assert_memory_equal(g + q->offset, got + q->offset, q->count * sizeof *g);
    }
    return got;
}

/* A pass that begins above frozen layers gives the bits of a whole one. That it does begin there shows in embeddings that are spoilt meanwhile:
 * they no longer matter, except where dropout makes something new of them. */
static void check_prefix(struct variant v, int layers, int kept)
{
    struct fixture f = make(&v);
    struct bt__prefix *x;
    struct bt_error err;
    size_t start[SEQS + 1];
    double loss[3];
    float with_dropout[SEQS * LONGEST * LABELS];
    for (int i = 0; i <= SEQS; i++) start[i] = (size_t)f.b.start[i];
    f.m->config.hidden_dropout_prob = f.m->config.attention_probs_dropout_prob = 0.0f;
    bt__params_freeze(&f.m->params, &(struct bt__freeze){.embeddings = true, .layers = layers});
    const struct bt__trainable what = bt__params_trainable(&f.m->params);
    assert_int_equal(bt__prefix_layer(f.m), kept);
    double *g = run_kept(&f, &what, NULL, &loss[0]);
    assert_int_equal(bt__prefix_create(f.m, start, SEQS, &x, &err), BT_OK);
    bt__pass_use_prefix(f.p, x);
    pass_reversed(&f);
    for (size_t i = 0; i < VOCAB * 32; i++) f.m->w[f.m->word + i] = sign_at(i);
    double *again = run_kept(&f, &what, g, &loss[1]);
    assert_true(loss[0] == loss[1]);
    f.m->config.hidden_dropout_prob = 0.1f;
    bt__pass_dropout(f.p, true, 11, 4);
    memcpy(with_dropout, bt__pass_forward(f.p, &f.b), logits_count(&f) * sizeof *with_dropout);
    bt__pass_use_prefix(f.p, NULL);
    assert_memory_equal(with_dropout, bt__pass_forward(f.p, &f.b), logits_count(&f) * sizeof *with_dropout);
    f.m->config.hidden_dropout_prob = 0.0f;
    double *spoilt = run_kept(&f, &what, NULL, &loss[2]);
    assert_true(fabs(loss[2] - loss[0]) > 1e-3);
    free(g);
    free(again);
    free(spoilt);
    bt__prefix_free(x);
    drop(&f);
}

static void kept_prefix(void **state)
{
    (void)state;
    check_prefix((struct variant){.layers = 4}, 2, 2);
    check_prefix((struct variant){.layers = 3, .recompute = true}, 1, 1);
    check_prefix((struct variant){.layers = 4, .bf16 = true}, 2, 2);
    check_prefix((struct variant){.layers = 3}, 3, 2); /* only the head is trained */
    check_prefix((struct variant){.layers = 3, .head = BT__HEAD_TOKENS, .reads = ALL}, 2, 2);
    check_prefix((struct variant){.layers = 3, .head = BT__HEAD_TOKENS, .reads = SOME}, 2, 2);
    struct fixture f = make(&(struct variant){.layers = 2});
    bt__params_freeze(&f.m->params, &(struct bt__freeze){.layers = 1}); /* the embeddings are trained */
    assert_int_equal(bt__prefix_layer(f.m), 0);
    drop(&f);
}

/* Operands with 8 bits of fraction: the gradient of every parameter lies near that of fp32 and is another one; what stays in fp32 shows in the last bits
 * of the head's alone. */
static void check_bf16(struct variant v)
{
    static const double far = 0.05; /* of the parameter's gradient's norm, or of the smallest that counts */
    struct fixture fp32 = make(&v);
    v.bf16 = true;
    struct fixture f = make(&v);
    const struct bt__trainable all = {.embeddings = true};
    run(&fp32, &all, true);
    run(&f, &all, true);
    for (size_t i = 0; i < f.m->params.n; i++) {
        const struct bt__param *q = &f.m->params.item[i];
        double norm = 0.0, apart = 0.0;
        for (size_t j = q->offset; j < q->offset + q->count; j++) {
            const double g = gradient_at(&fp32, j), d = gradient_at(&f, j) - g;
            norm += g * g;
            apart += d * d;
        }
        if (sqrt(apart) > far * fmax(sqrt(norm), 1e-2))
            fail_msg("%s: %.3g from a gradient of %.3g", q->name, sqrt(apart), sqrt(norm));
        if (q->rank == 2 && q->layer >= 0 && !(apart > 0.0)) fail_msg("%s: the gradient of fp32", q->name);
    }
    drop(&f);
    drop(&fp32);
}

static void gradient_bf16(void **state)
{
    (void)state;
    check_bf16((struct variant){.layers = 2});
    check_bf16((struct variant){.layers = 2, .lora = everywhere});
    check_bf16((struct variant){.head = BT__HEAD_TOKENS, .reads = SOME, .layers = 2});
    check_bf16((struct variant){
        .head = BT__HEAD_MLM, .reads = SOME, .layers = 2, .vocab = 2 * BT__LM_COLS + 50, .smoothing = 0.1});
}

static void gradient_adapters(void **state)
{
    (void)state;
    check_all(&(struct variant){.layers = 2, .lora = everywhere});
    check_all(&(struct variant){
        .layers = 2, .lora = {.r = 18, .alpha = 9.0f, .targets = 1 << BT__LORA_QUERY | 1 << BT__LORA_VALUE}});
    check_all(&(struct variant){.head = BT__HEAD_TOKENS, .reads = ALL, .layers = 2, .lora = everywhere});
    check_all(&(struct variant){.head = BT__HEAD_TOKENS,
                                .reads = SOME,
                                .layers = 2,
                                .lora = {.r = 3,
                                         .alpha = 5.0f,
                                         .dropout = 0.3f,
                                         .first_layer = 1,
                                         .targets = 1 << BT__LORA_KEY | 1 << BT__LORA_DOWN}});
}

/* Frozen bases need no gradient and no memory for one; the adapters' is the same. */
static void check_frozen_base(struct variant v)
{
    struct fixture full = make(&v);
    v.frozen = true;
    struct fixture f = make(&v);
    const struct bt__trainable all = {.embeddings = true}, what = bt__params_trainable(&f.m->params);
    size_t trained = 0;
    assert_false(what.embeddings);
    assert_int_equal(what.first_layer, v.lora.first_layer);
    run(&full, &all, true);
    run(&f, &what, true);
    const struct bt__gradient *g = bt__pass_gradient(f.p);
    for (size_t i = 0; i < f.m->params.n; i++) {
        const struct bt__param *q = &f.m->params.item[i];
        if (q->frozen) continue;
        trained += q->count;
        for (size_t j = q->offset; j < q->offset + q->count; j++) {
            assert_true(j >= g->dense_begin);
            assert_true(gradient_at(&f, j) == gradient_at(&full, j));
        }
    }
    assert_true(g->dense_end - g->dense_begin < trained + 16 * f.m->params.n);
    drop(&full);
    drop(&f);
}

static void frozen_base(void **state)
{
    (void)state;
    check_frozen_base((struct variant){.layers = 3, .lora = everywhere});
    check_frozen_base((struct variant){.head = BT__HEAD_MLM, .reads = SOME, .layers = 2, .lora = everywhere});
    check_frozen_base((struct variant){.layers = 3, .recompute = true, .lora = everywhere});
    check_frozen_base((struct variant){.head = BT__HEAD_TOKENS,
                                       .reads = SOME,
                                       .layers = 3,
                                       .lora = {.r = 2, .alpha = 1.0f, .first_layer = 1, .targets = 5}});
}

static void same_bits_for_any_threads(void **state)
{
    (void)state;
    same_bits((struct variant){.layers = 3});
    same_bits((struct variant){.layers = 3, .bf16 = true});
    same_bits((struct variant){.layers = 3, .lora = everywhere});
    same_bits((struct variant){.head = BT__HEAD_TOKENS, .reads = SOME, .layers = 2, .lora = everywhere});
    same_bits((struct variant){.head = BT__HEAD_MEAN, .reads = SOME, .layers = 2});
    same_bits((struct variant){.head = BT__HEAD_TOKENS, .reads = SOME, .layers = 2});
    same_bits((struct variant){.head = BT__HEAD_TOKENS, .reads = ALL, .layers = 2});
    same_bits((struct variant){.head = BT__HEAD_MLM, .reads = SOME, .layers = 2, .vocab = BT__LM_COLS + 9});
}

/* The rows that are not read change nothing for those that are. */
static void subset_is_part_of_all(void **state)
{
    (void)state;
    struct fixture some = make(&(struct variant){.head = BT__HEAD_TOKENS, .reads = SOME, .layers = 2});
    struct fixture all = make(&(struct variant){.head = BT__HEAD_TOKENS, .reads = ALL, .layers = 2});
    bt__pass_dropout(some.p, false, 0, 0);
    bt__pass_dropout(all.p, false, 0, 0);
    const float *a = bt__pass_forward(some.p, &some.b), *b = bt__pass_forward(all.p, &all.b);
    assert_true(some.b.reads.n > SEQS && some.b.reads.n < some.b.rows.n);
    assert_int_equal(all.b.reads.n, all.b.rows.n);
    for (int i = 0; i < some.b.reads.n; i++)
        for (int c = 0; c < LABELS; c++)
            assert_true(fabs((double)a[i * LABELS + c] - (double)b[some.b.read[i] * LABELS + c]) < 1e-5);
    drop(&some);
    drop(&all);
}

static void check_second(const struct variant *v)
{
    struct fixture f = make(v);
    struct bt__trainable all = {.embeddings = true, .first_layer = 0};
    run(&f, &all, true);
    double *once = all_of(&f);
    run(&f, &all, false);
    double *twice = all_of(&f);
    for (size_t i = 0; i < f.m->params.total; i++) /* a tied embedding is a sum of two: the order differs */
        assert_true(v->head == BT__HEAD_MLM ? fabs(twice[i] - 2.0 * once[i]) <= 1e-5 * fabs(once[i]) + 1e-6
                                            : twice[i] == 2.0 * once[i]);
    run(&f, &all, true);
    double *again = all_of(&f);
    assert_memory_equal(once, again, f.m->params.total * sizeof *once);
    free(once);
    free(twice);
    free(again);
    drop(&f);
}

static void second_batch_adds_up(void **state)
{
    (void)state;
    check_second(&(struct variant){.layers = 2});
    check_second(
        &(struct variant){.head = BT__HEAD_MLM, .reads = SOME, .layers = 2, .vocab = BT__LM_COLS + 9});
}

/* What is frozen gets no gradient; what is not gets the same as without freezing. */
static void check_freezing(const struct variant *v)
{
    struct fixture f = make(v);
    const struct bt__trainable kinds[] = {{.embeddings = true, .first_layer = 0},
                                          {.embeddings = false, .first_layer = 2},
                                          {.embeddings = false, .first_layer = 3},
                                          {.embeddings = true, .first_layer = 2}};
    double *full = NULL;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct fixture g = make(v);
        run(&g, &kinds[k], true);
        double *all = all_of(&g);
        for (size_t i = 0; full && i < f.m->params.n; i++) {
            const struct bt__param *q = &f.m->params.item[i];
            bool trained = q->layer < 0 ? kinds[k].embeddings : q->layer >= kinds[k].first_layer;
            for (size_t j = q->offset; j < q->offset + q->count; j++)
                assert_true(all[j] == (trained ? full[j] : 0.0));
        }
        if (full)
            free(all);
        else
            full = all;
        drop(&g);
    }
    free(full);
    drop(&f);
}

static void freezing(void **state)
{
    (void)state;
    check_freezing(&(struct variant){.layers = 3});
    check_freezing(&(struct variant){.head = BT__HEAD_TOKENS, .reads = SOME, .layers = 3});
    check_freezing(&(struct variant){.head = BT__HEAD_MLM, .reads = SOME, .layers = 3});
}

/* The tied embedding's gradient is dense: the optimiser counts all of it, and moves words that no sequence has. */
static void tied_words_are_updated(void **state)
{
    (void)state;
    struct bt_error err;
    struct bt__optim *o;
    struct fixture f = make(&(struct variant){.head = BT__HEAD_MLM, .reads = SOME, .layers = 1, .vocab = 64});
    struct bt__optim_settings set = {.kind = BT__OPTIM_ADAMW,
                                     .beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .epsilon = 1e-12,
                                     .correct_bias = true,
                                     .layer_decay = 1.0,
                                     .head_rate_factor = 1.0};
    const struct bt__trainable all = {.embeddings = true, .first_layer = 0};
    run(&f, &all, true);
    double *g = all_of(&f), sum = 0.0;
    const struct bt__param *word = &f.m->params.item[0];
    float before[64 * 32];
    memcpy(before, f.m->w + word->offset, word->count * sizeof *before);
    for (size_t i = 0; i < f.m->params.total; i++) sum += g[i] * g[i];
    assert_int_equal(bt__optim_create(f.m, f.pool, &set, &o, &err), BT_OK);
    assert_true(fabs(bt__optim_norm(o, bt__pass_gradient(f.p)) / sqrt(sum) - 1.0) < 1e-6);
    bt__optim_step(o, bt__pass_gradient(f.p), 1, 1e-3, 1.0);
    for (size_t i = 0; i < word->count; i++) { /* the first step of Adam is the rate, against the gradient */
        double moved = (double)f.m->w[word->offset + i] - (double)before[i];
        assert_true(g[i] != 0.0 && fabs(moved + (g[i] > 0.0 ? 1e-3 : -1e-3)) < 1e-5);
    }
    bt__optim_free(o);
    free(g);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradient_gelu),
                                       cmocka_unit_test(gradient_gelu_tanh),
                                       cmocka_unit_test(gradient_single_layer),
                                       cmocka_unit_test(gradient_heads),
                                       cmocka_unit_test(gradient_lm),
                                       cmocka_unit_test(gradient_bf16),
                                       cmocka_unit_test(gradient_adapters),
                                       cmocka_unit_test(frozen_base),
                                       cmocka_unit_test(same_bits_for_any_threads),
                                       cmocka_unit_test(second_batch_adds_up),
                                       cmocka_unit_test(freezing),
                                       cmocka_unit_test(recompute),
                                       cmocka_unit_test(kept_prefix),
                                       cmocka_unit_test(subset_is_part_of_all),
                                       cmocka_unit_test(tied_words_are_updated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
