#include "tasks/words.h"

#include "batch/windows.h"
#include <stdlib.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ── pieces, block by block ── */

enum { BLOCK = 256 /* examples a task */ };

struct piece_count {
    uint32_t begin, end, pieces;
};

/* The words and pieces of one block of examples, before the blocks are joined. */
struct block {
    int32_t *ids;
    size_t n, cap;
    struct piece_count *word;
    size_t words, words_cap;
    size_t unknown;
    struct bt_error err;
};

struct build {
    const struct bt__task *t;
    const struct bt__task_data *d;
    struct block *block;
    size_t *words, *pieces; /* [examples] */
    size_t room, overlap;
};

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory for the words of the data");
}

static bool add_pieces(struct block *b, const int32_t *ids, size_t n)
{
    if (b->n + n > b->cap) {
        size_t cap = b->cap * 2 > b->n + n ? b->cap * 2 : b->n + n + 4096;
        int32_t *more = realloc(b->ids, cap * sizeof *more);
        if (!more) return false;
        b->ids = more;
        b->cap = cap;
    }
    if (n) memcpy(b->ids + b->n, ids, n * sizeof *ids);
    b->n += n;
    return true;
}

static bool add_word(struct block *b, size_t begin, size_t end, size_t pieces)
{
    if (b->words == b->words_cap) {
        size_t cap = b->words_cap ? b->words_cap * 2 : 4096;
        struct piece_count *more = realloc(b->word, cap * sizeof *more);
        if (!more) return false;
        b->word = more;
        b->words_cap = cap;
    }
    b->word[b->words++] =
        (struct piece_count){.begin = (uint32_t)begin, .end = (uint32_t)end, .pieces = (uint32_t)pieces};
    return true;
}

static void count_unknown(const struct build *u, struct block *b, size_t from)
{
    const int32_t unk = bt_tokenizer_special(u->t->tokenizer, BT_UNK);
    for (size_t i = from; i < b->n; i++) b->unknown += b->ids[i] == unk;
}

static enum bt_status take_parts(const struct build *u, struct block *b, const struct bt_example *e,
                                 struct bt_encoding *scratch)
{
    size_t at = 0;
    for (size_t i = 0; i < e->parts; i++) {
        const struct bt_part *p = &e->part[i];
        enum bt_status st = bt_tokenizer_ids(u->t->tokenizer, p->text, p->n, scratch, &b->err);
        if (st) return st;
        if (at + p->n > UINT32_MAX)
            return bt_fail(&b->err, BT_INVALID, "a text of over 4 GiB, expected less");
        if (!add_word(b, at, at + p->n, scratch->n) || !add_pieces(b, scratch->ids, scratch->n))
            return no_memory(&b->err);
        at += p->n + 1;
    }
    return BT_OK;
}

static enum bt_status take_text(const struct build *u, struct block *b, const struct bt_example *e,
                                struct bt_encoding *scratch)
{
    enum bt_status st = bt_tokenizer_encode(u->t->tokenizer, e->text, e->text_n, scratch, &b->err);
    for (size_t i = 0, end; !st && i < scratch->n; i = end) {
        for (end = i + 1; end < scratch->n && scratch->word[end] == scratch->word[i];) end++;
        if (!add_word(b, scratch->begin[i], scratch->end[end - 1], end - i)) st = no_memory(&b->err);
    }
    if (!st && !add_pieces(b, scratch->ids, scratch->n)) st = no_memory(&b->err);
    return st;
}

static void block_item(void *ctx, int item, int thread)
{
    struct build *u = ctx;
    struct block *b = &u->block[item];
    struct bt_encoding scratch = {.n = 0};
    size_t begin = (size_t)item * BLOCK, end = smaller(begin + BLOCK, u->d->n);
    (void)thread;
    for (size_t i = begin; i < end && !b->err.status; i++) {
        const struct bt_example *e = bt__task_example(u->d, i);
        size_t words = b->words, pieces = b->n;
        b->err.status = e->parts ? take_parts(u, b, e, &scratch) : take_text(u, b, e, &scratch);
        count_unknown(u, b, pieces);
        u->words[i] = b->words - words;
        u->pieces[i] = b->n - pieces;
    }
    bt_encoding_free(&scratch);
}

/* ── sequences ── */

/* The pieces of one example and its words, and which of them each window reads. */
struct sentence {
    const int32_t *ids;
    size_t pieces;
    const struct piece_count *word;
    size_t words, first_word; /* first: of all words */
};

/* Where the joined arrays have come to. */
struct joining {
    const struct build *u;
    struct bt__features *f;
    struct bt__words *w;
    size_t seqs, tokens, rows;
    uint32_t example;
};

static void put_window(struct joining *j, const struct sentence *s, size_t begin, size_t n)
{
    struct bt__features *f = j->f;
    int32_t *ids = f->ids + j->tokens;
    ids[0] = bt_tokenizer_special(j->u->t->tokenizer, BT_CLS);
    if (n) memcpy(ids + 1, s->ids + begin, n * sizeof *ids);
    ids[n + 1] = bt_tokenizer_special(j->u->t->tokenizer, BT_SEP);
    f->start[j->seqs] = j->tokens;
    f->length[j->seqs] = (int)(n + 2);
    f->example[j->seqs] = j->example;
    j->w->row_start[j->seqs] = j->rows;
    j->tokens += n + 2;
    j->seqs++;
}

/* The words that window k reads, from *word (at *piece) on; they are in order, as the windows are. */
static void put_reads(struct joining *j, const struct sentence *s, size_t k, size_t *word, size_t *piece)
{
    const struct build *u = j->u;
    const size_t begin = bt__window_begin(s->pieces, u->room, u->overlap, k);
    const size_t last = bt__windows(s->pieces, u->room, u->overlap) - 1;
    uint8_t *reads = j->f->reads + j->f->start[j->seqs - 1];
    for (; *word < s->words; *piece += s->word[(*word)++].pieces) {
        struct bt__word *at = &j->w->at[s->first_word + *word];
        if (s->word[*word].pieces == 0) continue;
        if (k < last && bt__window_best(s->pieces, u->room, u->overlap, *piece) > k) return;
        reads[1 + *piece - begin] = 1;
        at->row = (uint32_t)j->rows;
        j->w->of_row[j->rows++] = (uint32_t)(s->first_word + *word);
    }
}

/* A window in which no word begins is not worth its time, unless it is all there is. */
static void put_sentence(struct joining *j, const struct sentence *s)
{
    const struct build *u = j->u;
    const size_t n = bt__windows(s->pieces, u->room, u->overlap), first = j->seqs;
    size_t word = 0, piece = 0;
    for (size_t i = 0; i < s->words; i++)
        j->w->at[s->first_word + i] =
            (struct bt__word){.begin = s->word[i].begin, .end = s->word[i].end, .row = BT__NO_ROW};
    for (size_t k = 0; k < n; k++) {
        size_t tokens = j->tokens, rows = j->rows;
        size_t begin = bt__window_begin(s->pieces, u->room, u->overlap, k);
        put_window(j, s, begin, smaller(u->room, s->pieces - begin));
        put_reads(j, s, k, &word, &piece);
        if (j->rows > rows || (k + 1 == n && j->seqs == first + 1)) continue;
        j->tokens = tokens;
        j->seqs--;
    }
    j->w->windowed += j->seqs > first + 1;
    j->example++;
}

static enum bt_status reserve(struct joining *j, struct bt_error *err)
{
    const struct build *u = j->u;
    struct bt__words *w = j->w;
    size_t seqs = 0, tokens = 0;
    for (size_t i = 0; i < u->d->n; i++) {
        size_t n = bt__windows(u->pieces[i], u->room, u->overlap);
        seqs += n;
        tokens += n * (smaller(u->pieces[i], u->room) + 2);
        w->n += u->words[i];
    }
    *j->f = (struct bt__features){.start = calloc(seqs + 1, sizeof *j->f->start),
                                  .ids = malloc((tokens + 1) * sizeof *j->f->ids),
                                  .types = calloc(tokens + 1, sizeof *j->f->types),
                                  .length = calloc(seqs + 1, sizeof *j->f->length),
                                  .reads = calloc(tokens + 1, sizeof *j->f->reads),
                                  .example = calloc(seqs + 1, sizeof *j->f->example)};
    w->at = calloc(w->n + 1, sizeof *w->at);
    w->start = calloc(u->d->n + 1, sizeof *w->start);
    w->row_start = calloc(seqs + 1, sizeof *w->row_start);
    w->of_row = calloc(w->n + 1, sizeof *w->of_row);
    const struct bt__features *f = j->f;
    if (w->n >= BT__NO_ROW || seqs >= UINT32_MAX)
        return bt_fail(err, BT_INVALID, "%zu words, expected less than 2^32", w->n);
    return f->start && f->ids && f->types && f->length && f->reads && f->example && w->at && w->start &&
                   w->row_start && w->of_row
               ? BT_OK
               : no_memory(err);
}

static void join(struct joining *j)
{
    const struct build *u = j->u;
    size_t words = 0;
    for (size_t i = 0, word = 0, piece = 0; i < u->d->n; i++) {
        const struct block *b = &u->block[i / BLOCK];
        if (i % BLOCK == 0) word = piece = 0;
        const struct sentence s = {.ids = piece < b->n ? b->ids + piece : NULL,
                                   .pieces = u->pieces[i],
                                   .word = word < b->words ? b->word + word : NULL,
                                   .words = u->words[i],
                                   .first_word = words};
        j->w->start[i] = words;
        put_sentence(j, &s);
        word += s.words;
        words += s.words;
        piece += s.pieces;
    }
    j->w->start[u->d->n] = words;
    j->f->n = j->seqs;
    j->f->start[j->seqs] = j->tokens;
    j->w->row_start[j->seqs] = j->rows;
}

static enum bt_status check(const struct bt__task *t, struct bt_error *err)
{
    if (t->x->data_max_seq_length < 4)
        return bt_fail(err, BT_INVALID, "max_seq_length is %lld, expected at least 4",
                       (long long)t->x->data_max_seq_length);
    if (bt_tokenizer_special(t->tokenizer, BT_CLS) < 0 || bt_tokenizer_special(t->tokenizer, BT_SEP) < 0)
        return bt_fail(err, BT_INVALID, "the vocabulary has no [CLS] or no [SEP]");
    return BT_OK;
}

enum bt_status bt__words_build(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                               struct bt__words *w, struct bt_error *err)
{
    const size_t blocks = (d->n + BLOCK - 1) / BLOCK;
    struct build u = {.t = t, .d = d};
    enum bt_status st = check(t, err);
    if (st) return st;
    u.room = (size_t)t->x->data_max_seq_length - 2;
    u.overlap = (size_t)bt__window_overlap(t->x->task_doc_stride, (int)u.room);
    u.block = calloc(blocks + 1, sizeof *u.block);
    u.words = calloc(d->n + 1, sizeof *u.words);
    u.pieces = calloc(d->n + 1, sizeof *u.pieces);
    struct joining j = {.u = &u, .f = &d->f, .w = w};
    if (!u.block || !u.words || !u.pieces) st = no_memory(err);
    if (!st) bt__pool_run(pool, (int)blocks, block_item, &u);
    for (size_t i = 0; !st && i < blocks; i++)
        if (u.block[i].err.status) st = bt_fail(err, u.block[i].err.status, "%s", u.block[i].err.text);
    if (!st) st = reserve(&j, err);
    if (!st) join(&j);
    for (size_t i = 0; u.block && i < blocks; i++) {
        d->f.unknown += u.block[i].unknown;
        free(u.block[i].ids);
        free(u.block[i].word);
    }
    free(u.block);
    free(u.words);
    free(u.pieces);
    return st; /* what was made so far is freed with d and w */
}

void bt__words_free(struct bt__words *w)
{
    free(w->at);
    free(w->start);
    free(w->row_start);
    free(w->of_row);
    *w = (struct bt__words){.n = 0};
}
