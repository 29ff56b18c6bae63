#include "model/model.h"

#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

float *bt__floats_alloc(size_t n)
{
    void *p = mmap(NULL, n * sizeof(float) + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, n * sizeof(float) + 1, MADV_HUGEPAGE); /* advice: its refusal changes nothing but speed */
    return p;
}

void bt__floats_free(float *p, size_t n)
{
    if (p) munmap(p, n * sizeof(float) + 1);
}

enum { TOUCHED = 2 << 20 /* bytes an item: a large page */, PAGE = 4096 };

static void touch_item(void *ctx, int item, int thread)
{
    volatile char *p = ctx;
    (void)thread;
    for (size_t at = 0; at < TOUCHED; at += PAGE) p[(size_t)item * TOUCHED + at] = 0;
}

void bt__floats_touch(struct bt__pool *pool, float *p, size_t n)
{
    const size_t bytes = n * sizeof *p, whole = bytes / TOUCHED; /* the rest comes when it is used */
    if (p) bt__pool_run(pool, (int)whole, touch_item, p);
}

void bt__floats_sparse(float *p, size_t n)
{
    const uintptr_t page = 4096;
    uintptr_t begin = ((uintptr_t)p + page - 1) & ~(page - 1), end = (uintptr_t)(p + n) & ~(page - 1);
    if (begin < end) madvise((void *)begin, end - begin, MADV_NOHUGEPAGE);
}

static size_t at(const struct bt__model *m, size_t i)
{
    return m->params.item[i].offset;
}

/* Behind everything else. */
static void place_adapters(struct bt__model *m)
{
    size_t i = 0;
    while (i < m->params.n && !m->params.item[i].adapter) i++;
    for (int l = m->config.lora.first_layer; i < m->params.n; l++)
        for (int kind = 0; kind < BT__LORA_KINDS; kind++) {
            if (!(m->config.lora.targets >> kind & 1)) continue;
            m->layer[l].lora_a[kind] = at(m, i++);
            m->layer[l].lora_b[kind] = at(m, i++);
        }
}

/* The order of bt__params_build. */
static void place(struct bt__model *m)
{
    m->word = at(m, 0);
    m->position = at(m, 1);
    m->type = at(m, 2);
    m->norm_w = at(m, 3);
    m->norm_b = at(m, 4);
    size_t i = 5;
    for (int l = 0; l < m->config.num_hidden_layers; l++, i += 16)
        m->layer[l] = (struct bt__layer_at){.qkv_w = at(m, i),
                                            .qkv_b = at(m, i + 3),
                                            .out_w = at(m, i + 6),
                                            .out_b = at(m, i + 7),
                                            .norm1_w = at(m, i + 8),
                                            .norm1_b = at(m, i + 9),
                                            .up_w = at(m, i + 10),
                                            .up_b = at(m, i + 11),
                                            .down_w = at(m, i + 12),
                                            .down_b = at(m, i + 13),
                                            .norm2_w = at(m, i + 14),
                                            .norm2_b = at(m, i + 15)};
    if (m->head.kind == BT__HEAD_POOLED) {
        m->pooler_w = at(m, i++);
        m->pooler_b = at(m, i++);
    }
    place_adapters(m);
    if (m->head.kind == BT__HEAD_MLM) {
        m->lm = (struct bt__lm_at){.dense_w = at(m, i),
                                   .dense_b = at(m, i + 1),
                                   .norm_w = at(m, i + 2),
                                   .norm_b = at(m, i + 3),
                                   .bias = at(m, i + 4)};
        return;
    }
    m->head_w = at(m, i);
    m->head_b = at(m, i + 1);
}

enum bt_status bt__model_create(const struct bt__model_config *config, const struct bt__head_spec *head,
                                struct bt__model **out, struct bt_error *err)
{
    struct bt__model *m = calloc(1, sizeof *m);
    if (!m) return bt_fail(err, BT_NOMEM, "no memory for a model");
    m->head = *head;
    if (head->kind == BT__HEAD_MLM) m->head.outputs = config->vocab_size;
    m->num_labels = m->head.outputs;
    enum bt_status st = bt__model_config_copy(&m->config, config, err);
    m->config.mean_pooling = head->kind == BT__HEAD_MEAN;
    if (st == BT_OK) st = bt__params_build(&m->params, config, head, err);
    if (st == BT_OK) {
        m->layer = calloc((size_t)config->num_hidden_layers, sizeof *m->layer);
        m->w = bt__floats_alloc(m->params.total);
        if (!m->layer || !m->w)
            st = bt_fail(err, BT_NOMEM, "no memory for the model's weights: %zu MiB",
                         (m->params.total * 4) >> 20);
    }
    if (st != BT_OK) {
        bt__model_free(m);
        return st;
    }
    place(m);
    *out = m;
    return BT_OK;
}

void bt__model_free(struct bt__model *m)
{
    if (!m) return;
    bt__floats_free(m->w, m->params.total);
    bt__params_free(&m->params);
    bt__model_config_free(&m->config);
    free(m->layer);
    free(m);
}

/* Box and Muller's method: two uniform numbers make one normal one. */
static float normal(struct bt__rng key, uint32_t i)
{
    double u = 1.0 - bt__rng_uniform(key, 2 * i), v = bt__rng_uniform(key, 2 * i + 1);
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

/* FNV-1a */
static uint64_t hash_name(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

/* Uniform in ±1/√in (Kaiming's with a = √5), as the reference draws A; B is zero. */
static void init_adapter(const struct bt__param *p, struct bt__rng key, float *w)
{
    const bool zero = strstr(p->name, "lora_B") != NULL;
    const double bound = 1.0 / sqrt((double)p->cols);
    for (size_t i = 0; i < p->count; i++)
        w[i] = zero ? 0.0f : (float)(bound * (2.0 * bt__rng_uniform(key, (uint32_t)i) - 1.0));
}

static void init_one(struct bt__model *m, const struct bt__param *p, uint64_t seed)
{
    float *w = m->w + p->offset;
    if (p->rank == 1) {
        bool one = strstr(p->name, "LayerNorm.weight") != NULL;
        for (size_t i = 0; i < p->count; i++) w[i] = one ? 1.0f : 0.0f;
        return;
    }
    struct bt__rng key = bt__rng_key(seed, BT__STREAM_INIT, hash_name(p->name));
    if (p->adapter) {
        init_adapter(p, key, w);
        return;
    }
    for (size_t i = 0; i < p->count; i++) w[i] = m->config.initializer_range * normal(key, (uint32_t)i);
}

void bt__model_init(struct bt__model *m, uint64_t seed, const bool *only)
{
    for (size_t i = 0; i < m->params.n; i++)
        if (!only || only[i]) init_one(m, &m->params.item[i], seed);
}

void bt__model_redrawn(const struct bt__model *m, int top_layers, bool pooler, bool *only)
{
    const int layers = m->config.num_hidden_layers;
    for (size_t i = 0; i < m->params.n; i++) {
        const struct bt__param *p = &m->params.item[i];
        if (p->layer >= layers - top_layers && p->layer < layers) only[i] = true;
        if (p->optional && pooler) only[i] = true;
    }
}
