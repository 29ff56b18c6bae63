#include "tui/views/predictions_rows.h"

#include <bertty/json.h>
#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

float pred_margin(const struct bt_predictions *p, const struct bt_prediction *r)
{
    float first = 0, second = 0;
    for (int i = 0; r->scores && i < p->n_labels; i++) {
        float x = r->scores[i];
        if (i == 0 || x > first) {
            second = i ? first : 0;
            first = x;
        } else if (i == 1 || x > second) {
            second = x;
        }
    }
    return first - second;
}

float pred_gold_score(const struct bt_prediction *r)
{
    return r->gold >= 0 && r->scores ? r->scores[r->gold] : NAN;
}

const char *pred_label(const struct bt_predictions *p, int label)
{
    return label >= 0 && label < p->n_labels ? p->label[label] : "";
}

/* Some gold answer of the example is the one that the row was judged by. */
static bool has_answer(const struct bt_example *x, const char *gold)
{
    for (uint32_t i = 0; i < x->parts; i++)
        if (x->part[i].n == strlen(gold) && memcmp(x->part[i].text, gold, x->part[i].n) == 0) return true;
    return false;
}

/* As far as the row says what the example's gold value was. */
static bool same_gold(const struct bt_predictions *p, const struct bt_prediction *r,
                      const struct bt_example *x)
{
    double number;
    switch (p->kind) {
    case BT_ROWS_LABELS:
        return r->gold < 0 || !x->label || strcmp(x->label, pred_label(p, r->gold)) == 0;
    case BT_ROWS_NUMBERS:
        if (isnan(r->gold_value) || !x->label || !bt_parse_double(x->label, &number)) return true;
        return fabs(number - r->gold_value) <= 1e-4 * (1 + fabs(number));
    case BT_ROWS_ANSWERS:
        return !r->gold_text || !x->parts || has_answer(x, r->gold_text);
    default:
        return true;
    }
}

const struct bt_example *pred_example(const struct bt_predictions *p, const struct bt_examples *texts,
                                      const struct bt_prediction *r)
{
    if (!texts || r->id < 1 || (uint64_t)r->id > bt_examples_count(texts)) return NULL;
    const struct bt_example *x = bt_examples_at(texts, (size_t)r->id - 1);
    bool other = r->name && x->id && strcmp(r->name, x->id) != 0;
    return !other && same_gold(p, r, x) ? x : NULL;
}

/* ── which, in which order ── */

static bool holds(const char *text, const char *needle)
{
    return text && strcasestr(text, needle);
}

static bool has_text(const struct bt_predictions *p, const struct bt_examples *texts,
                     const struct bt_prediction *r, const char *needle)
{
    const struct bt_example *x = pred_example(p, texts, r);
    for (uint32_t i = 0; x && p->kind != BT_ROWS_TAGS && i < x->parts; i++)
        if (holds(x->part[i].text, needle)) return true;
    if (p->kind == BT_ROWS_LABELS &&
        (holds(pred_label(p, r->gold), needle) || holds(pred_label(p, r->predicted), needle)))
        return true;
    return (x && (holds(x->text, needle) || holds(x->pair, needle))) || holds(r->gold_text, needle) ||
           holds(r->predicted_text, needle) || holds(r->name, needle);
}

/* The words of a sentence, a blank between them. */
static bool has_words(const struct bt_predictions *p, const struct bt_prediction *r, const char *needle)
{
    struct bt_json *v = bt_prediction_json(p, r);
    const struct bt_json *word = bt_json_get(v, "tokens");
    struct bt_str all = {0};
    for (size_t i = 0; i < bt_json_len(word); i++)
        bt_str_addf(&all, "%s%s", i ? " " : "", bt_json_text(bt_json_at(word, i), ""));
    bool found = holds(bt_str_text(&all), needle);
    bt_str_free(&all);
    bt_json_free(v);
    return found;
}

bool pred_wrong(const struct bt_predictions *p, const struct pred_facts *f, const struct bt_prediction *r)
{
    if (p->kind == BT_ROWS_LABELS) return r->gold >= 0 && r->gold != r->predicted;
    if (p->kind == BT_ROWS_NUMBERS) return f && fabs(r->value - r->gold_value) > f->mean_error;
    return (r->judged && !r->correct) || (f && f->mistakes && f->mistakes[r - p->row] > 0);
}

static bool in_facts(const struct bt_predictions *p, const struct pred_query *q,
                     const struct bt_prediction *r)
{
    const struct pred_facts *f = q->facts;
    size_t i = (size_t)(r - p->row);
    if (!f || !f->slices) return true;
    if (q->slice != PRED_ANY && !(f->slices[i] >> q->slice & 1)) return false;
    return q->group == PRED_ANY || pred_facts_in(f, i, q->group);
}

static bool wanted(const struct bt_predictions *p, const struct bt_examples *texts,
                   const struct pred_query *q, const struct bt_prediction *r)
{
    if (q->errors && !pred_wrong(p, q->facts, r)) return false;
    if (q->gold != PRED_ANY && r->gold != q->gold) return false;
    if (q->predicted != PRED_ANY && r->predicted != q->predicted) return false;
    if (!in_facts(p, q, r)) return false;
    if (!q->text || !*q->text || has_text(p, texts, r, q->text)) return true;
    return p->kind == BT_ROWS_TAGS && has_words(p, r, q->text);
}

struct keyed {
    double key;
    size_t row;
};

/* By key, then by row; what has no key comes last. */
static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (isnan(x->key) != isnan(y->key)) return isnan(x->key) ? 1 : -1;
    if (!isnan(x->key) && x->key < y->key) return -1;
    if (!isnan(x->key) && x->key > y->key) return 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static double key_of(const struct bt_predictions *p, const struct pred_query *q, size_t i)
{
    const struct bt_prediction *r = &p->row[i];
    double key[PRED_ORDERS] = {
        [PRED_BY_ROW] = (double)i,
        [PRED_BY_LOSS] = -(double)r->loss,
        [PRED_BY_CONFIDENCE] = (double)r->p,
        [PRED_BY_MARGIN] = (double)pred_margin(p, r),
        [PRED_BY_ERROR] = -fabs(r->value - r->gold_value),
        [PRED_BY_GOLD] = r->gold_value,
        [PRED_BY_VALUE] = r->value,
        [PRED_BY_MISTAKES] = q->facts && q->facts->mistakes ? -(double)q->facts->mistakes[i] : 0,
        [PRED_BY_QUALITY] = r->quality,
    };
    return q->reversed ? -key[q->order] : key[q->order];
}

size_t pred_select(const struct bt_predictions *p, const struct bt_examples *texts,
                   const struct pred_query *q, size_t *index)
{
    size_t n = 0;
    struct keyed *all = calloc(p->n + 1, sizeof *all);
    for (size_t i = 0; all && i < p->n; i++)
        if (wanted(p, texts, q, &p->row[i])) all[n++] = (struct keyed){.key = key_of(p, q, i), .row = i};
    if (all) qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < n; i++) index[i] = all[i].row;
    free(all);
    return n;
}

/* ── the matrix ── */

static double part(size_t a, size_t b)
{
    return b ? (double)a / (double)b : (double)NAN;
}

static void judge(struct pred_matrix *m)
{
    double sum = 0;
    int classes = 0;
    for (int i = 0; i < m->n; i++) {
        struct pred_class *c = &m->of[i];
        c->gold = pred_matrix_cell(m, i, PRED_ANY);
        c->predicted = pred_matrix_cell(m, PRED_ANY, i);
        c->right = pred_matrix_cell(m, i, i);
        c->precision = part(c->right, c->predicted);
        c->recall = part(c->right, c->gold);
        c->f1 = part(2 * c->right, c->gold + c->predicted);
        m->wrong += c->gold - c->right;
        if (isnan(c->f1)) continue;
        sum += c->f1;
        classes++;
    }
    m->accuracy = part(m->rows - m->wrong, m->rows);
    m->macro_f1 = classes ? sum / classes : (double)NAN;
}

bool pred_matrix_make(const struct bt_predictions *p, struct pred_matrix *m)
{
    size_t n = (size_t)p->n_labels;
    *m = (struct pred_matrix){
        .n = p->n_labels, .cell = calloc(n * n + 1, sizeof *m->cell), .of = calloc(n + 1, sizeof *m->of)};
    if (!m->cell || !m->of) {
        pred_matrix_free(m);
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_prediction *r = &p->row[i];
        if (r->gold < 0 || r->predicted < 0) continue;
        m->cell[(size_t)r->gold * n + (size_t)r->predicted]++;
        m->rows++;
    }
    judge(m);
    return true;
}

void pred_matrix_free(struct pred_matrix *m)
{
    free(m->cell);
    free(m->of);
    *m = (struct pred_matrix){0};
}

size_t pred_matrix_cell(const struct pred_matrix *m, int gold, int predicted)
{
    size_t sum = 0;
    for (int g = gold == PRED_ANY ? 0 : gold; g < (gold == PRED_ANY ? m->n : gold + 1); g++)
        for (int k = predicted == PRED_ANY ? 0 : predicted;
             k < (predicted == PRED_ANY ? m->n : predicted + 1); k++)
            sum += m->cell[(size_t)g * (size_t)m->n + (size_t)k];
    return sum;
}
