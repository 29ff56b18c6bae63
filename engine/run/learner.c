#include "run/learner.h"

#include "model/prefix.h"
#include "run/lm.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bt__learner {
    struct bt__model *m;
    struct bt__pool *pool;
    const struct bt__task *task;
    const struct bt__task_data *data;
    const struct bt__features *f; /* the data's */
    struct bt__learner_settings s;
    struct bt__pass_limits limits;
    struct bt__pass *pass;
    struct bt__prefix *prefix; /* NULL: none */
    struct bt__optim *optim;
    struct bt__trainable trainable;
    struct bt__batch batch;
    float *dlogits;
    double *loss;     /* [sequences of a batch], times their weight */
    struct bt__lm lm; /* of a task that draws its sequences */
    struct bt__order order;
    int *item_length;       /* [items] tokens; NULL: those of the sequences */
    uint32_t *index;        /* [items] order of epoch */
    uint32_t *start;        /* [batches + 1] places in index, with max_tokens; else NULL */
    int64_t epoch;          /* whose order index holds; −1: none yet */
    int64_t batches, steps; /* of an epoch */
    bt__observe_fn *observe;
    void *observe_ctx;
};

enum { PIECE_TOKENS = 1024 /* of a batch that are computed together, unless one item has more */ };
enum { PIECE_BITS = 40 /* of the key of a micro-batch's dropout: from here on the piece's number */ };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static size_t items_of(const struct bt__features *f)
{
    return f->n / bt__features_group(f);
}

/* Tokens of each item where an item is more than a sequence; the caller frees. NULL without memory. */
static int *item_lengths(const struct bt__features *f)
{
    const size_t group = bt__features_group(f);
    int *length = calloc(items_of(f) + 1, sizeof *length);
    for (size_t i = 0; length && i < items_of(f) * group; i++) length[i / group] += f->length[i];
    return length;
}

static struct bt__order order_of(const struct bt__features *f, const struct bt__learner_settings *s,
                                 const int *item_length)
{
    return (struct bt__order){.seed = s->data_seed,
                              .n = items_of(f),
                              .batch = (size_t)s->batch_size,
                              .group = s->group_by_length,
                              .lengths = item_length ? item_length : f->length,
                              .max_tokens = (size_t)s->max_tokens};
}

static enum bt_status count_batches(const struct bt__order *o, bool drop_last, int64_t *n,
                                    struct bt_error *err)
{
    size_t all = 0;
    for (size_t i = 0; o->max_tokens && i < o->n; i++)
        if ((size_t)o->lengths[i] > o->max_tokens)
            return bt_fail(err, BT_INVALID, "train.max_tokens_per_batch: %zu, but an example has %d tokens",
                           o->max_tokens, o->lengths[i]);
    enum bt_status st = bt__order_batches(o, &all, err);
    *n = (int64_t)all;
    if (drop_last && !o->max_tokens && o->n % o->batch && all > 1) --*n;
    return st;
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
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

static void limit_tokens(int most, struct bt__pass_limits *out)
{
    if (most <= 0 || out->rows <= most) return;
    size_t pairs = (size_t)most * (size_t)out->longest;
    out->rows = most;
    if (out->pairs > pairs) out->pairs = pairs;
    if (out->reads > most) out->reads = most;
    if (out->read_pairs > out->pairs) out->read_pairs = out->pairs;
}

/* The largest piece of a batch there can be: the longest sequences together. */
static enum bt_status largest_piece(const struct bt__features *f, const struct bt__learner_settings *s,
                                    struct bt__pass_limits *out, struct bt_error *err)
{
    int *sorted = malloc((f->n + 1) * sizeof *sorted);
    if (!sorted) return bt_fail(err, BT_NOMEM, "no memory for the lengths of %zu examples", f->n);
    memcpy(sorted, f->length, f->n * sizeof *sorted);
    qsort(sorted, f->n, sizeof *sorted, descending);
    int n = (int)smaller((int64_t)f->n, (int64_t)s->batch_size * (int64_t)bt__features_group(f));
    *out = (struct bt__pass_limits){
        .seqs = n, .longest = n ? sorted[0] : 0, .train = true, .recompute = s->recompute, .bf16 = s->bf16};
    for (int i = 0; i < n; i++) {
        out->rows += sorted[i];
        out->pairs += (size_t)sorted[i] * (size_t)sorted[i];
    }
    most_reads(f, n, sorted, out);
    free(sorted);
    limit_tokens(s->max_tokens, out);
    out->step_rows = (long)out->rows * s->accumulation;
    const int item = out->longest * (int)bt__features_group(f);
    limit_tokens(item > PIECE_TOKENS ? item : PIECE_TOKENS, out);
    bt__pass_limits_complete(out);
    bt__pass_limits_widen(out, &s->at_least);
    return BT_OK;
}

/* Fills in the schedule's length for so many batches an epoch; returns the steps of one. */
static int64_t plan(struct bt__learner_settings *s, int64_t batches)
{
    int64_t steps = (batches + s->accumulation - 1) / s->accumulation;
    s->schedule.total = s->max_steps > 0 ? s->max_steps : (int64_t)ceil(s->epochs * (double)steps);
    if (s->schedule.warmup <= 0)
        s->schedule.warmup = (int64_t)ceil(s->warmup_ratio * (double)s->schedule.total);
    return steps;
}

int64_t bt__learner_plan(struct bt__learner_settings *s, const struct bt__features *f)
{
    int64_t batches = 0;
    const bool alone = bt__features_group(f) == 1;
    int *item_length = alone ? NULL : item_lengths(f);
    const struct bt__order order = order_of(f, s, item_length);
    if (alone || item_length) (void)count_batches(&order, s->drop_last, &batches, NULL);
    free(item_length);
    return plan(s, batches);
}

static enum bt_status reserve(struct bt__learner *l, struct bt_error *err)
{
    enum bt_status st = largest_piece(l->f, &l->s, &l->limits, err);
    if (!st) st = bt__batch_reserve(&l->batch, l->limits.seqs, l->limits.rows, l->limits.reads, err);
    if (!st) st = bt__pass_create(l->m, l->pool, &l->limits, &l->pass, err);
    if (!st) st = bt__optim_create(l->m, l->pool, &l->s.optim, &l->optim, err);
    if (!st && l->s.kept.train) st = bt__prefix_create(l->m, l->f->start, l->f->n, &l->prefix, err);
    if (st) return st;
    const bool lm = l->task->ops->draw != NULL;
    if (lm) st = bt__lm_reserve(&l->lm, &l->limits, l->m->config.vocab_size, err);
    if (st) return st;
    int rows = lm ? 0 : l->m->head.kind == BT__HEAD_TOKENS ? l->limits.reads : l->limits.seqs;
    l->dlogits = calloc((size_t)rows * (size_t)l->m->num_labels + 1, sizeof *l->dlogits);
    l->loss = calloc((size_t)l->limits.seqs + 1, sizeof *l->loss);
    l->index = calloc(items_of(l->f) + 1, sizeof *l->index);
    l->start = l->s.max_tokens ? calloc((size_t)l->batches + 1, sizeof *l->start) : NULL;
    return l->dlogits && l->loss && l->index && (l->start || !l->s.max_tokens)
               ? BT_OK
               : bt_fail(err, BT_NOMEM, "no memory for the order of %zu examples", l->f->n);
}

enum bt_status bt__learner_create(struct bt__model *m, struct bt__pool *pool, const struct bt__task *task,
                                  const struct bt__task_data *data, const struct bt__learner_settings *s,
                                  struct bt__learner **out, struct bt_error *err)
{
    struct bt__learner *l = calloc(1, sizeof *l);
    if (!l) return bt_fail(err, BT_NOMEM, "no memory for the training step");
    *l = (struct bt__learner){.m = m,
                              .pool = pool,
                              .task = task,
                              .data = data,
                              .f = &data->f,
                              .s = *s,
                              .epoch = -1,
                              .trainable = bt__params_trainable(&m->params)};
    enum bt_status st = BT_OK;
    if (bt__features_group(l->f) > 1 && !(l->item_length = item_lengths(l->f)))
        st = bt_fail(err, BT_NOMEM, "no memory for the lengths of %zu examples", l->f->n);
    l->order = order_of(l->f, s, l->item_length);
    if (!st) st = count_batches(&l->order, s->drop_last, &l->batches, err);
    if (!st) l->steps = plan(&l->s, l->batches);
    if (!st) st = reserve(l, err);
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
    bt__prefix_free(l->prefix);
    bt__optim_free(l->optim);
    bt__batch_free(&l->batch);
    bt__lm_free(&l->lm);
    free(l->dlogits);
    free(l->loss);
    free(l->item_length);
    free(l->index);
    free(l->start);
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

/* The items of batch number b of the epoch. */
static struct bt__range batch_range(const struct bt__learner *l, int64_t b)
{
    if (l->start) return (struct bt__range){.begin = (int)l->start[b], .end = (int)l->start[b + 1]};
    int64_t begin = b * l->s.batch_size;
    return (struct bt__range){.begin = (int)begin,
                              .end = (int)smaller(begin + l->s.batch_size, (int64_t)items_of(l->f))};
}

static int item_tokens(const struct bt__learner *l, int place)
{
    return l->order.lengths[l->index[place]];
}

/* The first of the items r, as many as are computed together: pieces of about the same size. */
static struct bt__range piece_of(const struct bt__learner *l, struct bt__range r)
{
    int64_t all = 0, tokens = 0;
    for (int i = r.begin; i < r.end; i++) all += item_tokens(l, i);
    const int64_t pieces = (all + PIECE_TOKENS - 1) / PIECE_TOKENS, share = pieces > 1 ? all / pieces : all;
    struct bt__range piece = {.begin = r.begin, .end = r.begin};
    while (piece.end < r.end &&
           (tokens == 0 || (tokens < share && tokens + item_tokens(l, piece.end) <= PIECE_TOKENS)))
        tokens += item_tokens(l, piece.end++);
    return piece;
}

static enum bt_status fill(struct bt__learner *l, struct bt__range r, int64_t key, struct bt_error *err)
{
    const size_t group = bt__features_group(l->f);
    enum bt_status st = BT_OK;
    bt__batch_clear(&l->batch);
    for (int i = r.begin; i < r.end && !st; i++)
        for (size_t k = 0; k < group && !st; k++) {
            size_t at = l->index[i] * group + k;
            st = l->task->ops->draw ? bt__lm_add(&l->lm, l->task, l->data, at, (uint64_t)key, &l->batch, err)
                                    : bt__features_add(l->f, at, &l->batch, err);
        }
    bt__batch_plan(&l->batch);
    return st;
}

/* What the losses of the items are divided by. */
static double weight_of(struct bt__learner *l, struct bt__range r, int64_t key)
{
    const size_t group = bt__features_group(l->f);
    double sum = 0.0;
    for (int i = r.begin; l->task->ops->draw && i < r.end; i++)
        sum += bt__lm_count(&l->lm, l->task, l->data, l->index[i], (uint64_t)key);
    if (l->task->ops->draw) return sum;
    if (!l->task->ops->weight) return r.end - r.begin;
    for (int i = r.begin; i < r.end; i++) sum += l->task->ops->weight(l->task, l->data, l->index[i] * group);
    return sum;
}

/* Where the logits of sequence i of the batch begin. */
static size_t logits_at(const struct bt__learner *l, int i)
{
    int row = l->m->head.kind == BT__HEAD_TOKENS ? l->batch.read_start[i] : i;
    return (size_t)row * (size_t)l->m->num_labels;
}

static void observe(struct bt__learner *l, const float *logits)
{
    const struct bt__task *t = l->task;
    for (int i = 0; i < l->batch.n; i += (int)bt__features_group(l->f)) {
        const size_t at = (size_t)l->batch.source[i];
        if (t->ops->draw) {
            l->observe(l->observe_ctx, at, NULL, bt__lm_mean(&l->lm, &l->batch, i));
            continue;
        }
        const double weight = t->ops->weight ? t->ops->weight(t, l->data, at) : 1.0;
        l->observe(l->observe_ctx, at, logits + logits_at(l, i), weight > 0.0 ? l->loss[i] / weight : 0.0);
    }
}

/* What the batch holds, a piece or all of a micro-batch; weight: of the whole step. Adds the losses of its items to *sum, shard by shard. */
static void learn(struct bt__learner *l, uint64_t key, bool first, double weight, double *sum)
{
    const struct bt__task *t = l->task;
    const int group = (int)bt__features_group(l->f);
    double shard[BT__SHARDS] = {0.0};
    bt__pass_dropout(l->pass, true, l->s.seed, key);
    const float *logits = bt__pass_forward(l->pass, &l->batch);
    if (t->ops->draw) {
        *sum += bt__lm_train(&l->lm, l->pass, &l->batch, t->x->train_label_smoothing_factor, weight,
                             &l->trainable, first);
        if (l->observe) observe(l, NULL);
        return;
    }
    for (int s = 0; s < BT__SHARDS; s++)
        for (int i = l->batch.seqs.shard[s].begin; i < l->batch.seqs.shard[s].end; i++)
            if (i % group == 0) {
                l->loss[i] = t->ops->loss(t, l->data, (size_t)l->batch.source[i], logits + logits_at(l, i),
                                          1.0 / weight, l->dlogits + logits_at(l, i));
                shard[s] += l->loss[i];
            }
    *sum += (shard[0] + shard[1]) + (shard[2] + shard[3]);
    if (l->observe) observe(l, logits);
    if (isfinite(*sum)) bt__pass_backward(l->pass, &l->batch, l->dlogits, &l->trainable, first);
}

/* Micro-batch number key of the run, piece by piece; first: of its step. The pieces draw dropout of their own. */
static enum bt_status micro_batch(struct bt__learner *l, struct bt__range r, int64_t key, bool first,
                                  double weight, double *sum, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (uint64_t piece = 0; r.begin < r.end && !st && isfinite(*sum); piece++) {
        const struct bt__range part = piece_of(l, r);
        st = fill(l, part, key, err);
        if (!st) learn(l, (uint64_t)key | piece << PIECE_BITS, first && piece == 0, weight, sum);
        r.begin = part.end;
    }
    return st;
}

static enum bt_status draw_order(struct bt__learner *l, int64_t epoch, struct bt_error *err)
{
    if (l->epoch == epoch) return BT_OK;
    l->epoch = -1;
    enum bt_status st = bt__order_epoch(&l->order, (uint64_t)epoch, l->index, l->start, err);
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
    double sum = 0.0, weight = 0.0;
    *r = (struct bt__step_result){.learning_rate =
                                      l->s.learning_rate * bt__schedule_factor(&l->s.schedule, step)};
    enum bt_status st = draw_order(l, step / l->steps, err);
    bt__pass_use_prefix(l->pass, l->prefix);
    for (int64_t b = first; b < end && !st; b++) {
        r->examples += batch_range(l, b).end - batch_range(l, b).begin;
        weight += weight_of(l, batch_range(l, b), step * l->s.accumulation + (b - first));
    }
    if (weight <= 0.0) weight = 1.0; /* nothing in it that could be learnt from: the loss is 0 */
    for (int64_t b = first; b < end && !st && isfinite(sum); b++) {
        const struct bt__range range = batch_range(l, b);
        st = micro_batch(l, range, step * l->s.accumulation + (b - first), b == first, weight, &sum, err);
        for (int i = range.begin; i < range.end; i++) r->tokens += item_tokens(l, i);
    }
    r->loss = sum / weight;
    if (!st && !isfinite(sum))
        st = bt_fail(err, BT_DIVERGED, "step %lld: the loss is %s, expected a finite number",
                     (long long)step + 1, not_finite(r->loss));
    return st ? st : update(l, step, r, err);
}

size_t bt__learner_bytes(const struct bt__model *m, const struct bt__features *f,
                         const struct bt__learner_settings *s, int threads)
{
    struct bt__pass_limits limits;
    if (largest_piece(f, s, &limits, NULL)) return SIZE_MAX;
    size_t weights_and_state = m->params.total * sizeof(float) + bt__optim_bytes(m, &s->optim);
    size_t tokens = f->start[f->n] * 5 + f->n * (sizeof *f->start + 2 * sizeof(int) + sizeof(uint32_t));
    size_t kept = s->kept.train ? bt__prefix_bytes(m, f->start[f->n], f->n) : 0;
    return weights_and_state + tokens + kept + bt__pass_bytes(m, &limits, threads);
}
