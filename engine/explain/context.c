/* The vectors of words, layer by layer. */
#include "explain/parts.h"

#include <bertty/context.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── reading ── */

static struct bt__pass_limits limits_of(int n)
{
    const size_t pairs = (size_t)n * (size_t)n;
    return (struct bt__pass_limits){
        .seqs = 1, .rows = n, .longest = n, .reads = n, .pairs = pairs, .read_pairs = pairs};
}

/* Every layer's output for the n tokens of the sequence into all [layers + 1, n, hidden]. */
static enum bt_status run(const struct bt__explaining *w, float *all, struct bt_error *err)
{
    struct bt__batch b = {.n = 0};
    const struct bt__pass_limits limits = limits_of(w->n);
    uint8_t *every = malloc((size_t)w->n);
    enum bt_status st = every ? bt__predictor_reserve(w->p, &limits, err)
                              : bt_fail(err, BT_NOMEM, "no memory for %d tokens", w->n);
    if (!st) st = bt__batch_reserve(&b, 1, w->n, w->n, err);
    if (!st) {
        memset(every, 1, (size_t)w->n);
        st = bt__batch_add(&b, w->ids, w->types, w->n, every, 0, err);
    }
    if (!st) {
        bt__batch_plan(&b);
        bt__pass_dropout(w->p->pass, false, 0, 0);
        bt__pass_tap(w->p->pass, all);
        bt__pass_forward(w->p->pass, &b);
        bt__pass_tap(w->p->pass, NULL);
    }
    bt__batch_free(&b);
    free(every);
    return st;
}

/* The mean of a word's pieces. */
static void pool_words(const struct bt__explaining *w, const float *all, struct bt_layers *l)
{
    const size_t h = (size_t)l->hidden;
    for (int layer = 0; layer <= l->layers; layer++)
        for (size_t i = 0; i < l->n; i++) {
            const struct bt_explained *item = &l->item[i];
            const float *from = all + ((size_t)layer * (size_t)w->n + (size_t)item->first) * h;
            float *to = l->vector + ((size_t)layer * l->n + i) * h;
            for (int k = 0; k < item->tokens; k++)
                for (size_t c = 0; c < h; c++) to[c] += from[(size_t)k * h + c] / (float)item->tokens;
        }
}

/* The words of the first sequence that the input is read as. */
static enum bt_status find_words(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    if (bt__explain_blank(in))
        return bt_fail(err, BT_INVALID, "the text is empty: it has no words to look at");
    enum bt_status st = bt__predictor_prepare(w->p, in, 1, &w->d, err);
    if (st) return st;
    const struct bt__features *f = &w->d.f;
    w->ids = f->ids;
    w->types = f->types;
    w->n = f->length[0];
    w->x->choice = f->group > 1 ? 0 : -1;
    w->x->truncated = f->truncated > 0 || (f->group <= 1 && f->n > 1);
    return bt__explain_items(w, in, err);
}

static enum bt_status read_layers(struct bt__explaining *w, struct bt_layers *l, struct bt_error *err)
{
    const struct bt__model_config *c = &w->p->m->config;
    const size_t deep = (size_t)c->num_hidden_layers + 1, h = (size_t)c->hidden_size;
    float *all = malloc(deep * (size_t)w->n * h * sizeof *all);
    l->item = w->x->item;
    l->n = w->x->n;
    l->truncated = w->x->truncated;
    l->layers = c->num_hidden_layers;
    l->hidden = c->hidden_size;
    l->vector = calloc(deep * l->n * h, sizeof *l->vector);
    w->x->item = NULL;
    w->x->n = 0;
    enum bt_status st =
        all && l->vector ? run(w, all, err) : bt_fail(err, BT_NOMEM, "no memory for %d tokens", w->n);
    if (!st) pool_words(w, all, l);
    free(all);
    return st;
}

enum bt_status bt_layers_read(struct bt_predictor *p, const struct bt_input *in, struct bt_layers **out,
                              struct bt_error *err)
{
    const struct bt_explain_spec words = {.words = true};
    struct bt__explaining w = {.p = p, .spec = &words, .x = calloc(1, sizeof *w.x)};
    struct bt_layers *l = calloc(1, sizeof *l);
    enum bt_status st = w.x && l ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the words of a text");
    if (!st) st = find_words(&w, in, err);
    if (!st) st = read_layers(&w, l, err);
    bt_explanation_free(w.x);
    bt__task_data_free(&w.d);
    if (st)
        bt_layers_free(l);
    else
        *out = l;
    return st;
}

void bt_layers_free(struct bt_layers *l)
{
    if (!l) return;
    for (size_t i = 0; i < l->n; i++) free(l->item[i].text);
    free(l->item);
    free(l->vector);
    free(l);
}

/* ── words ── */

/* As the items' texts are written. */
static char *normal_form(const struct bt_predictor *p, const char *word)
{
    struct bt_encoding e = {.n = 0};
    struct bt_str text = {.len = 0};
    const bool good = bt_tokenizer_encode(p->tokenizer, word, strlen(word), &e, NULL) == BT_OK;
    for (size_t i = 0; good && i < e.n; i++) {
        const char *piece = bt_tokenizer_piece(p->tokenizer, e.ids[i]);
        const bool goes_on = piece && i && strncmp(piece, "##", 2) == 0;
        bt_str_add(&text, piece ? piece + (goes_on ? 2 : 0) : "");
    }
    bt_encoding_free(&e);
    return bt_str_take(&text);
}

static enum bt_status missing(const struct bt_layers *l, const char *word, int times, struct bt_error *err)
{
    enum { MOST = 160 };
    struct bt_str words = {.len = 0};
    for (size_t i = 0; i < l->n && words.len < MOST; i++)
        if (!l->item[i].special) bt_str_addf(&words, "%s%s", words.len ? " " : "", l->item[i].text);
    const bool all = words.len < MOST;
    enum bt_status st = times ? bt_fail(err, BT_NOTFOUND, "the text has the word '%.60s' %d time%s only",
                                        word, times, times == 1 ? "" : "s")
                              : bt_fail(err, BT_NOTFOUND, "the text has no word '%.60s'; its words are: %s%s",
                                        word, bt_str_text(&words), all ? "" : " …");
    bt_str_free(&words);
    return st;
}

enum bt_status bt_layers_find(const struct bt_predictor *p, const struct bt_layers *l, const char *word,
                              int nth, size_t *item, struct bt_error *err)
{
    char *wanted = normal_form(p, word);
    int times = 0;
    for (size_t i = 0; wanted && times < nth && i < l->n; i++) {
        if (l->item[i].special || strcmp(l->item[i].text, wanted) != 0) continue;
        times++;
        *item = i;
    }
    const bool known = wanted != NULL;
    free(wanted);
    if (!known) return bt_fail(err, BT_NOMEM, "no memory for a word");
    return times == nth ? BT_OK : missing(l, word, times, err);
}

const float *bt_layers_vector(const struct bt_layers *l, int layer, size_t item)
{
    return l->vector + ((size_t)layer * l->n + item) * (size_t)l->hidden;
}

/* ── comparing ── */

double bt_cosine(const float *a, const float *b, int n)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;
    for (int i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : 0.0;
}

struct pair {
    const struct bt_layers *a, *b;
    size_t i, j;
};

/* Neither is what is compared, and they are not one word. */
static bool other(const struct pair *p, size_t i, size_t j)
{
    const struct bt_explained *x = &p->a->item[i], *y = &p->b->item[j];
    return !x->special && !y->special && i != p->i && j != p->j && strcmp(x->text, y->text) != 0;
}

static double usual(const struct pair *p, int layer)
{
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < p->a->n; i++)
        for (size_t j = 0; j < p->b->n; j++) {
            if (!other(p, i, j)) continue;
            sum +=
                bt_cosine(bt_layers_vector(p->a, layer, i), bt_layers_vector(p->b, layer, j), p->a->hidden);
            n++;
        }
    return n ? sum / (double)n : (double)NAN;
}

static void nearest(const struct pair *p, int layer, struct bt_context_layer *out)
{
    out->nearest = p->j;
    out->nearest_cosine = out->cosine;
    for (size_t j = 0; j < p->b->n; j++) {
        const double c =
            bt_cosine(bt_layers_vector(p->a, layer, p->i), bt_layers_vector(p->b, layer, j), p->a->hidden);
        if (p->b->item[j].special || c <= out->nearest_cosine) continue;
        out->nearest = j;
        out->nearest_cosine = c;
    }
}

void bt_context_compare(const struct bt_layers *a, size_t i, const struct bt_layers *b, size_t j,
                        struct bt_context_layer *out)
{
    const struct pair p = {.a = a, .b = b, .i = i, .j = j};
    for (int layer = 0; layer <= a->layers; layer++) {
        out[layer].cosine =
            bt_cosine(bt_layers_vector(a, layer, i), bt_layers_vector(b, layer, j), a->hidden);
        out[layer].usual = usual(&p, layer);
        nearest(&p, layer, &out[layer]);
    }
}
