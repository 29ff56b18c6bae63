/* F of variants of a sequence, and its gradient to the word vectors that they read. */
#include "explain/parts.h"

#include "tasks/softmax.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── the batch ── */

static int variants_of_a_batch(const struct bt__explaining *w, int all)
{
    const int rows = w->spec->together > 0 ? w->spec->together : BT_EXPLAIN_TOGETHER;
    const int most = rows / w->n > 1 ? rows / w->n : 1, batches = (all + most - 1) / most;
    return (all + batches - 1) / batches;
}

static bool reserve(struct bt__asker *a, int reads)
{
    const struct bt__model *m = a->w->p->m;
    const size_t rows = (size_t)a->room * (size_t)reads;
    const size_t outputs = m->head.kind == BT__HEAD_MLM ? 1 : (size_t)m->head.outputs;
    a->token = calloc((size_t)a->room, sizeof *a->token);
    a->dlogits = calloc(rows * outputs, sizeof *a->dlogits);
    a->target = calloc(rows, sizeof *a->target);
    a->loss = calloc(rows, sizeof *a->loss);
    return a->token && a->dlogits && a->target && a->loss;
}

enum bt_status bt__asker_open(struct bt__asker *a, const struct bt__explaining *w, int all, bool backward,
                              int reads, struct bt_error *err)
{
    *a = (struct bt__asker){.w = w, .backward = backward, .room = variants_of_a_batch(w, all)};
    const int rows = a->room * w->n;
    const struct bt__pass_limits limits = {.seqs = a->room,
                                           .rows = rows,
                                           .longest = w->n,
                                           .reads = a->room * reads,
                                           .pairs = (size_t)rows * (size_t)w->n,
                                           .read_pairs = (size_t)(a->room * reads) * (size_t)w->n,
                                           .train = backward,
                                           .inputs = backward};
    enum bt_status st = backward ? bt__pass_create(w->p->m, w->p->pool, &limits, &a->pass, err)
                                 : bt__predictor_reserve(w->p, &limits, err);
    if (!backward) a->pass = w->p->pass;
    if (!st) st = bt__batch_reserve(&a->b, a->room, rows, a->room * reads, err);
    if (!st && !reserve(a, reads))
        st = bt_fail(err, BT_NOMEM, "no memory for %d variants of a text", a->room);
    if (!st) bt__pass_dropout(a->pass, false, 0, 0);
    return st;
}

void bt__asker_close(struct bt__asker *a)
{
    if (a->backward) bt__pass_free(a->pass);
    bt__batch_free(&a->b);
    free(a->token);
    free(a->dlogits);
    free(a->target);
    free(a->loss);
    *a = (struct bt__asker){.w = NULL};
}

void bt__asker_clear(struct bt__asker *a)
{
    bt__batch_clear(&a->b);
}

enum bt_status bt__asker_add(struct bt__asker *a, const struct bt__variant *v, struct bt_error *err)
{
    memcpy(a->token[a->b.n], v->token, sizeof v->token);
    return bt__batch_add(&a->b, v->ids, v->types, v->n, v->reads, a->b.n, err);
}

struct bt__variant bt__asker_same(const struct bt__explaining *w)
{
    struct bt__variant v = {.ids = w->ids, .types = w->types, .reads = w->reads, .n = w->n};
    for (int k = 0; k < w->aim.cells; k++) v.token[k] = w->aim.cell[k].token;
    return v;
}

/* ── F ── */

/* The rows of logits of one variant, and which of them the cells are in. */
struct said {
    const float *row; /* [rows, cols] */
    float *d;         /* likewise: ∂F/∂row */
    int rows, cols;
    int at[2];
};

/* Row of the batch's reads where a token is read. */
static int read_of(const struct bt__batch *b, int variant, int token)
{
    int r = b->read_start[variant];
    while (b->read[r] < b->start[variant] + token) r++;
    return r;
}

static struct said said_of(struct bt__asker *a, int variant, const float *logits)
{
    const struct bt__aim *aim = &a->w->aim;
    const struct bt__batch *b = &a->b;
    const int cols = a->w->p->m->head.outputs;
    const bool whole = aim->cell[0].token == BT__AIM_WHOLE;
    const int first = whole ? variant : b->read_start[variant];
    struct said s = {.row = logits + (size_t)first * (size_t)cols,
                     .d = a->dlogits + (size_t)first * (size_t)cols,
                     .rows = whole ? 1 : b->read_start[variant + 1] - first,
                     .cols = cols};
    for (int k = 0; k < aim->cells && !whole; k++)
        s.at[k] = read_of(b, variant, a->token[variant][k]) - first;
    return s;
}

static double logit(const struct bt__aim *aim, const struct said *s)
{
    double sum = 0.0;
    for (int k = 0; k < aim->cells; k++) {
        const int at = s->at[k] * s->cols + aim->cell[k].output;
        sum += (double)s->row[at];
        s->d[at] += 1.0f;
    }
    return sum;
}

/* Element `which` of softmax over n numbers that are stride apart; its gradient times scale is added to d. */
static double softmax_of(const float *x, int n, int stride, int which, double scale, float *d)
{
    double top = -HUGE_VAL, sum = 0.0;
    for (int i = 0; i < n; i++) top = fmax(top, (double)x[i * stride]);
    for (int i = 0; i < n; i++) sum += exp((double)x[i * stride] - top);
    const double p = exp((double)x[which * stride] - top) / sum;
    for (int i = 0; i < n && scale > 0.0; i++) {
        const double q = exp((double)x[i * stride] - top) / sum;
        d[i * stride] += (float)(scale * p * ((i == which ? 1.0 : 0.0) - q));
    }
    return p;
}

static double of_rows(const struct bt__aim *aim, const struct said *s)
{
    double p[2] = {1.0, 1.0};
    for (int k = 0; k < aim->cells; k++)
        p[k] = softmax_of(s->row + aim->cell[k].output, s->rows, s->cols, s->at[k], 0.0, NULL);
    for (int k = 0; k < aim->cells; k++)
        softmax_of(s->row + aim->cell[k].output, s->rows, s->cols, s->at[k], p[1 - k],
                   s->d + aim->cell[k].output);
    return p[0] * p[1];
}

static double of_group(const struct bt__explaining *w, const struct said *s)
{
    const size_t own = w->aim.sequence;
    double sum = 1.0;
    for (size_t i = 0; i < w->d.f.n; i++)
        if (i != own) sum += exp((double)bt__logits_at(&w->e.logits, i)[0] - (double)s->row[0]);
    s->d[0] += (float)((1.0 - 1.0 / sum) / sum);
    return 1.0 / sum;
}

static double sigmoid(const struct bt__aim *aim, const struct said *s)
{
    const int at = aim->cell[0].output;
    const double p = 1.0 / (1.0 + exp(-(double)s->row[at]));
    s->d[at] += (float)(p * (1.0 - p));
    return p;
}

static double number_of(const struct bt__explaining *w, const struct said *s)
{
    const struct bt__aim *aim = &w->aim;
    if (!w->x->probability) return logit(aim, s);
    switch (aim->norm) {
    case BT__NORM_ROWS:
        return of_rows(aim, s);
    case BT__NORM_GROUP:
        return of_group(w, s);
    case BT__NORM_SIGMOID:
        return sigmoid(aim, s);
    default:
        return softmax_of(s->row + s->at[0] * s->cols, s->cols, 1, aim->cell[0].output, 1.0,
                          s->d + s->at[0] * s->cols);
    }
}

/* ── forward and backward ── */

static void ask_lm(struct bt__asker *a, double *value)
{
    const struct bt__batch *b = &a->b;
    const int word = a->w->aim.cell[0].output;
    for (int r = 0; r < b->reads.n; r++) a->target[r] = -1;
    for (int i = 0; i < b->n; i++) a->target[read_of(b, i, a->token[i][0])] = word;
    if (a->w->x->probability) bt__pass_lm_loss(a->pass, b, a->target, 0.0, a->loss, NULL);
    for (int i = 0; i < b->n; i++) {
        const int r = read_of(b, i, a->token[i][0]);
        value[i] = a->w->x->probability ? exp(-a->loss[r]) : bt__pass_lm_logit(a->pass, r, word);
    }
}

void bt__asker_ask(struct bt__asker *a, const float *words, double *value)
{
    const struct bt__model *m = a->w->p->m;
    bt__batch_plan(&a->b);
    bt__pass_use_words(a->pass, words);
    const float *logits = bt__pass_forward(a->pass, &a->b);
    bt__pass_use_words(a->pass, NULL);
    if (m->head.kind == BT__HEAD_MLM) {
        ask_lm(a, value);
        return;
    }
    memset(a->dlogits, 0,
           sizeof *a->dlogits * (size_t)bt__pass_logit_rows(m, &a->b)->n * (size_t)m->head.outputs);
    for (int i = 0; i < a->b.n; i++) {
        const struct said s = said_of(a, i, logits);
        value[i] = number_of(a->w, &s);
    }
}

const float *bt__asker_gradient(struct bt__asker *a)
{
    if (a->w->p->m->head.kind == BT__HEAD_MLM)
        return bt__pass_lm_input_gradient(a->pass, &a->b, a->target, a->w->x->probability);
    return bt__pass_input_gradient(a->pass, &a->b, a->dlogits);
}
