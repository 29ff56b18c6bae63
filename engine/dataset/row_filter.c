#include "dataset/row_filter.h"

#include <bertty/num.h>
#include <bertty/table.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

void bt_row_filter_free(struct bt_row_filter *f)
{
    if (!f) return;
    for (int i = 0; i < f->n; i++) {
        free(f->node[i].a.text);
        free(f->node[i].b.text);
        bt_regex_free(f->node[i].regex);
    }
    free(f->node);
    free(f);
}

bool bt_row_filter_needs_pieces(const struct bt_row_filter *f)
{
    for (int i = 0; i < f->n; i++) {
        const struct bt__node *d = &f->node[i];
        if (d->a.kind == BT__VALUE_PIECES || d->b.kind == BT__VALUE_PIECES) return true;
    }
    return false;
}

static bool is_of(const struct bt__value *v, size_t column)
{
    return v->kind <= BT__VALUE_PIECES && v->column == column;
}

bool bt_row_filter_reads(const struct bt_row_filter *f, size_t column)
{
    for (int i = 0; i < f->n; i++) {
        const struct bt__node *d = &f->node[i];
        if (d->op < BT__OP_EQ) continue;
        if (d->any || is_of(&d->a, column) || is_of(&d->b, column)) return true;
    }
    return false;
}

void bt_row_filter_pieces(struct bt_row_filter *f, bt_row_pieces_fn *fn, void *ctx)
{
    f->pieces = fn;
    f->pieces_ctx = ctx;
}

size_t bt_row_filter_gave_up(const struct bt_row_filter *f)
{
    return f->gave_up;
}

/* ── values ── */

struct found {
    bool there; /* false: the row has no such cell */
    const char *text;
    size_t n;
    bool number, known; /* known: whether it is a number is decided */
    double value;
};

static struct found counted(size_t n)
{
    return (struct found){.there = true, .number = true, .known = true, .value = (double)n};
}

static size_t characters(const char *p, size_t n)
{
    size_t count = 0;
    while (n > 0) {
        size_t good = bt_utf8_valid(p, n);
        count += bt_utf8_count(p, good) + (good < n);
        if (good == n) break;
        p += good + 1;
        n -= good + 1;
    }
    return count;
}

static struct found value_of(const struct bt_row_filter *f, const struct bt__value *v, const struct bt_row *r)
{
    if (v->kind == BT__VALUE_NUMBER)
        return (struct found){.there = true, .number = true, .known = true, .value = v->number};
    if (v->kind == BT__VALUE_TEXT)
        return (struct found){.there = true, .text = v->text, .n = v->n, .known = true};
    if (v->column >= r->n) return (struct found){.there = false};
    const char *cell = r->cell[v->column];
    size_t n = r->cell_n[v->column];
    if (v->kind == BT__VALUE_LENGTH) return counted(characters(cell, n));
    if (v->kind == BT__VALUE_PIECES) return counted(f->pieces ? f->pieces(f->pieces_ctx, cell, n) : 0);
    return (struct found){.there = true, .text = cell, .n = n};
}

static bool is_number(struct found *x)
{
    if (x->known) return x->number;
    x->known = true;
    const char *p = x->text, *end = p + x->n;
    while (p < end && (*p == ' ' || *p == '\t')) p++;
    bool likely = p < end && (strchr("+-.", *p) || (*p >= '0' && *p <= '9'));
    return x->number = likely && strlen(p) == (size_t)(end - p) && bt_parse_double(p, &x->value);
}

static int order_of_texts(const struct found *a, const struct found *b)
{
    size_t n = a->n < b->n ? a->n : b->n;
    int order = n ? memcmp(a->text, b->text, n) : 0;
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* False: they cannot be compared. */
static bool order_of(struct found *a, struct found *b, int *order)
{
    if (!a->there || !b->there) return false;
    bool numbers = !(a->known && !a->number) && !(b->known && !b->number) && is_number(a) && is_number(b);
    if (numbers)
        *order = (a->value > b->value) - (a->value < b->value);
    else if (!a->text || !b->text) /* a number and something that is none */
        return false;
    else
        *order = order_of_texts(a, b);
    return true;
}

/* ── the tree ── */

static bool compare(const struct bt_row_filter *f, const struct bt__node *d, const struct bt_row *r)
{
    struct found a = value_of(f, &d->a, r), b = value_of(f, &d->b, r);
    int order = 0;
    if (!order_of(&a, &b, &order)) return d->op == BT__OP_NE;
    switch (d->op) {
    case BT__OP_EQ:
        return order == 0;
    case BT__OP_NE:
        return order != 0;
    case BT__OP_LT:
        return order < 0;
    case BT__OP_LE:
        return order <= 0;
    case BT__OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool matches(struct bt_row_filter *f, const struct bt__node *d, const struct bt_row *r)
{
    size_t begin, end, from = d->any ? 0 : d->a.column, to = d->any ? r->n : from + 1;
    for (size_t i = from; i < to && i < r->n; i++) {
        enum bt_match found = bt_regex_find(d->regex, r->cell[i], r->cell_n[i], 0, &begin, &end);
        if (found == BT_MATCH_FOUND) return true;
        f->gave_up += found == BT_MATCH_GAVE_UP;
    }
    return false;
}

/* As deep as the parser lets it be. */
static bool holds(struct bt_row_filter *f, int i, const struct bt_row *r)
{
    const struct bt__node *d = &f->node[i];
    switch (d->op) {
    case BT__OP_OR:
        return holds(f, d->left, r) || holds(f, d->right, r);
    case BT__OP_AND:
        return holds(f, d->left, r) && holds(f, d->right, r);
    case BT__OP_NOT:
        return !holds(f, d->left, r);
    case BT__OP_MATCH:
        return matches(f, d, r);
    default:
        return compare(f, d, r);
    }
}

bool bt_row_filter_holds(struct bt_row_filter *f, const struct bt_row *r)
{
    return holds(f, f->root, r);
}
