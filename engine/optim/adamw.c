/* AdamW (Loshchilov & Hutter 2019), as PyTorch computes it. */
#include "optim/optim_parts.h"

#include <math.h>
#include <stdlib.h>

int bt__adam_slots(const struct bt__optim_settings *s, const struct bt__param *p, struct bt__optim_slot *slot)
{
    static const char *const name[] = {"exp_avg", "exp_avg_sq"};
    (void)s;
    for (int i = 0; i < 2; i++)
        slot[i] = (struct bt__optim_slot){
            .name = name[i], .rank = p->rank, .shape = {p->rank == 2 ? p->rows : p->cols, p->cols}};
    return 2;
}

/* own: the coefficients of each parameter's update */
bool bt__adam_create(struct bt__optim *o)
{
    o->own = calloc(o->m->params.n, sizeof(struct bt__adamw));
    return o->own;
}

static void update(struct bt__optim *o, const struct bt__optim_piece *p)
{
    const struct bt__adamw *coef = o->own;
    o->k->adamw(p->n, p->w, p->g, p->slot[0], p->slot[1], &coef[p->param]);
}

void bt__adam_step(struct bt__optim *o, double bias1, double bias2)
{
    struct bt__adamw *coef = o->own;
    for (size_t i = 0; i < o->m->params.n; i++)
        coef[i] = (struct bt__adamw){.clip = o->scale,
                                     .beta1 = (float)o->set.beta1,
                                     .beta2 = (float)o->set.beta2,
                                     .epsilon = (float)o->set.epsilon,
                                     .step = (float)(o->rate[i].lr / bias1),
                                     .root = (float)(1.0 / sqrt(bias2)),
                                     .keep = o->rate[i].keep};
    bt__optim_elementwise(o, update);
}

static void step(struct bt__optim *o, int64_t t)
{
    bool correct = o->set.correct_bias;
    bt__adam_step(o, correct ? 1.0 - pow(o->set.beta1, (double)t) : 1.0,
                  correct ? 1.0 - pow(o->set.beta2, (double)t) : 1.0);
}

const struct bt__optim_ops bt__optim_adamw = {
    .name = "adamw", .slots = bt__adam_slots, .create = bt__adam_create, .step = step};
