#include "run/learner.h"

#include "tasks/classification.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bt__learner {
    struct bt__model *m;
    struct bt__pool *pool;
    const struct bt__features *f;
    const int *gold;
    struct bt__learner_settings s;
    struct bt__pass_limits limits;
    struct bt__pass *pass;
    struct bt__optim *optim;
    struct bt__batch batch;
    float *dlogits;
    struct bt__order order;
    uint32_t *index;        /* [n] order of epoch */
    int64_t epoch;          /* whose order index holds; −1: none yet */
    int64_t batches, steps; /* of an epoch */
    bt__observe_fn *observe;
    void *observe_ctx;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t batches_of(size_t n, const struct bt__learner_settings *s)
{
    int64_t full = (int64_t)n / s->batch_size, rest = (int64_t)n % s->batch_size;
    return full + (rest > 0 && (!s->drop_last || full == 0));
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static void widen(struct bt__pass_limits *l, const struct bt__pass_limits *least)
{
    if (l->seqs < least->seqs) l->seqs = least->seqs;
    if (l->rows < least->rows) l->rows = least->rows;
    if (l->longest < least->longest) l->longest = least->longest;
    if (l->pairs < least->pairs) l->pairs = least->pairs;
    if (l->reads < least->reads) l->reads = least->reads;
    if (l->read_pairs < least->read_pairs) l->read_pairs = least->read_pairs;
}

/* No batch of n sequences reads more than the n that read most, nor at greater length than the longest. */
static void most_reads(const struct bt__features *f, int n, int *counts, struct bt__pass_limits *out)
{
    if (!f->reads) return;
    for (size_t i = 0; i < f->n; i++) counts[i] = bt__features_reads(f, i);
    qsort(counts, f->n, sizeof *counts, descending);
    for (int i = 0; i < n; i++) out->reads += counts[i];
    out->read_pairs = (size_t)out->reads * (size_t)out->longest;
    if (out->read_pairs > out->pairs) out->read_pairs = out->pairs;
}

/* The largest batch there can be: the longest examples together. */
static enum bt_status largest_batch(const struct bt__features *f, const struct bt__learner_settings *s,
                                    struct bt__pass_limits *out, struct bt_error *err)
{
    int *sorted = malloc((f->n + 1) * sizeof *sorted);
    if (!sorted) return bt_fail(err, BT_NOMEM, "no memory for the lengths of %zu examples", f->n);
    memcpy(sorted, f->length, f->n * sizeof *sorted);
    qsort(sorted, f->n, sizeof *sorted, descending);
    int n = (int)smaller((int64_t)f->n, s->batch_size);
    *out = (struct bt__pass_limits){
        .seqs = n, .longest = n ? sorted[0] : 0, .train = true, .micro_batches = s->accumulation};
    for (int i = 0; i < n; i++) {
        out->rows += sorted[i];
        out->pairs += (size_t)sorted[i] * (size_t)sorted[i];
    }
    most_reads(f, n, sorted, out);
    free(sorted);
    widen(out, &s->at_least);
    return BT_OK;
}

int64_t bt__learner_plan(struct bt__learner_settings *s, size_t n)
{
    int64_t steps = (batches_of(n, s) + s->accumulation - 1) / s->accumulation;
    s->schedule.total = s->max_steps > 0 ? s->max_steps : (int64_t)ceil(s->epochs * (double)steps);
    if (s->schedule.warmup <= 0)
        s->schedule.warmup = (int64_t)ceil(s->warmup_ratio * (double)s->schedule.total);
    return steps;
}

static enum bt_status reserve(struct bt__learner *l, struct bt_error *err)
{
    enum bt_status st = largest_batch(l->f, &l->s, &l->limits, err);
    if (!st) st = bt__batch_reserve(&l->batch, l->limits.seqs, l->limits.rows, l->limits.reads, err);
    if (!st) st = bt__pass_create(l->m, l->pool, &l->limits, &l->pass, err);
    if (!st) st = bt__optim_create(l->m, l->pool, &l->s.optim, &l->optim, err);
    if (st) return st;
    l->dlogits = calloc((size_t)l->limits.seqs * (size_t)l->m->num_labels, sizeof *l->dlogits);
    l->index = calloc(l->f->n + 1, sizeof *l->index);
    return l->dlogits && l->index
               ? BT_OK
               : bt_fail(err, BT_NOMEM, "no memory for the order of %zu examples", l->f->n);
}

enum bt_status bt__learner_create(struct bt__model *m, struct bt__pool *pool, const struct bt__features *f,
                                  const int *gold, const struct bt__learner_settings *s,
                                  struct bt__learner **out, struct bt_error *err)
{
    struct bt__learner *l = calloc(1, sizeof *l);
    if (!l) return bt_fail(err, BT_NOMEM, "no memory for the training step");
    *l = (struct bt__learner){.m = m, .pool = pool, .f = f, .gold = gold, .s = *s, .epoch = -1};
    l->order = (struct bt__order){.seed = s->data_seed,
                                  .n = f->n,
                                  .batch = (size_t)s->batch_size,
                                  .group = s->group_by_length,
                                  .lengths = f->length};
    l->batches = batches_of(f->n, s);
    l->steps = bt__learner_plan(&l->s, f->n);
    enum bt_status st = reserve(l, err);
    if (st)
        bt__learner_free(l);
    else
        *out = l;
    return st;
}

void bt__learner_free(struct bt__learner *l)
{
    if (!l) return;
    bt__pass_free(l->pass);
    bt__optim_free(l->optim);
    bt__batch_free(&l->batch);
    free(l->dlogits);
    free(l->index);
    free(l);
}

int64_t bt__learner_steps_per_epoch(const struct bt__learner *l)
{
    return l->steps;
}

int64_t bt__learner_total(const struct bt__learner *l)
{
    return l->s.schedule.total;
}

struct bt__optim *bt__learner_optim(struct bt__learner *l)
{
    return l->optim;
}

struct bt__pass *bt__learner_pass(struct bt__learner *l)
{
    return l->pass;
}

const struct bt__pass_limits *bt__learner_limits(const struct bt__learner *l)
{
    return &l->limits;
}

void bt__learner_set_rate(struct bt__learner *l, double learning_rate)
{
    l->s.learning_rate = l->s.schedule.base = learning_rate;
}

void bt__learner_reduce(struct bt__learner *l, double factor)
{
    l->s.schedule.reduced = factor;
}

void bt__learner_observe(struct bt__learner *l, bt__observe_fn *fn, void *ctx)
{
    l->observe = fn;
    l->observe_ctx = ctx;
}

/* The examples of batch number b of the epoch. */
static struct bt__range batch_range(const struct bt__learner *l, int64_t b)
{
    int64_t begin = b * l->s.batch_size;
    return (struct bt__range){.begin = (int)begin,
                              .end = (int)smaller(begin + l->s.batch_size, (int64_t)l->f->n)};
}

static enum bt_status fill(struct bt__learner *l, struct bt__range r, struct bt_error *err)
{
    bt__batch_clear(&l->batch);
    for (int i = r.begin; i < r.end; i++) {
        enum bt_status st = bt__features_add(l->f, l->index[i], &l->batch, err);
        if (st) return st;
    }
    bt__batch_plan(&l->batch);
    return BT_OK;
}

/* One micro-batch; examples: of the whole step. Adds the losses of its examples to *sum, shard by shard. */
static void micro_batch(struct bt__learner *l, int64_t key, bool first, int64_t examples, double *sum)
{
    const int classes = l->m->num_labels;
    double shard[BT__SHARDS] = {0.0};
    bt__pass_dropout(l->pass, true, l->s.seed, (uint64_t)key);
    const float *logits = bt__pass_forward(l->pass, &l->batch);
    for (int s = 0; s < BT__SHARDS; s++)
        for (int i = l->batch.seqs.shard[s].begin; i < l->batch.seqs.shard[s].end; i++)
            shard[s] += bt__cross_entropy(logits + i * classes, classes, l->gold[l->batch.source[i]],
                                          l->s.smoothing, 1.0 / (double)examples, l->dlogits + i * classes);
    *sum += (shard[0] + shard[1]) + (shard[2] + shard[3]);
    for (int i = 0; l->observe && i < l->batch.n; i++)
        l->observe(l->observe_ctx, l->batch.source[i], logits + i * classes);
    if (isfinite(*sum)) bt__pass_backward(l->pass, &l->batch, l->dlogits, &l->s.optim.trainable, first);
}

static enum bt_status draw_order(struct bt__learner *l, int64_t epoch, struct bt_error *err)
{
    if (l->epoch == epoch) return BT_OK;
    l->epoch = -1;
    enum bt_status st = bt__order_epoch(&l->order, (uint64_t)epoch, l->index, err);
    if (!st) l->epoch = epoch;
    return st;
}

static const char *not_finite(double v)
{
    return isnan(v) ? "no number (NaN)" : "infinite";
}

static enum bt_status update(struct bt__learner *l, int64_t step, struct bt__step_result *r,
                             struct bt_error *err)
{
    const struct bt__gradient *g = bt__pass_gradient(l->pass);
    r->grad_norm = bt__optim_norm(l->optim, g);
    if (!isfinite(r->grad_norm))
        return bt_fail(err, BT_DIVERGED, "step %lld: the gradient's norm is %s, expected a finite number",
                       (long long)step + 1, not_finite(r->grad_norm));
    double clip = l->s.max_grad_norm > 0.0 ? l->s.max_grad_norm / (r->grad_norm + 1e-6)
                                           : 1.0; /* as torch's clip_grad_norm_ */
    bt__optim_step(l->optim, g, step + 1, r->learning_rate, clip < 1.0 ? clip : 1.0);
    return BT_OK;
}

enum bt_status bt__learner_step(struct bt__learner *l, int64_t step, struct bt__step_result *r,
                                struct bt_error *err)
{
    int64_t first = step % l->steps * l->s.accumulation, end = smaller(first + l->s.accumulation, l->batches);
    double sum = 0.0;
    *r = (struct bt__step_result){.learning_rate =
                                      l->s.learning_rate * bt__schedule_factor(&l->s.schedule, step)};
    enum bt_status st = draw_order(l, step / l->steps, err);
    for (int64_t b = first; b < end; b++) r->examples += batch_range(l, b).end - batch_range(l, b).begin;
    for (int64_t b = first; b < end && !st && isfinite(sum); b++) {
        st = fill(l, batch_range(l, b), err);
        if (st) break;
        micro_batch(l, step * l->s.accumulation + (b - first), b == first, r->examples, &sum);
        r->tokens += l->batch.rows.n;
    }
    r->loss = sum / (double)r->examples;
    if (!st && !isfinite(sum))
        st = bt_fail(err, BT_DIVERGED, "step %lld: the loss is %s, expected a finite number",
                     (long long)step + 1, not_finite(r->loss));
    return st ? st : update(l, step, r, err);
}

size_t bt__learner_bytes(const struct bt__model *m, const struct bt__features *f,
                         const struct bt__learner_settings *s, int threads)
{
    struct bt__pass_limits limits;
    if (largest_batch(f, s, &limits, NULL)) return SIZE_MAX;
    size_t weights_and_state = m->params.total * sizeof(float) + bt__optim_bytes(m, &s->optim);
    size_t tokens = f->start[f->n] * 5 + f->n * (sizeof *f->start + 2 * sizeof(int) + sizeof(uint32_t));
    return weights_and_state + tokens + bt__pass_bytes(m, &limits, threads);
}
