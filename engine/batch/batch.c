#include "batch/batch.h"

#include "math/kernels.h"
#include <stdlib.h>
#include <string.h>

/* Every shard has at least one tile, whatever its size. */
static int tile_cap(int rows)
{
    return rows / (BT__TILE_ROWS / 2) + 2 * BT__SHARDS;
}

enum bt_status bt__batch_reserve(struct bt__batch *b, int seqs, int rows, int reads, struct bt_error *err)
{
    if (reads < seqs) reads = seqs;
    *b = (struct bt__batch){.cap_seqs = seqs, .cap_rows = rows, .cap_reads = reads};
    b->start = calloc((size_t)seqs + 1, sizeof *b->start);
    b->pair = calloc((size_t)seqs + 1, sizeof *b->pair);
    b->ids = calloc((size_t)rows + 1, sizeof *b->ids);
    b->types = calloc((size_t)rows + 1, sizeof *b->types);
    b->source = calloc((size_t)seqs + 1, sizeof *b->source);
    b->read = calloc((size_t)reads + 1, sizeof *b->read);
    b->read_start = calloc((size_t)seqs + 1, sizeof *b->read_start);
    b->read_pair = calloc((size_t)seqs + 1, sizeof *b->read_pair);
    b->rows.tile = calloc((size_t)tile_cap(rows), sizeof *b->rows.tile);
    b->seqs.tile = calloc((size_t)tile_cap(seqs), sizeof *b->seqs.tile);
    b->reads.tile = calloc((size_t)tile_cap(reads), sizeof *b->reads.tile);
    if (b->start && b->pair && b->ids && b->types && b->source && b->read && b->read_start && b->read_pair &&
        b->rows.tile && b->seqs.tile && b->reads.tile)
        return BT_OK;
    bt__batch_free(b);
    return bt_fail(err, BT_NOMEM, "no memory for batches of %d tokens", rows);
}

void bt__batch_free(struct bt__batch *b)
{
    free(b->start);
    free(b->pair);
    free(b->ids);
    free(b->types);
    free(b->source);
    free(b->read);
    free(b->read_start);
    free(b->read_pair);
    free(b->rows.tile);
    free(b->seqs.tile);
    free(b->reads.tile);
    *b = (struct bt__batch){.n = 0};
}

void bt__batch_clear(struct bt__batch *b)
{
    b->n = b->longest = 0;
    b->rows.n = b->seqs.n = b->reads.n = 0;
    b->rows.n_tiles = b->seqs.n_tiles = b->reads.n_tiles = 0;
}

int bt__reads_count(const uint8_t *reads, int n)
{
    int count = 0;
    if (!reads) return n > 0;
    for (int i = 0; i < n; i++) count += reads[i] != 0;
    return count;
}

static void note_reads(struct bt__batch *b, const uint8_t *reads, int n, int row)
{
    int at = b->read_start[b->n], count = bt__reads_count(reads, n);
    b->read_start[b->n + 1] = at + count;
    b->read_pair[b->n + 1] = b->read_pair[b->n] + (size_t)count * (size_t)n;
    if (!reads) b->read[at] = row;
    for (int i = 0; reads && i < n; i++)
        if (reads[i]) b->read[at++] = row + i;
}

enum bt_status bt__batch_add(struct bt__batch *b, const int32_t *ids, const uint8_t *types, int n,
                             const uint8_t *reads, int source, struct bt_error *err)
{
    int at = b->start[b->n], count = bt__reads_count(reads, n);
    if (b->n >= b->cap_seqs || n > b->cap_rows - at)
        return bt_fail(err, BT_NOMEM,
                       "a batch of %d sequences and %d tokens passes the %d and %d that were reserved",
                       b->n + 1, at + n, b->cap_seqs, b->cap_rows);
    if (count > b->cap_reads - b->read_start[b->n])
        return bt_fail(err, BT_NOMEM, "a batch with %d tokens to be read passes the %d that were reserved",
                       b->read_start[b->n] + count, b->cap_reads);
    memcpy(b->ids + at, ids, (size_t)n * sizeof *ids);
    memcpy(b->types + at, types, (size_t)n);
    note_reads(b, reads, n, at);
    b->source[b->n] = source;
    b->pair[b->n + 1] = b->pair[b->n] + (size_t)n * (size_t)n;
    b->start[++b->n] = at + n;
    if (n > b->longest) b->longest = n;
    return BT_OK;
}

/* Where tile t of n rows begins: at whole tiles of a product's, so that only a shard's last one has rows left over. */
static int tile_begin(int n, int t, int tiles)
{
    return t == tiles ? n : (int)((long)n * t / tiles) / BT__LEFT_MOST * BT__LEFT_MOST;
}

/* Each shard in balanced tiles of about BT__TILE_ROWS: 193 rows are two tiles of 96 and 97. */
static void cut_tiles(struct bt__rows *r)
{
    r->n_tiles = 0;
    for (int s = 0; s < BT__SHARDS; s++) {
        int begin = r->shard[s].begin, n = r->shard[s].end - begin;
        int tiles = n > 0 ? (n + BT__TILE_ROWS / 2) / BT__TILE_ROWS : 0;
        if (n > 0 && tiles == 0) tiles = 1;
        for (int t = 0; t < tiles; t++)
            r->tile[r->n_tiles++] = (struct bt__range){.begin = begin + tile_begin(n, t, tiles),
                                                       .end = begin + tile_begin(n, t + 1, tiles)};
    }
}

/* The sequence boundary nearest to share s of the tokens. */
static int boundary(const struct bt__batch *b, int s)
{
    long want = (long)b->start[b->n] * s / BT__SHARDS;
    int i = 0;
    while (i < b->n && b->start[i + 1] <= want) i++;
    if (i < b->n && b->start[i + 1] - want < want - b->start[i]) i++;
    return i;
}

void bt__batch_plan(struct bt__batch *b)
{
    b->rows.n = b->start[b->n];
    b->seqs.n = b->n;
    b->reads.n = b->read_start[b->n];
    for (int s = 0; s < BT__SHARDS; s++) {
        int first = boundary(b, s), end = boundary(b, s + 1);
        b->seqs.shard[s] = (struct bt__range){.begin = first, .end = end};
        b->rows.shard[s] = (struct bt__range){.begin = b->start[first], .end = b->start[end]};
        b->reads.shard[s] = (struct bt__range){.begin = b->read_start[first], .end = b->read_start[end]};
    }
    cut_tiles(&b->rows);
    cut_tiles(&b->seqs);
    cut_tiles(&b->reads);
}
