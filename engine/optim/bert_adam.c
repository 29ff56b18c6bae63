/* Google's AdamWeightDecayOptimizer: m/(√v + ε) without bias correction; the decayed weight is added to it before the learning rate, which is
 * w ← w·(1 − lr·decay) − lr·m/(√v + ε), AdamW's form. */
#include "optim/optim_parts.h"

static void step(struct bt__optim *o, int64_t t)
{
    (void)t;
    bt__adam_step(o, 1.0, 1.0);
}

const struct bt__optim_ops bt__optim_bert_adam = {
    .name = "bert_adam", .slots = bt__adam_slots, .create = bt__adam_create, .step = step};
