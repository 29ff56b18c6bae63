#include "metrics/labels.h"
#include "metrics/language.h"
#include "metrics/ratio.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <string.h>

double bt__labels_accuracy(const struct bt__labels_view *v)
{
    return bt__quotient((double)v->all.hit, (double)v->all.gold);
}

double bt__sets_subset_accuracy(const struct bt__sets_view *v)
{
    const struct bt__set_results *r = v->r;
    const size_t k = (size_t)r->labels;
    size_t right = 0;
    for (size_t i = 0; i < r->n; i++)
        right += memcmp(r->gold + i * k, r->predicted + i * k, k * sizeof *r->gold) == 0;
    return bt__quotient((double)right, (double)r->n);
}

double bt__sets_hamming_loss(const struct bt__sets_view *v)
{
    int64_t wrong = v->all.predicted + v->all.gold - 2 * v->all.hit;
    return bt__quotient((double)wrong, (double)v->r->n * (double)v->r->labels);
}

double bt__spans_accuracy(const struct bt__spans_view *v)
{
    return bt__quotient((double)v->right, (double)v->words);
}

double bt__language_accuracy(const struct bt__language_view *v)
{
    return bt__quotient((double)v->r->right, (double)v->r->tokens);
}
