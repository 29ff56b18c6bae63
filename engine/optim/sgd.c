/* Stochastic gradient descent as torch.optim.SGD: the weight decay is part of the gradient, and so of the momentum. */
#include "optim/optim_parts.h"

static int slots(const struct bt__optim_settings *s, const struct bt__param *p, struct bt__optim_slot *slot)
{
    if (s->momentum <= 0.0) return 0;
    *slot = (struct bt__optim_slot){
        .name = "momentum_buffer", .rank = p->rank, .shape = {p->rank == 2 ? p->rows : p->cols, p->cols}};
    return 1;
}

/* The decay of a word that never comes is in its momentum too. */
static bool idle(const struct bt__optim_settings *s)
{
    return s->momentum <= 0.0 || s->weight_decay <= 0.0;
}

static void plain(struct bt__optim *o, const struct bt__optim_piece *p)
{
    const struct bt__optim_rate *r = &o->rate[p->param];
    o->k->sgd(p->n, p->w, p->g, r->keep, (float)(r->lr * (double)o->scale));
}

static void heavy(struct bt__optim *o, const struct bt__optim_piece *p)
{
    const struct bt__optim_rate *r = &o->rate[p->param];
    const struct bt__sgd c = {
        .clip = o->scale, .decay = (float)r->decay, .momentum = (float)o->set.momentum, .step = (float)r->lr};
    o->k->sgd_momentum(p->n, p->w, p->g, p->slot[0], &c);
}

static void step(struct bt__optim *o, int64_t t)
{
    (void)t;
    bt__optim_elementwise(o, o->set.momentum > 0.0 ? heavy : plain);
}

const struct bt__optim_ops bt__optim_sgd = {.name = "sgd", .slots = slots, .step = step, .idle = idle};
