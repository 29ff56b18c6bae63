/* Which rows of a file are most like an input in a model's eyes: the cosine of what its last layer makes of them. "Why does it think so" is often answered by
 * the training rows nearby; rows of another split that are the same but for a comma are found by the same means.
 *
 * A row's vector is the last layer's at [CLS], or the mean over its tokens, divided by its length; of a row that is read in windows, or as one sequence for
 * each of its choices, the mean of theirs. */
#ifndef BERTTY_NEIGHBOURS_H
#define BERTTY_NEIGHBOURS_H

#include <bertty/predictor.h>

/* AUTO: CLS where a trained head reads it alone; else MEAN. */
enum bt_vector_pooling { BT_VECTOR_AUTO, BT_VECTOR_CLS, BT_VECTOR_MEAN, BT_VECTOR_POOLINGS };
extern const char *const bt_vector_poolings[]; /* "auto", "cls", "mean", ended by NULL */

struct bt_vectors {
    size_t n;
    int hidden;
    float *v; /* [n, hidden] each of length 1, or zeros */
};

struct bt_vectors_spec {
    enum bt_vector_pooling pooling;
    bool
        keep; /* below $XDG_CACHE_HOME/bertty/vectors, and use them again while the model and the texts are the same */
    const atomic_bool *cancel;                             /* NULL: never */
    void (*progress)(void *ctx, size_t done, size_t rows); /* NULL: nobody asks. On the calling thread */
    void *ctx;
};

/* The predictor is in use meanwhile; e is borrowed. BT_CANCELLED. The caller frees with bt_vectors_free(). A cache that cannot be written is no failure. */
enum bt_status bt_vectors_of_rows(struct bt_predictor *p, struct bt_examples *e,
                                  const struct bt_vectors_spec *spec, struct bt_vectors **out,
                                  struct bt_error *err);
/* Of one input: n is 1. */
enum bt_status bt_vectors_of_input(struct bt_predictor *p, const struct bt_input *in,
                                   enum bt_vector_pooling pooling, struct bt_vectors **out,
                                   struct bt_error *err);
void bt_vectors_free(struct bt_vectors *v); /* NULL is fine */

struct bt_neighbour {
    size_t row; /* from 0 */
    double cosine;
};
/* The k rows whose vectors are most like `to` [hidden], falling, the earlier of equals first; returns how many: k, or n if that is less. */
size_t bt_neighbours_find(const struct bt_vectors *v, const float *to, size_t k, struct bt_neighbour *out);
/* For each row of a the nearest of b into out [a->n]; others: a and b are the same rows, and a row is no neighbour of itself. A row without any has a cosine of −2. BT_NOMEM,
 * BT_CANCELLED. */
enum bt_status bt_neighbours_each(const struct bt_vectors *a, const struct bt_vectors *b, bool others,
                                  const atomic_bool *cancel, struct bt_neighbour *out, struct bt_error *err);

#endif
