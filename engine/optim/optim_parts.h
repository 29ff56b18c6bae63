/* What an optimiser is made of. Private to engine/optim. */
#ifndef BERTTY_OPTIM_OPTIM_PARTS_H
#define BERTTY_OPTIM_OPTIM_PARTS_H

#include "optim/optim.h"

enum { BT__OPTIM_SLOTS = 4 };

/* A part of a parameter's state. name NULL: scratch, which is not saved. */
struct bt__optim_slot {
    const char *name;
    int rank;
    int64_t shape[2];
};

/* Of one parameter, in the update in progress. */
struct bt__optim_rate {
    double lr;    /* of this parameter */
    double decay; /* weight decay, or 0 */
    float keep;   /* 1 − lr·decay */
};

/* A row of floats to update. */
struct bt__optim_piece {
    size_t param, n;
    float *w;
    const float *g;
    float *slot[BT__OPTIM_SLOTS]; /* state of the same elements, where a slot has the parameter's shape */
};

struct bt__optim_ops {
    const char *name;
    /* The state of a parameter: fills slot[], returns how many there are. */
    int (*slots)(const struct bt__optim_settings *s, const struct bt__param *p, struct bt__optim_slot *slot);
    /* Memory of its own in o->own beside the state, freed by free(); returns false without memory. May be NULL. */
    bool (*create)(struct bt__optim *o);
    /* One update; rates, scale and the gradient stand in o. */
    void (*step)(struct bt__optim *o, int64_t t);
    /* A word whose state and gradient are zero, which only shrinks by keep, is left to the caller. false: there is no such word. May be NULL: true */
    bool (*idle)(const struct bt__optim_settings *s);
};

struct bt__optim {
    struct bt__model *m;
    struct bt__pool *pool;
    const struct bt__kernels *k;
    const struct bt__optim_ops *ops;
    struct bt__optim_settings set;
    float *state;
    size_t state_n;
    size_t (*at)[BT__OPTIM_SLOTS]; /* [params.n] where each slot stands in state; SIZE_MAX: there is none */
    void *own;
    struct bt__optim_chunk *chunk;
    int chunks;
    struct bt__optim_rate *rate; /* [params.n] */
    double *partial;             /* sums of squares */
    float *zeros;                /* [H]: the gradient of a word that the batch does not have */
    bool *seen; /* [vocab_size]: words that ever had a gradient; the state of the others is zero */
    const struct bt__gradient *g;
    float scale;
    void (*update)(struct bt__optim *o, const struct bt__optim_piece *p);
};

/* Slot i of a parameter's state. */
static inline float *bt__optim_state(const struct bt__optim *o, size_t param, int i)
{
    return o->state + o->at[param][i];
}
/* Gradient of element i of a parameter that is not the word embedding. */
static inline const float *bt__optim_gradient(const struct bt__optim *o, const struct bt__param *p, size_t i)
{
    return o->g->dense + (p->offset + i - o->g->dense_begin);
}
/* The word embeddings' gradient is dense: a head is tied to them. */
static inline bool bt__optim_dense_words(const struct bt__optim *o)
{
    return o->g->dense_begin <= o->m->word;
}
/* Gradient of a word, NULL if the batch does not have it. */
static inline const float *bt__optim_word_gradient(const struct bt__optim *o, size_t word)
{
    const size_t h = (size_t)o->m->config.hidden_size;
    if (bt__optim_dense_words(o)) return o->g->dense + (o->m->word - o->g->dense_begin) + word * h;
    int32_t slot = o->g->slot[word];
    return slot < 0 ? NULL : o->g->word + (size_t)slot * h;
}
/* For updates element by element: fn for every piece of every trained parameter; each slot of the state has the parameter's shape. */
void bt__optim_elementwise(struct bt__optim *o,
                           void (*fn)(struct bt__optim *o, const struct bt__optim_piece *p));

/* adamw.c: one update with bias corrections 1 − β^t, or 1. */
int bt__adam_slots(const struct bt__optim_settings *s, const struct bt__param *p,
                   struct bt__optim_slot *slot);
bool bt__adam_create(struct bt__optim *o);
void bt__adam_step(struct bt__optim *o, double bias1, double bias2);

#endif
