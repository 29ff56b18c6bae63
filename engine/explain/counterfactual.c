/* Variants of an input, ranked by how much what the model says of them changes. */
#include "explain/vary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── making them ── */

static bool wanted(const struct bt_vary_spec *spec, enum bt_vary kind)
{
    return !spec->kinds || (spec->kinds & 1u << kind);
}

static enum bt_status make(const struct bt_vary_spec *spec, struct bt__varying *v, struct bt__edits *e,
                           struct bt_variants *out, struct bt_error *err)
{
    struct bt__spans s;
    enum bt_status st = bt__spans_of(bt_predictor_tokenizer(v->p), v->text, &s, err);
    if (!st && wanted(spec, BT_VARY_NEGATE)) bt__vary_negate(e, &s);
    if (!st && wanted(spec, BT_VARY_DROP)) bt__vary_drop(e, &s);
    if (!st && wanted(spec, BT_VARY_LIST)) bt__vary_list(e, &s, spec->word, spec->words);
    if (!st && wanted(spec, BT_VARY_SWAP)) st = bt__vary_swaps(e, &s, v, &out->own_head, err);
    if (!st && wanted(spec, BT_VARY_TYPO)) bt__vary_typos(e, &s, spec->seed);
    out->lower_case = bt_tokenizer_lower_case(bt_predictor_tokenizer(v->p));
    if (!st && wanted(spec, BT_VARY_CASE) && !out->lower_case) bt__vary_case(e, &s);
    free(s.item);
    if (!st && e->failed) st = bt_fail(err, BT_NOMEM, "no memory for the variants of a text");
    return st;
}

/* ── asking them ── */

static void take_difference(const struct bt__varying *v, const struct bt__said *as_it_stands,
                            const struct bt__said *said, struct bt_variant *x)
{
    const struct bt__shift shift = {.begin = x->begin, .end = x->end, .put = x->put};
    const struct bt__difference d =
        bt__said_differ(v->task, as_it_stands, said, &shift, bt__vary_holds_answers(v) ? 1 : 0);
    x->flipped = d.flipped;
    x->before = d.before;
    x->after = d.after;
    x->change = fabs(d.after - d.before);
    x->of = bt_strdup(d.of);
    x->said = bt_strdup(said->decision);
}

static enum bt_status take_answers(const struct bt__varying *v, const struct bt__said *first,
                                   const struct bt__said *said, struct bt_variants *out, struct bt_error *err)
{
    for (size_t i = 0; i < out->n; i++) {
        take_difference(v, first, &said[i], &out->item[i]);
        out->flipped += out->item[i].flipped;
        if (!out->item[i].said) return bt_fail(err, BT_NOMEM, "no memory for the answers to variants");
    }
    return BT_OK;
}

static enum bt_status ask(struct bt__varying *v, const struct bt__said *first, struct bt_variants *out,
                          struct bt_error *err)
{
    const char **text = calloc(out->n + 1, sizeof *text);
    struct bt__said *said = calloc(out->n + 1, sizeof *said);
    enum bt_status st = text && said ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for %zu variants", out->n);
    v->done = 0;
    v->all = (int)out->n;
    for (size_t i = 0; i < out->n && !st; i++) text[i] = out->item[i].text;
    if (!st) st = bt__vary_ask(v, text, out->n, said, err);
    if (!st) st = take_answers(v, first, said, out, err);
    for (size_t i = 0; said && i < out->n; i++) bt__said_free(&said[i]);
    free(said);
    free(text);
    return st;
}

/* The largest change first, then what flips, then from the left. */
static int by_change(const void *a, const void *b)
{
    const struct bt_variant *x = a, *y = b;
    if (x->change < y->change || x->change > y->change) return x->change > y->change ? -1 : 1;
    if (x->flipped != y->flipped) return x->flipped ? -1 : 1;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return strcmp(x->text, y->text);
}

static enum bt_status vary(struct bt__varying *v, const struct bt_vary_spec *spec, struct bt_variants *out,
                           struct bt_error *err)
{
    struct bt__said first = {.n = 0};
    struct bt__edits e = {.text = v->text};
    const char *const as_it_stands = v->text;
    enum bt_status st = bt__vary_ask(v, &as_it_stands, 1, &first, err);
    if (!st) st = make(spec, v, &e, out, err);
    v->progress = spec->progress;
    v->ctx = spec->ctx;
    out->item = e.item;
    out->n = e.n;
    out->more = e.more;
    if (!st) st = ask(v, &first, out, err);
    if (!st) {
        out->text = bt_strdup(v->text);
        out->said = bt_strdup(first.decision);
        out->score = bt__said_score(v->task, &first);
        out->passes = v->passes;
        if (!out->text || !out->said) st = bt_fail(err, BT_NOMEM, "no memory for the variants of a text");
    }
    if (!st && out->n) qsort(out->item, out->n, sizeof *out->item, by_change);
    bt__said_free(&first);
    return st;
}

enum bt_status bt_vary(struct bt_predictor *p, const struct bt_input *in, const struct bt_vary_spec *spec,
                       struct bt_variants **out, struct bt_error *err)
{
    struct bt__varying v = {.p = NULL};
    struct bt_variants *x = calloc(1, sizeof *x);
    enum bt_status st = x ? bt__vary_begin(&v, p, in, spec->field, err)
                          : bt_fail(err, BT_NOMEM, "no memory for the variants of a text");
    v.cancel = spec->cancel;
    if (spec->together > 0) v.together = spec->together;
    if (!st) st = vary(&v, spec, x, err);
    bt__vary_end(&v);
    if (st)
        bt_variants_free(x);
    else
        *out = x;
    return st;
}

void bt_variants_free(struct bt_variants *v)
{
    if (!v) return;
    for (size_t i = 0; i < v->n; i++) bt__variant_free(&v->item[i]);
    free(v->item);
    free(v->text);
    free(v->said);
    free(v);
}
