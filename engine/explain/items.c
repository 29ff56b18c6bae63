/* The tokens of a sequence as pieces or words, and where they stand in the text. */
#include "explain/parts.h"

#include <stdlib.h>
#include <string.h>

static bool is_special(const struct bt__explaining *w, int token)
{
    return w->ids[token] == bt_tokenizer_special(w->p->tokenizer, BT_CLS) ||
           w->ids[token] == bt_tokenizer_special(w->p->tokenizer, BT_SEP);
}

static const char *piece_of(const struct bt__explaining *w, int token)
{
    const char *piece = bt_tokenizer_piece(w->p->tokenizer, w->ids[token]);
    return piece ? piece : "";
}

/* "##ing" goes on with a word. */
static bool goes_on(const struct bt__explaining *w, int token)
{
    const char *piece = piece_of(w, token);
    return token > 0 && !is_special(w, token) && !is_special(w, token - 1) && strncmp(piece, "##", 2) == 0 &&
           piece[2];
}

static bool add(struct bt__explaining *w, int token)
{
    struct bt_explanation *x = w->x;
    if (w->spec->words && x->n && goes_on(w, token)) {
        struct bt_explained *last = &x->item[x->n - 1];
        char *more = bt_strfmt("%s%s", last->text, piece_of(w, token) + 2);
        if (!more) return false;
        free(last->text);
        last->text = more;
        last->tokens++;
        return true;
    }
    x->item[x->n] = (struct bt_explained){.text = bt_strdup(piece_of(w, token)),
                                          .first = token,
                                          .tokens = 1,
                                          .special = is_special(w, token),
                                          .pair = w->types[token] != 0};
    return x->item[x->n++].text != NULL;
}

int bt__item_of(const struct bt_explanation *x, int token)
{
    size_t low = 0, high = x->n;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(x->item[middle].first <= token ? &low : &high) = middle;
    }
    return (int)low;
}

/* ── places ── */

/* Where ids [n] stand one after the other in e; −1: nowhere. */
static ptrdiff_t find_run(const struct bt_encoding *e, const int32_t *ids, size_t n)
{
    for (size_t at = 0; at + n <= e->n; at++)
        if (memcmp(e->ids + at, ids, n * sizeof *ids) == 0) return (ptrdiff_t)at;
    return -1;
}

static void put_place(struct bt_explanation *x, int token, const struct bt_encoding *e, size_t at)
{
    struct bt_explained *item = &x->item[bt__item_of(x, token)];
    if (item->first == token) item->begin = e->begin[at];
    item->end = e->end[at];
}

/* Tokens [from, end) are pieces of text: all of it, a part, or its head and its tail. Otherwise they are of something that a task has written. */
static enum bt_status place(struct bt__explaining *w, int from, int end, const char *text, size_t n,
                            struct bt_encoding *e, struct bt_error *err)
{
    enum bt_status st = bt_tokenizer_encode(w->p->tokenizer, text, n, e, err);
    const size_t count = (size_t)(end - from);
    if (st || count == 0 || e->n < count) return st;
    const int32_t *ids = w->ids + from;
    const ptrdiff_t run = find_run(e, ids, count);
    size_t head = 0;
    while (run < 0 && head < count && e->ids[head] == ids[head]) head++;
    const size_t tail = count - head;
    if (run < 0 && memcmp(e->ids + e->n - tail, ids + head, tail * sizeof *ids) != 0) return BT_OK;
    for (size_t i = 0; i < count; i++) {
        const size_t at = run >= 0 ? (size_t)run + i : i < head ? i : e->n - count + i;
        put_place(w->x, from + (int)i, e, at);
    }
    return BT_OK;
}

/* Of choices the text and one of them are read. */
static void texts_of(const struct bt__explaining *w, const struct bt_input *in, const char **text, size_t *n)
{
    const int choice = w->x->choice;
    text[0] = in->text;
    n[0] = in->text_n;
    text[1] = choice >= 0 ? in->part[choice].text : in->pair;
    n[1] = choice >= 0 ? in->part[choice].n : in->pair_n;
}

static enum bt_status find_places(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    const char *text[2];
    size_t n[2];
    struct bt_encoding e = {.n = 0};
    enum bt_status st = BT_OK;
    texts_of(w, in, text, n);
    for (int from = 1, k = 0; from < w->n && k < 2 && !st; k++) {
        int end = from;
        while (end < w->n && w->ids[end] != bt_tokenizer_special(w->p->tokenizer, BT_SEP)) end++;
        if (text[k]) st = place(w, from, end, text[k], n[k], &e, err);
        from = end + 1;
    }
    bt_encoding_free(&e);
    return st;
}

enum bt_status bt__explain_items(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    struct bt_explanation *x = w->x;
    bool ok = (x->item = calloc((size_t)w->n + 1, sizeof *x->item)) != NULL;
    for (int i = 0; i < w->n && ok; i++) ok = add(w, i);
    if (!ok) return bt_fail(err, BT_NOMEM, "no memory for %d tokens", w->n);
    return find_places(w, in, err);
}
