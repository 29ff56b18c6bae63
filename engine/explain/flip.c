/* The fewest words whose replacement makes a model decide otherwise: HotFlip (Ebrahimi et al. 2018) with real forward passes behind each estimate. */
#include "explain/flips.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word of the original that is replaced. */
struct replaced {
    size_t begin, end; /* of the original */
    char *put;
    double estimate, score;
    int order;
};

struct search {
    struct bt__varying v;
    const struct bt_flip_spec *spec;
    struct bt_explain_spec how;
    char number[16]; /* how.target, where it is a choice of ours */
    struct bt__lexicon lexicon;
    struct bt__said first; /* what the model says of the original */
    const struct bt__piece
        *goal;             /* of first: of labels and choices whose score is driven; NULL: whatever changes */
    bool rising;           /* it is to rise */
    struct replaced *word; /* [n] from the left; room for most + 1 */
    int n, most;
    struct bt__candidates best;
    struct bt__shift *shift; /* [most + 1] of word, in the original */
    double score;            /* of the text as it is now */
    bool flipped;
    struct bt_flip *out;
};

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory for a search");
}

/* ── the text as it is now ── */

static char *text_of(const struct search *s, const struct replaced *word, int n)
{
    struct bt_str text = {0};
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        bt_str_addn(&text, s->v.text + at, word[i].begin - at);
        bt_str_add(&text, word[i].put);
        at = word[i].end;
    }
    bt_str_add(&text, s->v.text + at);
    return bt_str_take(&text);
}

static void shifts_of(const struct replaced *word, int n, struct bt__shift *shift)
{
    for (int i = 0; i < n; i++)
        shift[i] = (struct bt__shift){.begin = word[i].begin, .end = word[i].end, .put = strlen(word[i].put)};
}

/* Where a place of the text as it is now stood in the original; it is in no word that was replaced. */
static size_t original(const struct search *s, size_t at)
{
    size_t more = 0, less = 0;
    for (int i = 0; i < s->n && s->word[i].begin + more - less < at; i++) {
        more += strlen(s->word[i].put);
        less += s->word[i].end - s->word[i].begin;
    }
    return at + less - more;
}

/* ── what a variant is worth ── */

struct worth {
    bool flipped;
    double score; /* of what is driven */
    double gain;  /* the larger, the nearer to a flip */
};

static struct worth worth_of(const struct search *s, const struct bt__said *said, const struct replaced *word,
                             int n, struct bt__shift *shift)
{
    const size_t place = s->goal ? (size_t)(s->goal - s->first.piece) : 0;
    shifts_of(word, n, shift);
    const struct bt__difference d =
        bt__said_differ(s->v.task, &s->first, said, shift, bt__vary_holds_answers(&s->v) ? (size_t)n : 0);
    if (!s->goal || place >= said->n)
        return (struct worth){.flipped = d.flipped, .score = d.after, .gain = fabs(d.after - d.before)};
    const struct bt__piece *p = &said->piece[place];
    return (struct worth){.flipped = s->spec->target ? p->chosen != s->goal->chosen : d.flipped,
                          .score = p->score,
                          .gain = s->rising ? p->score : -p->score};
}

static bool beats(const struct worth *a, const struct worth *b)
{
    if (a->flipped != b->flipped) return a->flipped;
    return a->gain > b->gain;
}

/* ── one word more ── */

/* Puts a replacement into its place among n words; put is taken over. */
static void put_word(struct replaced *word, int n, const struct replaced *x)
{
    int at = n;
    for (; at > 0 && word[at - 1].begin > x->begin; at--) word[at] = word[at - 1];
    word[at] = *x;
}

/* The variants that a round tries, and their answers. */
struct round {
    struct replaced *word; /* [n, most + 1]; only the texts of new words are ours */
    char **put, **text;    /* [n] */
    struct bt__said *said; /* [n] */
    int n;
};

static void round_free(struct round *r)
{
    for (int i = 0; i < r->n; i++) {
        if (r->put) free(r->put[i]);
        if (r->text) free(r->text[i]);
        if (r->said) bt__said_free(&r->said[i]);
    }
    free(r->word);
    free(r->put);
    free(r->text);
    free(r->said);
}

static bool round_make(struct round *r, const struct search *s)
{
    const size_t n = (size_t)s->best.n, width = (size_t)s->most + 1;
    *r = (struct round){.word = calloc(n * width + 1, sizeof *r->word),
                        .put = calloc(n + 1, sizeof *r->put),
                        .text = calloc(n + 1, sizeof *r->text),
                        .said = calloc(n + 1, sizeof *r->said)};
    if (!r->word || !r->put || !r->text || !r->said) return false;
    for (r->n = 0; r->n < s->best.n;) {
        const struct bt__candidate *c = &s->best.item[r->n];
        struct replaced *word = r->word + (size_t)r->n * width;
        struct replaced x = {.begin = original(s, c->begin),
                             .end = original(s, c->end),
                             .estimate = c->estimate,
                             .order = s->n};
        if (s->n) memcpy(word, s->word, (size_t)s->n * sizeof *word);
        x.put = r->put[r->n] = bt__lexicon_written(&s->lexicon, c->id, s->v.text + x.begin, x.end - x.begin);
        if (!x.put) return false;
        put_word(word, s->n, &x);
        r->text[r->n] = text_of(s, word, s->n + 1);
        if (!r->text[r->n++]) return false;
    }
    return true;
}

/* The best of the round's variants becomes the text, if it is nearer to a flip than what there was. */
static bool take_best(struct search *s, struct round *r)
{
    const size_t width = (size_t)s->most + 1;
    struct worth best = {.gain = -HUGE_VAL};
    int which = -1;
    for (int i = 0; i < r->n; i++) {
        const struct worth w = worth_of(s, &r->said[i], r->word + (size_t)i * width, s->n + 1, s->shift);
        if (which >= 0 && !beats(&w, &best)) continue;
        best = w;
        which = i;
    }
    const double now = s->rising ? s->score : -s->score;
    if (which < 0 || (s->goal && !best.flipped && !(best.gain > now))) return false;
    memcpy(s->word, r->word + (size_t)which * width, (size_t)(s->n + 1) * sizeof *s->word);
    for (int i = 0; i <= s->n; i++)
        if (s->word[i].order == s->n) s->word[i].score = best.score;
    r->put[which] = NULL; /* ours from now on */
    s->n++;
    s->flipped = best.flipped;
    s->score = best.score;
    return true;
}

static enum bt_status try_best(struct search *s, bool *more, struct bt_error *err)
{
    struct round r;
    enum bt_status st = round_make(&r, s) ? BT_OK : no_memory(err);
    if (!st) st = bt__vary_ask(&s->v, (const char *const *)r.text, (size_t)r.n, r.said, err);
    s->out->tried += r.n;
    *more = !st && take_best(s, &r);
    round_free(&r);
    return st;
}

/* The parts of the text as it is now that were replaced: they stay. */
static void fix_words(const struct search *s, struct bt__shift *fixed)
{
    size_t more = 0, less = 0;
    for (int i = 0; i < s->n; i++) {
        const size_t put = strlen(s->word[i].put);
        fixed[i] = (struct bt__shift){.begin = s->word[i].begin + more - less, .put = put};
        more += put;
        less += s->word[i].end - s->word[i].begin;
    }
}

/* Which choice, label or word F is about, told by the first explanation. */
static enum bt_status settle(struct search *s, const struct bt__explaining *w, struct bt_error *err)
{
    const enum bt__way way = bt__way_of(s->v.task);
    const bool labels = way == BT__ONE_LABEL || way == BT__LABEL_SET;
    s->out->of = bt_strdup(w->x->target);
    if (!s->out->of) return no_memory(err);
    if (w->x->choice >= 0 && s->v.field >= BT_VARY_CHOICE && w->x->choice != s->v.field - BT_VARY_CHOICE)
        return bt_fail(err, BT_INVALID,
                       "choice %d is not the one that is to be reached, and cannot be varied for it",
                       s->v.field - BT_VARY_CHOICE);
    if (w->x->choice >= 0)
        s->goal = (size_t)w->x->choice < s->first.n ? &s->first.piece[w->x->choice] : NULL;
    else if (labels)
        s->goal = bt__said_find(&s->first, w->x->target);
    s->rising = s->goal && !s->goal->chosen;
    if (s->goal) s->score = s->goal->score;
    s->out->score = s->score;
    if (way == BT__ONE_LABEL && s->spec->target && s->goal && s->goal->chosen)
        return bt_fail(err, BT_INVALID, "target \"%.60s\": that is what the model decides for already",
                       s->spec->target);
    return BT_OK;
}

static enum bt_status estimate(struct search *s, struct bt_error *err)
{
    char *text = text_of(s, s->word, s->n);
    struct bt_part *part = calloc((size_t)s->v.in->parts + 1, sizeof *part);
    struct bt__shift *fixed = calloc((size_t)s->n + 1, sizeof *fixed);
    struct bt__explaining w = {.p = s->v.p, .spec = &s->how};
    enum bt_status st = text && part && fixed ? BT_OK : no_memory(err);
    if (!st) {
        const struct bt_input in = bt__vary_input(&s->v, text, part);
        fix_words(s, fixed);
        st = bt__explain_begin(&w, &in, err);
        s->v.passes++;
    }
    if (!st && !s->out->of) st = settle(s, &w, err);
    if (!st) {
        const struct bt__estimating how = {.lexicon = &s->lexicon,
                                           .field = s->v.field,
                                           .similarity = s->spec->similarity,
                                           .fixed = fixed,
                                           .n_fixed = (size_t)s->n};
        s->best.rising = s->rising;
        st = bt__flip_estimate(&w, &how, &s->best, err);
        s->out->gradients++;
    }
    bt__explain_end(&w);
    free(fixed);
    free(part);
    free(text);
    return st;
}

static enum bt_status replace_words(struct search *s, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (bool more = true; more && !s->flipped && s->n < s->most && !st;) {
        st = bt__vary_cancelled(&s->v, err);
        if (!st) st = estimate(s, err);
        if (!st) st = try_best(s, &more, err);
        if (!st && s->spec->progress) s->spec->progress(s->spec->ctx, s->n, s->most);
    }
    return st;
}

/* ── the fewest ── */

/* Word i is as it was, if the others suffice. */
static enum bt_status undo(struct search *s, int i, bool *undone, struct bt_error *err)
{
    struct replaced *rest = calloc((size_t)s->n, sizeof *rest);
    struct bt__said said = {.n = 0};
    char *text = NULL;
    *undone = false;
    if (!rest) return no_memory(err);
    for (int k = 0, n = 0; k < s->n; k++)
        if (k != i) rest[n++] = s->word[k];
    text = text_of(s, rest, s->n - 1);
    enum bt_status st =
        text ? bt__vary_ask(&s->v, (const char *const *)&text, 1, &said, err) : no_memory(err);
    s->out->tried++;
    if (!st) {
        const struct worth w = worth_of(s, &said, rest, s->n - 1, s->shift);
        *undone = w.flipped;
        if (w.flipped) {
            free(s->word[i].put);
            memcpy(s->word, rest, (size_t)(s->n - 1) * sizeof *rest);
            s->n--;
            s->score = w.score;
        }
    }
    bt__said_free(&said);
    free(text);
    free(rest);
    return st;
}

static enum bt_status undo_words(struct search *s, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (int i = 0; s->flipped && s->n > 1 && i < s->n && !st;) {
        bool undone;
        st = undo(s, i, &undone, err);
        s->out->undone += undone;
        i = undone ? 0 : i + 1; /* what was needed beside it may not be any more */
    }
    return st;
}

/* ── the whole ── */

static int by_order(const void *a, const void *b)
{
    return ((const struct replaced *)a)->order - ((const struct replaced *)b)->order;
}

/* The last answer is asked for once more: the words that were undone may have changed it. */
static enum bt_status tell(struct search *s, struct bt_error *err)
{
    struct bt_flip *f = s->out;
    struct bt__said said = {.n = 0};
    f->text = bt_strdup(s->v.text);
    f->said = bt_strdup(s->first.decision);
    f->new_text = text_of(s, s->word, s->n);
    f->word = calloc((size_t)s->n + 1, sizeof *f->word);
    f->flipped = s->flipped;
    f->new_score = s->score;
    if (!f->text || !f->said || !f->new_text || !f->word) return no_memory(err);
    enum bt_status st = bt__vary_ask(&s->v, (const char *const *)&f->new_text, 1, &said, err);
    f->new_said = st ? NULL : bt_strdup(said.decision);
    bt__said_free(&said);
    if (st) return st;
    qsort(s->word, (size_t)s->n, sizeof *s->word, by_order);
    for (; f->n < (size_t)s->n; f->n++) {
        struct replaced *w = &s->word[f->n];
        f->word[f->n] = (struct bt_flip_word){.from = bt_strndup(s->v.text + w->begin, w->end - w->begin),
                                              .to = bt_strdup(w->put),
                                              .begin = w->begin,
                                              .end = w->end,
                                              .estimate = w->estimate,
                                              .score = w->score};
        if (!f->word[f->n].from || !f->word[f->n].to) return no_memory(err);
    }
    f->passes = s->v.passes + f->gradients;
    return f->new_said ? BT_OK : no_memory(err);
}

static enum bt_status prepare(struct search *s, struct bt_error *err)
{
    const struct bt_flip_spec *spec = s->spec;
    const enum bt__way way = bt__way_of(s->v.task);
    s->most = spec->most > 0 ? spec->most : BT_FLIP_WORDS;
    s->best.most = spec->tries > 0 ? spec->tries : BT_FLIP_TRIES;
    s->best.item = calloc((size_t)s->best.most, sizeof *s->best.item);
    s->word = calloc((size_t)s->most + 1, sizeof *s->word);
    s->shift = calloc((size_t)s->most + 1, sizeof *s->shift);
    s->how = (struct bt_explain_spec){.of = BT_EXPLAIN_PROBABILITY,
                                      .words = true,
                                      .target = spec->target,
                                      .word = spec->word,
                                      .together = spec->together,
                                      .cancel = spec->cancel};
    if (!s->best.item || !s->word || !s->shift) return no_memory(err);
    if (way == BT__NUMBER)
        return bt_fail(err, BT_INVALID, "the model gives a number: it decides for nothing that could change");
    if (spec->target && way != BT__ONE_LABEL && way != BT__LABEL_SET)
        return bt_fail(err, BT_INVALID, "target \"%.60s\": only of labels one can be reached", spec->target);
    snprintf(s->number, sizeof s->number, "%d", s->v.field - BT_VARY_CHOICE);
    if (s->v.field >= BT_VARY_CHOICE && !spec->target) s->how.target = s->number;
    return bt__lexicon_make(&s->lexicon, s->v.p, err);
}

static enum bt_status search(struct search *s, struct bt_error *err)
{
    const char *const as_it_stands = s->v.text;
    enum bt_status st = prepare(s, err);
    if (!st) st = bt__vary_ask(&s->v, &as_it_stands, 1, &s->first, err);
    if (!st) s->score = bt__said_score(s->v.task, &s->first);
    if (!st) st = replace_words(s, err);
    if (!st) st = undo_words(s, err);
    if (!st) st = tell(s, err);
    return st;
}

enum bt_status bt_flip_find(struct bt_predictor *p, const struct bt_input *in,
                            const struct bt_flip_spec *spec, struct bt_flip **out, struct bt_error *err)
{
    struct search s = {.spec = spec, .out = calloc(1, sizeof *s.out)};
    enum bt_status st = s.out ? bt__vary_begin(&s.v, p, in, spec->field, err) : no_memory(err);
    s.v.cancel = spec->cancel;
    if (spec->together > 0) s.v.together = spec->together;
    if (!st) st = search(&s, err);
    for (int i = 0; i < s.n; i++) free(s.word[i].put);
    bt__vary_end(&s.v);
    bt__said_free(&s.first);
    bt__lexicon_free(&s.lexicon);
    free(s.best.item);
    free(s.word);
    free(s.shift);
    if (st)
        bt_flip_free(s.out);
    else
        *out = s.out;
    return st;
}

void bt_flip_free(struct bt_flip *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) {
        free(f->word[i].from);
        free(f->word[i].to);
    }
    free(f->word);
    free(f->text);
    free(f->said);
    free(f->of);
    free(f->new_text);
    free(f->new_said);
    free(f);
}
