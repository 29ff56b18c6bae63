/* The masked language model's head (Devlin et al. 2019; transformers' BertLMPredictionHead): transform, LayerNorm, and a decoder whose
 * weight is the word embedding.
 *
 * Logits exist for BT__LM_COLS words at a time: the first walk over the vocabulary finds each row's log-sum, the backward pass makes
 * the logits again. So the memory does not depend on the vocabulary, and every gradient is summed in the shards' tree. */
#include "math/gemm.h"
#include "model/pass_internal.h"

#include <math.h>
#include <string.h>

/* Some words of the vocabulary, for all reads. */
struct block {
    struct bt__pass *p;
    const int32_t *target; /* [Q] */
    int begin, cols;
    double smoothing;
    int32_t *best; /* [Q], or NULL */
    double scale;  /* backward */
    bool odds;     /* backward: the gradient of the target's probability, not of the loss */
};

static int block_cols(const struct bt__pass *p, int begin)
{
    int left = p->m->config.vocab_size - begin;
    return left < BT__LM_COLS ? left : BT__LM_COLS;
}

static float *block_row(const struct bt__pass *p, int read)
{
    return p->lm.block + bt__at(read, BT__LM_COLS);
}

/* ── forward ── */

static void norm_row(void *ctx, int read)
{
    struct bt__pass *p = ctx;
    const struct bt__model *m = p->m;
    const struct bt__dropout none = {.threshold = 0, .scale = 1.0f};
    const int h = m->config.hidden_size;
    size_t at = bt__at(read, h);
    p->lm.rstd[read] = p->k->norm(h, p->lm.act + at, NULL, NULL, m->w + m->lm.norm_w, m->w + m->lm.norm_b,
                                  m->config.layer_norm_eps, &none, 0, p->lm.xhat + at, p->head_in + at);
}

void bt__lm_forward(struct bt__pass *p)
{
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    struct bt__linear dense = {.kernels = p->k,
                               .by = p->by,
                               .act = (int)m->config.hidden_act,
                               .rows = &p->batch->reads,
                               .n = h,
                               .k = h,
                               .x = p->y_top,
                               .ldx = h,
                               .w = m->w + m->lm.dense_w,
                               .bias = m->w + m->lm.dense_b,
                               .y = p->lm.pre,
                               .activated = p->lm.act,
                               .ldy = h,
                               .epilogue = BT__ACTIVATE};
    struct bt__job job = bt__job_linear(&dense);
    bt__run_jobs(p->pool, p->panels, &job, 1);
    bt__each_row(p, p->batch->reads.n, norm_row, p);
}

static void logits(const struct block *b)
{
    struct bt__pass *p = b->p;
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    struct bt__linear decoder = {.kernels = p->k,
                                 .by = p->by,
                                 .rows = &p->batch->reads,
                                 .n = b->cols,
                                 .k = h,
                                 .x = p->head_in,
                                 .ldx = h,
                                 .w = m->w + m->word + bt__at(b->begin, h),
                                 .bias = m->w + m->lm.bias + b->begin,
                                 .y = p->lm.block,
                                 .ldy = BT__LM_COLS};
    struct bt__job job = bt__job_linear(&decoder);
    bt__run_jobs(p->pool, p->panels, &job, 1);
}

static double sum_of(const float *x, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += (double)x[i];
    return sum;
}

/* One block more in a row's largest logit, Σ e^(logit − largest), and expected logit Σ q·logit. */
static void count_row(void *ctx, int read)
{
    const struct block *b = ctx;
    struct bt__lm_row *s = &b->p->lm.row[read];
    float *x = block_row(b->p, read);
    int32_t target = b->target[read];
    int top = 0;
    for (int i = 1; i < b->cols; i++)
        if (x[i] > x[top]) top = i;
    if (target >= b->begin && target < b->begin + b->cols)
        s->expected += (1.0 - b->smoothing) * (double)x[target - b->begin];
    if (b->smoothing > 0.0) s->expected += b->smoothing / b->p->m->config.vocab_size * sum_of(x, b->cols);
    if (b->begin == 0 || x[top] > s->top) {
        s->sum = b->begin == 0 ? 0.0 : s->sum * exp((double)s->top - (double)x[top]);
        s->top = x[top];
        if (b->best) b->best[read] = b->begin + top;
    }
    s->sum += (double)b->p->k->exps(b->cols, x, s->top);
}

void bt__pass_lm_loss(struct bt__pass *p, const struct bt__batch *batch, const int32_t *target,
                      double smoothing, double *loss, int32_t *best)
{
    p->batch = batch;
    memset(p->lm.row, 0, sizeof *p->lm.row * (size_t)batch->reads.n);
    struct block b = {.p = p, .target = target, .smoothing = smoothing, .best = best};
    for (b.begin = 0; b.begin < p->m->config.vocab_size; b.begin += BT__LM_COLS) {
        b.cols = block_cols(p, b.begin);
        logits(&b);
        bt__each_row(p, batch->reads.n, count_row, &b);
    }
    for (int r = 0; r < batch->reads.n; r++) {
        struct bt__lm_row *s = &p->lm.row[r];
        s->log_sum = (double)s->top + log(s->sum);
        loss[r] = target[r] < 0 ? 0.0 : s->log_sum - s->expected;
    }
}

void bt__pass_lm_logits(const struct bt__pass *p, int read, float *out)
{
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size, v = m->config.vocab_size;
    bt__gemm_nt(1, v, h, p->head_in + bt__at(read, h), h, m->w + m->word, h, 0.0f, out, v);
    p->k->add((size_t)v, out, m->w + m->lm.bias);
}

double bt__pass_lm_logit(const struct bt__pass *p, int read, int32_t word)
{
    const struct bt__model *m = p->m;
    const int h = m->config.hidden_size;
    const float *x = p->head_in + bt__at(read, h), *w = m->w + m->word + bt__at(word, h);
    double sum = (double)m->w[m->lm.bias + (size_t)word];
    for (int j = 0; j < h; j++) sum += (double)x[j] * (double)w[j];
    return sum;
}

int bt__top_k(const float *x, int n, int k, int32_t *at)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        int place = found < k ? found++ : k;
        if (place == k && (k == 0 || !(x[i] > x[at[k - 1]]))) continue;
        if (place == k) place--;
        for (; place > 0 && x[i] > x[at[place - 1]]; place--) at[place] = at[place - 1];
        at[place] = i;
    }
    return found;
}

/* ── backward ── */

/* logits → scale · (softmax − expected distribution) */
static void gradient_row(void *ctx, int read)
{
    const struct block *b = ctx;
    float *x = block_row(b->p, read);
    int32_t target = b->target[read];
    if (target < 0) {
        memset(x, 0, sizeof *x * (size_t)b->cols);
        return;
    }
    float even = (float)(b->scale * b->smoothing / b->p->m->config.vocab_size);
    b->p->k->exps(b->cols, x, (float)b->p->lm.row[read].log_sum);
    const double scale = b->odds ? -exp(b->p->lm.row[read].expected - b->p->lm.row[read].log_sum) : b->scale;
    b->p->k->scale((size_t)b->cols, x, (float)scale);
    for (int i = 0; even > 0.0f && i < b->cols; i++) x[i] -= even;
    if (target >= b->begin && target < b->begin + b->cols)
        x[target - b->begin] -= (float)(scale * (1.0 - b->smoothing));
}

/* One block more in dhead, and the gradients of its words. */
static void block_backward(const struct block *b, bool words, bool first)
{
    struct bt__pass *p = b->p;
    const struct bt__model *m = p->m;
    const struct bt__rows *rows = &p->batch->reads;
    const int h = m->config.hidden_size;
    const size_t word = m->word + bt__at(b->begin, h);
    struct bt__linear_input in = {.kernels = p->k,
                                  .by = p->by,
                                  .rows = rows,
                                  .n = b->cols,
                                  .k = h,
                                  .dy = p->lm.block,
                                  .lddy = BT__LM_COLS,
                                  .w = m->w + word,
                                  .accumulate = b->begin > 0,
                                  .dx = p->dhead,
                                  .lddx = h};
    struct bt__column_sum db =
        bt__bias_grad(p, rows, b->cols, p->lm.block, m->lm.bias + (size_t)b->begin, first);
    db.ld = BT__LM_COLS;
    struct bt__job jobs[3] = {bt__job_linear_input(&in), bt__job_column_sum(&db)};
    struct bt__linear_weight dw;
    if (words) {
        dw = bt__weight_grad(p, p->by, rows, b->cols, h, p->lm.block, p->head_in, word, first);
        dw.lddy = BT__LM_COLS;
        jobs[2] = bt__job_linear_weight(&dw);
    }
    bt__run_jobs(p->pool, p->panels, jobs, p->limits.inputs ? 1 : words ? 3 : 2);
}

/* dhead → d = gradient of the transform before its activation. */
static void transform_row(void *ctx, int read)
{
    struct bt__pass *p = ctx;
    const struct bt__model *m = p->m;
    const struct bt__dropout none = {.threshold = 0, .scale = 1.0f};
    const int h = m->config.hidden_size;
    size_t at = bt__at(read, h);
    p->k->norm_backward(h, p->dhead + at, p->lm.xhat + at, p->lm.rstd[read], m->w + m->lm.norm_w, &none, 0,
                        p->lm.d + at, NULL);
    bt__activate_backward(p->k, (int)m->config.hidden_act, 1, h, p->lm.pre + at, p->lm.act + at, p->lm.d + at,
                          h);
}

void bt__lm_transform_backward(struct bt__pass *p, bool below, bool first)
{
    const struct bt__model *m = p->m;
    const struct bt__rows *rows = &p->batch->reads;
    const int h = m->config.hidden_size;
    bt__each_row(p, rows->n, transform_row, p);
    struct bt__linear_weight dw =
        bt__weight_grad(p, p->by, rows, h, h, p->lm.d, p->y_top, m->lm.dense_w, first);
    struct bt__column_sum db = bt__bias_grad(p, rows, h, p->lm.d, m->lm.dense_b, first);
    struct bt__column_sum dnorm = bt__bias_grad(p, rows, h, p->dhead, m->lm.norm_b, first);
    dnorm.xhat = p->lm.xhat;
    dnorm.dot = bt__grad_at(p, m->lm.norm_w);
    const struct bt__job jobs[] = {bt__job_linear_weight(&dw), bt__job_column_sum(&db),
                                   bt__job_column_sum(&dnorm)};
    if (!p->limits.inputs) bt__run_jobs(p->pool, p->panels, jobs, 3);
    struct bt__linear_input in = {.kernels = p->k,
                                  .by = p->by,
                                  .rows = rows,
                                  .n = h,
                                  .k = h,
                                  .dy = p->lm.d,
                                  .lddy = h,
                                  .w = m->w + m->lm.dense_w,
                                  .dx = p->y_top,
                                  .lddx = h};
    struct bt__job job = bt__job_linear_input(&in);
    if (below) bt__run_jobs(p->pool, p->panels, &job, 1);
}

/* All blocks: the gradient of the decoder's input, in dhead. */
static void decoder_backward(struct block *b, bool words, bool first)
{
    struct bt__pass *p = b->p;
    for (b->begin = 0; b->begin < p->m->config.vocab_size; b->begin += BT__LM_COLS) {
        b->cols = block_cols(p, b->begin);
        logits(b);
        bt__each_row(p, p->batch->reads.n, gradient_row, b);
        block_backward(b, words, first);
    }
}

void bt__pass_lm_backward(struct bt__pass *p, const struct bt__batch *batch, const int32_t *target,
                          double smoothing, double scale, const struct bt__trainable *what, bool first)
{
    p->batch = batch;
    struct block b = {.p = p, .target = target, .smoothing = smoothing, .scale = scale};
    decoder_backward(&b, what->embeddings && bt__trains(p, p->m->word), first);
    bt__lm_transform_backward(p, bt__trained_below_head(p->m, what), first);
    bt__layers_backward(p, what, first);
}

/* ── for an explanation ── */

/* The decoder's row of the target: the gradient of its logit. */
static void target_row(void *ctx, int read)
{
    const struct block *b = ctx;
    const int h = b->p->m->config.hidden_size;
    float *d = b->p->dhead + bt__at(read, h);
    if (b->target[read] < 0)
        memset(d, 0, sizeof *d * (size_t)h);
    else
        memcpy(d, b->p->m->w + b->p->m->word + bt__at(b->target[read], h), sizeof *d * (size_t)h);
}

const float *bt__pass_lm_input_gradient(struct bt__pass *p, const struct bt__batch *batch,
                                        const int32_t *target, bool probability)
{
    p->batch = batch;
    struct block b = {.p = p, .target = target, .odds = true};
    if (probability)
        decoder_backward(&b, false, true);
    else
        bt__each_row(p, batch->reads.n, target_row, &b);
    bt__lm_transform_backward(p, true, true);
    return bt__layers_input_gradient(p);
}
