/* A batch without padding: its sequences one after the other, with prefix offsets, cut into shards and tiles.
 *
 * Shards: BT__SHARDS runs of whole sequences with about equal numbers of tokens. Every gradient is summed inside a shard in row order and over the
 * shards as (0 + 1) + (2 + 3), so that one, two or four processes may share them. Tiles: rows of one shard, balanced, the unit of
 * work of a matrix product. Both follow from the sequences' lengths alone, never from the number of threads. */
#ifndef BERTTY_BATCH_BATCH_H
#define BERTTY_BATCH_BATCH_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

enum { BT__SHARDS = 4, BT__TILE_ROWS = 128 };

struct bt__range {
    int begin, end;
};

/* Rows of a matrix as shards and tiles. */
struct bt__rows {
    int n;                              /* rows */
    struct bt__range shard[BT__SHARDS]; /* rows of each shard; may be empty */
    struct bt__range *tile;             /* n_tiles of them, each inside one shard */
    int n_tiles;
};

struct bt__batch {
    int n;                 /* sequences */
    int longest;           /* tokens of the longest */
    int *start;            /* [n + 1] first row of each sequence */
    size_t *pair;          /* [n + 1] Σ of length² of the sequences before */
    int32_t *ids;          /* [rows] */
    uint8_t *types;        /* [rows] token types, 0 or 1 */
    int *source;           /* [n] the caller's number of the sequence */
    int *read;             /* [reads.n] rows whose last hidden states the head reads, rising */
    int *read_start;       /* [n + 1] first read of each sequence */
    size_t *read_pair;     /* [n + 1] Σ of reads · length of the sequences before */
    struct bt__rows rows;  /* all tokens */
    struct bt__rows seqs;  /* a row for each sequence */
    struct bt__rows reads; /* a row for each token that the head reads */
    int cap_seqs, cap_rows, cap_reads;
};

/* Memory for up to seqs sequences of rows tokens in total, of which reads are read (at least seqs are always reserved). The caller
 * frees with bt__batch_free(). */
enum bt_status bt__batch_reserve(struct bt__batch *b, int seqs, int rows, int reads, struct bt_error *err);
void bt__batch_free(struct bt__batch *b);
void bt__batch_clear(struct bt__batch *b);
/* Appends one sequence of n ≥ 1 tokens, of which the head reads those whose flag in reads [n] is not 0 (NULL: the first, [CLS]).
 * BT_NOMEM when it does not fit the reservation. */
enum bt_status bt__batch_add(struct bt__batch *b, const int32_t *ids, const uint8_t *types, int n,
                             const uint8_t *reads, int source, struct bt_error *err);
/* How many of n tokens are read. */
int bt__reads_count(const uint8_t *reads, int n);
/* Cuts shards and tiles; call after the last bt__batch_add. */
void bt__batch_plan(struct bt__batch *b);

#endif
