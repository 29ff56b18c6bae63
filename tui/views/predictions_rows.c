#include "tui/views/predictions_rows.h"

#include "tui/needle.h"
#include <bertty/json.h>
#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool pred_calibrates(enum bt_rows_kind kind)
{
    return kind == BT_ROWS_LABELS || kind == BT_ROWS_ANSWERS;
}

void pred_calibration_make(const struct bt_predictions *p, struct bt_calibration *out)
{
    *out = (struct bt_calibration){.n = 0};
    for (size_t i = 0; pred_calibrates(p->kind) && i < p->n; i++) {
        const struct bt_prediction *r = &p->row[i];
        if (r->judged && !isnan(r->p)) bt_calibration_add(out, (double)r->p, r->correct, 1.0);
    }
}

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

static bool holds(const char *text, const struct needle *needle)
{
    return text && needle_in(needle, text, strlen(text));
}

static bool has_text(const struct bt_predictions *p, const struct bt_examples *texts,
                     const struct bt_prediction *r, const struct needle *needle)
{
    const struct bt_example *x = pred_example(p, texts, r);
    for (uint32_t i = 0; x && p->kind != BT_ROWS_TAGS && i < x->parts; i++)
        if (needle_in(needle, x->part[i].text, x->part[i].n)) return true;
    if (x && (needle_in(needle, x->text, x->text_n) || needle_in(needle, x->pair, x->pair_n))) return true;
    if (p->kind == BT_ROWS_LABELS &&
        (holds(pred_label(p, r->gold), needle) || holds(pred_label(p, r->predicted), needle)))
        return true;
    return holds(r->gold_text, needle) || holds(r->predicted_text, needle) || holds(r->name, needle);
}

/* The words of a sentence, a blank between them. */
static bool has_words(const struct bt_predictions *p, const struct bt_prediction *r,
                      const struct needle *needle)
{
    struct bt_json *v = bt_prediction_json(p, r);
    const struct bt_json *word = bt_json_get(v, "tokens");
    struct bt_str all = {0};
    for (size_t i = 0; i < bt_json_len(word); i++)
        bt_str_addf(&all, "%s%s", i ? " " : "", bt_json_text(bt_json_at(word, i), ""));
    bool found = needle_in(needle, bt_str_text(&all), all.len);
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
                   const struct pred_query *q, const struct needle *needle, const struct bt_prediction *r)
{
    if (q->in && !q->in[r - p->row]) return false;
    const struct bt_notes *notes = q->tag ? bt_row_notes_of(q->notes, r->id) : NULL;
    if (q->tag && !(notes && bt_notes_tagged(notes, q->tag))) return false;
    if (q->errors && !pred_wrong(p, q->facts, r)) return false;
    if (q->gold != PRED_ANY && r->gold != q->gold) return false;
    if (q->predicted != PRED_ANY && r->predicted != q->predicted) return false;
    if (q->bin && (!r->judged || bt_calibration_bin((double)r->p) != q->bin - 1)) return false;
    if (!in_facts(p, q, r)) return false;
    if (!needle->n || has_text(p, texts, r, needle)) return true;
    return p->kind == BT_ROWS_TAGS && has_words(p, r, needle);
}

struct keyed {
    uint64_t key;
    size_t row;
};

/* Bits that are in the order of the numbers; what is none comes last. */
static uint64_t ordered(double x)
{
    uint64_t bits;
    if (isnan(x)) return UINT64_MAX;
    x += 0.0; /* −0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* By key, then by row: byte by byte from the last, passing over bytes that all keys share. */
static void sort_keyed(struct keyed *all, struct keyed *other, size_t n)
{
    struct keyed *from = all, *to = other;
    for (int shift = 0; shift < 64; shift += 8) {
        size_t at[257] = {0};
        for (size_t i = 0; i < n; i++) at[(from[i].key >> shift & 255) + 1]++;
        if (n && at[(from[0].key >> shift & 255) + 1] == n) continue;
        for (size_t i = 0; i < 256; i++) at[i + 1] += at[i];
        for (size_t i = 0; i < n; i++) to[at[from[i].key >> shift & 255]++] = from[i];
        struct keyed *swap = from;
        from = to;
        to = swap;
    }
    if (from != all) memcpy(all, from, n * sizeof *all);
}

static double key_of(const struct bt_predictions *p, const struct pred_query *q, size_t i)
{
    const struct bt_prediction *r = &p->row[i];
    double key = 0;
    switch (q->order) {
    case PRED_BY_LOSS:
        key = -(double)r->loss;
        break;
    case PRED_BY_CONFIDENCE:
        key = (double)r->p;
        break;
    case PRED_BY_MARGIN:
        key = (double)pred_margin(p, r);
        break;
    case PRED_BY_ERROR:
        key = -fabs(r->value - r->gold_value);
        break;
    case PRED_BY_GOLD:
        key = r->gold_value;
        break;
    case PRED_BY_VALUE:
        key = r->value;
        break;
    case PRED_BY_MISTAKES:
        key = q->facts && q->facts->mistakes ? -(double)q->facts->mistakes[i] : 0;
        break;
    case PRED_BY_QUALITY:
        key = r->quality;
        break;
    default:
        key = (double)i;
    }
    return q->reversed ? -key : key;
}

size_t pred_select(const struct bt_predictions *p, const struct bt_examples *texts,
                   const struct pred_query *q, size_t *index)
{
    size_t n = 0;
    struct needle needle;
    struct keyed *all = calloc(2 * (p->n + 1), sizeof *all);
    needle_set(&needle, q->text ? q->text : "");
    for (size_t i = 0; all && i < p->n; i++)
        if (wanted(p, texts, q, &needle, &p->row[i]))
            all[n++] = (struct keyed){.key = ordered(key_of(p, q, i)), .row = i};
    if (all) sort_keyed(all, all + p->n + 1, n);
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
