#include "explain/tally.h"

#include "metrics/answers_view.h"
#include "metrics/labels.h"
#include "metrics/numbers.h"
#include "metrics/ratio.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <bertty/bootstrap.h>
#include <bertty/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Slots: rows that are right, their quality, words, words that are right; then three for each class, then two for each bin of confidence. */
enum { RIGHT, QUALITY, WORDS, WORDS_RIGHT, CLASSES };
enum { GOLD, PREDICTED, HIT, PER_CLASS };

static const struct kind {
    enum bt__metric_family family;
    const char *metric[BT_BOOTSTRAP_METRICS + 1];
} kinds[] = {
    [BT_ROWS_LABELS] = {.family = BT__METRICS_labels, .metric = {"accuracy", "f1_macro", "mcc", "ece"}},
    [BT_ROWS_SETS] = {.family = BT__METRICS_sets, .metric = {"f1_micro", "f1_macro", "subset_accuracy"}},
    [BT_ROWS_NUMBERS] = {.family = BT__METRICS_numbers, .metric = {"pearson", "spearman", "mse"}},
    [BT_ROWS_TAGS] = {.family = BT__METRICS_spans, .metric = {"f1", "precision", "recall", "accuracy"}},
    [BT_ROWS_ANSWERS] = {.family = BT__METRICS_answers, .metric = {"f1", "exact"}},
    [BT_ROWS_MASKS] = {.family = BT__METRICS_language, .metric = {NULL}},
};

const char *const *bt__tally_metrics(const struct bt__tally *t)
{
    return kinds[t->kind].metric;
}

bool bt__tally_greater_is_better(const struct bt__tally *t, const char *metric)
{
    return bt__metric_greater_is_better(t->family, metric);
}

/* ── what a row adds ── */

static bool add(struct bt__tally *t, size_t slot, double amount)
{
    if (t->items == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 8 * (t->n + 1);
        struct bt__amount *more = realloc(t->item, cap * sizeof *more);
        if (!more) return false;
        t->item = more;
        t->cap = cap;
    }
    t->item[t->items++] = (struct bt__amount){.slot = (uint32_t)slot, .amount = amount};
    return true;
}

static bool add_class(struct bt__tally *t, size_t class, int what)
{
    return add(t, CLASSES + PER_CLASS * class + (size_t)what, 1.0);
}

static bool add_bin(struct bt__tally *t, double p, bool right)
{
    int b = bt_calibration_bin(p);
    size_t slot = CLASSES + PER_CLASS * t->classes + 2 * (size_t)(b < 0 ? 0 : b);
    return b < 0 || (add(t, slot, p) && (!right || add(t, slot + 1, 1.0)));
}

/* ── names of classes: labels, or types of entities ── */

struct names {
    const char **name; /* borrowed, each [size]; [n] */
    size_t *size, n;
};

static size_t find(const struct names *s, const char *name, size_t size)
{
    size_t i = 0;
    while (i < s->n && (s->size[i] != size || memcmp(s->name[i], name, size) != 0)) i++;
    return i;
}

/* Its number, new if need be; SIZE_MAX without memory. */
static size_t number_of(struct names *s, const char *name, size_t size)
{
    size_t i = find(s, name, size);
    if (i < s->n) return i;
    const char **more = realloc(s->name, (s->n + 1) * sizeof *more);
    if (more) s->name = more;
    size_t *sizes = more ? realloc(s->size, (s->n + 1) * sizeof *sizes) : NULL;
    if (!sizes) return SIZE_MAX;
    s->size = sizes;
    s->name[s->n] = name;
    s->size[s->n] = size;
    return s->n++;
}

static void names_free(struct names *s)
{
    free(s->name);
    free(s->size);
}

static bool take_side_labels(const struct bt_predictions *p, struct names *s)
{
    bool good = true;
    for (int i = 0; good && i < p->n_labels; i++)
        good = number_of(s, p->label[i], strlen(p->label[i])) != SIZE_MAX;
    return good;
}

/* ── rows of each kind ── */

struct row {
    const struct bt_prediction *r;
    const struct bt_predictions *of;
    struct names *names;
};

static bool take_label(struct bt__tally *t, const struct row *w)
{
    const struct bt_prediction *r = w->r;
    size_t gold = find(w->names, r->gold_text, strlen(r->gold_text)),
           said = find(w->names, r->predicted_text, strlen(r->predicted_text));
    bool good = add_class(t, gold, GOLD) && add_class(t, said, PREDICTED);
    if (good && gold == said) good = add_class(t, gold, HIT);
    if (isnan(r->p)) t->calibrated = false;
    return good && add_bin(t, (double)r->p, gold == said);
}

static bool in_list(const struct bt_json *list, const char *text)
{
    for (size_t i = 0; i < bt_json_len(list); i++)
        if (strcmp(bt_json_text(bt_json_at(list, i), ""), text) == 0) return true;
    return false;
}

static bool take_set(struct bt__tally *t, const struct row *w)
{
    struct bt_json *v = bt_prediction_json(w->of, w->r);
    const struct bt_json *gold = bt_json_get(v, "gold_labels"), *said = bt_json_get(v, "labels");
    bool good = v != NULL;
    for (size_t c = 0; good && c < w->names->n; c++) {
        bool in_gold = in_list(gold, w->names->name[c]), in_said = in_list(said, w->names->name[c]);
        if (in_gold) good = add_class(t, c, GOLD);
        if (good && in_said) good = add_class(t, c, PREDICTED);
        if (good && in_gold && in_said) good = add_class(t, c, HIT);
    }
    bt_json_free(v);
    return good;
}

struct sentence {
    struct bt__tag *gold, *said;
    struct bt__entity *gold_entity, *said_entity;
    size_t n;
};

static bool sentence_make(const struct bt_json *gold, const struct bt_json *said, struct sentence *s)
{
    size_t n = bt_json_len(gold) < bt_json_len(said) ? bt_json_len(gold) : bt_json_len(said);
    *s = (struct sentence){.n = n,
                           .gold = calloc(n + 1, sizeof *s->gold),
                           .said = calloc(n + 1, sizeof *s->said),
                           .gold_entity = calloc(n + 1, sizeof *s->gold_entity),
                           .said_entity = calloc(n + 1, sizeof *s->said_entity)};
    if (!s->gold || !s->said || !s->gold_entity || !s->said_entity) return false;
    for (size_t i = 0; i < n; i++) {
        s->gold[i] = bt__tag_parse(bt_json_text(bt_json_at(gold, i), "O"));
        s->said[i] = bt__tag_parse(bt_json_text(bt_json_at(said, i), "O"));
    }
    return true;
}

static void sentence_free(struct sentence *s)
{
    free(s->gold);
    free(s->said);
    free(s->gold_entity);
    free(s->said_entity);
}

static bool bilou(const struct bt__tag *tag, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tag[i].letter == 'L' || tag[i].letter == 'U') return true;
    return false;
}

/* Entities of any type count alike, so one class will do. Read as conlleval does. */
static bool take_entities(struct bt__tally *t, struct sentence *s)
{
    enum bt__scheme scheme = bilou(s->gold, s->n) || bilou(s->said, s->n) ? BT__BILOU : BT__IOB2;
    size_t golds = bt__tags_entities(s->gold, s->n, scheme, false, s->gold_entity),
           saids = bt__tags_entities(s->said, s->n, scheme, false, s->said_entity), hits = 0;
    for (size_t i = 0; i < golds; i++)
        for (size_t k = 0; k < saids; k++) {
            const struct bt__entity *a = &s->gold_entity[i], *b = &s->said_entity[k];
            hits += a->begin == b->begin && a->end == b->end &&
                    bt__tag_same_type(&s->gold[a->tag], &s->said[b->tag]);
        }
    return add(t, CLASSES + GOLD, (double)golds) && add(t, CLASSES + PREDICTED, (double)saids) &&
           add(t, CLASSES + HIT, (double)hits);
}

static bool take_tags(struct bt__tally *t, const struct row *w)
{
    struct bt_json *v = bt_prediction_json(w->of, w->r);
    const struct bt_json *gold = bt_json_get(v, "gold_tags"), *said = bt_json_get(v, "tags");
    struct sentence s;
    size_t right = 0;
    bool good = v && sentence_make(gold, said, &s);
    for (size_t i = 0; good && i < s.n; i++)
        right += strcmp(bt_json_text(bt_json_at(gold, i), "O"), bt_json_text(bt_json_at(said, i), "O")) == 0;
    good = good && add(t, WORDS, (double)s.n) && add(t, WORDS_RIGHT, (double)right) && take_entities(t, &s);
    if (v) sentence_free(&s);
    bt_json_free(v);
    return good;
}

static bool take_row(struct bt__tally *t, const struct row *w)
{
    static bool (*const take[])(struct bt__tally *, const struct row *) = {[BT_ROWS_LABELS] = take_label,
                                                                           [BT_ROWS_SETS] = take_set,
                                                                           [BT_ROWS_TAGS] = take_tags,
                                                                           [BT_ROWS_MASKS] = NULL};
    const struct bt_prediction *r = w->r;
    bool good = true, counted = t->kind == BT_ROWS_SETS || t->kind == BT_ROWS_ANSWERS;
    if (counted && r->correct) good = add(t, RIGHT, 1.0);
    if (good && t->kind == BT_ROWS_ANSWERS && r->quality > 0) good = add(t, QUALITY, r->quality);
    return good && (!take[t->kind] || take[t->kind](t, w));
}

/* ── numbers ── */

static bool ranking_make(struct bt__ranking *r, size_t n)
{
    r->value = calloc(n + 1, sizeof *r->value);
    r->rank = calloc(n + 1, sizeof *r->rank);
    r->order = calloc(n + 1, sizeof *r->order);
    return r->value && r->rank && r->order;
}

static bool ranking_sort(struct bt__ranking *r, size_t n)
{
    struct bt__placed *p = calloc(n + 1, sizeof *p);
    for (size_t i = 0; p && i < n; i++) p[i] = (struct bt__placed){.value = r->value[i], .at = i};
    if (p) bt__sort_placed(p, n);
    for (size_t i = 0; p && i < n; i++) r->order[i] = p[i].at;
    free(p);
    return p != NULL;
}

static void ranking_free(struct bt__ranking *r)
{
    free(r->value);
    free(r->rank);
    free(r->order);
}

/* Ranks from 1 among the rows as often as they were chosen; equal values share the mean of theirs. */
static void rank(struct bt__ranking *r, size_t n, const uint32_t *weight)
{
    double before = 0.0;
    for (size_t i = 0, j; i < n; i = j) {
        double here = 0.0;
        for (j = i; j < n && r->value[r->order[j]] == r->value[r->order[i]]; j++) here += weight[r->order[j]];
        for (size_t k = i; k < j; k++) r->rank[r->order[k]] = before + 0.5 * (here + 1.0);
        before += here;
    }
}

static enum bt_status take_numbers(const struct bt_pairing *p, int side, struct bt__tally *t)
{
    t->scratch = calloc(4 * (t->n + 1), sizeof *t->scratch);
    if (!t->scratch || !ranking_make(&t->gold, t->n) || !ranking_make(&t->said, t->n)) return BT_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        t->gold.value[i] = p->row[i].gold_value;
        t->said.value[i] = side ? p->row[i].value_second : p->row[i].value_first;
        if (isnan(t->gold.value[i]) || isnan(t->said.value[i])) return BT_INVALID;
    }
    return ranking_sort(&t->gold, t->n) && ranking_sort(&t->said, t->n) ? BT_OK : BT_NOMEM;
}

static void choose_numbers(struct bt__tally *t, const uint32_t *weight)
{
    struct bt__numbers_view *v = &t->numbers;
    size_t m = t->n + 1;
    rank(&t->gold, t->n, weight);
    rank(&t->said, t->n, weight);
    *v = (struct bt__numbers_view){.gold = t->scratch,
                                   .predicted = t->scratch + m,
                                   .gold_rank = t->scratch + 2 * m,
                                   .predicted_rank = t->scratch + 3 * m};
    for (size_t i = 0; i < t->n; i++)
        for (uint32_t k = 0; k < weight[i]; k++, v->n++) {
            v->gold[v->n] = t->gold.value[i];
            v->predicted[v->n] = t->said.value[i];
            v->gold_rank[v->n] = t->gold.rank[i];
            v->predicted_rank[v->n] = t->said.rank[i];
        }
}

/* ── all rows ── */

static bool name_classes(const struct bt_pairing *p, struct bt__tally *t, struct names *s)
{
    bool good = take_side_labels(p->side[0], s) && take_side_labels(p->side[1], s);
    t->classes = t->kind == BT_ROWS_TAGS ? 1 : s->n;
    t->slots = CLASSES + PER_CLASS * t->classes + 2 * (size_t)BT_CALIBRATION_BINS;
    t->sum = calloc(t->slots, sizeof *t->sum);
    t->count = calloc(t->classes + 1, sizeof *t->count);
    return good && t->sum && t->count;
}

enum bt_status bt__tally_make(const struct bt_pairing *p, int side, struct bt__tally *t, struct bt_error *err)
{
    struct names names = {.n = 0};
    *t = (struct bt__tally){
        .kind = p->kind, .family = kinds[p->kind].family, .n = p->n, .calibrated = p->kind == BT_ROWS_LABELS};
    t->start = calloc(t->n + 1, sizeof *t->start);
    bool good = t->start && name_classes(p, t, &names);
    for (size_t i = 0; good && i < t->n && t->kind != BT_ROWS_NUMBERS; i++) {
        struct row w = {
            .r = side ? p->row[i].of_second : p->row[i].of_first, .of = p->side[side], .names = &names};
        good = take_row(t, &w);
        t->start[i + 1] = t->items;
    }
    names_free(&names);
    enum bt_status status = good ? BT_OK : BT_NOMEM;
    if (good && t->kind == BT_ROWS_NUMBERS) status = take_numbers(p, side, t);
    if (status == BT_OK) return BT_OK;
    bt__tally_free(t);
    if (status == BT_INVALID)
        return bt_fail(err, BT_INVALID, "predictions of the %s split: a value is no number", p->split);
    return bt_fail(err, BT_NOMEM, "no memory for the metrics of %zu rows", p->n);
}

void bt__tally_free(struct bt__tally *t)
{
    free(t->start);
    free(t->item);
    free(t->sum);
    free(t->count);
    free(t->scratch);
    ranking_free(&t->gold);
    ranking_free(&t->said);
    *t = (struct bt__tally){.kind = BT_ROWS_LABELS};
}

void bt__tally_choose(struct bt__tally *t, const uint32_t *weight)
{
    if (t->kind == BT_ROWS_NUMBERS) {
        choose_numbers(t, weight);
        return;
    }
    for (size_t i = 0; i < t->slots; i++) t->sum[i] = 0.0;
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = t->start[i]; weight[i] && k < t->start[i + 1]; k++)
            t->sum[t->item[k].slot] += weight[i] * t->item[k].amount;
    for (size_t c = 0; c < t->classes; c++) {
        const double *sum = t->sum + CLASSES + PER_CLASS * c;
        t->count[c] = (struct bt__class_counts){
            .hit = (int64_t)sum[HIT], .predicted = (int64_t)sum[PREDICTED], .gold = (int64_t)sum[GOLD]};
    }
}

/* ── values ── */

static double ece(const struct bt__tally *t)
{
    struct bt_calibration c = {.n = (double)t->n};
    const double *sum = t->sum + CLASSES + PER_CLASS * t->classes;
    for (int b = 0; b < BT_CALIBRATION_BINS; b++)
        c.bin[b] = (struct bt_calibration_bin){.confidence = sum[2 * b], .right = sum[2 * b + 1]};
    return t->calibrated ? bt_calibration_ece(&c) : (double)NAN;
}

static double by_labels(const struct bt__tally *t, const struct bt__metric_row *m)
{
    const struct bt__label_results r = {.classes = (int)t->classes};
    struct bt__labels_view v = {.r = &r, .count = t->count, .all = bt__counts_sum(t->count, t->classes)};
    if (strcmp(m->name, "ece") == 0) return ece(t);
    return m->value.labels(&v);
}

static double by_sets(const struct bt__tally *t, const struct bt__metric_row *m)
{
    const struct bt__set_results r = {.labels = (int)t->classes};
    struct bt__sets_view v = {.r = &r, .count = t->count, .all = bt__counts_sum(t->count, t->classes)};
    if (strcmp(m->name, "subset_accuracy") == 0) return bt__quotient(t->sum[RIGHT], (double)t->n);
    return m->value.sets(&v);
}

static double by_spans(const struct bt__tally *t, const struct bt__metric_row *m)
{
    struct bt__spans_view v = {.count = t->count,
                               .types = 1,
                               .all = t->count[0],
                               .words = (size_t)t->sum[WORDS],
                               .right = (size_t)t->sum[WORDS_RIGHT]};
    return m->value.spans(&v);
}

static double by_answers(const struct bt__tally *t, const struct bt__metric_row *m)
{
    struct bt__answers_view v = {.all = {.exact = t->sum[RIGHT], .f1 = t->sum[QUALITY], .n = t->n}};
    return m->value.answers(&v);
}

double bt__tally_value(const struct bt__tally *t, const char *metric)
{
    const struct bt__metric_row *m = bt__metric_find(t->family, metric);
    switch (t->kind) {
    case BT_ROWS_LABELS:
        return by_labels(t, m);
    case BT_ROWS_SETS:
        return by_sets(t, m);
    case BT_ROWS_NUMBERS:
        return m->value.numbers(&t->numbers);
    case BT_ROWS_TAGS:
        return by_spans(t, m);
    case BT_ROWS_ANSWERS:
        return by_answers(t, m);
    default:
        return (double)NAN;
    }
}
