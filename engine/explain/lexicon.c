/* The words of a model's vocabulary, and what takes the place of a word: by the checkpoint's MLM head, or by its neighbours in the embedding table. */
#include "explain/vary.h"

#include "base/unicode.h"
#include "math/gemm.h"
#include "run/predictor_parts.h"
#include "tasks/mlm.h"
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ── the vocabulary ── */

static bool is_word(const char *piece)
{
    const size_t n = piece ? strlen(piece) : 0;
    int32_t c;
    for (size_t i = 0, length; i < n; i += length) {
        length = bt_utf8_decode(piece + i, n - i, &c);
        if (!length || bt__unicode_category(c)[0] != 'L') return false;
    }
    return n > 0;
}

static int vocab_of(const struct bt_predictor *p)
{
    return p->m->config.vocab_size;
}

static const float *embedding(const struct bt_predictor *p, int32_t id)
{
    return p->m->w + p->m->word + (size_t)id * (size_t)p->m->config.hidden_size;
}

static float length_of(const float *x, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return (float)sqrt(sum);
}

enum bt_status bt__lexicon_make(struct bt__lexicon *x, const struct bt_predictor *p, struct bt_error *err)
{
    const int vocab = vocab_of(p);
    *x = (struct bt__lexicon){.p = p,
                              .id = calloc((size_t)vocab + 1, sizeof *x->id),
                              .length = calloc((size_t)vocab + 1, sizeof *x->length)};
    if (!x->id || !x->length) return bt_fail(err, BT_NOMEM, "no memory for %d words", vocab);
    for (int32_t i = 0; i < vocab; i++) {
        if (is_word(bt_tokenizer_piece(p->tokenizer, i))) x->id[x->n++] = i;
        x->length[i] = length_of(embedding(p, i), p->m->config.hidden_size);
    }
    return BT_OK;
}

void bt__lexicon_free(struct bt__lexicon *x)
{
    free(x->id);
    free(x->length);
    *x = (struct bt__lexicon){.p = NULL};
}

void bt__lexicon_products(const struct bt__lexicon *x, const float *vector, int n, float *out)
{
    const int h = x->p->m->config.hidden_size, vocab = vocab_of(x->p);
    bt__gemm_nt(n, vocab, h, vector, h, embedding(x->p, 0), h, 0.0f, out, vocab);
}

void bt__lexicon_mean(const struct bt__lexicon *x, const int32_t *id, size_t n, float *out)
{
    const int h = x->p->m->config.hidden_size;
    memset(out, 0, (size_t)h * sizeof *out);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < h; k++) out[k] += embedding(x->p, id[i])[k] / (float)n;
}

char *bt__lexicon_written(const struct bt__lexicon *x, int32_t id, const char *from, size_t n)
{
    const char *piece = bt_tokenizer_piece(x->p->tokenizer, id);
    int32_t first = 0, c = 0;
    const size_t length = bt_utf8_decode(piece, strlen(piece), &c);
    char bytes[4];
    bt_utf8_decode(from, n, &first);
    if (!bt_tokenizer_lower_case(x->p->tokenizer) || bt__unicode_lower(first) == first)
        return bt_strdup(piece);
    return bt_strfmt("%.*s%s", (int)bt_utf8_encode(bt__unicode_upper(c), bytes), bytes, piece + length);
}

/* ── the nearest ── */

static bool same_word(const char *piece, const char *from, size_t n)
{
    return strlen(piece) == n && strncasecmp(piece, from, n) == 0;
}

/* Puts the pieces nearest to a vector, by cosine, into nearest; returns how many. */
static int nearest_of(const struct bt__lexicon *x, const float *product, float length, const char *from,
                      size_t n, int32_t nearest[BT_VARY_SWAPS])
{
    float cosine[BT_VARY_SWAPS];
    int found = 0;
    for (size_t i = 0; i < x->n; i++) {
        const int32_t id = x->id[i];
        const float c = product[id] / (length * x->length[id] + 1e-30f);
        int place = found < BT_VARY_SWAPS ? found : BT_VARY_SWAPS - 1;
        if (found == BT_VARY_SWAPS && !(c > cosine[place])) continue;
        if (same_word(bt_tokenizer_piece(x->p->tokenizer, id), from, n)) continue;
        if (found < BT_VARY_SWAPS) found++;
        for (; place > 0 && c > cosine[place - 1]; place--) {
            cosine[place] = cosine[place - 1];
            nearest[place] = nearest[place - 1];
        }
        cosine[place] = c;
        nearest[place] = id;
    }
    return found;
}

static void swap_word(struct bt__edits *e, const struct bt__lexicon *x, const struct bt__span *s, int32_t id)
{
    char *put = bt__lexicon_written(x, id, e->text + s->begin, s->end - s->begin);
    if (put)
        bt__edits_add(e, BT_VARY_SWAP, s->begin, s->end, put, NULL);
    else
        e->failed = true;
    free(put);
}

static enum bt_status nearest_words(struct bt__edits *e, const struct bt__spans *s, struct bt__varying *v,
                                    const struct bt__lexicon *x, struct bt_error *err)
{
    const int h = v->p->m->config.hidden_size;
    struct bt_encoding pieces = {.n = 0};
    float *mean = calloc((size_t)h, sizeof *mean), *product = calloc((size_t)vocab_of(v->p), sizeof *product);
    enum bt_status st = mean && product ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the vocabulary");
    for (size_t i = 0; i < s->n && !st; i++) {
        const struct bt__span *w = &s->item[i];
        int32_t nearest[BT_VARY_SWAPS];
        if (!w->letters) continue;
        st = bt__vary_cancelled(v, err);
        if (!st) st = bt_tokenizer_ids(v->p->tokenizer, e->text + w->begin, w->end - w->begin, &pieces, err);
        if (st) break;
        bt__lexicon_mean(x, pieces.ids, pieces.n, mean);
        bt__lexicon_products(x, mean, 1, product);
        const int n =
            nearest_of(x, product, length_of(mean, h), e->text + w->begin, w->end - w->begin, nearest);
        for (int k = 0; k < n; k++) swap_word(e, x, w, nearest[k]);
    }
    bt_encoding_free(&pieces);
    free(mean);
    free(product);
    return st;
}

/* ── what the MLM head says ── */

/* The texts with one word masked, and the words that they are of. */
struct masking {
    struct bt__edits *e;
    const struct bt__lexicon *x;
    const struct bt__span **word; /* [n] */
    char **text;                  /* [n] */
    size_t n;
    size_t first; /* of this batch */
};

/* The first mask is the word's own, or stands before it: those that the text had are told by their places. */
static void on_guess(void *ctx, size_t i, const struct bt_output *out)
{
    struct masking *m = ctx;
    const struct bt__span *w = m->word[m->first + i];
    for (size_t k = 0; k < out->n; k++) {
        const struct bt_answer *a = &out->answer[k];
        char *piece = bt_strndup(a->label, a->label_n);
        const int32_t id = piece ? bt_tokenizer_id(m->x->p->tokenizer, piece) : -1;
        const bool own = a->begin == w->begin && id >= 0;
        if (own && is_word(piece) && !same_word(piece, m->e->text + w->begin, w->end - w->begin))
            swap_word(m->e, m->x, w, id);
        m->e->failed |= !piece;
        free(piece);
    }
}

static bool mask_words(struct masking *m, const struct bt__spans *s)
{
    m->word = calloc(s->n + 1, sizeof *m->word);
    m->text = calloc(s->n + 1, sizeof *m->text);
    for (size_t i = 0; i < s->n && m->word && m->text; i++) {
        const struct bt__span *w = &s->item[i];
        if (!w->letters) continue;
        m->word[m->n] = w;
        m->text[m->n] = bt_strfmt("%.*s[MASK]%s", (int)w->begin, m->e->text, m->e->text + w->end);
        if (!m->text[m->n++]) return false;
    }
    return m->word && m->text;
}

static enum bt_status guessed_words(struct masking *m, struct bt__varying *v, struct bt_predictor *lm,
                                    struct bt_error *err)
{
    enum { AT_ONCE = 16 };
    struct bt_input in[AT_ONCE];
    enum bt_status st = BT_OK;
    for (m->first = 0; m->first < m->n && !st; m->first += AT_ONCE) {
        const size_t n = m->n - m->first < AT_ONCE ? m->n - m->first : AT_ONCE;
        for (size_t i = 0; i < n; i++)
            in[i] = (struct bt_input){.text = m->text[m->first + i], .text_n = strlen(m->text[m->first + i])};
        st = bt__vary_cancelled(v, err);
        if (!st) st = bt_predict_all(lm, in, n, on_guess, m, v->cancel, err);
        v->passes += (int64_t)n;
    }
    return st;
}

static enum bt_status masked_words(struct bt__edits *e, const struct bt__spans *s, struct bt__varying *v,
                                   const struct bt__lexicon *x, struct bt_predictor *lm, struct bt_error *err)
{
    struct masking m = {.e = e, .x = x};
    enum bt_status st = mask_words(&m, s) ? guessed_words(&m, v, lm, err)
                                          : bt_fail(err, BT_NOMEM, "no memory for %zu masked texts", s->n);
    for (size_t i = 0; i < m.n; i++) free(m.text[i]);
    free(m.text);
    free(m.word);
    return st;
}

enum bt_status bt__vary_swaps(struct bt__edits *e, const struct bt__spans *s, struct bt__varying *v,
                              bool *own_head, struct bt_error *err)
{
    struct bt__lexicon x;
    struct bt_predictor *lm = NULL;
    enum bt_status st = bt__lexicon_make(&x, v->p, err);
    if (!st) st = bt__predictor_lm(v->p, &lm, err);
    *own_head = lm != NULL;
    if (!st && lm) st = masked_words(e, s, v, &x, lm, err);
    if (!st && !lm) st = nearest_words(e, s, v, &x, err);
    bt__lexicon_free(&x);
    return st;
}
