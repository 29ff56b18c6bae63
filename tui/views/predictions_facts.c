#include "tui/views/predictions_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const slice_names[][PRED_SLICES] = {
    [BT_ROWS_LABELS] = {NULL},
    [BT_ROWS_SETS] = {"missing", "extra", "no label"},
    [BT_ROWS_NUMBERS] = {"too high", "too low"},
    [BT_ROWS_TAGS] = {"missed", "spurious", "wrong type", "wrong boundary"},
    [BT_ROWS_ANSWERS] = {"exact", "partly right", "wrong", "answered, has none", "not answered"},
    [BT_ROWS_MASKS] = {"all words right", "none right"},
};

const char *pred_slice_name(enum bt_rows_kind kind, int slice)
{
    return slice >= 0 && slice < PRED_SLICES ? slice_names[kind][slice] : NULL;
}

bool pred_facts_in(const struct pred_facts *f, size_t row, int group)
{
    for (size_t i = f->start[row]; i < f->start[row + 1]; i++)
        if (f->in[i] == (unsigned)group) return true;
    return false;
}

void pred_facts_free(struct pred_facts *f)
{
    for (size_t i = 0; i < f->n_groups; i++) free(f->group[i].name);
    free(f->group);
    free(f->slices);
    free(f->mistakes);
    free(f->start);
    free(f->in);
    *f = (struct pred_facts){.kind = BT_ROWS_LABELS};
}

/* ── entities ── */

struct tag {
    char letter; /* '\0': none */
    const char *type;
    size_t n;
};

static struct tag split(const char *text)
{
    bool lettered = text[0] && text[1] == '-' && strchr("BIESLU", text[0]);
    if (strcmp(text, "O") == 0) return (struct tag){.letter = 'O', .type = "", .n = 0};
    if (lettered) return (struct tag){.letter = text[0], .type = text + 2, .n = strlen(text + 2)};
    return (struct tag){.letter = '\0', .type = text, .n = strlen(text)};
}

/* A letter that stands for an entity's last word, or for all of it. */
static bool closes(char letter)
{
    return letter == '\0' || strchr("OESLU", letter);
}

bool pred_entities(const struct bt_json *tags, struct pred_entity **out, size_t *n)
{
    size_t words = bt_json_len(tags);
    struct tag before = {.letter = 'O', .type = ""};
    *n = 0;
    *out = calloc(words + 1, sizeof **out);
    for (size_t i = 0; *out && i < words; i++) {
        struct tag t = split(bt_json_text(bt_json_at(tags, i), "O"));
        bool other = before.n != t.n || memcmp(before.type, t.type, t.n) != 0;
        bool starts = closes(before.letter) || other || strchr("BSU", t.letter);
        if (t.letter != 'O' && starts)
            (*out)[(*n)++] = (struct pred_entity){.type = t.type, .type_n = t.n, .begin = i};
        if (t.letter != 'O') (*out)[*n - 1].end = i + 1;
        before = t;
    }
    return *out != NULL;
}

static bool same_type(const struct pred_entity *a, const struct pred_entity *b)
{
    return a->type_n == b->type_n && memcmp(a->type, b->type, a->type_n) == 0;
}

enum pred_fault pred_entity_fault(const struct pred_entity *e, const struct pred_entity *other, size_t n,
                                  enum pred_fault alone, size_t *which)
{
    enum pred_fault found = alone;
    *which = n;
    for (size_t i = 0; i < n; i++) {
        const struct pred_entity *o = &other[i];
        bool same_place = o->begin == e->begin && o->end == e->end;
        if (o->begin >= e->end || e->begin >= o->end) continue;
        if (found == PRED_TYPE) continue;
        *which = i;
        found = same_place ? (same_type(e, o) ? PRED_RIGHT : PRED_TYPE) : PRED_BOUNDARY;
        if (found == PRED_RIGHT) break;
    }
    return found;
}

/* ── groups ── */

static int group_of(struct pred_facts *f, const char *name, size_t n)
{
    for (size_t i = 0; i < f->n_groups; i++)
        if (strncmp(f->group[i].name, name, n) == 0 && !f->group[i].name[n]) return (int)i;
    struct pred_group *more = realloc(f->group, (f->n_groups + 1) * sizeof *more);
    if (!more) return PRED_NO_GROUP;
    f->group = more;
    more[f->n_groups] = (struct pred_group){.name = bt_strndup(name, n)};
    return more[f->n_groups].name ? (int)f->n_groups++ : PRED_NO_GROUP;
}

/* The row i, which is the last so far, is of a group. */
static bool join(struct pred_facts *f, size_t i, int group)
{
    f->start[i + 1] = f->n_in;
    if (group < 0) return false;
    if (pred_facts_in(f, i, group)) return true;
    if (f->n_in == f->cap_in) {
        size_t cap = f->cap_in ? 2 * f->cap_in : 256;
        unsigned *more = realloc(f->in, cap * sizeof *more);
        if (!more) return false;
        f->in = more;
        f->cap_in = cap;
    }
    f->in[f->n_in++] = (unsigned)group;
    f->start[i + 1] = f->n_in;
    return true;
}

static double part(size_t a, size_t b)
{
    return b ? (double)a / (double)b : (double)NAN;
}

static int by_name(const void *a, const void *b)
{
    const struct pred_group *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Types in the order of their names, whichever came first in the file. */
static bool sort_groups(struct pred_facts *f)
{
    const struct pred_group **order = calloc(f->n_groups + 1, sizeof *order);
    unsigned *to = calloc(f->n_groups + 1, sizeof *to);
    struct pred_group *sorted = calloc(f->n_groups + 1, sizeof *sorted);
    bool good = order && to && sorted;
    for (size_t i = 0; good && i < f->n_groups; i++) order[i] = &f->group[i];
    if (good) qsort(order, f->n_groups, sizeof *order, by_name);
    for (size_t i = 0; good && i < f->n_groups; i++) {
        sorted[i] = *order[i];
        to[order[i] - f->group] = (unsigned)i;
    }
    for (size_t i = 0; good && i < f->n_in; i++) f->in[i] = to[f->in[i]];
    if (good) {
        free(f->group);
        f->group = sorted;
    } else {
        free(sorted);
    }
    free(order);
    free(to);
    return good;
}

static void figure(struct pred_facts *f, const char *name, double value)
{
    f->figure[f->n_figures++] = (struct pred_figure){.name = name, .value = value};
}

static void judge_groups(struct pred_facts *f, const char *macro)
{
    size_t gold = 0, predicted = 0, right = 0, known = 0;
    double sum = 0;
    for (size_t i = 0; i < f->n_groups; i++) {
        struct pred_group *g = &f->group[i];
        g->precision = part(g->right, g->predicted);
        g->recall = part(g->right, g->gold);
        g->f1 = part(2 * g->right, g->gold + g->predicted);
        sum += isnan(g->f1) ? 0 : g->f1;
        known += isnan(g->f1) ? 0 : 1;
        gold += g->gold;
        predicted += g->predicted;
        right += g->right;
    }
    figure(f, "F1", part(2 * right, gold + predicted));
    figure(f, "precision", part(right, predicted));
    figure(f, "recall", part(right, gold));
    figure(f, macro, known ? sum / (double)known : (double)NAN);
}

/* ── a row of each kind ── */

static void mark(struct pred_facts *f, size_t i, int slice)
{
    f->slices[i] |= 1u << slice;
}

static void count_faults(struct pred_facts *f, size_t i, enum pred_fault fault)
{
    if (fault == PRED_RIGHT) return;
    mark(f, i, (int)fault);
    f->mistakes[i]++;
}

static bool take_entities(struct pred_facts *f, size_t i, const struct pred_entity *gold, size_t n_gold,
                          const struct pred_entity *said, size_t n_said, bool judged)
{
    size_t which;
    bool good = true;
    for (size_t k = 0; good && k < n_gold; k++) {
        int g = group_of(f, gold[k].type, gold[k].type_n);
        enum pred_fault fault = pred_entity_fault(&gold[k], said, n_said, PRED_MISSED, &which);
        good = join(f, i, g);
        if (good) f->group[g].gold++;
        if (good) f->group[g].right += fault == PRED_RIGHT;
        count_faults(f, i, fault);
    }
    for (size_t k = 0; good && k < n_said; k++) {
        int g = group_of(f, said[k].type, said[k].type_n);
        good = join(f, i, g);
        if (good && judged) f->group[g].predicted++;
        /* what touches a gold one was counted with it */
        if (judged && pred_entity_fault(&said[k], gold, n_gold, PRED_SPURIOUS, &which) == PRED_SPURIOUS)
            count_faults(f, i, PRED_SPURIOUS);
    }
    return good;
}

static bool take_tags(struct pred_facts *f, size_t i, const struct bt_prediction *r, const struct bt_json *v)
{
    struct pred_entity *gold = NULL, *said = NULL;
    size_t n_gold, n_said;
    bool good = pred_entities(bt_json_get(v, "gold_tags"), &gold, &n_gold) &&
                pred_entities(bt_json_get(v, "tags"), &said, &n_said) &&
                take_entities(f, i, gold, n_gold, said, n_said, r->judged);
    free(gold);
    free(said);
    return good;
}

bool pred_list_has(const struct bt_json *list, const char *text)
{
    for (size_t i = 0; i < bt_json_len(list); i++)
        if (strcmp(bt_json_text(bt_json_at(list, i), ""), text) == 0) return true;
    return false;
}

static bool take_set(struct pred_facts *f, size_t i, const struct bt_prediction *r, const struct bt_json *v)
{
    const struct bt_json *gold = bt_json_get(v, "gold_labels"), *said = bt_json_get(v, "labels");
    bool good = true;
    for (size_t k = 0; good && k < bt_json_len(gold); k++) {
        const char *label = bt_json_text(bt_json_at(gold, k), "");
        int g = group_of(f, label, strlen(label));
        bool right = pred_list_has(said, label);
        if (!(good = join(f, i, g))) break;
        f->group[g].gold++;
        f->group[g].right += right;
        f->mistakes[i] += !right;
        if (!right) mark(f, i, 0);
    }
    for (size_t k = 0; good && k < bt_json_len(said); k++) {
        const char *label = bt_json_text(bt_json_at(said, k), "");
        int g = group_of(f, label, strlen(label));
        if (!(good = join(f, i, g))) break;
        if (!r->judged) continue;
        f->group[g].predicted++;
        if (pred_list_has(gold, label)) continue;
        mark(f, i, 1);
        f->mistakes[i]++;
    }
    if (bt_json_len(said) == 0) mark(f, i, 2);
    return good;
}

static bool take_answer(struct pred_facts *f, size_t i, const struct bt_prediction *r,
                        const struct bt_json *v)
{
    bool answered = r->predicted_text && *r->predicted_text;
    bool none = bt_json_get(v, "golds") && bt_json_len(bt_json_get(v, "golds")) == 0;
    if (!r->judged) return true;
    f->mistakes[i] = !r->correct;
    mark(f, i, r->correct ? 0 : r->quality > 0 ? 1 : 2);
    if (none && answered) mark(f, i, 3);
    if (!none && !answered) mark(f, i, 4);
    return true;
}

static bool take_number(struct pred_facts *f, size_t i, const struct bt_prediction *r,
                        const struct bt_json *v)
{
    double error = r->value - r->gold_value;
    (void)v;
    if (error > 0) mark(f, i, 0);
    if (error < 0) mark(f, i, 1);
    return true;
}

static bool take_masks(struct pred_facts *f, size_t i, const struct bt_prediction *r, const struct bt_json *v)
{
    int64_t masked = bt_json_int(bt_json_get(v, "masked"), 0),
            right = bt_json_int(bt_json_get(v, "right"), 0);
    (void)r;
    f->mistakes[i] = (unsigned)(masked > right ? masked - right : 0);
    if (masked > 0 && right == masked) mark(f, i, 0);
    if (masked > 0 && right == 0) mark(f, i, 1);
    return true;
}

/* ── over all rows ── */

static double mean_of(double sum, size_t n)
{
    return n ? sum / (double)n : (double)NAN;
}

static void sum_answers(const struct bt_predictions *p, struct pred_facts *f)
{
    double f1 = 0, exact = 0, f1_known = 0;
    size_t n = 0, known = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_prediction *r = &p->row[i];
        if (!r->judged) continue;
        bool has = r->gold_text && *r->gold_text;
        n++;
        f1 += isnan(r->quality) ? 0 : r->quality;
        exact += r->correct;
        known += has;
        f1_known += has && !isnan(r->quality) ? r->quality : 0;
    }
    figure(f, "F1", 100 * mean_of(f1, n));
    figure(f, "exact", 100 * mean_of(exact, n));
    if (known == n) return;
    figure(f, "F1, has answer", 100 * mean_of(f1_known, known));
    figure(f, "F1, has none", 100 * mean_of(f1 - f1_known, n - known));
}

static void sum_masks(const struct bt_predictions *p, struct pred_facts *f)
{
    double masked = 0, wrong = 0, loss = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct bt_json *v = bt_prediction_json(p, &p->row[i]);
        double words = (double)bt_json_int(bt_json_get(v, "masked"), 0);
        bt_json_free(v);
        masked += words;
        wrong += f->mistakes[i];
        if (!isnan(p->row[i].loss)) loss += words * (double)p->row[i].loss;
    }
    figure(f, "masked words", masked);
    figure(f, "right", masked > 0 ? (masked - wrong) / masked : (double)NAN);
    figure(f, "loss of a word", masked > 0 ? loss / masked : (double)NAN);
    figure(f, "perplexity", masked > 0 ? exp(loss / masked) : (double)NAN);
}

static bool sum_numbers(const struct bt_predictions *p, struct pred_facts *f)
{
    double *gold = calloc(p->n + 1, sizeof *gold), *value = calloc(p->n + 1, sizeof *value);
    double far = 0, squares = 0;
    size_t n = 0;
    for (size_t i = 0; gold && value && i < p->n; i++) {
        double g = p->row[i].gold_value, said = p->row[i].value;
        if (isnan(g) || isnan(said)) continue;
        gold[n] = g;
        value[n++] = said;
        far += fabs(said - g);
        squares += (said - g) * (said - g);
    }
    f->mean_error = mean_of(far, n);
    bool good = gold && value;
    if (good) figure(f, "Pearson", pred_pearson(gold, value, n));
    if (good) figure(f, "Spearman", pred_spearman(gold, value, n));
    figure(f, "mean error", f->mean_error);
    figure(f, "RMSE", sqrt(mean_of(squares, n)));
    free(gold);
    free(value);
    return good;
}

static bool sum_up(const struct bt_predictions *p, struct pred_facts *f)
{
    bool good = true;
    if (p->kind == BT_ROWS_TAGS) good = sort_groups(f);
    if (good && p->kind == BT_ROWS_TAGS) judge_groups(f, "macro F1");
    if (p->kind == BT_ROWS_SETS) judge_groups(f, "macro F1");
    if (p->kind == BT_ROWS_ANSWERS) sum_answers(p, f);
    if (p->kind == BT_ROWS_MASKS) sum_masks(p, f);
    if (p->kind == BT_ROWS_NUMBERS) good = sum_numbers(p, f);
    for (size_t i = 0; i < p->n; i++)
        for (int k = 0; k < PRED_SLICES; k++) f->of_slice[k] += f->slices[i] >> k & 1;
    return good;
}

bool pred_facts_make(const struct bt_predictions *p, struct pred_facts *f)
{
    static bool (*const take[])(struct pred_facts *, size_t, const struct bt_prediction *,
                                const struct bt_json *) = {
        [BT_ROWS_LABELS] = NULL,    [BT_ROWS_SETS] = take_set,       [BT_ROWS_NUMBERS] = take_number,
        [BT_ROWS_TAGS] = take_tags, [BT_ROWS_ANSWERS] = take_answer, [BT_ROWS_MASKS] = take_masks};
    bool good = true;
    *f = (struct pred_facts){.kind = p->kind,
                             .mean_error = (double)NAN,
                             .slices = calloc(p->n + 1, sizeof *f->slices),
                             .mistakes = calloc(p->n + 1, sizeof *f->mistakes),
                             .start = calloc(p->n + 2, sizeof *f->start)};
    good = f->slices && f->mistakes && f->start;
    for (int k = 0; good && k < p->n_labels && p->kind == BT_ROWS_SETS; k++)
        good = group_of(f, p->label[k], strlen(p->label[k])) >= 0;
    for (size_t i = 0; good && take[p->kind] && i < p->n; i++) {
        struct bt_json *v = p->kind == BT_ROWS_NUMBERS ? NULL : bt_prediction_json(p, &p->row[i]);
        f->start[i + 1] = f->start[i];
        good = take[p->kind](f, i, &p->row[i], v);
        bt_json_free(v);
    }
    good = good && sum_up(p, f);
    if (!good) pred_facts_free(f);
    return good;
}

/* ── correlations ── */

double pred_pearson(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ma += a[i] / (double)n;
        mb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - ma) * (b[i] - mb);
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
    }
    return n > 1 && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : (double)NAN;
}

struct ranked {
    double value;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* Ranks from 1, ties averaged. */
static bool rank(const double *a, size_t n, double *to)
{
    struct ranked *all = calloc(n + 1, sizeof *all);
    for (size_t i = 0; all && i < n; i++) all[i] = (struct ranked){.value = a[i], .at = i};
    if (all) qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0, end; all && i < n; i = end) {
        for (end = i; end < n && !(all[end].value > all[i].value);) end++;
        for (size_t k = i; k < end; k++) to[all[k].at] = 0.5 * (double)(i + end + 1);
    }
    free(all);
    return all != NULL;
}

double pred_spearman(const double *a, const double *b, size_t n)
{
    double *x = calloc(n + 1, sizeof *x), *y = calloc(n + 1, sizeof *y);
    double r = x && y && rank(a, n, x) && rank(b, n, y) ? pred_pearson(x, y, n) : (double)NAN;
    free(x);
    free(y);
    return r;
}
