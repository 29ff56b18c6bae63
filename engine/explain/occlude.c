/* F of the input less F without one of its tokens or words (Zeiler & Fergus 2014; Li, Monroe & Jurafsky 2016). */
#include "explain/parts.h"

#include <stdlib.h>
#include <string.h>

/* One variant's sequence. */
struct room {
    int32_t *ids;
    uint8_t *types, *reads;
};

static bool room_make(struct room *r, int n)
{
    r->ids = calloc((size_t)n, sizeof *r->ids);
    r->types = calloc((size_t)n, 1);
    r->reads = calloc((size_t)n, 1);
    return r->ids && r->types && r->reads;
}

static void room_free(struct room *r)
{
    free(r->ids);
    free(r->types);
    free(r->reads);
}

static bool holds(const struct bt_explained *item, int token)
{
    return token >= item->first && token < item->first + item->tokens;
}

static bool read_there(const struct bt__explaining *w, const struct bt_explained *item)
{
    for (int k = 0; k < w->aim.cells; k++)
        if (holds(item, w->aim.cell[k].token)) return true;
    return false;
}

static int32_t substitute(const struct bt__explaining *w)
{
    const int32_t mask = bt_tokenizer_special(w->p->tokenizer, BT_MASK), pad = w->p->m->config.pad_token_id;
    return w->spec->occlude == BT_EXPLAIN_PADDING || mask < 0 ? pad : mask;
}

/* The sequence without the item. */
static struct bt__variant without(const struct bt__explaining *w, const struct bt_explained *item,
                                  struct room *r)
{
    const bool delete = w->spec->occlude == BT_EXPLAIN_DELETE && !read_there(w, item);
    struct bt__variant v = {.ids = r->ids, .types = r->types, .reads = r->reads};
    for (int i = 0; i < w->n; i++) {
        if (delete &&holds(item, i)) continue;
        for (int k = 0; k < w->aim.cells; k++)
            if (w->aim.cell[k].token == i) v.token[k] = v.n;
        r->ids[v.n] = holds(item, i) ? substitute(w) : w->ids[i];
        r->types[v.n] = w->types[i];
        r->reads[v.n++] = w->reads ? w->reads[i] : i == 0;
    }
    return v;
}

static enum bt_status ask(struct bt__explaining *w, struct bt__asker *a, struct room *r, double *value,
                          struct bt_error *err)
{
    struct bt_explanation *x = w->x;
    enum bt_status st = BT_OK;
    size_t item[2] = {0, 0}; /* of this batch, and where the next begins */
    while (item[1] < x->n && !st) {
        if (bt__explain_cancelled(w)) return bt__explain_cancel(err);
        bt__asker_clear(a);
        for (item[0] = item[1]; item[1] < x->n && a->b.n < a->room && !st; item[1]++) {
            if (x->item[item[1]].special) continue;
            const struct bt__variant v = without(w, &x->item[item[1]], r);
            st = bt__asker_add(a, &v, err);
        }
        if (st || !a->b.n) break;
        bt__asker_ask(a, NULL, value);
        for (int k = 0; item[0] < item[1]; item[0]++)
            if (!x->item[item[0]].special) x->item[item[0]].score = x->value - value[k++];
        bt__explain_tell(w, (int)item[1], (int)x->n);
    }
    return st;
}

static enum bt_status whole(struct bt__explaining *w, struct bt__asker *a, double *value,
                            struct bt_error *err)
{
    const struct bt__variant same = bt__asker_same(w);
    bt__asker_clear(a);
    enum bt_status st = bt__asker_add(a, &same, err);
    if (st) return st;
    bt__asker_ask(a, NULL, value);
    w->x->value = value[0];
    return BT_OK;
}

enum bt_status bt__explain_occlusion(struct bt__explaining *w, struct bt_error *err)
{
    struct bt__asker a;
    struct room r = {.ids = NULL};
    const int reads = w->reads ? bt__reads_count(w->reads, w->n) : 1;
    enum bt_status st = bt__asker_open(&a, w, (int)w->x->n, false, reads, err);
    double *value = st ? NULL : calloc((size_t)a.room, sizeof *value);
    if (!st && (!value || !room_make(&r, w->n)))
        st = bt_fail(err, BT_NOMEM, "no memory for %d variants of a text", a.room);
    if (!st) st = whole(w, &a, value, err);
    if (!st) st = ask(w, &a, &r, value, err);
    bt__asker_close(&a);
    room_free(&r);
    free(value);
    return st;
}
