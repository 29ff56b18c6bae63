#include "run/lm.h"

#include "tasks/mlm.h"
#include <math.h>
#include <stdlib.h>

enum bt_status bt__lm_reserve(struct bt__lm *l, const struct bt__pass_limits *limits, int vocab,
                              struct bt_error *err)
{
    const size_t longest = (size_t)limits->longest, reads = (size_t)limits->reads;
    l->ids = calloc(longest + 1, sizeof *l->ids);
    l->reads = calloc(longest + 1, sizeof *l->reads);
    l->target = calloc(reads + longest + 1, sizeof *l->target); /* also of a sequence that is only counted */
    l->loss = calloc(reads + 1, sizeof *l->loss);
    l->best = calloc(reads + 1, sizeof *l->best);
    l->logits = calloc((size_t)vocab, sizeof *l->logits);
    l->top = calloc(BT__LM_WORDS, sizeof *l->top);
    if (l->ids && l->reads && l->target && l->loss && l->best && l->logits && l->top) return BT_OK;
    bt__lm_free(l);
    return bt_fail(err, BT_NOMEM, "no memory for masks of %d tokens", limits->reads);
}

void bt__lm_free(struct bt__lm *l)
{
    free(l->ids);
    free(l->reads);
    free(l->target);
    free(l->loss);
    free(l->best);
    free(l->logits);
    free(l->top);
    *l = (struct bt__lm){.ids = NULL};
}

int bt__lm_count(struct bt__lm *l, const struct bt__task *t, const struct bt__task_data *d, size_t i,
                 uint64_t key)
{
    return t->ops->draw(t, d, i, key, l->ids, l->reads, l->target);
}

enum bt_status bt__lm_add(struct bt__lm *l, const struct bt__task *t, const struct bt__task_data *d, size_t i,
                          uint64_t key, struct bt__batch *b, struct bt_error *err)
{
    t->ops->draw(t, d, i, key, l->ids, l->reads, l->target + b->read_start[b->n]);
    return bt__batch_add(b, l->ids, d->f.types + d->f.start[i], d->f.length[i], l->reads, (int)i, err);
}

double bt__lm_train(struct bt__lm *l, struct bt__pass *p, const struct bt__batch *b, double smoothing,
                    double weight, const struct bt__trainable *what, bool first)
{
    double shard[BT__SHARDS] = {0.0};
    bt__pass_lm_loss(p, b, l->target, smoothing, l->loss, NULL);
    for (int s = 0; s < BT__SHARDS; s++)
        for (int r = b->reads.shard[s].begin; r < b->reads.shard[s].end; r++) shard[s] += l->loss[r];
    double sum = (shard[0] + shard[1]) + (shard[2] + shard[3]);
    if (isfinite(sum)) bt__pass_lm_backward(p, b, l->target, smoothing, 1.0 / weight, what, first);
    return sum;
}

double bt__lm_mean(const struct bt__lm *l, const struct bt__batch *b, int i)
{
    double sum = 0.0;
    int n = 0;
    for (int r = b->read_start[i]; r < b->read_start[i + 1]; r++) {
        if (l->target[r] < 0) continue;
        sum += l->loss[r];
        n++;
    }
    return n ? sum / n : 0.0;
}

/* ── evaluation ── */

static void take_sums(const struct bt__lm *l, int begin, int end, float *to)
{
    double loss = 0.0;
    int masked = 0, right = 0;
    for (int r = begin; r < end; r++) {
        if (l->target[r] < 0) continue;
        loss += l->loss[r];
        right += l->best[r] == l->target[r];
        masked++;
    }
    to[BT__LM_LOSS] = (float)loss;
    to[BT__LM_MASKED] = (float)masked;
    to[BT__LM_RIGHT] = (float)right;
}

static void take_words(struct bt__lm *l, const struct bt__pass *p, int read, int vocab, float *to)
{
    double sum = 0.0;
    bt__pass_lm_logits(p, read, l->logits);
    int n = bt__top_k(l->logits, vocab, BT__LM_WORDS, l->top);
    const double top = (double)l->logits[l->top[0]];
    for (int i = 0; i < vocab; i++) sum += exp((double)l->logits[i] - top);
    for (int k = 0; k < BT__LM_WORDS; k++) {
        int at = l->top[k < n ? k : n - 1];
        to[k] = (float)at;
        to[BT__LM_WORDS + k] = k < n ? (float)(exp((double)l->logits[at] - top) / sum) : 0.0f;
    }
}

void bt__lm_take(struct bt__lm *l, struct bt__pass *p, const struct bt__batch *b, bool gold, int vocab,
                 struct bt__logits *to)
{
    if (gold) bt__pass_lm_loss(p, b, l->target, 0.0, l->loss, l->best);
    for (int i = 0; i < b->n; i++) {
        float *at = to->value + to->start[b->source[i]];
        if (gold) {
            take_sums(l, b->read_start[i], b->read_start[i + 1], at);
            continue;
        }
        for (int r = b->read_start[i]; r < b->read_start[i + 1]; r++, at += BT__LM_COLS)
            take_words(l, p, r, vocab, at);
    }
}
