#include <bertty/threshold.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Probabilities in ascending order. */
struct sorted {
    float *p;
    size_t n;
};
struct curve {
    struct sorted positive, negative; /* of the rows that have the label, and of the others */
    double best;
};
struct bt_thresholds {
    int labels;
    bool sets;
    struct curve *of;        /* [labels], then of all labels together */
    struct sorted low, high; /* of sets: a row is right for thresholds in (low, high], where low < high */
    size_t rows;
};

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void sort(struct sorted *s)
{
    if (s->n) qsort(s->p, s->n, sizeof *s->p, ascending);
}

/* How many lie below a threshold. */
static size_t below(const struct sorted *s, double limit)
{
    const float threshold = (float)limit;
    size_t from = 0, to = s->n;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (s->p[middle] < threshold)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void put(struct sorted *s, float p)
{
    s->p[s->n++] = p;
}

static double part(size_t a, size_t b)
{
    return b ? (double)a / (double)b : (double)NAN;
}

/* ── counting ── */

static struct bt_threshold_at count(const struct curve *c, double threshold)
{
    const size_t missed = below(&c->positive, threshold), passed = below(&c->negative, threshold);
    struct bt_threshold_at at = {
        .tp = c->positive.n - missed, .fn = missed, .fp = c->negative.n - passed, .tn = passed};
    at.precision = part(at.tp, at.tp + at.fp);
    at.recall = part(at.tp, at.tp + at.fn);
    at.f1 = part(2 * at.tp, 2 * at.tp + at.fp + at.fn);
    at.accuracy = part(at.tp + at.tn, c->positive.n + c->negative.n);
    return at;
}

struct bt_threshold_at bt_thresholds_at(const struct bt_thresholds *t, int label, double threshold)
{
    const bool all = label == BT_THRESHOLD_ALL;
    struct bt_threshold_at at = count(&t->of[all ? t->labels : label], threshold);
    if (all) at.accuracy = part(below(&t->low, threshold) - below(&t->high, threshold), t->rows);
    return at;
}

double bt_thresholds_best(const struct bt_thresholds *t, int label)
{
    return t->of[label == BT_THRESHOLD_ALL ? t->labels : label].best;
}

/* F1 rises only where the threshold comes down to a positive row: those are looked at from the greatest on. Of equal ones the last, which counts all of them, has the greatest. */
static void find_best(struct curve *c)
{
    double best = -1;
    size_t passed = c->negative.n; /* negatives below */
    c->best = (double)NAN;
    for (size_t i = c->positive.n; i-- > 0;) {
        const float p = c->positive.p[i];
        while (passed > 0 && c->negative.p[passed - 1] >= p) passed--;
        const size_t tp = c->positive.n - i, fp = c->negative.n - passed;
        const double f1 = part(2 * tp, 2 * tp + fp + i);
        if (f1 <= best) continue;
        best = f1;
        c->best = (double)p;
    }
}

/* ── from predictions ── */

static bool reserve(struct curve *c, size_t n)
{
    c->positive.p = calloc(n + 1, sizeof *c->positive.p);
    c->negative.p = calloc(n + 1, sizeof *c->negative.p);
    return c->positive.p && c->negative.p;
}

static struct bt_thresholds *new_thresholds(const struct bt_predictions *p)
{
    const size_t k = (size_t)p->n_labels;
    struct bt_thresholds *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    *t = (struct bt_thresholds){
        .labels = p->n_labels, .sets = p->kind == BT_ROWS_SETS, .of = calloc(k + 1, sizeof *t->of)};
    bool fine = t->of != NULL;
    for (size_t i = 0; fine && i < k; i++) fine = reserve(&t->of[i], p->n);
    if (fine) fine = reserve(&t->of[k], t->sets ? k * p->n : 0);
    t->low.p = calloc(p->n + 1, sizeof *t->low.p);
    t->high.p = calloc(p->n + 1, sizeof *t->high.p);
    if (fine && t->low.p && t->high.p) return t;
    bt_thresholds_free(t);
    return NULL;
}

/* A row of two labels: each may be the positive one. */
static void take_label(struct bt_thresholds *t, const struct bt_prediction *r)
{
    if (r->gold < 0) return;
    for (int k = 0; k < 2; k++) put(r->gold == k ? &t->of[k].positive : &t->of[k].negative, r->scores[k]);
}

static bool has(const struct bt_json *list, const char *text)
{
    for (size_t i = 0; i < bt_json_len(list); i++)
        if (strcmp(bt_json_text(bt_json_at(list, i), ""), text) == 0) return true;
    return false;
}

static enum bt_status take_set(struct bt_thresholds *t, const struct bt_predictions *p,
                               const struct bt_prediction *r)
{
    struct bt_json *v = bt_prediction_json(p, r);
    const struct bt_json *gold = bt_json_get(v, "gold_labels");
    float low = -INFINITY, high = INFINITY;
    for (int k = 0; gold && k < t->labels; k++) {
        const bool positive = has(gold, p->label[k]);
        const float x = r->scores[k];
        if (positive && x < high) high = x;
        if (!positive && x > low) low = x;
        put(positive ? &t->of[k].positive : &t->of[k].negative, x);
        put(positive ? &t->of[t->labels].positive : &t->of[t->labels].negative, x);
    }
    if (gold) t->rows++;
    if (gold && low < high) {
        put(&t->low, low);
        put(&t->high, high);
    }
    bt_json_free(v);
    return v ? BT_OK : BT_NOMEM;
}

static bool numbers(const struct bt_prediction *r, int n)
{
    for (int k = 0; k < n; k++)
        if (isnan(r->scores[k])) return false;
    return true;
}

enum bt_status bt_thresholds_make(const struct bt_predictions *p, struct bt_thresholds **out,
                                  struct bt_error *err)
{
    *out = NULL;
    if (p->kind != BT_ROWS_SETS && !(p->kind == BT_ROWS_LABELS && p->n_labels == 2))
        return bt_fail(err, BT_UNSUPPORTED,
                       "a threshold decides between two labels, or about sets of labels");
    struct bt_thresholds *t = new_thresholds(p);
    enum bt_status st = t ? BT_OK : BT_NOMEM;
    for (size_t i = 0; i < p->n && !st; i++) {
        if (!numbers(&p->row[i], p->n_labels)) continue;
        if (t->sets)
            st = take_set(t, p, &p->row[i]);
        else
            take_label(t, &p->row[i]);
    }
    if (st) {
        bt_thresholds_free(t);
        return bt_fail(err, st, "no memory for thresholds");
    }
    for (int k = 0; k <= t->labels; k++) {
        sort(&t->of[k].positive);
        sort(&t->of[k].negative);
        find_best(&t->of[k]);
    }
    sort(&t->low);
    sort(&t->high);
    *out = t;
    return BT_OK;
}

void bt_thresholds_free(struct bt_thresholds *t)
{
    if (!t) return;
    for (int k = 0; t->of && k <= t->labels; k++) {
        free(t->of[k].positive.p);
        free(t->of[k].negative.p);
    }
    free(t->of);
    free(t->low.p);
    free(t->high.p);
    free(t);
}
