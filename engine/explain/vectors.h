/* Vectors of rows that are kept between two calls: below $XDG_CACHE_HOME/bertty/vectors, named by a hash of the model's files, the settings and all texts. */
#ifndef BERTTY_EXPLAIN_VECTORS_H
#define BERTTY_EXPLAIN_VECTORS_H

#include "run/predictor_parts.h"
#include <bertty/neighbours.h>

/* Where they are, or would be; NULL: nowhere. The caller frees. */
char *bt__vector_path(const struct bt_predictor *p, const struct bt_examples *e,
                      enum bt_vector_pooling pooling);
/* NULL: not there, damaged, or not [n, hidden]. */
struct bt_vectors *bt__vectors_read(const char *path, size_t n, int hidden);
/* The oldest files of the folder make room. */
void bt__vectors_write(const char *path, const struct bt_vectors *v);

struct bt_vectors *bt__vectors_new(size_t n, int hidden);

#endif
