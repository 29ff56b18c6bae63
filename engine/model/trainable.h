/* Which parameters of a model are trained: the flags of its table, and what they come to. */
#ifndef BERTTY_MODEL_TRAINABLE_H
#define BERTTY_MODEL_TRAINABLE_H

#include "model/params.h"

/* How low a backward pass has to go. */
struct bt__trainable {
    bool embeddings;
    int first_layer; /* encoder layers below have nothing that is trained; num_hidden_layers: none has */
};

/* What is to be trained. Zero: everything. The task's head always is. */
struct bt__freeze {
    bool embeddings; /* they are frozen */
    int layers;      /* encoder layers from the bottom that are */
    bool adapters;   /* LoRA: besides the modules only adapters are trained */
    bool biases;     /* BitFit (Ben Zaken et al. 2022): besides the modules only biases are trained */
    const char *const *module; /* n_modules names: a part of a parameter's name between dots ("pooler") */
    size_t n_modules;
};

/* Sets the frozen flag of every parameter. */
void bt__params_freeze(struct bt__params *p, const struct bt__freeze *f);
/* Is there a parameter with this part in its name? */
bool bt__params_has(const struct bt__params *p, const char *module);
struct bt__trainable bt__params_trainable(const struct bt__params *p);

#endif
