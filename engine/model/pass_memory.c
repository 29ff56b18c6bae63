#include "math/attention.h"
#include "model/pass_internal.h"

#include <stdlib.h>
#include <string.h>

/* Hands out 64-byte aligned pieces; without a base it only counts. */
struct carver {
    float *base;
    size_t used;
};

static float *carve(struct carver *c, size_t n)
{
    float *p = c->base ? c->base + c->used : NULL;
    c->used += (n + 15) / 16 * 16;
    return p;
}

static size_t zmax(size_t a, size_t b)
{
    return a > b ? a : b;
}

struct sizes {
    size_t r, s, q, z, h, f, heads, outputs, layers; /* q: rows that are read, z: of the logits */
};

/* The head has a row for each read. */
static bool by_read(const struct bt__model *m)
{
    return m->head.kind == BT__HEAD_TOKENS || m->head.kind == BT__HEAD_MLM;
}

static struct sizes sizes_of(const struct bt__model *m, const struct bt__pass_limits *l)
{
    return (struct sizes){.r = (size_t)l->rows,
                          .s = (size_t)l->seqs,
                          .q = (size_t)l->reads,
                          .z = (size_t)(by_read(m) ? l->reads : l->seqs),
                          .h = (size_t)m->config.hidden_size,
                          .f = (size_t)m->config.intermediate_size,
                          .heads = (size_t)m->config.num_attention_heads,
                          .outputs = (size_t)m->head.outputs,
                          .layers = (size_t)m->config.num_hidden_layers};
}

/* rows: of the queries; in the last layer those that are read. */
static void carve_layer(struct carver *c, struct bt__layer_mem *l, const struct sizes *z, size_t rows,
                        size_t pairs)
{
    *l = (struct bt__layer_mem){.qkv = carve(c, z->r * 3 * z->h),
                                .probs = carve(c, z->heads * pairs),
                                .ctx = carve(c, rows * z->h),
                                .xhat1 = carve(c, rows * z->h),
                                .rstd1 = carve(c, rows),
                                .pre = carve(c, rows * z->f),
                                .xhat2 = carve(c, rows * z->h),
                                .rstd2 = carve(c, rows)};
}

/* Narrow sides of the adapters, kept in training whatever is computed again. */
static void carve_adapters(struct carver *c, struct bt__pass *p, const struct sizes *z)
{
    const struct bt__lora *lora = &p->m->config.lora;
    for (int kind = 0; lora->r > 0 && kind < BT__LORA_KINDS; kind++) {
        if (!(lora->targets >> kind & 1)) continue;
        const size_t n = z->r * (size_t)lora->r;
        for (size_t i = 0; i < z->layers; i++)
            p->layer[i].low[kind] = i && !p->limits.train ? p->layer[0].low[kind] : carve(c, n);
        if (p->limits.train) p->dlow[kind] = carve(c, n);
    }
}

static void carve_layers(struct carver *c, struct bt__pass *p, const struct sizes *z)
{
    const struct bt__pass_limits *l = &p->limits;
    if (!l->train || l->recompute) {
        carve_layer(c, &p->layer[0], z, z->r, l->pairs);
        for (size_t i = 1; i < z->layers; i++) p->layer[i] = p->layer[0];
        for (size_t i = 1; l->train && i < z->layers; i++) {
            size_t rows = i + 1 < z->layers ? z->r : z->q;
            p->layer[i].xhat2 = carve(c, rows * z->h);
            p->layer[i].rstd2 = carve(c, rows);
        }
        return;
    }
    for (size_t i = 0; i + 1 < z->layers; i++) carve_layer(c, &p->layer[i], z, z->r, l->pairs);
    carve_layer(c, &p->layer[z->layers - 1], z, z->q, l->read_pairs);
}

static void carve_lm(struct carver *c, struct bt__lm_mem *lm, const struct sizes *z, bool train)
{
    lm->pre = carve(c, z->q * z->h);
    lm->act = carve(c, z->q * z->h);
    lm->xhat = carve(c, z->q * z->h);
    lm->rstd = carve(c, z->q);
    lm->block = carve(c, z->q * BT__LM_COLS);
    if (train) lm->d = carve(c, z->q * z->h);
}

static void carve_shared(struct carver *c, struct bt__pass *p, const struct sizes *z)
{
    p->emb_xhat = carve(c, z->r * z->h);
    p->emb_rstd = carve(c, z->r);
    p->x0 = carve(c, z->r * z->h);
    p->x = carve(c, z->r * z->h);
    p->h1 = carve(c, z->r * z->h);
    p->act = carve(c, z->r * z->f);
    p->out = carve(c, z->r * z->h);
    p->x_top = carve(c, z->q * z->h);
    p->q_top = carve(c, z->q * z->h);
    p->y_top = carve(c, z->q * z->h);
    p->first_read = carve(c, z->s * z->h);
    p->pooled = carve(c, z->s * z->h);
    p->head_in = carve(c, z->z * z->h);
    if (p->m->head.kind == BT__HEAD_MLM)
        carve_lm(c, &p->lm, z, p->limits.train);
    else
        p->logits = carve(c, z->z * z->outputs);
}

static void carve_backward(struct carver *c, struct bt__pass *p, const struct sizes *z)
{
    p->dy = carve(c, z->r * z->h);
    p->ds = carve(c, z->r * z->h);
    p->df = carve(c, z->r * z->h);
    p->dqkv = carve(c, z->r * 3 * z->h);
    p->dpre = carve(c, z->r * z->f);
    p->dhead = carve(c, z->z * z->h);
    p->dq_top = carve(c, z->q * z->h);
    p->dx_top = carve(c, z->q * z->h);
    p->grad.dense = carve(c, p->grad.dense_end - p->grad.dense_begin);
    if (!bt__pass_dense_words(p)) p->word = carve(c, (size_t)p->word_cap * z->h);
}

static size_t largest(const size_t *of, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) most = zmax(most, of[i]);
    return most;
}

#define LARGEST(...)                                                                                         \
    largest((const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* Room for the packed operands of any phase: weights, left operands if they are packed, and in the backward pass activations beside them. */
static size_t panel_floats(const struct bt__pass *p, const struct sizes *z)
{
    const struct bt__products *by = p->by;
    const int h = (int)z->h, f = (int)z->f, r = (int)z->r, q = (int)z->q, rank = p->m->config.lora.r;
    const bool mlm = p->m->head.kind == BT__HEAD_MLM;
    const int out = mlm ? BT__LM_COLS : (int)z->outputs;
    const int ph = bt__packed(by, h), pf = bt__packed(by, f), p3h = bt__packed(by, 3 * h);
    const size_t square = bt__panel_floats(h, ph);
    size_t weights = LARGEST(bt__panel_floats(2 * h, ph) + square, bt__panel_floats(h, p3h) + square,
                             bt__panel_floats(f, ph), bt__panel_floats(h, pf), bt__panel_floats(h, h),
                             bt__panel_floats(out, h), bt__panel_floats(h, out));
    if (by->pack_rows)
        weights +=
            (z->r + z->q) * (LARGEST((size_t)p3h, (size_t)pf, (size_t)bt__packed(by, mlm ? BT__LM_COLS : 0)) +
                             BT__PACKED_GAP);
    if (!p->limits.train || p->limits.inputs) return weights;
    const size_t wide = bt__panel_floats(h, r), narrow = bt__panel_floats(rank, r);
    const size_t inputs =
        LARGEST(wide + bt__panel_floats(h, q), wide + bt__panel_floats(f, r), bt__panel_floats(h, (int)z->z));
    const size_t adapters = LARGEST(3 * (wide + narrow), wide + bt__panel_floats(f, r) + 2 * narrow);
    return zmax(weights + inputs, rank > 0 ? adapters : 0);
}

static void carve_all(struct carver *c, struct bt__pass *p, int threads)
{
    const struct sizes z = sizes_of(p->m, &p->limits);
    carve_layers(c, p, &z);
    carve_adapters(c, p, &z);
    carve_shared(c, p, &z);
    if (p->limits.train) carve_backward(c, p, &z);
    p->panels = carve(c, panel_floats(p, &z));
    const size_t attention = bt__attention_scratch(p->limits.longest, (int)(z.h / z.heads), p->limits.train);
    p->scratch_size = LARGEST(attention, bt__weight_scratch(), (BT__SHARDS + 1) * z.h);
    for (int t = 0; t < threads; t++) {
        float *s = carve(c, p->scratch_size);
        if (p->scratch) p->scratch[t] = s;
    }
}

/* Nothing below the lowest parameter that is trained needs room for a gradient; word embeddings have theirs apart, except if the
 * head's decoder is tied to them. */
static size_t first_dense(const struct bt__model *m, bool inputs)
{
    for (size_t i = 0; !inputs && i < m->params.n; i++) {
        const struct bt__param *q = &m->params.item[i];
        if (!q->frozen && (q->offset != m->word || m->head.kind == BT__HEAD_MLM)) return q->offset;
    }
    return m->params.total;
}

static void set_limits(struct bt__pass *p, struct bt__model *m, const struct bt__pass_limits *limits)
{
    p->m = m;
    p->k = bt__kernels();
    p->by = limits->bf16 ? &p->k->bf16 : &p->k->fp32;
    p->limits = *limits;
    bt__pass_limits_complete(&p->limits);
    p->grad.dense_begin = first_dense(m, p->limits.inputs);
    p->grad.dense_end = m->params.total;
    const long most = limits->step_rows > limits->rows ? limits->step_rows : limits->rows;
    p->word_cap = limits->train && !limits->inputs && !bt__params_at(&m->params, m->word)->frozen
                      ? (int)(most < m->config.vocab_size ? most : m->config.vocab_size)
                      : 0;
}

size_t bt__pass_bytes(const struct bt__model *m, const struct bt__pass_limits *limits, int threads)
{
    struct bt__model copy = *m; /* only its sizes are read */
    struct bt__pass p = {.k = NULL};
    struct carver c = {.base = NULL};
    set_limits(&p, &copy, limits);
    p.layer = calloc((size_t)m->config.num_hidden_layers, sizeof *p.layer);
    if (!p.layer) return SIZE_MAX;
    carve_all(&c, &p, threads);
    free(p.layer);
    size_t tables = (size_t)m->config.vocab_size + 2 * (size_t)p.word_cap + 1 + (size_t)limits->rows;
    size_t rows = m->head.kind == BT__HEAD_MLM ? (size_t)p.limits.reads * sizeof *p.lm.row : 0;
    return (c.used + (limits->train ? tables : 0)) * sizeof(float) + rows;
}

static bool reserve_tables(struct bt__pass *p)
{
    if (p->m->head.kind == BT__HEAD_MLM) {
        p->lm.row = calloc((size_t)p->limits.reads + 1, sizeof *p->lm.row);
        if (!p->lm.row) return false;
    }
    if (!p->limits.train) return true;
    size_t v = (size_t)p->m->config.vocab_size;
    p->word_id = calloc((size_t)p->word_cap + 1, sizeof *p->word_id);
    p->slot = calloc(v, sizeof *p->slot);
    p->group_start = calloc((size_t)p->word_cap + 2, sizeof *p->group_start);
    p->group_row = calloc((size_t)p->limits.rows + 1, sizeof *p->group_row);
    if (!p->word_id || !p->slot || !p->group_start || !p->group_row) return false;
    for (size_t i = 0; i < v; i++) p->slot[i] = -1;
    p->grad.word = p->word;
    p->grad.word_id = p->word_id;
    p->grad.slot = p->slot;
    return true;
}

enum bt_status bt__pass_create(struct bt__model *m, struct bt__pool *pool,
                               const struct bt__pass_limits *limits, struct bt__pass **out,
                               struct bt_error *err)
{
    int threads = bt__pool_threads(pool);
    struct bt__pass *p = calloc(1, sizeof *p);
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for a pass");
    set_limits(p, m, limits);
    p->pool = pool;
    p->layer = calloc((size_t)m->config.num_hidden_layers, sizeof *p->layer);
    p->scratch = calloc((size_t)threads, sizeof *p->scratch);
    struct carver c = {.base = NULL};
    if (p->layer && p->scratch) {
        carve_all(&c, p, threads);
        p->arena_size = c.used;
        c = (struct carver){.base = p->arena = bt__floats_alloc(p->arena_size)};
    }
    if (p->arena) carve_all(&c, p, threads);
    if (!p->arena || !reserve_tables(p)) {
        size_t mib = p->arena_size * sizeof(float) >> 20;
        bt__pass_free(p);
        return bt_fail(err, BT_NOMEM, "no memory for the activations of %d tokens: %zu MiB", limits->rows,
                       mib);
    }
    *out = p;
    return BT_OK;
}

void bt__pass_free(struct bt__pass *p)
{
    if (!p) return;
    bt__floats_free(p->arena, p->arena_size);
    free(p->layer);
    free(p->scratch);
    free(p->lm.row);
    free(p->word_id);
    free(p->slot);
    free(p->group_start);
    free(p->group_row);
    free(p);
}

const struct bt__gradient *bt__pass_gradient(const struct bt__pass *p)
{
    return &p->grad;
}
