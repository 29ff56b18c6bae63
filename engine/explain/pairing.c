#include "run/find.h"

#include <bertty/compare.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 30) /* bytes of a predictions file */

double bt_mcnemar_exact(uint64_t b, uint64_t c)
{
    uint64_t n = b + c, k = b < c ? b : c;
    if (b == c) return 1.0;
    /* 2 · P(X ≤ k), X ~ Binomial(n, ½): from the greatest term downwards, t(i−1) = t(i) · i / (n − i + 1) */
    double dn = (double)n, dk = (double)k;
    double term = exp(lgamma(dn + 1) - lgamma(dk + 1) - lgamma(dn - dk + 1) - dn * log(2.0)), sum = 0;
    for (double i = dk; i >= 0 && term > sum * 1e-18; i--) {
        sum += term;
        term *= i / (dn - i + 1);
    }
    return sum < 0.5 ? 2 * sum : 1.0;
}

/* ── labels: each text once ── */

struct labels {
    char **text;
    size_t n, cap;
};

static const char *intern(struct labels *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->text[i], text) == 0) return l->text[i];
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        char **more = realloc(l->text, cap * sizeof *more);
        if (!more) return NULL;
        l->text = more;
        l->cap = cap;
    }
    char *copy = bt_strdup(text);
    if (copy) l->text[l->n++] = copy;
    return copy;
}

static void labels_free(struct labels *l)
{
    for (size_t i = 0; l && i < l->n; i++) free(l->text[i]);
    if (l) free(l->text);
    free(l);
}

/* ── which file ── */

/* "validation-step-000400.jsonl": the split's length and the step; false for other names. */
static bool parse_name(const char *name, size_t *split_n, int64_t *step)
{
    const char *at = strstr(name, "-step-"), *next;
    while (at && (next = strstr(at + 1, "-step-"))) at = next;
    if (!at || at == name || at[6] < '0' || at[6] > '9') return false;
    char *end;
    *step = strtoll(at + 6, &end, 10);
    *split_n = (size_t)(at - name);
    return strcmp(end, ".jsonl") == 0;
}

/* The file of a split: at the best step if there is one, else the newest. NULL if the run has none; the caller frees. */
static char *find_file(const char *dir, const char *split, int64_t *step)
{
    char *folder = bt_path_join(dir, "predictions"), *found = NULL;
    DIR *d = folder ? opendir(folder) : NULL;
    int64_t best = bt__linked_step(dir, "best"), s;
    size_t n;
    *step = -1;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!parse_name(e->d_name, &n, &s) || strlen(split) != n || strncmp(split, e->d_name, n) != 0)
            continue;
        if (found && (*step == best || (s != best && s < *step))) continue;
        free(found);
        found = bt_path_join(folder, e->d_name);
        *step = s;
    }
    if (d) closedir(d);
    free(folder);
    return found;
}

static bool has_split(const char *dir, const char *split)
{
    int64_t step;
    char *path = find_file(dir, split, &step);
    free(path);
    return path != NULL;
}

/* A split that both runs have predictions for; NULL if there is none. The caller frees. */
static char *common_split(const char *a, const char *b)
{
    static const char *const usual[] = {"test", "validation", "eval", "dev"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (has_split(a, usual[i]) && has_split(b, usual[i])) return bt_strdup(usual[i]);
    char *folder = bt_path_join(a, "predictions"), *found = NULL;
    DIR *d = folder ? opendir(folder) : NULL;
    size_t n;
    int64_t step;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        if (!parse_name(e->d_name, &n, &step)) continue;
        char *split = bt_strndup(e->d_name, n);
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

struct prediction {
    int64_t id;
    const char *gold, *label;
    double p, loss;
};

struct predictions {
    struct prediction *row;
    size_t n, cap;
};

static bool more_rows(struct predictions *p)
{
    if (p->n < p->cap) return true;
    size_t cap = p->cap ? p->cap * 2 : 1024;
    struct prediction *row = realloc(p->row, cap * sizeof *row);
    if (!row) return false;
    p->row = row;
    p->cap = cap;
    return true;
}

static enum bt_status read_row(const struct bt_json *v, const char *where, struct labels *labels,
                               struct predictions *to, struct bt_error *err)
{
    const struct bt_json *id = bt_json_get(v, "id");
    const char *gold = bt_json_text(bt_json_get(v, "gold"), NULL);
    const char *label = bt_json_text(bt_json_get(v, "prediction"), NULL);
    if (bt_json_kind(id) != BT_JSON_INT || !gold || !label)
        return bt_fail(err, BT_INVALID, "%s: expected a number \"id\" and texts \"gold\" and \"prediction\"",
                       where);
    if (!more_rows(to)) return bt_fail(err, BT_NOMEM, "%s: no memory", where);
    struct prediction *row = &to->row[to->n];
    *row = (struct prediction){.id = bt_json_int(id, 0),
                               .gold = intern(labels, gold),
                               .label = intern(labels, label),
                               .p = bt_json_number(bt_json_get(bt_json_get(v, "scores"), label), (double)NAN),
                               .loss = bt_json_number(bt_json_get(v, "loss"), (double)NAN)};
    if (!row->gold || !row->label) return bt_fail(err, BT_NOMEM, "%s: no memory", where);
    to->n++;
    return BT_OK;
}

static enum bt_status read_line(const char *line, size_t n, const char *path, size_t number,
                                struct labels *labels, struct predictions *to, struct bt_error *err)
{
    char *where = bt_strfmt("%s: line %zu", path, number);
    struct bt_json *v = where ? bt_json_parse(line, n, where, err) : NULL;
    enum bt_status status = v       ? read_row(v, where, labels, to, err)
                            : where ? BT_INVALID
                                    : bt_fail(err, BT_NOMEM, "%s: no memory", path);
    bt_json_free(v);
    free(where);
    return status;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct prediction *)a)->id, y = ((const struct prediction *)b)->id;
    return (x > y) - (x < y);
}

static enum bt_status read_predictions(const char *dir, const char *split, int64_t *step,
                                       struct labels *labels, struct predictions *to, struct bt_error *err)
{
    char *path = find_file(dir, split, step), *data = NULL;
    size_t n = 0, number = 0;
    if (!path) return bt_fail(err, BT_NOTFOUND, "%s: no predictions for the %s split", dir, split);
    enum bt_status status = bt_file_read(path, MAX_FILE, &data, &n, err);
    for (char *p = data, *end = data + n; status == BT_OK && p < end;) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        number++;
        if (len) status = read_line(p, len, path, number, labels, to, err);
        p += len + 1;
    }
    if (to->n) qsort(to->row, to->n, sizeof *to->row, by_id);
    for (size_t i = 1; i < to->n && status == BT_OK; i++)
        if (to->row[i].id == to->row[i - 1].id)
            status = bt_fail(err, BT_INVALID, "%s: row %lld is there twice", path, (long long)to->row[i].id);
    free(data);
    free(path);
    return status;
}

/* ── pairing ── */

static void pair_rows(struct bt_pairing *p, const struct prediction *a, const struct prediction *b)
{
    if (a->gold != b->gold) {
        p->gold_differs++;
        return;
    }
    bool right_a = a->label == a->gold, right_b = b->label == b->gold;
    enum bt_outcome outcome = right_a && right_b ? BT_BOTH_RIGHT
                              : right_a          ? BT_ONLY_FIRST
                              : right_b          ? BT_ONLY_SECOND
                                                 : BT_BOTH_WRONG;
    p->count[outcome]++;
    p->agree += a->label == b->label;
    p->row[p->n++] = (struct bt_pair_row){.id = a->id,
                                          .gold = a->gold,
                                          .first = a->label,
                                          .second = b->label,
                                          .p_first = a->p,
                                          .p_second = b->p,
                                          .loss_first = a->loss,
                                          .loss_second = b->loss,
                                          .outcome = outcome};
}

static enum bt_status pair_all(struct bt_pairing *p, const struct predictions *a, const struct predictions *b,
                               struct bt_error *err)
{
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

enum bt_status bt_pairing_load(const char *first_dir, const char *second_dir, const char *split,
                               struct bt_pairing **out, struct bt_error *err)
{
    struct predictions a = {0}, b = {0};
    struct bt_pairing *p = calloc(1, sizeof *p);
    enum bt_status status = BT_OK;
    if (!p || !(p->labels = calloc(1, sizeof(struct labels)))) {
        free(p);
        return bt_fail(err, BT_NOMEM, "no memory for predictions");
    }
    p->split = split ? bt_strdup(split) : common_split(first_dir, second_dir);
    if (!p->split)
        status =
            bt_fail(err, BT_NOTFOUND, "%s and %s: no predictions for the same split", first_dir, second_dir);
    if (status == BT_OK) status = read_predictions(first_dir, p->split, &p->step_first, p->labels, &a, err);
    if (status == BT_OK) status = read_predictions(second_dir, p->split, &p->step_second, p->labels, &b, err);
    if (status == BT_OK) status = pair_all(p, &a, &b, err);
    free(a.row);
    free(b.row);
    if (status == BT_OK)
        *out = p;
    else
        bt_pairing_free(p);
    return status;
}

void bt_pairing_free(struct bt_pairing *p)
{
    if (!p) return;
    labels_free(p->labels);
    free(p->split);
    free(p->row);
    free(p);
}
