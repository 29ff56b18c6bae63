/* What the files of an explanation share: the sequence and what is asked about it, and a batch of variants of it. */
#ifndef BERTTY_EXPLAIN_PARTS_H
#define BERTTY_EXPLAIN_PARTS_H

#include "run/predictor_parts.h"
#include "tasks/aim.h"
#include <bertty/explain.h>

struct bt__explaining {
    struct bt_predictor *p;
    const struct bt_explain_spec *spec;
    struct bt__task_data d;
    struct bt__evaluation e; /* what the model says to the input as it is */
    struct bt__aim aim;
    const int32_t *ids; /* [n] of the sequence that is explained; borrowed from d, as the next two */
    const uint8_t *types, *reads;
    int n;
    struct bt_explanation *x; /* with its items */
};

/* There is nothing to read in it. */
bool bt__explain_blank(const struct bt_input *in);
/* With p and spec set, all else zero: the sequence, what is asked about, and the items without their scores. End in any case; x is freed then, unless it
 * was taken away. */
enum bt_status bt__explain_begin(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err);
void bt__explain_end(struct bt__explaining *w);

/* The item that a token belongs to. */
int bt__item_of(const struct bt_explanation *x, int token);
bool bt__explain_cancelled(const struct bt__explaining *w);
enum bt_status bt__explain_cancel(struct bt_error *err);
void bt__explain_tell(const struct bt__explaining *w, int done, int all);

/* Variants of the sequence, all those of a batch computed together. */
struct bt__variant {
    const int32_t *ids;
    const uint8_t *types, *reads; /* reads NULL: the first token */
    int n;
    int token[2]; /* of the aim's cells in this variant */
};

struct bt__asker {
    const struct bt__explaining *w;
    struct bt__pass *pass; /* own, with room for a backward pass, or the predictor's */
    bool backward;
    struct bt__batch b;
    int room; /* variants of a batch */
    int (*token)[2];
    float *dlogits;  /* backward: [rows of the logits] */
    int32_t *target; /* BT__HEAD_MLM: [reads] */
    double *loss;
};

/* For `all` variants in all, of at most w->n tokens each, in batches of even size; reads: of each at most. Close in any case. */
enum bt_status bt__asker_open(struct bt__asker *a, const struct bt__explaining *w, int all, bool backward,
                              int reads, struct bt_error *err);
void bt__asker_close(struct bt__asker *a);
void bt__asker_clear(struct bt__asker *a);
enum bt_status bt__asker_add(struct bt__asker *a, const struct bt__variant *v, struct bt_error *err);
/* The sequence as it is. */
struct bt__variant bt__asker_same(const struct bt__explaining *w);
/* F of each variant of the batch into value [variants]. words as bt__pass_use_words(): [rows of the batch, H] or NULL. */
void bt__asker_ask(struct bt__asker *a, const float *words, double *value);
/* After it, where the asker goes backward: the gradient of each F to its variant's word vectors [rows of the batch, H]; borrowed. */
const float *bt__asker_gradient(struct bt__asker *a);

/* The methods: fill w->x. */
enum bt_status bt__explain_gradient(struct bt__explaining *w, struct bt_error *err);
enum bt_status bt__explain_integrated(struct bt__explaining *w, struct bt_error *err);
enum bt_status bt__explain_occlusion(struct bt__explaining *w, struct bt_error *err);
enum bt_status bt__explain_attention(struct bt__explaining *w, struct bt_error *err);
enum bt_status bt__explain_rollout(struct bt__explaining *w, struct bt_error *err);

/* Where to take steps between 0 and 1, and what each counts: at [n], weight [n], Σ weight = 1. n ≥ 1; of the trapezoid rule n ≥ 2. */
void bt__quadrature(enum bt_explain_rule rule, int n, double *at, double *weight);

/* Items of x from the sequence: pieces or words, and the bytes that they stand for. */
enum bt_status bt__explain_items(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err);

#endif
