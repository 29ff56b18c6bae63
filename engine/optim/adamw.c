#include "optim/adamw.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 16384 /* floats */, WORDS = 32 /* gradient rows a norm item */ };

struct chunk {
    size_t begin, n; /* offset in the arena; of a word embedding: whole rows */
    bool word;
    int param;
};

struct rate {
    double factor; /* of the learning rate */
    bool decay;
};

struct bt__adam {
    struct bt__model *m;
    struct bt__pool *pool;
    const struct bt__kernels *k;
    struct bt__adam_settings set;
    float *first, *second;
    struct chunk *chunk;
    int chunks;
    struct rate *rate;      /* [params.n] */
    struct bt__adamw *coef; /* [params.n], of the update in progress */
    double *partial;        /* sums of squares */
    int partials;
    float *zeros; /* [H]: the gradient of a word that the batch does not have */
    bool *seen;   /* [vocab_size]: words that ever had a gradient; the moments of the others are zero */
    const struct bt__gradient *g;
};

static bool trained(const struct bt__adam *a, const struct bt__param *p)
{
    if (p->layer < 0) return a->set.trainable.embeddings;
    return p->layer >= a->set.trainable.first_layer;
}

/* Floats of one chunk of a parameter. */
static size_t chunk_size(const struct bt__param *p, bool word)
{
    size_t row = (size_t)p->cols;
    if (!word) return CHUNK;
    return row >= CHUNK ? row : CHUNK / row * row;
}

/* Fills table (unless NULL) and returns the number of chunks. */
static int cut(const struct bt__adam *a, struct chunk *table)
{
    int n = 0;
    for (size_t i = 0; i < a->m->params.n; i++) {
        const struct bt__param *p = &a->m->params.item[i];
        if (!trained(a, p)) continue;
        bool word = p->offset == a->m->word;
        size_t size = chunk_size(p, word);
        for (size_t at = 0; at < p->count; at += size, n++)
            if (table)
                table[n] = (struct chunk){.begin = p->offset + at,
                                          .n = p->count - at < size ? p->count - at : size,
                                          .word = word,
                                          .param = (int)i};
    }
    return n;
}

static void set_rates(struct bt__adam *a)
{
    const int layers = a->m->config.num_hidden_layers;
    for (size_t i = 0; i < a->m->params.n; i++) {
        const struct bt__param *p = &a->m->params.item[i];
        double factor = pow(a->set.layer_decay, layers - p->layer);
        a->rate[i] = (struct rate){.factor = p->head ? a->set.head_rate_factor : factor, .decay = p->decay};
    }
}

enum bt_status bt__adam_create(struct bt__model *m, struct bt__pool *pool,
                               const struct bt__adam_settings *settings, struct bt__adam **out,
                               struct bt_error *err)
{
    struct bt__adam *a = calloc(1, sizeof *a);
    if (!a) return bt_fail(err, BT_NOMEM, "no memory for the optimiser");
    *a = (struct bt__adam){.m = m, .pool = pool, .k = bt__kernels(), .set = *settings};
    a->chunks = cut(a, NULL);
    a->partials = a->chunks + m->config.vocab_size / WORDS + 1;
    a->first = bt__floats_alloc(m->params.total);
    a->second = bt__floats_alloc(m->params.total);
    a->chunk = calloc((size_t)a->chunks + 1, sizeof *a->chunk);
    a->rate = calloc(m->params.n, sizeof *a->rate);
    a->coef = calloc(m->params.n, sizeof *a->coef);
    a->partial = calloc((size_t)a->partials, sizeof *a->partial);
    a->zeros = calloc((size_t)m->config.hidden_size, sizeof *a->zeros);
    a->seen = calloc((size_t)m->config.vocab_size, sizeof *a->seen);
    if (!a->first || !a->second || !a->chunk || !a->rate || !a->coef || !a->partial || !a->zeros ||
        !a->seen) {
        bt__adam_free(a);
        return bt_fail(err, BT_NOMEM, "no memory for the optimiser: %zu MiB", (m->params.total * 8) >> 20);
    }
    cut(a, a->chunk);
    set_rates(a);
    size_t words = (size_t)m->config.vocab_size * (size_t)m->config.hidden_size;
    bt__floats_sparse(a->first + m->word, words);
    bt__floats_sparse(a->second + m->word, words);
    *out = a;
    return BT_OK;
}

void bt__adam_free(struct bt__adam *a)
{
    if (!a) return;
    bt__floats_free(a->first, a->m->params.total);
    bt__floats_free(a->second, a->m->params.total);
    free(a->chunk);
    free(a->rate);
    free(a->coef);
    free(a->partial);
    free(a->zeros);
    free(a->seen);
    free(a);
}

float *bt__adam_first(struct bt__adam *a)
{
    return a->first;
}

float *bt__adam_second(struct bt__adam *a)
{
    return a->second;
}

static bool any(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0.0f) return true;
    return false;
}

void bt__adam_loaded(struct bt__adam *a)
{
    const size_t h = (size_t)a->m->config.hidden_size;
    for (size_t i = 0; i < (size_t)a->m->config.vocab_size; i++) {
        size_t at = a->m->word + i * h;
        a->seen[i] = any(a->first + at, h) || any(a->second + at, h);
    }
}

static void norm_item(void *ctx, int item, int thread)
{
    struct bt__adam *a = ctx;
    const struct bt__gradient *g = a->g;
    const size_t h = (size_t)a->m->config.hidden_size;
    (void)thread;
    if (item < a->chunks) {
        const struct chunk *c = &a->chunk[item];
        a->partial[item] = c->word ? 0.0 : a->k->sumsq(c->n, g->dense + (c->begin - g->dense_begin));
        return;
    }
    int first = (item - a->chunks) * WORDS;
    int n = g->n_words - first < WORDS ? g->n_words - first : WORDS;
    a->partial[item] = a->k->sumsq((size_t)n * h, g->word + (size_t)first * h);
}

double bt__adam_norm(struct bt__adam *a, const struct bt__gradient *g)
{
    int words = a->set.trainable.embeddings ? (g->n_words + WORDS - 1) / WORDS : 0;
    double sum = 0.0;
    a->g = g;
    bt__pool_run(a->pool, a->chunks + words, norm_item, a);
    for (int i = 0; i < a->chunks + words; i++) sum += a->partial[i];
    return sqrt(sum);
}

/* Of a word that never had a gradient only the decay is left: the same bits as the whole formula with zeros, without touching its moments. */
static void word_chunk(struct bt__adam *a, const struct chunk *c)
{
    const size_t h = (size_t)a->m->config.hidden_size, first = (c->begin - a->m->word) / h;
    const struct bt__adamw *k = &a->coef[c->param];
    for (size_t r = 0; r < c->n / h; r++) {
        int32_t slot = a->g->slot[first + r];
        size_t at = c->begin + r * h;
        if (slot >= 0) a->seen[first + r] = true;
        if (a->seen[first + r])
            a->k->adamw(h, a->m->w + at, slot < 0 ? a->zeros : a->g->word + (size_t)slot * h, a->first + at,
                        a->second + at, k);
        else if (k->keep != 1.0f)
            a->k->scale(h, a->m->w + at, k->keep);
    }
}

static void step_item(void *ctx, int item, int thread)
{
    struct bt__adam *a = ctx;
    const struct chunk *c = &a->chunk[item];
    (void)thread;
    if (c->word)
        word_chunk(a, c);
    else
        a->k->adamw(c->n, a->m->w + c->begin, a->g->dense + (c->begin - a->g->dense_begin),
                    a->first + c->begin, a->second + c->begin, &a->coef[c->param]);
}

void bt__adam_step(struct bt__adam *a, const struct bt__gradient *g, int64_t t, double lr, double scale)
{
    const struct bt__adam_settings *s = &a->set;
    double bias1 = s->correct_bias ? 1.0 - pow(s->beta1, (double)t) : 1.0;
    double bias2 = s->correct_bias ? 1.0 - pow(s->beta2, (double)t) : 1.0;
    for (size_t i = 0; i < a->m->params.n; i++) {
        double rate = lr * a->rate[i].factor;
        a->coef[i] =
            (struct bt__adamw){.clip = (float)scale,
                               .beta1 = (float)s->beta1,
                               .beta2 = (float)s->beta2,
                               .epsilon = (float)s->epsilon,
                               .step = (float)(rate / bias1),
                               .root = (float)(1.0 / sqrt(bias2)),
                               .keep = (float)(1.0 - rate * (a->rate[i].decay ? s->weight_decay : 0.0))};
    }
    a->g = g;
    bt__pool_run(a->pool, a->chunks, step_item, a);
}
