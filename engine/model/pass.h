/* One pass of a batch through the model, forward and backward.
 *
 * A pass owns the memory of everything between input and logits, reserved once for the largest batch; nothing is allocated in a
 * step. With training memory the forward pass keeps what the backward pass reads; without it (inference) one layer's memory is used for all.
 *
 * The work of a step is a sequence of phases (bt__pool_run with a barrier behind it). Inside a phase every item writes memory of its own, and its
 * arithmetic depends on the batch's shards and tiles alone: the same bits for any number of threads.
 *
 * The last layer computes queries and everything behind them for the batch's reads alone: the rows that the head reads. */
#ifndef BERTTY_MODEL_PASS_H
#define BERTTY_MODEL_PASS_H

#include "base/pool.h"
#include "batch/batch.h"
#include "math/kernels.h"
#include "model/model.h"
#include "model/trainable.h"

struct bt__pass;
struct bt__prefix;

struct bt__pass_limits {
    int seqs, rows, longest; /* of any one batch */
    int reads;               /* rows of any one batch that the head reads; at least seqs */
    size_t pairs;            /* Σ length² of any one batch */
    size_t read_pairs;       /* Σ reads · length of any one batch; at least rows */
    long step_rows;          /* of all batches whose gradients are added up in a step; 0: as rows */
    bool train;              /* keep activations, reserve gradients */
    bool inputs;             /* with train: gradients to the word vectors alone, none of a parameter */
    bool
        recompute; /* training keeps of each layer what its input and output can be made from, and computes the rest again in the backward pass:
                     * the same bits in less memory (Chen et al. 2016) */
    bool
        bf16; /* the encoder's and the language model's products take bf16 operands and sum in fp32; weights, gradients and all else stay
                     * fp32 (Micikevicius et al. 2018; Kalamkar et al. 2019) */
};

/* Raises reads and read_pairs to what reading the first token of each sequence takes; the pass does so itself. */
void bt__pass_limits_complete(struct bt__pass_limits *l);
/* Raises every number to at least that of least. */
void bt__pass_limits_widen(struct bt__pass_limits *l, const struct bt__pass_limits *least);
/* Whether every number is at least that of need. */
bool bt__pass_limits_hold(const struct bt__pass_limits *l, const struct bt__pass_limits *need);

/* Bytes that bt__pass_create() would reserve for these limits with this many threads, gradients included. */
size_t bt__pass_bytes(const struct bt__model *m, const struct bt__pass_limits *limits, int threads);
/* model and pool are borrowed. The caller frees with bt__pass_free(). */
enum bt_status bt__pass_create(struct bt__model *m, struct bt__pool *pool,
                               const struct bt__pass_limits *limits, struct bt__pass **out,
                               struct bt_error *err);
void bt__pass_free(struct bt__pass *p);

/* Dropout of the coming forward pass: probabilities are the model's; (seed, step) key the numbers. training false: none. */
void bt__pass_dropout(struct bt__pass *p, bool training, uint64_t seed, uint64_t step);

/* The coming passes keep and use what frozen layers make of the sequences that the batches name as their sources; not where those layers drop.
 * NULL: none. Borrowed. */
void bt__pass_use_prefix(struct bt__pass *p, struct bt__prefix *x);

/* The coming forward passes read word vectors x [rows of the batch, H] in place of the embeddings of its ids; NULL: those. Borrowed. */
void bt__pass_use_words(struct bt__pass *p, const float *x);

/* The coming forward passes copy what the embeddings and each layer make of the batch's rows to out [layers + 1, rows, H]; the batches must read all
 * their rows, and no frozen layers be kept. NULL: no. Borrowed. */
void bt__pass_tap(struct bt__pass *p, float *out);

/* The rows of logits of a batch: its sequences, or for BT__HEAD_TOKENS its reads. */
const struct bt__rows *bt__pass_logit_rows(const struct bt__model *m, const struct bt__batch *batch);
/* Logits [bt__pass_logit_rows()->n, head.outputs]; borrowed until the next forward pass. BT__HEAD_MLM: NULL. */
const float *bt__pass_forward(struct bt__pass *p, const struct bt__batch *batch);
/* Hidden states of the last layer that the head read [batch->reads.n, H]; the pooler's output, or the mean [batch->n, H]. Borrowed, until
 * the backward pass. */
const float *bt__pass_hidden(const struct bt__pass *p);
const float *bt__pass_pooled(const struct bt__pass *p);

/* Adds the gradient of Σ dlogits·logits to what is trained to the pass's gradient (first: replaces it). batch must be the one of the last forward pass. */
void bt__pass_backward(struct bt__pass *p, const struct bt__batch *batch, const float *dlogits,
                       const struct bt__trainable *what, bool first);

/* Of a pass with limits.inputs, after bt__pass_forward(): the gradient of Σ dlogits·logits to the word vectors [rows of the batch, H]. Borrowed until the
 * next pass. */
const float *bt__pass_input_gradient(struct bt__pass *p, const struct bt__batch *batch, const float *dlogits);
/* BT__HEAD_MLM likewise: of Σ over the reads of the logit of a target word, or of its probability (after bt__pass_lm_loss() with the same targets and
 * without smoothing). A read whose target is below 0 does not count. */
const float *bt__pass_lm_input_gradient(struct bt__pass *p, const struct bt__batch *batch,
                                        const int32_t *target, bool probability);
/* After the forward pass of a pass with train: softmax of layer's head for sequence seq, [queries, tokens]; in the last layer the queries are what is
 * read. Borrowed until the next pass. */
const float *bt__pass_attention(const struct bt__pass *p, int layer, int seq, int head);

/* BT__HEAD_MLM, after bt__pass_forward(): the cross-entropy of each read for its target word, loss [batch->reads.n]; a target below 0 does
 * not count: 0. smoothing as bt__cross_entropy's. best [reads] receives the likeliest word; it may be NULL. */
void bt__pass_lm_loss(struct bt__pass *p, const struct bt__batch *batch, const int32_t *target,
                      double smoothing, double *loss, int32_t *best);
/* After it, with the same batch, targets and smoothing: adds the gradient of scale · Σ loss, as bt__pass_backward(). */
void bt__pass_lm_backward(struct bt__pass *p, const struct bt__batch *batch, const int32_t *target,
                          double smoothing, double scale, const struct bt__trainable *what, bool first);
/* Logits [vocab_size] of one read after bt__pass_forward(), before the backward pass; out is the caller's. */
void bt__pass_lm_logits(const struct bt__pass *p, int read, float *out);
/* One of them. */
double bt__pass_lm_logit(const struct bt__pass *p, int read, int32_t word);
/* The places of the k largest of x [n], falling, the earlier of equals first, into at [k]; returns how many: k, or n if that is less. */
int bt__top_k(const float *x, int n, int k, int32_t *at);

/* The gradient: dense parameters at their offsets in [dense_begin, params.total), from the lowest that was not frozen when the pass was
 * created; the word embeddings' rows apart, except for BT__HEAD_MLM: they are dense then, and n_words 0. */
struct bt__gradient {
    float *dense; /* of offset dense_begin */
    size_t dense_begin, dense_end;
    const float *word;      /* [n_words, H] */
    const int32_t *word_id; /* [n_words]: the rows that the gradient touches */
    const int32_t *slot;    /* [vocab_size]: row in word of an id, or −1 */
    int n_words;
};
const struct bt__gradient *bt__pass_gradient(const struct bt__pass *p);

#endif
