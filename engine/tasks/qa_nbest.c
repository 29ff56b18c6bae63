/* As postprocess_qa_predictions() of transformers and write_predictions() of Google's run_squad.py: the likeliest beginnings and ends of each window
 * combined, a token counting in the window that shows most of its surroundings; the same text only once, as Google has it. */
#include "tasks/qa_nbest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bt__qa_place {
    uint32_t at; /* token of the sequence */
    float logit;
};

struct bt__qa_candidate {
    uint32_t begin, end; /* bytes */
    uint32_t number;     /* in the order in which they were found */
    double score;
};

/* The windows of one question. */
struct question {
    const struct bt__qa_window *window; /* [n] */
    size_t n;
    const uint32_t *begin, *end; /* bytes of the context's tokens */
    const char *context;
};

/* The highest logits (every second number from l on) of n tokens, at most top of them, the first of equals first. */
static size_t highest(const float *l, size_t n, size_t top, struct bt__qa_place *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        float v = l[2 * i];
        if (!isfinite(v) || (kept == top && v <= out[top - 1].logit)) continue;
        size_t at = kept < top ? kept++ : top - 1;
        for (; at > 0 && out[at - 1].logit < v; at--) out[at] = out[at - 1];
        out[at] = (struct bt__qa_place){.at = (uint32_t)i, .logit = v};
    }
    return kept;
}

static bool shows(const struct bt__qa_window *w, uint32_t token)
{
    return token >= w->from && token < w->from + w->n;
}

/* The smaller of what stands before and behind the token, and a little for the window's length. */
static double surroundings(const struct bt__qa_window *w, uint32_t token)
{
    uint32_t left = token - w->from, right = w->from + w->n - 1 - token;
    return (double)(left < right ? left : right) + 0.01 * (double)w->n;
}

/* Whether no other window shows more around a token of the context; the first of equals counts. Windows that show it stand together. */
static bool is_max_context(const struct question *q, size_t w, uint32_t token)
{
    const double here = surroundings(&q->window[w], token);
    for (size_t i = w; i > 0 && shows(&q->window[i - 1], token); i--)
        if (surroundings(&q->window[i - 1], token) >= here) return false;
    for (size_t i = w + 1; i < q->n && shows(&q->window[i], token); i++)
        if (surroundings(&q->window[i], token) > here) return false;
    return true;
}

static bool add(struct bt__qa_nbest *k, const struct question *q, uint32_t start, uint32_t end, double score)
{
    if (k->candidates == k->candidates_cap) {
        size_t cap = k->candidates_cap ? k->candidates_cap * 2 : 512;
        struct bt__qa_candidate *more = realloc(k->candidate, cap * sizeof *more);
        if (!more) return false;
        k->candidate = more;
        k->candidates_cap = cap;
    }
    k->candidate[k->candidates] = (struct bt__qa_candidate){
        .begin = q->begin[start], .end = q->end[end], .number = (uint32_t)k->candidates, .score = score};
    k->candidates++;
    return true;
}

/* All pairs of the likeliest beginnings and ends that are an answer. */
static bool combine(struct bt__qa_nbest *k, const struct bt__qa_rules *rules, const struct question *q,
                    size_t at, const float *logits)
{
    const struct bt__qa_window *w = &q->window[at];
    const size_t tokens = w->first + w->n + 1;
    size_t starts = highest(logits, tokens, rules->n_best, k->start),
           ends = highest(logits + 1, tokens, rules->n_best, k->end);
    for (size_t i = 0; i < starts; i++) {
        uint32_t s = k->start[i].at - w->first; /* before the context: wraps, and is then too large */
        if (s >= w->n || !is_max_context(q, at, w->from + s)) continue;
        for (size_t j = 0; j < ends; j++) {
            uint32_t t = k->end[j].at - w->first;
            if (t >= w->n || t < s || t - s + 1 > rules->longest) continue;
            double score = (double)k->start[i].logit + (double)k->end[j].logit;
            if (!add(k, q, w->from + s, w->from + t, score)) return false;
        }
    }
    return true;
}

static int better_first(const void *a, const void *b)
{
    const struct bt__qa_candidate *x = a, *y = b;
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static bool is_kept(const struct bt__qa_nbest *k, const char *context, const struct bt__qa_candidate *c)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct bt__qa_span *s = &k->item[i];
        if (s->end - s->begin == c->end - c->begin &&
            memcmp(context + s->begin, context + c->begin, c->end - c->begin) == 0)
            return true;
    }
    return false;
}

static void keep(struct bt__qa_nbest *k, uint32_t begin, uint32_t end, double score)
{
    k->item[k->n++] = (struct bt__qa_span){.begin = begin, .end = end, .score = score};
}

/* The n best texts; no answer has its place among them, and is there in any case. */
static void choose(struct bt__qa_nbest *k, const struct bt__qa_rules *rules, const char *context, double null)
{
    bool waits = rules->negative;
    k->n = 0;
    for (size_t i = 0; i < k->candidates && k->n < rules->n_best; i++) {
        const struct bt__qa_candidate *c = &k->candidate[i];
        if (waits && null > c->score) {
            keep(k, 0, 0, null);
            waits = false;
        }
        if (k->n < rules->n_best && !is_kept(k, context, c)) keep(k, c->begin, c->end, c->score);
    }
    if (waits || k->n == 0) keep(k, 0, 0, k->n || rules->negative ? null : 0.0);
}

static bool is_none(const struct bt__qa_span *s)
{
    return s->end == 0;
}

/* Puts what is answered first. */
static void decide(struct bt__qa_nbest *k, const struct bt__qa_rules *rules, double null)
{
    size_t first = 0;
    while (first < k->n && is_none(&k->item[first])) first++;
    k->best = first < k->n ? k->item[first] : (struct bt__qa_span){.score = 0.0};
    k->null_odds = null - k->best.score;
    if (first == k->n) first = 0;
    if (rules->negative && k->null_odds > rules->threshold)
        for (first = 0; !is_none(&k->item[first]);) first++;
    const struct bt__qa_span answer = k->item[first];
    memmove(k->item + 1, k->item, first * sizeof *k->item);
    k->item[0] = answer;
}

static void weigh(struct bt__qa_nbest *k)
{
    double top = -HUGE_VAL, sum = 0.0;
    for (size_t i = 0; i < k->n; i++) top = k->item[i].score > top ? k->item[i].score : top;
    for (size_t i = 0; i < k->n; i++) sum += k->item[i].p = exp(k->item[i].score - top);
    for (size_t i = 0; i < k->n; i++) k->item[i].p /= sum;
}

static bool reserve(struct bt__qa_nbest *k, size_t n_best)
{
    if (n_best <= k->top) return true;
    free(k->start);
    free(k->end);
    free(k->item);
    k->start = malloc(n_best * sizeof *k->start);
    k->end = malloc(n_best * sizeof *k->end);
    k->item = malloc((n_best + 1) * sizeof *k->item);
    k->top = k->start && k->end && k->item ? n_best : 0;
    return k->top > 0;
}

enum bt_status bt__qa_nbest(struct bt__qa_nbest *k, const struct bt__qa_rules *rules,
                            const struct bt__task_data *d, const struct bt__logits *l, size_t e,
                            struct bt_error *err)
{
    const struct bt__qa_windows *all = bt__qa_windows_of(d);
    const struct bt_example *x = bt__task_example(d, e);
    const size_t first = bt__task_first(d, e), end = bt__task_first(d, e + 1);
    const struct bt__qa_window *window = all->window + first;
    const struct question q = {.window = window,
                               .n = end - first,
                               .begin = all->begin + window->place,
                               .end = all->end + window->place,
                               .context = x->pair ? x->pair : ""};
    double null = HUGE_VAL;
    bool ok = reserve(k, rules->n_best);
    k->candidates = 0;
    for (size_t i = 0; ok && i < q.n; i++) {
        const float *logits = bt__logits_at(l, first + i);
        null = fmin(null, (double)logits[0] + (double)logits[1]);
        ok = combine(k, rules, &q, i, logits);
    }
    if (!ok) return bt_fail(err, BT_NOMEM, "no memory for the answers to a question");
    if (k->candidates) qsort(k->candidate, k->candidates, sizeof *k->candidate, better_first);
    choose(k, rules, q.context, null);
    decide(k, rules, null);
    weigh(k);
    return BT_OK;
}

void bt__qa_nbest_free(struct bt__qa_nbest *k)
{
    free(k->item);
    free(k->candidate);
    free(k->start);
    free(k->end);
    *k = (struct bt__qa_nbest){.n = 0};
}
