/* What transformers calls the variables of Google's BERT. */
#ifndef BERTTY_FORMATS_TF_NAMES_H
#define BERTTY_FORMATS_TF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum bt__tf_kind {
    BT__TF_OTHER,  /* not of a BERT: keeps its name */
    BT__TF_WEIGHT, /* as it is */
    BT__TF_KERNEL, /* a matrix that stands transposed: [in, out] */
    BT__TF_TRAINER /* of the optimiser: nothing that a model needs */
};

/* Puts the name into out (size bytes; cut if it is too long). */
enum bt__tf_kind bt__tf_name(const char *variable, char *out, size_t size);

#endif
