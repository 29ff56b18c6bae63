#include "tui/views/predictions_rows.h"

#include <bertty/json.h>
#include <bertty/num.h>
#include <inttypes.h>
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

const struct bt_example *pred_example(const struct bt_predictions *p, const struct bt_examples *texts,
                                      const struct bt_prediction *r)
{
    if (!texts || r->id < 1 || (uint64_t)r->id > bt_examples_count(texts)) return NULL;
    const struct bt_example *x = bt_examples_at(texts, (size_t)r->id - 1);
    bool same = r->gold < 0 || !x->label || strcmp(x->label, pred_label(p, r->gold)) == 0;
    return same ? x : NULL;
}

/* ── which, in which order ── */

static bool has_text(const struct bt_predictions *p, const struct bt_examples *texts,
                     const struct bt_prediction *r, const char *needle)
{
    const struct bt_example *x = pred_example(p, texts, r);
    return (x && (strcasestr(x->text, needle) || (x->pair && strcasestr(x->pair, needle)))) ||
           strcasestr(pred_label(p, r->gold), needle) || strcasestr(pred_label(p, r->predicted), needle);
}

static bool wanted(const struct bt_predictions *p, const struct bt_examples *texts,
                   const struct pred_query *q, const struct bt_prediction *r)
{
    if (q->errors && (r->gold < 0 || r->gold == r->predicted)) return false;
    if (q->gold != PRED_ANY && r->gold != q->gold) return false;
    if (q->predicted != PRED_ANY && r->predicted != q->predicted) return false;
    return !q->text || !*q->text || has_text(p, texts, r, q->text);
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
    double key = (double)i;
    if (q->order == PRED_BY_LOSS) key = -(double)r->loss;
    if (q->order == PRED_BY_CONFIDENCE) key = (double)r->p;
    if (q->order == PRED_BY_MARGIN) key = (double)pred_margin(p, r);
    return q->reversed ? -key : key;
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

/* ── as files ── */

static void add_number(struct bt_str *out, float x)
{
    char text[BT_NUMBER_SIZE];
    if (!isnan(x)) bt_str_add(out, bt_format_float(x, text));
}

/* Quoted where it would not be one cell otherwise. */
static void add_cell(struct bt_str *out, const char *text, size_t n)
{
    bool plain = !memchr(text, '\t', n) && !memchr(text, '\n', n) && !memchr(text, '\r', n) && text[0] != '"';
    if (plain) {
        bt_str_addn(out, text, n);
        return;
    }
    bt_str_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"') bt_str_addc(out, '"');
        bt_str_addc(out, text[i]);
    }
    bt_str_addc(out, '"');
}

static void write_row(const struct bt_predictions *p, const struct bt_examples *texts,
                      const struct bt_prediction *r, struct bt_str *out)
{
    const struct bt_example *x = pred_example(p, texts, r);
    bt_str_addf(out, "%" PRId64 "\t", r->id);
    add_cell(out, pred_label(p, r->gold), strlen(pred_label(p, r->gold)));
    bt_str_addc(out, '\t');
    add_cell(out, pred_label(p, r->predicted), strlen(pred_label(p, r->predicted)));
    bt_str_addc(out, '\t');
    add_number(out, r->p);
    bt_str_addc(out, '\t');
    add_number(out, pred_margin(p, r));
    bt_str_addc(out, '\t');
    add_number(out, r->loss);
    bt_str_addc(out, '\t');
    if (x) add_cell(out, x->text, x->text_n);
    bt_str_addc(out, '\t');
    if (x && x->pair) add_cell(out, x->pair, x->pair_n);
    bt_str_addc(out, '\n');
}

void pred_write_tsv(const struct bt_predictions *p, const struct bt_examples *texts, const size_t *index,
                    size_t n, struct bt_str *out)
{
    bt_str_add(out, "id\tgold\tpredicted\tconfidence\tmargin\tloss\ttext\ttext_pair\n");
    for (size_t i = 0; i < n; i++) write_row(p, texts, &p->row[index[i]], out);
}

static void json_row(const struct bt_predictions *p, const struct bt_examples *texts,
                     const struct bt_prediction *r, struct bt_str *out)
{
    const struct bt_example *x = pred_example(p, texts, r);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "id", r->id);
    bt_jw_ktext(&w, "gold", r->gold >= 0 ? pred_label(p, r->gold) : NULL);
    bt_jw_ktext(&w, "predicted", pred_label(p, r->predicted));
    bt_jw_key(&w, "confidence");
    bt_jw_float(&w, r->p);
    bt_jw_key(&w, "margin");
    bt_jw_float(&w, pred_margin(p, r));
    bt_jw_key(&w, "loss");
    bt_jw_float(&w, r->loss);
    bt_jw_key(&w, "scores");
    bt_jw_object(&w);
    for (int k = 0; r->scores && k < p->n_labels; k++) {
        bt_jw_key(&w, p->label[k]);
        bt_jw_float(&w, r->scores[k]);
    }
    bt_jw_end_object(&w);
    bt_jw_key(&w, "text");
    bt_jw_textn(&w, x ? x->text : "", x ? x->text_n : 0);
    if (x && x->pair) bt_jw_key(&w, "text_pair");
    if (x && x->pair) bt_jw_textn(&w, x->pair, x->pair_n);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

void pred_write_jsonl(const struct bt_predictions *p, const struct bt_examples *texts, const size_t *index,
                      size_t n, struct bt_str *out)
{
    for (size_t i = 0; i < n; i++) json_row(p, texts, &p->row[index[i]], out);
}
