#include "batch/batch.h"

#include <stdlib.h>
#include <string.h>

/* Every shard has at least one tile, whatever its size. */
static int tile_cap(int rows)
{
    return rows / (BT__TILE_ROWS / 2) + 2 * BT__SHARDS;
}

enum bt_status bt__batch_reserve(struct bt__batch *b, int seqs, int rows, struct bt_error *err)
{
    *b = (struct bt__batch){.cap_seqs = seqs, .cap_rows = rows};
    b->start = calloc((size_t)seqs + 1, sizeof *b->start);
    b->pair = calloc((size_t)seqs + 1, sizeof *b->pair);
    b->ids = calloc((size_t)rows + 1, sizeof *b->ids);
    b->types = calloc((size_t)rows + 1, sizeof *b->types);
    b->source = calloc((size_t)seqs + 1, sizeof *b->source);
    b->rows.tile = calloc((size_t)tile_cap(rows), sizeof *b->rows.tile);
    b->seqs.tile = calloc((size_t)tile_cap(seqs), sizeof *b->seqs.tile);
    if (b->start && b->pair && b->ids && b->types && b->source && b->rows.tile && b->seqs.tile) return BT_OK;
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
    free(b->rows.tile);
    free(b->seqs.tile);
    *b = (struct bt__batch){.n = 0};
}

void bt__batch_clear(struct bt__batch *b)
{
    b->n = b->longest = b->rows.n = b->rows.n_tiles = b->seqs.n = b->seqs.n_tiles = 0;
}

enum bt_status bt__batch_add(struct bt__batch *b, const int32_t *ids, const uint8_t *types, int n, int source,
                             struct bt_error *err)
{
    int at = b->start[b->n];
    if (b->n >= b->cap_seqs || n > b->cap_rows - at)
        return bt_fail(err, BT_NOMEM,
                       "a batch of %d sequences and %d tokens passes the %d and %d that were reserved",
                       b->n + 1, at + n, b->cap_seqs, b->cap_rows);
    memcpy(b->ids + at, ids, (size_t)n * sizeof *ids);
    memcpy(b->types + at, types, (size_t)n);
    b->source[b->n] = source;
    b->pair[b->n + 1] = b->pair[b->n] + (size_t)n * (size_t)n;
    b->start[++b->n] = at + n;
    if (n > b->longest) b->longest = n;
    return BT_OK;
}

/* Each shard in balanced tiles of about BT__TILE_ROWS: 193 rows are two tiles of 97 and 96. */
static void cut_tiles(struct bt__rows *r)
{
    r->n_tiles = 0;
    for (int s = 0; s < BT__SHARDS; s++) {
        int begin = r->shard[s].begin, n = r->shard[s].end - begin;
        int tiles = n > 0 ? (n + BT__TILE_ROWS / 2) / BT__TILE_ROWS : 0;
        if (n > 0 && tiles == 0) tiles = 1;
        for (int t = 0; t < tiles; t++)
            r->tile[r->n_tiles++] = (struct bt__range){.begin = begin + (int)((long)n * t / tiles),
                                                       .end = begin + (int)((long)n * (t + 1) / tiles)};
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
    for (int s = 0; s < BT__SHARDS; s++) {
        int first = boundary(b, s), end = boundary(b, s + 1);
        b->seqs.shard[s] = (struct bt__range){.begin = first, .end = end};
        b->rows.shard[s] = (struct bt__range){.begin = b->start[first], .end = b->start[end]};
    }
    cut_tiles(&b->rows);
    cut_tiles(&b->seqs);
}
