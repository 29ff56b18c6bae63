/* Masked language modelling on plain text (Devlin et al. 2019, section 3.1): domain adaptation, and words for [MASK].
 *
 * The lines of a file are put one after the other, a [SEP] behind each, and cut into sequences of max_seq_length: no word of the file is lost, and
 * none is padding. Of a sequence's n tokens round(mlm_probability · n), at least one, are to be guessed, drawn anew for every step: 80 in 100 become
 * [MASK], 10 a random word, 10 stay (as Google's create_pretraining_data.py does). whole_word_masking draws words with all their pieces. */
#include "tasks/mlm.h"

#include "base/rng.h"
#include "batch/in_order.h"
#include "metrics/language.h"
#include "tasks/aim.h"
#include "tasks/inputs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lm {
    int32_t cls, sep, mask, vocab;
    bool *inside; /* [vocab] a piece that goes on with a word: "##ing" */
};

static const struct lm *lm_of(const struct bt__task *t)
{
    return t->own;
}

static void close_task(struct bt__task *t)
{
    struct lm *lm = t->own;
    if (lm) free(lm->inside);
    free(lm);
}

static enum bt_status learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    const struct bt_tokenizer *k = t->tokenizer;
    struct lm *lm = t->own = calloc(1, sizeof *lm);
    (void)train;
    bt__labels_free(&t->labels);
    if (!lm) return bt_fail(err, BT_NOMEM, "no memory for a task");
    *lm = (struct lm){.cls = bt_tokenizer_special(k, BT_CLS),
                      .sep = bt_tokenizer_special(k, BT_SEP),
                      .mask = bt_tokenizer_special(k, BT_MASK),
                      .vocab = bt_tokenizer_vocab_size(k)};
    if (lm->mask < 0) return bt_fail(err, BT_INVALID, "the vocabulary has no [MASK]");
    lm->inside = calloc((size_t)lm->vocab + 1, sizeof *lm->inside);
    if (!lm->inside) return bt_fail(err, BT_NOMEM, "no memory for %d words", lm->vocab);
    for (int32_t i = 0; i < lm->vocab; i++) {
        const char *piece = bt_tokenizer_piece(k, i);
        lm->inside[i] = piece && strncmp(piece, "##", 2) == 0 && piece[2];
    }
    return BT_OK;
}

static struct bt__head_spec head(const struct bt__task *t)
{
    (void)t;
    return (struct bt__head_spec){.kind = BT__HEAD_MLM, .name = "cls.predictions", .outputs = 0};
}

/* ── masks ── */

static bool is_special(const struct lm *lm, int32_t id)
{
    return id == lm->cls || id == lm->sep;
}

/* How many tokens of n are to be guessed. */
static int share(const struct bt__task *t, int n)
{
    int k = (int)floor(t->x->task_mlm_probability * n + 0.5);
    return k < 1 ? 1 : k;
}

/* Where the unit that begins at i ends: a token, or a word. */
static int unit_end(const struct bt__task *t, const int32_t *ids, int n, int i)
{
    const struct lm *lm = lm_of(t);
    int end = i + 1;
    while (t->x->task_whole_word_masking && end < n && ids[end] < lm->vocab && lm->inside[ids[end]]) end++;
    return end;
}

/* The numbers of a sequence: two for each token. */
static struct bt__rng numbers(const struct bt__task *t, size_t i, uint64_t key)
{
    uint64_t stream = BT__STREAM_MASK + (key == BT__DRAW_EVAL ? BT__STREAM_STRIDE : 0);
    uint64_t step = key == BT__DRAW_EVAL ? 0 : key + 1;
    return bt__rng_key((uint64_t)t->x->train_seed + 0x9e3779b97f4a7c15u * (uint64_t)i, stream, step);
}

static int32_t replaced(const struct lm *lm, struct bt__rng r, int at, int32_t id)
{
    double what = bt__rng_uniform(r, 2 * (uint32_t)at);
    if (what < 0.8) return lm->mask;
    if (what < 0.9) return (int32_t)(bt__rng_uniform(r, 2 * (uint32_t)at + 1) * lm->vocab);
    return id;
}

/* Marks want of the n tokens, unit by unit in a random order that needs no memory of its own: each unit's chance is what is still wanted over what is still
 * there (Fan, Muller & Rezucha 1962), so that exactly want are marked, or of whole words as many as fit. */
static int choose(const struct bt__task *t, const int32_t *ids, int n, int want, struct bt__rng r,
                  uint8_t *reads)
{
    const struct lm *lm = lm_of(t);
    const uint32_t offset = 1u << 30; /* numbers of their own */
    int left = 0, chosen = 0;
    memset(reads, 0, (size_t)n);
    for (int i = 0; i < n; i++) left += !is_special(lm, ids[i]);
    for (int i = 0, end; i < n && chosen < want; i = end) {
        end = unit_end(t, ids, n, i);
        if (is_special(lm, ids[i])) continue;
        if (bt__rng_uniform(r, offset + (uint32_t)i) * left < want - chosen && end - i <= want - chosen) {
            memset(reads + i, 1, (size_t)(end - i));
            chosen += end - i;
        }
        left -= end - i;
    }
    return chosen;
}

static int draw(const struct bt__task *t, const struct bt__task_data *d, size_t i, uint64_t key, int32_t *ids,
                uint8_t *reads, int32_t *target)
{
    const struct lm *lm = lm_of(t);
    const int32_t *built = d->f.ids + d->f.start[i];
    const int n = d->f.length[i];
    memcpy(ids, built, (size_t)n * sizeof *ids);
    if (!d->gold) { /* somebody's own [MASK] */
        memcpy(reads, d->f.reads + d->f.start[i], (size_t)n);
        for (int k = 0, to = 0; k < n; k++)
            if (reads[k]) target[to++] = -1;
        return 0;
    }
    struct bt__rng r = numbers(t, i, key);
    int chosen = choose(t, built, n, bt__features_reads(&d->f, i), r, reads), to = 0;
    for (int k = 0; k < n; k++) {
        if (!reads[k]) continue;
        target[to++] = built[k];
        ids[k] = replaced(lm, r, k, built[k]);
    }
    if (chosen == 0) { /* no word fits: the pass wants a row, which does not count */
        reads[0] = 1;
        target[0] = -1;
    }
    return chosen;
}

/* ── sequences ── */

/* The tokens of lines, cut into sequences as they come. */
struct packer {
    struct bt__features *f;
    size_t cap_ids, cap_seqs;
    size_t room; /* tokens of a sequence */
    int32_t cls, sep;
};

static bool grow(struct packer *p, size_t more)
{
    struct bt__features *f = p->f;
    size_t need = f->start[f->n] + more;
    if (need > p->cap_ids) {
        size_t cap = need * 2;
        int32_t *ids = realloc(f->ids, cap * sizeof *ids);
        if (!ids) return false;
        f->ids = ids;
        p->cap_ids = cap;
    }
    if (f->n + 2 > p->cap_seqs) {
        size_t cap = p->cap_seqs * 2 + 256;
        size_t *start = realloc(f->start, (cap + 1) * sizeof *start);
        if (start) f->start = start;
        uint32_t *example = realloc(f->example, cap * sizeof *example);
        if (example) f->example = example;
        if (!start || !example) return false;
        p->cap_seqs = cap;
    }
    return true;
}

/* Adds a line's pieces to the open sequence (used tokens of it are there); a full one is closed. */
static bool pack(struct packer *p, const int32_t *ids, size_t n, uint32_t example, size_t *used)
{
    struct bt__features *f = p->f;
    for (size_t i = 0; i <= n; i++) { /* the last one is the line's [SEP] */
        if (!grow(p, p->room + 1)) return false;
        int32_t *to = f->ids + f->start[f->n];
        if (*used == 0 && i == n) continue; /* nothing begins with a line's end */
        if (*used == 0) {
            to[(*used)++] = p->cls;
            f->example[f->n] = example;
        }
        to[(*used)++] = i < n ? ids[i] : p->sep;
        if (*used + 1 < p->room) continue;
        if (to[*used - 1] != p->sep) to[(*used)++] = p->sep;
        f->start[f->n + 1] = f->start[f->n] + *used;
        f->n++;
        *used = 0;
    }
    return true;
}

static void close_sequence(struct bt__features *f, size_t *used)
{
    if (*used > 2) { /* more than [CLS] and [SEP] */
        f->start[f->n + 1] = f->start[f->n] + *used;
        f->n++;
    }
    *used = 0;
}

struct lines {
    const struct bt__task_data *d;
    struct packer *p;
    int32_t unk;
    uint32_t file; /* of the line before */
    size_t used;   /* tokens of the open sequence */
};

static const char *line_text(void *ctx, size_t i, size_t *n)
{
    const struct lines *l = ctx;
    const struct bt_example *x = bt__task_example(l->d, i);
    *n = x->text_n;
    return x->text;
}

static enum bt_status take_line(void *ctx, size_t i, const int32_t *ids, size_t n, struct bt_error *err)
{
    struct lines *l = ctx;
    const struct bt_example *x = bt__task_example(l->d, i);
    if (x->file != l->file) close_sequence(l->p->f, &l->used);
    l->file = x->file;
    for (size_t k = 0; k < n; k++) l->p->f->unknown += ids[k] == l->unk;
    if (n && !pack(l->p, ids, n, (uint32_t)i, &l->used))
        return bt_fail(err, BT_NOMEM, "no memory for the tokens of %zu lines", l->d->n);
    return BT_OK;
}

static enum bt_status pack_all(const struct bt__task *t, struct bt__task_data *d, struct packer *p,
                               struct bt__pool *pool, struct bt_error *err)
{
    struct lines l = {.d = d, .p = p, .unk = bt_tokenizer_special(t->tokenizer, BT_UNK)};
    const struct bt__in_order o = {.ctx = &l, .text = line_text, .take = take_line};
    enum bt_status st = bt__tokenize_in_order(t->tokenizer, &o, d->n, pool, err);
    close_sequence(p->f, &l.used);
    return st;
}

/* Lengths, types, and as many reads as will be drawn (which ones does not matter here). */
static enum bt_status finish(const struct bt__task *t, struct bt__features *f, struct bt_error *err)
{
    f->length = calloc(f->n + 1, sizeof *f->length);
    f->types = calloc(f->start[f->n] + 1, 1);
    f->reads = calloc(f->start[f->n] + 1, 1);
    if (!f->length || !f->types || !f->reads)
        return bt_fail(err, BT_NOMEM, "no memory for %zu sequences", f->n);
    for (size_t i = 0; i < f->n; i++) {
        f->length[i] = (int)(f->start[i + 1] - f->start[i]);
        memset(f->reads + f->start[i], 1, (size_t)share(t, f->length[i]));
    }
    return BT_OK;
}

static enum bt_status build_packed(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                                   struct bt_error *err)
{
    struct packer p = {
        .f = &d->f, .room = (size_t)t->x->data_max_seq_length, .cls = lm_of(t)->cls, .sep = lm_of(t)->sep};
    d->f = (struct bt__features){.start = calloc(2, sizeof *d->f.start)};
    d->gold = calloc(1, 1); /* the words themselves are the gold */
    if (!d->f.start || !d->gold) return bt_fail(err, BT_NOMEM, "no memory for %zu lines", d->n);
    enum bt_status st = pack_all(t, d, &p, pool, err);
    if (!st && d->f.n == 0)
        st = bt_fail(err, BT_INVALID, "%s: no word in %zu lines, expected a text", d->files[0], d->n);
    return st ? st : finish(t, &d->f, err);
}

/* Inputs whose [MASK]s are to be filled. */
static enum bt_status build_inputs(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                                   struct bt_error *err)
{
    enum bt_status st = bt__task_inputs(t, d, pool, err);
    if (st) return st;
    struct bt__features *f = &d->f;
    free(f->reads);
    f->reads = calloc(f->start[f->n] + 1, 1);
    if (!f->reads) return bt_fail(err, BT_NOMEM, "no memory for %zu inputs", f->n);
    for (size_t i = 0; i < f->start[f->n]; i++) f->reads[i] = f->ids[i] == lm_of(t)->mask;
    for (size_t i = 0; i < f->n; i++)
        if (bt__features_reads(f, i) == 0) f->reads[f->start[i]] = 1; /* the pass wants a row */
    return BT_OK;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    return gold ? build_packed(t, d, pool, err) : build_inputs(t, d, pool, err);
}

/* ── figures ── */

static double loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits)
{
    (void)t;
    (void)d;
    (void)i;
    (void)scale;
    (void)dlogits; /* the head's own loss trains */
    return (double)logits[BT__LM_LOSS];
}

static enum bt_status metrics(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    double sum = 0.0, masked = 0.0, right = 0.0;
    (void)t;
    (void)err;
    for (size_t i = 0; i < d->f.n; i++) {
        sum += (double)bt__logits_at(l, i)[BT__LM_LOSS];
        masked += (double)bt__logits_at(l, i)[BT__LM_MASKED];
        right += (double)bt__logits_at(l, i)[BT__LM_RIGHT];
    }
    const struct bt__language_results r = {
        .loss = masked > 0.0 ? sum / masked : 0.0, .tokens = (int64_t)masked, .right = (int64_t)right};
    bt__language_metrics(&r, out);
    return BT_OK;
}

/* Sequences stand at the line that they begin in. */
static enum bt_status row(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err)
{
    double sum = 0.0, masked = 0.0, right = 0.0;
    char text[64] = "";
    (void)t;
    (void)err;
    for (size_t i = bt__task_first(d, e); i < d->f.n && bt__task_example_of(d, i) == e; i++) {
        sum += (double)bt__logits_at(l, i)[BT__LM_LOSS];
        masked += (double)bt__logits_at(l, i)[BT__LM_MASKED];
        right += (double)bt__logits_at(l, i)[BT__LM_RIGHT];
    }
    if (masked > 0.0) snprintf(text, sizeof text, "%.0f of %.0f", right, masked);
    bt_jw_ktext(w, "prediction", text);
    if (masked > 0.0) bt_jw_knum(w, "score", right / masked);
    if (masked > 0.0) bt_jw_knum(w, "loss", sum / masked);
    bt_jw_kint(w, "masked", (int64_t)masked);
    bt_jw_kint(w, "right", (int64_t)right);
    return BT_OK;
}

/* ── filled masks ── */

static const char mask_text[] = "[MASK]";

static const char *next_mask(const char *at, const char *end)
{
    const size_t n = sizeof mask_text - 1;
    for (; at + n <= end; at++)
        if (memcmp(at, mask_text, n) == 0) return at;
    return NULL;
}

/* Those of a sequence: a text that was cut may have more. */
static size_t masks_of(const struct bt__task *t, const struct bt__features *f, size_t i)
{
    size_t n = 0;
    for (size_t k = f->start[i]; k < f->start[i + 1]; k++) n += f->ids[k] == lm_of(t)->mask;
    return n;
}

static enum bt_status answer(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err)
{
    const struct bt_example *x = bt__task_example(d, e);
    const char *end = x->text + x->text_n, *at = next_mask(x->text, end);
    const size_t i = bt__task_first(d, e), rows = masks_of(t, &d->f, i);
    for (size_t r = 0; at && r < rows; r++, at = next_mask(at + sizeof mask_text - 1, end)) {
        const float *guess = bt__logits_at(l, i) + r * (size_t)l->cols;
        for (int k = 0; k < BT__LM_WORDS; k++) {
            const char *word = bt_tokenizer_piece(t->tokenizer, (int32_t)guess[k]);
            struct bt_answer *a = bt__answers_add(out);
            if (!a) return bt_fail(err, BT_NOMEM, "no memory for an answer");
            size_t begin = (size_t)(at - x->text);
            *a = (struct bt_answer){.label = word ? word : "",
                                    .label_n = word ? strlen(word) : 0,
                                    .score = (double)guess[BT__LM_WORDS + k],
                                    .begin = begin,
                                    .end = begin + sizeof mask_text - 1,
                                    .chosen = k == 0};
        }
    }
    return BT_OK;
}

const struct bt__task_ops bt__task_mlm = {
    .name = "mlm",
    .about = "masked words of plain text: adapts a model to a domain",
    .examples = BT_EXAMPLE_PLAIN,
    .family = BT__METRICS_language,
    .architecture = "BertForMaskedLM",
    .learn = learn,
    .close = close_task,
    .head = head,
    .build = build,
    .draw = draw,
    .loss = loss,
    .metrics = metrics,
    .row = row,
    .answer = answer,
    .aim = bt__aim_mask,
};
