/* What the layers below the lowest trained one make of each sequence of a data set, kept: it never changes, so a pass that finds it begins above them.
 *
 * A row of a layer depends on its own sequence alone, whatever batch it stands in, so all bits are those of a whole pass. */
#ifndef BERTTY_MODEL_PREFIX_H
#define BERTTY_MODEL_PREFIX_H

#include "model/model.h"

struct bt__prefix;

/* The layer whose input never changes: the lowest that is trained, at most the last. 0: there is none. */
int bt__prefix_layer(const struct bt__model *m);
/* Is there dropout in those layers, so that in training they make something new each time? */
bool bt__prefix_drops(const struct bt__model *m);
/* Bytes for n sequences of so many tokens together. */
size_t bt__prefix_bytes(const struct bt__model *m, size_t tokens, size_t n);

/* For sequences whose first tokens are start [n + 1], borrowed; nothing is known yet. What is trained must not grow afterwards. The caller frees. */
enum bt_status bt__prefix_create(const struct bt__model *m, const size_t *start, size_t n,
                                 struct bt__prefix **out, struct bt_error *err);
void bt__prefix_free(struct bt__prefix *x);

#endif
