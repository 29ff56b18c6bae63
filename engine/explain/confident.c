#include <bertty/audit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the authors' implementation allows for rounding. */
static const double slack = 1e-6, least_threshold = 2e-6;

struct rows {
    const float *scores;
    const int *given;
    size_t n;
    int k;
};

static const float *scores_of(const struct rows *r, size_t i)
{
    return r->scores + i * (size_t)r->k;
}

static int likeliest(const struct rows *r, size_t i)
{
    const float *p = scores_of(r, i);
    int best = 0;
    for (int j = 1; j < r->k; j++)
        if (p[j] > p[best]) best = j;
    return best;
}

static double *cell(double *matrix, int k, int i, int j)
{
    return matrix + (size_t)i * (size_t)k + (size_t)j;
}

static enum bt_status check(const struct rows *r, struct bt_error *err)
{
    if (r->k < 2) return bt_fail(err, BT_INVALID, "%d labels, expected at least two", r->k);
    if (r->n == 0) return bt_fail(err, BT_INVALID, "no rows");
    for (size_t i = 0; i < r->n; i++) {
        if (r->given[i] < 0 || r->given[i] >= r->k)
            return bt_fail(err, BT_INVALID, "row %zu: label %d of %d", i + 1, r->given[i], r->k);
        for (int j = 0; j < r->k; j++)
            if (!(scores_of(r, i)[j] >= 0.0f && scores_of(r, i)[j] <= 1.0f))
                return bt_fail(err, BT_INVALID, "row %zu: a probability of %g", i + 1,
                               (double)scores_of(r, i)[j]);
    }
    return BT_OK;
}

static double margin_of(const struct rows *r, size_t i)
{
    double other = 0.0;
    for (int j = 0; j < r->k; j++)
        if (j != r->given[i]) other = fmax(other, (double)scores_of(r, i)[j]);
    return (double)scores_of(r, i)[r->given[i]] - other;
}

/* ── the joint distribution of given and true labels ── */

static void find_thresholds(const struct rows *r, const double *rows_of, double *threshold)
{
    for (int j = 0; j < r->k; j++) threshold[j] = 0.0;
    for (size_t i = 0; i < r->n; i++) threshold[r->given[i]] += (double)scores_of(r, i)[r->given[i]];
    for (int j = 0; j < r->k; j++)
        threshold[j] = rows_of[j] > 0.0 ? fmax(threshold[j] / rows_of[j], least_threshold) : 2.0;
}

/* The label that a row confidently belongs to, the likeliest of several; −1: none. */
static int confident_label(const struct rows *r, size_t i, const double *threshold)
{
    int found = -1, n = 0;
    for (int j = 0; j < r->k; j++) {
        if ((double)scores_of(r, i)[j] < threshold[j] - slack) continue;
        if (found < 0) found = j;
        n++;
    }
    return n > 1 ? likeliest(r, i) : found;
}

/* Counts [given, true], each row scaled to the number of rows that are given the label. At least one row of each label counts as right. */
static void count_joint(const struct rows *r, const double *threshold, const double *rows_of, double *joint)
{
    const int k = r->k;
    double sum = 0.0;
    for (int c = 0; c < k * k; c++) joint[c] = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        const int j = confident_label(r, i, threshold);
        if (j >= 0) *cell(joint, k, r->given[i], j) += 1.0;
    }
    for (int i = 0; i < k; i++) {
        double row = 0.0;
        *cell(joint, k, i, i) = fmax(*cell(joint, k, i, i), 1.0);
        for (int j = 0; j < k; j++) row += *cell(joint, k, i, j);
        for (int j = 0; j < k; j++) sum += *cell(joint, k, i, j) = *cell(joint, k, i, j) / row * rows_of[i];
    }
    for (int c = 0; c < k * k; c++) joint[c] = joint[c] / sum * (double)r->n;
}

/* ── whole numbers ── */

static double off(const double *v, const double *whole, int i)
{
    return v[i] - whole[i];
}

/* Whole numbers with the sum of v [k, step apart], rounded: the largest remainders are taken up (or down). whole [k] is scratch. */
static void round_keeping_sum(double *v, int k, double *whole)
{
    double sum = 0.0, have = 0.0;
    for (int i = 0; i < k; i++) {
        whole[i] = nearbyint(v[i]);
        sum += v[i];
        have += whole[i];
    }
    for (double left = nearbyint(nearbyint(sum) - have); fabs(left) >= 1.0; left -= left > 0.0 ? 1.0 : -1.0) {
        int best = -1;
        for (int n = 0; n < k; n++) {
            const int i = left > 0.0 ? k - 1 - n : n; /* of equal ones as the authors' sort leaves them */
            if (best < 0 || (left > 0.0 ? off(v, whole, i) > off(v, whole, best)
                                        : off(v, whole, i) < off(v, whole, best)))
                best = i;
        }
        whole[best] += left > 0.0 ? 1.0 : -1.0;
    }
    memcpy(v, whole, (size_t)k * sizeof *v);
}

/* ── what is pruned ── */

/* counts [true, given]: the transposed joint, with at least one row of each label kept, in whole numbers. */
static void prune_counts(const int64_t *joint, int k, double *counts)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) *cell(counts, k, i, j) = (double)joint[(size_t)j * (size_t)k + (size_t)i];
    for (int j = 0; j < k; j++) {
        const double kept = *cell(counts, k, j, j), more = fmax(kept, 1.0) - kept;
        int others = -1;
        for (int i = 0; i < k; i++) others += *cell(counts, k, i, j) > 0.0;
        for (int i = 0; i < k; i++)
            *cell(counts, k, i, j) =
                floor(fmax(*cell(counts, k, i, j) - more / (others > 1 ? others : 1), 0.0));
        *cell(counts, k, j, j) = kept + more;
    }
}

struct candidate {
    size_t row;
    double by; /* p(true) − p(given) */
};

static int by_margin(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->by > y->by) return -1;
    if (x->by < y->by) return 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The rows given label g that look most like label t. */
static void prune_pair(const struct rows *r, int g, int t, size_t count, struct candidate *list,
                       bool *flagged)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->given[i] == g)
            list[n++] =
                (struct candidate){.row = i, .by = (double)scores_of(r, i)[t] - (double)scores_of(r, i)[g]};
    qsort(list, n, sizeof *list, by_margin);
    for (size_t i = 0; i < n && i < count; i++) flagged[list[i].row] = true;
}

static void prune(const struct rows *r, const double *counts, const double *rows_of, struct candidate *list,
                  bool *flagged)
{
    for (int g = 0; g < r->k; g++)
        for (int t = 0; t < r->k; t++) {
            const double count = counts[(size_t)t * (size_t)r->k + (size_t)g];
            if (g != t && count > 0.0 && rows_of[g] > 1.0) prune_pair(r, g, t, (size_t)count, list, flagged);
        }
    for (size_t i = 0; i < r->n; i++)
        if (margin_of(r, i) >= -slack) flagged[i] = false;
}

/* ── the order ── */

static void put_in_order(struct bt_confident *c, struct candidate *list)
{
    /* Flagged rows come before all others: margins lie between −1 and 1. */
    for (size_t i = 0; i < c->n; i++) {
        list[i] = (struct candidate){.row = i, .by = (c->flagged[i] ? 4.0 : 0.0) - c->margin[i]};
        c->n_flagged += c->flagged[i];
    }
    qsort(list, c->n, sizeof *list, by_margin);
    for (size_t i = 0; i < c->n; i++) c->order[i] = list[i].row;
}

/* ── the whole ── */

static bool reserve(struct bt_confident *c, size_t n, int k)
{
    const size_t cells = (size_t)k * (size_t)k;
    *c = (struct bt_confident){.n = n, .labels = k};
    c->threshold = calloc((size_t)k, sizeof *c->threshold);
    c->joint = calloc(cells, sizeof *c->joint);
    c->flagged = calloc(n, sizeof *c->flagged);
    c->margin = calloc(n, sizeof *c->margin);
    c->order = calloc(n, sizeof *c->order);
    return c->threshold && c->joint && c->flagged && c->margin && c->order;
}

/* matrix [K, K], rows_of and whole [K] are scratch. */
static void learn(const struct rows *r, struct bt_confident *c, double *matrix, double *rows_of,
                  double *whole, struct candidate *list)
{
    const int k = r->k;
    for (size_t i = 0; i < r->n; i++) {
        rows_of[r->given[i]] += 1.0;
        c->margin[i] = margin_of(r, i);
    }
    find_thresholds(r, rows_of, c->threshold);
    count_joint(r, c->threshold, rows_of, matrix);
    for (int i = 0; i < k; i++) round_keeping_sum(matrix + (size_t)i * (size_t)k, k, whole);
    for (int i = 0; i < k * k; i++) c->joint[i] = (int64_t)matrix[i];
    prune_counts(c->joint, k, matrix);
    prune(r, matrix, rows_of, list, c->flagged);
    put_in_order(c, list);
}

enum bt_status bt_confident_learn(const float *scores, const int *given, size_t n, int labels,
                                  struct bt_confident **out, struct bt_error *err)
{
    const struct rows r = {.scores = scores, .given = given, .n = n, .k = labels};
    *out = NULL;
    enum bt_status st = check(&r, err);
    if (st) return st;
    const size_t k = (size_t)labels;
    struct bt_confident *c = calloc(1, sizeof *c);
    double *matrix = calloc(k * k, sizeof *matrix), *rows_of = calloc(k, sizeof *rows_of),
           *whole = calloc(k, sizeof *whole);
    struct candidate *list = calloc(n, sizeof *list);
    if (c && reserve(c, n, labels) && matrix && rows_of && whole && list) {
        learn(&r, c, matrix, rows_of, whole, list);
        *out = c;
    } else {
        bt_confident_free(c);
        st = bt_fail(err, BT_NOMEM, "no memory for %zu rows", n);
    }
    free(matrix);
    free(rows_of);
    free(whole);
    free(list);
    return st;
}

void bt_confident_free(struct bt_confident *c)
{
    if (!c) return;
    free(c->threshold);
    free(c->joint);
    free(c->flagged);
    free(c->margin);
    free(c->order);
    free(c);
}
