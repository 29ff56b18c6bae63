#include "optim/optim_parts.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 16384 /* floats */, WORDS = 32 /* gradient rows a norm item */, ALIGN = 16 /* floats */ };

struct bt__optim_chunk {
    size_t begin, n; /* in the parameter; of a word embedding: whole rows */
    size_t param;
    bool word;
};

#define OPTIM(constant, name) extern const struct bt__optim_ops bt__optim_##name;
#include "optim/optim.def"
#undef OPTIM

static const struct bt__optim_ops *const table[] = {
#define OPTIM(constant, name) [BT__OPTIM_##constant] = &bt__optim_##name,
#include "optim/optim.def"
#undef OPTIM
};

const char *bt__optim_name(enum bt__optim_kind kind)
{
    return table[kind]->name;
}

/* ── the state ── */

static size_t elements(const struct bt__optim_slot *s)
{
    return (size_t)s->shape[0] * (s->rank == 2 ? (size_t)s->shape[1] : 1);
}

/* Places every slot (unless at is NULL) and returns the number of floats; saved: only of those that are saved. */
static size_t lay_out(const struct bt__model *m, const struct bt__optim_settings *s,
                      size_t (*at)[BT__OPTIM_SLOTS], bool saved)
{
    size_t total = 0;
    for (size_t i = 0; i < m->params.n; i++) {
        struct bt__optim_slot slot[BT__OPTIM_SLOTS];
        if (m->params.item[i].frozen) continue;
        int n = table[s->kind]->slots(s, &m->params.item[i], slot);
        for (int j = 0; j < n; j++) {
            if (saved && !slot[j].name) continue;
            if (at) at[i][j] = total;
            total += (elements(&slot[j]) + ALIGN - 1) / ALIGN * ALIGN;
        }
    }
    return total;
}

size_t bt__optim_bytes(const struct bt__model *m, const struct bt__optim_settings *s)
{
    return lay_out(m, s, NULL, false) * sizeof(float);
}

size_t bt__optim_saved_bytes(const struct bt__model *m, const struct bt__optim_settings *s)
{
    return lay_out(m, s, NULL, true) * sizeof(float);
}

/* Slot j of parameter i as a tensor; false: there is none, or it is scratch. */
static bool tensor_of(const struct bt__optim *o, size_t i, int j, struct bt__optim_tensor *t)
{
    const struct bt__param *p = &o->m->params.item[i];
    struct bt__optim_slot slot[BT__OPTIM_SLOTS];
    if (p->frozen || j >= o->ops->slots(&o->set, p, slot) || !slot[j].name) return false;
    *t = (struct bt__optim_tensor){.slot = slot[j].name,
                                   .param = p,
                                   .rank = slot[j].rank,
                                   .shape = {slot[j].shape[0], slot[j].shape[1]},
                                   .count = elements(&slot[j]),
                                   .data = bt__optim_state(o, i, j)};
    return true;
}

size_t bt__optim_tensors(const struct bt__optim *o)
{
    struct bt__optim_tensor t;
    size_t n = 0;
    for (size_t i = 0; i < o->m->params.n; i++)
        for (int j = 0; j < BT__OPTIM_SLOTS; j++) n += tensor_of(o, i, j, &t);
    return n;
}

struct bt__optim_tensor bt__optim_tensor(const struct bt__optim *o, size_t number)
{
    struct bt__optim_tensor t = {.slot = NULL};
    size_t n = 0;
    for (size_t i = 0; i < o->m->params.n; i++)
        for (int j = 0; j < BT__OPTIM_SLOTS; j++)
            if (tensor_of(o, i, j, &t) && n++ == number) return t;
    return t;
}

/* Moments of words that never come are never touched: they take no memory if the pages are small. */
static void spare_words(struct bt__optim *o)
{
    struct bt__optim_tensor t;
    for (size_t i = 0; i < o->m->params.n; i++)
        for (int j = 0; j < BT__OPTIM_SLOTS; j++)
            if (tensor_of(o, i, j, &t) && t.param->offset == o->m->word && t.count == t.param->count)
                bt__floats_sparse(t.data, t.count);
}

/* ── pieces ── */

/* Floats of one chunk of a parameter. */
static size_t chunk_size(const struct bt__param *p, bool word)
{
    size_t row = (size_t)p->cols;
    if (!word) return CHUNK;
    return row >= CHUNK ? row : CHUNK / row * row;
}

/* Fills chunk (unless NULL) and returns the number of chunks. */
static int cut(const struct bt__optim *o, struct bt__optim_chunk *chunk)
{
    int n = 0;
    for (size_t i = 0; i < o->m->params.n; i++) {
        const struct bt__param *p = &o->m->params.item[i];
        if (p->frozen) continue;
        bool word = p->offset == o->m->word;
        size_t size = chunk_size(p, word);
        for (size_t at = 0; at < p->count; at += size, n++)
            if (chunk)
                chunk[n] = (struct bt__optim_chunk){
                    .begin = at, .n = p->count - at < size ? p->count - at : size, .word = word, .param = i};
    }
    return n;
}

static struct bt__optim_piece piece_of(const struct bt__optim *o, const struct bt__optim_chunk *c, size_t at,
                                       size_t n)
{
    struct bt__optim_piece p = {.param = c->param, .n = n};
    p.w = o->m->w + o->m->params.item[c->param].offset + at;
    for (int i = 0; i < BT__OPTIM_SLOTS; i++)
        if (o->at[c->param][i] != SIZE_MAX) p.slot[i] = bt__optim_state(o, c->param, i) + at;
    return p;
}

/* Of a word that never had a gradient only the decay is left: the same bits as the whole formula with zeros, without touching its state. */
static void word_chunk(struct bt__optim *o, const struct bt__optim_chunk *c)
{
    const size_t h = (size_t)o->m->config.hidden_size, first = c->begin / h;
    for (size_t r = 0; r < c->n / h; r++) {
        struct bt__optim_piece p = piece_of(o, c, c->begin + r * h, h);
        const float *g = bt__optim_word_gradient(o, first + r);
        if (g) o->seen[first + r] = true;
        p.g = g ? g : o->zeros;
        if (o->seen[first + r])
            o->update(o, &p);
        else if (o->rate[c->param].keep != 1.0f)
            o->k->scale(h, p.w, o->rate[c->param].keep);
    }
}

static void chunk_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    const struct bt__optim_chunk *c = &o->chunk[item];
    (void)thread;
    if (c->word) {
        word_chunk(o, c);
        return;
    }
    struct bt__optim_piece p = piece_of(o, c, c->begin, c->n);
    p.g = bt__optim_gradient(o, &o->m->params.item[c->param], c->begin);
    o->update(o, &p);
}

void bt__optim_elementwise(struct bt__optim *o,
                           void (*fn)(struct bt__optim *o, const struct bt__optim_piece *p))
{
    o->update = fn;
    bt__pool_run(o->pool, o->chunks, chunk_item, o);
}

/* ── creation ── */

static bool reserve(struct bt__optim *o)
{
    const struct bt__model *m = o->m;
    o->chunks = cut(o, NULL);
    o->state_n = lay_out(m, &o->set, NULL, false);
    o->state = bt__floats_alloc(o->state_n);
    o->at = calloc(m->params.n, sizeof *o->at);
    o->chunk = calloc((size_t)o->chunks + 1, sizeof *o->chunk);
    o->rate = calloc(m->params.n, sizeof *o->rate);
    o->partial = calloc((size_t)(o->chunks + m->config.vocab_size / WORDS + 1), sizeof *o->partial);
    o->zeros = calloc((size_t)m->config.hidden_size, sizeof *o->zeros);
    o->seen = calloc((size_t)m->config.vocab_size, sizeof *o->seen);
    if (!o->state || !o->at || !o->chunk || !o->rate || !o->partial || !o->zeros || !o->seen) return false;
    for (size_t i = 0; i < m->params.n; i++)
        for (int j = 0; j < BT__OPTIM_SLOTS; j++) o->at[i][j] = SIZE_MAX;
    lay_out(m, &o->set, o->at, false);
    cut(o, o->chunk);
    return !o->ops->create || o->ops->create(o);
}

enum bt_status bt__optim_create(struct bt__model *m, struct bt__pool *pool,
                                const struct bt__optim_settings *settings, struct bt__optim **out,
                                struct bt_error *err)
{
    struct bt__optim *o = calloc(1, sizeof *o);
    if (!o) return bt_fail(err, BT_NOMEM, "no memory for the optimiser");
    *o = (struct bt__optim){
        .m = m, .pool = pool, .k = bt__kernels(), .ops = table[settings->kind], .set = *settings};
    if (!reserve(o)) {
        size_t mib = o->state_n * sizeof(float) >> 20;
        bt__optim_free(o);
        return bt_fail(err, BT_NOMEM, "no memory for the optimiser: %zu MiB", mib);
    }
    spare_words(o);
    bt__optim_loaded(o);
    *out = o;
    return BT_OK;
}

void bt__optim_free(struct bt__optim *o)
{
    if (!o) return;
    bt__floats_free(o->state, o->state_n);
    free(o->at);
    free(o->own);
    free(o->chunk);
    free(o->rate);
    free(o->partial);
    free(o->zeros);
    free(o->seen);
    free(o);
}

static bool any(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0.0f) return true;
    return false;
}

void bt__optim_loaded(struct bt__optim *o)
{
    const size_t h = (size_t)o->m->config.hidden_size, words = (size_t)o->m->config.vocab_size;
    const bool all = o->ops->idle && !o->ops->idle(&o->set);
    struct bt__optim_tensor t;
    for (size_t w = 0; w < words; w++) o->seen[w] = all;
    for (size_t i = 0; i < o->m->params.n; i++)
        for (int j = 0; j < BT__OPTIM_SLOTS; j++) {
            if (!tensor_of(o, i, j, &t) || t.param->offset != o->m->word || t.count != t.param->count)
                continue;
            for (size_t w = 0; w < words; w++) o->seen[w] = o->seen[w] || any(t.data + w * h, h);
        }
}

/* ── one update ── */

static void norm_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    const struct bt__gradient *g = o->g;
    const size_t h = (size_t)o->m->config.hidden_size;
    (void)thread;
    if (item < o->chunks) {
        const struct bt__optim_chunk *c = &o->chunk[item];
        const struct bt__param *p = &o->m->params.item[c->param];
        o->partial[item] = c->word && !bt__optim_dense_words(o)
                               ? 0.0
                               : o->k->sumsq(c->n, bt__optim_gradient(o, p, c->begin));
        return;
    }
    int first = (item - o->chunks) * WORDS;
    int n = g->n_words - first < WORDS ? g->n_words - first : WORDS;
    o->partial[item] = o->k->sumsq((size_t)n * h, g->word + (size_t)first * h);
}

static bool trains_words(const struct bt__optim *o)
{
    return !bt__params_at(&o->m->params, o->m->word)->frozen;
}

double bt__optim_norm(struct bt__optim *o, const struct bt__gradient *g)
{
    int words = trains_words(o) ? (g->n_words + WORDS - 1) / WORDS : 0;
    double sum = 0.0;
    o->g = g;
    bt__pool_run(o->pool, o->chunks + words, norm_item, o);
    for (int i = 0; i < o->chunks + words; i++) sum += o->partial[i];
    return sqrt(sum);
}

/* The head has a rate of its own; below it each layer has a share of the one above. */
static void set_rates(struct bt__optim *o, double lr)
{
    const struct bt__params *params = &o->m->params;
    const int layers = o->m->config.num_hidden_layers;
    for (size_t i = 0; i < params->n; i++) {
        const struct bt__param *p = &params->item[i];
        double factor = p->head ? o->set.head_rate_factor : pow(o->set.layer_decay, layers - p->layer);
        double rate = lr * factor, decay = p->decay ? o->set.weight_decay : 0.0;
        o->rate[i] = (struct bt__optim_rate){.lr = rate, .decay = decay, .keep = (float)(1.0 - rate * decay)};
    }
}

void bt__optim_step(struct bt__optim *o, const struct bt__gradient *g, int64_t t, double lr, double scale)
{
    o->g = g;
    o->scale = (float)scale;
    set_rates(o, lr);
    o->ops->step(o, t);
}
