/* From the last hidden states to logits, and back. */
#include "model/pass_internal.h"

#include <math.h>
#include <string.h>

struct head {
    struct bt__pass *p;
    struct bt__dropout drop;
};

static struct head head_of(struct bt__pass *p)
{
    const struct bt__model_config *c = &p->m->config;
    float probability = c->classifier_dropout < 0.0f ? c->hidden_dropout_prob : c->classifier_dropout;
    if (p->m->head.no_dropout) probability = 0.0f;
    return (struct head){.p = p, .drop = bt__pass_mask(p, BT__STREAM_DROP_POOLED, -1, probability)};
}

const struct bt__rows *bt__pass_logit_rows(const struct bt__model *m, const struct bt__batch *batch)
{
    bool sequences = m->head.kind == BT__HEAD_POOLED || m->head.kind == BT__HEAD_MEAN;
    return sequences ? &batch->seqs : &batch->reads;
}

static void run_linear(struct bt__pass *p, struct bt__linear l)
{
    l.kernels = p->k;
    l.by = &p->k->fp32;
    struct bt__job job = bt__job_linear(&l);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

/* ── forward ── */

static bool one_read_each(const struct bt__batch *b)
{
    for (int i = 0; i <= b->n; i++)
        if (b->read_start[i] != i) return false;
    return true;
}

/* A sequence of which nothing is read has zeros for its first read. */
static void first_read_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    const struct bt__pass *p = head->p;
    const struct bt__batch *b = p->batch;
    const int h = p->m->config.hidden_size;
    float *to = p->first_read + bt__at(seq, h);
    if (b->read_start[seq] == b->read_start[seq + 1])
        memset(to, 0, sizeof *to * (size_t)h);
    else
        memcpy(to, p->y_top + bt__at(b->read_start[seq], h), sizeof *to * (size_t)h);
}

/* Where the first reads stand, one for each sequence. */
static float *first_reads(struct bt__pass *p)
{
    return one_read_each(p->batch) ? p->y_top : p->first_read;
}

static void pool_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(seq, h);
    for (int j = 0; j < h; j++) p->pooled[at + (size_t)j] = tanhf(p->pooled[at + (size_t)j]);
    p->k->dropout(h, p->pooled + at, &head->drop, (uint32_t)at, p->head_in + at);
}

static void pool(struct bt__pass *p, struct head *head)
{
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const float *x = first_reads(p);
    if (x == p->first_read) bt__each_row(p, p->batch->n, first_read_row, head);
    run_linear(p, (struct bt__linear){.rows = &p->batch->seqs,
                                      .n = h,
                                      .k = h,
                                      .x = x,
                                      .ldx = h,
                                      .w = m->w + m->pooler_w,
                                      .bias = m->w + m->pooler_b,
                                      .y = p->pooled,
                                      .ldy = h});
    bt__each_row(p, p->batch->n, pool_row, head);
}

static void mean_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    int begin = p->batch->read_start[seq], end = p->batch->read_start[seq + 1];
    float *mean = p->pooled + bt__at(seq, h);
    memset(mean, 0, sizeof *mean * (size_t)h);
    for (int r = begin; r < end; r++) p->k->add((size_t)h, mean, p->y_top + bt__at(r, h));
    if (end > begin) p->k->scale((size_t)h, mean, 1.0f / (float)(end - begin));
    p->k->dropout(h, mean, &head->drop, (uint32_t)bt__at(seq, h), p->head_in + bt__at(seq, h));
}

static void mean(struct bt__pass *p, struct head *head)
{
    bt__each_row(p, p->batch->n, mean_row, head);
}

static void token_row(void *ctx, int read)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(read, h);
    p->k->dropout(h, p->y_top + at, &head->drop, (uint32_t)at, p->head_in + at);
}

static void tokens(struct bt__pass *p, struct head *head)
{
    bt__each_row(p, p->batch->reads.n, token_row, head);
}

void bt__head_forward(struct bt__pass *p)
{
    static void (*const input[])(struct bt__pass * p, struct head * head) = {
        [BT__HEAD_POOLED] = pool, [BT__HEAD_MEAN] = mean, [BT__HEAD_TOKENS] = tokens};
    const struct bt__model *m = p->m;
    struct head head = head_of(p);
    input[m->head.kind](p, &head);
    run_linear(p, (struct bt__linear){.rows = bt__pass_logit_rows(m, p->batch),
                                      .n = m->head.outputs,
                                      .k = m->config.hidden_size,
                                      .x = p->head_in,
                                      .ldx = m->config.hidden_size,
                                      .w = m->w + m->head_w,
                                      .bias = m->w + m->head_b,
                                      .y = p->logits,
                                      .ldy = m->head.outputs});
}

/* ── backward: dhead, the gradient of the classifier's input, → the gradient of y_top in its place ── */

/* Through dropout and tanh. */
static void unpool_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(seq, h);
    p->k->dropout(h, p->dhead + at, &head->drop, (uint32_t)at, p->dhead + at);
    for (int j = 0; j < h; j++) {
        float y = p->pooled[at + (size_t)j];
        p->dhead[at + (size_t)j] *= 1.0f - y * y;
    }
}

/* What is read besides the first has no gradient. */
static void spread_first_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    const struct bt__pass *p = head->p;
    const struct bt__batch *b = p->batch;
    const int h = p->m->config.hidden_size;
    for (int r = b->read_start[seq]; r < b->read_start[seq + 1]; r++)
        if (r == b->read_start[seq])
            memcpy(p->y_top + bt__at(r, h), p->first_read + bt__at(seq, h), sizeof(float) * (size_t)h);
        else
            memset(p->y_top + bt__at(r, h), 0, sizeof(float) * (size_t)h);
}

static void unpool(struct bt__pass *p, struct head *head, bool below, bool first)
{
    const struct bt__model *m = p->m;
    const struct bt__rows *rows = &p->batch->seqs;
    const int h = m->config.hidden_size;
    float *x = first_reads(p);
    bt__each_row(p, p->batch->n, unpool_row, head);
    struct bt__linear_weight dw =
        bt__weight_grad(p, &p->k->fp32, rows, h, h, p->dhead, x, m->pooler_w, first);
    struct bt__column_sum db = bt__bias_grad(p, rows, h, p->dhead, m->pooler_b, first);
    struct bt__job jobs[2];
    int n = 0;
    if (bt__trains(p, m->pooler_w)) jobs[n++] = bt__job_linear_weight(&dw);
    if (bt__trains(p, m->pooler_b)) jobs[n++] = bt__job_column_sum(&db);
    bt__run_jobs(p->pool, p->panels, jobs, n);
    struct bt__linear_input in = {.kernels = p->k,
                                  .by = &p->k->fp32,
                                  .rows = rows,
                                  .n = h,
                                  .k = h,
                                  .dy = p->dhead,
                                  .lddy = h,
                                  .w = m->w + m->pooler_w,
                                  .dx = x,
                                  .lddx = h};
    struct bt__job job = bt__job_linear_input(&in);
    if (!below) return;
    bt__run_jobs(p->pool, p->panels, &job, 1);
    if (x == p->first_read) bt__each_row(p, p->batch->n, spread_first_row, head);
}

static void spread_mean_row(void *ctx, int seq)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    int begin = p->batch->read_start[seq], end = p->batch->read_start[seq + 1];
    float *d = p->dhead + bt__at(seq, h);
    p->k->dropout(h, d, &head->drop, (uint32_t)bt__at(seq, h), d);
    if (end > begin) p->k->scale((size_t)h, d, 1.0f / (float)(end - begin));
    for (int r = begin; r < end; r++) memcpy(p->y_top + bt__at(r, h), d, sizeof *d * (size_t)h);
}

static void unmean(struct bt__pass *p, struct head *head, bool below, bool first)
{
    (void)first;
    if (below) bt__each_row(p, p->batch->n, spread_mean_row, head);
}

static void untoken_row(void *ctx, int read)
{
    const struct head *head = ctx;
    struct bt__pass *p = head->p;
    const int h = p->m->config.hidden_size;
    size_t at = bt__at(read, h);
    p->k->dropout(h, p->dhead + at, &head->drop, (uint32_t)at, p->y_top + at);
}

static void untokens(struct bt__pass *p, struct head *head, bool below, bool first)
{
    (void)first;
    if (below) bt__each_row(p, p->batch->reads.n, untoken_row, head);
}

void bt__head_backward(struct bt__pass *p, const float *dlogits, bool below, bool first)
{
    static void (*const input[])(struct bt__pass * p, struct head * head, bool below, bool first) = {
        [BT__HEAD_POOLED] = unpool, [BT__HEAD_MEAN] = unmean, [BT__HEAD_TOKENS] = untokens};
    const struct bt__model *m = p->m;
    const struct bt__rows *rows = bt__pass_logit_rows(m, p->batch);
    const int h = m->config.hidden_size, n = m->head.outputs;
    struct head head = head_of(p);
    struct bt__linear_input in = {.kernels = p->k,
                                  .by = &p->k->fp32,
                                  .rows = rows,
                                  .n = n,
                                  .k = h,
                                  .dy = dlogits,
                                  .lddy = n,
                                  .w = m->w + m->head_w,
                                  .dx = p->dhead,
                                  .lddx = h};
    struct bt__linear_weight dw =
        bt__weight_grad(p, &p->k->fp32, rows, n, h, dlogits, p->head_in, m->head_w, first);
    struct bt__column_sum db = bt__bias_grad(p, rows, n, dlogits, m->head_b, first);
    const struct bt__job jobs[] = {bt__job_linear_input(&in), bt__job_linear_weight(&dw),
                                   bt__job_column_sum(&db)};
    bt__run_jobs(p->pool, p->panels, jobs, p->limits.inputs ? 1 : 3);
    input[m->head.kind](p, &head, below, first);
}
