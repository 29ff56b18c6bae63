
#include <bertty/compare.h>
#include <bertty/file.h>
#include <bertty/run.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double bt_mcnemar_exact(uint64_t b, uint64_t c)
{
    uint64_t n = b + c, k = b < c ? b : c;
    if (b == c) return 1.0;
    /* 2 · P(X ≤ k), X ~ Binomial(n, ½): from the greatest term downwards, t(i−1) = t(i) · i / (n − i + 1). The logarithms are of
     * the size of n: in long double their difference still has 12 digits for 10^6 rows. */
    long double dn = (long double)n, dk = (long double)k;
    long double term = expl(lgammal(dn + 1) - lgammal(dk + 1) - lgammal(dn - dk + 1) - dn * logl(2.0L)),
                sum = 0;
    for (long double i = dk; i >= 0 && term > sum * 1e-21L; i--) {
        sum += term;
        term *= i / (dn - i + 1);
    }
    return sum < 0.5L ? (double)(2 * sum) : 1.0;
}

/* ── which split ── */

/* "validation-step-000400.jsonl": the length of the split's name; 0 for other files. */
static size_t split_length(const char *name)
{
    size_t n = strlen(name), end = strlen(".jsonl");
    if (n <= end || strcmp(name + n - end, ".jsonl") != 0) return 0;
    const char *at = strstr(name, "-step-"), *next;
    while (at && (next = strstr(at + 1, "-step-"))) at = next;
    return at ? (size_t)(at - name) : 0;
}

static bool has_split(const char *dir, const char *split)
{
    int64_t *steps;
    size_t n;
    if (bt_predictions_steps(dir, split, &steps, &n, NULL) != BT_OK) return false;
    free(steps);
    return n > 0;
}

/* A split that both runs have predictions for; NULL if there is none. The caller frees. */
static char *common_split(const char *a, const char *b)
{
    static const char *const usual[] = {"test", "validation", "eval", "dev"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (has_split(a, usual[i]) && has_split(b, usual[i])) return bt_strdup(usual[i]);
    char *folder = bt_path_join(a, "predictions"), *found = NULL;
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        size_t n = split_length(e->d_name);
        char *split = n ? bt_strndup(e->d_name, n) : NULL;
        if (split && has_split(b, split))
            found = split;
        else
            free(split);
    }
    if (d) closedir(d);
    free(folder);
    return found;
}

/* ── reading ── */

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct bt_prediction *)a)->id, y = ((const struct bt_prediction *)b)->id;
    return (x > y) - (x < y);
}

static enum bt_status read_side(const struct bt_run_at *run, const char *split, struct bt_predictions **out,
                                struct bt_error *err)
{
    int64_t step = run->step == BT_STEP_LAST ? INT64_MAX : run->step < 0 ? -1 : run->step;
    enum bt_status status = bt_predictions_load(run->dir, split, step, out, err);
    if (status != BT_OK) return status;
    struct bt_predictions *p = *out;
    if (p->n) qsort(p->row, p->n, sizeof *p->row, by_id);
    for (size_t i = 1; i < p->n; i++)
        if (p->row[i].id == p->row[i - 1].id)
            return bt_fail(err, BT_INVALID, "%s: predictions of the %s split: row %lld is there twice",
                           run->dir, split, (long long)p->row[i].id);
    return BT_OK;
}

/* ── pairing ── */

static enum bt_outcome outcome_of(const struct bt_pairing *p, const struct bt_prediction *a,
                                  const struct bt_prediction *b)
{
    double off_a = fabs(a->value - a->gold_value), off_b = fabs(b->value - b->gold_value);
    if (p->kind == BT_ROWS_NUMBERS)
        return off_a < off_b ? BT_ONLY_FIRST : off_b < off_a ? BT_ONLY_SECOND : BT_BOTH_RIGHT;
    return a->correct && b->correct ? BT_BOTH_RIGHT
           : a->correct             ? BT_ONLY_FIRST
           : b->correct             ? BT_ONLY_SECOND
                                    : BT_BOTH_WRONG;
}

/* A question that has no answer is judged without a gold text. */
static const char *gold_of(const struct bt_prediction *r)
{
    return r->gold_text ? r->gold_text : r->judged ? "" : NULL;
}

/* a and b of the same row; its gold value has to be the same, and there. */
static void pair_rows(struct bt_pairing *p, const struct bt_prediction *a, const struct bt_prediction *b)
{
    const char *gold = gold_of(a), *gold_b = gold_of(b), *first = a->predicted_text,
               *second = b->predicted_text;
    if (!gold || !gold_b || strcmp(gold, gold_b) != 0) {
        p->gold_differs++;
        return;
    }
    bool same = strcmp(first, second) == 0;
    enum bt_outcome outcome = outcome_of(p, a, b);
    p->count[outcome]++;
    p->agree += same;
    p->row[p->n++] = (struct bt_pair_row){.id = a->id,
                                          .gold = gold,
                                          .first = first,
                                          .second = same ? first : second,
                                          .p_first = (double)a->p,
                                          .p_second = (double)b->p,
                                          .loss_first = (double)a->loss,
                                          .loss_second = (double)b->loss,
                                          .gold_value = a->gold_value,
                                          .value_first = a->value,
                                          .value_second = b->value,
                                          .quality_first = a->quality,
                                          .quality_second = b->quality,
                                          .outcome = outcome,
                                          .of_first = a,
                                          .of_second = b};
}

static enum bt_status pair_all(struct bt_pairing *p, struct bt_error *err)
{
    const struct bt_predictions *a = p->side[0], *b = p->side[1];
    p->step_first = a->step;
    p->step_second = b->step;
    p->kind = a->n ? a->kind : b->kind; /* an empty file is of any */
    if (a->n && b->n && a->kind != b->kind)
        return bt_fail(err, BT_INVALID, "predictions of the %s split: the two runs are of different tasks",
                       p->split);
    if (p->kind == BT_ROWS_MASKS)
        return bt_fail(err, BT_INVALID,
                       "masked words are counted, not predicted row by row: there is nothing to pair");
    p->row = calloc(a->n + 1, sizeof *p->row);
    if (!p->row) return bt_fail(err, BT_NOMEM, "no memory for %zu predictions", a->n);
    for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
        if (k == b->n || (i < a->n && a->row[i].id < b->row[k].id)) {
            p->only_first++;
            i++;
        } else if (i == a->n || b->row[k].id < a->row[i].id) {
            p->only_second++;
            k++;
        } else {
            pair_rows(p, &a->row[i++], &b->row[k++]);
        }
    }
    p->p = bt_mcnemar_exact(p->count[BT_ONLY_FIRST], p->count[BT_ONLY_SECOND]);
    return BT_OK;
}

enum bt_status bt_pairing_load(const struct bt_run_at *first, const struct bt_run_at *second,
                               const char *split, struct bt_pairing **out, struct bt_error *err)
{
    struct bt_pairing *p = calloc(1, sizeof *p);
    enum bt_status status = BT_OK;
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for predictions");
    p->split = split ? bt_strdup(split) : common_split(first->dir, second->dir);
    if (!p->split)
        status = bt_fail(err, BT_NOTFOUND, "%s and %s: no predictions for the same split", first->dir,
                         second->dir);
    if (status == BT_OK) status = read_side(first, p->split, &p->side[0], err);
    if (status == BT_OK) status = read_side(second, p->split, &p->side[1], err);
    if (status == BT_OK) status = pair_all(p, err);
    if (status == BT_OK)
        *out = p;
    else
        bt_pairing_free(p);
    return status;
}

size_t bt_pairing_last_row(const struct bt_pairing *p)
{
    return p->n && p->row[p->n - 1].id > 0 ? (size_t)p->row[p->n - 1].id : 0;
}

void bt_pairing_free(struct bt_pairing *p)
{
    if (!p) return;
    bt_predictions_free(p->side[0]);
    bt_predictions_free(p->side[1]);
    free(p->split);
    free(p->row);
    free(p);
}
