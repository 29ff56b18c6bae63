#include "metrics/answers.h"

#include "metrics/ratio.h"
#include <stdlib.h>
#include <string.h>

struct word {
    const char *text;
    size_t n;
};
struct words {
    struct bt_str text; /* normalised */
    struct word *word;  /* sorted */
    size_t n;
};

static int by_text(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static void words_free(struct words *w)
{
    bt_str_free(&w->text);
    free(w->word);
}

static enum bt_status words_of(const char *text, size_t n, struct words *w, struct bt_error *err)
{
    *w = (struct words){.n = 0};
    bt__answer_normalize(text, n, &w->text);
    w->word = calloc(w->text.len / 2 + 1, sizeof *w->word);
    if (w->text.failed || !w->word) return bt_fail(err, BT_NOMEM, "no memory for an answer of %zu bytes", n);
    for (const char *p = w->text.data, *end = p + w->text.len; p && p < end;) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        size_t bytes = (size_t)((space ? space : end) - p);
        w->word[w->n++] = (struct word){.text = p, .n = bytes};
        p += bytes + 1;
    }
    qsort(w->word, w->n, sizeof *w->word, by_text);
    return BT_OK;
}

static bool same_text(const struct words *a, const struct words *b)
{
    return a->text.len == b->text.len &&
           memcmp(bt_str_text(&a->text), bt_str_text(&b->text), a->text.len) == 0;
}

/* Words in common, counted as often as both have them. */
static size_t common(const struct words *a, const struct words *b)
{
    size_t both = 0;
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        int order = by_text(&a->word[i], &b->word[j]);
        both += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return both;
}

/* 1.1 gives nothing where a side has no words; 2.0 gives all if neither has. */
static double f1(const struct words *predicted, const struct words *gold, bool v2)
{
    double both = (double)common(predicted, gold);
    if (predicted->n == 0 || gold->n == 0) return v2 && predicted->n == gold->n ? 1.0 : 0.0;
    if (!(both > 0.0)) return 0.0;
    double precision = both / (double)predicted->n, recall = both / (double)gold->n;
    return 2.0 * precision * recall / (precision + recall);
}

static void better(struct bt__answer_score *s, const struct words *predicted, const struct words *gold,
                   bool v2)
{
    double f = f1(predicted, gold, v2);
    if (f > s->f1) s->f1 = f;
    if (same_text(predicted, gold)) s->exact = 1.0;
}

static enum bt_status best_of(const struct bt__answer *a, const struct words *predicted, bool v2,
                              struct bt__answer_score *out, struct bt_error *err)
{
    const struct words nothing = {.n = 0};
    bool any = false;
    for (size_t i = 0; i < a->golds; i++) {
        struct words gold;
        enum bt_status st = words_of(a->gold[i].text, a->gold[i].n, &gold, err);
        if (!st && (!v2 || gold.text.len)) {
            better(out, predicted, &gold, v2);
            any = true;
        }
        words_free(&gold);
        if (st) return st;
    }
    if (v2 && !any) better(out, predicted, &nothing, v2);
    return BT_OK;
}

enum bt_status bt__answer_score(const struct bt__answer *a, bool v2, struct bt__answer_score *out,
                                struct bt_error *err)
{
    struct words predicted;
    *out = (struct bt__answer_score){.counted = !v2 || a->predicted};
    if (!a->predicted) return BT_OK;
    enum bt_status st = words_of(a->predicted, a->predicted_n, &predicted, err);
    if (!st) st = best_of(a, &predicted, v2, out, err);
    words_free(&predicted);
    return st;
}
