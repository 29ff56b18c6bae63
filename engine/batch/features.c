#include "batch/features.h"

#include "batch/windows.h"
#include <stdlib.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The longer part loses tokens until both are equally long, then both do; the odd token stays with the longer. */
static void longest_first(size_t *a, size_t *b, size_t room)
{
    size_t *small = *a <= *b ? a : b, *large = *a <= *b ? b : a;
    if (*small * 2 >= room) *small = room / 2;
    *large = room - *small;
}

void bt__truncate(size_t *a, size_t *b, size_t room, enum bt__truncation how)
{
    if (*a + *b <= room) return;
    if (how == BT__LONGEST_FIRST) {
        longest_first(a, b, room);
        return;
    }
    size_t *cut = how == BT__ONLY_SECOND && *b > 0 ? b : a, *other = cut == a ? b : a;
    *other = smaller(*other, room); /* never longer than the model can take, whichever part was named */
    *cut = room - *other;
}

/* 510 tokens: the first 128, the last 382. */
size_t bt__truncate_tail(size_t kept, enum bt__truncation how)
{
    return how == BT__HEAD_TAIL ? kept - (kept + 3) / 4 : 0;
}

enum { BLOCK = 256 /* examples a task */ };

/* The tokens of one block, before the blocks are joined. */
struct block {
    int32_t *ids;
    uint8_t *types;
    size_t n, cap, unknown;
    int *length;       /* [seqs] */
    uint32_t *example; /* [seqs] the text */
    size_t seqs, seqs_cap;
    struct bt_error err;
};

struct build {
    const struct bt_tokenizer *t;
    const struct bt__text *texts;
    size_t n;
    const struct bt__features_options *opt;
    struct block *block;
    bool *cut; /* [n] */
};

static bool room_for(struct block *b, size_t more)
{
    if (b->n + more <= b->cap) return true;
    size_t cap = b->cap * 2 > b->n + more ? b->cap * 2 : b->n + more + 4096;
    int32_t *ids = realloc(b->ids, cap * sizeof *ids);
    if (ids) b->ids = ids;
    uint8_t *types = realloc(b->types, cap);
    if (types) b->types = types;
    if (!ids || !types) return false;
    b->cap = cap;
    return true;
}

/* Text i has a sequence of so many tokens. */
static bool begin_sequence(struct block *b, size_t i, size_t tokens)
{
    if (b->seqs == b->seqs_cap) {
        size_t cap = b->seqs_cap ? b->seqs_cap * 2 : BLOCK;
        int *length = realloc(b->length, cap * sizeof *length);
        if (length) b->length = length;
        uint32_t *example = realloc(b->example, cap * sizeof *example);
        if (example) b->example = example;
        if (!length || !example) return false;
        b->seqs_cap = cap;
    }
    b->length[b->seqs] = (int)tokens;
    b->example[b->seqs++] = (uint32_t)i;
    return room_for(b, tokens);
}

static void put(struct block *b, const int32_t *ids, size_t n, uint8_t type)
{
    if (n == 0) return; /* ids may be NULL: an empty text */
    memcpy(b->ids + b->n, ids, n * sizeof *ids);
    memset(b->types + b->n, type, n);
    b->n += n;
}

static size_t count_unknown(const int32_t *ids, size_t n, int32_t unk)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) found += ids[i] == unk;
    return found;
}

static enum bt_status no_memory(const struct build *u, struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory for the tokens of %zu examples", u->n);
}

/* Text i, whose tokens are in e, in sequences that share tokens. */
static enum bt_status slide(struct build *u, struct block *b, size_t i, const struct bt_encoding *e)
{
    const int32_t cls = bt_tokenizer_special(u->t, BT_CLS), sep = bt_tokenizer_special(u->t, BT_SEP);
    const size_t room = (size_t)u->opt->max_length - 2, overlap = (size_t)u->opt->overlap;
    for (size_t k = 0; k < bt__windows(e->n, room, overlap); k++) {
        size_t begin = bt__window_begin(e->n, room, overlap, k), n = smaller(room, e->n - begin);
        if (!begin_sequence(b, i, n + 2)) return no_memory(u, &b->err);
        put(b, &cls, 1, 0);
        put(b, e->ids + begin, n, 0);
        put(b, &sep, 1, 0);
    }
    b->unknown += count_unknown(e->ids, e->n, bt_tokenizer_special(u->t, BT_UNK));
    return BT_OK;
}

static enum bt_status one(struct build *u, struct block *b, size_t i, struct bt_encoding *e,
                          struct bt_encoding *pair)
{
    const struct bt__text *x = &u->texts[i];
    const int32_t cls = bt_tokenizer_special(u->t, BT_CLS), sep = bt_tokenizer_special(u->t, BT_SEP);
    const int32_t unk = bt_tokenizer_special(u->t, BT_UNK);
    enum bt_status st = bt_tokenizer_ids(u->t, x->text, x->text_n, e, &b->err);
    if (st == BT_OK && x->pair) st = bt_tokenizer_ids(u->t, x->pair, x->pair_n, pair, &b->err);
    if (st) return st;
    size_t na = e->n, nb = x->pair ? pair->n : 0, special = x->pair ? 3 : 2, tail = 0;
    if (u->opt->truncation == BT__SLIDING && !x->pair) return slide(u, b, i, e);
    const bool single = u->opt->truncation == BT__HEAD_TAIL || u->opt->truncation == BT__SLIDING;
    const enum bt__truncation how = x->pair && single ? BT__LONGEST_FIRST : u->opt->truncation;
    bt__truncate(&na, &nb, (size_t)u->opt->max_length - special, how);
    if (!begin_sequence(b, i, na + nb + special)) return no_memory(u, &b->err);
    u->cut[i] = na < e->n || (x->pair && nb < pair->n);
    if (na < e->n && !x->pair) tail = bt__truncate_tail(na, how);
    b->unknown += count_unknown(e->ids, na - tail, unk) + count_unknown(e->ids + e->n - tail, tail, unk) +
                  (x->pair ? count_unknown(pair->ids, nb, unk) : 0);
    put(b, &cls, 1, 0);
    put(b, e->ids, na - tail, 0);
    put(b, e->ids + e->n - tail, tail, 0);
    put(b, &sep, 1, 0);
    if (x->pair) {
        put(b, pair->ids, nb, 1);
        put(b, &sep, 1, 1);
    }
    return BT_OK;
}

static void block_item(void *ctx, int item, int thread)
{
    struct build *u = ctx;
    struct block *b = &u->block[item];
    struct bt_encoding e = {.n = 0}, pair = {.n = 0};
    size_t begin = (size_t)item * BLOCK, end = smaller(begin + BLOCK, u->n);
    (void)thread;
    for (size_t i = begin; i < end && b->err.status == BT_OK; i++) b->err.status = one(u, b, i, &e, &pair);
    bt_encoding_free(&e);
    bt_encoding_free(&pair);
}

static enum bt_status reserve(struct bt__features *f, const struct build *u, size_t blocks,
                              struct bt_error *err)
{
    size_t tokens = 0;
    f->n = 0;
    for (size_t i = 0; i < blocks; i++) {
        tokens += u->block[i].n;
        f->n += u->block[i].seqs;
    }
    f->ids = malloc((tokens + 1) * sizeof *f->ids);
    f->types = malloc(tokens + 1);
    f->start = malloc((f->n + 1) * sizeof *f->start);
    f->length = malloc((f->n + 1) * sizeof *f->length);
    bool owners = u->opt->truncation == BT__SLIDING || u->opt->group > 1;
    if (owners) f->example = malloc((f->n + 1) * sizeof *f->example);
    bool ok = f->ids && f->types && f->start && f->length && (f->example || !owners);
    return ok ? BT_OK : no_memory(u, err);
}

static enum bt_status join(struct bt__features *f, const struct build *u, size_t blocks, struct bt_error *err)
{
    enum bt_status st = reserve(f, u, blocks, err);
    if (st) return st;
    const size_t group = u->opt->group > 1 ? (size_t)u->opt->group : 1;
    size_t at = 0, seq = 0;
    for (size_t i = 0; i < blocks; i++) {
        const struct block *b = &u->block[i];
        if (b->n) memcpy(f->ids + at, b->ids, b->n * sizeof *f->ids);
        if (b->n) memcpy(f->types + at, b->types, b->n);
        at += b->n;
        f->unknown += b->unknown;
        for (size_t k = 0; k < b->seqs; k++, seq++) {
            f->length[seq] = b->length[k];
            if (f->example) f->example[seq] = (uint32_t)(b->example[k] / group);
        }
    }
    f->start[0] = 0;
    for (size_t i = 0; i < f->n; i++) f->start[i + 1] = f->start[i] + (size_t)f->length[i];
    return BT_OK;
}

/* How many examples were cut. */
static void group_up(struct bt__features *f, const struct build *u)
{
    const size_t group = u->opt->group > 1 ? (size_t)u->opt->group : 1;
    for (size_t i = 0; i < u->n; i += group) {
        bool any = false;
        for (size_t k = i; k < i + group && k < u->n; k++) any |= u->cut[k];
        f->truncated += any;
    }
    if (group > 1) f->group = (int)group;
}

static void blocks_free(struct build *u, size_t blocks)
{
    for (size_t i = 0; u->block && i < blocks; i++) {
        free(u->block[i].ids);
        free(u->block[i].types);
        free(u->block[i].length);
        free(u->block[i].example);
    }
    free(u->block);
    free(u->cut);
}

static enum bt_status check(const struct bt_tokenizer *t, const struct bt__features_options *opt,
                            struct bt_error *err)
{
    if (opt->max_length < 4)
        return bt_fail(err, BT_INVALID, "max_seq_length is %d, expected at least 4", opt->max_length);
    if (bt_tokenizer_special(t, BT_CLS) < 0 || bt_tokenizer_special(t, BT_SEP) < 0)
        return bt_fail(err, BT_INVALID, "the vocabulary has no [CLS] or no [SEP]");
    return BT_OK;
}

enum bt_status bt__features_build(struct bt__features *f, const struct bt_tokenizer *t,
                                  const struct bt__text *texts, size_t n,
                                  const struct bt__features_options *opt, struct bt__pool *pool,
                                  struct bt_error *err)
{
    *f = (struct bt__features){.n = 0};
    enum bt_status st = check(t, opt, err);
    if (st) return st;
    size_t blocks = (n + BLOCK - 1) / BLOCK;
    struct build u = {
        .t = t, .texts = texts, .n = n, .opt = opt, .block = calloc(blocks + 1, sizeof *u.block)};
    u.cut = calloc(n + 1, sizeof *u.cut);
    if (!u.block || !u.cut) st = bt_fail(err, BT_NOMEM, "no memory for %zu examples", n);
    if (!st) bt__pool_run(pool, (int)blocks, block_item, &u);
    for (size_t i = 0; !st && i < blocks; i++)
        if (u.block[i].err.status) st = bt_fail(err, u.block[i].err.status, "%s", u.block[i].err.text);
    if (!st) st = join(f, &u, blocks, err);
    if (!st) group_up(f, &u);
    blocks_free(&u, blocks);
    if (st) bt__features_free(f);
    return st;
}

void bt__features_free(struct bt__features *f)
{
    free(f->start);
    free(f->ids);
    free(f->types);
    free(f->length);
    free(f->reads);
    free(f->example);
    *f = (struct bt__features){.n = 0};
}

static const uint8_t *reads_of(const struct bt__features *f, size_t i)
{
    return f->reads ? f->reads + f->start[i] : NULL;
}

int bt__features_reads(const struct bt__features *f, size_t i)
{
    return bt__reads_count(reads_of(f, i), f->length[i]);
}

enum bt_status bt__features_add(const struct bt__features *f, size_t i, struct bt__batch *b,
                                struct bt_error *err)
{
    return bt__batch_add(b, f->ids + f->start[i], f->types + f->start[i], f->length[i], reads_of(f, i),
                         (int)i, err);
}
