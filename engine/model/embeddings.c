/* x0 = dropout(LayerNorm(word[id] + position[i] + type[t])), and back. */
#include "model/pass_internal.h"

#include <string.h>

void bt__each_row(struct bt__pass *p, int n, void (*fn)(void *ctx, int row), void *ctx)
{
    struct bt__row_work work = {.rows = n, .fn = fn, .ctx = ctx};
    struct bt__job job = bt__job_rows(&work);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

struct bt__dropout bt__pass_mask(const struct bt__pass *p, enum bt__stream stream, int layer,
                                 float probability)
{
    uint64_t s = (uint64_t)stream + (uint64_t)(layer + 1) * BT__STREAM_STRIDE;
    return bt__dropout_make(p->training ? (double)probability : 0.0, bt__rng_key(p->seed, s, p->step));
}

struct embed {
    struct bt__pass *p;
    struct bt__dropout drop, none;
    bool first;
};

/* Sequence of a row, by bisection. */
static int sequence_of(const struct bt__batch *b, int row)
{
    int low = 0, high = b->n;
    while (high - low > 1) {
        int mid = (low + high) / 2;
        *(b->start[mid] <= row ? &low : &high) = mid;
    }
    return low;
}

static void embed_row(void *ctx, int row)
{
    const struct embed *e = ctx;
    struct bt__pass *p = e->p;
    const struct bt__batch *b = p->batch;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    int position = row - b->start[sequence_of(b, row)];
    float *y = p->x0 + bt__at(row, h);
    const float *word = p->words ? p->words + bt__at(row, h) : m->w + m->word + bt__at(b->ids[row], h);
    p->emb_rstd[row] =
        p->k->norm(h, word, m->w + m->position + bt__at(position, h),
                   m->w + m->type + bt__at(b->types[row], h), m->w + m->norm_w, m->w + m->norm_b,
                   m->config.layer_norm_eps, &e->none, 0, p->emb_xhat + bt__at(row, h), y);
    p->k->dropout(h, y, &e->drop, (uint32_t)row * (uint32_t)h, y);
}

static struct embed embed_of(struct bt__pass *p, bool first)
{
    return (struct embed){.p = p,
                          .first = first,
                          .drop =
                              bt__pass_mask(p, BT__STREAM_DROP_EMBED, -1, p->m->config.hidden_dropout_prob)};
}

void bt__embed_forward(struct bt__pass *p)
{
    struct embed e = embed_of(p, true);
    bt__each_row(p, p->batch->rows.n, embed_row, &e);
}

/* dy → df = gradient of LayerNorm's output, ds = of its input. */
static void backward_row(void *ctx, int row)
{
    const struct embed *e = ctx;
    struct bt__pass *p = e->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(row, h);
    p->k->dropout(h, p->dy + at, &e->drop, (uint32_t)row * (uint32_t)h, p->df + at);
    p->k->norm_backward(h, p->df + at, p->emb_xhat + at, p->emb_rstd[row], p->m->w + p->m->norm_w, &e->none,
                        0, p->ds + at, NULL);
}

/* Sorts the batch's rows by word: group_row[group_start[slot] … group_start[slot + 1]), rows rising. */
static void group_words(struct bt__pass *p, bool first)
{
    const struct bt__batch *b = p->batch;
    if (first) {
        for (int i = 0; i < p->n_words; i++) p->slot[p->word_id[i]] = -1;
        p->n_words = 0;
    }
    p->words_before = p->n_words;
    for (int r = 0; r < b->rows.n; r++) {
        int32_t *slot = &p->slot[b->ids[r]];
        if (*slot < 0) {
            *slot = p->n_words;
            p->word_id[p->n_words++] = b->ids[r];
        }
    }
    memset(p->group_start, 0, sizeof *p->group_start * ((size_t)p->n_words + 2));
    for (int r = 0; r < b->rows.n; r++) p->group_start[p->slot[b->ids[r]] + 2]++;
    for (int i = 2; i <= p->n_words; i++) p->group_start[i] += p->group_start[i - 1];
    for (int r = 0; r < b->rows.n; r++) p->group_row[p->group_start[p->slot[b->ids[r]] + 1]++] = r;
}

/* Σ of ds over the given rows (rising) in the shards' tree, into part[0 … H). */
static void sum_rows(const struct bt__pass *p, const int *rows, int n, float *part)
{
    const size_t h = (size_t)p->m->config.hidden_size;
    memset(part, 0, sizeof(float) * BT__SHARDS * h);
    for (int i = 0, s = 0; i < n; i++) {
        while (rows[i] >= p->batch->rows.shard[s].end) s++;
        p->k->add(h, part + (size_t)s * h, p->ds + bt__at(rows[i], (int)h));
    }
    p->k->sum4(h, part, part, part + h, part + 2 * h, part + 3 * h);
}

enum { WORDS_AN_ITEM = 16 };

static void word_item(void *ctx, int item, int thread)
{
    const struct embed *e = ctx;
    struct bt__pass *p = e->p;
    const size_t h = (size_t)p->m->config.hidden_size;
    const bool dense = bt__pass_dense_words(p);
    int end = (item + 1) * WORDS_AN_ITEM < p->n_words ? (item + 1) * WORDS_AN_ITEM : p->n_words;
    for (int u = item * WORDS_AN_ITEM; u < end; u++) {
        int begin = p->group_start[u], n = p->group_start[u + 1] - begin;
        if (n == 0) continue;
        sum_rows(p, p->group_row + begin, n, p->scratch[thread]);
        float *dst = dense ? bt__grad_at(p, p->m->word) + (size_t)p->word_id[u] * h : p->word + (size_t)u * h;
        if (dense || u < p->words_before) /* dense: to the decoder's part */
            p->k->add(h, dst, p->scratch[thread]);
        else
            memcpy(dst, p->scratch[thread], sizeof(float) * h);
    }
}

static void position_item(void *ctx, int position, int thread)
{
    const struct embed *e = ctx;
    struct bt__pass *p = e->p;
    const struct bt__batch *b = p->batch;
    const size_t h = (size_t)p->m->config.hidden_size;
    float *dst = bt__grad_at(p, p->m->position) + (size_t)position * h, *part = p->scratch[thread];
    memset(part, 0, sizeof(float) * BT__SHARDS * h);
    for (int s = 0; s < BT__SHARDS; s++)
        for (int i = b->seqs.shard[s].begin; i < b->seqs.shard[s].end; i++)
            if (position < b->start[i + 1] - b->start[i])
                p->k->add(h, part + (size_t)s * h, p->ds + bt__at(b->start[i] + position, (int)h));
    p->k->sum4(h, part, part, part + h, part + 2 * h, part + 3 * h);
    if (e->first)
        memcpy(dst, part, sizeof(float) * h);
    else
        p->k->add(h, dst, part);
}

static void type_item(void *ctx, int type, int thread)
{
    const struct embed *e = ctx;
    struct bt__pass *p = e->p;
    const struct bt__batch *b = p->batch;
    const size_t h = (size_t)p->m->config.hidden_size;
    float *dst = bt__grad_at(p, p->m->type) + (size_t)type * h, *part = p->scratch[thread];
    memset(part, 0, sizeof(float) * BT__SHARDS * h);
    for (int s = 0; s < BT__SHARDS; s++)
        for (int r = b->rows.shard[s].begin; r < b->rows.shard[s].end; r++)
            if (b->types[r] == type) p->k->add(h, part + (size_t)s * h, p->ds + bt__at(r, (int)h));
    p->k->sum4(h, part, part, part + h, part + 2 * h, part + 3 * h);
    if (e->first)
        memcpy(dst, part, sizeof(float) * h);
    else
        p->k->add(h, dst, part);
}

void bt__embed_backward(struct bt__pass *p, bool first)
{
    struct embed e = embed_of(p, first);
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    bt__each_row(p, p->batch->rows.n, backward_row, &e);
    const bool words = bt__trains(p, m->word), positions = bt__trains(p, m->position);
    if (words) group_words(p, first || bt__pass_dense_words(p));
    p->grad.n_words = words && !bt__pass_dense_words(p) ? p->n_words : 0;
    if (first && positions) {
        size_t h_ = (size_t)h, beyond = (size_t)(m->config.max_position_embeddings - p->batch->longest);
        memset(bt__grad_at(p, m->position) + bt__at(p->batch->longest, h), 0, sizeof(float) * beyond * h_);
    }
    struct bt__column_sum norm = {.kernels = p->k,
                                  .rows = &p->batch->rows,
                                  .cols = h,
                                  .x = p->df,
                                  .xhat = p->emb_xhat,
                                  .ld = h,
                                  .sum = bt__grad_at(p, m->norm_b),
                                  .dot = bt__grad_at(p, m->norm_w),
                                  .accumulate = !first};
    if (!bt__trains(p, m->norm_w)) norm.xhat = NULL;
    struct bt__job jobs[4];
    int n = 0;
    if (bt__trains(p, m->type))
        jobs[n++] = (struct bt__job){.fn = type_item, .ctx = &e, .items = m->config.type_vocab_size};
    if (positions) jobs[n++] = (struct bt__job){.fn = position_item, .ctx = &e, .items = p->batch->longest};
    if (words)
        jobs[n++] = (struct bt__job){
            .fn = word_item, .ctx = &e, .items = (p->n_words + WORDS_AN_ITEM - 1) / WORDS_AN_ITEM};
    if (bt__trains(p, m->norm_w) || bt__trains(p, m->norm_b)) jobs[n++] = bt__job_column_sum(&norm);
    bt__run_jobs(p->pool, p->panels, jobs, n);
}
