/* Windows as Hugging Face's tokenizers cuts them with return_overflowing_tokens and a stride (which is an overlap), or as Google's run_squad.py
 * does with its doc_stride (which is a step). Gold positions are those of transformers' run_qa.py. */
#include "tasks/qa_windows.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32 /* questions a task */, SPECIAL = 3 /* [CLS] and two [SEP] */, NO_GOLD = -1 };

/* What a block of questions became, before the blocks are joined. */
struct block {
    int32_t *ids;
    uint8_t *types;
    size_t tokens, tokens_cap;
    struct bt__qa_window *window;
    uint32_t *example;
    int *length;
    size_t windows, windows_cap;
    uint32_t *begin, *end;
    size_t places, places_cap;
    size_t cut, unknown;
    struct bt_error err;
};

struct build {
    const struct bt__task *t;
    const struct bt__task_data *d;
    bool gold;
    struct block *block; /* [blocks] */
    size_t blocks;
};

/* The context whose tokens are in scratch: questions about the same one stand together. */
struct scratch {
    struct bt_encoding question, context;
    const char *text;
    size_t place;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* An experiment was checked; a model without a run may be shorter than the defaults expect. */
size_t bt__qa_query_length(const struct bt_experiment *x, size_t tokens)
{
    size_t most = (size_t)x->task_max_query_length, length = (size_t)x->data_max_seq_length - SPECIAL;
    if (most >= length) most = length / 2;
    return smaller(tokens, most);
}

size_t bt__qa_room(const struct bt_experiment *x, size_t n)
{
    size_t taken = n + SPECIAL, length = (size_t)x->data_max_seq_length;
    return length > taken ? length - taken : 1;
}

static size_t step_of(const struct bt_experiment *x, size_t room)
{
    if (x->task_doc_step > 0) return smaller(room, (size_t)x->task_doc_step);
    return (size_t)x->task_doc_stride < room ? room - (size_t)x->task_doc_stride : room - room / 2;
}

/* ── room for more ── */

static size_t larger_cap(size_t cap, size_t need)
{
    return cap * 2 > need ? cap * 2 : need + 256;
}

/* Room for n items of size; false without memory. */
static bool grow(void *array, size_t cap, size_t size)
{
    void **at = array, *more = realloc(*at, cap * size);
    if (more) *at = more;
    return more != NULL;
}

static bool room_for_tokens(struct block *b, size_t more)
{
    if (b->tokens + more <= b->tokens_cap) return true;
    size_t cap = larger_cap(b->tokens_cap, b->tokens + more);
    if (!grow(&b->ids, cap, sizeof *b->ids) || !grow(&b->types, cap, sizeof *b->types)) return false;
    b->tokens_cap = cap;
    return true;
}

static bool room_for_window(struct block *b)
{
    if (b->windows < b->windows_cap) return true;
    size_t cap = larger_cap(b->windows_cap, b->windows + 1);
    if (!grow(&b->window, cap, sizeof *b->window) || !grow(&b->example, cap, sizeof *b->example) ||
        !grow(&b->length, cap, sizeof *b->length))
        return false;
    b->windows_cap = cap;
    return true;
}

static bool room_for_places(struct block *b, size_t more)
{
    if (b->places + more <= b->places_cap) return true;
    size_t cap = larger_cap(b->places_cap, b->places + more);
    if (!grow(&b->begin, cap, sizeof *b->begin) || !grow(&b->end, cap, sizeof *b->end)) return false;
    b->places_cap = cap;
    return true;
}

/* ── gold ── */

/* Bytes of the context. */
struct range {
    size_t begin, end;
    enum { NOWHERE, SOMEWHERE, NOT_FOUND } where;
};

static size_t byte_of(const char *text, size_t n, int64_t code_points)
{
    size_t i = 0;
    for (; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && code_points-- == 0) break;
    return i;
}

/* The first answer that has a place. */
static struct range answer_of(const struct bt_example *e)
{
    for (uint32_t i = 0; i < e->parts; i++) {
        const struct bt_part *a = &e->part[i];
        if (a->at < 0) continue;
        size_t begin = byte_of(e->pair, e->pair_n, a->at);
        return (struct range){.begin = begin, .end = begin + a->n, .where = SOMEWHERE};
    }
    return (struct range){.where = e->parts ? NOT_FOUND : NOWHERE};
}

/* The last token that begins at or before the answer, the first that ends at or behind its end. */
static void set_gold(const struct block *b, struct bt__qa_window *w, const struct range *answer)
{
    const uint32_t *begin = b->begin + w->place + w->from, *end = b->end + w->place + w->from;
    w->start = w->end = answer->where == NOT_FOUND ? NO_GOLD : 0;
    if (answer->where != SOMEWHERE || w->n == 0 || begin[0] > answer->begin || end[w->n - 1] < answer->end)
        return;
    uint32_t s = 0, t = w->n;
    while (s < w->n && begin[s] <= answer->begin) s++;
    while (t > 0 && end[t - 1] >= answer->end) t--;
    w->start = (int32_t)(w->first + s - 1);
    w->end = (int32_t)(w->first + t);
}

/* ── one question ── */

static void put(struct block *b, const int32_t *ids, size_t n, uint8_t type)
{
    if (n == 0) return; /* ids may be NULL: an empty text */
    memcpy(b->ids + b->tokens, ids, n * sizeof *ids);
    memset(b->types + b->tokens, type, n);
    b->tokens += n;
}

static bool add_window(const struct build *u, struct block *b, const struct scratch *s, size_t example,
                       size_t query, size_t from, size_t n, const struct range *answer)
{
    const int32_t cls = bt_tokenizer_special(u->t->tokenizer, BT_CLS),
                  sep = bt_tokenizer_special(u->t->tokenizer, BT_SEP);
    if (!room_for_window(b) || !room_for_tokens(b, query + n + SPECIAL)) return false;
    put(b, &cls, 1, 0);
    put(b, s->question.ids, query, 0);
    put(b, &sep, 1, 0);
    if (n) put(b, s->context.ids + from, n, 1);
    put(b, &sep, 1, 1);
    struct bt__qa_window *w = &b->window[b->windows];
    *w = (struct bt__qa_window){.place = s->place,
                                .from = (uint32_t)from,
                                .n = (uint32_t)n,
                                .first = (uint32_t)query + 2,
                                .start = NO_GOLD,
                                .end = NO_GOLD};
    if (u->gold) set_gold(b, w, answer);
    b->example[b->windows] = (uint32_t)example;
    b->length[b->windows++] = (int)(query + n + SPECIAL);
    return true;
}

static enum bt_status read_context(const struct build *u, struct block *b, struct scratch *s,
                                   const struct bt_example *e)
{
    if (s->text && s->text == e->pair && s->place + s->context.n == b->places) return BT_OK;
    enum bt_status st =
        bt_tokenizer_encode(u->t->tokenizer, e->pair ? e->pair : "", e->pair_n, &s->context, &b->err);
    if (st) return st;
    if (!room_for_places(b, s->context.n))
        return bt_fail(&b->err, BT_NOMEM, "no memory for the windows of %zu questions", u->d->n);
    s->text = e->pair;
    s->place = b->places;
    for (size_t i = 0; i < s->context.n; i++) {
        b->begin[b->places] = s->context.begin[i];
        b->end[b->places++] = s->context.end[i];
    }
    return BT_OK;
}

static size_t count_unknown(const struct build *u, const struct bt_encoding *e)
{
    const int32_t unk = bt_tokenizer_special(u->t->tokenizer, BT_UNK);
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) n += e->ids[i] == unk;
    return n;
}

static enum bt_status one(const struct build *u, struct block *b, size_t example, struct scratch *s)
{
    const struct bt_example *e = bt__task_example(u->d, example);
    enum bt_status st = read_context(u, b, s, e);
    if (!st) st = bt_tokenizer_ids(u->t->tokenizer, e->text, e->text_n, &s->question, &b->err);
    if (st) return st;
    const struct bt_experiment *x = u->t->x;
    const size_t query = bt__qa_query_length(x, s->question.n), room = bt__qa_room(x, query),
                 step = step_of(x, room), all = s->context.n;
    const struct range answer = answer_of(e);
    b->cut += query < s->question.n;
    b->unknown += count_unknown(u, &s->question) + count_unknown(u, &s->context);
    for (size_t from = 0;; from += step) {
        size_t n = smaller(room, all - from);
        if (!add_window(u, b, s, example, query, from, n, &answer))
            return bt_fail(&b->err, BT_NOMEM, "no memory for the windows of %zu questions", u->d->n);
        if (from + n == all) return BT_OK;
    }
}

static void block_item(void *ctx, int item, int thread)
{
    const struct build *u = ctx;
    struct block *b = &u->block[item];
    struct scratch s = {.text = NULL};
    size_t begin = (size_t)item * BLOCK, end = smaller(begin + BLOCK, u->d->n);
    (void)thread;
    for (size_t i = begin; i < end && b->err.status == BT_OK; i++) b->err.status = one(u, b, i, &s);
    bt_encoding_free(&s.question);
    bt_encoding_free(&s.context);
}

/* ── all ── */

static bool reserve(struct bt__task_data *d, struct bt__qa_windows *q, size_t tokens, size_t windows,
                    size_t places)
{
    struct bt__features *f = &d->f;
    f->ids = malloc((tokens + 1) * sizeof *f->ids);
    f->types = malloc(tokens + 1);
    f->reads = malloc(tokens + 1);
    f->start = calloc(windows + 1, sizeof *f->start);
    f->length = calloc(windows + 1, sizeof *f->length);
    f->example = calloc(windows + 1, sizeof *f->example);
    q->window = calloc(windows + 1, sizeof *q->window);
    q->begin = calloc(places + 1, sizeof *q->begin);
    q->end = calloc(places + 1, sizeof *q->end);
    return f->ids && f->types && f->reads && f->start && f->length && f->example && q->window && q->begin &&
           q->end;
}

/* Appends a block behind tokens and places. */
static void append(struct bt__features *f, struct bt__qa_windows *q, const struct block *b, size_t *tokens,
                   size_t *places)
{
    if (b->tokens) memcpy(f->ids + *tokens, b->ids, b->tokens * sizeof *b->ids);
    if (b->tokens) memcpy(f->types + *tokens, b->types, b->tokens);
    if (b->places) memcpy(q->begin + *places, b->begin, b->places * sizeof *b->begin);
    if (b->places) memcpy(q->end + *places, b->end, b->places * sizeof *b->end);
    for (size_t i = 0; i < b->windows; i++, f->n++) {
        q->window[f->n] = b->window[i];
        q->window[f->n].place += *places;
        f->example[f->n] = b->example[i];
        f->length[f->n] = b->length[i];
        f->start[f->n + 1] = f->start[f->n] + (size_t)b->length[i];
    }
    *tokens += b->tokens;
    *places += b->places;
    f->truncated += b->cut;
    f->unknown += b->unknown;
}

static enum bt_status join(const struct build *u, struct bt__task_data *d, struct bt__qa_windows *q,
                           struct bt_error *err)
{
    size_t tokens = 0, windows = 0, places = 0;
    for (size_t i = 0; i < u->blocks; i++) {
        const struct block *b = &u->block[i];
        if (b->err.status) return bt_fail(err, b->err.status, "%s", b->err.text);
        tokens += b->tokens;
        windows += b->windows;
        places += b->places;
    }
    if (!reserve(d, q, tokens, windows, places))
        return bt_fail(err, BT_NOMEM, "no memory for %zu windows", windows);
    memset(d->f.reads, 1, tokens);
    tokens = places = 0;
    for (size_t i = 0; i < u->blocks; i++) append(&d->f, q, &u->block[i], &tokens, &places);
    return BT_OK;
}

static void free_blocks(struct build *u)
{
    for (size_t i = 0; u->block && i < u->blocks; i++) {
        struct block *b = &u->block[i];
        free(b->ids);
        free(b->types);
        free(b->window);
        free(b->example);
        free(b->length);
        free(b->begin);
        free(b->end);
    }
    free(u->block);
}

enum bt_status bt__qa_windows_build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                                    struct bt__pool *pool, struct bt_error *err)
{
    struct build u = {.t = t, .d = d, .gold = gold, .blocks = (d->n + BLOCK - 1) / BLOCK};
    struct bt__qa_windows *q = calloc(1, sizeof *q);
    d->f = (struct bt__features){.n = 0};
    d->own = q;
    u.block = calloc(u.blocks + 1, sizeof *u.block);
    if (!q || !u.block) {
        free(u.block);
        return bt_fail(err, BT_NOMEM, "no memory for %zu questions", d->n);
    }
    bt__pool_run(pool, (int)u.blocks, block_item, &u);
    enum bt_status st = join(&u, d, q, err);
    free_blocks(&u);
    for (size_t i = 0; !st && gold && i < d->n && !q->impossible; i++)
        q->impossible = bt__task_example(d, i)->impossible;
    if (!st && gold) d->gold = q;
    return st;
}

void bt__qa_windows_drop(struct bt__task_data *d)
{
    struct bt__qa_windows *q = d->own;
    if (!q) return;
    free(q->window);
    free(q->begin);
    free(q->end);
    free(q);
    d->own = d->gold = NULL;
}
