#include "model/pass.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static size_t zlarger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void bt__pass_limits_complete(struct bt__pass_limits *l)
{
    l->reads = larger(l->reads, l->seqs);
    l->read_pairs = zlarger(l->read_pairs, (size_t)l->rows);
}

void bt__pass_limits_widen(struct bt__pass_limits *l, const struct bt__pass_limits *least)
{
    l->seqs = larger(l->seqs, least->seqs);
    l->rows = larger(l->rows, least->rows);
    l->longest = larger(l->longest, least->longest);
    l->pairs = zlarger(l->pairs, least->pairs);
    l->reads = larger(l->reads, least->reads);
    l->read_pairs = zlarger(l->read_pairs, least->read_pairs);
}

bool bt__pass_limits_hold(const struct bt__pass_limits *l, const struct bt__pass_limits *need)
{
    return l->seqs >= need->seqs && l->rows >= need->rows && l->longest >= need->longest &&
           l->pairs >= need->pairs && l->reads >= need->reads && l->read_pairs >= need->read_pairs;
}
